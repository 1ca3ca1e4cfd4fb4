#include "bus/figures.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BIT = 6, FORGET_AT = 4096 };
static const int64_t slot_us = 5000000;

static int bucket_of(uint32_t us)
{
	int bit = 31 - __builtin_clz(us | 1u << FIRST_BIT);
	int at = (bit - FIRST_BIT) * 4 + (int)(us >> (bit - 2) & 3);

	return us < 1u << FIRST_BIT ? 0 : at < FIGURES_BUCKETS ? at : FIGURES_BUCKETS - 1;
}

/* The middle of a bucket. */
static uint32_t bucket_us(int bucket)
{
	int bit = FIRST_BIT + bucket / 4;

	return (1u << bit) + ((uint32_t)(bucket % 4) * 2 + 1) * (1u << (bit - 3));
}

static uint32_t percentile(const struct figures_unit *u, unsigned percent)
{
	uint64_t wanted = ((uint64_t)u->sum * percent + 99) / 100, seen = 0;

	for (int i = 0; i < FIGURES_BUCKETS; i++) {
		seen += u->answers[i];
		if (seen && seen >= wanted)
			return bucket_us(i) < u->stats.latency_max_us ? bucket_us(i) : u->stats.latency_max_us;
	}
	return 0;
}

static void take_latency(struct figures_unit *u, uint32_t us)
{
	/* What was long ago counts half, and less: of late is what matters on site. */
	if (u->sum == FORGET_AT) {
		u->sum = 0;
		for (int i = 0; i < FIGURES_BUCKETS; i++)
			u->sum += u->answers[i] /= 2;
	}
	u->answers[bucket_of(us)]++;
	u->sum++;
	u->stats.latency_max_us = us > u->stats.latency_max_us ? us : u->stats.latency_max_us;
}

static void take_unit(struct figures_unit *u, const struct bus_result *r)
{
	struct bus_unit_stats *s = &u->stats;

	s->requests++;
	if (bus_unit_answered(r))
		u->heard_us = r->mono_us;
	switch ((enum bus_status)r->status) {
	case BUS_OK:
		s->answers++;
		take_latency(u, r->latency_us);
		return;
	case BUS_TIMEOUT:
		s->timeouts++;
		return;
	case BUS_EXCEPTION:
		s->exceptions[r->exception < BUS_EXCEPTIONS ? r->exception : 0]++;
		return;
	case BUS_BAD_ANSWER:
	case BUS_DISCONNECTED:
		s->bad++;
		return;
	}
}

static void turn_slots(struct figures_load *l, int64_t now_us)
{
	if (!l->started_us || now_us - l->started_us > slot_us * FIGURES_SLOTS) {
		*l = (struct figures_load){.started_us = l->started_us ? now_us - slot_us : now_us,
					   .full = l->started_us ? FIGURES_SLOTS - 1 : 0};
		return;
	}
	for (; now_us - l->started_us >= slot_us; l->started_us += slot_us) {
		l->at = (l->at + 1) % FIGURES_SLOTS;
		l->full += l->full < FIGURES_SLOTS - 1;
		l->busy_us[l->at] = l->wire_us[l->at] = 0;
	}
}

void figures_take(struct figures *f, const struct bus_result *r, int64_t spent_us, int64_t wire_us)
{
	struct bus_line_stats *s = &f->line;
	struct figures_unit *u = figures_find(f, r->unit);

	s->polls += !r->is_write && !r->by_hand;
	s->writes += r->is_write;
	s->ok += r->status == BUS_OK;
	s->timeouts += r->status == BUS_TIMEOUT;
	s->exceptions += r->status == BUS_EXCEPTION;
	s->bad += r->status == BUS_BAD_ANSWER;
	if (r->status == BUS_OK) {
		f->latency_sum_us += r->latency_us;
		s->latency_mean_us = (uint32_t)(f->latency_sum_us / s->ok);
		s->latency_max_us = r->latency_us > s->latency_max_us ? r->latency_us : s->latency_max_us;
	}
	if (u)
		take_unit(u, r);
	/* A request that began before this slot counts whole here: over a minute it comes to the same. */
	turn_slots(&f->load, r->mono_us);
	f->load.busy_us[f->load.at] += (uint32_t)spent_us;
	f->load.wire_us[f->load.at] += (uint32_t)wire_us;
}

void figures_retry(struct figures *f, uint8_t unit)
{
	struct figures_unit *u = figures_find(f, unit);

	f->line.retries++;
	if (u)
		u->stats.retries++;
}

static uint32_t share(uint64_t part_us, int64_t whole_us)
{
	uint64_t permille = whole_us > 0 ? part_us * 1000 / (uint64_t)whole_us : 0;

	return permille < 1000 ? (uint32_t)permille : 1000;
}

void figures_get_line(const struct figures *f, int64_t now_us, struct bus_line_stats *out)
{
	struct figures_load load = f->load;
	uint64_t busy = 0, wire = 0;

	*out = f->line;
	if (!load.started_us)
		return;
	turn_slots(&load, now_us);
	for (int i = 0; i <= load.full; i++) {
		int at = (load.at + FIGURES_SLOTS - i) % FIGURES_SLOTS;

		busy += load.busy_us[at];
		wire += load.wire_us[at];
	}
	int64_t whole = now_us - load.started_us + slot_us * load.full;
	out->load = share(busy, whole);
	out->wire = share(wire, whole);
}

void figures_get_unit(const struct figures_unit *u, int64_t now_us, struct bus_unit_stats *out)
{
	*out = u->stats;
	out->latency_p50_us = percentile(u, 50);
	out->latency_p90_us = percentile(u, 90);
	out->latency_p99_us = percentile(u, 99);
	out->answer_age_us = u->heard_us ? now_us - u->heard_us : -1;
}

static int compare(const void *number, const void *unit)
{
	return *(const uint8_t *)number - ((const struct figures_unit *)unit)->stats.unit;
}

struct figures_unit *figures_find(const struct figures *f, uint8_t unit)
{
	return f->unit_count ? bsearch(&unit, f->units, f->unit_count, sizeof(*f->units), compare) : NULL;
}

struct figures_unit *figures_units(const struct bus_read *reads, uint32_t count, uint32_t *units)
{
	uint8_t in_plan[256] = {0};

	*units = 0;
	for (uint32_t i = 0; i < count; i++)
		in_plan[reads[i].unit] = 1;
	for (int i = 0; i < 256; i++)
		*units += in_plan[i];
	struct figures_unit *list = calloc((size_t)*units + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (int i = 0, n = 0; i < 256; i++)
		if (in_plan[i])
			list[n++].stats = (struct bus_unit_stats){.unit = (uint8_t)i, .pace = 100};
	return list;
}

struct figures_unit *figures_adopt(struct figures *f, struct figures_unit *units, uint32_t count)
{
	struct figures_unit *old = f->units;

	for (uint32_t i = 0; i < count; i++) {
		const struct figures_unit *known = figures_find(f, units[i].stats.unit);

		if (known)
			units[i] = *known;
	}
	f->units = units;
	f->unit_count = count;
	f->line.units = count;
	return old;
}
