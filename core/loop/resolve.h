/* Resolve: names to addresses in a thread of its own, since getaddrinfo blocks and the loop must not. */
#ifndef FC_LOOP_RESOLVE_H
#define FC_LOOP_RESOLVE_H

#include "base/error.h"
#include "loop/loop.h"

enum { RESOLVE_ADDRESSES = 4, RESOLVE_TEXT = 64 };

struct resolve_result {
	int count; /* 0 when it failed */
	char addresses[RESOLVE_ADDRESSES][RESOLVE_TEXT];
	char why[120];
};

/* Once, before any look-up. glibc keeps what it read of the box's resolver and name services; without the memory for that it crashes, or
 * leaves a lock held that every later look-up waits for, for ever: at a start that ends with another start. FC_ENOMEM. */
int resolve_prepare(struct error *err);

struct resolve;
/* One name under way at a time. done comes on the loop; never after resolve_free. */
struct resolve *resolve_new(struct loop *loop, const char *host,
			    void (*done)(void *user, const struct resolve_result *result), void *user,
			    struct error *err);
/* Starts; nothing when it is under way already. FC_EIO when the thread can't start. */
int resolve_start(struct resolve *resolve);
/* Does not wait for a look-up under way: the thread frees what it holds when it ends. */
void resolve_free(struct resolve *resolve);

#endif
