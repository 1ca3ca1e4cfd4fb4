#include "main/stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/maker.h"
#include "base/usage.h"
#include "charge/words.h"
#include "station/point.h"
#include "store/journal.h"
#include "store/retain.h"

static struct value *line_stats(struct maker *m, const char *name, const struct bus_line_stats *s)
{
	struct value *o = value_object(m->arena);
	const struct {
		const char *key;
		uint64_t value;
	} counters[] = {
	    {"connected", (uint64_t)s->connected},
	    {"units", s->units},
	    {"units_slow", s->units_slow},
	    {"due", s->due},
	    {"polls", s->polls},
	    {"ok", s->ok},
	    {"timeouts", s->timeouts},
	    {"exceptions", s->exceptions},
	    {"bad", s->bad},
	    {"disconnects", s->disconnects},
	    {"missed", s->missed},
	    {"late", s->late},
	    {"queue_dropped", s->queue_dropped},
	    {"latency_mean_us", s->latency_mean_us},
	    {"latency_max_us", s->latency_max_us},
	    {"late_max_us", s->late_max_us},
	    {"writes", s->writes},
	    {"retries", s->retries},
	    {"flushed", s->flushed},
	    {"load", s->load},
	    {"wire", s->wire},
	    {"planned", s->planned},
	    {"unit_gap_ms", s->unit_gap_ms},
	};

	maker_text(m, o, "name", name);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		maker_int(m, o, counters[i].key, (int64_t)counters[i].value);
	return o;
}

static struct value *can_line(struct maker *m, const struct can_stats *s, const char *reason)
{
	struct value *o = value_object(m->arena);
	const struct {
		const char *key;
		uint64_t value;
	} counters[] = {
	    {"bitrate", (uint64_t)s->bitrate},
	    {"received", s->received},
	    {"sent", s->sent},
	    {"busy", s->busy},
	    {"load_permille", s->load_permille},
	    {"load_max_permille", s->load_max_permille},
	    {"dropped", s->dropped},
	    {"overflows", s->overflows},
	    {"malformed", s->malformed},
	    {"errors", s->errors},
	    {"bus_offs", s->bus_offs},
	    {"restarts", s->restarts},
	    {"downs", s->downs},
	    {"tx_errors", s->tx_errors},
	    {"rx_errors", s->rx_errors},
	};

	maker_text(m, o, "state", can_state_name(s->state));
	maker_text(m, o, "reason", reason);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		maker_int(m, o, counters[i].key, (int64_t)counters[i].value);
	return o;
}

static struct value *buses(struct maker *m, const struct stats_sources *s)
{
	struct value *list = value_array(m->arena);
	struct bus_line_stats line;
	const char *name;

	for (int i = 0; !device_bus_line(s->devices, i, &name, &line); i++) {
		struct value *o = line_stats(m, name, &line);
		struct can_stats can;
		const char *reason;

		if (!device_can_line(s->devices, i, &can, &reason))
			maker_put(m, o, "can", can_line(m, &can, reason));
		maker_push(m, list, o);
	}
	return list;
}

struct point_list {
	struct maker *m;
	struct value *object;
};

static void put_point(void *user, const struct connector_value *v)
{
	const struct point_list *l = user;
	struct value *p = value_object(l->m->arena);
	char masked[WORDS_MASKED];

	maker_text(l->m, p, "quality", quality_name(v->value.quality));
	/* An unknown value is left out: never zero (DESIGN.md rule 4). */
	if (v->value.quality != QUALITY_UNKNOWN) {
		const char *text = v->personal ? words_masked(v->value.text, masked) : v->value.text;

		maker_put(l->m, p, "value",
			  v->value.is_text ? value_string(l->m->arena, text)
					   : value_decimal(l->m->arena, v->value.milli, 3));
		maker_int(l->m, p, "age_ms", (clock_mono_us() - v->value.mono_us) / 1000);
	}
	maker_text(l->m, p, "unit", v->unit);
	maker_put(l->m, l->object, v->name, p);
}

