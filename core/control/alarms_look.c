/* What is wrong, as far as the rooms know: said in each look. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "control/alarms_inside.h"
#include "device/trouble.h"
#include "script/shelf.h"
#include "store/journal_list.h"
#include "store/retain.h"

/* Over a minute, and not of a few polls: that a charger loses an answer now and then is nothing to look after. */
enum { ERRORS_PERCENT = 20, ERRORS_POLLS = 10 };
static const int64_t window_us = 60000000, orders_every_us = 15000000;
/* Platforms confirm within seconds; an hour's outage of theirs is an alarm of its own. */
static const int64_t waiting_s = 600;

/* Connectors --------------------------------------------------------------------------------------------------------- */

static const struct config_bus *bus_of(const struct alarms *a, const struct connector *c)
{
	const struct config *config = station_set_config(a->sources.stations);
	int bus = c->charger->bus;

	return config && bus >= 0 && bus < config->bus_count ? &config->buses[bus] : NULL;
}

static void say_fault(struct alarms *a, const struct connector *c)
{
	struct trouble t = {0};
	char cause[ALARM_CAUSE];
	struct alarm_fault fault = {.kind = ALARM_CONNECTOR_FAULT,
				    .object = c->config->connector_id,
				    .name = c->config->connector_name,
				    .since_us = c->status_mono_us,
				    .key = "fault.unknown",
				    .cause = "the charger reports a fault"};

	if (c->device)
		device_trouble(c->device, c->config->number, &t);
	switch (t.kind) {
	case TROUBLE_NONE:
		break;
	case TROUBLE_WORDS:
		fault.key = "fault.words";
		(void)snprintf(cause, sizeof(cause), "the charger reports: %s", t.text);
		break;
	case TROUBLE_CODE:
		fault.key = "fault.code";
		(void)snprintf(cause, sizeof(cause), "the charger reports fault %s", t.text);
		break;
	case TROUBLE_STATE:
		fault.key = "fault.state";
		(void)snprintf(cause, sizeof(cause), "the charger is in state %s", t.text);
		break;
	}
	if (t.kind) {
		fault.cause = cause;
		fault.arguments[0].name = t.kind == TROUBLE_WORDS ? "words" : "code";
		fault.arguments[0].text = t.text;
		fault.arguments[1].name = "point";
		fault.arguments[1].text = t.point;
	}
	alarms_say(a, &fault);
}

static int is_bus_up(const struct alarms *a, const char *name)
{
	struct bus_line_stats s;
	const char *line;

	for (int i = 0; !device_bus_line(a->sources.devices, i, &line, &s); i++)
		if (!strcmp(line, name))
			return s.connected;
	return 0;
}

static void say_offline(struct alarms *a, const struct connector *c)
{
	const struct config_bus *bus = bus_of(a, c);
	char cause[ALARM_CAUSE];
	struct alarm_fault fault = {.kind = ALARM_CONNECTOR_OFFLINE,
				    .object = c->config->connector_id,
				    .name = c->config->connector_name,
				    .since_us = c->status_mono_us,
				    .key = "offline.silent",
				    .cause = "the charger does not answer"};

	if (!c->device) {
		fault.key = "offline.profile";
		(void)snprintf(cause, sizeof(cause), "the profile %s of its charger is not in force",
			       c->charger->profile ? c->charger->profile : "");
		fault.cause = cause;
		fault.arguments[0].name = "profile";
		fault.arguments[0].text = c->charger->profile;
	} else if (bus && !is_bus_up(a, bus->name)) {
		fault.key = "offline.bus";
		(void)snprintf(cause, sizeof(cause), "its bus %s is down", bus->name);
		fault.cause = cause;
		fault.arguments[0].name = "bus";
		fault.arguments[0].text = bus->name;
	} else if (device_online(c->device)) {
		fault.key = "offline.state";
		fault.cause =
		    "the charger answers, but says nothing of the connector's state, or that it is out of service";
	}
	alarms_say(a, &fault);
}

