/* Diff: two texts compared line by line, told as a unified diff. */
#ifndef FC_BASE_DIFF_H
#define FC_BASE_DIFF_H

#include <stddef.h>

#include "base/buffer.h"

/* More differing lines than this are told as one change of everything between the first and the last of them: time and memory are
 * bounded by its square. */
enum { DIFF_MAX = 1000, DIFF_CONTEXT = 3 };

/* Appends the hunks ("@@ -1,4 +1,5 @@" ...), nothing for equal texts. FC_OK; FC_ENOMEM, also when out is full. */
int diff_unified(const char *a, size_t a_len, const char *b, size_t b_len, struct buffer *out);

#endif
