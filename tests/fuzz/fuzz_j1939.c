/* J1939's transport protocol as a listener hears it: frames with times, between few addresses, so that they meet.
 *
 * Two listeners hear the same; one is asked between the frames what is overdue. They must tell the same (j1939.h: the outcome does
 * not depend on how often j1939_tick is called), and what is delivered must be what the last packets said. */
#include "base/error.h"
#include "bus/j1939.h"
#include "bytes.h"

enum { SESSIONS = 3, LONGEST = 300, TOLD = 512, FRAMES = 400, ADDRESSES = 4, PACKETS = 256, SHORTEST = 4 };

static const uint8_t addresses[ADDRESSES] = {0x56, 0xf4, 0x10, J1939_ALL};

struct told {
	struct j1939_event event;
	uint8_t data[LONGEST];
};

struct heard {
	struct j1939 j;
	struct told told[TOLD];
	int count;
	/* What each pair's packets said since the last request to send. */
	uint8_t packets[ADDRESSES][ADDRESSES][PACKETS][J1939_PACKET];
	uint8_t came[ADDRESSES][ADDRESSES][PACKETS];
	struct j1939_event opened[ADDRESSES][ADDRESSES];
	uint64_t whats[J1939_BROKEN + 1];
};

static struct heard often, seldom;

static int place_of(uint8_t address)
{
	for (int i = 0; i < ADDRESSES; i++)
		if (addresses[i] == address)
			return i;
	return -1;
}

static void check_whole(const struct heard *h, const struct j1939_event *e)
{
	int from = place_of(e->source), to = place_of(e->destination);

	fuzz_check(e->data && e->packets == (e->length + J1939_PACKET - 1) / J1939_PACKET);
	if (from < 0 || to < 0)
		return;
	for (int i = 0; i < e->length; i++) {
		int packet = i / J1939_PACKET + 1;

		fuzz_check(h->came[from][to][packet]);
		fuzz_check(e->data[i] == h->packets[from][to][packet][i % J1939_PACKET]);
	}
}

static void on_event(void *user, const struct j1939_event *e)
{
	struct heard *h = user;

	fuzz_check(e->what <= J1939_BROKEN && e->length >= 1 && e->length <= LONGEST);
	fuzz_check(e->pgn <= J1939_PGN_MAX && e->mono_us >= e->opened_us);
	h->whats[e->what]++;
	if (e->what == J1939_OPENED) {
		int from = place_of(e->source), to = place_of(e->destination);

		if (from >= 0 && to >= 0) {
			memset(h->came[from][to], 0, sizeof(h->came[from][to]));
			h->opened[from][to] = *e;
		}
	}
	if (e->what == J1939_WHOLE)
		check_whole(h, e);
	else
		fuzz_check(!e->data);
	if (h->count < TOLD) {
		struct told *t = &h->told[h->count++];

		t->event = *e;
		t->event.data = NULL;
		memset(t->data, 0, sizeof(t->data));
		if (e->data)
			memcpy(t->data, e->data, e->length);
	}
}

static void note_packet(struct heard *h, uint32_t id, const uint8_t *data, size_t len)
{
	int from = place_of((uint8_t)j1939_source(id)), to = place_of((uint8_t)j1939_destination(id));

	if (from < 0 || to < 0 || len < 2)
		return;
	/* The first of two that differ stands until it is found out; then nothing is delivered. */
	if (h->came[from][to][data[0]])
		return;
	memset(h->packets[from][to][data[0]], 0, J1939_PACKET);
	memcpy(h->packets[from][to][data[0]], data + 1, len - 1);
	h->came[from][to][data[0]] = 1;
}

/* A CTS asks for packets again: those before do not count. */
static void note_control(struct heard *h, uint32_t id, const uint8_t *data, size_t len)
{
	int from = place_of((uint8_t)j1939_destination(id)), to = place_of((uint8_t)j1939_source(id));

	if (len < 8 || data[0] != J1939_CTS || from < 0 || to < 0 || from == to)
		return;
	const struct j1939_event *e = &h->opened[from][to];
	uint32_t pgn = (data[5] | (uint32_t)data[6] << 8 | (uint32_t)data[7] << 16) & J1939_PGN_MAX;
	unsigned packets = (e->length + J1939_PACKET - 1u) / J1939_PACKET;
	if (pgn != e->pgn || !data[2] || data[2] > packets)
		return;
	for (unsigned i = data[2]; i < (unsigned)data[2] + data[1] && i <= packets; i++)
		h->came[from][to][i] = 0;
}

static void hear(struct heard *h, uint32_t id, const uint8_t *data, size_t len, int64_t now_us)
{
	uint8_t *copy = copy_of(data, len, 0);
	uint32_t pgn = j1939_pgn(id);

	/* A packet counts before it is heard, a control frame behind: the other way round a session would be looked at too late. */
	if (pgn == J1939_PGN_TP_DT)
		note_packet(h, id, data, len);
	int taken = j1939_frame(&h->j, id, copy, len, now_us);
	free(copy);
	fuzz_check(taken == (pgn == J1939_PGN_TP_DT || pgn == J1939_PGN_TP_CM));
	if (pgn == J1939_PGN_TP_CM)
		note_control(h, id, data, len);
}

