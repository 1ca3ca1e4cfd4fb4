#include "sim/charger_station.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

double station_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

void station_die(const char *what)
{
	fprintf(stderr, "sim-charger: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* -1 and errno when the port is not to be had. */
int station_listen(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 16)) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int station_open_line(const char *link)
{
	struct termios raw;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || grantpt(fd) || unlockpt(fd) || !ptsname(fd))
		station_die("pseudo-terminal");
	/* Kept open: without a slave the master would report a hang-up until the gateway comes. */
	int slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
	if (slave < 0 || tcgetattr(slave, &raw))
		station_die("pseudo-terminal");
	cfmakeraw(&raw);
	if (tcsetattr(slave, TCSANOW, &raw))
		station_die("pseudo-terminal");
	(void)unlink(link);
	if (symlink(ptsname(fd), link))
		station_die(link);
	return fd;
}

void station_watch(const struct station *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(s->set, EPOLL_CTL_ADD, fd, &event))
		station_die("epoll");
}

struct stream *station_add_stream(struct station *s, int fd, int charger, int line)
{
	if (s->stream_count == STREAMS_MAX) {
		close(fd);
		return NULL;
	}
	struct stream *stream = &s->streams[s->stream_count++];
	*stream = (struct stream){.fd = fd, .charger = charger, .line = line};
	station_watch(s, fd);
	return stream;
}

void station_drop_stream(struct station *s, int i)
{
	struct stream *stream = &s->streams[i];

	if (stream->charger >= 0)
		s->chargers[stream->charger].connections--;
	int kept = 0; /* in order: the rest are pieces of answers */
	for (int k = 0; k < s->pending_count; k++)
		if (s->pending[k].fd != stream->fd)
			s->pending[kept++] = s->pending[k];
	s->pending_count = kept;
	close(stream->fd);
	*stream = s->streams[--s->stream_count];
}

static void send_bytes(struct station *s, int fd, const uint8_t *data, size_t len)
{
	/* A peer that has gone is noticed at the next read. */
	ssize_t n = write(fd, data, len);
	if (n > 0)
		s->bytes_out += (unsigned long)n;
}

static void send_later(struct station *s, int fd, double ms, const uint8_t *data, size_t len)
{
	if (s->pending_count == PENDING_MAX)
		return;
	struct pending *p = &s->pending[s->pending_count++];
	p->fd = fd;
	p->at_ms = station_now_ms() + ms;
	p->len = len;
	memcpy(p->data, data, len);
}

/* The answer goes out as the charger's fault has it. */
static void send_answer(struct station *s, struct charger *c, const struct stream *stream, uint16_t transaction,
			uint8_t unit, const uint8_t *pdu, size_t len)
{
	uint8_t frame[MODBUS_FRAME_MAX], stale[MODBUS_FRAME_MAX];
	int tcp = stream->charger >= 0;

	if (c->fault == MUTE)
		return;
	if (c->fault == WRONG_UNIT)
		unit++;
	size_t n = tcp ? modbus_frame_tcp(transaction, unit, pdu, len, frame) : modbus_frame_rtu(unit, pdu, len, frame);
	switch (c->fault) {
	case LATE:
		send_later(s, stream->fd, c->fault_value, frame, n);
		return;
	case TORN:
		for (size_t i = 0; i < n; i += 3)
			send_later(s, stream->fd, (double)i * 2, frame + i, n - i < 3 ? n - i : 3);
		return;
	case STALE:
		if (tcp)
			send_bytes(s, stream->fd, stale,
				   modbus_frame_tcp((uint16_t)(transaction - 1), unit, pdu, len, stale));
		break;
	case GARBAGE:
		for (size_t i = 0; i < n; i++)
			frame[i] = (uint8_t)(frame[i] * 31 + 7);
		break;
	case NORMAL:
	case MUTE:
	case EXCEPTION:
	case WRONG_UNIT:
		break;
	}
	send_bytes(s, stream->fd, frame, n);
}

