/* Requests on a line, and whatever comes for them, before, after and between: exchange.c on a port of its own, in simulated time.
 *
 * The first bytes are the line's settings; then come requests (read or write), silences in which bytes come unasked, flushes, and after
 * each request what the port brings and when: bytes, the answer in pieces, an answer to the request before, an echo, exceptions, the end
 * of the line. Ends in time; not one byte is told twice or kept back; a time-out is told only when nothing came but echoes; values are those
 * of an answer that was there. */
#include <stdio.h>

#include "bus/bus.h"
#include "bus/exchange.h"
#include "bus/framing.h"
#include "bus/port.h"
#include "bus/wire.h"
#include "bytes.h"

enum { REQUESTS = 12, SHORTEST = 8, QUEUE = 4096, PIECES = 40, LATE_US = 3000000 };

struct port {
	int open;
};

static struct {
	struct port port;
	struct bus_line_config config;
	const struct framing *framing;
	struct fuzz_input *in;
	int64_t now_us;
	uint8_t queue[QUEUE]; /* came, and not read yet */
	size_t queued;
	int broken, pieces;
	uint8_t sent[2][FRAMING_ADU_MAX], pdu[2][FRAMING_PDU_MAX]; /* the request, and the one before */
	size_t sent_len[2], pdu_len[2];
	uint8_t unit[2];
	uint16_t transaction[2];
	uint64_t read, told, echoes;
	int answered, other; /* the very answer came to this request; anything else, ever */
} t;

int64_t __wrap_clock_mono_us(void);
int64_t __wrap_clock_mono_ms(void);

int64_t __wrap_clock_mono_us(void)
{
	return t.now_us;
}

int64_t __wrap_clock_mono_ms(void)
{
	return t.now_us / 1000;
}

/* The port ---------------------------------------------------------------------------------------------------------- */

struct port *port_new(const struct bus_line_config *config)
{
	(void)config;
	return &t.port;
}

void port_free(struct port *port)
{
	(void)port;
}

int port_open(struct port *port)
{
	port->open = 1;
	return 0;
}

void port_close(struct port *port)
{
	port->open = 0;
}

void port_error(const struct port *port, int code, char *out, size_t size)
{
	(void)port;
	(void)snprintf(out, size, "%d", code);
}

int port_send(struct port *port, const uint8_t *bytes, size_t len)
{
	fuzz_check(port->open && len && len <= FRAMING_ADU_MAX);
	if (t.broken)
		return -1;
	t.sent_len[1] = t.sent_len[0];
	memcpy(t.sent[1], t.sent[0], sizeof(t.sent[0]));
	memcpy(t.sent[0], bytes, len);
	t.sent_len[0] = len;
	t.transaction[1] = t.transaction[0];
	t.transaction[0] = (uint16_t)(t.framing == &framing_tcp ? bytes[0] << 8 | bytes[1] : 0);
	return 0;
}

int port_read(struct port *port, uint8_t *bytes, size_t size)
{
	size_t n = t.queued < size ? t.queued : size;

	fuzz_check(port->open);
	if (!n)
		return t.broken ? -1 : 0;
	memcpy(bytes, t.queue, n);
	memmove(t.queue, t.queue + n, t.queued - n);
	t.queued -= n;
	t.read += n;
	return (int)n;
}

static void come(const uint8_t *bytes, size_t len)
{
	len = len < QUEUE - t.queued ? len : QUEUE - t.queued;
	if (len)
		memcpy(t.queue + t.queued, bytes, len);
	t.queued += len;
}

/* An answer to request which (0: this one), as its function wants it; with code an exception. */
static void answer(int which, uint8_t code)
{
	uint8_t pdu[FRAMING_PDU_MAX] = {0}, adu[FRAMING_ADU_MAX];
	struct framing_request r = {
	    .unit = t.unit[which], .transaction = t.transaction[which], .pdu = pdu, .pdu_len = 5};
	unsigned count = (unsigned)(t.pdu[which][3] << 8 | t.pdu[which][4]);

	if (!t.pdu_len[which])
		return;
	memcpy(pdu, t.pdu[which], 5);
	if (code) {
		pdu[0] |= 0x80;
		pdu[1] = code;
		r.pdu_len = 2;
	} else if (pdu[0] <= 4) {
		pdu[1] = (uint8_t)(pdu[0] <= 2 ? (count + 7) / 8 : 2 * count);
		r.pdu_len = 2u + pdu[1];
		take_into(t.in, pdu + 2, pdu[1]);
	}
	size_t len = t.framing->build(&r, adu);
	fuzz_check(len);
	come(adu, len);
}

