/* The simulated platform's business side: authenticates, reads prices, starts charges on connectors where a car waits, asks for
 * their state, stops some and leaves others to the car. What it is told of them is in platform_charge. */
#ifndef FC_SIM_PLATFORM_BUSINESS_H
#define FC_SIM_PLATFORM_BUSINESS_H

#include <stdint.h>

#include <jansson.h>

#include "sim/platform_charge.h"

struct business_options {
	int at_a_time;   /* charges; 0: no business, what is told is taken nevertheless */
	int charge_s;    /* a charge is stopped after half to one and a half of it */
	int leave_every; /* each so-manieth is left to the car; 0: none */
	int order_s;     /* after its end a charge's order is lost when it has not come for so long */
};

/* Owner frees. operator_id and dialect are borrowed. NULL: no memory. */
struct business *business_new(const char *operator_id, const struct dialect *dialect,
			      const struct business_options *options);
void business_free(struct business *b);
/* A connector's status as it was told. */
void business_status(struct business *b, const char *connector, int status);
/* The question that is due, if any: its payload (own it), its method and the charge it is about. */
json_t *business_question(struct business *b, const char **method, struct charge **charge);
/* Its answer; data NULL: there was none, or Ret is not 0. 1 when it is what the question wants. */
int business_answer(struct business *b, struct charge *charge, const char *method, int ret, const json_t *data);
/* Looks at what is overdue. */
void business_watch(struct business *b);
/* No new charges; what still runs after so long is stopped. */
void business_drain(struct business *b, int seconds);
/* The figures as an object (own it), and as a line on standard output. */
json_t *business_summary(const struct business *b);
void business_say(const struct business *b);
/* Nothing was wrong, doubled or lost. */
int business_good(const struct business *b);

#endif
