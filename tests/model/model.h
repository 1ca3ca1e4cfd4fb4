/* Model: charges, their orders and the outbox as a machine of small states, for check.h to go through all of it.
 *
 * What a state is left for comes from the code's own table: rules.next is session_next of core/charge/session.c, linked in. What
 * the table asks for is carried out here the way conduct.c, charge.c, wish.c, unseen.c, metering.c (core/charge), journal.c,
 * settle.c (core/store) and business.c (core/upstream) do it, down to each transaction: that it is the same is what
 * tests/unit/test_model_walk.c holds against them, step by step.
 *
 * World: chargers that show any status at any time, register by whole units, and may be silent; platforms that ask for any start and
 * stop again and again, take an order and lose the answer; a disk that takes nothing for a while; a clock that is not set; and a
 * power cut between any two transactions. What was committed is on the disk, what was not is gone. */
#ifndef FC_TESTS_MODEL_H
#define FC_TESTS_MODEL_H

#include <setjmp.h>
#include <stdint.h>

#include "charge/session.h"

enum { MODEL_CONNECTORS = 2, MODEL_PLATFORMS = 2, MODEL_ORDERS = 4, MODEL_SEQS = 2, MODEL_NONE = 7, MODEL_UNITS = 7 };

/* An order as its record in the journal has it; energy in units. */
struct model_record {
	unsigned asking : 1, unwanted : 1, began : 1, failed : 1, metered : 1, stopping : 1, vouched : 1, card : 1,
	    unread : 1, has_idle : 1, ended : 1, dated : 1, wh : 3, first : 3, last : 3, idle : 3;
};

enum model_command { MODEL_NO_COMMAND, MODEL_ON, MODEL_OFF };
enum model_outcome { MODEL_UNANSWERED, MODEL_CARRIED_OUT, MODEL_REFUSED, MODEL_OUTCOMES };
enum model_status {
	MODEL_OFFLINE,
	MODEL_IDLE,
	MODEL_OCCUPIED,
	MODEL_CHARGING,
	MODEL_RESERVED,
	MODEL_FAULT,
	MODEL_STATUSES
};
enum model_outbox { MODEL_NOT_SENT, MODEL_WAITING, MODEL_CONFIRMED, MODEL_DISPUTED };
enum model_told { MODEL_STARTED = 1, MODEL_NOT_STARTED = 2, MODEL_STOPPED = 4, MODEL_NOT_STOPPED = 8 };

/* One connector: what is true of it, and what the gateway has in memory (struct charge). */
struct model_connector {
	/* The charger. */
	unsigned reg : 3, delivered : 3, flowing : 1;
	unsigned excused : 1; /* energy of it may be nobody's, for a reason that is written down */
	/* What the gateway has read. */
	unsigned present : 1, status : 3, good : 1,
	    fresh : 2; /* fresh 1: a reading not used yet; 2: made after the end */
	/* The session. */
	unsigned state : 3, order : 3, durable : 1, noted : 1;
	unsigned command : 2, on_way : 1, on_old : 1, off_way : 1, off_old : 1;
	unsigned fixed : 1, passed : 1; /* the end is known, but not written; energy may have gone by since */
	unsigned closing : 1, close_read : 1, close_tell : 4, settling : 1, over : 1, rested : 1, timed : 1, away : 1;
	unsigned has_idle : 1, idle : 3, remembered : 1;
	unsigned wish : 3; /* 0 none, 1 a card's, 2 + order: of a charge that began by itself */
	struct model_record memory;
};

