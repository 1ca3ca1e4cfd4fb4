#include "config/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"

enum { FILE_MAX = 4 << 20 };

/* The list: a line a file, "old PATH" or "new PATH" (there was none), and "end". */
static const char head[] = "forecourt trial 1\n", tail[] = "end\n";
static const size_t list_max = (size_t)TRIAL_FILES_MAX * (TRIAL_PATH + 8);

static int refuse(const char *path, struct error *err)
{
	return error_set(err, FC_EIO, "%s: can't be written: %s", path, strerror(errno));
}

static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Where a path leads to; the path itself when there is nothing yet. FC_EINVAL: too long, or no list can hold it. */
static int resolve(const char *path, char out[TRIAL_PATH], struct error *err)
{
	char real[PATH_MAX];
	const char *to = realpath(path, real) ? real : path;

	if (strlen(to) + strlen(name_in(to)) + 24 >= TRIAL_PATH || strchr(to, '\n'))
		return error_set(err, FC_EINVAL, "%.100s: this path is too long, or holds a newline", path);
	(void)snprintf(out, TRIAL_PATH, "%.*s", TRIAL_PATH - 1, to);
	return FC_OK;
}

/* ".NAME.suffix" in the folder of path; in the folder ".NAME" there when there is one. */
static void beside(const char *path, const char *suffix, char out[TRIAL_PATH])
{
	const char *name = name_in(path);
	struct stat st;

	(void)snprintf(out, TRIAL_PATH, "%.*s.%.255s", (int)(name - path), path, name);
	if (!stat(out, &st) && S_ISDIR(st.st_mode))
		(void)snprintf(out, TRIAL_PATH, "%.*s.%.255s/.%.255s.%s", (int)(name - path), path, name, name, suffix);
	else
		(void)snprintf(out, TRIAL_PATH, "%.*s.%.255s.%s", (int)(name - path), path, name, suffix);
}

