/* The set of all charges, and what its files share. For this room only. */
#ifndef FC_CHARGE_SET_H
#define FC_CHARGE_SET_H

#include "base/json_read.h"
#include "charge/conduct.h"
#include "charge/prices.h"

struct charge_set {
	struct loop *loop;
	struct station_set *stations;
	const struct script_host *host;
	struct conductor conductor;
	struct json_reader *reader;
	const struct config *config; /* borrowed; NULL before the first apply */
	struct prices *prices;       /* of that configuration */
	struct charge *charges;      /* never leave before the set does: a command may be under way */
	struct station_listener listener;
	struct loop_timer tick;
	unsigned counter; /* of the numbers made here */
	unsigned wishes;
	int is_short; /* an order that runs could not be read for want of memory */
};

struct charge *set_find(const struct charge_set *set, const char *connector_id);
/* By the number of its order. */
struct charge *set_find_running(const struct charge_set *set, const char *seq);
/* A number for an order that no platform gave one: operator id, time and a counter (protocol.md 2.0: 9 and 18 characters).
 * Unique over restarts, since two within a second differ in the counter and a start takes longer than a second. */
void set_make_seq(struct charge_set *set, char out[JOURNAL_SEQ]);
/* Priced; NULL and *err. */
struct order *set_new_order(struct charge_set *set, const struct connector *connector,
			    const struct charge_request *request, struct error *err);
/* Which profile reads its meter now. */
void set_remember_profile(struct order *order, const struct connector *connector);
/* May a charge begin here now? NULL: there is no such connector. */
enum charge_refusal set_check_start(const struct charge *charge, int by_operator);

/* The charger goes silent. */
void unseen_remember(struct charge *charge);
/* Looks once whether energy went by before we, or the charger, came back; before anything else is done with the connector. */
void unseen_look(struct charge *charge);
/* Looks whether a card was presented at the charger: asks for a charge, or ends the one that this card began. */
void wish_look(struct charge *charge);
/* The conductor's ask. */
void wish_ask(struct charge *charge);

#endif
