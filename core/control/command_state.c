/* Commands that tell how the gateway and its connectors are. */
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "charge/words.h"
#include "control/command.h"
#include "control/overview.h"
#include "script/shelf.h"
#include "station/energy.h"
#include "station/point.h"
#include "store/journal_list.h"

/* Status ------------------------------------------------------------------------------------------------------------- */

struct tally {
	const char *platform; /* NULL = all */
	int64_t waiting, disputed;
};

static void count_orders(void *user, const char *platform, enum outbox_state state, int64_t count)
{
	struct tally *t = user;

	if (t->platform && strcmp(t->platform, platform) != 0)
		return;
	if (state == OUTBOX_WAITING)
		t->waiting += count;
	else if (state == OUTBOX_DISPUTED)
		t->disputed += count;
}

static int tally(struct control *control, const char *platform, struct maker *m, struct value *object)
{
	struct tally t = {.platform = platform};

	if (outbox_unsettled(control->sources.store, count_orders, &t))
		return FC_EIO;
	maker_int(m, object, "waiting", t.waiting);
	maker_int(m, object, "disputed", t.disputed);
	return FC_OK;
}

static int put_platforms(struct control *control, struct maker *m, struct value *root)
{
	struct value *list = value_array(m->arena);
	struct platform_stats p;

	for (int i = 0; !platform_get_stats(control->sources.platforms, i, &p); i++) {
		struct value *o = value_object(m->arena), *orders = value_object(m->arena);

		maker_text(m, o, "name", p.name);
		maker_flag(m, o, "linked", p.linked);
		maker_int(m, o, "waiting", p.waiting);
		if (tally(control, p.name, m, orders))
			return FC_EIO;
		maker_put(m, o, "orders", orders);
		maker_text(m, o, "last_error", p.last_error);
		maker_text(m, o, "mapping", p.mapping);
		maker_int(m, o, "answered", (int64_t)p.answered);
		maker_int(m, o, "refused", (int64_t)p.refused);
		maker_push(m, list, o);
	}
	maker_put(m, root, "platforms", list);
	return FC_OK;
}

/* Frames come by themselves: there are no polls to count. */
static void put_can(struct maker *m, struct value *o, const struct can_stats *s, const char *reason)
{
	maker_text(m, o, "can", can_state_name(s->state));
	maker_text(m, o, "reason", reason);
	maker_int(m, o, "frames", (int64_t)(s->received + s->sent));
	maker_int(m, o, "errors", (int64_t)(s->errors + s->dropped + s->overflows + s->malformed));
	maker_int(m, o, "load_permille", s->load_permille);
}

static void put_buses(struct control *control, struct maker *m, struct value *root)
{
	struct value *list = value_array(m->arena);
	struct bus_line_stats s;
	struct can_stats can;
	const char *name, *reason;

	for (int i = 0; !device_bus_line(control->sources.devices, i, &name, &s); i++) {
		struct value *o = value_object(m->arena);

		maker_text(m, o, "name", name);
		maker_flag(m, o, "connected", s.connected);
		maker_int(m, o, "units", (int64_t)s.units);
		maker_int(m, o, "units_silent", (int64_t)s.units_slow);
		maker_int(m, o, "polls", (int64_t)s.polls);
		maker_int(m, o, "failed", (int64_t)(s.timeouts + s.exceptions + s.bad));
		/* Percent of its time: of the last minute, and what the reads of the plan need. */
		maker_int(m, o, "load", (s.load + 5) / 10);
		maker_int(m, o, "planned", (s.planned + 5) / 10);
		if (!device_can_line(control->sources.devices, i, &can, &reason))
			put_can(m, o, &can, reason);
		maker_push(m, list, o);
	}
	maker_put(m, root, "buses", list);
}

static void put_connector_counts(struct control *control, struct maker *m, struct value *root)
{
	static const enum connector_status all[] = {CONNECTOR_OFFLINE,  CONNECTOR_IDLE,     CONNECTOR_OCCUPIED,
						    CONNECTOR_CHARGING, CONNECTOR_RESERVED, CONNECTOR_FAULT};
	const struct station_set *stations = control->sources.stations;
	struct value *o = value_object(m->arena);
	int count = station_connector_count(stations);

	maker_int(m, o, "all", count);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int n = 0;

		for (int k = 0; k < count; k++)
			n += station_connector_at(stations, k)->status == all[i];
		maker_int(m, o, connector_status_name(all[i]), n);
	}
	maker_put(m, root, "connectors", o);
}

static void put_disk(struct control *control, struct maker *m, struct value *root)
{
	const struct config *config = station_set_config(control->sources.stations);
	struct statvfs fs;

	/* What can't be known is left out. */
	if (!config || statvfs(config->gateway.data_dir, &fs))
		return;
	maker_text(m, root, "data_dir", config->gateway.data_dir);
	maker_int(m, root, "data_free_bytes", (int64_t)fs.f_bavail * (int64_t)fs.f_frsize);
}

