#include "station/sampler_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "base/usage.h"
#include "loop/loop.h"
#include "station/point.h"

enum { DAY_SLOTS = 1440 / SAMPLE_MINUTES };
static const int64_t tell_again_us = 600000000, believed_us = 3600000000;

/* Looking --------------------------------------------------------------------------------------------------------------- */

/* Thousandths as a number with fewer decimals; unknown unless it is GOOD (DESIGN.md, rule 4). */
static int32_t read_value(const struct connector *c, const char *point, int64_t divisor)
{
	struct connector_value v;

	if (connector_value(c, point, &v) || v.value.is_text || v.value.quality != QUALITY_GOOD)
		return SAMPLE_UNKNOWN;
	int64_t n = decimal_div_round(v.value.milli, divisor);
	return n > INT32_MIN && n <= INT32_MAX ? (int32_t)n : SAMPLE_UNKNOWN;
}

static int32_t read_power(const struct connector *c)
{
	struct connector_value v;

	if (connector_value(c, "power", &v))
		return SAMPLE_UNKNOWN;
	/* Thousandths of a kW are W. */
	return read_value(c, "power", v.unit && !strcmp(v.unit, "kW") ? 1 : 1000);
}

static struct sample look_at(const struct connector *c)
{
	return (struct sample){read_power(c), read_value(c, "voltage_a", 100), read_value(c, "current_a", 100),
			       read_value(c, "soc", 100)};
}

static int is_same(const struct sample *a, const struct sample *b)
{
	return a->power_w == b->power_w && a->voltage_dv == b->voltage_dv && a->current_da == b->current_da &&
	       a->soc_e1 == b->soc_e1;
}

static void note_change(struct curve *c, uint32_t step, const struct sample *s)
{
	struct past *p = c->past;

	if (p->count && is_same(&sampler_change(c, p->count - 1)->sample, s))
		return;
	if (p->count == SAMPLER_STEPS) {
		p->first = (p->first + 1) % SAMPLER_STEPS;
		p->count--;
	}
	c->kept = 1;
	p->changes[(p->first + p->count++) % SAMPLER_STEPS] = (struct change){step, *s};
}

/* The slot of a minute; where all are taken, the oldest gives way: the disk has taken nothing for an hour. */
static struct slot *slot_of(struct curve *c, int32_t number)
{
	struct past *p = c->past;
	struct slot *slot = &p->slots[0];

	for (int i = 0; i < WAITING_SLOTS; i++)
		if (p->slots[i].number == number)
			return &p->slots[i];
	for (int i = 1; i < WAITING_SLOTS; i++)
		if (p->slots[i].number < slot->number)
			slot = &p->slots[i];
	c->kept = 1;
	slot->number = number;
	for (int i = 0; i < SAMPLE_MINUTES; i++)
		slot->minutes[i] = sample_none;
	return slot;
}

static void end_minute(struct curve *c)
{
	struct sample s = sampler_mean(c->sum, c->seen);

	if (!sample_is_none(&s))
		slot_of(c, c->minute / SAMPLE_MINUTES)->minutes[c->minute % SAMPLE_MINUTES] = s;
	memset(c->sum, 0, sizeof(c->sum));
	memset(c->seen, 0, sizeof(c->seen));
}

static void count_minute(struct curve *c, int32_t minute, const struct sample *s)
{
	enum { SOC = VALUES - 1 };

	if (c->minute != minute)
		end_minute(c);
	c->minute = minute;
	for (int i = 0; i < VALUES; i++) {
		int32_t value = sampler_value(s, i);

		if (value == SAMPLE_UNKNOWN)
			continue;
		/* Of the state of charge the last. */
		c->sum[i] = i == SOC ? value : c->sum[i] + value;
		c->seen[i] = i == SOC ? 1 : c->seen[i] + 1;
	}
}

