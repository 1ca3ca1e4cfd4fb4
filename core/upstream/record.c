#include "upstream/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "upstream/mask.h"

enum {
	SOURCES = 32, /* platforms with their mappings' versions; with more the oldest is forgotten */
	KINDS = 512,
	MESSAGES = 64, /* more than there are: the rest would count as one kind */
	MESSAGE_PARTS = MESSAGE_ANSWER + 1,
	NAME = 64,
	HASH = 65,
	PARTS = 4, /* an entry is such a part of the block at most */
	ROOM = 8,  /* such a part of the block is made free at once, so that it is done rarely */
	ALIGN = 8,
};

/* Who sent or got it, by which version of which mapping. */
struct source {
	char platform[NAME], mapping[NAME], hash[HASH];
	uint64_t last; /* number of its newest message; 0 = free */
};

/* In the block, followed by the texts before, after and refused, and filled up to ALIGN. */
struct entry {
	uint64_t number;
	int64_t wall;
	uint32_t size; /* of all of it */
	uint32_t before, after, refused;
	uint32_t next; /* where the next one of its kind is, when there is one */
	uint16_t message;
	uint8_t part, direction, failed, source, dead;
};

/* What each kind takes up, and where its oldest and its newest are. */
struct kind {
	int count;
	size_t bytes, oldest, newest;
};

/* Kept with each message, and made anew where entries move, so that no entry is ever looked for. */
struct tally {
	struct kind kinds[KINDS];
	int count;
	uint8_t platform[SOURCES];                          /* of a source: the first one of the same platform */
	uint16_t kind_of[SOURCES][MESSAGES][MESSAGE_PARTS]; /* place in kinds plus 1 */
};

struct recorder {
	struct mask mask;
	unsigned char *block; /* entries in the order of time, the dead ones among them */
	size_t size, used, dead;
	struct tally *tally; /* there with the block */
	uint64_t number;
	struct recorder_counts counts;
	struct source sources[SOURCES];
	struct buffer text; /* of the entry that is being made */
};

struct recorder *recorder_new(size_t bytes)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r || mask_init(&r->mask)) {
		free(r);
		return NULL;
	}
	r->size = bytes / ALIGN * ALIGN;
	buffer_init(&r->text, r->size / PARTS);
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	explicit_bzero(&r->mask, sizeof(r->mask));
	buffer_fini(&r->text);
	free(r->tally);
	free(r->block);
	free(r);
}

size_t recorder_bytes(const struct recorder *r)
{
	return r ? r->size : 0;
}

struct recorder_counts recorder_counts(const struct recorder *r)
{
	return r->counts;
}

/* The block ------------------------------------------------------------------------------------------------------------ */

static struct entry *entry_at(const struct recorder *r, size_t at)
{
	/* Entries are aligned, and so is the block. */
	return (struct entry *)(void *)(r->block + at);
}

static void kill_entry(struct recorder *r, struct entry *e)
{
	e->dead = 1;
	r->dead += e->size;
	r->counts.held--;
	r->counts.dropped++;
}

static void begin_tally(struct recorder *r)
{
	struct tally *t = r->tally;

	memset(t, 0, sizeof(*t));
	/* Another version of a mapping is still the same platform. */
	for (int i = 0; i < SOURCES; i++) {
		int first = 0;

		while (first < i && strcmp(r->sources[first].platform, r->sources[i].platform) != 0)
			first++;
		t->platform[i] = (uint8_t)first;
	}
}

/* What has no room in the table is of the last kind. */
static struct kind *kind_of(struct tally *t, const struct entry *e)
{
	unsigned message = e->message < MESSAGES ? e->message : MESSAGES - 1;
	uint16_t *place = &t->kind_of[t->platform[e->source]][message][e->part];

	if (!*place)
		*place = (uint16_t)(t->count < KINDS ? ++t->count : KINDS);
	return &t->kinds[*place - 1];
}

/* The newest of all so far. */
static void count_in(struct recorder *r, size_t at)
{
	const struct entry *e = entry_at(r, at);
	struct kind *kind = kind_of(r->tally, e);

	if (kind->count++)
		entry_at(r, kind->newest)->next = (uint32_t)at;
	else
		kind->oldest = at;
	kind->newest = at;
	kind->bytes += e->size;
}

static void count_all(struct recorder *r)
{
	begin_tally(r);
	for (size_t at = 0; at < r->used; at += entry_at(r, at)->size)
		if (!entry_at(r, at)->dead)
			count_in(r, at);
}

static void compact(struct recorder *r)
{
	size_t to = 0;

	begin_tally(r);
	for (size_t at = 0; at < r->used;) {
		struct entry *e = entry_at(r, at);
		size_t size = e->size;

		if (!e->dead) {
			if (to != at)
				memmove(r->block + to, r->block + at, size);
			count_in(r, to);
			to += size;
		}
		at += size;
	}
	r->used = to;
	r->dead = 0;
}

