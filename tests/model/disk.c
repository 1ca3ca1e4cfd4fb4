/* The journal and the outbox (core/store): what is there after a power cut, transaction by transaction. */
#include <string.h>

#include "inside.h"

enum model_outbox disk_outbox(const struct model *m, int platform, int order)
{
	return (enum model_outbox)(m->s.order[order].outbox >> 2 * platform & 3);
}

void disk_set_outbox(struct model *m, int platform, int order, enum model_outbox state)
{
	unsigned all = m->s.order[order].outbox & ~(3u << 2 * platform);

	m->s.order[order].outbox = (all | (unsigned)state << 2 * platform) & ((1u << 2 * MODEL_PLATFORMS) - 1);
}

int disk_is_settling(const struct model *m, int platform, int order)
{
	return m->s.settles >> (platform * MODEL_ORDERS + order) & 1;
}

void disk_settle(struct model *m, int platform, int order, int is_on)
{
	unsigned bit = 1u << (platform * MODEL_ORDERS + order);

	m->s.settles =
	    (is_on ? m->s.settles | bit : m->s.settles & ~bit) & ((1u << MODEL_PLATFORMS * MODEL_ORDERS) - 1);
}

void disk_ride(struct model *m)
{
	for (int p = 0; p < MODEL_PLATFORMS; p++)
		for (int o = 0; o < MODEL_ORDERS; o++)
			if (disk_is_settling(m, p, o))
				disk_set_outbox(m, p, o, MODEL_CONFIRMED);
	m->s.settles = 0;
}

void disk_committed(struct model *m)
{
	m->commits++;
	if (m->commits == m->crash_at)
		longjmp(m->dead, DIED);
}

static void insert(struct model *m, int k, int order, const struct model_record *record)
{
	m->s.order[order].exists = 1;
	m->s.order[order].closed = 0;
	m->s.order[order].connector = k ? 1 : 0;
	m->s.order[order].row = ++m->s.rows & 7;
	m->s.order[order].record = *record;
	/* end_wall is 0 in the row of an order that is opened. */
	m->s.order[order].record.ended = 0;
}

int disk_open(struct model *m, int k, int order, const struct model_record *record)
{
	if (m->s.disk_full || (m->s.order[order].exists && !model_has(m, MODEL_NO_REPEATS)))
		return -1;
	model_claim(m, !m->s.order[order].exists, "an order is opened a second time under its number");
	for (int o = 0; o < MODEL_ORDERS; o++)
		model_claim(m, !m->s.order[o].exists || m->s.order[o].closed || m->s.order[o].connector != k,
			    "two orders are open on one connector");
	insert(m, k, order, record);
	disk_ride(m);
	disk_committed(m);
	return 0;
}

int disk_note(struct model *m, int order, const struct model_record *record)
{
	if (m->s.disk_full || !m->s.order[order].exists || m->s.order[order].closed)
		return -1;
	m->same += !memcmp(&m->s.order[order].record, record, sizeof(*record));
	m->s.order[order].record = *record;
	disk_committed(m);
	return 0;
}

static void send_to_all(struct model *m, int order)
{
	for (int p = 0; p < m->rules->platforms; p++)
		disk_set_outbox(m, p, order, MODEL_WAITING);
}

int disk_close(struct model *m, int order, const struct model_record *record, int is_told)
{
	if (m->s.disk_full)
		return -1;
	model_claim(m, m->s.order[order].exists && !m->s.order[order].closed, "an order is closed a second time");
	model_claim(m, !m->s.order[order].nobodys || !is_told, "what went by unseen is told to a platform");
	m->s.order[order].record = *record;
	m->s.order[order].closed = 1;
	m->s.order[order].sent = ++m->s.sents & 7;
	m->s.order[order].stop_owed = 0;
	if (is_told && !model_has(m, MODEL_OUTBOX_APART))
		send_to_all(m, order);
	disk_ride(m);
	disk_committed(m);
	if (is_told && model_has(m, MODEL_OUTBOX_APART)) {
		send_to_all(m, order);
		disk_committed(m);
	}
	return 0;
}

int disk_keep(struct model *m, int k, int order, const struct model_record *record)
{
	if (m->s.disk_full)
		return -1;
	m->s.order[order].nobodys = 1;
	insert(m, k, order, record);
	if (model_has(m, MODEL_UNSEEN_IN_TWO)) {
		disk_ride(m);
		disk_committed(m);
		return disk_close(m, order, record, 0);
	}
	m->s.order[order].record.ended = 1;
	m->s.order[order].closed = 1;
	m->s.order[order].sent = ++m->s.sents & 7;
	disk_ride(m);
	disk_committed(m);
	return 0;
}

int disk_flush(struct model *m)
{
	if (!m->s.settles)
		return 0;
	if (m->s.disk_full)
		return -1;
	disk_ride(m);
	disk_committed(m);
	return 0;
}

int disk_last(const struct model *m, int k)
{
	int by_row = model_has(m, MODEL_LAST_BY_ROW), last = MODEL_NONE;
	unsigned best = 0;

	for (int o = 0; o < MODEL_ORDERS; o++) {
		unsigned at = by_row ? m->s.order[o].row : m->s.order[o].sent;

		if (!m->s.order[o].closed || m->s.order[o].connector != k || !m->s.order[o].record.wh || at <= best)
			continue;
		best = at;
		last = o;
	}
	return last;
}

int disk_first(const struct model *m, int platform, unsigned among)
{
	int first = MODEL_NONE;

	for (int o = 0; o < MODEL_ORDERS; o++)
		if (among >> o & 1 && disk_outbox(m, platform, o) == MODEL_WAITING &&
		    !disk_is_settling(m, platform, o) &&
		    (first == MODEL_NONE || m->s.order[o].sent < m->s.order[first].sent))
			first = o;
	return first;
}