/* The end of the last charge is half an hour ago, and all of it is in the store. */
static int is_past(const struct curve *c, uint32_t step)
{
	if (!c->kept || c->busy ||
	    (c->past->count && step - sampler_change(c, c->past->count - 1)->step <= SAMPLER_STEPS))
		return 0;
	for (int i = 0; i < WAITING_SLOTS; i++)
		if (c->past->slots[i].number)
			return 0;
	return 1;
}

static void look_at_connector(struct sampler *sampler, struct curve *c, uint32_t step, int32_t minute)
{
	const struct connector *connector = station_connector_find(sampler->stations, c->id);
	int busy = connector && connector->status == CONNECTOR_CHARGING;
	struct sample s = busy ? look_at(connector) : sample_none;

	if (is_past(c, step)) {
		usage_pages_clear(c->past, sizeof(*c->past));
		c->kept = 0;
	}
	if (!busy && !c->busy)
		return;
	c->busy = busy;
	note_change(c, step, &s);
	if (busy && minute && sampler->days)
		count_minute(c, minute, &s);
}

/* Writing --------------------------------------------------------------------------------------------------------------- */

static int is_due(const struct slot *slot, int32_t now_slot, int all)
{
	return slot->number && (all || slot->number != now_slot);
}

static int write_slots(struct sampler *sampler, int32_t now_slot, int all, struct error *err)
{
	int result = FC_OK;

	for (int i = 0; i < sampler->count; i++)
		for (int k = 0; sampler->curves[i]->kept && k < WAITING_SLOTS && !result; k++) {
			const struct slot *slot = &sampler->curves[i]->past->slots[k];

			if (is_due(slot, now_slot, all))
				result = samples_put(sampler->store, sampler->curves[i]->id, slot->number,
						     slot->minutes, err);
		}
	return result;
}

static int has_due(const struct sampler *sampler, int32_t now_slot, int all)
{
	for (int i = 0; i < sampler->count; i++)
		for (int k = 0; sampler->curves[i]->kept && k < WAITING_SLOTS; k++)
			if (is_due(&sampler->curves[i]->past->slots[k], now_slot, all))
				return 1;
	return 0;
}

static void forget_slots(struct sampler *sampler, int32_t now_slot, int all)
{
	for (int i = 0; i < sampler->count; i++)
		for (int k = 0; sampler->curves[i]->kept && k < WAITING_SLOTS; k++)
			if (is_due(&sampler->curves[i]->past->slots[k], now_slot, all))
				sampler->curves[i]->past->slots[k].number = 0;
}

/* Once a day. */
static int drop_old(struct sampler *sampler, int32_t now_slot, struct error *err)
{
	int32_t day = now_slot / DAY_SLOTS;

	if (day == sampler->kept_day || !sampler->steady_us || sampler->looked_us - sampler->steady_us < believed_us)
		return FC_OK;
	int result = samples_keep(sampler->store, now_slot - sampler->days * DAY_SLOTS, now_slot + DAY_SLOTS, err);
	if (!result)
		sampler->kept_day = day;
	return result;
}

void sampler_flush(struct sampler *sampler, int64_t wall, int all)
{
	int32_t now_slot = (int32_t)(wall / MINUTE_S / SAMPLE_MINUTES);
	struct error err = {0};

	for (int i = 0; i < sampler->count; i++)
		if (all || sampler->curves[i]->minute / SAMPLE_MINUTES != now_slot)
			end_minute(sampler->curves[i]);
	if (!has_due(sampler, now_slot, all))
		return;
	int result = store_begin(sampler->store, &err);
	if (!result) {
		result = write_slots(sampler, now_slot, all, &err);
		if (!result)
			result = drop_old(sampler, now_slot, &err);
		if (!result)
			result = store_commit(sampler->store, &err);
		else
			store_rollback(sampler->store);
	}
	if (!result) {
		forget_slots(sampler, now_slot, all);
		return;
	}
	if (sampler->told_us && clock_mono_us() - sampler->told_us < tell_again_us)
		return;
	sampler->told_us = clock_mono_us();
	log_warning("station: history: not written, an hour of it is kept in memory: %s", err.text);
}