static void say_stale(struct alarms *a, const struct connector *c)
{
	int count;
	const char *point = device_stale_point(c->device, c->config->number, &count);
	char cause[ALARM_CAUSE], number[16];

	if (!point)
		return;
	(void)snprintf(number, sizeof(number), "%d", count);
	(void)snprintf(cause, sizeof(cause), "%d of its values are old, %s among them", count, point);
	alarms_say(a, &(struct alarm_fault){.kind = ALARM_VALUE_STALE,
					    .object = c->config->connector_id,
					    .name = c->config->connector_name,
					    .key = "value.stale",
					    .cause = cause,
					    .arguments = {{"count", number}, {"point", point}}});
}

static void format_milli(int64_t milli, char *out, size_t size)
{
	int n =
	    snprintf(out, size, "%s%lld.%03lld", milli < 0 ? "-" : "", (long long)(milli < 0 ? -milli : milli) / 1000,
		     (long long)(milli < 0 ? -milli : milli) % 1000);

	while (n > 1 && n < (int)size && out[n - 1] == '0')
		out[--n] = '\0';
	if (n > 1 && n < (int)size && out[n - 1] == '.')
		out[--n] = '\0';
}

static void say_limit(struct alarms *a, const struct connector *c)
{
	struct device_limit limit;
	char cause[ALARM_CAUSE], held[40], back[40] = "";
	struct alarm_fault fault = {.kind = ALARM_LIMIT_NOT_TAKEN,
				    .object = c->config->connector_id,
				    .name = c->config->connector_name,
				    .cause = cause,
				    .arguments = {{"limit", held}, {"unit", NULL}, {"reads_back", back}}};

	if (device_limit_state(c->device, c->config->number, &limit) ||
	    (limit.state != LIMIT_NOT_TAKEN && limit.state != LIMIT_REFUSED))
		return;
	format_milli(limit.milli, held, sizeof(held));
	fault.arguments[1].text = limit.unit;
	if (limit.state == LIMIT_REFUSED) {
		fault.key = "limit.refused";
		fault.arguments[2].name = NULL;
		(void)snprintf(cause, sizeof(cause), "the charger refuses the limit of %s %s", held, limit.unit);
	} else {
		fault.key = "limit.not_taken";
		if (limit.point && limit.reads_back.quality == QUALITY_GOOD && !limit.reads_back.is_text)
			format_milli(limit.reads_back.milli, back, sizeof(back));
		(void)snprintf(cause, sizeof(cause), "the limit of %s %s was accepted, but %s %s counts", held,
			       limit.unit, *back ? back : "another", *back ? limit.unit : "one");
	}
	alarms_say(a, &fault);
}

static void look_at_connectors(struct alarms *a)
{
	for (int i = 0; i < station_connector_count(a->sources.stations); i++) {
		const struct connector *c = station_connector_at(a->sources.stations, i);

		if (c->status == CONNECTOR_FAULT)
			say_fault(a, c);
		if (c->status == CONNECTOR_OFFLINE)
			say_offline(a, c);
		else if (c->device)
			say_stale(a, c);
		if (c->device)
			say_limit(a, c);
	}
}

/* Lines -------------------------------------------------------------------------------------------------------------- */

static void look_at_can(struct alarms *a, int index, const char *name, int *is_up)
{
	struct can_stats s;
	const char *reason;
	char cause[ALARM_CAUSE];

	if (device_can_line(a->sources.devices, index, &s, &reason))
		return;
	*is_up = s.state != CAN_DOWN;
	if (s.state == CAN_BUS_OFF)
		alarms_say(a, &(struct alarm_fault){
				  .kind = ALARM_CAN_BUS_OFF,
				  .object = name,
				  .key = "can.bus_off",
				  .cause = "the CAN controller is bus-off: wiring, bit rate or termination"});
	if (*is_up)
		return;
	(void)snprintf(cause, sizeof(cause), "the CAN interface is down%s%s", *reason ? ": " : "", reason);
	alarms_say(a, &(struct alarm_fault){.kind = ALARM_BUS_DOWN,
					    .object = name,
					    .key = *reason ? "bus.down_why" : "bus.down",
					    .cause = cause,
					    .arguments = {{*reason ? "why" : NULL, reason}}});
}

