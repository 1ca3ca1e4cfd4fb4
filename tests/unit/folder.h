/* A folder of a test's own below TMPDIR (or /tmp), and away with it again, whatever the test has left in it. No shell is asked. */
#ifndef FC_FOLDER_H
#define FC_FOLDER_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Its path, of less than size characters, is in path then; name tells whose it is when it is left behind. Below /tmp, too, where TMPDIR is
 * so long that path would not hold it: what tests put below it are sockets, too, whose names have an end. */
static inline void folder_make(char *path, size_t size, const char *name)
{
	const char *tmp = getenv("TMPDIR");
	int len = tmp && *tmp ? snprintf(path, size, "%s/forecourt-%s-XXXXXX", tmp, name) : -1;

	if (len < 0 || (size_t)len >= size)
		len = snprintf(path, size, "/tmp/forecourt-%s-XXXXXX", name);
	assert_in_range(len, 1, size - 1);
	assert_non_null(mkdtemp(path));
}

static inline int folder_remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

/* What is behind a link stays. */
static inline void folder_remove(const char *path)
{
	assert_int_equal(nftw(path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
