/* Shared by the test_bus_*.c: a Modbus peer made of raw bytes (nothing of libmodbus or of the code under
 * test) that can misbehave per unit, on a TCP socket or the far end of a PTY, in each framing; and a bus whose results are
 * noted.
 *
 * A register holds unit * 256 + the low byte of its address, a bit the lowest bit of its address: whatever comes from
 * another request than the one it is delivered for has the wrong value, and is counted as wrong. */
#ifndef FC_TESTS_BUS_FIXTURE_H
#define FC_TESTS_BUS_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pty.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/bus.h"

/* Reached only when something hangs. */
enum { PATIENCE_MS = 120000, CLIENTS_MAX = 8, PENDING_MAX = 32, NOTES_MAX = 8192, TAGS_MAX = 256, FRAME_MAX = 600 };

enum fault {
	NORMAL,
	SILENT,
	LATE,        /* value: ms */
	TORN,        /* the first half, no more */
	TWO_ANSWERS, /* a stale one before the right one, in one segment */
	STALE,
	WRONG_UNIT,
	EXCEPTION, /* value: code */
	HANG_UP,
	BAD_CRC,
	IN_PIECES,   /* value: ms between two bytes */
	AFTER_OTHER, /* another unit's whole answer first */
	AFTER_NOISE, /* bytes of a transceiver that turns round first */
	LONGER,      /* twice as many words as asked for */
	HEADLESS,    /* the first bytes are lost */
	ASLEEP,      /* hears nothing but what comes within value ms of the last request */
	NO_MODBUS,   /* some other service's words */
};
enum peer_framing { PEER_TCP, PEER_RTU, PEER_ASCII };

struct pending {
	int fd;
	int64_t at_ms;
	size_t len;
	uint8_t bytes[FRAME_MAX];
};

struct peer {
	pthread_t thread;
	pthread_mutex_t lock; /* of what the test sets and looks at */
	int stop;
	enum fault fault[256]; /* by unit */
	int value[256];
	atomic_int echo;   /* every request comes back first */
	int requests[256]; /* by unit */
	int total, connections;
	uint8_t notes[NOTES_MAX];                            /* the functions asked, in order */
	int64_t asked_us[NOTES_MAX], answered_us[NOTES_MAX]; /* when each was taken, and its answer was sent */
	int clients;
	/* the thread's own */
	int serial, listener, port;
	enum peer_framing framing;
	int64_t heard_ms[256];
	int fds[CLIENTS_MAX];
	uint8_t in[CLIENTS_MAX][FRAME_MAX];
	size_t in_len[CLIENTS_MAX];
	struct pending pending[PENDING_MAX];
	int slave; /* RTU: kept open, so that the line does not hang up between two opens */
	char device[128];
};

static uint16_t register_of(uint8_t unit, uint16_t address)
{
	return (uint16_t)(unit << 8 | (address & 0xFF));
}

static uint16_t crc16(const uint8_t *data, size_t len)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int k = 0; k < 8; k++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
	}
	return crc;
}

/* The answer to a request (function and what follows). */
static size_t answer_pdu(uint8_t unit, const uint8_t *request, uint8_t *out)
{
	uint16_t address = (uint16_t)(request[1] << 8 | request[2]), count = (uint16_t)(request[3] << 8 | request[4]);

	out[0] = request[0];
	if (request[0] >= 5) {
		memcpy(out + 1, request + 1, 4);
		return 5;
	}
	if (request[0] <= 2) {
		size_t bytes = (count + 7u) / 8;

		out[1] = (uint8_t)bytes;
		memset(out + 2, 0, bytes);
		for (unsigned i = 0; i < count; i++)
			if ((address + i) & 1)
				out[2 + i / 8] |= (uint8_t)(1u << i % 8);
		return 2 + bytes;
	}
	out[1] = (uint8_t)(count * 2);
	for (unsigned i = 0; i < count; i++) {
		uint16_t word = register_of(unit, (uint16_t)(address + i));

		out[2 + 2 * i] = (uint8_t)(word >> 8);
		out[3 + 2 * i] = (uint8_t)word;
	}
	return 2 + 2u * count;
}

static uint8_t *put_hex(uint8_t *at, unsigned byte)
{
	(void)snprintf((char *)at, 3, "%02X", byte & 0xFF);
	return at + 2;
}

