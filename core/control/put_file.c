#include "control/put_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"

enum { PATH_SIZE = 600, FILE_SIZE_MAX = 512 << 10 };

/* Not ".lua": the watch passes it over. */
static void name_of(const char *path, char name[PATH_SIZE])
{
	(void)snprintf(name, PATH_SIZE, "%s.rollback", path);
}

static int refuse(const char *path, struct error *err)
{
	return error_set(err, FC_EIO, "%s: can't be written: %s", path, strerror(errno));
}

int put_file_make(const char *path, const void *text, size_t len, struct error *err)
{
	char name[PATH_SIZE];
	struct stat st;
	int is_there = !stat(path, &st);

	name_of(path, name);
	(void)unlink(name);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return refuse(path, err);
	/* Whoever edits the file now may edit it afterwards. The owner may be refused: then the mode alone must do. */
	if (is_there && (fchmod(fd, st.st_mode & 0777) || fchown(fd, st.st_uid, st.st_gid)))
		errno = 0;
	int failed = disk_write(fd, text, len), why = errno;
	if (close(fd) && !failed) {
		failed = -1;
		why = errno;
	}
	if (!failed)
		return FC_OK;
	(void)unlink(name);
	errno = why;
	return refuse(path, err);
}

int put_file_place(const char *path, struct error *err)
{
	char name[PATH_SIZE];

	name_of(path, name);
	if (rename(name, path))
		return refuse(path, err);
	(void)disk_sync_folder(path);
	return FC_OK;
}

void put_file_drop(const char *path)
{
	char name[PATH_SIZE];

	name_of(path, name);
	(void)unlink(name);
}

void put_file_hash(const char *path, char hash[SOURCE_HASH])
{
	char *text = malloc(FILE_SIZE_MAX + 1);
	FILE *in = text ? fopen(path, "rb") : NULL;

	hash[0] = '\0';
	if (in) {
		size_t len = fread(text, 1, FILE_SIZE_MAX + 1, in);

		if (!ferror(in) && len <= FILE_SIZE_MAX)
			sources_digest(text, len, hash);
		(void)fclose(in);
	}
	free(text);
}