static void look_at_link(struct alarms *a, int index, const char *name, int is_up)
{
	struct bus_line *line = device_line_bus(a->sources.devices, index);
	char cause[ALARM_CAUSE], why[ALARM_ARGUMENT] = "";

	if (is_up)
		return;
	if (line)
		bus_line_why(line, why, sizeof(why));
	(void)snprintf(cause, sizeof(cause), "no connection%s%s", *why ? ": " : "", why);
	alarms_say(a, &(struct alarm_fault){.kind = ALARM_BUS_DOWN,
					    .object = name,
					    .key = *why ? "bus.down_why" : "bus.down",
					    .cause = cause,
					    .arguments = {{*why ? "why" : NULL, why}}});
}

static struct alarm_bus *window_of(struct alarms *a, const char *name)
{
	struct alarm_bus *free_one = NULL;

	for (int i = 0; i < ALARMS_BUSES; i++) {
		if (!strcmp(a->buses[i].name, name))
			return &a->buses[i];
		/* That of a line that is gone may be taken. */
		if (!free_one && (!a->buses[i].name[0] || a->now_us - a->buses[i].from_us > 2 * window_us))
			free_one = &a->buses[i];
	}
	if (!free_one)
		return NULL;
	*free_one = (struct alarm_bus){.from_us = a->now_us};
	(void)snprintf(free_one->name, sizeof(free_one->name), "%s", name);
	return free_one;
}

static void look_at_errors(struct alarms *a, const char *name, const struct bus_line_stats *s)
{
	struct alarm_bus *w = window_of(a, name);
	uint64_t errors = s->timeouts + s->bad;
	char cause[ALARM_CAUSE], percent[16];

	if (!w)
		return;
	/* A line that was opened again counts from 0. */
	if (s->polls < w->polls || errors < w->errors)
		*w = (struct alarm_bus){.from_us = a->now_us - window_us};
	if (!*w->name)
		(void)snprintf(w->name, sizeof(w->name), "%s", name);
	if (a->now_us - w->from_us >= window_us) {
		uint64_t polls = s->polls - w->polls, failed = errors - w->errors;

		w->share = polls >= ERRORS_POLLS ? (unsigned)(failed * 100 / polls) : 0;
		w->polls = s->polls;
		w->errors = errors;
		w->from_us = a->now_us;
	}
	if (w->share < ERRORS_PERCENT)
		return;
	(void)snprintf(percent, sizeof(percent), "%u", w->share);
	(void)snprintf(cause, sizeof(cause), "%u %% of the answers were lost or torn within a minute", w->share);
	alarms_say(a, &(struct alarm_fault){.kind = ALARM_BUS_ERRORS,
					    .object = name,
					    .key = "bus.errors",
					    .cause = cause,
					    .arguments = {{"percent", percent}}});
}

static void look_at_units(struct alarms *a, int index, const char *name)
{
	struct bus_line *line = device_line_bus(a->sources.devices, index);
	int n = line ? bus_line_get_units(line, a->units, BUS_UNIT_MAX + 2) : 0;

	for (int i = 0; i < n; i++) {
		const struct bus_unit_stats *u = &a->units[i];
		struct device *d = u->slow ? device_at_unit(a->sources.devices, index, u->unit, 0) : NULL;
		char object[ALARM_OBJECT], cause[ALARM_CAUSE], unit[8];

		if (!u->slow)
			continue;
		(void)snprintf(object, sizeof(object), "%s/%u", name, u->unit);
		(void)snprintf(unit, sizeof(unit), "%u", u->unit);
		(void)snprintf(cause, sizeof(cause), "unit %u on %s does not answer", u->unit, name);
		alarms_say(a, &(struct alarm_fault){.kind = ALARM_UNIT_SILENT,
						    .object = object,
						    .name = d ? device_name(d) : NULL,
						    .key = "unit.silent",
						    .cause = cause,
						    .since_us = u->answer_age_us > 0 ? a->now_us - u->answer_age_us : 0,
						    .arguments = {{"unit", unit}, {"bus", name}}});
	}
}

