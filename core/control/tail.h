/* Tail: a page of a numbered list in memory whose oldest entries give way: the newest that were asked for, or what came behind
 * one that the caller has, or what was before one. Entries are looked at twice: counted, then taken. For this room only.
 *
 *   after   those behind this number, the oldest first: to follow
 *   before  the last ones in front of this number: to look back
 *   neither the last ones
 *
 * The answer says `next`, which goes into after (as a text), `more` when there is more behind it already, `earlier` (goes into before)
 * when there are older ones, and `lost`, how many of those behind after were gone before they could be told. */
#ifndef FC_CONTROL_TAIL_H
#define FC_CONTROL_TAIL_H

#include "control/command.h"

enum { TAIL_NUMBER = 20 }; /* digits of after and before, at most */

struct tail {
	uint64_t after, before;
	int forward;
	int most;
	/* Private. */
	long long matches, seen;
	int taken;
	uint64_t first, last;
};

/* From the arguments after, before, limit. FC_EINVAL and *err. */
int tail_begin(struct tail *tail, const struct control_reply *reply, int preset, struct error *err);
/* Of each entry that the caller's filter lets through, in the order of numbers. */
void tail_count(struct tail *tail, uint64_t number);
/* The same entries again: nonzero for one that belongs onto the page. */
int tail_takes(struct tail *tail, uint64_t number);
/* oldest, newest: of all entries that are there; 0 = there are none. */
void tail_end(const struct tail *tail, struct maker *m, struct value *root, uint64_t oldest, uint64_t newest);

#endif
