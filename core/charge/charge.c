#include "charge/charge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge/durable.h"
#include "charge/set.h"
#include "charge/told.h"

enum { TICK_US = 1000000 };

static const struct {
	const char *text, *key;
} refusals[] = {
    [CHARGE_ACCEPTED] = {"accepted", ""},
    [CHARGE_NO_CONNECTOR] = {"there is no such connector", "charge.no_connector"},
    [CHARGE_IS_OFFLINE] = {"the charger is off line", "charge.offline"},
    [CHARGE_STOPPED_ALREADY] = {"stopped already", "charge.stopped_already"},
    [CHARGE_NOT_PLUGGED] = {"no car is plugged in", "charge.not_plugged"},
    [CHARGE_OCCUPIED] = {"another charge is under way", "charge.occupied"},
    [CHARGE_FAULTY] = {"the connector is faulty", "charge.faulty"},
    [CHARGE_NO_COMMAND] = {"the charger can't be told to", "charge.no_command"},
    [CHARGE_NO_TIME] = {"the clock is not set", "charge.no_time"},
    [CHARGE_NO_JOURNAL] = {"the order can't be recorded", "charge.no_journal"},
    [CHARGE_NO_PRICE] = {"the pricing policy fails", "charge.no_price"},
    [CHARGE_OTHER_ORDER] = {"the number belongs to another charge", "charge.other_order"},
    [CHARGE_CAME_TO_NOTHING] = {"the charger did not do it", "charge.came_to_nothing"},
    [CHARGE_RESERVED] = {"the connector is reserved", "charge.reserved"},
};
enum { REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

const char *charge_refusal_text(enum charge_refusal refusal)
{
	return (unsigned)refusal < REFUSALS && refusals[refusal].text ? refusals[refusal].text : "unknown";
}

const char *charge_refusal_key(enum charge_refusal refusal)
{
	return (unsigned)refusal < REFUSALS && refusals[refusal].key ? refusals[refusal].key : "";
}

struct charge *set_find(const struct charge_set *set, const char *connector_id)
{
	for (struct charge *c = set->charges; c; c = c->next)
		if (!strcmp(c->connector_id, connector_id))
			return c;
	return NULL;
}

struct charge *set_find_running(const struct charge_set *set, const char *seq)
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
	c->result_s = CHARGE_RESULT_S;
	(void)snprintf(c->connector_id, sizeof(c->connector_id), "%s", connector_id);
	c->next = set->charges;
	set->charges = c;
	return c;
}

enum charge_refusal charge_tariff(struct charge_set *set, const char *connector_id, const char *platform,
				  struct tariff *out)
{
	struct charge *c = set_find(set, connector_id);
	struct error err = {0};

	if (!c || !c->connector)
		return CHARGE_NO_CONNECTOR;
	if (!prices_tariff(set->prices, c->connector, platform, "", 1, out, &err))
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

void set_make_seq(struct charge_set *set, char out[JOURNAL_SEQ])
{
	char time[CLOCK_COMPACT_SIZE];

	clock_format_compact(clock_wall(), time);
	do
		(void)snprintf(out, JOURNAL_SEQ, "%.9s%s%04u", set->config->gateway.operator_id, time,
			       set->counter++ % 10000);
	while (set_find_running(set, out) || !journal_find(set->conductor.store, out, ignore, NULL));
}

void set_remember_profile(struct order *order, const struct connector *connector)
{
	const struct profile *profile = connector && connector->device ? device_profile(connector->device) : NULL;

	if (!profile)
		return;
	(void)snprintf(order->profile, sizeof(order->profile), "%s", profile_name(profile));
	(void)snprintf(order->profile_version, sizeof(order->profile_version), "%s", profile_hash(profile));
}

/* All but the prices. */
static struct order *unpriced_order(struct charge_set *set, const struct connector *connector,
				    const struct charge_request *request)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order)
		return NULL;
	if (*request->seq)
		(void)snprintf(order->seq, sizeof(order->seq), "%s", request->seq);
	else
		set_make_seq(set, order->seq);
	(void)snprintf(order->connector_id, sizeof(order->connector_id), "%s", request->connector_id);
	(void)snprintf(order->platform, sizeof(order->platform), "%s", request->platform);
	(void)snprintf(order->user_class, sizeof(order->user_class), "%s", request->user_class);
	(void)snprintf(order->user, sizeof(order->user), "%s", request->user);
	order->mode = request->mode;
	order->start_wall = clock_wall();
	set_remember_profile(order, connector);
	return order;
}