int command_status(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct control_sources *s = &control->sources;
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *orders = value_object(m.arena);
	int64_t uptime_s = (clock_mono_us() - s->started_us) / 1000000, open = journal_count_open(s->store);

	maker_text(&m, root, "version", s->version);
	maker_text(&m, root, "config", s->path);
	control_put_time(&m, root, "time", clock_wall());
	maker_flag(&m, root, "clock_trusted", clock_wall_trusted());
	control_put_time(&m, root, "since", clock_wall() - uptime_s);
	maker_int(&m, root, "uptime_s", uptime_s);
	put_disk(control, &m, root);
	control_put_page(control, &m, root);
	control_put_setup(control, &m, root);
	if (s->lua.host->shelf)
		maker_int(&m, root, "scripts_refused", shelf_refused_count(s->lua.host->shelf));
	put_connector_counts(control, &m, root);
	control_put_alarms(control, &m, root);
	maker_int(&m, orders, "open", open);
	if (open < 0 || tally(control, NULL, &m, orders))
		return error_set(err, FC_EIO, "the journal can't be read");
	maker_put(&m, root, "orders", orders);
	if (put_platforms(control, &m, root))
		return error_set(err, FC_EIO, "the journal can't be read");
	put_buses(control, &m, root);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* Connectors --------------------------------------------------------------------------------------------------------- */

static void put_session(struct control *control, struct maker *m, struct value *o, const char *connector_id)
{
	enum session_state state;
	const struct order *order;
	struct bill bill;

	if (charge_session(control->sources.charges, connector_id, &state, &order))
		return;
	maker_text(m, o, "session", session_state_name(state));
	if (!order)
		return;
	order_bill(order, &bill);
	struct value *v = value_object(m->arena);
	maker_text(m, v, "seq", order->seq);
	maker_text(m, v, "platform", order->platform);
	control_put_time(m, v, "start", order->start_wall);
	maker_int(m, v, "energy_wh", bill.wh);
	maker_int(m, v, "money_e4", bill.total_money_e4);
	maker_put(m, o, "order", v);
}

/* A value that is not good now is left out: unknown, never zero (DESIGN.md, rule 4). */
static void put_point(struct maker *m, struct value *o, const char *key, const struct connector *c, const char *point)
{
	struct point_value v;

	if (!connector_point(c, point, &v) && v.quality == QUALITY_GOOD && !v.is_text)
		maker_put(m, o, key, value_decimal(m->arena, v.milli, 3));
}

static void put_power(struct maker *m, struct value *o, const struct connector *c)
{
	struct connector_value v;

	if (connector_value(c, "power", &v) || v.value.quality != QUALITY_GOOD)
		return;
	maker_int(m, o, "power_w", !strcmp(v.unit, "kW") ? v.value.milli : v.value.milli / 1000);
}

/* What the charger was told to keep to, and whether it does. */
static void put_limit(struct maker *m, struct value *o, const struct connector *c)
{
	struct value *v = value_object(m->arena);
	struct device_limit limit;

	if (!c->device || device_limit_state(c->device, c->config->number, &limit))
		return;
	maker_put(m, v, "value", value_decimal(m->arena, limit.milli, 3));
	maker_text(m, v, "unit", limit.unit);
	maker_text(m, v, "state", limit_state_name(limit.state));
	if (limit.point && limit.reads_back.quality == QUALITY_GOOD && !limit.reads_back.is_text)
		maker_put(m, v, "reads_back", value_decimal(m->arena, limit.reads_back.milli, 3));
	maker_put(m, o, "limit", v);
}

static struct value *describe(struct control *control, struct maker *m, const struct connector *c, int whole)
{
	struct value *o = value_object(m->arena);
	int64_t wh, read_us;

	maker_text(m, o, "connector", c->config->connector_id);
	maker_text(m, o, "name", c->config->connector_name);
	maker_text(m, o, "station", c->station->station_id);
	maker_text(m, o, "station_name", c->station->station_name);
	maker_text(m, o, "charger", c->charger->name);
	maker_int(m, o, "status", (int64_t)c->status);
	maker_text(m, o, "status_name", connector_status_name(c->status));
	control_put_time(m, o, "since", c->status_wall);
	put_power(m, o, c);
	if (!energy_meter(c, &wh, &read_us))
		maker_int(m, o, "meter_wh", wh);
	put_point(m, o, "soc", c, "soc");
	put_session(control, m, o, c->config->connector_id);
	put_limit(m, o, c);
	control_put_acts(m, o, c);
	if (whole)
		control_put_detail(control, m, o, c);
	return o;
}

struct value *control_connector(struct control *control, const char *connector_id, struct arena *arena)
{
	const struct connector *c = station_connector_find(control->sources.stations, connector_id);
	struct maker m = {.arena = arena};
	struct value *o = c ? describe(control, &m, c, 1) : NULL;

	return m.failed ? NULL : o;
}

int command_connectors(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct station_set *stations = control->sources.stations;
	const char *id = control_text(reply, "connector");
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena), *list = value_array(m.arena);

	if (id && !station_connector_find(stations, id))
		return error_set(err, FC_ENOENT, "there is no such connector");
	for (int i = 0; i < station_connector_count(stations); i++) {
		const struct connector *c = station_connector_at(stations, i);

		if (!id || !strcmp(id, c->config->connector_id))
			maker_push(&m, list, describe(control, &m, c, id != NULL));
	}
	maker_put(&m, root, "connectors", list);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
