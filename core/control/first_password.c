#include "control/first_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char name[] = "one-time-password";

void first_password_path(const char *control_socket, char path[FIRST_PASSWORD_PATH])
{
	path[0] = '\0';
	if (!control_socket || !*control_socket)
		return;
	const char *slash = strrchr(control_socket, '/');
	int n = snprintf(path, FIRST_PASSWORD_PATH, "%.*s%s", slash ? (int)(slash - control_socket) + 1 : 0,
			 control_socket, name);
	if (n < 0 || n >= FIRST_PASSWORD_PATH)
		path[0] = '\0';
}

/* Not on a disk: it need not outlive the power, and the daemon makes another one then. */
int first_password_put(const char *path, const char *user, const char *password, struct error *err)
{
	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(err, FC_EIO, "%s: %s", path, strerror(errno));
	int failed = dprintf(fd, "%s %s\n", user, password) < 0, why = errno;
	if (close(fd) && !failed) {
		failed = 1;
		why = errno;
	}
	if (!failed)
		return FC_OK;
	(void)unlink(path);
	return error_set(err, FC_EIO, "%s: %s", path, strerror(why));
}

void first_password_drop(const char *path)
{
	if (*path)
		(void)unlink(path);
}
