#include "main/restarts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"

static const char name[] = "watchdog-restarts";

/* What anything but a small number says is no restart at all. */
static int read_count(const char *path)
{
	char text[8] = "", *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	long count = n > 0 ? strtol(text, &end, 10) : 0;
	return n > 0 && !strcmp(end, "\n") && count > 0 && count <= RESTARTS_MOST ? (int)count : 0;
}

static int write_count(const char *path, int count)
{
	char text[8];
	int len = snprintf(text, sizeof(text), "%d\n", count);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return -1;
	int result = disk_write(fd, text, (size_t)len);
	int code = errno;
	(void)close(fd);
	errno = code;
	return result ? -1 : disk_sync_folder(path);
}

void restarts_open(struct restarts *r, const char *folder)
{
	int n = snprintf(r->path, sizeof(r->path), "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= sizeof(r->path))
		r->path[0] = '\0';
	r->count = read_count(r->path);
	if (r->count >= RESTARTS_MOST)
		log_error("main: %d restarts did not bring back a bus that stands still: this box is not restarted for "
			  "it again",
			  r->count);
}

static void forget(struct restarts *r)
{
	if (unlink(r->path) && errno != ENOENT)
		log_warning("main: %s: can't be removed: %s", r->path, strerror(errno));
	r->count = 0;
	r->is_noted = 0;
}

int restarts_look(struct restarts *r, int is_stuck, int is_armed, int64_t now_us)
{
	int helps = r->count < RESTARTS_MOST;

	if (is_stuck)
		r->calm_us = 0;
	else if (!r->calm_us)
		r->calm_us = now_us;
	else if ((r->count || r->is_noted) && now_us - r->calm_us >= (int64_t)RESTARTS_CALM_S * 1000000)
		forget(r);
	if (is_stuck && is_armed && helps && !r->is_noted && *r->path) {
		r->is_noted = 1;
		if (write_count(r->path, r->count + 1))
			log_error("main: %s: can't be written: %s", r->path, strerror(errno));
	}
	return helps;
}
