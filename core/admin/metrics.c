#include "admin/metrics.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "charge/words.h"
#include "control/alarms.h"
#include "script/shelf.h"
#include "station/energy.h"
#include "station/point.h"
#include "store/journal_list.h"
#include "store/retain.h"

struct writer;

struct metric {
	const char *name, *type, *help;
	void (*put)(struct writer *w);
	int which; /* of those that one function writes */
};

struct writer {
	const struct admin_sources *s;
	struct buffer *out;
	const struct metric *metric;
};

/* A sample; the label, if any, by two and three. */
static void put(struct writer *w, const char *label, const char *text, const char *more, double value)
{
	(void)buffer_text(w->out, w->metric->name);
	if (label) {
		(void)buffer_printf(w->out, "{%s=\"", label);
		for (; *text; text++) {
			if (*text == '\n')
				(void)buffer_text(w->out, "\\n");
			else
				(void)buffer_printf(w->out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
		}
		(void)buffer_printf(w->out, "\"%s}", more ? more : "");
	}
	(void)buffer_printf(w->out, " %.15g\n", value);
}

static void put_plain(struct writer *w, double value)
{
	put(w, NULL, NULL, NULL, value);
}

/* The program and the box --------------------------------------------------------------------------------------------- */

static void put_build(struct writer *w)
{
	put(w, "version", w->s->version, NULL, 1);
}

static void put_start(struct writer *w)
{
	int64_t up_s = (clock_mono_us() - w->s->started_us) / 1000000;

	put_plain(w, (double)(clock_wall() - up_s));
}

static void put_memory(struct writer *w)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file)
		return;
	if (fscanf(file, "%*s %ld", &pages) == 1)
		put_plain(w, (double)pages * (double)sysconf(_SC_PAGESIZE));
	(void)fclose(file);
}

static void put_cpu(struct writer *w)
{
	struct timespec t;

	if (!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t))
		put_plain(w, (double)t.tv_sec + (double)t.tv_nsec / 1e9);
}

enum { PAUSE_RECENT, PAUSE_LONGEST };
static void put_pause(struct writer *w)
{
	struct loop_pauses pauses;

	loop_get_pauses(w->s->loop, &pauses);
	put_plain(w, (double)(w->metric->which == PAUSE_RECENT ? pauses.recent_us : pauses.longest_us) / 1e6);
}

static void put_clock(struct writer *w)
{
	put_plain(w, clock_wall_trusted() != 0);
}

static void put_free(struct writer *w)
{
	const struct config *config = station_set_config(w->s->stations);
	struct statvfs fs;

	if (config && !statvfs(config->gateway.data_dir, &fs))
		put_plain(w, (double)fs.f_bavail * (double)fs.f_frsize);
}

static void put_scripts(struct writer *w)
{
	if (w->s->host && w->s->host->shelf)
		put_plain(w, shelf_refused_count(w->s->host->shelf));
}

static void put_sessions(struct writer *w)
{
	int n = 0;

	while (guard_session_at(w->s->guard, n))
		n++;
	put_plain(w, n);
}

static void count_alarm(void *user, const struct alarm *alarm)
{
	int *counts = user;

	counts[alarm->kind]++;
}

/* Every kind has its sample, those of 0 too: a rule over one that never was would else be silent for another reason. */
static void put_alarms(struct writer *w)
{
	int counts[ALARM_KINDS] = {0};

	alarms_each(w->s->alarms, count_alarm, counts);
	for (int kind = 0; kind < ALARM_KINDS; kind++)
		put(w, "kind", alarm_kind_name((enum alarm_kind)kind), NULL, counts[kind]);
}

enum { STORE_FAILING, STORE_FAILURES };
static void put_store(struct writer *w)
{
	const struct store_health *h = store_health(w->s->store);

	put_plain(w, w->metric->which == STORE_FAILING ? h->failing != 0 : (double)h->failures);
}

enum { KEPT_USED, KEPT_MOST, KEPT_OLDEST, KEPT_DELETED };
static void put_kept(struct writer *w)
{
	const struct retain_state *r = retain_look(w->s->store);

	if (w->metric->which == KEPT_USED && r->used)
		put_plain(w, (double)r->used);
	if (w->metric->which == KEPT_MOST && r->most)
		put_plain(w, (double)r->most);
	if (w->metric->which == KEPT_OLDEST && r->oldest_wall)
		put_plain(w, (double)r->oldest_wall);
	if (w->metric->which == KEPT_DELETED)
		put_plain(w, (double)r->deleted);
}

