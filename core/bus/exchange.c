#include "bus/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/framing.h"
#include "bus/pdu.h"
#include "bus/port.h"
#include "bus/wire.h"

enum { EXCEPTION_BIT = 0x80, UNITS = 256 };
/* What is thrown away before one request: who sends faster than we read must not keep us from ever looking up. */
enum { FLUSH_MOST = 16 * FRAMING_BUFFER };
/* So many requests in a row with nothing but older answers: the peer will not catch up by itself. */
enum { STALE_MOST = 3 };
/* ASCII allows a second between two characters ("Modbus over serial line" 2.5.2.1). */
static const int64_t ascii_byte_timeout_us = 1000000;
/* DL/T 645-2007 allows half a second between two bytes. */
static const int64_t dlt645_byte_timeout_us = 500000;
/* The most that bytes without an end may hold us up beyond the response time-out, on top of the longest frame's time. */
static const int64_t babble_us = 500000;

struct exchange {
	const struct bus_line_config *config;
	const struct framing *framing;
	struct port *port;
	void (*tap)(void *user, int flags, const uint8_t *bytes, size_t len);
	void *user;
	void (*sent)(void *user);
	void *sent_user;
	int64_t quiet_since_us;
	size_t len;
	uint16_t transaction;
	int broken, stale_in_row;
	int echo_said;
	struct exchange_counts counts;
	uint32_t *heard_ms; /* by unit, monotonic; 0 = never. NULL: not wanted */
	uint8_t bytes[FRAMING_BUFFER];
};

static const struct framing *framing_of(const struct bus_line_config *c)
{
	switch (c->framing) {
	case BUS_FRAMING_TCP:
		return &framing_tcp;
	case BUS_FRAMING_RTU:
		return &framing_rtu;
	case BUS_FRAMING_ASCII:
		return &framing_ascii;
	case BUS_FRAMING_DLT645:
		return &framing_dlt645;
	case BUS_FRAMING_AUTO:
		break;
	}
	return c->kind == BUS_TCP ? &framing_tcp : &framing_rtu;
}

struct exchange *exchange_new(const struct bus_line_config *config)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->config = config;
	x->framing = framing_of(config);
	x->heard_ms = config->wake_ms ? calloc(UNITS, sizeof(*x->heard_ms)) : NULL;
	x->port = config->wake_ms && !x->heard_ms ? NULL : port_new(config);
	if (!x->port) {
		int code = errno;

		exchange_free(x);
		errno = code;
		return NULL;
	}
	return x;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	port_free(x->port);
	free(x->heard_ms);
	free(x);
}

void exchange_set_tap(struct exchange *x, void (*tap)(void *user, int flags, const uint8_t *bytes, size_t len),
		      void *user)
{
	x->tap = tap;
	x->user = user;
}

void exchange_set_sent(struct exchange *x, void (*sent)(void *user), void *user)
{
	x->sent = sent;
	x->sent_user = user;
}

static void show(const struct exchange *x, int flags, const uint8_t *bytes, size_t len)
{
	if (x->tap && len)
		x->tap(x->user, flags, bytes, len);
}

int exchange_connect(struct exchange *x)
{
	if (port_open(x->port))
		return -1;
	x->len = 0;
	x->broken = 0;
	x->stale_in_row = 0;
	x->quiet_since_us = clock_mono_us();
	return 0;
}

void exchange_close(struct exchange *x)
{
	port_close(x->port);
}

int64_t exchange_silence_us(const struct exchange *x)
{
	return wire_silence_us(x->config);
}

int64_t exchange_quiet_since_us(const struct exchange *x)
{
	return x->quiet_since_us;
}

int exchange_is_out_of_step(const struct exchange *x)
{
	return x->broken || x->stale_in_row >= STALE_MOST;
}

void exchange_get_counts(const struct exchange *x, struct exchange_counts *counts)
{
	*counts = x->counts;
}

void exchange_connect_error(const struct exchange *x, int code, char *out, size_t size)
{
	port_error(x->port, code, out, size);
}

static void take_away(struct exchange *x, size_t used)
{
	x->len -= used;
	memmove(x->bytes, x->bytes + used, x->len);
}

/* What has come since; 0 when nothing, -1 when the line is broken. */
static int take_in(struct exchange *x)
{
	int n = port_read(x->port, x->bytes + x->len, sizeof(x->bytes) - x->len);

	if (n > 0) {
		x->len += (size_t)n;
		x->quiet_since_us = clock_mono_us();
	}
	return n;
}

