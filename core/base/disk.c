#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/file.h>

int disk_write(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

static int sync_opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -1;
	int failed = fsync(fd), why = errno;
	(void)close(fd);
	errno = why;
	return failed;
}

int disk_sync_file(const char *path)
{
	return sync_opened(path, O_RDONLY);
}

int disk_sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");

	if (n < 0 || (size_t)n >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return sync_opened(folder, O_RDONLY | O_DIRECTORY);
}

int disk_lock_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	int code = errno;
	(void)close(fd);
	errno = code;
	return -1;
}