/* The kinds with more than one, as a heap with the largest on top, so that not all of them are looked at for each that is dropped. */
struct heap {
	struct kind *kinds[KINDS];
	int count;
};

static void sift_down(struct heap *h, int at)
{
	struct kind *kind = h->kinds[at];

	for (int below; (below = 2 * at + 1) < h->count; at = below) {
		if (below + 1 < h->count && h->kinds[below + 1]->bytes > h->kinds[below]->bytes)
			below++;
		if (h->kinds[below]->bytes <= kind->bytes)
			break;
		h->kinds[at] = h->kinds[below];
	}
	h->kinds[at] = kind;
}

static void make_heap(struct heap *h, struct tally *t)
{
	h->count = 0;
	for (struct kind *k = t->kinds; k < t->kinds + t->count; k++)
		if (k->count > 1)
			h->kinds[h->count++] = k;
	for (int i = h->count / 2; i--;)
		sift_down(h, i);
}

/* NULL: there is none. */
static struct kind *find_oldest(struct tally *t)
{
	struct kind *oldest = NULL;

	for (struct kind *k = t->kinds; k < t->kinds + t->count; k++)
		if (k->count && (!oldest || k->oldest < oldest->oldest))
			oldest = k;
	return oldest;
}

static void drop_oldest(struct recorder *r, struct kind *kind)
{
	struct entry *e = entry_at(r, kind->oldest);

	kind->bytes -= e->size;
	kill_entry(r, e);
	if (--kind->count)
		kind->oldest = e->next;
}

/* The largest kind of those with more than one loses its oldest; else whichever is the oldest. 0: there is nothing left. */
static int drop_one(struct recorder *r, struct heap *h)
{
	struct kind *victim = h->count ? h->kinds[0] : find_oldest(r->tally);

	if (!victim)
		return 0;
	drop_oldest(r, victim);
	if (!h->count)
		return 1;
	if (victim->count == 1)
		h->kinds[0] = h->kinds[--h->count];
	if (h->count)
		sift_down(h, 0);
	return 1;
}

static int make_room(struct recorder *r, size_t size)
{
	size_t wanted = size > r->size / ROOM ? size : r->size / ROOM;
	struct heap heap;

	if (!r->tally)
		r->tally = calloc(1, sizeof(*r->tally));
	if (!r->block)
		r->block = calloc(1, r->size);
	if (!r->block || !r->tally)
		return FC_ENOMEM;
	if (r->size - r->used >= size)
		return FC_OK;
	make_heap(&heap, r->tally);
	while (r->size - r->used + r->dead < wanted && drop_one(r, &heap))
		;
	compact(r);
	return r->size - r->used >= size ? FC_OK : FC_ELIMIT;
}

/* Sources -------------------------------------------------------------------------------------------------------------- */

static int is_source(const struct source *s, const struct record *m)
{
	return s->last && !strcmp(s->platform, m->platform) && !strcmp(s->mapping, m->mapping) &&
	       !strcmp(s->hash, m->hash);
}

static void forget_source(struct recorder *r, int index)
{
	for (size_t at = 0; at < r->used; at += entry_at(r, at)->size)
		if (!entry_at(r, at)->dead && entry_at(r, at)->source == index)
			kill_entry(r, entry_at(r, at));
}

static int find_source(struct recorder *r, const struct record *m)
{
	int at = 0;

	for (int i = 0; i < SOURCES; i++) {
		if (is_source(&r->sources[i], m))
			return i;
		if (r->sources[i].last < r->sources[at].last)
			at = i;
	}
	struct source *s = &r->sources[at];
	if (s->last)
		forget_source(r, at);
	(void)snprintf(s->platform, sizeof(s->platform), "%s", m->platform);
	(void)snprintf(s->mapping, sizeof(s->mapping), "%s", m->mapping);
	(void)snprintf(s->hash, sizeof(s->hash), "%s", m->hash);
	count_all(r);
	return at;
}

/* Noting --------------------------------------------------------------------------------------------------------------- */

void recorder_note(struct recorder *r, const struct record *m)
{
	const struct schema *schema;
	struct personal_ids ids = {.count = 0};
	struct entry e = {0};

	if (!r)
		return;
	r->counts.noted++;
	schema = message_schema(m->message, m->part);
	personal_learn(&ids, schema, m->before);
	personal_learn(&ids, schema, m->after);
	buffer_clear(&r->text);
	mask_write(&r->mask, &ids, schema, m->before, &r->text);
	e.before = (uint32_t)r->text.len;
	if (m->after)
		mask_write(&r->mask, &ids, schema, m->after, &r->text);
	e.after = (uint32_t)r->text.len - e.before;
	/* It names a place, and may quote a key of theirs. */
	if (m->refused)
		mask_write(&r->mask, &ids, NULL,
			   &(struct value){.type = VALUE_STRING, .text = m->refused, .len = strlen(m->refused)},
			   &r->text);
	e.refused = (uint32_t)r->text.len - e.before - e.after;
	size_t size = (sizeof(e) + r->text.len + ALIGN - 1) / ALIGN * ALIGN;
	if (r->text.failed || size > r->size / PARTS || make_room(r, size)) {
		r->counts.too_large++;
		return;
	}
	int source = find_source(r, m);
	e.number = r->sources[source].last = ++r->number;
	e.wall = clock_wall();
	e.size = (uint32_t)size;
	e.message = (uint16_t)message_index(m->message);
	e.part = (uint8_t)m->part;
	e.direction = (uint8_t)m->direction;
	e.failed = (uint8_t)(m->failed != 0);
	e.source = (uint8_t)source;
	memcpy(r->block + r->used, &e, sizeof(e));
	memcpy(r->block + r->used + sizeof(e), r->text.data, r->text.len);
	count_in(r, r->used);
	r->used += size;
	r->counts.held++;
}