static struct value *points(struct maker *m, const struct connector *c)
{
	struct point_list l = {m, value_object(m->arena)};

	connector_each_value(c, put_point, &l);
	return l.object;
}

static struct value *connectors(struct maker *m, const struct stats_sources *s)
{
	struct value *list = value_array(m->arena);
	int32_t today = clock_day(clock_wall());

	for (int i = 0; i < station_connector_count(s->stations); i++) {
		const struct connector *c = station_connector_at(s->stations, i);
		struct value *o = value_object(m->arena);
		char since[CLOCK_DATETIME_SIZE] = "";

		if (c->status_wall)
			clock_format_datetime(c->status_wall, since);
		maker_text(m, o, "connector_id", c->config->connector_id);
		maker_text(m, o, "name", c->config->connector_name);
		maker_text(m, o, "station", c->station->station_name);
		maker_text(m, o, "charger", c->charger->name);
		maker_int(m, o, "status", (int64_t)c->status);
		maker_text(m, o, "status_name", connector_status_name(c->status));
		maker_text(m, o, "since", since);
		maker_int(m, o, "changes", (int64_t)c->changes);
		int64_t wh = station_energy_wh(s->stations, c->config->connector_id, today, today);
		maker_int(m, o, "today_wh", wh > 0 ? wh : 0);
		maker_put(m, o, "points", points(m, c));
		if (value_push(list, o))
			m->failed = 1;
	}
	return list;
}

static struct value *platforms(struct maker *m, const struct stats_sources *s)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < platform_count(s->platforms); i++) {
		struct platform_stats p;
		struct value *o = value_object(m->arena);

		if (platform_get_stats(s->platforms, i, &p))
			continue;
		maker_text(m, o, "name", p.name);
		maker_int(m, o, "linked", p.linked);
		maker_text(m, o, "last_error", p.last_error);
		maker_int(m, o, "status_pushed", (int64_t)p.status_pushed);
		maker_int(m, o, "status_accepted", (int64_t)p.status_accepted);
		maker_int(m, o, "status_discarded", (int64_t)p.status_discarded);
		maker_int(m, o, "push_failed", (int64_t)p.push_failed);
		maker_int(m, o, "push_superseded", (int64_t)p.push_superseded);
		maker_int(m, o, "info_pushed", (int64_t)p.info_pushed);
		maker_int(m, o, "stats_pushed", (int64_t)p.stats_pushed);
		maker_int(m, o, "answered", (int64_t)p.answered);
		maker_int(m, o, "refused", (int64_t)p.refused);
		maker_int(m, o, "answer_mean_us", p.answer_mean_us);
		maker_int(m, o, "answer_p99_us", p.answer_p99_us);
		maker_int(m, o, "waiting", p.waiting);
		maker_text(m, o, "mapping", p.mapping);
		maker_text(m, o, "mapping_hash", p.mapping_hash);
		if (value_push(list, o))
			m->failed = 1;
	}
	return list;
}

/* Whether what must not be lost is kept. */
static struct value *store_state(struct maker *m, const struct stats_sources *s)
{
	const struct store_health *h = store_health(s->store);
	struct value *o = value_object(m->arena);
	char since[CLOCK_DATETIME_SIZE] = "";

	if (h->failing)
		clock_format_datetime(clock_wall() - (clock_mono_us() - h->since_us) / 1000000, since);
	maker_int(m, o, "failing", h->failing);
	maker_text(m, o, "since", since);
	maker_text(m, o, "cause", h->cause);
	maker_int(m, o, "failures", (int64_t)h->failures);
	maker_int(m, o, "replaced", (int64_t)h->replaced);
	const struct retain_state *kept = retain_look(s->store);
	char oldest[CLOCK_DATETIME_SIZE] = "";