static size_t ascii_of(uint8_t unit, const uint8_t *pdu, size_t len, uint8_t *out)
{
	unsigned sum = unit;
	uint8_t *at = out;

	*at++ = ':';
	at = put_hex(at, unit);
	for (size_t i = 0; i < len; i++) {
		at = put_hex(at, pdu[i]);
		sum += pdu[i];
	}
	at = put_hex(at, 256 - (sum & 0xFF));
	*at++ = '\r';
	*at++ = '\n';
	return (size_t)(at - out);
}

static size_t frame_of(const struct peer *p, uint16_t transaction, uint8_t unit, const uint8_t *pdu, size_t len,
		       uint8_t *out)
{
	size_t n = 0;

	if (p->framing == PEER_ASCII)
		return ascii_of(unit, pdu, len, out);
	if (p->framing == PEER_TCP) {
		const uint8_t head[] = {(uint8_t)(transaction >> 8), (uint8_t)transaction, 0, 0,
					(uint8_t)((len + 1) >> 8),   (uint8_t)(len + 1)};

		memcpy(out, head, sizeof(head));
		n = sizeof(head);
	}
	out[n++] = unit;
	memcpy(out + n, pdu, len);
	n += len;
	if (p->framing == PEER_RTU) {
		uint16_t crc = crc16(out, n);

		out[n++] = (uint8_t)crc;
		out[n++] = (uint8_t)(crc >> 8);
	}
	return n;
}

static void send_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n <= 0)
			return; /* the other side has gone: its affair */
		bytes += n;
		len -= (size_t)n;
	}
}

static void send_in_pieces(int fd, int ms, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		send_all(fd, bytes + i, 1);
		(void)usleep((useconds_t)ms * 1000);
	}
}

static void send_later(struct peer *p, int fd, int ms, const uint8_t *bytes, size_t len)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		struct pending *w = &p->pending[i];

		if (w->len)
			continue;
		*w = (struct pending){.fd = fd, .at_ms = clock_mono_ms() + ms, .len = len};
		memcpy(w->bytes, bytes, len);
		return;
	}
}

static void drop_client(struct peer *p, int i)
{
	for (int k = 0; k < PENDING_MAX; k++)
		if (p->pending[k].fd == p->fds[i])
			p->pending[k].len = 0;
	close(p->fds[i]);
	p->fds[i] = -1;
	p->in_len[i] = 0;
	pthread_mutex_lock(&p->lock);
	p->clients--;
	pthread_mutex_unlock(&p->lock);
}

/* The answer to what was asked last is about to be sent. */
static void note_answer(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	if (p->total)
		p->answered_us[(p->total - 1) % NOTES_MAX] = clock_mono_us();
	pthread_mutex_unlock(&p->lock);
}