static void look_at_lines(struct alarms *a)
{
	struct bus_line_stats s;
	struct can_stats can;
	const char *name, *reason;

	for (int i = 0; !device_bus_line(a->sources.devices, i, &name, &s); i++) {
		int is_up = s.connected;

		if (!device_can_line(a->sources.devices, i, &can, &reason)) {
			look_at_can(a, i, name, &is_up);
			continue;
		}
		look_at_link(a, i, name, is_up);
		/* Of a line that is down each unit's silence is no news. */
		if (!is_up)
			continue;
		look_at_errors(a, name, &s);
		look_at_units(a, i, name);
	}
}

/* Platforms ---------------------------------------------------------------------------------------------------------- */

static int is_called(const struct alarms *a, const char *name)
{
	const struct config *config = station_set_config(a->sources.stations);

	for (int i = 0; config && i < config->platform_count; i++) {
		const struct config_platform *p = &config->platforms[i];

		if (!strcmp(p->name, name))
			return p->enabled && p->theirs.operator_secret && *p->theirs.operator_secret;
	}
	return 0;
}

static struct alarm_orders *orders_of(struct alarms *a, const char *platform)
{
	for (int i = 0; i < a->order_count; i++)
		if (!strcmp(a->orders[i].platform, platform))
			return &a->orders[i];
	if (a->order_count == ALARMS_PLATFORMS)
		return NULL;
	struct alarm_orders *o = &a->orders[a->order_count++];
	*o = (struct alarm_orders){0};
	(void)snprintf(o->platform, sizeof(o->platform), "%s", platform);
	return o;
}

static void count_orders(void *user, const char *platform, enum outbox_state state, int64_t count)
{
	struct alarm_orders *o = orders_of(user, platform);

	if (o && state == OUTBOX_WAITING)
		o->waiting = count;
	if (o && state == OUTBOX_DISPUTED)
		o->disputed = count;
}

static void ask_journal(struct alarms *a)
{
	if (a->orders_at_us && a->now_us - a->orders_at_us < orders_every_us)
		return;
	a->orders_at_us = a->now_us;
	a->order_count = 0;
	(void)outbox_unsettled(a->sources.store, count_orders, a);
	for (int i = 0; i < a->order_count; i++)
		if (a->orders[i].waiting &&
		    outbox_oldest(a->sources.store, a->orders[i].platform, &a->orders[i].oldest_wall))
			a->orders[i].oldest_wall = 0;
}

static void say_orders(struct alarms *a, const struct alarm_orders *o)
{
	char cause[ALARM_CAUSE], number[24], minutes[24];
	int64_t age_s = clock_wall() - o->oldest_wall;

	if (o->disputed) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)o->disputed);
		(void)snprintf(cause, sizeof(cause), "%s orders are disputed by the platform", number);
		alarms_say(a, &(struct alarm_fault){.kind = ALARM_ORDER_DISPUTED,
						    .object = o->platform,
						    .key = "orders.disputed",
						    .cause = cause,
						    .arguments = {{"count", number}}});
	}
	if (!o->waiting || !o->oldest_wall || !clock_wall_trusted() || age_s < waiting_s)
		return;
	(void)snprintf(number, sizeof(number), "%lld", (long long)o->waiting);
	(void)snprintf(minutes, sizeof(minutes), "%lld", (long long)age_s / 60);
	(void)snprintf(cause, sizeof(cause), "%s orders wait for the platform's confirmation, the oldest for %s min",
		       number, minutes);
	alarms_say(a, &(struct alarm_fault){.kind = ALARM_OUTBOX_WAITING,
					    .object = o->platform,
					    .key = "orders.waiting",
					    .cause = cause,
					    .since_us = a->now_us - age_s * 1000000,
					    .arguments = {{"count", number}, {"minutes", minutes}}});
}

