#include "control/overview.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/usage.h"
#include "control/alarms.h"
#include "control/command.h"
#include "station/energy.h"
#include "station/point.h"
#include "store/journal_list.h"

enum { RSS_STEP_KB = 256, MINUTE_S = 60, DAY_S = 86400 };

/* A time of a clock that was set. */
static void put_when(struct maker *m, struct value *object, const char *key, int64_t wall)
{
	if (wall && clock_trusted(wall))
		maker_int(m, object, key, wall);
}

/* Of many under one object: that each key is new need not be looked up. */
static void add(struct maker *m, struct value *all, const char *key, struct value *o)
{
	if (value_add(m->arena, all, key, o))
		m->failed = 1;
}

/* The ledger --------------------------------------------------------------------------------------------------------- */

static struct control_ledger_platform *ledger_platform(struct control_ledger *l, const char *name)
{
	for (int i = 0; i < l->platform_count; i++)
		if (!strcmp(l->platforms[i].name, name))
			return &l->platforms[i];
	return NULL;
}

static void count_waiting(void *user, const char *platform, enum outbox_state state, int64_t count)
{
	struct control_ledger_platform *p = ledger_platform(user, platform);

	if (p && state == OUTBOX_WAITING)
		p->waiting += count;
}

/* The platforms as they are configured now. */
static int name_platforms(struct control *control)
{
	struct control_ledger *l = &control->ledger;
	int count = platform_count(control->sources.platforms);
	struct control_ledger_platform *list = calloc((size_t)count + 1, sizeof(*list));
	struct platform_stats stats;

	if (!list)
		return FC_ENOMEM;
	free(l->platforms);
	l->platforms = list;
	l->platform_count = 0;
	for (int i = 0; i < count; i++)
		if (!platform_get_stats(control->sources.platforms, i, &stats))
			(void)snprintf(list[l->platform_count++].name, JOURNAL_NAME, "%s", stats.name);
	return FC_OK;
}

static void ask_orders(struct control *control)
{
	struct control_ledger *l = &control->ledger;

	if (name_platforms(control) || outbox_unsettled(control->sources.store, count_waiting, l)) {
		l->platform_count = 0; /* not known */
		return;
	}
	for (int i = 0; i < l->platform_count; i++)
		if (l->platforms[i].waiting &&
		    outbox_oldest(control->sources.store, l->platforms[i].name, &l->platforms[i].oldest_wall))
			l->platforms[i].oldest_wall = 0;
}

static void ask_ledger(struct control *control)
{
	const struct station_set *stations = control->sources.stations;
	struct control_ledger *l = &control->ledger;
	int64_t now_us = clock_mono_us();
	int32_t day = clock_day(clock_wall());

	if (l->asked_us && day == l->day && now_us - l->asked_us < (int64_t)OVERVIEW_LEDGER_S * 1000000 &&
	    l->platform_count == platform_count(control->sources.platforms))
		return;
	l->asked_us = now_us;
	l->day = day;
	int64_t first = (int64_t)day * DAY_S - CLOCK_CST_OFFSET_S;
	if (earned_between(control->sources.store, first, first + DAY_S - 1, &l->today))
		l->today = (struct earned){.orders = -1};
	l->wh = 0;
	for (int i = 0; i < station_connector_count(stations); i++) {
		int64_t wh =
		    station_energy_wh(stations, station_connector_at(stations, i)->config->connector_id, day, day);

		l->wh += wh > 0 ? wh : 0;
	}
	ask_orders(control);
}

/* Connectors --------------------------------------------------------------------------------------------------------- */

/* Over all connectors. */
struct sums {
	int by_status[6];
	int measured;                       /* whose power is known */
	int64_t power_w, money_e4, running; /* running: orders that are not closed and came to something already */
};

