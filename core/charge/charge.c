#include "charge/charge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge/conduct.h"
#include "charge/policy.h"

enum { TICK_US = 1000000, RESULT_S = 50 };

struct loaded {
	struct policy *policy;
	struct loaded *next;
};

struct charge_set {
	struct loop *loop;
	struct station_set *stations;
	struct conductor conductor;
	struct json_reader *reader;
	const struct config *config; /* borrowed; NULL before the first apply */
	struct charge *charges;      /* never leave before the set does: a command may be under way */
	struct loaded *policies;
	struct station_listener listener;
	struct loop_timer tick;
	unsigned counter; /* of the numbers made here */
};

const char *charge_refusal_text(enum charge_refusal refusal)
{
	switch (refusal) {
	case CHARGE_ACCEPTED:
		return "accepted";
	case CHARGE_NO_CONNECTOR:
		return "there is no such connector";
	case CHARGE_IS_OFFLINE:
		return "the charger is off line";
	case CHARGE_STOPPED_ALREADY:
		return "stopped already";
	case CHARGE_NOT_PLUGGED:
		return "no car is plugged in";
	case CHARGE_OCCUPIED:
		return "another charge is under way";
	case CHARGE_FAULTY:
		return "the connector is faulty";
	case CHARGE_NO_COMMAND:
		return "the charger can't be told to";
	case CHARGE_NO_TIME:
		return "the clock is not set";
	case CHARGE_NO_JOURNAL:
		return "the order can't be recorded";
	case CHARGE_NO_PRICE:
		return "the pricing policy fails";
	case CHARGE_OTHER_ORDER:
		return "the number belongs to another charge";
	}
	return "unknown";
}

static struct charge *find_charge(const struct charge_set *set, const char *connector_id)
{
	for (struct charge *c = set->charges; c; c = c->next)
		if (!strcmp(c->connector_id, connector_id))
			return c;
	return NULL;
}

static struct charge *find_running(const struct charge_set *set, const char *seq)
{
	for (struct charge *c = set->charges; c; c = c->next)
		if (c->order && !strcmp(c->order->seq, seq))
			return c;
	return NULL;
}

static struct charge *add_charge(struct charge_set *set, const char *connector_id)
{
	struct charge *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->conductor = &set->conductor;
	c->result_s = RESULT_S;
	(void)snprintf(c->connector_id, sizeof(c->connector_id), "%s", connector_id);
	c->next = set->charges;
	set->charges = c;
	return c;
}

/* Prices ----------------------------------------------------------------------------------------------------------- */

static const char *policy_of(const struct charge_set *set, const struct connector *connector, const char *platform)
{
	for (int i = 0; i < set->config->platform_count; i++)
		if (!strcmp(set->config->platforms[i].name, platform) && *set->config->platforms[i].policy)
			return set->config->platforms[i].policy;
	return connector->station->policy;
}

static struct policy *find_policy(const struct loaded *list, const char *name)
{
	for (; list; list = list->next)
		if (!strcmp(policy_name(list->policy), name))
			return list->policy;
	return NULL;
}

static int make_tariff(struct charge_set *set, const struct connector *connector, const char *platform,
		       const char *user_class, struct tariff *out, struct error *err)
{
	const char *name = policy_of(set, connector, platform);
	const struct policy_context context = {connector->station->station_id, connector->config->connector_id,
					       platform, user_class};

	if (!*name) {
		policy_free_of_charge(clock_wall(), out);
		return FC_OK;
	}
	struct policy *policy = find_policy(set->policies, name);
	if (!policy)
		return error_set(err, FC_ENOENT, "charge: policy %s is not loaded", name);
	return policy_tariff(policy, &context, clock_wall(), out, err);
}

enum charge_refusal charge_tariff(struct charge_set *set, const char *connector_id, const char *platform,
				  struct tariff *out)
{
	struct charge *c = find_charge(set, connector_id);
	struct error err = {0};

	if (!c || !c->connector)
		return CHARGE_NO_CONNECTOR;
	if (!make_tariff(set, c->connector, platform, "", out, &err))
		return CHARGE_ACCEPTED;
	log_error("charge: connector %s: %s", connector_id, err.text);
	return CHARGE_NO_PRICE;
}

/* Orders ----------------------------------------------------------------------------------------------------------- */

static void ignore(void *user, const struct journal_order *entry)
{
	(void)user;
	(void)entry;
}

