/* Hash: FNV-1a, 64 bits (Fowler, Noll, Vo). Tells a change, or spreads keys; guards against nobody who wants two to meet. The same on each
 * machine and in each version: some are kept on the disk. */
#ifndef FC_BASE_HASH_H
#define FC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BEGIN UINT64_C(14695981039346656037)

/* What was before (HASH_BEGIN: nothing) and these bytes behind it. */
uint64_t hash_more(uint64_t hash, const void *data, size_t len);

#endif
