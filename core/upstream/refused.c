#include "upstream/refused.h"

#include <string.h>

#include "base/hash.h"

static int place_of(const struct refused *r, int64_t id)
{
	for (int i = 0; i < r->count; i++)
		if (r->list[i].id == id)
			return i;
	return -1;
}

/* Below 0: there is no room. */
static int place_for(struct refused *r, int64_t id)
{
	int at = place_of(r, id);

	if (at >= 0 || r->count == REFUSED_MOST)
		return at;
	r->list[r->count].id = id;
	r->list[r->count].due_ms = 0;
	r->list[r->count].text = 0;
	r->list[r->count].in_row = 0;
	return r->count++;
}

int64_t refused_note(struct refused *r, int64_t id, int64_t due_ms, int64_t pause_ms)
{
	int64_t all_ms = REFUSED_PAUSE_MS;
	int at = place_for(r, id);

	if (at >= 0)
		r->list[at].due_ms = due_ms;
	else if (due_ms > r->rest_due_ms)
		r->rest_due_ms = due_ms;
	r->row += at < 0 || !r->list[at].in_row;
	if (at >= 0)
		r->list[at].in_row = 1;
	if (r->row < 2)
		return 0;
	for (int i = 2; i < r->row && all_ms < REFUSED_PAUSE_MOST_MS; i++)
		all_ms *= 2;
	all_ms = all_ms < REFUSED_PAUSE_MOST_MS ? all_ms : REFUSED_PAUSE_MOST_MS;
	return all_ms < pause_ms ? all_ms : pause_ms;
}

int refused_was(const struct refused *r, const struct outbox_entry *entry)
{
	return entry->attempts || place_of(r, entry->id) >= 0;
}

int refused_waits(const struct refused *r, const struct outbox_entry *entry, int64_t now_ms, int64_t *due_ms)
{
	int at = place_of(r, entry->id);

	if (at < 0 && !entry->attempts)
		return 0;
	*due_ms = at < 0 ? r->rest_due_ms : r->list[at].due_ms;
	return now_ms < *due_ms;
}

int refused_is_news(struct refused *r, int64_t id, const char *text)
{
	uint64_t hash = hash_more(HASH_BEGIN, text, strlen(text)) | 1;
	int at = place_for(r, id);

	if (at < 0 || r->list[at].text == hash)
		return at < 0;
	r->list[at].text = hash;
	return 1;
}

void refused_drop(struct refused *r, int64_t id)
{
	int at = place_of(r, id);

	if (at >= 0)
		r->list[at] = r->list[--r->count];
}

void refused_taken(struct refused *r, const struct outbox_entry *entry)
{
	r->row = 0;
	for (int i = 0; i < r->count; i++)
		r->list[i].in_row = 0;
	refused_drop(r, entry->id);
	if (entry->attempts)
		refused_forget(r);
}

void refused_forget(struct refused *r)
{
	r->rest_due_ms = 0;
	for (int i = 0; i < r->count; i++)
		r->list[i].due_ms = 0;
}
