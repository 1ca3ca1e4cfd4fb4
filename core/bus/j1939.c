#include "bus/j1939.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { FRAME = 8, BITS = 8, PDU2 = 240, LENGTH_MIN = 1, PACKETS_MAX = 255, ABORT_REASON = 1 };

struct j1939_session {
	uint8_t used, broadcast, answered;
	uint8_t source, destination;
	uint8_t packets; /* announced */
	uint8_t have;    /* came */
	uint8_t next;    /* expected now */
	uint8_t until;   /* last packet that the receiver has asked for; 0: not known */
	uint16_t length;
	uint32_t pgn;
	int64_t opened_us, heard_us, due_us;
	uint8_t came[PACKETS_MAX / BITS + 1];
	uint8_t *data;
};

unsigned j1939_priority(uint32_t id)
{
	return id >> 26 & 7;
}

unsigned j1939_pf(uint32_t id)
{
	return id >> 16 & 0xff;
}

unsigned j1939_ps(uint32_t id)
{
	return id >> 8 & 0xff;
}

unsigned j1939_source(uint32_t id)
{
	return id & 0xff;
}

unsigned j1939_destination(uint32_t id)
{
	return j1939_pf(id) < PDU2 ? j1939_ps(id) : J1939_ALL;
}

uint32_t j1939_pgn(uint32_t id)
{
	return id >> 8 & (j1939_pf(id) < PDU2 ? 0x3ff00 : 0x3ffff);
}

uint32_t j1939_id(unsigned priority, uint32_t pgn, unsigned destination, unsigned source)
{
	uint32_t id = (uint32_t)(priority & 7) << 26 | (pgn & J1939_PGN_MAX) << 8 | (source & 0xff);

	return (pgn >> 8 & 0xff) < PDU2 ? (id & ~0xff00u) | (uint32_t)(destination & 0xff) << 8 : id;
}

int j1939_init(struct j1939 *j, int sessions, int longest, void (*event)(void *user, const struct j1939_event *event),
	       void *user)
{
	*j = (struct j1939){.event = event, .user = user};
	if (sessions < 1 || sessions > 0xffff || longest < 1 || longest > J1939_MESSAGE_MAX)
		return FC_EINVAL;
	j->sessions = calloc((size_t)sessions, sizeof(*j->sessions));
	j->buffers = calloc((size_t)sessions, (size_t)longest);
	if (!j->sessions || !j->buffers) {
		j1939_fini(j);
		return FC_ENOMEM;
	}
	j->count = sessions;
	j->longest = longest;
	j->now_us = INT64_MIN;
	for (int i = 0; i < sessions; i++)
		j->sessions[i].data = j->buffers + (size_t)i * (size_t)longest;
	return FC_OK;
}

void j1939_fini(struct j1939 *j)
{
	free(j->sessions);
	free(j->buffers);
	j->sessions = NULL;
	j->buffers = NULL;
	j->count = 0;
}

void j1939_reset(struct j1939 *j)
{
	for (int i = 0; i < j->count; i++)
		j->sessions[i].used = 0;
}

static void tell(struct j1939 *j, const struct j1939_session *s, enum j1939_what what, int64_t mono_us, unsigned reason,
		 int by_source)
{
	struct j1939_event e = {
	    .what = what,
	    .pgn = s->pgn,
	    .source = s->source,
	    .destination = s->destination,
	    .reason = (uint8_t)reason,
	    .by_source = (uint8_t)by_source,
	    .answered = s->answered,
	    .length = s->length,
	    .packets = s->have,
	    .data = what == J1939_WHOLE ? s->data : NULL,
	    .mono_us = mono_us,
	    .opened_us = s->opened_us,
	};

	if (j->event)
		j->event(j->user, &e);
}

static void end(struct j1939 *j, struct j1939_session *s, enum j1939_what what, int64_t mono_us)
{
	s->used = 0;
	switch (what) {
	case J1939_WHOLE:
		j->stats.whole++;
		j->stats.whole_bytes += s->length;
		break;
	case J1939_RESTARTED:
		j->stats.restarted++;
		break;
	case J1939_TIMED_OUT:
		j->stats.timed_out++;
		break;
	case J1939_BROKEN:
		j->stats.broken++;
		break;
	case J1939_OPENED:
	case J1939_ABORTED:
		break;
	}
	tell(j, s, what, mono_us, 0, 0);
}

