#include "device/plan.h"

#include <stdlib.h>
#include <string.h>

struct wanted {
	uint8_t unit, function;
	uint32_t period_ms;
	uint32_t address, words;
	uint16_t point;
	uint8_t number;
	uint8_t fate;
};

struct planner {
	const struct profile *profile;
	const int *numbers;
	int connectors;
	uint32_t poll_ms;
	uint8_t unit;
	int most_words;
	const uint8_t *fates; /* or NULL */
	struct wanted *wanted;
	uint32_t count;
	struct wanted *refused; /* what is read across no more */
	uint32_t refused_count;
};

static int compare(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->unit != y->unit)
		return x->unit - y->unit;
	if (x->function != y->function)
		return x->function - y->function;
	if (x->period_ms != y->period_ms)
		return x->period_ms < y->period_ms ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (int)x->point - (int)y->point;
}

static void want(struct planner *pl, int place, int number)
{
	const struct point *point = &pl->profile->points[place];
	struct wanted w = {
	    .unit = profile_unit(pl->profile, point, number, pl->unit),
	    .function = point->function,
	    .period_ms = profile_period(pl->profile, &pl->profile->points[point->target ? point->target - 1 : place],
					pl->poll_ms),
	    .address = profile_address(pl->profile, point, number),
	    .words = point->words,
	    .point = (uint16_t)place,
	    .number = (uint8_t)number,
	    .fate = pl->fates ? pl->fates[plan_fate_at(number, place)] : FATE_MERGED,
	};

	if (w.fate == FATE_EAGER)
		w.period_ms = profile_period(pl->profile, &(struct point){0}, pl->poll_ms);
	if (w.fate == FATE_REFUSED || w.fate == FATE_OUT)
		pl->refused[pl->refused_count++] = w;
	if (w.fate != FATE_OUT && w.fate != FATE_OTHER_FIRMWARE)
		pl->wanted[pl->count++] = w;
}

static void collect(struct planner *pl)
{
	for (int i = 0; i < pl->profile->read_count; i++) {
		int shared = pl->profile->points[i].shared;

		for (int k = 0; k < (shared ? 1 : pl->connectors); k++)
			want(pl, i, shared ? 0 : pl->numbers[k]);
	}
	qsort(pl->wanted, pl->count, sizeof(*pl->wanted), compare);
}

/* No register of first..last is denied. */
static int allowed(const struct profile *p, uint32_t first, uint32_t last)
{
	for (int i = 0; i < p->deny_count; i++)
		if (first <= p->deny[i].last && last >= p->deny[i].first)
			return 0;
	return 1;
}

/* Nor one that the device refused. */
static int accepted(const struct planner *pl, const struct plan_block *block, uint32_t first, uint32_t last)
{
	for (uint32_t i = 0; i < pl->refused_count; i++) {
		const struct wanted *w = &pl->refused[i];

		if (w->unit == block->unit && w->function == block->function && first < w->address + w->words &&
		    last >= w->address)
			return 0;
	}
	return 1;
}

static int joins(const struct planner *pl, const struct plan_block *block, const struct wanted *before,
		 const struct wanted *w)
{
	const struct profile *p = pl->profile;
	uint32_t end = (uint32_t)block->address + block->count, new_end = w->address + w->words;

	if (block->unit != w->unit || block->function != w->function || block->period_ms != w->period_ms)
		return 0;
	/* The same registers are one read whatever else holds. */
	if (p->single || w->fate != FATE_MERGED || before->fate != FATE_MERGED)
		return w->fate == before->fate && w->address == before->address && w->words == before->words &&
		       block->address == w->address && block->count == w->words;
	if (w->address > end + (uint32_t)p->merge_gap)
		return 0;
	if (new_end < end)
		new_end = end;
	return new_end - block->address <= (uint32_t)pl->most_words && allowed(p, block->address, new_end - 1) &&
	       accepted(pl, block, block->address, new_end - 1);
}

static void fill(const struct planner *pl, struct plan *plan)
{
	struct plan_block *block = NULL;

	for (uint32_t i = 0; i < pl->count; i++) {
		const struct wanted *w = &pl->wanted[i];

		if (!block || !joins(pl, block, &pl->wanted[i - 1], w)) {
			block = &plan->blocks[plan->count++];
			*block = (struct plan_block){.unit = w->unit,
						     .function = w->function,
						     .address = (uint16_t)w->address,
						     .identifier = pl->profile->points[w->point].identifier,
						     .period_ms = w->period_ms,
						     .first_item = i};
		}
		uint32_t offset = w->address - block->address;
		if (offset + w->words > block->count)
			block->count = (uint16_t)(offset + w->words);
		block->items++;
		plan->items[i] = (struct plan_item){w->point, w->number, (uint16_t)offset};
	}
	plan->item_count = pl->count;
}

/* Reads that are made only so that the charger hears of us. */
static void fill_keep_alives(const struct planner *pl, struct plan *plan)
{
	for (int i = 0; i < pl->profile->keep_alive_count; i++) {
		const struct profile_keep_alive *k = &pl->profile->keep_alives[i];

		if (k->write.function > 4)
			continue;
		for (int n = 0; n < (k->write.shared ? 1 : pl->connectors); n++) {
			int number = k->write.shared ? 1 : pl->numbers[n];

			plan->blocks[plan->count++] = (struct plan_block){
			    .unit = profile_unit(pl->profile, NULL, number, pl->unit),
			    .function = k->write.function,
			    .address = (uint16_t)profile_write_address(pl->profile, &k->write, number),
			    .count = k->write.count,
			    .period_ms = k->period_ms,
			};
		}
	}
}

int plan_make_for(const struct profile *profile, const int *numbers, int connectors, uint32_t poll_ms, uint8_t unit,
		  const uint8_t *fates, int most_words, struct plan *plan)
{
	struct planner pl = {.profile = profile,
			     .numbers = numbers,
			     .connectors = connectors,
			     .poll_ms = poll_ms,
			     .unit = unit,
			     .most_words = most_words ? most_words : profile->max_words,
			     .fates = fates,
			     .wanted = calloc(PLAN_ITEMS_MAX, sizeof(*pl.wanted)),
			     .refused = calloc(PLAN_ITEMS_MAX, sizeof(*pl.refused))};
	size_t more = (size_t)PROFILE_KEEP_ALIVES_MAX * PROFILE_CONNECTORS_MAX + 1;

	*plan = (struct plan){0};
	if (pl.wanted && pl.refused) {
		collect(&pl);
		plan->blocks = calloc(pl.count + more, sizeof(*plan->blocks));
		plan->items = calloc((size_t)pl.count + 1, sizeof(*plan->items));
	}
	if (plan->blocks && plan->items) {
		fill(&pl, plan);
		fill_keep_alives(&pl, plan);
	}
	free(pl.wanted);
	free(pl.refused);
	if (!plan->blocks || !plan->items) {
		plan_fini(plan);
		return FC_ENOMEM;
	}
	/* It was made in room for the most that it could have become. */
	struct plan_block *blocks = realloc(plan->blocks, ((size_t)plan->count + 1) * sizeof(*blocks));
	if (blocks)
		plan->blocks = blocks;
	return FC_OK;
}

int plan_make(const struct profile *profile, const int *numbers, int connectors, uint32_t poll_ms, struct plan *plan)
{
	return plan_make_for(profile, numbers, connectors, poll_ms, 1, NULL, 0, plan);
}

void plan_fini(struct plan *plan)
{
	free(plan->blocks);
	free(plan->items);
	*plan = (struct plan){0};
}