static const struct {
	enum connector_status status;
	const char *key;
} statuses[] = {{CONNECTOR_CHARGING, "charging"}, {CONNECTOR_IDLE, "idle"},   {CONNECTOR_OCCUPIED, "occupied"},
		{CONNECTOR_RESERVED, "reserved"}, {CONNECTOR_FAULT, "fault"}, {CONNECTOR_OFFLINE, "offline"}};
enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

/* In thousandths of the unit. A value that is not good now is unknown, never zero (DESIGN.md, rule 4). */
static int good_value(const struct connector *c, const char *point, struct connector_value *v)
{
	return !connector_value(c, point, v) && v->value.quality == QUALITY_GOOD && !v->value.is_text;
}

static void put_measured(struct maker *m, struct value *o, const struct connector *c, struct sums *sums)
{
	struct connector_value v;

	if (good_value(c, "power", &v)) {
		int64_t w = !strcmp(v.unit, "kW") ? v.value.milli : decimal_div_round(v.value.milli, 1000);

		maker_int(m, o, "power_w", w);
		sums->power_w += w;
		sums->measured++;
	}
	if (good_value(c, "soc", &v))
		maker_decimal(m, o, "soc", decimal_rescale(v.value.milli, 3, 1), 1);
}

static void put_charge(struct control *control, struct maker *m, struct value *o, const struct connector *c,
		       struct sums *sums)
{
	enum session_state state;
	const struct order *order;
	struct bill bill;

	if (charge_session(control->sources.charges, c->config->connector_id, &state, &order))
		return;
	maker_text(m, o, "session", session_state_name(state));
	if (!order)
		return;
	order_bill(order, &bill);
	maker_text(m, o, "seq", order->seq);
	maker_int(m, o, "energy_wh", bill.wh);
	maker_int(m, o, "money_e4", bill.total_money_e4);
	put_when(m, o, "started_at", order->start_wall);
	/* One that is over may not be in the journal's sum yet: the car still takes the place. */
	if (order->metered) {
		sums->money_e4 += bill.total_money_e4;
		sums->running += bill.wh > 0 || bill.total_money_e4 > 0;
	}
}

static void put_limit(struct maker *m, struct value *o, const struct connector *c)
{
	struct device_limit limit;

	if (!c->device || device_limit_state(c->device, c->config->number, &limit))
		return;
	struct value *v = value_object(m->arena);
	maker_put(m, v, "value", value_decimal(m->arena, limit.milli, 3));
	maker_text(m, v, "unit", limit.unit);
	maker_text(m, v, "state", limit_state_name(limit.state));
	maker_put(m, o, "limit", v);
}

/* The freshest value that is known; while there is none, when the last one was. */
static void take_freshest(void *user, const struct connector_value *v)
{
	struct point_value *freshest = user;
	int known = v->value.quality != QUALITY_UNKNOWN, was_known = freshest->quality != QUALITY_UNKNOWN;

	if (v->from != CONNECTOR_OF_CHARGER || known < was_known)
		return;
	if (known > was_known || v->value.mono_us > freshest->mono_us) {
		freshest->mono_us = v->value.mono_us;
		freshest->quality = v->value.quality;
	}
}

static void put_age(struct maker *m, struct value *o, const struct connector *c)
{
	struct point_value freshest = {.quality = QUALITY_UNKNOWN};

	connector_each_value(c, take_freshest, &freshest);
	maker_text(m, o, "quality", quality_name(freshest.quality));
	if (freshest.mono_us)
		put_when(m, o, "read_at", clock_wall() - (clock_mono_us() - freshest.mono_us) / 1000000);
}

static struct value *connectors(struct control *control, struct maker *m, struct sums *sums)
{
	const struct station_set *stations = control->sources.stations;
	struct value *all = value_object(m->arena);

