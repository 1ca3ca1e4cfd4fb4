/* J1939 transport protocol, from the car to the charger: RTS, CTS for all packets, DT 10 ms apart, acknowledgement. */
#include <string.h>

#include "sim/bms_pair.h"

enum {
	RTS = 16,
	CTS = 17,
	ACK = 19,
	ABORT = 255,
	PACKET = 7,
	PRIORITY = 7,
	ANSWER_MS = 4,
	DT_MS = 10,
	WAIT_MS = 1250,
	RETRY_MS = 250,
	ABORT_UNANSWERED = 255,
	ABORT_TIMEOUT = 3
};

static void send_cm(struct pair *p, int from_car, uint8_t control, size_t len, unsigned packets, uint32_t pgn)
{
	uint8_t d[8] = {control, (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)packets,
			0xff,    (uint8_t)pgn, (uint8_t)(pgn >> 8), (uint8_t)(pgn >> 16)};

	pair_send(p, PRIORITY, PGN_TP_CM, from_car, d, sizeof(d));
}

static void send_abort(struct pair *p, uint8_t reason, uint32_t pgn)
{
	uint8_t d[8] = {ABORT, reason, 0xff, 0xff, 0xff, (uint8_t)pgn, (uint8_t)(pgn >> 8), (uint8_t)(pgn >> 16)};

	pair_send(p, PRIORITY, PGN_TP_CM, 1, d, sizeof(d));
}

int tp_begin(struct pair *p, uint32_t pgn, const uint8_t *data, size_t len)
{
	struct tp_sender *s = &p->car.tp;

	if (s->state != TP_IDLE || len > TP_LONGEST)
		return 0;
	memcpy(s->data, data, len);
	s->pgn = pgn;
	s->len = len;
	s->packets = (unsigned)((len + PACKET - 1) / PACKET);
	s->next = 1;
	s->state = TP_ASKED;
	s->due = p->now + WAIT_MS;
	send_cm(p, 1, RTS, len, s->packets, pgn);
	return 1;
}

static void send_packet(struct pair *p)
{
	struct tp_sender *s = &p->car.tp;
	uint8_t d[8];
	size_t at = (size_t)(s->next - 1) * PACKET, n = s->len - at < PACKET ? s->len - at : PACKET;

	memset(d, 0xff, sizeof(d));
	d[0] = (uint8_t)s->next;
	memcpy(d + 1, s->data + at, n);
	if (s->next == s->packets) {
		s->state = TP_SENT;
		s->due = p->now + WAIT_MS;
	} else {
		s->due = p->now + DT_MS;
	}
	s->next++;
	pair_send(p, PRIORITY, PGN_TP_DT, 1, d, sizeof(d));
}

/* Nobody answered: given up, and after three times the car says so in BEM. */
static void give_up(struct pair *p)
{
	struct tp_sender *s = &p->car.tp;

	send_abort(p, ABORT_UNANSWERED, s->pgn);
	s->state = TP_IDLE;
	if (++s->tries < TRIES)
		return;
	s->tries = 0;
	/* Seen in candump2 (chargers.md 2.7): no CTS or CML. */
	memcpy(p->car.bem, (uint8_t[]){0xf0, 0xf1, 0xf0, 0xfc}, sizeof(p->car.bem));
	car_enter(p, CAR_ERROR);
}

void tp_step(struct pair *p)
{
	struct tp_sender *s = &p->car.tp;
	struct tp_receiver *r = &p->charger.tp;

	if (r->answer && p->now >= r->due) {
		int answer = r->answer;

		r->answer = 0;
		if (answer == ACK) {
			send_cm(p, 0, ACK, r->len, r->packets, r->pgn);
			charger_hear_long(p, r->pgn);
		} else {
			uint8_t d[8] = {CTS,
					(uint8_t)r->packets,
					1,
					0xff,
					0xff,
					(uint8_t)r->pgn,
					(uint8_t)(r->pgn >> 8),
					(uint8_t)(r->pgn >> 16)};

			pair_send(p, PRIORITY, PGN_TP_CM, 0, d, sizeof(d));
		}
	}
	if (s->state == TP_IDLE || p->now < s->due)
		return;
	if (s->state != TP_SENDING) {
		give_up(p);
	} else if (p->abort_next && s->next == 2) {
		p->abort_next--;
		send_abort(p, ABORT_TIMEOUT, s->pgn);
		s->state = TP_IDLE;
	} else {
		send_packet(p);
	}
}

void tp_car_hears(struct pair *p, const uint8_t *d, size_t len)
{
	struct tp_sender *s = &p->car.tp;

	if (len < 8 || s->state == TP_IDLE || (d[5] | (uint32_t)d[6] << 8 | (uint32_t)d[7] << 16) != s->pgn)
		return;
	if (d[0] == CTS && d[1] && d[2] && d[2] <= s->packets) {
		s->state = TP_SENDING;
		s->next = d[2];
		s->due = p->now + 1;
	} else if (d[0] == ACK) {
		s->state = TP_IDLE;
		s->tries = 0;
	} else if (d[0] == ABORT) {
		s->state = TP_IDLE;
	}
}

void tp_charger_hears(struct pair *p, uint32_t pgn, const uint8_t *d, size_t len)
{
	struct tp_receiver *r = &p->charger.tp;

	if (len < 8 || p->no_ack || p->charger.silent)
		return;
	if (pgn == PGN_TP_DT) {
		if (r->packets && d[0] == r->next && ++r->next > r->packets) {
			r->answer = ACK;
			r->due = p->now + ANSWER_MS;
		}
	} else if (d[0] == RTS) {
		r->len = d[1] | (size_t)d[2] << 8;
		r->packets = d[3];
		r->next = 1;
		r->pgn = d[5] | (uint32_t)d[6] << 8 | (uint32_t)d[7] << 16;
		r->answer = CTS;
		r->due = p->now + ANSWER_MS;
	} else if (d[0] == ABORT) {
		r->packets = 0;
		r->answer = 0;
	}
}