/* Connectors ---------------------------------------------------------------------------------------------------------- */

static void put_connectors(struct writer *w)
{
	static const enum connector_status all[] = {CONNECTOR_OFFLINE,  CONNECTOR_IDLE,     CONNECTOR_OCCUPIED,
						    CONNECTOR_CHARGING, CONNECTOR_RESERVED, CONNECTOR_FAULT};
	int count = station_connector_count(w->s->stations);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int n = 0;

		for (int k = 0; k < count; k++)
			n += station_connector_at(w->s->stations, k)->status == all[i];
		put(w, "status", connector_status_name(all[i]), NULL, n);
	}
}

enum { CONNECTOR_STATE, CONNECTOR_POWER, CONNECTOR_ENERGY, CONNECTOR_SOC, CONNECTOR_SESSION };

/* 0 and *value; -1: it is not known now. */
static int of_connector(struct writer *w, const struct connector *c, double *value)
{
	struct connector_value v;
	enum session_state state;
	const struct order *order;
	int64_t wh, read_us;

	switch (w->metric->which) {
	case CONNECTOR_POWER:
		if (connector_value(c, "power", &v) || v.value.quality != QUALITY_GOOD || v.value.is_text)
			return -1;
		*value = (double)v.value.milli / (strcmp(v.unit, "kW") != 0 ? 1000 : 1);
		return 0;
	case CONNECTOR_SOC:
		if (connector_value(c, "soc", &v) || v.value.quality != QUALITY_GOOD || v.value.is_text)
			return -1;
		*value = (double)v.value.milli / 100000;
		return 0;
	case CONNECTOR_ENERGY:
		if (energy_meter(c, &wh, &read_us))
			return -1;
		*value = (double)wh;
		return 0;
	case CONNECTOR_SESSION:
		if (charge_session(w->s->charges, c->config->connector_id, &state, &order))
			return -1;
		*value = order != NULL;
		return 0;
	default:
		*value = c->status;
		return 0;
	}
}

static void put_connector(struct writer *w)
{
	for (int i = 0; i < station_connector_count(w->s->stations); i++) {
		const struct connector *c = station_connector_at(w->s->stations, i);
		double value;

		if (!of_connector(w, c, &value))
			put(w, "connector", c->config->connector_id, NULL, value);
	}
}

/* Platforms and orders ------------------------------------------------------------------------------------------------ */

enum {
	PLATFORM_UP,
	PLATFORM_WAITING,
	PLATFORM_ANSWERS,
	PLATFORM_REFUSALS,
	PLATFORM_FAILURES,
	PLATFORM_MEAN,
	PLATFORM_P99
};

static void put_platform(struct writer *w)
{
	struct platform_stats p;

	for (int i = 0; !platform_get_stats(w->s->platforms, i, &p); i++) {
		const double values[] = {[PLATFORM_UP] = p.linked != 0,
					 [PLATFORM_WAITING] = (double)p.waiting,
					 [PLATFORM_ANSWERS] = (double)p.answered,
					 [PLATFORM_REFUSALS] = (double)p.refused,
					 [PLATFORM_FAILURES] = (double)p.push_failed,
					 [PLATFORM_MEAN] = (double)p.answer_mean_us / 1e6,
					 [PLATFORM_P99] = (double)p.answer_p99_us / 1e6};
		int is_time = w->metric->which == PLATFORM_MEAN || w->metric->which == PLATFORM_P99;

		/* Of no answer there is no time. */
		if (!is_time || p.answered)
			put(w, "platform", p.name, NULL, values[w->metric->which]);
	}
}

static void put_unsettled(void *user, const char *platform, enum outbox_state state, int64_t count)
{
	struct writer *w = user;

	if ((int)state == w->metric->which)
		put(w, "platform", platform, NULL, (double)count);
}

static void put_outbox(struct writer *w)
{
	(void)outbox_unsettled(w->s->store, put_unsettled, w);
}