int exchange_flush(struct exchange *x)
{
	int flushed = 0;

	/* A transaction number tells a late answer from the next one's, and of a frame that has begun the rest will come. That is one
	 * look at the socket less for each request. */
	if (x->framing == &framing_tcp)
		return 0;
	do {
		show(x, EXCHANGE_DROPPED, x->bytes, x->len);
		flushed += (int)x->len;
		x->len = 0;
	} while (flushed < FLUSH_MOST && take_in(x) > 0);
	return flushed;
}

/* Counts what is thrown away, and says what the operator can do about it. */
static void note_drop(struct exchange *x, const struct framing_request *r, const struct framing_step *step)
{
	size_t size = step->used - step->skipped;

	x->counts.noise += step->skipped;
	show(x, EXCHANGE_DROPPED, x->bytes, step->skipped);
	show(x, step->why == FRAMING_ECHO ? EXCHANGE_ECHO : EXCHANGE_DROPPED, x->bytes + step->skipped, size);
	switch (step->why) {
	case FRAMING_STALE:
	case FRAMING_MISMATCH:
		x->counts.stale++;
		break;
	case FRAMING_FOREIGN:
		x->counts.foreign++;
		break;
	case FRAMING_DAMAGED:
		x->counts.damaged++;
		break;
	case FRAMING_NOISE:
		x->counts.noise += size;
		break;
	case FRAMING_ECHO:
		x->counts.echoes++;
		if (r->echo || x->echo_said)
			break;
		x->echo_said = 1;
		log_warning(
		    "bus: %s: requests come back on the line: option echo is missing, and without it the echo of a "
		    "write is taken for its answer",
		    x->config->name);
		break;
	case FRAMING_FITS:
		break;
	}
}

struct wait {
	int64_t answer_us; /* the first byte must have come by then */
	int64_t end_us;    /* whatever comes: no longer than this */
	int64_t byte_us;
	unsigned seen; /* bits by enum framing_why */
};

static struct wait begin_wait(const struct exchange *x, int64_t timeout_us)
{
	struct wait w = {.answer_us = x->quiet_since_us + timeout_us};

	w.byte_us = (int64_t)x->config->byte_timeout_ms * 1000;
	if (x->framing == &framing_ascii && w.byte_us < ascii_byte_timeout_us)
		w.byte_us = ascii_byte_timeout_us;
	if (x->framing == &framing_dlt645 && w.byte_us < dlt645_byte_timeout_us)
		w.byte_us = dlt645_byte_timeout_us;
	w.end_us = w.answer_us + wire_bytes_us(x->config, FRAMING_ADU_MAX) + w.byte_us + babble_us;
	return w;
}

/* On a serial line a pause ends a frame. On TCP it only shows that the network is slow. */
static int64_t wait_until(const struct exchange *x, const struct wait *w)
{
	int64_t until = x->quiet_since_us + w->byte_us;

	if (!x->len || (x->config->kind == BUS_TCP && until < w->answer_us))
		until = w->answer_us;
	return until < w->end_us ? until : w->end_us;
}

static enum bus_status give_up(struct exchange *x, const struct wait *w)
{
	const unsigned no_answer = 1u << FRAMING_ECHO;

	if (w->seen & (1u << FRAMING_STALE))
		x->stale_in_row++;
	return w->seen & ~no_answer ? BUS_BAD_ANSWER : BUS_TIMEOUT;
}

/* Waits for bytes. 0 when the time is up, so that what is there will not grow; -1 and the line is broken. */
static int wait_for_bytes(struct exchange *x, const struct wait *w)
{
	int64_t until = wait_until(x, w);

	/* The last byte's time, that is: whoever sends without an end brings it there. */
	if (x->len == sizeof(x->bytes) || x->quiet_since_us >= w->end_us)
		return 0;
	int ready = port_wait(x->port, until);
	if (ready <= 0)
		return ready;
	return take_in(x) < 0 ? -1 : 1;
}

static enum bus_status await(struct exchange *x, struct framing_request *r, int64_t timeout_us,
			     struct framing_step *step)
{
	struct wait w = begin_wait(x, timeout_us);

