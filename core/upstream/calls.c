#include "upstream/calls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROOM = 16, /* such a part of the entries is made free at once, so that it is done rarely */
	KINDS = 128,
	PLACES = 512, /* more than kinds, so that the search for one ends */
};

struct calls {
	int most, count;
	uint64_t newest;
	unsigned char *kind_of; /* of each entry, while room is made */
	struct call entries[];  /* by id */
};

const char *call_outcome_name(enum call_outcome outcome)
{
	switch (outcome) {
	case CALL_ACCEPTED:
		return "accepted";
	case CALL_REFUSED:
		return "refused";
	case CALL_UNREACHED:
		return "unreached";
	case CALL_BUSY:
		return "busy";
	case CALL_TOKEN:
		return "token";
	case CALL_HELD:
		return "held";
	}
	return "unknown";
}

struct calls *calls_new(int most)
{
	struct calls *c = calloc(1, sizeof(*c) + (size_t)most * sizeof(c->entries[0]));

	if (c)
		c->kind_of = malloc((size_t)most);
	if (!c || !c->kind_of) {
		free(c);
		return NULL;
	}
	c->most = most;
	return c;
}

void calls_free(struct calls *c)
{
	if (c)
		free(c->kind_of);
	free(c);
}

static int same_kind(const struct call *a, const struct call *b)
{
	return a->message == b->message && a->direction == b->direction &&
	       (a->outcome == CALL_ACCEPTED) == (b->outcome == CALL_ACCEPTED) && !strcmp(a->platform, b->platform);
}

struct kind {
	const struct call *call; /* one of it */
	int count;
};

/* Where its kind is looked for first. */
static unsigned place_of(const struct call *call)
{
	unsigned hash = (unsigned)((uintptr_t)call->message / sizeof(*call->message)) * 31 +
			(unsigned)call->direction * 2 + (call->outcome == CALL_ACCEPTED);

	for (const char *p = call->platform; *p; p++)
		hash = hash * 31 + (unsigned char)*p;
	return hash % PLACES;
}

/* The kind of each entry; what has no room in the table is of the last one. Returns how many. */
static int tally(const struct calls *c, struct kind *kinds, unsigned char *of)
{
	unsigned char places[PLACES] = {0}; /* a kind's number plus 1 */
	int count = 0;

	for (int i = 0; i < c->count; i++) {
		unsigned at = place_of(&c->entries[i]);

		while (places[at] && !same_kind(kinds[places[at] - 1].call, &c->entries[i]))
			at = (at + 1) % PLACES;
		if (!places[at] && count < KINDS) {
			kinds[count++] = (struct kind){.call = &c->entries[i]};
			places[at] = (unsigned char)count;
		}
		int k = places[at] ? places[at] - 1 : KINDS - 1;
		kinds[k].count++;
		of[i] = (unsigned char)k;
	}
	return count;
}

/* The largest kind loses its oldest, so many times. */
static void make_room(struct calls *c)
{
	int wanted = c->most / ROOM > 0 ? c->most / ROOM : 1, kept = 0;
	struct kind kinds[KINDS] = {0};
	int drop[KINDS] = {0}, count = tally(c, kinds, c->kind_of);

	while (wanted--) {
		int largest = 0;

		for (int k = 1; k < count; k++)
			if (kinds[k].count > kinds[largest].count)
				largest = k;
		kinds[largest].count--;
		drop[largest]++;
	}
	for (int i = 0; i < c->count; i++) {
		if (drop[c->kind_of[i]]-- > 0)
			continue;
		if (kept != i)
			c->entries[kept] = c->entries[i];
		kept++;
	}
	c->count = kept;
}

uint64_t calls_add(struct calls *c, const struct call *call)
{
	if (!c)
		return 0;
	if (c->count == c->most)
		make_room(c);
	c->entries[c->count] = *call;
	c->entries[c->count++].id = ++c->newest;
	return c->newest;
}

uint64_t calls_newest(const struct calls *c)
{
	return c ? c->newest : 0;
}

const struct call *calls_next(const struct calls *c, uint64_t after)
{
	int low = 0, high = c ? c->count : 0;

	while (low < high) {
		int middle = (low + high) / 2;

		if (c->entries[middle].id <= after)
			low = middle + 1;
		else
			high = middle;
	}
	return c && low < c->count ? &c->entries[low] : NULL;
}

const struct call *calls_find(const struct calls *c, uint64_t id)
{
	const struct call *call = id ? calls_next(c, id - 1) : NULL;

	return call && call->id == id ? call : NULL;
}
