#include "station/sampler_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"

/* The values of a sample by number: the last is the state of charge. */
int32_t sampler_value(const struct sample *s, int i)
{
	const int32_t all[VALUES] = {s->power_w, s->voltage_dv, s->current_da, s->soc_e1};

	return all[i];
}

/* A sample of means; what was never seen is unknown. */
struct sample sampler_mean(const int64_t sum[VALUES], const int32_t seen[VALUES])
{
	int32_t all[VALUES];

	for (int i = 0; i < VALUES; i++)
		all[i] = seen[i] ? (int32_t)decimal_div_round(sum[i], seen[i]) : SAMPLE_UNKNOWN;
	return (struct sample){all[0], all[1], all[2], all[3]};
}

const struct change *sampler_change(const struct curve *c, int i)
{
	return &c->past->changes[(c->past->first + i) % SAMPLER_STEPS];
}

int sampler_find(const struct sampler *sampler, const char *id)
{
	for (int i = 0; i < sampler->count; i++)
		if (sampler->curves[i] && !strcmp(sampler->curves[i]->id, id))
			return i;
	return -1;
}

struct gathering {
	struct sampler_curve *curve;
	int64_t spread_before; /* a minute stands for all its steps, up to this time */
	struct cell {
		int64_t sum[VALUES];
		int32_t seen[VALUES];
	} cells[SAMPLER_POINTS_MAX];
};

static void add_to_cell(struct cell *cell, const struct sample *s)
{
	for (int k = 0; k < VALUES; k++) {
		int32_t value = sampler_value(s, k);

		if (value == SAMPLE_UNKNOWN)
			continue;
		cell->sum[k] += value;
		cell->seen[k]++;
	}
}

static void gather(struct gathering *g, int64_t at, const struct sample *s)
{
	int64_t i = (at - g->curve->from) / g->curve->step_s;

	if (at >= g->curve->from && i < g->curve->count)
		add_to_cell(&g->cells[i], s);
}

static void gather_minute(void *user, int32_t minute, const struct sample *sample)
{
	struct gathering *g = user;
	int64_t at = (int64_t)minute * MINUTE_S, end = at + 1;

	if (g->spread_before)
		end = at + MINUTE_S < g->spread_before ? at + MINUTE_S : g->spread_before;
	for (; at < end; at += SAMPLER_STEP_S)
		gather(g, at, sample);
}

/* Each step of the last half hour, from change to change. */
static void gather_steps(struct gathering *g, const struct curve *c)
{
	uint32_t now = (uint32_t)(clock_mono_us() / SAMPLER_STEP_US);
	int64_t wall = clock_wall();

	for (int i = 0; c->kept && i < c->past->count; i++) {
		const struct change *change = sampler_change(c, i);
		uint32_t end = i + 1 < c->past->count ? sampler_change(c, i + 1)->step : now + 1;
		uint32_t oldest = now > SAMPLER_STEPS ? now - SAMPLER_STEPS : 0;

		for (uint32_t step = change->step > oldest ? change->step : oldest; step < end; step++)
			gather(g, wall - (int64_t)(now - step) * SAMPLER_STEP_S, &change->sample);
	}
}

/* What the store does not have yet stands in memory. */
static int gather_minutes(struct gathering *g, const struct sampler *sampler, const struct curve *c, const char *id)
{
	const struct sampler_curve *curve = g->curve;
	int64_t last = curve->from + (int64_t)curve->count * curve->step_s - 1;
	int n = samples_each(sampler->store, id, (int32_t)(curve->from / MINUTE_S), (int32_t)(last / MINUTE_S),
			     gather_minute, g);

	for (int i = 0; c && c->kept && i < WAITING_SLOTS; i++) {
		const struct slot *slot = &c->past->slots[i];

		for (int k = 0; slot->number && k < SAMPLE_MINUTES; k++)
			gather_minute(g, slot->number * SAMPLE_MINUTES + k, &slot->minutes[k]);
	}
	if (c) {
		struct sample s = sampler_mean(c->sum, c->seen);

		gather_minute(g, c->minute, &s);
	}
	return n < 0 ? n : FC_OK;
}

/* Points begin at multiples of the step: the same moment has the same point, whenever it is asked for. */
static void set_steps(struct sampler_curve *curve, int64_t from, int64_t to, int points, int32_t unit)
{
	int64_t step = ((to - from + points - 1) / points + unit - 1) / unit * unit;

	curve->step_s = (int32_t)(step > unit ? step : unit);
	curve->from = from / curve->step_s * curve->step_s;
	curve->count = (int)((to - curve->from + curve->step_s - 1) / curve->step_s);
	if (curve->count > points)
		curve->count = points;
}

int sampler_curve(const struct sampler *sampler, const char *connector_id, int64_t from, int64_t to, int points,
		  struct sampler_curve *curve)
{
	int at = sampler_find(sampler, connector_id), result = FC_OK;
	const struct curve *c = at >= 0 ? sampler->curves[at] : NULL;
	int recent = from >= clock_wall() - (int64_t)SAMPLER_STEPS * SAMPLER_STEP_S;

	if (from < 0 || to <= from || to - from > SAMPLER_RANGE_S || to / MINUTE_S > INT32_MAX / 2 || points < 1 ||
	    points > SAMPLER_POINTS_MAX)
		return FC_EINVAL;
	struct gathering *g = calloc(1, sizeof(*g));
	if (!g)
		return FC_ENOMEM;
	g->curve = curve;
	set_steps(curve, from, to, points, recent ? SAMPLER_STEP_S : MINUTE_S);
	/* What was before the start is in the store alone. */
	int64_t started = clock_wall() - (clock_mono_us() - sampler->started_us) / 1000000;
	if (recent)
		g->spread_before = started;
	if (!recent || from < started)
		result = gather_minutes(g, sampler, c, connector_id);
	if (recent && c)
		gather_steps(g, c);
	for (int i = 0; i < curve->count; i++)
		curve->points[i] = sampler_mean(g->cells[i].sum, g->cells[i].seen);
	free(g);
	return result;
}