static struct j1939_session *find(const struct j1939 *j, unsigned source, unsigned destination)
{
	for (int i = 0; i < j->count; i++) {
		struct j1939_session *s = &j->sessions[i];

		if (s->used && s->source == source && s->destination == destination)
			return s;
	}
	return NULL;
}

static void wait_ms(const struct j1939 *j, struct j1939_session *s, int ms)
{
	s->due_us = j->now_us > INT64_MAX - ms * 1000LL ? INT64_MAX : j->now_us + ms * 1000LL;
}

/* A free one, or the one that was silent longest. */
static struct j1939_session *place(struct j1939 *j)
{
	struct j1939_session *oldest = &j->sessions[0];

	for (int i = 0; i < j->count; i++) {
		struct j1939_session *s = &j->sessions[i];

		if (!s->used)
			return s;
		if (s->heard_us < oldest->heard_us)
			oldest = s;
	}
	j->stats.evicted++;
	return oldest;
}

static uint32_t pgn_of(const uint8_t *data)
{
	return ((uint32_t)data[5] | (uint32_t)data[6] << 8 | (uint32_t)data[7] << 16) & J1939_PGN_MAX;
}

static void open_session(struct j1939 *j, unsigned source, unsigned destination, const uint8_t *data)
{
	struct j1939_session *s = find(j, source, destination);
	unsigned length = data[1] | (unsigned)data[2] << 8, packets = data[3];
	uint8_t *buffer;

	/* chargers.md 2.4: a new RTS ends the message before it without a word. */
	if (s)
		end(j, s, J1939_RESTARTED, j->now_us);
	if (length < LENGTH_MIN || length > (unsigned)j->longest ||
	    packets != (length + J1939_PACKET - 1) / J1939_PACKET) {
		j->stats.refused++;
		return;
	}
	s = place(j);
	buffer = s->data;
	*s = (struct j1939_session){
	    .used = 1,
	    .broadcast = data[0] == J1939_BAM,
	    .source = (uint8_t)source,
	    .destination = (uint8_t)destination,
	    .packets = (uint8_t)packets,
	    .next = 1,
	    .length = (uint16_t)length,
	    .pgn = pgn_of(data),
	    .opened_us = j->now_us,
	    .heard_us = j->now_us,
	    .data = buffer,
	};
	wait_ms(j, s, s->broadcast ? J1939_T1_MS : J1939_T3_MS);
	j->stats.opened++;
	tell(j, s, J1939_OPENED, j->now_us, 0, 0);
}

static int has(const struct j1939_session *s, unsigned packet)
{
	return s->came[packet / BITS] >> (packet % BITS) & 1;
}

static void drop(struct j1939_session *s, unsigned packet)
{
	if (has(s, packet)) {
		s->came[packet / BITS] = (uint8_t)(s->came[packet / BITS] & ~(1u << (packet % BITS)));
		s->have--;
	}
}

/* The receiver asks for packets, or for patience (none). What it asks for comes again, or for the first time: what we had of it
 * may be of a message before, whose successor's RTS we missed. */
static void clear_to_send(struct j1939 *j, struct j1939_session *s, const uint8_t *data)
{
	unsigned count = data[1], first = data[2];

	s->answered = 1;
	s->heard_us = j->now_us;
	if (!count) {
		wait_ms(j, s, J1939_T4_MS);
		return;
	}
	if (!first || first > s->packets) {
		j->stats.malformed++;
		return;
	}
	unsigned last = first + count - 1 < s->packets ? first + count - 1 : s->packets;
	for (unsigned i = first; i <= last; i++)
		drop(s, i);
	s->next = (uint8_t)first;
	s->until = (uint8_t)last;
	wait_ms(j, s, J1939_T2_MS);
}

static void abort_session(struct j1939 *j, struct j1939_session *s, unsigned reason, int by_source)
{
	s->used = 0;
	j->stats.aborted++;
	tell(j, s, J1939_ABORTED, j->now_us, reason, by_source);
}

