/* Aside: work that may block, one piece at a time, each in a short-lived thread of its own; its end comes on the loop. */
#ifndef FC_LOOP_ASIDE_H
#define FC_LOOP_ASIDE_H

#include <stddef.h>

#include "base/error.h"
#include "loop/loop.h"

struct aside;
/* size bytes for a piece of work and what comes of it, zeroed at first; owned by the aside. work changes them in the thread; done comes
 * on the loop with the same bytes, when no work is under way, and never after aside_free. NULL: FC_ENOMEM. */
struct aside *aside_new(struct loop *loop, size_t size, void (*work)(void *data),
			void (*done)(void *user, const void *data), void *user, struct error *err);
/* The bytes, to be written before aside_start; NULL while work is under way. */
void *aside_data(struct aside *aside);
/* FC_OK; FC_EBUSY: work is under way; FC_EIO: the thread can't start. */
int aside_start(struct aside *aside);
/* Does not wait for work under way: the thread frees what it holds when it ends. NULL is allowed. */
void aside_free(struct aside *aside);

#endif
