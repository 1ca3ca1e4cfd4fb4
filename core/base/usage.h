/* Usage: what this process takes of the box. */
#ifndef FC_BASE_USAGE_H
#define FC_BASE_USAGE_H

#include <stddef.h>
#include <stdint.h>

/* Resident memory from the kernel, in kB; 0 when it can't be read. */
int64_t usage_rss_kb(void);

/* Nonzero when so many bytes could be had right now. For calls of libraries that end or crash the program where they get no memory: what is
 * asked just before is what they find. */
int usage_has_room(size_t bytes);

/* At the begin of a thread that uses little: gives pages of its thread-local storage back that nobody has written to. glibc clears all of it
 * for each thread; of Debian's wolfSSL that is 49 kB, which only a thread that makes handshakes needs. What is given back reads as
 * zero, as it did, and can be used. */
void usage_spare_thread(void);
/* Now and then, at a place that is not deep: gives back the pages of this thread's stack that only deeper calls needed (a connection that
 * is made looks a name up and writes a line of log; the polls between take a quarter of that). For threads with a stack of 128 kB or more. */
void usage_spare_stack(void);

/* Memory for what is rarely there: zeros, which take none of the box until they are written to, in whole pages. NULL: none left.
 * usage_pages_clear makes it zeros again and gives it back to the box; it stays the caller's. size: as it was asked for. */
void *usage_pages_new(size_t size);
void usage_pages_clear(void *pages, size_t size);
void usage_pages_free(void *pages, size_t size);

#endif
