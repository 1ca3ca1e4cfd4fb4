/* Charge: the sessions of all connectors. Starts and stops come in, statuses and meter readings come from the station, orders go
 * into the journal, and what platforms must hear of goes out as events, after it is durable. On the loop's thread. */
#ifndef FC_CHARGE_CHARGE_H
#define FC_CHARGE_CHARGE_H

#include "charge/order.h"
#include "charge/session.h"
#include "config/config.h"
#include "loop/loop.h"
#include "script/host.h"
#include "station/station.h"

struct charge_set;

enum charge_event_kind {
	CHARGE_STARTED,     /* current flows */
	CHARGE_NOT_STARTED, /* a start that was accepted came to nothing */
	CHARGE_STOPPED,     /* it is over, and that is on the disk */
	CHARGE_NOT_STOPPED, /* a stop that was accepted came to nothing: it goes on */
	CHARGE_SETTLED,     /* the order is in the outbox */
};
struct charge_event {
	enum charge_event_kind kind;
	const struct order *order; /* valid during the call */
	enum session_state state;
};

/* Someone on site wants to charge, or has begun to. */
struct charge_wish {
	const char *connector_id;
	unsigned number;  /* of the wish */
	int began;        /* it charges already: plug and charge, or a charger that asks nobody */
	const char *user; /* card, or the car's VIN; "" = unknown. Personal data */
	const char *seq;  /* the order's number, if nobody gives another */
};
struct charge_grant {
	const char *platform;   /* section of who vouches for it; NULL = refused */
	const char *seq;        /* its own number for the order, or NULL */
	const char *user_class; /* never NULL in a grant */
	int result_s;
};
enum { CHARGE_RESULT_S = 50 }; /* the standard's limit for results of start and stop */

struct charge_hooks {
	void (*event)(void *user, const struct charge_event *event);
	/* Has a wish decided; the answer comes by charge_decide(), which may be called at once. FC_ENOENT: nobody decides. May be NULL. */
	int (*authorise)(void *user, const struct charge_wish *wish);
	/* Who must have the order (texts live until the next apply). connector may be NULL. Returns how many. */
	int (*recipients)(void *user, const struct order *order, const struct connector *connector,
			  struct journal_recipient *list, int most);
	void *user;
};

/* Takes over the orders that the journal holds open. hooks is copied; its functions may be NULL. */
struct charge_set *charge_set_new(struct loop *loop, struct store *store, struct station_set *stations,
				  struct device_set *devices, const struct script_host *host,
				  const struct charge_hooks *hooks, struct error *err);
/* Notes what runs; charges go on without us. */
void charge_set_free(struct charge_set *set);
/* Connectors and policies of a new configuration (borrowed until the next apply); stations must have been applied before. A
 * connector that is gone keeps its order open until it is back. On failure nothing changed. */
int charge_set_apply(struct charge_set *set, const struct config *config, struct error *err);
/* What the policies in force were made of, one by one (index 0..); NULL past the end. Valid until the next apply. */
struct sources *charge_set_sources(const struct charge_set *set, int index);

/* FailReason of query_start_charge and query_stop_charge, protocol.md 2.8 and 2.12; from CHARGE_OWN on our own. */
enum charge_refusal {
	CHARGE_ACCEPTED = 0,
	CHARGE_NO_CONNECTOR = 1,
	CHARGE_IS_OFFLINE = 2,
	CHARGE_STOPPED_ALREADY = 3, /* of a stop */
	CHARGE_OWN = 10,
	CHARGE_NOT_PLUGGED = CHARGE_OWN,
	CHARGE_OCCUPIED,
	CHARGE_FAULTY,
	CHARGE_NO_COMMAND,      /* the profile has no start, or no stop */
	CHARGE_NO_TIME,         /* the wall clock is not to be trusted yet */
	CHARGE_NO_JOURNAL,      /* the order can't be made durable */
	CHARGE_NO_PRICE,        /* the policy fails */
	CHARGE_OTHER_ORDER,     /* the number belongs to another connector or platform */
	CHARGE_CAME_TO_NOTHING, /* it was accepted, but the charger did not do it */
	CHARGE_RESERVED, /* the connector is kept for somebody (station.h); an operator may start there all the same */
};
const char *charge_refusal_text(enum charge_refusal refusal);
/* Stable, for translation: "charge.occupied". */
const char *charge_refusal_key(enum charge_refusal refusal);

struct charge_request {
	const char *seq; /* 27 characters; "" = make one */
	const char *connector_id;
	const char *platform;   /* "" = none */
	const char *user_class; /* "" = none */
	const char *user;       /* card and the like, "" = none */
	enum order_mode mode;
	int result_s;    /* within which the result must be told, 50 in the standard */
	int by_operator; /* may start where it is reserved, and ends the reservation with it */
	const char *who; /* for the events; NULL = the platform */
};
struct charge_answer {
	enum charge_refusal refusal;
	int seq_stat; /* StartChargeSeqStat */
	char seq[JOURNAL_SEQ];
};

/* Idempotent: the same number again gives the state of what it started. */
void charge_start(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer);
struct charge_stop_request {
	const char *seq;
	const char *connector_id;   /* "" = whichever has that number */
	enum session_reason reason; /* SESSION_BY_PLATFORM, SESSION_BY_USER ... */
	int result_s;               /* within which the result must be told */
	const char *who;            /* for the events; NULL = nobody that is known */
};
/* Idempotent too. */
void charge_stop(struct charge_set *set, const struct charge_stop_request *request, struct charge_answer *answer);

/* The answer to a wish; one that comes too late, or to no wish of now, changes nothing. */
void charge_decide(struct charge_set *set, const char *connector_id, unsigned number, const struct charge_grant *grant);

/* The charge of a number, running or closed; fn (may be NULL) is called with it during the call. FC_ENOENT, FC_EINVAL (its record is damaged), FC_EIO, FC_ENOMEM. connector is NULL when it
 * is not configured any more. */
int charge_find(struct charge_set *set, const char *seq,
		void (*fn)(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector),
		void *user);
/* Every charge that has begun and runs. */
void charge_each_running(const struct charge_set *set,
			 void (*fn)(void *user, const struct order *order, enum session_state state,
				    const struct connector *connector),
			 void *user);
/* A connector's session: its state, and its order (valid until the loop's next turn), NULL when there is none. FC_ENOENT. */
int charge_session(const struct charge_set *set, const char *connector_id, enum session_state *state,
		   const struct order **order);
/* The prices of a connector today, as a platform ("" = none) would get them. CHARGE_ACCEPTED, CHARGE_NO_CONNECTOR,
 * CHARGE_NO_PRICE. */
enum charge_refusal charge_tariff(struct charge_set *set, const char *connector_id, const char *platform,
				  struct tariff *out);

#endif
