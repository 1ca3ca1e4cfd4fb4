#include "charge/session.h"

#include <stddef.h>

enum { MARGIN_S = 10, AUTHORISE_S = 30, SILENCE_S = 24 * 3600 };

struct row {
	enum session_state state;
	enum session_trigger trigger;
	struct session_step step;
};

enum {
	BEGIN = SESSION_OPEN | SESSION_TELL_CHARGER_ON,
	FOUND = SESSION_OPEN | SESSION_METER,
	END = SESSION_CLOSE | SESSION_TELL_STOPPED,
	FAIL = SESSION_CLOSE | SESSION_TELL_NOT_STARTED,
	/* Whether it will begin after all is not known: the register is watched until the charger is seen to rest. */
	HALT = SESSION_TELL_CHARGER_OFF | SESSION_METER | SESSION_TELL_NOT_STARTED,
};
#define KEEP SESSION_KEEP_REASON

static const struct row rows[] = {
    {SESSION_IDLE, SESSION_START, {SESSION_STARTING, BEGIN, KEEP, "start command"}},
    {SESSION_IDLE, SESSION_REQUEST, {SESSION_AUTHORISING, SESSION_ASK, KEEP, "asked for on site"}},
    {SESSION_IDLE, SESSION_SEEN_CHARGING, {SESSION_CHARGING, FOUND, KEEP, "the charger began by itself"}},

    {SESSION_AUTHORISING, SESSION_GRANTED, {SESSION_STARTING, BEGIN, KEEP, "granted"}},
    {SESSION_AUTHORISING, SESSION_REFUSED, {SESSION_IDLE, 0, KEEP, "refused"}},
    {SESSION_AUTHORISING, SESSION_STOP, {SESSION_IDLE, 0, KEEP, "given up"}},
    {SESSION_AUTHORISING, SESSION_SEEN_IDLE, {SESSION_IDLE, 0, KEEP, "unplugged"}},
    {SESSION_AUTHORISING, SESSION_SEEN_FAULT, {SESSION_IDLE, 0, KEEP, "fault"}},
    {SESSION_AUTHORISING, SESSION_SEEN_OFFLINE, {SESSION_IDLE, 0, KEEP, "the charger went silent"}},
    {SESSION_AUTHORISING, SESSION_SEEN_CHARGING, {SESSION_CHARGING, FOUND, KEEP, "the charger began by itself"}},
    {SESSION_AUTHORISING, SESSION_TIMEOUT, {SESSION_IDLE, 0, KEEP, "nobody answered"}},

    {SESSION_STARTING,
     SESSION_SEEN_CHARGING,
     {SESSION_CHARGING, SESSION_METER | SESSION_TELL_STARTED, KEEP, "current flows"}},
    {SESSION_STARTING, SESSION_STOP, {SESSION_STOPPING, HALT, SESSION_BY_PLATFORM, "stopped before current was seen"}},
    {SESSION_STARTING,
     SESSION_SEEN_IDLE,
     {SESSION_IDLE, SESSION_TELL_CHARGER_OFF | SESSION_METER | FAIL, SESSION_BY_UNPLUGGING,
      "unplugged while starting"}},
    {SESSION_STARTING,
     SESSION_SEEN_FAULT,
     {SESSION_ENDED, SESSION_TELL_CHARGER_OFF | SESSION_METER | FAIL, SESSION_BY_FAULT, "fault while starting"}},
    {SESSION_STARTING, SESSION_TIMEOUT, {SESSION_STOPPING, HALT, SESSION_NOT_STARTED, "no current in time"}},

    {SESSION_CHARGING, SESSION_STOP, {SESSION_STOPPING, SESSION_TELL_CHARGER_OFF, SESSION_BY_PLATFORM, "stop command"}},
    {SESSION_CHARGING, SESSION_SEEN_PLUGGED, {SESSION_ENDED, END, SESSION_BY_CAR, "car or charger ended it"}},
    {SESSION_CHARGING, SESSION_SEEN_RESERVED, {SESSION_IDLE, END, SESSION_BY_CAR, "car or charger ended it"}},
    {SESSION_CHARGING, SESSION_SEEN_IDLE, {SESSION_IDLE, END, SESSION_BY_UNPLUGGING, "unplugged"}},
    {SESSION_CHARGING, SESSION_SEEN_FAULT, {SESSION_ENDED, END, SESSION_BY_FAULT, "fault"}},
    {SESSION_CHARGING, SESSION_SEEN_OFFLINE, {SESSION_UNKNOWN, 0, KEEP, "the charger went silent"}},

    {SESSION_STOPPING, SESSION_SEEN_PLUGGED, {SESSION_ENDED, END, KEEP, "stopped"}},
    {SESSION_STOPPING, SESSION_SEEN_RESERVED, {SESSION_IDLE, END, KEEP, "stopped"}},
    {SESSION_STOPPING, SESSION_SEEN_IDLE, {SESSION_IDLE, END, KEEP, "stopped and unplugged"}},
    {SESSION_STOPPING, SESSION_SEEN_FAULT, {SESSION_ENDED, END, SESSION_BY_FAULT, "fault while stopping"}},
    {SESSION_STOPPING,
     SESSION_SEEN_OFFLINE,
     {SESSION_UNKNOWN, SESSION_TELL_NOT_STOPPED, KEEP, "silent while stopping"}},
    {SESSION_STOPPING, SESSION_STOP, {SESSION_STOPPING, SESSION_TELL_CHARGER_OFF, KEEP, "told to stop once more"}},
    {SESSION_STOPPING,
     SESSION_TIMEOUT,
     {SESSION_CHARGING, SESSION_TELL_NOT_STOPPED, KEEP, "the charger ignores the stop"}},

    {SESSION_UNKNOWN, SESSION_SEEN_CHARGING, {SESSION_CHARGING, 0, KEEP, "heard again, still charging"}},
    {SESSION_UNKNOWN, SESSION_SEEN_PLUGGED, {SESSION_ENDED, END, SESSION_BY_CAR, "heard again, over"}},
    {SESSION_UNKNOWN, SESSION_SEEN_RESERVED, {SESSION_IDLE, END, SESSION_BY_CAR, "heard again, over"}},
    {SESSION_UNKNOWN, SESSION_SEEN_IDLE, {SESSION_IDLE, END, SESSION_BY_UNPLUGGING, "heard again, gone"}},
    {SESSION_UNKNOWN, SESSION_SEEN_FAULT, {SESSION_ENDED, END, SESSION_BY_FAULT, "heard again, faulty"}},
    {SESSION_UNKNOWN, SESSION_TIMEOUT, {SESSION_ENDED, END, SESSION_BY_SILENCE, "not heard for a day"}},

    {SESSION_ENDED, SESSION_SEEN_IDLE, {SESSION_IDLE, 0, KEEP, "unplugged"}},
    {SESSION_ENDED, SESSION_SEEN_RESERVED, {SESSION_IDLE, 0, KEEP, "reserved"}},
    {SESSION_ENDED, SESSION_SEEN_CHARGING, {SESSION_CHARGING, FOUND, KEEP, "the charger began again by itself"}},
    {SESSION_ENDED, SESSION_START, {SESSION_STARTING, BEGIN, KEEP, "start command"}},
    {SESSION_ENDED, SESSION_REQUEST, {SESSION_AUTHORISING, SESSION_ASK, KEEP, "asked for on site"}},
};

