/* Events: what happened, for people: each change of a session or a status, each command, alarm and message about an order, as one
 * row. EVENTS_ROWS_MAX rows are kept and the oldest go; those of an order that is open, or not confirmed by someone, stay longer.
 *
 * Flash is spared: an event waits in memory. The opening and the closing of an order take along what waits, and a confirmation when it is written: added before, the
 * order's events are durable when these are. After a minute any transaction does, and after EVENTS_LATEST_S it goes by itself. A power cut
 * costs what waited. That events can't be written never costs an order. A flood (a status that flaps, a platform that asks without
 * end) is bounded: EVENTS_BURST at once, then one every EVENTS_PACE_S; what is more is counted and not kept, but for changes of a
 * session and an order's own. */
#ifndef FC_STORE_EVENTS_H
#define FC_STORE_EVENTS_H

#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

enum {
	EVENTS_ROWS_MAX = 20000, /* some 120 bytes each */
	EVENTS_HARD_MAX = 40000, /* with those that stay longer */
	EVENTS_LATEST_S = 600,
	EVENTS_BURST = 2000,
	EVENTS_PACE_S = 2,
	EVENTS_WAITING_MAX = 512, /* in memory; while the disk takes none, the oldest go */
	EVENT_NAME = 64,          /* bytes of connector, from, to and who at most; what is longer is cut */
	EVENT_TEXT = 240,         /* of text */
	EVENT_DETAIL = 480,       /* of detail; what is longer is left out */
};

enum event_kind {
	EVENT_SESSION, /* from, to: states of the charge */
	EVENT_STATUS,  /* from, to: states of the connector */
	EVENT_COMMAND, /* to: what was ordered; who; text: what came of it */
	EVENT_ALARM,
	EVENT_LIMIT,
	EVENT_RESERVE,
	EVENT_MESSAGE, /* about an order, to or from a platform (who); detail: see upstream/life.h */
	EVENT_ORDER,   /* what became of the order's record */
	EVENT_RESEND,  /* someone wanted it told again */
	EVENT_KINDS
};
/* "session" ...; NULL for no kind. */
const char *event_kind_name(enum event_kind kind);
/* FC_OK, FC_ENOENT. */
int event_kind_of(const char *name, enum event_kind *kind);

/* Texts may be NULL for none. English; shown as they are. */
struct event {
	int64_t id; /* grows; given by the store */
	int64_t at; /* seconds since 1970; 0 when it is added: now */
	enum event_kind kind;
	const char *connector; /* connector_id */
	const char *seq;       /* of the order */
	const char *from, *to;
	const char *text;
	const char *who;    /* who ordered it, or a platform's section */
	const char *detail; /* an object as JSON */
};

/* Copied. FC_OK, FC_ENOMEM. store may be NULL: nothing is kept. */
int events_add(struct store *store, const struct event *event, struct error *err);
/* The id of what was added last; 0 = nothing was, or it was not kept. */
int64_t events_newest(const struct store *store);
/* Not kept in this run: a flood, or a disk that takes none. */
uint64_t events_dropped(const struct store *store);
/* It did not happen after all. */
void events_forget(struct store *store, int64_t id);
/* Writes what waits, if anything does. FC_OK, FC_EBUSY (within a transaction: it goes along with that), FC_EIO. */
int events_flush(struct store *store, struct error *err);
/* From time to time: writes what has waited too long. */
void events_tend(struct store *store);

struct event_query {
	const char *connector, *seq; /* NULL = any */
	unsigned kinds;              /* bits 1 << enum event_kind; 0 = all */
	int most;                    /* told at most */
};
/* The newest first, those below the id *below (0 = all), also what waits; *below is where the next page begins. Texts are never
 * NULL, and valid during the call. 1 when there may be more, 0 when that was all, FC_EIO. A page may be empty and not the last. */
int events_page(struct store *store, const struct event_query *query, int64_t *below,
		void (*fn)(void *user, const struct event *event), void *user);

#endif
