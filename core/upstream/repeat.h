/* Repeat: a call of the log once more, by hand, where that does no harm.
 *
 *   what we sent      is built anew from what is now and sent: a status, a station's information or statistics, the state of a
 *                     charge that still runs. Never what starts, stops or settles a charge, nor a log-in: those are refused
 *                     with what to do instead.
 *   what we were asked   is answered as our server would now, without side effects; nothing goes out. Questions only. */
#ifndef FC_UPSTREAM_REPEAT_H
#define FC_UPSTREAM_REPEAT_H

#include "base/buffer.h"
#include "base/error.h"
#include "upstream/calls.h"

struct platform;

/* What came of it; valid during the call. */
struct repeated {
	int sent; /* it went to the platform: id is the new call's in the log (0 = it never ended) */
	uint64_t id;
	int ret;            /* not sent: what our server would say, */
	const char *why;    /* "" or the reason, */
	const char *answer; /* the answer object as masked JSON, or NULL */
};
typedef void (*repeat_done)(void *user, const struct repeated *result);

/* One at a time; a part of its client. */
struct repeat {
	int busy;
	repeat_done done; /* NULL: nobody waits any more */
	void *user;
};

/* body: the recorded request in the standard's form, JSON. done comes once, during the call (what we were asked) or later. Else it does
 * not come: FC_EINVAL (this method is not sent again; why), FC_EBUSY (one is under way, or no token), FC_ENOENT (what it was about
 * is not there any more), FC_ENOMEM. */
int repeat_call(struct platform *platform, const struct call *call, const char *body, size_t len, repeat_done done,
		void *user, struct error *err);
/* done of that user will not be called. */
void repeat_forget(struct repeat *repeat, const void *user);
/* The client ends: whoever waits is told. */
void repeat_end(struct repeat *repeat);

#endif
