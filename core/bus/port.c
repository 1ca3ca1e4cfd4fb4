#include "bus/port.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <modbus.h>

#include "base/clock.h"
#include "bus/serial.h"

enum { USER_TIMEOUT_MS = 20000, SEND_PATIENCE_MS = 1000, MICROS = 1000000 };

struct port {
	const struct bus_line_config *config;
	modbus_t *modbus;
	int fd; /* libmodbus owns it; -1 while closed */
	enum serial_turn turn;
	int opened; /* it was open before: what is normal is not said again */
	int hung;   /* the last wait said that the serial port has gone */
};

struct port *port_new(const struct bus_line_config *c)
{
	struct port *p = calloc(1, sizeof(*p));
	char service[8];

	if (!p)
		return NULL;
	p->config = c;
	p->fd = -1;
	(void)snprintf(service, sizeof(service), "%d", c->port);
	p->modbus = c->kind == BUS_TCP ? modbus_new_tcp_pi(c->host, service)
				       : modbus_new_rtu(c->device, c->baud, c->parity, c->data_bits, c->stop_bits);
	if (!p->modbus) {
		free(p);
		return NULL;
	}
	/* We own the reconnect (peers.md, row 12): the library only reports. */
	(void)modbus_set_error_recovery(p->modbus, MODBUS_ERROR_RECOVERY_NONE);
	return p;
}

void port_free(struct port *p)
{
	if (!p)
		return;
	port_close(p);
	modbus_free(p->modbus);
	free(p);
}

/* libmodbus waits for a connection by select(), which writes beyond its set for a descriptor of 1024 or more. */
static int is_selectable(void)
{
	int next = dup(STDERR_FILENO);

	if (next < 0)
		return 0;
	(void)close(next);
	if (next < FD_SETSIZE - 8)
		return 1;
	errno = EMFILE;
	return 0;
}

/* libmodbus opens at 9600 baud when it does not know the rate, and says nothing. */
static int has_rate(const struct port *p)
{
	struct termios now;

	if (p->config->kind == BUS_TCP || p->config->baud == 9600)
		return 1;
	return !tcgetattr(modbus_get_socket(p->modbus), &now) && cfgetospeed(&now) != B9600;
}

int port_open(struct port *p)
{
	const int64_t us = (int64_t)p->config->connect_timeout_ms * 1000;
	unsigned user_timeout = USER_TIMEOUT_MS;

	/* libmodbus takes its response time-out for connecting too. */
	(void)modbus_set_response_timeout(p->modbus, (uint32_t)(us / MICROS), (uint32_t)(us % MICROS));
	if (p->config->kind == BUS_TCP && !is_selectable())
		return -1;
	if (modbus_connect(p->modbus)) {
		/* What libmodbus leaves behind when its wait for the connection has ended. */
		errno = errno == EINPROGRESS ? ETIMEDOUT : errno;
		return -1;
	}
	if (!has_rate(p)) {
		modbus_close(p->modbus);
		errno = EINVAL;
		return -1;
	}
	p->fd = modbus_get_socket(p->modbus);
	if (p->config->kind == BUS_TCP) {
		/* A path that is dead without a word is an error of the socket after this time, not an endless row of time-outs. */
		(void)setsockopt(p->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof(user_timeout));
	} else {
		p->turn = serial_set_rs485(p->fd, p->config, !p->opened);
	}
	p->opened = 1;
	p->hung = 0;
	return 0;
}

static void drop_unsent(const struct port *p)
{
	const struct linger at_once = {.l_onoff = 1};
	int unsent = 0;

	if (p->config->kind == BUS_RTU)
		(void)tcflush(p->fd, TCIOFLUSH);
	else if (!ioctl(p->fd, SIOCOUTQ, &unsent) && unsent > 0)
		(void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void port_close(struct port *p)
{
	if (p->fd < 0)
		return;
	drop_unsent(p);
	modbus_close(p->modbus);
	p->fd = -1;
}

static int write_some(const struct port *p, const uint8_t *bytes, size_t len)
{
	ssize_t n = p->config->kind == BUS_TCP ? send(p->fd, bytes, len, MSG_NOSIGNAL) : write(p->fd, bytes, len);

	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : (int)n;
}

int port_send(struct port *p, const uint8_t *bytes, size_t len)
{
	if (p->turn == SERIAL_TURN_RTS)
		return serial_send_by_rts(p->fd, p->config, bytes, len);
	/* One request in flight: the kernel has room for it unless the last ones never left. */
	for (int tries = 0; len; tries++) {
		struct pollfd writable = {.fd = p->fd, .events = POLLOUT};
		int n = tries ? poll(&writable, 1, SEND_PATIENCE_MS) : 1;

		if (n == 0)
			errno = ETIMEDOUT;
		if (n <= 0 || (n = write_some(p, bytes, len)) < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int port_read(struct port *p, uint8_t *bytes, size_t size)
{
	ssize_t n = p->config->kind == BUS_TCP ? recv(p->fd, bytes, size, MSG_DONTWAIT) : read(p->fd, bytes, size);

	if (n > 0)
		return (int)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A serial port that is open without blocking says 0 when nothing has come (VMIN 0). */
	if (n == 0 && p->config->kind == BUS_RTU && !p->hung)
		return 0;
	if (n == 0)
		errno = p->config->kind == BUS_RTU ? EIO : ECONNRESET;
	return -1;
}

int port_wait(struct port *p, int64_t until_us)
{
	struct pollfd readable = {.fd = p->fd, .events = POLLIN};
	int64_t us = until_us - clock_mono_us();
	const struct timespec time = {.tv_sec = us > 0 ? us / MICROS : 0,
				      .tv_nsec = us > 0 ? (long)(us % MICROS * 1000) : 0};
	int n = ppoll(&readable, 1, &time, NULL);

	if (n < 0)
		return errno == EINTR ? 1 : -1;
	/* A serial port that has gone is readable for ever, with nothing in it. */
	p->hung = n > 0 && p->config->kind == BUS_RTU && (readable.revents & (POLLHUP | POLLERR | POLLNVAL));
	if (p->hung && !(readable.revents & POLLIN)) {
		errno = EIO;
		return -1;
	}
	return n;
}

void port_error(const struct port *p, int code, char *out, size_t size)
{
	const struct bus_line_config *c = p->config;
	const char *parity = c->parity == 'N' ? "none" : c->parity == 'E' ? "even" : "odd";

	if (c->kind == BUS_RTU)
		(void)snprintf(out, size, "open: %s (%d baud, %d data bits, parity %s, %d stop bits): %s", c->device,
			       c->baud, c->data_bits, parity, c->stop_bits,
			       code == EINVAL ? "driver or library have no such settings" : modbus_strerror(code));
	else
		(void)snprintf(out, size, "connect: %s:%d: %s", c->host, c->port, modbus_strerror(code));
}