/* A file of its own with that content, on the disk. like: whose mode and owner it gets; NULL or missing: mode. */
static int make(const char *path, const void *text, size_t len, const char *like, int mode, struct error *err)
{
	struct stat st;
	int is_there = like && !stat(like, &st);

	(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return refuse(path, err);
	/* The owner may be refused: then the mode alone must do. */
	int failed = fchmod(fd, is_there ? st.st_mode & 0777 : (mode_t)mode);
	if (is_there && fchown(fd, st.st_uid, st.st_gid))
		errno = 0;
	if (!failed)
		failed = disk_write(fd, text, len);
	int why = errno;
	if (close(fd) && !failed) {
		failed = -1;
		why = errno;
	}
	if (!failed)
		return FC_OK;
	(void)unlink(path);
	errno = why;
	return refuse(path, err);
}

/* Whole file; *text is free()d by the caller. FC_ENOENT, FC_EIO, FC_ENOMEM. */
static int slurp(const char *path, size_t most, char **text, size_t *len, struct error *err)
{
	FILE *in = fopen(path, "rb");

	*text = NULL;
	*len = 0;
	if (!in) {
		int code = errno == ENOENT ? FC_ENOENT : FC_EIO;

		(void)error_set(err, code, "%s: %s", path, strerror(errno));
		return code;
	}
	*text = malloc(most + 1);
	*len = *text ? fread(*text, 1, most + 1, in) : 0;
	int failed = ferror(in) || *len > most;
	(void)fclose(in);
	if (*text && !failed) {
		(*text)[*len] = '\0';
		return FC_OK;
	}
	int result = *text ? FC_EIO : FC_ENOMEM;
	free(*text);
	*text = NULL;
	(void)error_set(err, result, "%s: %s", path, result == FC_EIO ? "can't be read" : "no memory");
	return result;
}

/* Copy of what is there; nothing when there is nothing. */
static int keep_old(const char *path, struct error *err)
{
	char name[TRIAL_PATH], *text;
	size_t len;
	int result = slurp(path, FILE_MAX, &text, &len, err);

	beside(path, "before", name);
	if (result == FC_ENOENT) {
		(void)unlink(name);
		return FC_OK;
	}
	if (!result)
		result = make(name, text, len, path, 0600, err);
	free(text);
	return result;
}

static void drop(const char *path, const char *suffix)
{
	char name[TRIAL_PATH];

	beside(path, suffix, name);
	(void)unlink(name);
}

struct list {
	char (*paths)[TRIAL_PATH];
	char *is_new;
	int count;
};

static void free_list(struct list *list)
{
	free(list->paths);
	free(list->is_new);
}

static int alloc_list(struct list *list, int count, struct error *err)
{
	*list = (struct list){.paths = calloc((size_t)count + 1, TRIAL_PATH), .is_new = calloc((size_t)count + 1, 1)};
	if (list->paths && list->is_new)
		return FC_OK;
	free_list(list);
	*list = (struct list){0};
	(void)error_set(err, FC_ENOMEM, "no memory");
	return FC_ENOMEM;
}

static int write_list(const char *name, const struct list *list, struct error *err)
{
	char temporary[TRIAL_PATH], *text = malloc(list_max + 64);
	size_t n = 0;

	if (!text)
		return error_set(err, FC_ENOMEM, "no memory");
	n += (size_t)sprintf(text + n, "%s", head);
	for (int i = 0; i < list->count; i++)
		n += (size_t)sprintf(text + n, "%s %s\n", list->is_new[i] ? "new" : "old", list->paths[i]);
	n += (size_t)sprintf(text + n, "%s", tail);
	beside(name, "next", temporary);
	int result = make(temporary, text, n, NULL, 0600, err);
	free(text);
	if (result)
		return result;
	if (rename(temporary, name) || disk_sync_folder(name)) {
		result = refuse(name, err);
		(void)unlink(temporary);
	}
	return result;
}

/* FC_ENOENT: there is none, or it is not whole: then nothing had been put into place yet. */
static int read_list(const char *name, struct list *list, struct error *err)
{
	char *text, *rest = NULL;
	size_t len;
	int result = slurp(name, list_max + 64, &text, &len, err);

	if (result)
		return result;
	if (strncmp(text, head, strlen(head)) != 0 || len < strlen(head) + strlen(tail) ||
	    strcmp(text + len - strlen(tail), tail) != 0)
		result = FC_ENOENT;
	if (result)
		(void)error_set(err, result, "%s: is not whole", name);
	if (!result)
		result = alloc_list(list, TRIAL_FILES_MAX, err);
	for (char *line = result ? NULL : strtok_r(text + strlen(head), "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (list->count == TRIAL_FILES_MAX || (strncmp(line, "old ", 4) != 0 && strncmp(line, "new ", 4) != 0))
			break;
		list->is_new[list->count] = line[0] == 'n';
		(void)snprintf(list->paths[list->count++], TRIAL_PATH, "%.*s", TRIAL_PATH - 1, line + 4);
	}
	free(text);
	return result;
}

static int name_of_list(const char *config, char name[TRIAL_PATH], struct error *err)
{
	char real[TRIAL_PATH];
	int result = resolve(config, real, err);

	if (!result)
		beside(real, "trial", name);
	return result;
}

int trial_is_open(const char *config)
{
	char name[TRIAL_PATH];

	return !name_of_list(config, name, NULL) && !access(name, F_OK);
}

static void drop_all(const struct list *list)
{
	for (int i = 0; i < list->count; i++) {
		drop(list->paths[i], "next");
		drop(list->paths[i], "before");
	}
}

/* All that is to be is on the disk beside its place. */
static int prepare(struct list *list, const struct trial_file *files, int count, struct error *err)
{
	char next[TRIAL_PATH];

	for (int i = 0; i < count; i++) {
		int result = resolve(files[i].path, list->paths[i], err);

		if (result)
			return result;
		list->count = i + 1;
		list->is_new[i] = access(list->paths[i], F_OK) != 0;
		result = keep_old(list->paths[i], err);
		beside(list->paths[i], "next", next);
		if (!result)
			result = make(next, files[i].text, files[i].len, list->paths[i], files[i].mode, err);
		if (!result && disk_sync_folder(next))
			result = refuse(next, err);
		if (result)
			return result;
	}
	return FC_OK;
}

/* Into the file itself, byte by byte: what a power cut leaves of it is mended from the copy beside it. */
static int write_over(const char *from, const char *path, struct error *err)
{
	char *text;
	size_t len;
	int result = slurp(from, FILE_MAX, &text, &len, err);

	if (result)
		return result;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int failed = fd < 0 || ftruncate(fd, (off_t)len) || disk_write(fd, text, len), why = errno;
	if (fd >= 0 && close(fd) && !failed) {
		failed = 1;
		why = errno;
	}
	free(text);
	errno = why;
	return failed ? refuse(path, err) : FC_OK;
}

/* from takes the place of path: at once, where the folder lets us, and is gone then; else it stays, as long as the list does. */
static int replace(const char *from, const char *path, struct error *err)
{
	if (!rename(from, path))
		return disk_sync_folder(path) ? refuse(path, err) : FC_OK;
	/* EXDEV: something is mounted there. */
	if (errno != EACCES && errno != EPERM && errno != EXDEV && errno != EBUSY)
		return errno == ENOENT ? FC_ENOENT : refuse(path, err);
	return write_over(from, path, err);
}

static int put_in_place(const struct list *list, struct error *err)
{
	char next[TRIAL_PATH];

	for (int i = 0; i < list->count; i++) {
		beside(list->paths[i], "next", next);
		int result = replace(next, list->paths[i], err);

		if (result)
			return result == FC_ENOENT ? refuse(list->paths[i], err) : result;
	}
	return FC_OK;
}

int trial_begin(const char *config, const struct trial_file *files, int count, struct error *err)
{
	char name[TRIAL_PATH];
	struct list list;
	int result = name_of_list(config, name, err);

	if (result)
		return result;
	if (count > TRIAL_FILES_MAX)
		return error_set(err, FC_EINVAL, "more than %d files", TRIAL_FILES_MAX);
	if (!access(name, F_OK))
		return error_set(err, FC_EBUSY, "a change waits for its confirmation");
	result = alloc_list(&list, count, err);
	if (result)
		return result;
	result = prepare(&list, files, count, err);
	if (!result)
		result = write_list(name, &list, err);
	if (result) {
		/* The list may be there all the same, when only its folder was not synced. */
		(void)unlink(name);
		drop_all(&list);
	} else {
		result = put_in_place(&list, err);
		if (result && trial_revert(config, NULL))
			(void)error_set(err, result, "%s; the old files come back at the next start", name);
	}
	free_list(&list);
	return result;
}

int trial_confirm(const char *config, struct error *err)
{
	char name[TRIAL_PATH];
	struct list list = {0};
	int result = name_of_list(config, name, err);

	if (!result)
		result = read_list(name, &list, err);
	if (result)
		return result;
	if (unlink(name) || disk_sync_folder(name))
		result = refuse(name, err);
	else
		drop_all(&list);
	free_list(&list);
	return result;
}

static int put_back(const char *path, int is_new, struct error *err)
{
	char before[TRIAL_PATH];

	drop(path, "next");
	beside(path, "before", before);
	if (is_new)
		return unlink(path) && errno != ENOENT ? refuse(path, err) : FC_OK;
	/* Not there: it is back already. */
	int result = replace(before, path, err);
	if (result == FC_ENOENT)
		return disk_sync_folder(path) ? refuse(path, err) : FC_OK;
	return result;
}

int trial_revert(const char *config, struct error *err)
{
	char name[TRIAL_PATH];
	struct list list = {0};
	int result = name_of_list(config, name, err);

	if (!result)
		result = read_list(name, &list, err);
	if (result)
		return result;
	for (int i = 0; i < list.count; i++) {
		int failed = put_back(list.paths[i], list.is_new[i], err);

		result = failed ? failed : result;
	}
	if (!result && (unlink(name) || disk_sync_folder(name)))
		result = refuse(name, err);
	/* What was written over is still beside it. */
	if (!result)
		drop_all(&list);
	free_list(&list);
	return result;
}

int trial_recover(const char *config, struct error *err)
{
	char real[TRIAL_PATH];
	int result = trial_revert(config, err);

	if (!result)
		return 1;
	if (result != FC_ENOENT)
		return result;
	/* What a power cut left of one that never began, or was confirmed. */
	if (!resolve(config, real, NULL)) {
		char name[TRIAL_PATH];

		beside(real, "trial", name);
		(void)unlink(name);
		drop(name, "next");
		drop(real, "next");
		drop(real, "before");
	}
	return 0;
}
