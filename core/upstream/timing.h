/* Timing: when a platform wants to be told, and how often (protocol.md 2.9 to 2.15): the base standard's numbers, and what the
 * table timing of its mapping says otherwise (lua/operators/beijing.lua, chengdu.lua). */
#ifndef FC_UPSTREAM_TIMING_H
#define FC_UPSTREAM_TIMING_H

#include "base/error.h"
#include "base/value.h"

enum timing {
	TIMING_STATUS_RESEND_H,  /* all connectors again, every so many hours; 0 = never */
	TIMING_START_RESULT_S,   /* the result of a start command, at the latest */
	TIMING_STOP_RESULT_S,    /* ... and of a stop command */
	TIMING_SYNC_WAIT_S,      /* option mode sync: so long an answer waits for the result */
	TIMING_CHARGE_STATUS_S,  /* between two states of a running charge */
	TIMING_ORDER_FIRST_S,    /* an order's first report after the end, at the latest */
	TIMING_ORDER_RETRY_S,    /* to the next report of an order that was not taken: a list; the last one for ever */
	TIMING_RECONCILE_FROM_H, /* orders of the day before are reconciled from this hour ... */
	TIMING_RECONCILE_TO_H,   /* ... to this one; both 0 = on demand only */
	TIMING_COUNT
};
enum { TIMING_LIST_MAX = 32 };

const char *timing_name(enum timing timing);
/* A number of the table (NULL: none); for a list its first. otherwise < 0: the base standard's. */
double timing_get(const struct value *table, enum timing timing, double otherwise);
/* Item index of a list; past its end the last one. */
double timing_get_item(const struct value *table, enum timing timing, int index);
/* A member of the table timing. FC_OK, or FC_EINVAL with what is allowed. */
int timing_check(const struct value *member, struct error *err);

#endif
