/* Log ring: the last lines of the log in a block of memory of a fixed size; the oldest give way. Not thread-safe: log.c locks. */
#ifndef FC_BASE_LOG_RING_H
#define FC_BASE_LOG_RING_H

#include "base/log.h"

struct log_ring {
	char *bytes;
	size_t size, begin, used; /* entries, one behind the other, wrapping around */
	uint64_t newest;
};

void log_ring_put(struct log_ring *ring, enum log_level level, int64_t wall_ms, const char *text, size_t len);
/* As log_keep. */
int log_ring_resize(struct log_ring *ring, size_t size);
/* As log_each_kept. */
void log_ring_each(const struct log_ring *ring, uint64_t after, int (*fn)(void *user, const struct log_kept *line),
		   void *user);

#endif