	for (int i = 0; i < station_connector_count(stations); i++) {
		const struct connector *c = station_connector_at(stations, i);
		struct value *o = value_object(m->arena);

		maker_int(m, o, "n", i);
		maker_text(m, o, "name", c->config->connector_name);
		maker_text(m, o, "station", c->station->name);
		maker_text(m, o, "charger", c->charger->name);
		maker_optional(m, o, "park_no", c->config->park_no);
		maker_int(m, o, "status", (int64_t)c->status);
		put_when(m, o, "since", c->status_wall);
		put_charge(control, m, o, c, sums);
		put_measured(m, o, c, sums);
		put_limit(m, o, c);
		if (c->reservation.held)
			put_when(m, o, "reserved_until", c->reservation.until_wall);
		put_age(m, o, c);
		add(m, all, c->config->connector_id, o);
		for (int k = 0; k < STATUSES; k++)
			sums->by_status[k] += c->status == statuses[k].status;
	}
	return all;
}

static struct value *totals(struct control *control, struct maker *m, const struct sums *sums)
{
	const struct control_ledger *l = &control->ledger;
	struct value *o = value_object(m->arena);

	maker_int(m, o, "connectors", station_connector_count(control->sources.stations));
	for (int k = 0; k < STATUSES; k++)
		maker_int(m, o, statuses[k].key, sums->by_status[k]);
	/* Of nobody is no 0. */
	if (sums->measured)
		maker_int(m, o, "power_w", sums->power_w);
	maker_int(m, o, "today_wh", l->wh);
	if (l->today.orders < 0)
		return o;
	maker_int(m, o, "today_money_e4", l->today.money_e4 + sums->money_e4);
	maker_int(m, o, "today_orders", l->today.orders + sums->running);
	maker_int(m, o, "today_unseen_wh", l->today.unseen_wh);
	return o;
}

/* The rest ----------------------------------------------------------------------------------------------------------- */

static struct value *gateway(struct control *control, struct maker *m, const struct config *config, int config_pending)
{
	struct value *o = value_object(m->arena);
	int64_t uptime_s = (clock_mono_us() - control->sources.started_us) / 1000000;

	if (config)
		maker_text(m, o, "operator_id", config->gateway.operator_id);
	maker_text(m, o, "version", control->sources.version);
	maker_int(m, o, "uptime_s", uptime_s - uptime_s % MINUTE_S);
	maker_int(m, o, "rss_kb", usage_rss_kb() / RSS_STEP_KB * RSS_STEP_KB);
	maker_flag(m, o, "config_pending", config_pending);
	return o;
}

static struct value *stations(struct maker *m, const struct config *config)
{
	struct value *all = value_object(m->arena);

	for (int i = 0; config && i < config->station_count; i++) {
		struct value *o = value_object(m->arena);

		maker_text(m, o, "name", config->stations[i].station_name);
		maker_text(m, o, "station_id", config->stations[i].station_id);
		add(m, all, config->stations[i].name, o);
	}
	return all;
}

static struct value *platforms(struct control *control, struct maker *m)
{
	struct value *all = value_object(m->arena);
	struct platform_stats p;

	for (int i = 0; !platform_get_stats(control->sources.platforms, i, &p); i++) {
		const struct control_ledger_platform *l = ledger_platform(&control->ledger, p.name);
		struct value *o = value_object(m->arena);

		maker_flag(m, o, "linked", p.linked);
		put_when(m, o, "since", p.since_wall);
		if (l)
			maker_int(m, o, "outbox", l->waiting);
		if (l)
			put_when(m, o, "oldest_at", l->oldest_wall);
		maker_optional(m, o, "last_error", p.last_error);
		if (*p.last_error)
			put_when(m, o, "last_error_at", p.last_error_wall);
		maker_optional(m, o, "mapping", p.mapping);
		maker_int(m, o, "push_failed", (int64_t)p.push_failed);
		maker_int(m, o, "answered", (int64_t)p.answered);
		maker_int(m, o, "answer_mean_us", p.answer_mean_us);
		maker_int(m, o, "answer_p99_us", p.answer_p99_us);
		add(m, all, p.name, o);
	}
	return all;
}