struct model_state {
	/* On the disk. */
	struct {
		unsigned exists : 1, closed : 1, connector : 1, row : 3,
		    sent : 3; /* row, sent: the how manieth of its table */
		unsigned outbox : 2 * MODEL_PLATFORMS;
		unsigned tried : MODEL_PLATFORMS; /* not taken, at least once */
		/* What must be true, by what was said to whom. */
		unsigned accepted : 1, told : 4, stop_owed : 1, nobodys : 1;
		struct model_record record;
	} order[MODEL_ORDERS];
	/* What each platform has: its own truth, by number. */
	struct {
		unsigned has : 1, disputes : 1, wh : 3;
	} taken[MODEL_PLATFORMS][MODEL_ORDERS];
	struct model_connector connector[MODEL_CONNECTORS];
	/* The gateway. */
	unsigned up : 1, clock : 1, disk_full : 1, rows : 3, sents : 3;
	unsigned settles : MODEL_PLATFORMS *MODEL_ORDERS; /* confirmations that wait in memory */
	struct {
		unsigned fly : 3, taken : 1, wanted : 1, answered : 3,
		    disputes : 1; /* fly, answered: order, or MODEL_NONE */
		/* Of each order: it was refused since the gateway is up, and its time is not yet; of the one that flies: it was tried before. */
		unsigned listed : MODEL_ORDERS, held : MODEL_ORDERS, again : 1;
	} delivery[MODEL_PLATFORMS];
	/* What is left of what is bounded. */
	unsigned crashes : 2, resets : 1, resends : 1, reloads : 1, fulls : 2, refusals : 2;
};

enum model_kind {
	MODEL_START,  /* a: connector, b: number */
	MODEL_STOP,   /* b: number */
	MODEL_SEE,    /* a: connector, b: status, c: enum model_reading */
	MODEL_TICK,   /* a: connector, b: enum model_time of it; all of them tick */
	MODEL_CARD,   /* a: connector */
	MODEL_DECIDE, /* a: connector, b: granted */
	MODEL_DONE,   /* a: connector, b: enum model_command, c: enum model_outcome */
	MODEL_PUMP,   /* a: platform: the next order goes out; b: so soon that those refused are not due */
	MODEL_TAKE,   /* a: platform, b: it disputes it */
	MODEL_ANSWER, /* a: platform: its answer comes */
	MODEL_LOSE,   /* a: platform: no answer comes */
	MODEL_REFUSE, /* a: platform: it says that it has not taken it, whatever is true */
	MODEL_RESEND, /* a: platform, b: order */
	MODEL_FLUSH,  /* five minutes after a confirmation */
	MODEL_DISK,   /* b: full */
	MODEL_CLOCK,  /* it is set */
	MODEL_AWAY,   /* a: connector: a reload takes it out of the configuration */
	MODEL_BACK,   /* a: connector */
	MODEL_END,    /* the service is stopped */
	MODEL_CRASH,
	MODEL_BOOT, /* b: the clock is set */
	MODEL_KINDS
};
enum model_reading { MODEL_SAME, MODEL_MORE, MODEL_RESET, MODEL_UNREAD, MODEL_MORE_UNREAD, MODEL_READINGS };
/* What time has gone by at a tick. */
enum model_time { MODEL_NOW, MODEL_RESTED, MODEL_LAST, MODEL_DEADLINE, MODEL_OCCUPANCY, MODEL_QUARTER, MODEL_TIMES };

struct model_event {
	uint8_t kind, a, b, c;
	uint8_t crash; /* after this many transactions of it; 0 = it goes through */
};