static void serve(struct peer *p, int i, uint16_t transaction, uint8_t unit, const uint8_t *request)
{
	static const uint8_t noise[] = {0xFF, 0x00, 0xFE, 0x80};
	uint8_t pdu[FRAME_MAX], frame[FRAME_MAX * 2], doubled[5];
	size_t len = answer_pdu(unit, request, pdu), n;
	int64_t now = clock_mono_ms(), since = now - p->heard_ms[unit];

	pthread_mutex_lock(&p->lock);
	enum fault fault = p->fault[unit];
	int value = p->value[unit];
	p->requests[unit]++;
	int note = p->total++ % NOTES_MAX;
	p->notes[note] = request[0];
	p->asked_us[note] = clock_mono_us();
	pthread_mutex_unlock(&p->lock);
	p->heard_ms[unit] = now;
	n = frame_of(p, transaction, unit, pdu, len, frame);
	switch (fault) {
	case NORMAL:
		break;
	case SILENT:
		return;
	case ASLEEP:
		if (since > value)
			return;
		break;
	case LATE:
		send_later(p, p->fds[i], value, frame, n);
		return;
	case TORN:
		n /= 2;
		break;
	case TWO_ANSWERS: /* one that nobody asked for before the right one, in one segment */
		memmove(frame + n, frame, n);
		frame[1]--;
		n *= 2;
		break;
	case STALE:
		n = frame_of(p, (uint16_t)(transaction - 1), unit, pdu, len, frame);
		break;
	case WRONG_UNIT:
		len = answer_pdu((uint8_t)(unit + 1), request, pdu);
		n = frame_of(p, transaction, (uint8_t)(unit + 1), pdu, len, frame);
		break;
	case AFTER_OTHER: {
		uint8_t other[FRAME_MAX];
		size_t other_len = answer_pdu((uint8_t)(unit + 1), request, other);

		n = frame_of(p, transaction, (uint8_t)(unit + 1), other, other_len, frame);
		n += frame_of(p, transaction, unit, pdu, len, frame + n);
		break;
	}
	case AFTER_NOISE:
		memmove(frame + sizeof(noise), frame, n);
		memcpy(frame, noise, sizeof(noise));
		n += sizeof(noise);
		break;
	case EXCEPTION:
		pdu[0] |= 0x80;
		pdu[1] = (uint8_t)value;
		n = frame_of(p, transaction, unit, pdu, 2, frame);
		break;
	case LONGER:
		memcpy(doubled, request, sizeof(doubled));
		doubled[4] = (uint8_t)(2 * doubled[4]);
		len = answer_pdu(unit, doubled, pdu);
		n = frame_of(p, transaction, unit, pdu, len, frame);
		break;
	case HEADLESS:
		memmove(frame, frame + 2, n -= 2);
		break;
	case IN_PIECES:
		send_in_pieces(p->fds[i], value, frame, n);
		return;
	case NO_MODBUS:
		n = (size_t)snprintf((char *)frame, sizeof(frame), "HTTP/1.1 400 Bad Request\r\n\r\n");
		break;
	case HANG_UP:
		drop_client(p, i);
		return;
	case BAD_CRC:
		frame[p->framing == PEER_ASCII ? n - 4 : n - 1] ^= 0x05;
		break;
	}
	note_answer(p);
	send_all(p->fds[i], frame, n);
}

/* Serves whole requests; what is left of the next one stays. 0 when there is none yet. */
static int serve_ascii(struct peer *p, int i)
{
	uint8_t *in = p->in[i], pdu[FRAME_MAX];
	uint8_t *end = memchr(in, '\n', p->in_len[i]);
	size_t len = 0;

	if (!end)
		return 0;
	if (p->echo)
		send_all(p->fds[i], in, (size_t)(end - in) + 1);
	for (uint8_t *at = in + 1; at + 1 < end - 1; at += 2) {
		unsigned byte;

		assert_int_equal(sscanf((const char *)at, "%2x", &byte), 1);
		pdu[len++] = (uint8_t)byte;
	}
	serve(p, i, 0, pdu[0], pdu + 1);
	p->in_len[i] -= (size_t)(end - in) + 1;
	memmove(in, end + 1, p->in_len[i]);
	return 1;
}

static int serve_one(struct peer *p, int i)
{
	uint8_t *in = p->in[i];
	size_t start = p->framing == PEER_TCP ? 6 : 0, need = start + 6 + (p->framing == PEER_RTU ? 2 : 0);

	if (p->framing == PEER_ASCII)
		return serve_ascii(p, i);
	if (p->in_len[i] < start + 8)
		if (p->in_len[i] < need)
			return 0;
	if (in[start + 1] >= 15)
		need += 1u + in[start + 6];
	if (p->in_len[i] < need)
		return 0;
	if (p->echo)
		send_all(p->fds[i], in, need);
	if (p->framing == PEER_TCP || crc16(in, need) == 0)
		serve(p, i, (uint16_t)(in[0] << 8 | in[1]), in[start], in + start + 1);
	if (p->fds[i] < 0)
		return 0;
	p->in_len[i] -= need;
	memmove(in, in + need, p->in_len[i]);
	return 1;
}

static void take_bytes(struct peer *p, int i)
{
	ssize_t n = read(p->fds[i], p->in[i] + p->in_len[i], FRAME_MAX - p->in_len[i]);

	if (n <= 0) {
		if (!p->serial)
			drop_client(p, i);
		return;
	}
	p->in_len[i] += (size_t)n;
	while (serve_one(p, i))
		;
}