/* Operator id, time and a counter; protocol.md 2.0: 9 and 18 characters. A box without a battery begins each of its lives at the
 * same time, and a clock may be set back: a number that is taken is passed over. */
static void make_seq(struct charge_set *set, char out[JOURNAL_SEQ])
{
	char time[CLOCK_COMPACT_SIZE];

	clock_format_compact(clock_wall(), time);
	do
		(void)snprintf(out, JOURNAL_SEQ, "%.9s%s%04u", set->config->gateway.operator_id, time,
			       set->counter++ % 10000);
	while (find_running(set, out) || !journal_find(set->conductor.store, out, ignore, NULL));
}

/* All but the prices. */
static struct order *unpriced_order(struct charge_set *set, const struct charge_request *request)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order)
		return NULL;
	if (*request->seq)
		(void)snprintf(order->seq, sizeof(order->seq), "%s", request->seq);
	else
		make_seq(set, order->seq);
	(void)snprintf(order->connector_id, sizeof(order->connector_id), "%s", request->connector_id);
	(void)snprintf(order->platform, sizeof(order->platform), "%s", request->platform);
	(void)snprintf(order->user_class, sizeof(order->user_class), "%s", request->user_class);
	order->mode = request->mode;
	order->start_wall = clock_wall();
	return order;
}

static struct order *new_order(struct charge_set *set, const struct connector *connector,
			       const struct charge_request *request, struct error *err)
{
	struct order *order = unpriced_order(set, request);

	if (!order) {
		(void)error_set(err, FC_ENOMEM, "charge: no memory for an order");
		return NULL;
	}
	if (!make_tariff(set, connector, request->platform, request->user_class, &order->tariff, err))
		return order;
	free(order);
	return NULL;
}

/* A charge that nobody ordered: it runs, so there is an order for it, priced or not. */
static struct order *found(struct charge *c)
{
	struct charge_set *set = c->conductor->user;
	const struct charge_request request = {"", c->connector_id, "", "", ORDER_OTHER, RESULT_S};
	struct order *order = unpriced_order(set, &request);
	struct error err = {0};

	if (order && make_tariff(set, c->connector, "", "", &order->tariff, &err)) {
		log_error("charge: connector %s: charges without a price: %s", c->connector_id, err.text);
		policy_free_of_charge(clock_wall(), &order->tariff);
	}
	return order;
}

/* Start and stop ------------------------------------------------------------------------------------------------------ */

struct look {
	const struct charge_request *request;
	int same; /* connector and platform too */
};

static void look_at(void *user, const struct journal_order *entry)
{
	struct look *look = user;

	look->same = !strcmp(entry->connector_id, look->request->connector_id) &&
		     !strcmp(entry->platform, look->request->platform);
}

/* 1 when the number is known already, and then the answer is made. */
static int is_repeat(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer)
{
	struct charge *running = *request->seq ? find_running(set, request->seq) : NULL;
	struct look look = {.request = request};

	if (running) {
		look.same = !strcmp(running->connector_id, request->connector_id) &&
			    !strcmp(running->order->platform, request->platform);
		answer->seq_stat = session_seq_stat(running->state);
	} else {
		if (!*request->seq || journal_find(set->conductor.store, request->seq, look_at, &look))
			return 0;
		answer->seq_stat = session_seq_stat(SESSION_ENDED);
	}
	answer->refusal = look.same ? CHARGE_ACCEPTED : CHARGE_OTHER_ORDER;
	return 1;
}

static enum charge_refusal check_start(const struct charge *c)
{
	if (!c || !c->connector)
		return CHARGE_NO_CONNECTOR;
	if (c->connector->status == CONNECTOR_OFFLINE || !c->connector->device)
		return CHARGE_IS_OFFLINE;
	if (c->connector->status == CONNECTOR_FAULT)
		return CHARGE_FAULTY;
	if (c->order || c->closing || c->connector->status == CONNECTOR_CHARGING)
		return CHARGE_OCCUPIED;
	if (c->connector->status != CONNECTOR_OCCUPIED)
		return CHARGE_NOT_PLUGGED;
	if (!device_can(c->connector->device, "start"))
		return CHARGE_NO_COMMAND;
	if (!clock_wall_trusted())
		return CHARGE_NO_TIME;
	return CHARGE_ACCEPTED;
}

