#include "device/plan.h"

#include <stdlib.h>
#include <string.h>

struct wanted {
	uint8_t function;
	uint32_t period_ms;
	uint32_t address, words;
	uint16_t point;
	uint8_t number;
};

static int compare(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->function != y->function)
		return x->function - y->function;
	if (x->period_ms != y->period_ms)
		return x->period_ms < y->period_ms ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (int)x->point - (int)y->point;
}

static uint32_t collect(const struct profile *p, const int *numbers, int connectors, uint32_t poll_ms,
			struct wanted *out)
{
	uint32_t n = 0;

	for (int i = 0; i < p->point_count; i++) {
		const struct point *point = &p->points[i];

		for (int k = 0; k < (point->shared ? 1 : connectors); k++) {
			int number = point->shared ? 0 : numbers[k];

			out[n++] = (struct wanted){
			    .function = point->function,
			    .period_ms = point->period_ms ? point->period_ms : poll_ms,
			    .address = (uint32_t)(point->address + (number > 0 ? (number - 1) * p->stride : 0)),
			    .words = point->words,
			    .point = (uint16_t)i,
			    .number = (uint8_t)number,
			};
		}
	}
	qsort(out, n, sizeof(*out), compare);
	return n;
}

/* No register of first..last is denied. */
static int allowed(const struct profile *p, uint32_t first, uint32_t last)
{
	for (int i = 0; i < p->deny_count; i++)
		if (first <= p->deny[i].last && last >= p->deny[i].first)
			return 0;
	return 1;
}

static int joins(const struct profile *p, const struct plan_block *block, const struct wanted *w)
{
	uint32_t end = (uint32_t)block->address + block->count, new_end = w->address + w->words;

	if (p->single || block->function != w->function || block->period_ms != w->period_ms)
		return 0;
	if (w->address > end + (uint32_t)p->merge_gap)
		return 0;
	if (new_end < end)
		new_end = end;
	return new_end - block->address <= (uint32_t)p->max_words && allowed(p, block->address, new_end - 1);
}

static void fill(const struct profile *p, const struct wanted *wanted, uint32_t n, struct plan *plan)
{
	struct plan_block *block = NULL;

	for (uint32_t i = 0; i < n; i++) {
		const struct wanted *w = &wanted[i];

		if (!block || !joins(p, block, w)) {
			block = &plan->blocks[plan->count++];
			*block = (struct plan_block){.function = w->function,
						     .address = (uint16_t)w->address,
						     .period_ms = w->period_ms,
						     .first_item = i};
		}
		uint32_t offset = w->address - block->address;
		if (offset + w->words > block->count)
			block->count = (uint16_t)(offset + w->words);
		block->items++;
		plan->items[i] = (struct plan_item){w->point, w->number, (uint16_t)offset};
	}
	plan->item_count = n;
}

int plan_make(const struct profile *profile, const int *numbers, int connectors, uint32_t poll_ms, struct plan *plan)
{
	struct wanted *wanted = calloc(PLAN_ITEMS_MAX, sizeof(*wanted));

	*plan = (struct plan){0};
	if (!wanted)
		return FC_ENOMEM;
	uint32_t n = collect(profile, numbers, connectors, poll_ms, wanted);
	plan->blocks = calloc((size_t)n + 1, sizeof(*plan->blocks));
	plan->items = calloc((size_t)n + 1, sizeof(*plan->items));
	if (plan->blocks && plan->items)
		fill(profile, wanted, n, plan);
	free(wanted);
	if (!plan->blocks || !plan->items) {
		plan_fini(plan);
		return FC_ENOMEM;
	}
	return FC_OK;
}

void plan_fini(struct plan *plan)
{
	free(plan->blocks);
	free(plan->items);
	*plan = (struct plan){0};
}
