/* Tar: a few files in one (POSIX ustar), as every tar reads them. For this room only. */
#ifndef FC_CONTROL_TAR_H
#define FC_CONTROL_TAR_H

#include <stdint.h>

#include "base/buffer.h"

/* name: at most 99 bytes. A failure stays in out. */
void tar_add(struct buffer *out, const char *name, int64_t mtime, const void *data, size_t len);
void tar_end(struct buffer *out);

#endif