static void check_parts(uint32_t id)
{
	uint32_t again = j1939_id(j1939_priority(id), j1939_pgn(id), j1939_destination(id), j1939_source(id));

	fuzz_check(again == (id & 0x1fffffff));
	fuzz_check(j1939_pgn(id) <= J1939_PGN_MAX && j1939_destination(id) <= J1939_ALL);
}

static void check_counts(const struct heard *h)
{
	const struct j1939_stats *s = &h->j.stats;
	uint64_t open = j1939_due(&h->j) != INT64_MAX;

	fuzz_check(s->opened == h->whats[J1939_OPENED] && s->whole == h->whats[J1939_WHOLE]);
	fuzz_check(s->restarted == h->whats[J1939_RESTARTED] && s->aborted == h->whats[J1939_ABORTED]);
	fuzz_check(s->timed_out == h->whats[J1939_TIMED_OUT] && s->broken == h->whats[J1939_BROKEN]);
	uint64_t ended = s->whole + s->restarted + s->aborted + s->timed_out + s->broken + s->evicted;
	fuzz_check(s->opened >= ended + open && s->opened <= ended + SESSIONS);
}

static int is_same(const struct told *a, const struct told *b)
{
	const struct j1939_event *x = &a->event, *y = &b->event;

	return x->what == y->what && x->pgn == y->pgn && x->source == y->source && x->destination == y->destination &&
	       x->reason == y->reason && x->by_source == y->by_source && x->answered == y->answered &&
	       x->length == y->length && x->packets == y->packets && x->mono_us == y->mono_us &&
	       x->opened_us == y->opened_us && !memcmp(a->data, b->data, sizeof(a->data));
}

static void one_frame(struct fuzz_input *b, int64_t *now_us)
{
	uint8_t what = take_u8(b), pair = take_u8(b), data[8] = {0};
	uint32_t pgn = what & 1 ? J1939_PGN_TP_DT : J1939_PGN_TP_CM;
	size_t len = 8;
	uint32_t id = j1939_id(7, pgn, addresses[pair >> 2 & 3], addresses[pair & 3]);

	/* A time that goes back counts as the one before. */
	*now_us += (int64_t)(what >> 4) * (what >> 4) * 20000 - (what == 0xff ? 3000000 : 0);
	if ((what & 14) == 14) { /* anything */
		id = take_u32(b) & 0x1fffffff;
		len = pair % 9;
		take_into(b, data, len);
	} else if (pgn == J1939_PGN_TP_DT) {
		data[0] = (uint8_t)(take_u8(b) % 50);
		take_into(b, data + 1, 7);
		len = pair >> 4 == 15 ? (size_t)(pair % 9) : 8;
	} else {
		static const uint8_t controls[] = {J1939_RTS, J1939_BAM, J1939_CTS, J1939_ACK, J1939_ABORT, J1939_RTS};
		uint16_t length = (uint16_t)(take_u16(b) % 400);

		data[0] = controls[pair >> 4 < 6 ? pair >> 4 : 0];
		data[1] = (uint8_t)length;
		data[2] = (uint8_t)(length >> 8);
		data[3] = (uint8_t)((length + 6) / 7);
		if (data[0] == J1939_CTS || (what & 12) == 12) { /* these count packets in the same places */
			data[1] = take_u8(b);
			data[2] = take_u8(b);
			data[3] = take_u8(b);
		}
		data[6] = (uint8_t)(take_u8(b) & 3);
	}
	check_parts(id);
	hear(&seldom, id, data, len, *now_us);
	hear(&often, id, data, len, *now_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input b = {.data = data, .left = size};
	int64_t now_us = 1000000;

	if (size < SHORTEST)
		return 0;
	memset(&often, 0, sizeof(often));
	memset(&seldom, 0, sizeof(seldom));
	fuzz_check(!j1939_init(&often.j, SESSIONS, LONGEST, on_event, &often));
	fuzz_check(!j1939_init(&seldom.j, SESSIONS, LONGEST, on_event, &seldom));
	for (int i = 0; i < FRAMES && b.left; i++) {
		int64_t before_us = now_us;

		one_frame(&b, &now_us);
		for (int64_t t = before_us + 70000; t < now_us; t += 70000)
			j1939_tick(&often.j, t);
		j1939_tick(&often.j, now_us);
	}
	j1939_tick(&often.j, now_us + 10000000);
	j1939_tick(&seldom.j, now_us + 10000000);
	fuzz_check(j1939_due(&often.j) == INT64_MAX && j1939_due(&seldom.j) == INT64_MAX);
	check_counts(&often);
	check_counts(&seldom);
	fuzz_check(often.count == seldom.count && !memcmp(&often.j.stats, &seldom.j.stats, sizeof(seldom.j.stats)));
	for (int i = 0; i < often.count; i++)
		fuzz_check(is_same(&often.told[i], &seldom.told[i]));
	j1939_fini(&often.j);
	j1939_fini(&seldom.j);
	return 0;
}