/* Reads from the state register of a connector on. */
static int is_poll(const uint8_t *pdu, size_t len)
{
	return len >= 3 && (pdu[0] == 3 || pdu[0] == 4) && (pdu[1] << 8 | pdu[2]) % MODEL_STRIDE == 0;
}

static void serve(struct station *s, const struct stream *stream, uint16_t transaction, uint8_t unit,
		  const uint8_t *pdu, size_t len)
{
	uint8_t out[MODBUS_FRAME_MAX];
	int index = stream->charger >= 0 ? stream->charger : s->tcp + stream->line * s->per_line + unit - 1;

	if (stream->charger < 0 && (unit < 1 || unit > s->per_line))
		return; /* nobody of that address on the line */
	struct charger *c = &s->chargers[index];
	c->requests++;
	if (is_poll(pdu, len))
		c->times[c->polls++ % TIMES] = station_now_ms();
	size_t n = modbus_answer(&c->model, pdu, len, c->fault == EXCEPTION ? c->fault_value : 0, out);
	send_answer(s, c, stream, transaction, unit, out, n);
}

/* All whole requests in the stream's input; -1 when the stream must be closed. */
static int take_requests(struct station *s, struct stream *stream)
{
	uint8_t pdu[MODBUS_FRAME_MAX], unit = 0;
	size_t len = 0, at = 0;
	uint16_t transaction = 0;

	for (;;) {
		int good = 1, n;

		if (stream->charger >= 0)
			n = modbus_take_tcp(stream->input + at, stream->used - at, &transaction, &unit, pdu, &len);
		else
			n = modbus_take_rtu(stream->input + at, stream->used - at, &unit, pdu, &len, &good);
		if (n < 0)
			return -1;
		if (!n)
			break;
		at += (size_t)n;
		if (good)
			serve(s, stream, transaction, unit, pdu, len);
	}
	memmove(stream->input, stream->input + at, stream->used - at);
	stream->used -= at;
	return stream->used == sizeof(stream->input) ? -1 : 0;
}

int station_read(struct station *s, struct stream *stream)
{
	double now = station_now_ms();

	/* Modbus over serial line V1.02, 2.5.1.1: a pause ends a frame, also one that is not whole. */
	if (stream->charger == ON_LINE && now - stream->read_ms > LINE_PAUSE_MS)
		stream->used = 0;
	ssize_t n = read(stream->fd, stream->input + stream->used, sizeof(stream->input) - stream->used);
	if (n < 0 && (errno == EAGAIN || errno == EINTR || stream->charger == ON_LINE))
		return 0;
	if (n <= 0)
		return -1;
	stream->used += (size_t)n;
	stream->read_ms = now;
	if (stream->charger == ON_CONTROL)
		return command_take(s, stream);
	s->bytes_in += (unsigned long)n;
	return take_requests(s, stream);
}

void station_accept(struct station *s, int index)
{
	struct charger *c = &s->chargers[index];
	int on = 1, fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!station_add_stream(s, fd, index, 0))
		return;
	if (++c->connections > c->connections_max)
		c->connections_max = c->connections;
}

void station_close_charger(struct station *s, int index)
{
	struct charger *c = &s->chargers[index];

	if (c->listener >= 0)
		close(c->listener);
	c->listener = -1;
	for (int i = s->stream_count - 1; i >= 0; i--)
		if (s->streams[i].charger == index)
			station_drop_stream(s, i);
}

void station_send_due(struct station *s)
{
	double now = station_now_ms();

	for (int i = 0; i < s->pending_count; i++) {
		if (s->pending[i].at_ms > now)
			continue;
		send_bytes(s, s->pending[i].fd, s->pending[i].data, s->pending[i].len);
		memmove(&s->pending[i], &s->pending[i + 1], (size_t)(s->pending_count - i - 1) * sizeof(s->pending[0]));
		s->pending_count--;
		i--;
	}
}