static void send_pending(struct peer *p)
{
	for (int i = 0; i < PENDING_MAX; i++) {
		struct pending *w = &p->pending[i];

		if (!w->len || clock_mono_ms() < w->at_ms)
			continue;
		note_answer(p);
		send_all(w->fd, w->bytes, w->len);
		w->len = 0;
	}
}

static void take_client(struct peer *p)
{
	int fd = accept(p->listener, NULL, NULL);

	if (fd < 0)
		return;
	pthread_mutex_lock(&p->lock);
	p->connections++;
	int refuse = p->fault[0] == HANG_UP; /* unit 0: the whole device */
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < CLIENTS_MAX && !refuse; i++)
		if (p->fds[i] < 0) {
			p->fds[i] = fd;
			pthread_mutex_lock(&p->lock);
			p->clients++;
			pthread_mutex_unlock(&p->lock);
			return;
		}
	close(fd);
}

static void *peer_thread(void *user)
{
	struct peer *p = user;

	for (;;) {
		struct pollfd watch[CLIENTS_MAX + 1];

		for (int i = 0; i < CLIENTS_MAX; i++)
			watch[i] = (struct pollfd){.fd = p->fds[i], .events = POLLIN};
		watch[CLIENTS_MAX] = (struct pollfd){.fd = p->listener, .events = POLLIN};
		(void)poll(watch, CLIENTS_MAX + 1, 5);
		pthread_mutex_lock(&p->lock);
		int stop = p->stop;
		pthread_mutex_unlock(&p->lock);
		if (stop)
			return NULL;
		for (int i = 0; i < CLIENTS_MAX; i++)
			if (watch[i].revents && watch[i].fd == p->fds[i])
				take_bytes(p, i);
		if (watch[CLIENTS_MAX].revents)
			take_client(p);
		send_pending(p);
	}
}

static struct peer *peer_make(void)
{
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	assert_int_equal(pthread_mutex_init(&p->lock, NULL), 0);
	for (int i = 0; i < CLIENTS_MAX; i++)
		p->fds[i] = -1;
	p->listener = -1;
	p->slave = -1;
	return p;
}

/* On a TCP socket. */
static __attribute__((unused)) struct peer *peer_on_tcp(enum peer_framing framing)
{
	struct peer *p = peer_make();
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	p->framing = framing;
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->listener >= 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(p->listener, 16), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&address, &size), 0);
	p->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_thread, p), 0);
	return p;
}

static __attribute__((unused)) struct peer *peer_tcp(void)
{
	return peer_on_tcp(PEER_TCP);
}

/* At the far end of a PTY. */
static __attribute__((unused)) struct peer *peer_on_line(enum peer_framing framing)
{
	struct peer *p = peer_make();
	struct termios raw;

	p->serial = 1;
	p->framing = framing;
	assert_int_equal(openpty(&p->fds[0], &p->slave, p->device, NULL, NULL), 0);
	assert_int_equal(tcgetattr(p->slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(p->slave, TCSANOW, &raw), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_thread, p), 0);
	return p;
}

static __attribute__((unused)) struct peer *peer_rtu(void)
{
	return peer_on_line(PEER_RTU);
}