/* Mistakes planted on purpose: each must be found. */
enum model_mistake {
	MODEL_RIGHT,
	MODEL_CONFIRM_AT_SENDING,  /* done in the outbox when it is sent, not when it is answered */
	MODEL_OUTBOX_APART,        /* the outbox is written in a transaction after the end's */
	MODEL_OUTBOX_IN_MEMORY,    /* what waits is not on the disk at all */
	MODEL_NO_REPEATS,          /* a start that was asked before is a new one */
	MODEL_ON_BEFORE_OPEN,      /* the charger is told before the order is durable */
	MODEL_REFUSED_GOES_ON,     /* an order that can't be written is started all the same */
	MODEL_TOLD_BEFORE_WRITTEN, /* the end is told before it is durable */
	MODEL_STOP_NOT_NOTED,      /* an accepted stop is in memory only */
	MODEL_NOT_RESUMED,         /* open orders stay lying after a restart */
	MODEL_START_WHILE_CLOSING, /* the next charge begins while the end of the last is not written */
	MODEL_LOST_ANSWER_IS_ONE,  /* no answer is taken for a confirmation */
	MODEL_RESEND_SETTLED,      /* a confirmation that waits ends an order that is to be sent again */
	MODEL_MADE_ANEW,           /* what is sent is made anew, not what the journal has */
	MODEL_NEVER_WOKEN,         /* nobody looks into the outbox when an order is settled */
	MODEL_DISPUTE_RETRIED,     /* a dispute is sent again for ever */
	/* These were in the code. */
	MODEL_UNSEEN_IN_TWO,        /* an order for what went by unseen is opened and closed in two transactions */
	MODEL_LAST_BY_ROW,          /* the last order is the one opened last, not the one closed last */
	MODEL_SILENT_NEVER_ENDS,    /* a stop that is not heard for good goes on for ever */
	MODEL_STARTED_BEFORE_NOTED, /* the start is told before the first reading is durable */
	MODEL_RESUMED_FORGETS_LAST, /* what went by before a charge that is taken up again is forgotten */
	MODEL_END_FORGETS_STOP,     /* that a stop was accepted is taken back before the end is written */
	MODEL_NOTED_LATE,      /* what a full disk did not take is written a quarter of an hour after there is room */
	MODEL_REFUSED_UNHEARD, /* a charge refused while its charger is silent goes on */
	MODEL_NOT_ASKED_AGAIN, /* ... and one whose answer was lost by a power cut */
	MODEL_SETTLING_SILENT, /* what flows off line while the car takes the place is forgotten */
	MODEL_END_FORGETS_GAP, /* what went by before a charge is forgotten when that ends first */
	MODEL_ENDS_GROW,       /* what comes after an end that is not written yet is of that charge */
	MODEL_NEXT_TICK,       /* a charge that began while the last was being written is looked at a second later */
	MODEL_UNSEEN_ONCE,     /* what went by unseen is forgotten when the disk does not take it */
	MODEL_RESEND_ANSWERED, /* an answer that the disk would not take ends an order that is to be sent again */
	/* These were not, so far. */
	MODEL_REFUSED_FORGOTTEN, /* what waits until it is due again is not looked for any more */
	MODEL_MISTAKES
};
const char *model_mistake_name(enum model_mistake mistake);

/* How far to look. */
struct model_rules {
	const char *name;
	int connectors, platforms, orders, seqs,
	    units; /* seqs: numbers that platforms give; the others are made here */
	int crashes, resets, resends, reloads, fulls, refusals; /* at most, in one life */
	/* Nonzero: cards and who vouches for a charge; a clock that is not set at first; disputes; a fee for the place afterwards; nobody may
	 * charge unvouched; a register that can't be read; commands that take their time, and fail; chargers reserved and faulty. */
	int cards, clocks, disputes, occupancy, authorised, unread, commands, faults;
	enum model_mistake mistake;
	struct session_step (*next)(enum session_state state, enum session_trigger trigger);
};

struct model {
	struct model_state s;
	const struct model_rules *rules;
	const char *wrong; /* what must never be, and is */
	int cut;           /* it goes further than the rules look */
	/* Of the event under way. */
	int crash_at, commits, answer;
	int same; /* of the commits, those that perhaps changed nothing: SQLite writes no page of them then */
	jmp_buf dead;
};

void model_init(struct model *model, const struct model_rules *rules);
/* Events that are possible now, without their crashes. Returns how many. */
int model_events(const struct model *model, struct model_event *out, int most);
/* Carries one out; model->commits says how many transactions it made (a crash may come after each), answer what was answered
 * (enum charge_refusal's first, or -1). */
void model_do(struct model *model, const struct model_event *event);
/* Looks for what must never be: sets model->wrong. */
void model_look(struct model *model);
/* What makes no difference to anything that may still come is set to one value: states that differ in nothing else are one. */
void model_reduce(struct model *model);
/* Nonzero for an event that is bound to come: what the world does not withhold for ever. */
int model_is_bound_to_come(const struct model *model, const struct model_event *event);
/* Every order is closed, and confirmed or disputed by everyone, on the disk. */
int model_is_done(const struct model *model);
/* In words, for a trace. */
void model_print_event(const struct model_event *event, char *out, int size);
void model_print_state(const struct model_state *state, char *out, int size);

#endif