	if (kept->oldest_wall)
		clock_format_datetime(kept->oldest_wall, oldest);
	maker_text(m, o, "oldest_order", oldest);
	maker_int(m, o, "orders_deleted", (int64_t)kept->deleted);
	maker_int(m, o, "used_bytes", kept->used);
	maker_int(m, o, "share_bytes", kept->most);
	maker_int(m, o, "orders_to_send", outbox_waiting(s->store, NULL));
	return o;
}

/* What keeps everything else waiting. */
static struct value *loop_state(struct maker *m, const struct stats_sources *s)
{
	struct value *o = value_object(m->arena);
	struct loop_pauses pauses;

	loop_get_pauses(s->loop, &pauses);
	maker_int(m, o, "longest_us", pauses.longest_us);
	maker_int(m, o, "recent_us", pauses.recent_us);
	return o;
}

static struct value *watchdog_state(struct maker *m, const struct stats_sources *s)
{
	struct value *o = value_object(m->arena);
	struct watchdog_state w;

	pulse_get_state(s->pulse, &w);
	maker_text(m, o, "device", w.device);
	maker_int(m, o, "open", w.is_open);
	maker_int(m, o, "timeout_s", w.timeout_s);
	maker_int(m, o, "feeds", (int64_t)w.feeds);
	maker_text(m, o, "why", w.why);
	return o;
}

static struct value *reload_state(struct maker *m, const struct stats_sources *s)
{
	struct value *o = value_object(m->arena);
	struct reload_figures f;

	reload_get_figures(s->reload, &f);
	maker_int(m, o, "count", (int64_t)f.reloads);
	maker_int(m, o, "taken", (int64_t)f.taken);
	maker_int(m, o, "kept", (int64_t)f.kept);
	maker_int(m, o, "refused", (int64_t)f.refused);
	maker_int(m, o, "scripts_refused", f.scripts_refused);
	maker_int(m, o, "load_us", f.load_us);
	maker_int(m, o, "pause_us", f.pause_us);
	maker_int(m, o, "longest_pause_us", f.longest_pause_us);
	return o;
}

struct value *stats_build(struct arena *arena, const struct stats_sources *sources)
{
	struct maker m = {.arena = arena};
	struct value *root = value_object(arena);
	struct bus_line_stats totals;
	char now[CLOCK_DATETIME_SIZE];

	clock_format_datetime(clock_wall(), now);
	device_bus_totals(sources->devices, &totals);
	maker_text(&m, root, "time", now);
	maker_int(&m, root, "uptime_s", (clock_mono_us() - sources->started_us) / 1000000);
	maker_int(&m, root, "rss_kb", usage_rss_kb());
	maker_put(&m, root, "loop", loop_state(&m, sources));
	maker_put(&m, root, "reloads", reload_state(&m, sources));
	maker_put(&m, root, "watchdog", watchdog_state(&m, sources));
	maker_put(&m, root, "store", store_state(&m, sources));
	maker_put(&m, root, "polls", line_stats(&m, "all", &totals));
	maker_put(&m, root, "buses", buses(&m, sources));
	maker_put(&m, root, "connectors", connectors(&m, sources));
	maker_put(&m, root, "platforms", platforms(&m, sources));
	return m.failed ? NULL : root;
}

int stats_write_file(const struct value *tree, const char *path, struct error *err)
{
	struct buffer text;
	char temporary[512];
	int result = FC_OK;

	if (!tree)
		return error_set(err, FC_ENOMEM, "stats: no memory");
	buffer_init(&text, STATS_MEMORY);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
	FILE *file = json_write(&text, tree) ? NULL : fopen(temporary, "w");
	if (!file || fwrite(text.data, 1, text.len, file) != text.len)
		result = error_set(err, FC_EIO, "stats: write: %s: %s", temporary, strerror(errno));
	if (file && fclose(file) && !result)
		result = error_set(err, FC_EIO, "stats: write: %s: %s", temporary, strerror(errno));
	if (!result && rename(temporary, path))
		result = error_set(err, FC_EIO, "stats: rename: %s: %s", path, strerror(errno));
	buffer_fini(&text);
	return result;
}
