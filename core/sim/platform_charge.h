/* The charges that the simulated platform ordered, and the count of what became of them. */
#ifndef FC_SIM_PLATFORM_CHARGE_H
#define FC_SIM_PLATFORM_CHARGE_H

#include <stdint.h>

#include "sim/platform_bill.h"

enum { SEQ_SIZE = 28, CHARGES_MAX = 2048, CONNECTOR_SIZE = 64, LAST_WORDS = 8 };

/* What is asked next about a charge; the rest is asked by its times. */
enum stage {
	STAGE_AUTH,
	STAGE_POLICY,
	STAGE_START,
	STAGE_RUN,  /* the start was accepted */
	STAGE_OVER, /* its order is confirmed and its end told, or it never began */
};

/* Times are of the monotonic clock, in microseconds; 0: not, or not yet. */
struct charge {
	unsigned number; /* from 1; 0: never used */
	char seq[SEQ_SIZE], connector[CONNECTOR_SIZE];
	enum stage stage;
	int asking, tries, stop_asked;
	int64_t due_us; /* no question before */
	struct prices prices;
	int64_t start_us, began_us, failed_us; /* command sent, results came */
	int64_t state_at_us, stop_at_us;       /* when to ask for its state, when to stop it */
	int64_t stop_us, ended_us;             /* stop accepted, result came */
	int late, states, running_states, left_to_car;
	int ended_first;    /* a stop came too late: the car was faster */
	struct totals last; /* as the newest state said */
	json_t *order;      /* as it came */
	int confirmed, wrong, lost;
};

struct tally {
	unsigned long started, refused, not_started, states, by_platform, by_car, by_other;
	unsigned long confirmed, repeated, doubled, wrong, lost, whole;
	int64_t energy_e4, money_e4;
};

struct business {
	const struct dialect *dialect;
	const char *operator_id;
	int at_a_time, charge_s, leave_every, order_s;
	struct charge charges[CHARGES_MAX];
	unsigned count; /* made so far; a new one takes the place of the oldest */
	struct tally tally;
	char last_words[LAST_WORDS][WHY_SIZE]; /* the newest things that were wrong */
	unsigned long words;
	int draining;
	int64_t stop_all_us; /* while draining: no charge runs longer */
	struct {
		char id[CONNECTOR_SIZE];
		int status;
		int64_t ready_us; /* a car has come that nobody charged yet: not to be started before */
	} * connectors;
	int connector_count;
};

/* A readable line on standard output. */
void charge_say(const struct charge *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, counted as wrong; c NULL: of no charge of ours. */
void charge_wrong(struct business *b, struct charge *c, const char *format, ...) __attribute__((format(printf, 3, 4)));
struct charge *charge_of(struct business *b, const char *seq);
int charge_open(const struct charge *c);
/* The end of what is known of it: nothing is asked and nothing awaited any more. */
void charge_over(struct business *b, struct charge *c);
/* What did not come in time, once each. */
void charge_watch(struct business *b, struct charge *c, int64_t now);
/* Takes what the station tells of charges: the answer (own it), or NULL when the method is about something else. */
json_t *charge_take(struct business *b, const char *method, const json_t *payload);
/* A state, told or asked for: 1 when it is as it should be. */
int charge_take_state(struct business *b, struct charge *c, const json_t *payload);

#endif