static const char *const state_names[SESSION_STATES] = {"idle",     "authorising", "starting", "charging",
							"stopping", "unknown",     "ended"};
static const char *const trigger_names[SESSION_TRIGGERS] = {
    "start",     "request",      "granted",       "refused",       "stop",       "seen off line",
    "seen idle", "seen plugged", "seen charging", "seen reserved", "seen fault", "time is up"};

struct session_step session_next(enum session_state state, enum session_trigger trigger)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].state == state && rows[i].trigger == trigger)
			return rows[i].step;
	return (struct session_step){.next = state, .reason = SESSION_KEEP_REASON};
}

enum session_trigger session_seen(enum connector_status status)
{
	switch (status) {
	case CONNECTOR_IDLE:
		return SESSION_SEEN_IDLE;
	case CONNECTOR_OCCUPIED:
		return SESSION_SEEN_PLUGGED;
	case CONNECTOR_CHARGING:
		return SESSION_SEEN_CHARGING;
	case CONNECTOR_RESERVED:
		return SESSION_SEEN_RESERVED;
	case CONNECTOR_FAULT:
		return SESSION_SEEN_FAULT;
	case CONNECTOR_OFFLINE:
		break;
	}
	return SESSION_SEEN_OFFLINE;
}

const char *session_state_name(enum session_state state)
{
	return state_names[state];
}

const char *session_trigger_name(enum session_trigger trigger)
{
	return trigger_names[trigger];
}

int session_seq_stat(enum session_state state)
{
	switch (state) {
	case SESSION_AUTHORISING:
	case SESSION_STARTING:
		return 1;
	case SESSION_CHARGING:
		return 2;
	case SESSION_STOPPING:
		return 3;
	case SESSION_IDLE:
	case SESSION_ENDED:
		return 4;
	case SESSION_UNKNOWN:
	case SESSION_STATES:
		break;
	}
	return 5;
}

int session_timeout(enum session_state state, int result_s)
{
	switch (state) {
	case SESSION_AUTHORISING:
		return AUTHORISE_S;
	case SESSION_STARTING:
	case SESSION_STOPPING:
		return result_s > 2 * MARGIN_S ? result_s - MARGIN_S : result_s / 2;
	case SESSION_UNKNOWN:
		return SILENCE_S;
	case SESSION_IDLE:
	case SESSION_CHARGING:
	case SESSION_ENDED:
	case SESSION_STATES:
		break;
	}
	return 0;
}

static void describe_actions(FILE *to, unsigned actions)
{
	static const char *const words[] = {
	    "open order",   "charger on",       "charger off",  "start reading",    "close order",
	    "tell started", "tell not started", "tell stopped", "tell not stopped", "have it authorised"};
	int first = 1;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (actions & 1u << i) {
			fprintf(to, "%s%s", first ? "" : ", ", words[i]);
			first = 0;
		}
}

void session_describe(FILE *to)
{
	fprintf(to, "| state | trigger | next | because | does |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		fprintf(to, "| %s | %s | %s | %s | ", state_names[r->state], trigger_names[r->trigger],
			state_names[r->step.next], r->step.why);
		describe_actions(to, r->step.actions);
		fprintf(to, " |\n");
	}
}
