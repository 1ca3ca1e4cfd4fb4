#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS = 160 };

struct edge {
	uint32_t from, to;
};

struct search {
	const struct model_rules *rules;
	struct model_state *states;
	uint32_t *parents, *table;
	struct model_event *events; /* by which each state was reached first */
	uint64_t count, room, most, mask;
	struct edge *bound; /* of what is bound to come */
	uint64_t bound_count, bound_room;
	unsigned char *done, *beyond; /* from where the way on is further than the rules look */
	int failed;
};

static uint64_t hash(const struct model_state *s)
{
	const unsigned char *at = (const unsigned char *)s;
	uint64_t h = 0x9E3779B97F4A7C15u;
	size_t i = 0;

	for (; i + 8 <= sizeof(*s); i += 8) {
		uint64_t word;

		memcpy(&word, at + i, 8);
		h = (h ^ word) * 0xFF51AFD7ED558CCDu;
		h ^= h >> 32;
	}
	for (; i < sizeof(*s); i++)
		h = (h ^ at[i]) * 0x100000001B3u;
	return h ^ h >> 29;
}

static int grow(struct search *s)
{
	uint64_t room = s->room ? s->room * 2 : 1 << 16;
	struct model_state *states = realloc(s->states, room * sizeof(*states));
	if (states)
		s->states = states;
	uint32_t *parents = realloc(s->parents, room * sizeof(*parents));
	if (parents)
		s->parents = parents;
	struct model_event *events = realloc(s->events, room * sizeof(*events));
	if (events)
		s->events = events;
	unsigned char *beyond = realloc(s->beyond, room);
	if (beyond)
		s->beyond = beyond;
	uint32_t *table = calloc(room * 2, sizeof(*table));
	if (!states || !parents || !events || !beyond || !table) {
		free(table);
		return s->failed = 1;
	}
	free(s->table);
	s->table = table;
	s->room = room;
	s->mask = room * 2 - 1;
	for (uint64_t i = 0; i < s->count; i++) {
		uint64_t at = hash(&s->states[i]) & s->mask;

		while (s->table[at])
			at = (at + 1) & s->mask;
		s->table[at] = (uint32_t)i + 1;
	}
	return 0;
}

/* Its number; new ones are added. */
static uint32_t number_of(struct search *s, const struct model_state *state, uint32_t parent,
			  const struct model_event *event)
{
	if (s->count == s->room && grow(s))
		return 0;
	uint64_t at = hash(state) & s->mask;

	for (; s->table[at]; at = (at + 1) & s->mask)
		if (!memcmp(&s->states[s->table[at] - 1], state, sizeof(*state)))
			return s->table[at] - 1;
	s->table[at] = (uint32_t)s->count + 1;
	memcpy(&s->states[s->count], state, sizeof(*state));
	s->parents[s->count] = parent;
	s->events[s->count] = *event;
	s->beyond[s->count] = 0;
	return (uint32_t)s->count++;
}

static void add_bound(struct search *s, uint32_t from, uint32_t to)
{
	if (from == to)
		return;
	if (s->bound_count == s->bound_room) {
		uint64_t room = s->bound_room ? s->bound_room * 2 : 1 << 18;
		struct edge *bound = realloc(s->bound, room * sizeof(*bound));

		if (!bound) {
			s->failed = 1;
			return;
		}
		s->bound = bound;
		s->bound_room = room;
	}
	s->bound[s->bound_count++] = (struct edge){from, to};
}

static int print_path(const struct search *s, uint32_t to, FILE *trace, struct check_result *result)
{
	char event[160], state[800];

	if (!to)
		return 0;
	int steps = print_path(s, s->parents[to], trace, result) + 1;
	if (steps <= CHECK_STEPS)
		result->way[steps - 1] = s->events[to];
	if (trace) {
		model_print_event(&s->events[to], event, sizeof(event));
		model_print_state(&s->states[to], state, sizeof(state));
		fprintf(trace, "  %2d. %s\n      %s\n", steps, event, state);
	}
	return steps;
}

static void found(const struct search *s, uint32_t at, const char *wrong, FILE *trace, struct check_result *result)
{
	if (trace)
		fprintf(trace, "%s: %s:\n", s->rules->name, wrong);
	result->wrong = wrong;
	result->steps = print_path(s, at, trace, result);
}