	for (int silent = 0;;) {
		x->framing->take(r, x->bytes, x->len, silent, step);
		switch (step->verdict) {
		case FRAMING_ANSWER:
			x->counts.noise += step->skipped;
			show(x, EXCHANGE_DROPPED, x->bytes, step->skipped);
			show(x, 0, x->bytes + step->skipped, step->used - step->skipped);
			take_away(x, step->used);
			x->stale_in_row = 0;
			return BUS_OK;
		case FRAMING_DROP:
			note_drop(x, r, step);
			w.seen |= 1u << step->why;
			take_away(x, step->used);
			r->echo = r->echo && step->why != FRAMING_ECHO;
			continue;
		case FRAMING_WRONG:
			note_drop(x, r, step);
			take_away(x, step->used);
			return BUS_BAD_ANSWER;
		case FRAMING_BROKEN:
			note_drop(x, r, step);
			take_away(x, step->used);
			x->broken = 1;
			return BUS_BAD_ANSWER;
		case FRAMING_MORE:
			break;
		}
		/* The answer itself was torn or garbled: there will be no other. */
		if (silent && x->config->kind == BUS_RTU && (w.seen & (1u << FRAMING_DAMAGED)))
			return BUS_BAD_ANSWER;
		if (silent && clock_mono_us() >= w.answer_us)
			return give_up(x, &w);
		int got = wait_for_bytes(x, &w);
		if (got < 0)
			return BUS_DISCONNECTED;
		silent = !got;
	}
}

/* Sends what pdu holds, and takes its answer into step->pdu. */
static enum bus_status transfer(struct exchange *x, struct framing_request *r, int64_t timeout_us, uint8_t *exception,
				struct framing_step *step)
{
	uint8_t adu[FRAMING_REQUEST_ADU_MAX];

	r->any_unit = x->config->any_unit;
	r->echo = x->config->echo;
	r->transaction = ++x->transaction;
	r->adu = adu;
	r->adu_len = x->framing->build(r, adu);
	if (!r->adu_len)
		return BUS_BAD_ANSWER;
	if (port_send(x->port, adu, r->adu_len))
		return BUS_DISCONNECTED;
	show(x, EXCHANGE_SENT, adu, r->adu_len);
	x->quiet_since_us = clock_mono_us() + wire_bytes_us(x->config, r->adu_len);
	if (x->sent)
		x->sent(x->sent_user);
	enum bus_status status = await(x, r, timeout_us, step);
	if (status == BUS_OK && step->pdu[0] & EXCEPTION_BIT) {
		*exception = step->pdu[1];
		return BUS_EXCEPTION;
	}
	return status;
}

/* Some devices sleep, and lose the request that wakes them (ABL: chargers.md 1.1). */
static int may_be_asleep(const struct exchange *x, uint8_t unit)
{
	if (!x->heard_ms)
		return 0;
	return !x->heard_ms[unit] || (uint32_t)clock_mono_ms() - x->heard_ms[unit] >= (uint32_t)x->config->wake_ms;
}

static enum bus_status ask(struct exchange *x, struct framing_request *r, int64_t timeout_us, uint8_t *exception,
			   struct framing_step *step)
{
	enum bus_status status = transfer(x, r, timeout_us, exception, step);

	/* The response time-out was silence enough before the second try. */
	if (status == BUS_TIMEOUT && may_be_asleep(x, r->unit))
		status = transfer(x, r, timeout_us, exception, step);
	if (x->heard_ms && (status == BUS_OK || status == BUS_EXCEPTION))
		x->heard_ms[r->unit] = (uint32_t)clock_mono_ms() | 1;
	return status;
}

enum bus_status exchange_read(struct exchange *x, const struct bus_read *read, int64_t timeout_us,
			      uint16_t words[BUS_WORDS_MAX], uint8_t *exception)
{
	uint8_t pdu[FRAMING_REQUEST_PDU_MAX];
	struct framing_request r = {.unit = read->unit,
				    .pdu = pdu,
				    .longer = read->longer,
				    .identifier = read->identifier,
				    .meter = read->meter};
	struct framing_step step;

	r.pdu_len = pdu_of_read(read, pdu);
	enum bus_status status = ask(x, &r, timeout_us, exception, &step);
	if (status == BUS_OK)
		pdu_take_words(read, step.pdu, words);
	return status;
}

enum bus_status exchange_write(struct exchange *x, const struct bus_write *write, int64_t timeout_us,
			       uint8_t *exception)
{
	uint8_t pdu[FRAMING_REQUEST_PDU_MAX];
	struct framing_request r = {.unit = write->unit, .pdu = pdu};
	struct framing_step step;

	r.pdu_len = pdu_of_write(write, pdu);
	return ask(x, &r, timeout_us, exception, &step);
}