static void look_at_platforms(struct alarms *a)
{
	struct platform_stats p;

	for (int i = 0; !platform_get_stats(a->sources.platforms, i, &p); i++) {
		char cause[ALARM_CAUSE];
		int known = *p.last_error != '\0';

		if (p.linked || !is_called(a, p.name))
			continue;
		(void)snprintf(cause, sizeof(cause), "%s%s%s", known ? p.error_words : "not connected yet",
			       known ? ": " : "", p.last_error);
		alarms_say(a, &(struct alarm_fault){.kind = ALARM_PLATFORM_DOWN,
						    .object = p.name,
						    .key = known ? p.error_key : "platform.down",
						    .cause = cause,
						    .arguments = {{known ? "error" : NULL, p.last_error}}});
	}
	ask_journal(a);
	for (int i = 0; i < a->order_count; i++)
		say_orders(a, &a->orders[i]);
}

/* The box ------------------------------------------------------------------------------------------------------------ */

static void look_at_scripts(struct alarms *a)
{
	const struct shelf *shelf = a->sources.lua.host ? a->sources.lua.host->shelf : NULL;
	const char *folder, *name, *why;
	char object[ALARM_OBJECT];

	for (int i = 0; shelf && !shelf_refused(shelf, i, &folder, &name, &why); i++) {
		(void)snprintf(object, sizeof(object), "%s/%s", folder, name);
		alarms_say(a, &(struct alarm_fault){.kind = ALARM_SCRIPT_REFUSED,
						    .object = object,
						    .key = "script.refused",
						    .cause = why,
						    .arguments = {{"why", why}}});
	}
}

/* What waits for a platform that nobody has any more, or for one that disputes all. */
static void look_at_room(struct alarms *a)
{
	const struct retain_state *room = retain_look(a->sources.store);
	char cause[ALARM_CAUSE], used[24], most[24];

	if (!room->is_stuck)
		return;
	(void)snprintf(used, sizeof(used), "%lld", (long long)room->used / 1000000);
	(void)snprintf(most, sizeof(most), "%lld", (long long)room->most / 1000000);
	(void)snprintf(cause, sizeof(cause),
		       "the database takes %s MB, its share is %s MB, and no order may be deleted: they are not "
		       "confirmed or not compared",
		       used, most);
	alarms_say(a, &(struct alarm_fault){.kind = ALARM_STORE_FULL,
					    .object = "",
					    .name = "store",
					    .key = "store.full",
					    .cause = cause,
					    .since_us = room->stuck_us,
					    .arguments = {{"used", used}, {"most", most}}});
}

void alarms_look_around(struct alarms *a)
{
	const struct store_health *health = store_health(a->sources.store);
	char cause[ALARM_CAUSE];

	look_at_connectors(a);
	look_at_lines(a);
	look_at_platforms(a);
	look_at_scripts(a);
	if (health->failing) {
		(void)snprintf(cause, sizeof(cause), "nothing can be kept: %s", health->cause);
		alarms_say(a, &(struct alarm_fault){.kind = ALARM_STORE_FAILING,
						    .object = "",
						    .name = "store",
						    .key = "store.failing",
						    .cause = cause,
						    .since_us = health->since_us,
						    .arguments = {{"why", health->cause}}});
	}
	look_at_room(a);
	if (!clock_wall_trusted())
		alarms_say(a, &(struct alarm_fault){.kind = ALARM_CLOCK_UNTRUSTED,
						    .object = "",
						    .name = "clock",
						    .key = "clock.untrusted",
						    .cause = "the clock is not set: no charge can be started"});
}