void charge_start(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer)
{
	struct charge *c = find_charge(set, request->connector_id);
	struct error err = {0};

	*answer = (struct charge_answer){.seq_stat = session_seq_stat(SESSION_ENDED)};
	(void)snprintf(answer->seq, sizeof(answer->seq), "%s", request->seq);
	if (is_repeat(set, request, answer))
		return;
	answer->refusal = check_start(c);
	if (answer->refusal)
		return;
	struct order *order = new_order(set, c->connector, request, &err);
	if (!order) {
		log_error("charge: connector %s: not started: %s", c->connector_id, err.text);
		answer->refusal = CHARGE_NO_PRICE;
		return;
	}
	(void)snprintf(answer->seq, sizeof(answer->seq), "%s", order->seq);
	c->result_s = request->result_s;
	if (conduct(c, SESSION_START, order, &err)) {
		log_error("charge: connector %s: not started: %s", c->connector_id, err.text);
		free(order);
		answer->refusal = err.code == FC_EBUSY ? CHARGE_OCCUPIED : CHARGE_NO_JOURNAL;
		return;
	}
	answer->seq_stat = session_seq_stat(c->state);
}

void charge_stop(struct charge_set *set, const char *seq, const char *connector_id, struct charge_answer *answer)
{
	struct charge *c = find_running(set, seq);
	const struct charge_request asked = {.connector_id = connector_id, .platform = ""};
	struct look look = {.request = &asked};

	*answer = (struct charge_answer){.seq_stat = session_seq_stat(SESSION_UNKNOWN)};
	(void)snprintf(answer->seq, sizeof(answer->seq), "%s", seq);
	if (!c) {
		int known = !journal_find(set->conductor.store, seq, look_at, &look);

		answer->refusal = known ? CHARGE_STOPPED_ALREADY : CHARGE_NO_CONNECTOR;
		if (known)
			answer->seq_stat = session_seq_stat(SESSION_ENDED);
		return;
	}
	answer->seq_stat = session_seq_stat(c->state);
	if (*connector_id && strcmp(connector_id, c->connector_id) != 0)
		answer->refusal = CHARGE_OTHER_ORDER;
	else if (c->closing)
		answer->refusal = CHARGE_STOPPED_ALREADY;
	else if (!c->connector || c->state == SESSION_UNKNOWN || c->connector->status == CONNECTOR_OFFLINE)
		answer->refusal = CHARGE_IS_OFFLINE;
	else if (!device_can(c->connector->device, "stop"))
		answer->refusal = CHARGE_NO_COMMAND;
	if (answer->refusal)
		return;
	(void)conduct(c, SESSION_STOP, NULL, NULL);
	answer->seq_stat = session_seq_stat(c->state);
}

/* Looking ------------------------------------------------------------------------------------------------------------ */

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

	search->result = FC_EIO;
	if (order && !order_read(search->set->reader, entry, order, &err)) {
		search->fn(search->user, order, entry->closed ? SESSION_ENDED : SESSION_UNKNOWN,
			   station_connector_find(search->set->stations, order->connector_id));
		search->result = FC_OK;
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
	struct charge *c = find_running(set, seq);
	struct search search = {set, fn, user, FC_ENOENT};

	if (c) {
		fn(user, c->order, c->state, c->connector);
		return FC_OK;
	}
	int result = journal_find(set->conductor.store, seq, show, &search);
	return result ? result : search.result;
}

void charge_each_running(const struct charge_set *set,
			 void (*fn)(void *user, const struct order *order, enum session_state state,
				    const struct connector *connector),
			 void *user)
{
	for (const struct charge *c = set->charges; c; c = c->next)
		if (c->order && c->order->metered && !c->closing)
			fn(user, c->order, c->state, c->connector);
}

/* Where the register stood at the end of the last charge: what it shows more than that belongs to the next. */
static void take_last_register(void *user, const struct journal_order *entry)
{
	struct charge *c = user;
	struct charge_set *set = c->conductor->user;
	struct order *order = calloc(1, sizeof(*order));
	struct error err = {0};

	if (order && !order_read(set->reader, entry, order, &err) && order->metered) {
		c->has_idle = 1;
		c->idle_wh = order->split.last_register_wh;
	}
	free(order);
}

/* Life --------------------------------------------------------------------------------------------------------------- */