static void put_open(struct writer *w)
{
	int64_t open = journal_count_open(w->s->store);

	if (open >= 0)
		put_plain(w, (double)open);
}

/* Lines --------------------------------------------------------------------------------------------------------------- */

enum { BUS_UP, BUS_UNITS, BUS_SILENT, BUS_POLLS, BUS_ERRORS, BUS_LOAD, BUS_LATENCY };

static void put_bus(struct writer *w)
{
	struct bus_line_stats s;
	struct can_stats can;
	const char *name, *reason;

	for (int i = 0; !device_bus_line(w->s->devices, i, &name, &s); i++) {
		int is_can = !device_can_line(w->s->devices, i, &can, &reason), which = w->metric->which;

		if (which == BUS_UP)
			put(w, "bus", name, NULL, s.connected != 0);
		if (is_can) /* frames come by themselves: there are no polls */
			continue;
		if (which == BUS_UNITS)
			put(w, "bus", name, NULL, (double)s.units);
		if (which == BUS_SILENT)
			put(w, "bus", name, NULL, (double)s.units_slow);
		if (which == BUS_POLLS)
			put(w, "bus", name, NULL, (double)s.polls);
		if (which == BUS_ERRORS) {
			put(w, "bus", name, ",kind=\"timeout\"", (double)s.timeouts);
			put(w, "bus", name, ",kind=\"exception\"", (double)s.exceptions);
			put(w, "bus", name, ",kind=\"bad\"", (double)s.bad);
		}
		if (which == BUS_LOAD)
			put(w, "bus", name, NULL, (double)s.load / 1000);
		if (which == BUS_LATENCY && s.ok)
			put(w, "bus", name, NULL, (double)s.latency_mean_us / 1e6);
	}
}

enum { CAN_FRAMES, CAN_ERRORS, CAN_LOAD, CAN_OFFS };

static void put_can(struct writer *w)
{
	struct bus_line_stats s;
	struct can_stats can;
	const char *name, *reason;

	for (int i = 0; !device_bus_line(w->s->devices, i, &name, &s); i++) {
		if (device_can_line(w->s->devices, i, &can, &reason))
			continue;
		switch (w->metric->which) {
		case CAN_FRAMES:
			put(w, "bus", name, ",direction=\"in\"", (double)can.received);
			put(w, "bus", name, ",direction=\"out\"", (double)can.sent);
			break;
		case CAN_ERRORS:
			put(w, "bus", name, NULL, (double)(can.errors + can.dropped + can.overflows + can.malformed));
			break;
		case CAN_LOAD:
			put(w, "bus", name, NULL, (double)can.load_permille / 1000);
			break;
		default:
			put(w, "bus", name, NULL, (double)can.bus_offs);
		}
	}
}

/* The table ----------------------------------------------------------------------------------------------------------- */