static void piece(void)
{
	uint8_t kind = take_u8(t.in);
	size_t len;
	const uint8_t *bytes;

	switch (kind % 8) {
	case 0:
	case 1:
		answer(0, 0);
		t.answered = 1;
		break;
	case 2:
		answer(1, 0);
		t.other = 1;
		break;
	case 3:
		answer(0, kind >> 3 ? kind >> 3 : 2);
		t.answered = 1;
		break;
	case 4:
		come(t.sent[0], t.sent_len[0]);
		t.other = 1;
		break;
	case 5:
		t.broken = kind >= 0xf0;
		break;
	default:
		bytes = fuzz_bytes(t.in, kind >> 3, &len);
		come(bytes, len);
		t.other = 1;
		break;
	}
}

/* What is due to come until then, one piece a time; each says how long after the one before. */
int port_wait(struct port *port, int64_t until_us)
{
	fuzz_check(port->open);
	if (t.queued || t.broken)
		return t.broken && !t.queued ? -1 : 1;
	if (!t.in->left || t.pieces >= PIECES) {
		t.now_us = until_us > t.now_us ? until_us : t.now_us;
		return 0;
	}
	t.pieces++;
	uint8_t delay = take_u8(t.in);
	/* Up to four seconds, mostly at once. */
	int64_t at_us = t.now_us + (delay < 200 ? delay * 10 : (int64_t)(delay - 199) * 70000);
	if (at_us > until_us) {
		t.now_us = until_us > t.now_us ? until_us : t.now_us;
		return 0;
	}
	t.now_us = at_us;
	piece();
	return t.queued > 0 || t.broken ? (t.broken && !t.queued ? -1 : 1) : 0;
}

/* The line ---------------------------------------------------------------------------------------------------------- */

static void tap(void *user, int flags, const uint8_t *bytes, size_t len)
{
	(void)user;
	fuzz_check(bytes && len);
	if (flags & EXCHANGE_SENT)
		fuzz_check(len == t.sent_len[0] && !memcmp(bytes, t.sent[0], len));
	else
		t.told += len;
	t.echoes += (flags & EXCHANGE_ECHO) != 0;
}

static void settings(void)
{
	static const enum bus_framing framings[] = {BUS_FRAMING_AUTO, BUS_FRAMING_TCP, BUS_FRAMING_RTU,
						    BUS_FRAMING_ASCII};
	uint8_t what = take_u8(t.in);

	t.config =
	    (struct bus_line_config){.name = "x", .kind = what & 1 ? BUS_RTU : BUS_TCP, .data_bits = 8, .stop_bits = 1};
	t.config.framing = framings[what >> 1 & 3];
	t.config.baud = what & 8 ? 9600 : 115200;
	t.config.parity = 'N';
	t.config.echo = what >> 4 & 1;
	t.config.any_unit = what >> 5 & 1;
	t.config.wake_ms = what & 64 ? 1000 : 0;
	t.config.byte_timeout_ms = what & 128 ? 5 : 50;
	t.config.response_timeout_ms = 1000;
	if (t.config.kind == BUS_RTU && t.config.framing == BUS_FRAMING_TCP)
		t.config.framing = BUS_FRAMING_RTU;
	t.framing = t.config.framing == BUS_FRAMING_ASCII ? &framing_ascii
		    : t.config.framing == BUS_FRAMING_RTU || (t.config.framing == BUS_FRAMING_AUTO && what & 1)
			? &framing_rtu
			: &framing_tcp;
	if (t.framing == &framing_tcp)
		t.config.echo = 0;
}

static void check_end(enum bus_status status, int64_t begun_us, int64_t timeout_us, uint64_t read_before,
		      uint64_t echoes_before)
{
	/* Twice at most (wake_ms), each with its own wire time and what a babbler may take. */
	int64_t wire = wire_bytes_us(&t.config, FRAMING_ADU_MAX) * 4;

	fuzz_check(status <= BUS_DISCONNECTED);
	fuzz_check(t.now_us - begun_us <= 2 * (timeout_us + wire) + LATE_US);
	if (status == BUS_TIMEOUT && !t.config.wake_ms)
		fuzz_check(t.read == read_before || t.echoes > echoes_before || t.framing == &framing_tcp);
	fuzz_check(status != BUS_DISCONNECTED || t.broken);
	fuzz_check(t.told <= t.read);
}

