#include "control/first_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

/* Whether it is what first_password_put leaves: the folder's owner may put anything else there. */
static int is_ours(int fd, const char *path)
{
	char folder[FIRST_PASSWORD_PATH];
	const char *slash = strrchr(path, '/');
	struct stat file, above;

	(void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return !fstat(fd, &file) && !stat(folder, &above) && S_ISREG(file.st_mode) && file.st_nlink == 1 &&
	       (file.st_uid == above.st_uid || file.st_uid == geteuid()) && !(file.st_mode & 077);
}

/* A word of letters, digits and marks, of which *at is the first; behind it is an end. NULL: none, or too long. */
static char *take_word(char **at, char end)
{
	char *word = *at;
	size_t n = 0;

	while (word[n] > ' ' && word[n] < 127 && word[n] != '"' && word[n] != '\\')
		n++;
	if (!n || n >= FIRST_PASSWORD_WORD || word[n] != end)
		return NULL;
	word[n] = '\0';
	*at = word + n + 1;
	return word;
}

int first_password_get(const char *path, char user[FIRST_PASSWORD_WORD], char password[FIRST_PASSWORD_WORD],
		       struct error *err)
{
	char line[2 * FIRST_PASSWORD_WORD + 2], *at = line;
	/* Not blocking: for a pipe that was put there. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return error_set(err, errno == ENOENT ? FC_ENOENT : FC_EIO, "%s", strerror(errno));
	ssize_t n = is_ours(fd, path) ? read(fd, line, sizeof(line) - 1) : -1;
	(void)close(fd);
	line[n > 0 ? n : 0] = '\0';
	const char *first = take_word(&at, ' '), *second = first ? take_word(&at, '\n') : NULL;
	if (second) {
		(void)snprintf(user, FIRST_PASSWORD_WORD, "%s", first);
		(void)snprintf(password, FIRST_PASSWORD_WORD, "%s", second);
	}
	explicit_bzero(line, sizeof(line));
	return second ? FC_OK : error_set(err, FC_EIO, "can't be read");
}

void first_password_drop(const char *path)
{
	if (*path)
		(void)unlink(path);
}