static const struct metric metrics[] = {
    {"forecourt_build_info", "gauge", "The version that runs, as a label.", put_build, 0},
    {"process_start_time_seconds", "gauge", "When it was started, since 1970.", put_start, 0},
    {"process_resident_memory_bytes", "gauge", "Memory in use.", put_memory, 0},
    {"process_cpu_seconds_total", "counter", "Processor time spent, of all threads.", put_cpu, 0},
    {"forecourt_loop_pause_recent_seconds", "gauge", "The longest that the loop was kept in the last 10 to 20 s.",
     put_pause, PAUSE_RECENT},
    {"forecourt_loop_pause_longest_seconds", "gauge", "The longest that the loop was kept since the start.", put_pause,
     PAUSE_LONGEST},
    {"forecourt_clock_trusted", "gauge", "1 when the wall clock is set.", put_clock, 0},
    {"forecourt_data_free_bytes", "gauge", "Room left where the store is.", put_free, 0},
    {"forecourt_store_failing", "gauge", "1 while nothing can be kept.", put_store, STORE_FAILING},
    {"forecourt_store_failures_total", "counter", "Writes of the store that failed.", put_store, STORE_FAILURES},
    {"forecourt_store_used_bytes", "gauge", "Of the database, without what it has free within.", put_kept, KEPT_USED},
    {"forecourt_store_share_bytes", "gauge", "What it may take before the oldest confirmed orders go.", put_kept,
     KEPT_MOST},
    {"forecourt_orders_oldest_timestamp_seconds", "gauge", "When the oldest order ended that is kept, since 1970.",
     put_kept, KEPT_OLDEST},
    {"forecourt_orders_deleted_total", "counter", "Orders whose time of keeping was over.", put_kept, KEPT_DELETED},
    {"forecourt_alarms", "gauge", "Alarms that stand, by kind.", put_alarms, 0},
    {"forecourt_scripts_refused", "gauge", "Lua files that are not what is in force.", put_scripts, 0},
    {"forecourt_admin_sessions", "gauge", "Browsers that are logged in.", put_sessions, 0},
    {"forecourt_connectors", "gauge", "Connectors by status.", put_connectors, 0},
    {"forecourt_connector_status", "gauge",
     "0 offline, 1 idle, 2 occupied, 3 charging, 4 reserved, 255 fault (T/CEC 102).", put_connector, CONNECTOR_STATE},
    {"forecourt_connector_charging", "gauge", "1 while an order runs.", put_connector, CONNECTOR_SESSION},
    {"forecourt_connector_power_watts", "gauge", "Power delivered now.", put_connector, CONNECTOR_POWER},
    {"forecourt_connector_energy_watthours_total", "counter", "The meter's register.", put_connector, CONNECTOR_ENERGY},
    {"forecourt_connector_soc_ratio", "gauge", "State of charge of the car's battery, 0 to 1.", put_connector,
     CONNECTOR_SOC},
    {"forecourt_orders_open", "gauge", "Orders that run.", put_open, 0},
    {"forecourt_orders_waiting", "gauge", "Orders that a platform has not confirmed yet.", put_outbox, OUTBOX_WAITING},
    {"forecourt_orders_disputed", "gauge", "Orders that a platform disputes.", put_outbox, OUTBOX_DISPUTED},
    {"forecourt_platform_up", "gauge", "1 while the platform answers.", put_platform, PLATFORM_UP},
    {"forecourt_platform_queue_length", "gauge", "Messages that wait to be sent.", put_platform, PLATFORM_WAITING},
    {"forecourt_platform_answers_total", "counter", "Its requests that were answered.", put_platform, PLATFORM_ANSWERS},
    {"forecourt_platform_refusals_total", "counter", "Its requests that were refused.", put_platform,
     PLATFORM_REFUSALS},
    {"forecourt_platform_push_failures_total", "counter", "Messages to it that failed.", put_platform,
     PLATFORM_FAILURES},
    {"forecourt_platform_answer_mean_seconds", "gauge", "How long its requests took, on average.", put_platform,
     PLATFORM_MEAN},
    {"forecourt_platform_answer_p99_seconds", "gauge", "How long all but one in a hundred took at most.", put_platform,
     PLATFORM_P99},
    {"forecourt_bus_up", "gauge", "1 while the line is open.", put_bus, BUS_UP},
    {"forecourt_bus_units", "gauge", "Units on the line.", put_bus, BUS_UNITS},
    {"forecourt_bus_units_silent", "gauge", "Units that do not answer.", put_bus, BUS_SILENT},
    {"forecourt_bus_polls_total", "counter", "Reads of the plan.", put_bus, BUS_POLLS},
    {"forecourt_bus_poll_errors_total", "counter", "Reads that failed, by kind.", put_bus, BUS_ERRORS},
    {"forecourt_bus_load_ratio", "gauge", "Part of the last minute that the line was in use.", put_bus, BUS_LOAD},
    {"forecourt_bus_latency_mean_seconds", "gauge", "How long an answer takes, on average.", put_bus, BUS_LATENCY},
    {"forecourt_can_frames_total", "counter", "Frames on the CAN line, by direction.", put_can, CAN_FRAMES},
    {"forecourt_can_errors_total", "counter", "Frames that were bad or lost.", put_can, CAN_ERRORS},
    {"forecourt_can_load_ratio", "gauge", "Part of the time that the CAN line was in use.", put_can, CAN_LOAD},
    {"forecourt_can_bus_offs_total", "counter", "Times that the controller left the line.", put_can, CAN_OFFS},
};

void metrics_write(const struct admin_sources *sources, struct buffer *out)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *m = &metrics[i];
		struct writer w = {sources, out, m};

		(void)buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
		m->put(&w);
	}
}