/* Telling -------------------------------------------------------------------------------------------------------------- */

static void put_text(struct buffer *out, const char *key, const char *text)
{
	(void)buffer_printf(out, ",\"%s\":", key);
	(void)json_write(out, &(struct value){.type = VALUE_STRING, .text = text, .len = strlen(text)});
}

static int write_line(const struct recorder *r, const struct entry *e, struct buffer *out)
{
	const struct source *source = &r->sources[e->source];
	const struct message *message = message_at(e->message);
	const char *text = (const char *)(e + 1);
	char when[CLOCK_DATETIME_SIZE];

	clock_format_datetime(e->wall, when);
	(void)buffer_printf(out, "{\"record\":\"message\",\"number\":%llu,\"time\":\"%s\",\"wall\":%lld",
			    (unsigned long long)e->number, when, (long long)e->wall);
	put_text(out, "platform", source->platform);
	put_text(out, "method", message ? message->method : "");
	put_text(out, "part", message_part_name((enum message_part)e->part));
	put_text(out, "direction", e->direction == MAPPING_OUT ? "out" : "in");
	put_text(out, "mapping", source->mapping);
	put_text(out, "hash", source->hash);
	if (e->failed)
		(void)buffer_text(out, ",\"failed\":true");
	(void)buffer_text(out, ",\"before\":");
	(void)buffer_add(out, text, e->before);
	if (e->after) {
		(void)buffer_text(out, ",\"after\":");
		(void)buffer_add(out, text + e->before, e->after);
	}
	if (e->refused) {
		(void)buffer_text(out, ",\"refused\":");
		(void)buffer_add(out, text + e->before + e->after, e->refused);
	}
	return buffer_text(out, "}");
}

static const struct entry *entry_behind(const struct recorder *r, uint64_t *number)
{
	for (size_t at = 0; r && at < r->used; at += entry_at(r, at)->size) {
		const struct entry *e = entry_at(r, at);

		if (e->dead || e->number <= *number)
			continue;
		*number = e->number;
		return e;
	}
	return NULL;
}

int recorder_line(const struct recorder *r, uint64_t *number, struct buffer *out)
{
	const struct entry *e = entry_behind(r, number);

	return e ? write_line(r, e, out) : FC_ENOENT;
}

static void tell(const struct recorder *r, const struct entry *e, struct recorded *out)
{
	const struct source *source = &r->sources[e->source];
	const char *text = (const char *)(e + 1);

	*out = (struct recorded){.wall = e->wall,
				 .platform = source->platform,
				 .mapping = source->mapping,
				 .hash = source->hash,
				 .message = message_at(e->message),
				 .part = (enum message_part)e->part,
				 .direction = (enum mapping_direction)e->direction,
				 .before = text,
				 .before_len = e->before,
				 .after = text + e->before,
				 .after_len = e->after,
				 .refused = text + e->before + e->after,
				 .refused_len = e->refused,
				 .failed = e->failed};
}

int recorder_next(const struct recorder *r, uint64_t *number, struct recorded *out)
{
	const struct entry *e = entry_behind(r, number);

	if (!e)
		return FC_ENOENT;
	tell(r, e, out);
	return FC_OK;
}

uint64_t recorder_newest(const struct recorder *r)
{
	return r ? r->number : 0;
}

int recorder_get(const struct recorder *r, uint64_t number, struct recorded *out)
{
	for (size_t at = 0; r && number && at < r->used; at += entry_at(r, at)->size) {
		const struct entry *e = entry_at(r, at);

		if (e->dead || e->number != number)
			continue;
		tell(r, e, out);
		return FC_OK;
	}
	return FC_ENOENT;
}

int recorder_mask(const struct recorder *r, const struct schema *schema, const struct value *tree, struct buffer *out)
{
	struct personal_ids ids = {.count = 0};

	if (!r)
		return FC_ENOENT;
	personal_learn(&ids, schema, tree);
	mask_write(&r->mask, &ids, schema, tree, out);
	return out->failed ? FC_ELIMIT : FC_OK;
}
