/* Charges and orders looked up: running ones in memory, those of before in the journal. */
#include <stdlib.h>

#include "base/log.h"
#include "charge/set.h"

struct search {
	struct charge_set *set;
	void (*fn)(void *user, const struct order *order, enum session_state state, const struct connector *connector);
	void *user;
	int result;
};

static void show(void *user, const struct journal_order *entry)
{
	struct search *search = user;
	struct order *order = calloc(1, sizeof(*order));
	struct error err = {0};

	search->result = order ? order_read(search->set->reader, entry, order, &err)
			       : error_set(&err, FC_ENOMEM, "charge: order %s: no memory", entry->seq);
	if (!search->result) {
		if (search->fn)
			search->fn(search->user, order, entry->closed ? SESSION_ENDED : SESSION_UNKNOWN,
				   station_connector_find(search->set->stations, order->connector_id));
	} else {
		log_error("%s", err.text);
	}
	free(order);
}

int charge_find(struct charge_set *set, const char *seq,
		void (*fn)(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector),
		void *user)
{
	struct charge *c = set_find_running(set, seq);
	struct search search = {set, fn, user, FC_ENOENT};

	if (c) {
		if (fn)
			fn(user, c->order, c->state, c->connector);
		return FC_OK;
	}
	int result = journal_find(set->conductor.store, seq, show, &search);
	return result ? result : search.result;
}

int charge_session(const struct charge_set *set, const char *connector_id, enum session_state *state,
		   const struct order **order)
{
	const struct charge *c = set_find(set, connector_id);

	if (!c)
		return FC_ENOENT;
	*state = c->state;
	*order = c->order;
	return FC_OK;
}

void charge_each_running(const struct charge_set *set,
			 void (*fn)(void *user, const struct order *order, enum session_state state,
				    const struct connector *connector),
			 void *user)
{
	for (const struct charge *c = set->charges; c; c = c->next)
		if (c->order && c->order->metered && !c->closing && !c->settling)
			fn(user, c->order, c->state, c->connector);
}