static const char *bus_kind(const struct config *config, const char *name)
{
	for (int i = 0; config && i < config->bus_count; i++) {
		const struct config_bus *b = &config->buses[i];

		if (!strcmp(b->name, name))
			return b->kind == CONFIG_BUS_CAN ? "can" : b->kind == CONFIG_BUS_RTU ? "rtu" : "tcp";
	}
	return "";
}

static void put_load(struct control *control, struct maker *m, struct value *o, int index,
		     const struct bus_line_stats *s)
{
	struct can_stats can;
	const char *reason;

	/* Frames come by themselves: there are no polls to count. */
	if (!device_can_line(control->sources.devices, index, &can, &reason)) {
		maker_int(m, o, "load", can.load_permille);
		maker_int(m, o, "polls", (int64_t)(can.received + can.sent));
		maker_int(m, o, "errors", (int64_t)(can.errors + can.dropped + can.overflows + can.malformed));
		return;
	}
	maker_int(m, o, "load", s->load);
	maker_int(m, o, "polls", (int64_t)s->polls);
	maker_int(m, o, "errors", (int64_t)(s->timeouts + s->exceptions + s->bad));
	maker_int(m, o, "latency_us", s->latency_mean_us);
}

static struct value *buses(struct control *control, struct maker *m, const struct config *config)
{
	struct value *all = value_object(m->arena);
	struct bus_line_stats s;
	const char *name;

	for (int i = 0; !device_bus_line(control->sources.devices, i, &name, &s); i++) {
		struct value *o = value_object(m->arena);

		maker_text(m, o, "kind", bus_kind(config, name));
		maker_flag(m, o, "up", s.connected);
		put_when(m, o, "since", s.since_wall);
		put_load(control, m, o, i, &s);
		maker_int(m, o, "units", (int64_t)s.units);
		maker_int(m, o, "silent", (int64_t)s.units_slow);
		add(m, all, name, o);
	}
	return all;
}

struct alarm_list {
	struct maker *m;
	struct value *all, *connectors;
	int config_pending;
};

/* What a connector's fault is stands at the connector, too. */
static void put_alarm(void *user, const struct alarm *alarm)
{
	struct alarm_list *l = user;
	struct value *c = alarm->kind == ALARM_CONNECTOR_FAULT ? value_get(l->connectors, alarm->object) : NULL;

	add(l->m, l->all, alarm->id, alarm_tree(alarm, l->m->arena));
	if (c && !alarm->is_fading)
		maker_text(l->m, c, "fault", alarm->cause);
	l->config_pending |= alarm->kind == ALARM_CONFIG_PENDING && !alarm->is_fading;
}

struct value *control_overview(struct control *control, struct arena *arena)
{
	const struct config *config = station_set_config(control->sources.stations);
	struct maker m = {.arena = arena};
	struct value *root = value_object(arena);
	struct sums sums = {0};

	ask_ledger(control);
	struct alarm_list l = {&m, value_object(arena), connectors(control, &m, &sums), 0};
	if (control->sources.alarms)
		alarms_each(control->sources.alarms, put_alarm, &l);
	maker_int(&m, root, "time", clock_wall());
	maker_put(&m, root, "gateway", gateway(control, &m, config, l.config_pending));
	control_put_setup(control, &m, root);
	maker_put(&m, root, "totals", totals(control, &m, &sums));
	maker_put(&m, root, "alarms", l.all);
	maker_put(&m, root, "stations", stations(&m, config));
	maker_put(&m, root, "connectors", l.connectors);
	maker_put(&m, root, "platforms", platforms(control, &m));
	maker_put(&m, root, "buses", buses(control, &m, config));
	return m.failed ? NULL : root;
}

int command_overview(struct control *control, struct control_reply *reply, struct error *err)
{
	(void)err;
	reply->result = control_overview(control, &reply->arena);
	return FC_OK;
}