static void peer_free(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = 1;
	pthread_mutex_unlock(&p->lock);
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (p->fds[i] >= 0)
			close(p->fds[i]);
	if (p->listener >= 0)
		close(p->listener);
	if (p->slave >= 0)
		close(p->slave);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

static void __attribute__((unused)) peer_set(struct peer *p, uint8_t unit, enum fault fault, int value)
{
	pthread_mutex_lock(&p->lock);
	p->fault[unit] = fault;
	p->value[unit] = value;
	pthread_mutex_unlock(&p->lock);
}

static int __attribute__((unused)) peer_count(struct peer *p, const int *what)
{
	pthread_mutex_lock(&p->lock);
	int n = *what;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static int __attribute__((unused)) peer_clients(struct peer *p)
{
	return peer_count(p, &p->clients);
}

/* A bus, its line and what came of it. */
struct field {
	struct loop *loop;
	struct bus *bus;
	struct bus_line *line;
	struct bus_read reads[TAGS_MAX];
	uint32_t count;
	int by_status[BUS_DISCONNECTED + 1]; /* reads */
	int ok_of[TAGS_MAX], told_of[TAGS_MAX];
	int wrong, not_empty; /* values of another request; failed reads that carried words */
	int writes, write_status[BUS_DISCONNECTED + 1];
	uint8_t exception;
	int foreign; /* results of other lines than line */
};

static void check_words(struct field *f, const struct bus_result *r)
{
	const struct bus_read *read = &f->reads[r->tag];

	if (r->count != read->count || r->unit != read->unit)
		f->wrong++;
	for (uint16_t i = 0; i < r->count; i++) {
		uint16_t address = (uint16_t)(read->address + i);

		f->wrong += r->words[i] != (read->function <= 2 ? (address & 1) : register_of(read->unit, address));
	}
}

static void field_result(void *user, const struct bus_result *r)
{
	struct field *f = user;

	assert_in_range(r->status, BUS_OK, BUS_DISCONNECTED);
	if (f->line && r->line != bus_line_id(f->line))
		f->foreign++;
	if (r->is_write) {
		f->writes++;
		f->write_status[r->status]++;
		return;
	}
	f->by_status[r->status]++;
	f->exception = r->exception;
	assert_true(r->tag < TAGS_MAX);
	f->told_of[r->tag]++;
	f->ok_of[r->tag] += r->status == BUS_OK;
	if (r->status == BUS_OK) {
		check_words(f, r);
		return;
	}
	f->not_empty += r->count != 0;
	for (int i = 0; i < BUS_WORDS_MAX; i++)
		f->not_empty += r->words[i] != 0;
}

static void field_start(struct field *f)
{
	struct error err = {0};

	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->bus = bus_new(f->loop, field_result, f, &err);
	assert_non_null(f->bus);
}

static void field_stop(struct field *f)
{
	bus_free(f->bus);
	loop_free(f->loop);
	/* What holds for every test of this room. */
	assert_int_equal(f->wrong, 0);
	assert_int_equal(f->not_empty, 0);
}

static void __attribute__((unused))
field_read(struct field *f, uint8_t unit, uint8_t function, uint16_t address, uint16_t count, uint32_t period_ms)
{
	f->reads[f->count] = (struct bus_read){.unit = unit,
					       .function = function,
					       .address = address,
					       .count = count,
					       .period_ms = period_ms,
					       .tag = f->count};
	f->count++;
}

static struct bus_line_config config_of(const struct peer *p)
{
	struct bus_line_config c = {.kind = p->serial ? BUS_RTU : BUS_TCP,
				    .framing = p->framing == PEER_ASCII ? BUS_FRAMING_ASCII
					       : p->framing == PEER_RTU ? BUS_FRAMING_RTU
									: BUS_FRAMING_AUTO,
				    .port = p->port,
				    .baud = 115200,
				    .data_bits = 8,
				    .stop_bits = 1,
				    .parity = 'N',
				    .connect_timeout_ms = 2000,
				    .response_timeout_ms = 300,
				    .byte_timeout_ms = 50};

	(void)snprintf(c.name, sizeof(c.name), "line");
	(void)snprintf(c.host, sizeof(c.host), "127.0.0.1");
	(void)snprintf(c.device, sizeof(c.device), "%s", p->device);
	return c;
}

static void __attribute__((unused)) field_open(struct field *f, const struct bus_line_config *config)
{
	struct error err = {0};

	if (!f->bus)
		field_start(f);
	f->line = bus_line_open(f->bus, config, f->reads, f->count, &err);
	if (!f->line)
		fail_msg("%s", err.text);
}

static struct bus_line_stats __attribute__((unused)) stats_of(const struct field *f)
{
	struct bus_line_stats s;

	bus_line_get_stats(f->line, &s);
	return s;
}

/* Turns the loop until *value reaches want. */
static void __attribute__((unused)) turn_until(struct field *f, const int *value, int want)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (*value < want) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
}

/* Until the peer has been asked that often. */
static void __attribute__((unused)) turn_until_asked(struct field *f, struct peer *p, const int *counter, int want)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (peer_count(p, counter) < want) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
}

static void __attribute__((unused)) turn_until_slow(struct field *f, uint32_t units)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (stats_of(f).units_slow != units) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(f->loop, 20), FC_OK);
	}
}

static void __attribute__((unused)) turn_for(struct field *f, int ms)
{
	for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end;)
		assert_int_equal(loop_step(f->loop, 10), FC_OK);
}

#endif
