/* Skeleton: a vendor's register list (CSV) to the first draft of a profile, which loads; every guess is marked "-- check:". */
#ifndef FC_CLI_SKELETON_H
#define FC_CLI_SKELETON_H

#include "base/buffer.h"
#include "base/error.h"

/* Appends the Lua text to out. path: of the list, for the comment and the profile's name; text is changed. bad_row hears of rows that
 * say nothing usable. The number of those, or FC_EINVAL (no column of addresses, no usable row), FC_ELIMIT. */
int skeleton_make(const char *path, char *text, size_t len, void (*bad_row)(void *user, int line, const char *what),
		  void *user, struct buffer *out, struct error *err);

#endif