/* One event of a state, and its crashes. Nonzero when something is wrong. */
static int follow(struct search *s, uint32_t from, struct model_event event, FILE *trace, struct check_result *result)
{
	struct model m = {.rules = s->rules};
	int commits = 0;

	memcpy(&m.s, &s->states[from], sizeof(m.s));
	unsigned char is_bound = model_is_bound_to_come(&m, &event) != 0;

	for (int crash = 0; crash <= commits; crash++) {
		memset(&m, 0, sizeof(m));
		m.rules = s->rules;
		memcpy(&m.s, &s->states[from], sizeof(m.s));
		if (crash && !m.s.crashes)
			break;
		event.crash = (uint8_t)crash;
		model_do(&m, &event);
		if (!crash)
			commits = m.commits;
		result->cut += (uint64_t)m.cut;
		if (m.cut) {
			s->beyond[from] |= is_bound;
			continue;
		}
		result->transitions++;
		model_look(&m);
		model_reduce(&m);
		uint32_t to = number_of(s, &m.s, from, &event);
		if (s->failed)
			return 1;
		if (m.wrong) {
			/* The state may have been there before by a way on which nothing was wrong. */
			if (to != s->count - 1 || s->parents[to] != from) {
				if (trace)
					fprintf(trace, "%s: %s:\n", s->rules->name, m.wrong);
				result->wrong = m.wrong;
				result->steps = print_path(s, from, trace, result) + 1;
				if (result->steps <= CHECK_STEPS)
					result->way[result->steps - 1] = event;
				if (trace) {
					char text[160];

					model_print_event(&event, text, sizeof(text));
					fprintf(trace, "  %2d. %s\n", result->steps, text);
				}
			} else {
				found(s, to, m.wrong, trace, result);
			}
			return 1;
		}
		if (is_bound && !crash)
			add_bound(s, from, to);
	}
	return 0;
}

static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->to < y->to ? -1 : x->to > y->to;
}

/* Backwards from where all is done. */
static void look_for_traps(struct search *s, FILE *trace, struct check_result *result)
{
	uint64_t *first = calloc(s->count + 1, sizeof(*first));
	uint32_t *stack = malloc(s->count * sizeof(*stack));
	uint64_t depth = 0;
	struct model m = {.rules = s->rules};

	s->done = calloc(s->count, 1);
	if (!first || !stack || !s->done) {
		s->failed = 1;
		goto out;
	}
	qsort(s->bound, s->bound_count, sizeof(*s->bound), compare_edges);
	for (uint64_t i = 0; i < s->bound_count; i++)
		first[s->bound[i].to + 1]++;
	for (uint64_t i = 0; i < s->count; i++)
		first[i + 1] += first[i];
	for (uint64_t i = 0; i < s->count; i++) {
		memcpy(&m.s, &s->states[i], sizeof(m.s));
		if (s->beyond[i] || model_is_done(&m)) {
			s->done[i] = 1;
			stack[depth++] = (uint32_t)i;
		}
	}
	while (depth) {
		uint32_t at = stack[--depth];

		for (uint64_t i = first[at]; i < first[at + 1]; i++)
			if (!s->done[s->bound[i].from]) {
				s->done[s->bound[i].from] = 1;
				stack[depth++] = s->bound[i].from;
			}
	}
	for (uint64_t i = 0; i < s->count; i++)
		if (!s->done[i]) {
			found(s, (uint32_t)i, "from here not every order is ever closed, and confirmed or disputed",
			      trace, result);
			break;
		}
out:
	free(first);
	free(stack);
}

int check(const struct model_rules *rules, uint64_t most, FILE *trace, struct check_result *result)
{
	struct search s = {.rules = rules, .most = most};
	struct model_event events[EVENTS];
	struct model m;
	uint64_t layer = 1;

	memset(result, 0, sizeof(*result));
	model_init(&m, rules);
	(void)number_of(&s, &m.s, 0, &(struct model_event){0});
	for (uint64_t i = 0; i < s.count && !s.failed && !result->wrong; i++) {
		if (i == layer) {
			result->depth++;
			layer = s.count;
		}
		if (s.count > most) {
			result->full = 1;
			break;
		}
		memcpy(&m.s, &s.states[i], sizeof(m.s));
		int n = model_events(&m, events, EVENTS);
		if (n > EVENTS)
			s.failed = 1;
		for (int e = 0; e < n && !s.failed && !result->wrong; e++)
			(void)follow(&s, (uint32_t)i, events[e], trace, result);
	}
	if (!s.failed && !result->wrong && !result->full)
		look_for_traps(&s, trace, result);
	result->states = s.count;
	free(s.states);
	free(s.parents);
	free(s.table);
	free(s.events);
	free(s.bound);
	free(s.done);
	free(s.beyond);
	return s.failed;
}