struct order *set_new_order(struct charge_set *set, const struct connector *connector,
			    const struct charge_request *request, struct error *err)
{
	struct order *order = unpriced_order(set, connector, request);

	if (!order) {
		(void)error_set(err, FC_ENOMEM, "charge: no memory for an order");
		return NULL;
	}
	if (!prices_tariff(set->prices, connector, request->platform, request->user_class, TARIFF_DAYS, &order->tariff,
			   err))
		return order;
	free(order);
	return NULL;
}

/* A charge that nobody ordered: it runs, so there is an order for it, priced or not. */
static struct order *found(struct charge *c)
{
	struct charge_set *set = c->conductor->user;
	const struct charge_request request = {.seq = "",
					       .connector_id = c->connector_id,
					       .platform = "",
					       .user_class = "",
					       .user = "",
					       .mode = ORDER_OTHER,
					       .result_s = CHARGE_RESULT_S};
	struct order *order = unpriced_order(set, c->connector, &request);
	struct error err = {0};

	if (order)
		order->asking = 1;
	if (order && prices_tariff(set->prices, c->connector, "", "", TARIFF_DAYS, &order->tariff, &err)) {
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

/* 1 when the number is known already, or that can't be read, and then the answer is made. */
static int is_repeat(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer)
{
	struct charge *running = *request->seq ? set_find_running(set, request->seq) : NULL;
	struct look look = {.request = request};

	if (running) {
		look.same = !strcmp(running->connector_id, request->connector_id) &&
			    !strcmp(running->order->platform, request->platform);
		answer->seq_stat = session_seq_stat(running->state);
	} else {
		int found =
		    *request->seq ? journal_find(set->conductor.store, request->seq, look_at, &look) : FC_ENOENT;

		if (found == FC_ENOENT)
			return 0;
		/* Whether it is one can't be said now. */
		if (found) {
			answer->refusal = CHARGE_NO_JOURNAL;
			return 1;
		}
		answer->seq_stat = session_seq_stat(SESSION_ENDED);
	}
	answer->refusal = look.same ? CHARGE_ACCEPTED : CHARGE_OTHER_ORDER;
	return 1;
}

enum charge_refusal set_check_start(const struct charge *c, int by_operator)
{
	if (!c || !c->connector)
		return CHARGE_NO_CONNECTOR;
	if (c->connector->status == CONNECTOR_OFFLINE || !c->connector->device)
		return CHARGE_IS_OFFLINE;
	if (c->connector->status == CONNECTOR_FAULT)
		return CHARGE_FAULTY;
	if (c->connector->reservation.held && !by_operator)
		return CHARGE_RESERVED;
	if ((c->order && !c->settling) || c->connector->status == CONNECTOR_CHARGING)
		return CHARGE_OCCUPIED;
	if (c->connector->status != CONNECTOR_OCCUPIED)
		return CHARGE_NOT_PLUGGED;
	if (!device_can(c->connector->device, "start"))
		return CHARGE_NO_COMMAND;
	if (!clock_wall_trusted())
		return CHARGE_NO_TIME;
	return CHARGE_ACCEPTED;
}

static const char *who(const struct charge_request *request)
{
	return request->who && *request->who ? request->who : request->platform;
}

static void start(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer)
{
	struct charge *c = set_find(set, request->connector_id);
	struct error err = {0};

	*answer = (struct charge_answer){.seq_stat = session_seq_stat(SESSION_ENDED)};
	(void)snprintf(answer->seq, sizeof(answer->seq), "%s", request->seq);
	if (is_repeat(set, request, answer))
		return;
	answer->refusal = set_check_start(c, request->by_operator);
	if (answer->refusal)
		return;
	struct order *order = set_new_order(set, c->connector, request, &err);
	if (!order) {
		log_error("charge: connector %s: not started: %s", c->connector_id, err.text);
		answer->refusal = err.code == FC_ENOMEM ? CHARGE_NO_JOURNAL : CHARGE_NO_PRICE;
		return;
	}
	(void)snprintf(answer->seq, sizeof(answer->seq), "%s", order->seq);
	c->result_s = request->result_s;
	/* Before the order is opened: durable with it. */
	int64_t event =
	    told_command(set->conductor.store, c->connector_id, order->seq, "start", who(request), CHARGE_ACCEPTED);
	if (conduct(c, SESSION_START, order, &err)) {
		events_forget(set->conductor.store, event);
		log_error("charge: connector %s: not started: %s", c->connector_id, err.text);
		free(order);
		answer->refusal = err.code == FC_EBUSY ? CHARGE_OCCUPIED : CHARGE_NO_JOURNAL;
		return;
	}
	if (c->connector && c->connector->reservation.held)
		(void)station_unreserve(set->stations, c->connector_id, request->who, "a charge was started", NULL);
	answer->seq_stat = session_seq_stat(c->state);
}

void charge_start(struct charge_set *set, const struct charge_request *request, struct charge_answer *answer)
{
	start(set, request, answer);
	/* Of connectors that there are: a stranger's guesses are for the log. */
	if (answer->refusal && set_find(set, request->connector_id))
		(void)told_command(set->conductor.store, request->connector_id, request->seq, "start", who(request),
				   answer->refusal);
}

static enum charge_refusal check_stop(const struct charge *c, const char *connector_id)
{
	if (*connector_id && strcmp(connector_id, c->connector_id) != 0)
		return CHARGE_OTHER_ORDER;
	if (c->closing || c->settling)
		return CHARGE_STOPPED_ALREADY;
	if (!c->connector || c->state == SESSION_UNKNOWN || c->connector->status == CONNECTOR_OFFLINE)
		return CHARGE_IS_OFFLINE;
	return device_can(c->connector->device, "stop") ? CHARGE_ACCEPTED : CHARGE_NO_COMMAND;
}

void charge_stop(struct charge_set *set, const struct charge_stop_request *request, struct charge_answer *answer)
{
	struct charge *c = set_find_running(set, request->seq);
	const struct charge_request asked = {.connector_id = request->connector_id, .platform = ""};
	struct look look = {.request = &asked};

	*answer = (struct charge_answer){.seq_stat = session_seq_stat(SESSION_UNKNOWN)};
	(void)snprintf(answer->seq, sizeof(answer->seq), "%s", request->seq);
	if (!c) {
		int found = journal_find(set->conductor.store, request->seq, look_at, &look);

		answer->refusal = !found               ? CHARGE_STOPPED_ALREADY
				  : found == FC_ENOENT ? CHARGE_NO_CONNECTOR
						       : CHARGE_NO_JOURNAL;
		if (!found)
			answer->seq_stat = session_seq_stat(SESSION_ENDED);
		return;
	}
	answer->refusal = check_stop(c, request->connector_id);
	(void)told_command(set->conductor.store, c->connector_id, c->order->seq, "stop", request->who, answer->refusal);
	if (!answer->refusal)
		conduct_stop(c, request->reason, request->result_s);
	answer->seq_stat = session_seq_stat(c->state);
}

struct last_register {
	struct charge *charge;
	int taken;
	char during[JOURNAL_SEQ]; /* order.h */
};

static void take_register(void *user, const struct journal_order *entry)
{
	struct last_register *last = user;
	struct charge *c = last->charge;
	struct charge_set *set = c->conductor->user;
	struct error err = {0};

	if (last->taken || !entry->closed || entry->wh <= 0)
		return;
	struct order *order = calloc(1, sizeof(*order));
	if (order && !order_read(set->reader, entry, order, &err) && order->metered) {
		last->taken = 1;
		(void)snprintf(last->during, sizeof(last->during), "%s", order->during);
		c->has_idle = 1;
		c->idle_wh = order->split.last_register_wh;
		(void)snprintf(c->idle_source, sizeof(c->idle_source), "%s", order->meter);
		c->remembered = 1;
		c->remembered_wall = entry->end_wall;
	}
	free(order);
}

/* Where the register stood at the end of the last charge: what it shows more when we come went by unseen (unseen.c). The one that was opened last
 * is the one that was closed last, but for what went by unseen before another. */
static void take_last_register(struct charge *c)
{
	struct charge_set *set = c->conductor->user;
	struct last_register last = {.charge = c}, later = {.charge = c};

	(void)journal_last(set->conductor.store, c->connector_id, 2, take_register, &last);
	if (*last.during)
		(void)journal_find(set->conductor.store, last.during, take_register, &later);
}

/* Life --------------------------------------------------------------------------------------------------------------- */

static void on_station(void *user, const struct station_event *event)
{
	struct charge_set *set = user;

	if (event->kind != STATION_CONNECTOR_STATUS)
		return;
	struct charge *c = set_find(set, event->connector->config->connector_id);
	if (!c)
		return;
	/* During an apply the station has new connectors before we are told. */
	c->connector = event->connector;
	if (event->connector->status == CONNECTOR_OFFLINE)
		unseen_remember(c);
	unseen_look(c);
	(void)conduct(c, session_seen(event->connector->status), NULL, NULL);
	conduct_tick(c);
	wish_look(c);
}

static void on_tick(void *user)
{
	struct charge_set *set = user;

	for (struct charge *c = set->charges; c; c = c->next) {
		unseen_look(c);
		conduct_tick(c);
		wish_look(c);
	}
	durable_note_stale(set->charges);
	(void)loop_timer_set(set->loop, &set->tick, TICK_US);
}

static void resume(void *user, const struct journal_order *entry)
{
	struct charge_set *set = user;
	struct order *order = calloc(1, sizeof(*order));
	struct charge *c = order ? add_charge(set, entry->connector_id) : NULL;
	struct error err = {0};
	int result = c ? order_read(set->reader, entry, order, &err) : FC_ENOMEM;

	if (!result) {
		conduct_resume(c, order);
		/* It began before anyone knew where the register stands: what went by until then is still to be looked for. */
		if (!order->has_idle && !c->has_idle)
			take_last_register(c);
		return;
	}
	/* A damaged one stays open in the journal, for someone to look at. */
	log_error("charge: order %s: not taken up again: %s", entry->seq, c ? err.text : "no memory");
	free(order);
	if (result != FC_EINVAL)
		set->is_short = 1;
}

struct charge_set *charge_set_new(struct loop *loop, struct store *store, struct station_set *stations,
				  struct device_set *devices, const struct script_host *host,
				  const struct charge_hooks *hooks, struct error *err)
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
	set->host = host;
	set->conductor = (struct conductor){store, devices, *hooks, found, wish_ask, set};
	set->listener = (struct station_listener){.fn = on_station, .user = set};
	set->tick = (struct loop_timer){.fn = on_tick, .user = set};
	/* Without memory for one that runs there is no start: a charge would go on as nobody's, and its order never end. */
	if (journal_each_open(store, resume, set) < 0 || set->is_short || loop_timer_set(loop, &set->tick, TICK_US)) {
		(void)error_set(err, set->is_short ? FC_ENOMEM : FC_EIO, "charge: the journal can't be read");
		charge_set_free(set);
		return NULL;
	}
	station_listen(stations, &set->listener);
	return set;
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
		durable_note(c);
		free(c->order);
		free(c);
	}
	prices_free(set->prices);
	json_reader_free(set->reader);
	free(set);
}

/* A connector that was not there before. */
static int add_connector(struct charge_set *set, const char *connector_id)
{
	struct charge *c = add_charge(set, connector_id);

	if (!c)
		return FC_ENOMEM;
	take_last_register(c);
	return FC_OK;
}

int charge_set_apply(struct charge_set *set, const struct config *config, struct error *err)
{
	struct prices *prices = prices_load(config, set->host, err);
	int result = prices ? FC_OK : FC_ESCRIPT;

	for (int i = 0; i < config->connector_count; i++)
		if (!set_find(set, config->connectors[i].connector_id) &&
		    add_connector(set, config->connectors[i].connector_id))
			result = error_set(err, FC_ENOMEM, "charge: no memory");
	/* The station has made new connectors, whatever becomes of the prices. */
	for (struct charge *c = set->charges; c; c = c->next)
		c->connector = station_connector_find(set->stations, c->connector_id);
	if (result) {
		prices_free(prices);
		return result;
	}
	prices_free(set->prices);
	set->prices = prices;
	set->config = config;
	return FC_OK;
}

struct sources *charge_set_sources(const struct charge_set *set, int index)
{
	return prices_sources(set->prices, index);
}
