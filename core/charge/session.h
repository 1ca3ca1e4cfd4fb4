/* Session: what a connector's charge goes through, as one table that code walks, README.md shows and tests hold. Pure logic:
 * no clock, no memory; the charge room feeds triggers and carries out what a transition asks for. */
#ifndef FC_CHARGE_SESSION_H
#define FC_CHARGE_SESSION_H

#include <stdio.h>

#include "device/device.h"

enum session_state {
	SESSION_IDLE,        /* no charge */
	SESSION_AUTHORISING, /* someone on site asked for one; a platform or policy decides */
	SESSION_STARTING,    /* the charger was told to start; no current yet */
	SESSION_CHARGING,
	SESSION_STOPPING, /* the charger was told to stop; current still flows */
	SESSION_UNKNOWN,  /* a charge was running when the charger went silent */
	SESSION_ENDED,    /* over, the order is made; the car is still there */
	SESSION_STATES
};

enum session_trigger {
	SESSION_START,         /* a platform's start command, or the CLI's, accepted */
	SESSION_REQUEST,       /* a card or another wish on site, to be authorised */
	SESSION_GRANTED,       /* ... granted */
	SESSION_REFUSED,       /* ... refused, or nobody answered */
	SESSION_STOP,          /* stop command of a platform, the CLI, a card */
	SESSION_SEEN_OFFLINE,  /* connector status 0 */
	SESSION_SEEN_IDLE,     /* 1: nobody plugged in */
	SESSION_SEEN_PLUGGED,  /* 2: occupied, not charging */
	SESSION_SEEN_CHARGING, /* 3 */
	SESSION_SEEN_RESERVED, /* 4 */
	SESSION_SEEN_FAULT,    /* 255 */
	SESSION_TIMEOUT,       /* the state's own time is up (session_timeout) */
	SESSION_TRIGGERS
};

/* What a transition asks for, in this order. */
enum session_action {
	SESSION_OPEN = 1, /* make an order durable; refuse the start if that fails */
	SESSION_TELL_CHARGER_ON = 2,
	SESSION_TELL_CHARGER_OFF = 4,
	SESSION_METER = 8,         /* the start reading of the register */
	SESSION_CLOSE = 16,        /* end reading, bill, order durable; only then may anyone be told */
	SESSION_TELL_STARTED = 32, /* notification_start_charge_result: 2 */
	SESSION_TELL_NOT_STARTED = 64,
	SESSION_TELL_STOPPED = 128,
	SESSION_TELL_NOT_STOPPED = 256,
	SESSION_ASK = 512, /* have the wish on site authorised */
};

/* protocol.md 2.14, StopReason; 5 to 99 are our own. */
enum session_reason {
	SESSION_BY_USER = 0,
	SESSION_BY_PLATFORM = 1,
	SESSION_BY_CAR = 2,
	SESSION_BY_FAULT = 3,
	SESSION_BY_UNPLUGGING = 4,
	SESSION_BY_SILENCE = 5, /* the charger did not come back */
	SESSION_NOT_STARTED = 6,
	SESSION_NOT_AUTHORISED = 7, /* began on site, and nobody vouched for it */
	SESSION_RESERVED = 8,       /* began on site where the connector was kept for somebody */
	SESSION_UNSEEN = 9,         /* no charge that anybody saw: an order of nobody's (unseen.c) */
	SESSION_KEEP_REASON = -1,   /* what an earlier transition gave stays */
};

struct session_step {
	enum session_state next;
	unsigned actions;           /* enum session_action */
	enum session_reason reason; /* of the end, where this step brings it about */
	const char *why;            /* for log and page; NULL: the trigger means nothing in this state, it stays */
};

/* The transition; total: every pair has an answer. */
struct session_step session_next(enum session_state state, enum session_trigger trigger);
/* The trigger that a connector status of the standard is. */
enum session_trigger session_seen(enum connector_status status);
const char *session_state_name(enum session_state state);
const char *session_trigger_name(enum session_trigger trigger);
/* StartChargeSeqStat of the standard: 1 starting, 2 charging, 3 stopping, 4 ended, 5 unknown. */
int session_seq_stat(enum session_state state);
/* Seconds that a state may last before SESSION_TIMEOUT; 0 = for ever. result_s: the platform's limit for results of start
 * and stop commands (50 s in the standard), of which a margin is left for telling. */
int session_timeout(enum session_state state, int result_s);
/* The table as Markdown. */
void session_describe(FILE *to);

#endif