static void look_at_clock(struct sampler *sampler, int64_t mono_us, int64_t wall, int is_trusted)
{
	int64_t offset_s = wall - mono_us / 1000000, by = offset_s - sampler->offset_s;

	if (!is_trusted || !sampler->steady_us || by > MINUTE_S || by < -MINUTE_S)
		sampler->steady_us = mono_us;
	sampler->offset_s = offset_s;
	sampler->looked_us = mono_us;
}

void sampler_look(struct sampler *sampler, int64_t mono_us, int64_t wall, int is_trusted)
{
	uint32_t step = (uint32_t)(mono_us / SAMPLER_STEP_US);
	int32_t minute = is_trusted ? (int32_t)(wall / MINUTE_S) : 0;

	look_at_clock(sampler, mono_us, wall, is_trusted);
	for (int i = 0; i < sampler->count; i++)
		look_at_connector(sampler, sampler->curves[i], step, minute);
	/* A failure is tried again with the next minute. */
	if (!is_trusted || minute == sampler->written_minute)
		return;
	sampler->written_minute = minute;
	sampler_flush(sampler, wall, 0);
}

static void on_timer(void *user)
{
	struct sampler *sampler = user;

	sampler_look(sampler, clock_mono_us(), clock_wall(), clock_wall_trusted());
	(void)loop_timer_set(sampler->loop, &sampler->timer, SAMPLER_STEP_US);
}

/* Life ------------------------------------------------------------------------------------------------------------------ */

struct sampler *sampler_new(struct loop *loop, const struct station_set *stations, struct store *store,
			    struct error *err)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));

	if (sampler) {
		sampler->loop = loop;
		sampler->stations = stations;
		sampler->store = store;
		sampler->started_us = clock_mono_us();
		sampler->timer = (struct loop_timer){.fn = on_timer, .user = sampler};
	}
	if (!sampler || (loop && loop_timer_set(loop, &sampler->timer, SAMPLER_STEP_US))) {
		free(sampler);
		(void)error_set(err, FC_ENOMEM, "station: history: no memory");
		return NULL;
	}
	return sampler;
}

static struct curve *curve_new(const char *id)
{
	struct curve *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	c->past = usage_pages_new(sizeof(*c->past));
	if (c->past)
		return c;
	free(c);
	return NULL;
}

static void free_curves(struct curve **curves, int count)
{
	for (int i = 0; i < count; i++) {
		if (curves[i])
			usage_pages_free(curves[i]->past, sizeof(*curves[i]->past));
		free(curves[i]);
	}
	free(curves);
}

void sampler_free(struct sampler *sampler)
{
	if (!sampler)
		return;
	if (sampler->loop)
		loop_timer_cancel(sampler->loop, &sampler->timer);
	sampler_flush(sampler, clock_wall(), 1);
	free_curves(sampler->curves, sampler->count);
	free(sampler);
}

int sampler_apply(struct sampler *sampler, const struct config *config, struct error *err)
{
	struct curve **next = calloc((size_t)config->connector_count + 1, sizeof(struct curve *));
	int made = 0;

	/* All memory first: on failure nothing changed. */
	while (next && made < config->connector_count) {
		const char *id = config->connectors[made].connector_id;
		struct curve *c = sampler_find(sampler, id) < 0 ? curve_new(id) : NULL;

		if (!c && sampler_find(sampler, id) < 0)
			break;
		next[made++] = c;
	}
	if (!next || made < config->connector_count) {
		if (next)
			free_curves(next, made);
		return error_set(err, FC_ENOMEM, "station: history: no memory");
	}
	sampler_flush(sampler, clock_wall(), 1);
	for (int i = 0; i < made; i++) {
		int at = next[i] ? -1 : sampler_find(sampler, config->connectors[i].connector_id);

		if (at < 0)
			continue;
		next[i] = sampler->curves[at];
		sampler->curves[at] = NULL;
	}
	free_curves(sampler->curves, sampler->count);
	sampler->curves = next;
	sampler->count = made;
	sampler->days = config->gateway.history_days;
	sampler->kept_day = 0;
	return FC_OK;
}