static void on_station(void *user, const struct station_event *event)
{
	struct charge_set *set = user;

	if (event->kind != STATION_CONNECTOR_STATUS)
		return;
	struct charge *c = find_charge(set, event->connector->config->connector_id);
	if (!c)
		return;
	/* During an apply the station has new connectors before we are told. */
	c->connector = event->connector;
	(void)conduct(c, session_seen(event->connector->status), NULL, NULL);
	conduct_tick(c);
}

static void on_tick(void *user)
{
	struct charge_set *set = user;

	for (struct charge *c = set->charges; c; c = c->next)
		conduct_tick(c);
	(void)loop_timer_set(set->loop, &set->tick, TICK_US);
}

static void resume(void *user, const struct journal_order *entry)
{
	struct charge_set *set = user;
	struct order *order = calloc(1, sizeof(*order));
	struct charge *c = order ? add_charge(set, entry->connector_id) : NULL;
	struct error err = {0};

	if (!c || order_read(set->reader, entry, order, &err)) {
		/* It stays open in the journal, for someone to look at. */
		log_error("charge: order %s: not taken up again: %s", entry->seq, c ? err.text : "no memory");
		free(order);
		return;
	}
	conduct_resume(c, order);
}

struct charge_set *charge_set_new(struct loop *loop, struct store *store, struct station_set *stations,
				  struct device_set *devices, const struct charge_hooks *hooks, struct error *err)
{
	struct charge_set *set = calloc(1, sizeof(*set));

	if (set)
		set->reader = json_reader_new(0);
	if (!set || !set->reader) {
		free(set);
		(void)error_set(err, FC_ENOMEM, "charge: no memory");
		return NULL;
	}
	set->loop = loop;
	set->stations = stations;
	set->conductor = (struct conductor){store, devices, *hooks, found, set};
	set->listener = (struct station_listener){.fn = on_station, .user = set};
	set->tick = (struct loop_timer){.fn = on_tick, .user = set};
	if (journal_each_open(store, resume, set) < 0 || loop_timer_set(loop, &set->tick, TICK_US)) {
		(void)error_set(err, FC_EIO, "charge: the journal can't be read");
		charge_set_free(set);
		return NULL;
	}
	station_listen(stations, &set->listener);
	return set;
}

static void free_policies(struct loaded *list)
{
	while (list) {
		struct loaded *next = list->next;

		policy_free(list->policy);
		free(list);
		list = next;
	}
}

void charge_set_free(struct charge_set *set)
{
	if (!set)
		return;
	station_unlisten(set->stations, &set->listener);
	loop_timer_cancel(set->loop, &set->tick);
	while (set->charges) {
		struct charge *c = set->charges;

		set->charges = c->next;
		conduct_note(c);
		free(c->order);
		free(c);
	}
	free_policies(set->policies);
	json_reader_free(set->reader);
	free(set);
}

static int load_policy(const struct config *config, const char *name, struct loaded **list, struct error *err)
{
	if (!*name || find_policy(*list, name))
		return FC_OK;
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	if (!loaded)
		return error_set(err, FC_ENOMEM, "charge: no memory");
	loaded->policy = policy_load(config->gateway.lua_dir, name, err);
	if (!loaded->policy) {
		free(loaded);
		return FC_ESCRIPT;
	}
	loaded->next = *list;
	*list = loaded;
	return FC_OK;
}

int charge_set_apply(struct charge_set *set, const struct config *config, struct error *err)
{
	struct loaded *policies = NULL;
	int result = FC_OK;

	for (int i = 0; i < config->station_count && !result; i++)
		result = load_policy(config, config->stations[i].policy, &policies, err);
	for (int i = 0; i < config->platform_count && !result; i++)
		result = load_policy(config, config->platforms[i].policy, &policies, err);
	for (int i = 0; i < config->connector_count && !result; i++)
		if (!find_charge(set, config->connectors[i].connector_id)) {
			struct charge *c = add_charge(set, config->connectors[i].connector_id);

			if (c)
				(void)journal_last(set->conductor.store, c->connector_id, take_last_register, c);
			else
				result = error_set(err, FC_ENOMEM, "charge: no memory");
		}
	/* The station has made new connectors, whatever becomes of the prices. */
	for (struct charge *c = set->charges; c; c = c->next)
		c->connector = station_connector_find(set->stations, c->connector_id);
	if (result) {
		free_policies(policies);
		return result;
	}
	free_policies(set->policies);
	set->policies = policies;
	set->config = config;
	return FC_OK;
}