static void request(struct exchange *x, uint8_t what)
{
	static const uint8_t reads[] = {1, 2, 3, 4}, writes[] = {5, 6, 15, 16};
	uint16_t words[BUS_WORDS_MAX];
	uint8_t exception = 0, unit = what >> 4;
	struct bus_read read = {
	    .unit = unit, .address = take_u8(t.in), .count = (uint16_t)(1 + take_u8(t.in) % BUS_WORDS_MAX)};
	struct bus_write write = {.unit = unit, .address = read.address, .count = 1};
	int64_t begun_us = t.now_us, timeout_us = 200000;
	uint64_t read_before = t.read, echoes_before = t.echoes;
	enum bus_status status;

	memcpy(t.pdu[1], t.pdu[0], sizeof(t.pdu[0]));
	t.pdu_len[1] = t.pdu_len[0];
	t.unit[1] = t.unit[0];
	t.unit[0] = unit;
	t.answered = 0;
	t.pieces = 0;
	uint8_t *pdu = t.pdu[0];
	memset(words, 0xA5, sizeof(words));
	if (what & 1) {
		write.function = writes[what >> 1 & 3];
		if (write.function >= 15)
			write.count = (uint16_t)(1 + read.count % BUS_WRITE_WORDS_MAX);
		pdu[0] = write.function;
		pdu[1] = 0;
		pdu[2] = (uint8_t)write.address;
		pdu[3] = 0;
		pdu[4] = write.function >= 15 ? (uint8_t)write.count : 0;
		t.pdu_len[0] = 5;
		status = exchange_write(x, &write, timeout_us, &exception);
	} else {
		read.function = reads[what >> 1 & 3];
		read.longer = what >> 3 & 1;
		pdu[0] = read.function;
		pdu[1] = 0;
		pdu[2] = (uint8_t)read.address;
		pdu[3] = (uint8_t)(read.count >> 8);
		pdu[4] = (uint8_t)read.count;
		t.pdu_len[0] = 5;
		status = exchange_read(x, &read, timeout_us, words, &exception);
		if (status == BUS_OK && read.function <= 2)
			for (int i = 0; i < read.count; i++)
				fuzz_check(words[i] <= 1);
	}
	fuzz_check(status != BUS_EXCEPTION || exception);
	fuzz_check((status != BUS_OK && status != BUS_EXCEPTION) || t.answered || t.other);
	check_end(status, begun_us, timeout_us, read_before, echoes_before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {.data = data, .left = size};
	struct exchange_counts before, counts = {0};

	if (size < SHORTEST)
		return -1;
	fuzz_quiet();
	memset(&t, 0, sizeof(t));
	t.in = &in;
	t.now_us = 1000000;
	settings();
	struct exchange *x = exchange_new(&t.config);
	fuzz_check(x);
	exchange_set_tap(x, tap, NULL);
	fuzz_check(!exchange_connect(x));
	for (int i = 0; i < REQUESTS && in.left && !t.broken; i++) {
		uint8_t what = take_u8(&in);

		before = counts;
		if (what == 0xff) {
			t.pieces = 0;
			t.now_us += (int64_t)take_u8(&in) * 10000;
			(void)port_wait(&t.port, t.now_us + 2000000);
		} else {
			(void)exchange_flush(x);
			fuzz_check(t.framing == &framing_tcp || t.told == t.read);
			request(x, what);
		}
		exchange_get_counts(x, &counts);
		fuzz_check(counts.stale >= before.stale && counts.noise >= before.noise &&
			   counts.echoes >= before.echoes);
		/* Nobody asks on when the line is out of step. */
		if (exchange_is_out_of_step(x)) {
			exchange_close(x);
			t.queued = 0;
			t.told = t.read = 0;
			fuzz_check(!exchange_connect(x) && !exchange_is_out_of_step(x));
		}
	}
	/* Every byte that came was told, or waits to be. */
	if (!t.broken && t.framing != &framing_tcp) {
		(void)exchange_flush(x);
		fuzz_check(t.told == t.read && !t.queued);
	}
	exchange_close(x);
	exchange_free(x);
	return 0;
}