static void connection(struct j1939 *j, unsigned source, unsigned destination, const uint8_t *data, size_t len)
{
	struct j1939_session *sent, *received;
	uint32_t pgn;

	if (len < FRAME) {
		j->stats.malformed++;
		return;
	}
	pgn = pgn_of(data);
	/* A message of this frame's sender, and one that it receives. */
	sent = find(j, source, destination);
	received = find(j, destination, source);
	if (sent && sent->pgn != pgn)
		sent = NULL;
	if (received && (received->pgn != pgn || received == sent)) /* the same: nonsense, to itself */
		received = NULL;
	switch (data[0]) {
	case J1939_RTS:
		open_session(j, source, destination, data);
		break;
	case J1939_BAM:
		open_session(j, source, J1939_ALL, data);
		break;
	case J1939_CTS:
		j->stats.cts++;
		if (received)
			clear_to_send(j, received, data);
		break;
	case J1939_ACK:
		j->stats.acks++;
		/* The receiver has it; a session that is still open lacks packets. */
		if (received) {
			received->answered = 1;
			end(j, received, J1939_BROKEN, j->now_us);
		}
		break;
	case J1939_ABORT:
		if (sent)
			abort_session(j, sent, data[ABORT_REASON], 1);
		if (received)
			abort_session(j, received, data[ABORT_REASON], 0);
		break;
	default:
		j->stats.malformed++;
		break;
	}
}

/* 1: taken; 0: it says something else than the one before it did. */
static int store(struct j1939 *j, struct j1939_session *s, unsigned packet, const uint8_t *bytes, size_t len)
{
	uint8_t *to = s->data + (size_t)(packet - 1) * J1939_PACKET;

	if (has(s, packet)) {
		j->stats.duplicates++;
		return !memcmp(to, bytes, len);
	}
	memcpy(to, bytes, len);
	s->came[packet / BITS] = (uint8_t)(s->came[packet / BITS] | 1u << (packet % BITS));
	s->have++;
	return 1;
}

static void packet_in(struct j1939 *j, unsigned source, unsigned destination, const uint8_t *data, size_t len)
{
	struct j1939_session *s = find(j, source, destination);
	unsigned packet = len ? data[0] : 0;
	size_t want;

	if (!s) {
		j->stats.orphans++;
		return;
	}
	if (!packet || packet > s->packets) {
		j->stats.sequence++;
		return;
	}
	want = s->length - (size_t)(packet - 1) * J1939_PACKET;
	if (want > J1939_PACKET)
		want = J1939_PACKET;
	if (len - 1 < want) {
		j->stats.malformed++;
		return;
	}
	if (packet > s->next)
		j->stats.sequence++;
	if (!store(j, s, packet, data + 1, want)) {
		/* Of another message, whose RTS we missed: neither is to be trusted. */
		end(j, s, J1939_BROKEN, j->now_us);
		return;
	}
	s->next = (uint8_t)(packet + 1);
	s->heard_us = j->now_us;
	if (s->have == s->packets) {
		end(j, s, J1939_WHOLE, j->now_us);
		return;
	}
	/* Behind the last packet asked for the receiver is next; without its CTS it is not known whose turn it is. */
	wait_ms(j, s, s->broadcast || packet < s->until ? J1939_T1_MS : J1939_T3_MS);
}

void j1939_tick(struct j1939 *j, int64_t now_us)
{
	if (now_us < j->now_us)
		return;
	/* In the order in which they fell due. */
	for (;;) {
		struct j1939_session *first = NULL;

		for (int i = 0; i < j->count; i++) {
			struct j1939_session *s = &j->sessions[i];

			if (s->used && s->due_us < now_us && (!first || s->due_us < first->due_us))
				first = s;
		}
		if (!first)
			break;
		end(j, first, J1939_TIMED_OUT, first->due_us);
	}
	j->now_us = now_us;
}

int j1939_frame(struct j1939 *j, uint32_t id, const uint8_t *data, size_t len, int64_t now_us)
{
	uint32_t pgn = j1939_pgn(id);

	if (len > FRAME)
		len = FRAME;
	if (pgn != J1939_PGN_TP_CM && pgn != J1939_PGN_TP_DT)
		return 0;
	j1939_tick(j, now_us);
	if (pgn == J1939_PGN_TP_CM)
		connection(j, j1939_source(id), j1939_destination(id), data, len);
	else
		packet_in(j, j1939_source(id), j1939_destination(id), data, len);
	return 1;
}

int64_t j1939_due(const struct j1939 *j)
{
	int64_t due = INT64_MAX;

	for (int i = 0; i < j->count; i++)
		if (j->sessions[i].used && j->sessions[i].due_us < due)
			due = j->sessions[i].due_us;
	return due;
}
