/* Conduct: one connector's session carried out: what the table asks for, done to charger, journal and listeners. For this room
 * only. */
#ifndef FC_CHARGE_CONDUCT_H
#define FC_CHARGE_CONDUCT_H

#include "charge/charge.h"

/* What all sessions share. */
struct charge;
struct conductor {
	struct store *store;
	struct device_set *devices;
	struct charge_hooks hooks;
	/* An order for a charge that began by itself; NULL when there is no memory. */
	struct order *(*found)(struct charge *charge);
	/* Someone on site wants to charge, or has begun to: have it authorised. */
	void (*ask)(struct charge *charge);
	void *user;
};

struct charge {
	struct conductor *conductor;
	char connector_id[ORDER_ID];
	const struct connector *connector; /* NULL while it is not configured */
	enum session_state state;
	struct order *order; /* owned; NULL when there is none */
	int durable;         /* the journal has it */
	int reason, result_s;
	int end_reason;      /* as car and charger said it at the end; while closing */
	int stop_reason;     /* of a stop that is being asked for */
	int64_t entered_us;  /* the state */
	int64_t deadline_us; /* monotonic; 0 = none */
	/* The charge's own time (DESIGN.md, rule 6). */
	int64_t anchor_wall, anchor_mono_us;
	int timed; /* it began by a clock that was set */
	int away; /* taken up again, and the clock does not tell for how long we were away: until it does, or the next reading */
	int64_t read_us;  /* of the last reading used */
	int64_t noted_us; /* when the journal was told last */
	int noted_parts;
	int64_t complained_us; /* when the log was told that the journal can't be */
	/* The register while nothing flows: where the next charge begins. */
	int has_idle;
	int64_t idle_wh;
	int64_t idle_us;                 /* when it was read there, by the monotonic clock; 0 = not since the start */
	char idle_source[ENERGY_SOURCE]; /* whose register that is */
	/* What was read since, and waits for a status that says whether nothing flowed by then (metering.c). us 0: nothing. */
	int64_t seen_wh, seen_us;
	char seen_source[ENERGY_SOURCE];
	int remembered; /* idle_wh is of before we, or the charger, were away: from remembered_wall on */
	int64_t remembered_wall, remembered_us; /* us: when it was; a reading must be newer */
	int64_t unseen_told_us;                 /* when the log was told last that what went by can't be written */
	int stop_known; /* why the charge before stopped is still being said: no evidence for this one */
	/* The end waits for one more reading. */
	int closing;
	unsigned closing_actions;
	int64_t closing_since_us;
	int64_t ended_us;     /* when the status was read that said so; 0: not known */
	int64_t closing_wall; /* the end, once the last reading is there: what is read later is not this charge's */
	int passed;           /* ... and energy may have gone by since, before it was written */
	/* Over and told, but not settled: the car still takes the place, and that costs. */
	int settling;
	/* Someone on site (wish.h). */
	int card_known;
	char card[ORDER_USER];      /* as the charger showed it last */
	unsigned wish;              /* number of the wish that is being decided, 0 = none ... */
	char wish_seq[JOURNAL_SEQ]; /* ... and of the order that it is about */
	const char *command;        /* to be sent again until it is confirmed; NULL = none */
	int64_t taken_us;           /* when the start was confirmed, or taken up again; 0 = not yet ... */
	int64_t polled_us;          /* ... the last reading of the status since ... */
	int polls;                  /* ... and how many */
	/* Each answer is of its own command: a start under way neither holds up the stop nor answers for it. */
	struct charge_sent {
		struct charge *charge;
		int under_way;
		int old; /* what is under way was sent for the charge before: its answer says nothing of this one's */
	} start_sent, stop_sent;
	/* An accepted stop that the charger has not been given yet: for want of memory, or of room on its line. Its time may run out, which is told;
	 * the charge is told to stop all the same, as soon as that can be said. */
	int owes_stop; /* 2: and that its time ran out was told */
	struct charge *next;
};

/* FC_OK; FC_EBUSY when the trigger means nothing now, or why a start can't be carried out: then nothing was done. order is what
 * SESSION_OPEN opens, taken over on FC_OK; NULL for a trigger that opens none, and for a charge that began by itself. */
int conduct(struct charge *charge, enum session_trigger trigger, struct order *order, struct error *err);
/* Its platform is told as of a start. */
void conduct_tell_started(struct charge *charge);
/* A stop command that was found good. */
void conduct_stop(struct charge *charge, enum session_reason reason, int result_s);
/* Once a second, and after each change of status. */
void conduct_tick(struct charge *charge);
/* Goes on with an order that the journal held open (taken over). */
void conduct_resume(struct charge *charge, struct order *order);
/* Seconds since 1970 by the charge's own time. */
int64_t conduct_now(const struct charge *charge);

#endif
