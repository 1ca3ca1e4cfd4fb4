/* UNIX datagrams as a bus of two: each frame is 16 bytes, as SocketCAN has them but for the byte order:
 *   0  identifier with the flag bits, most significant byte first
 *   4  length 0..8, three bytes of zero
 *   8  data
 * For tests: a simulated charger in another process, on a machine without CAN. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/can_port.h"

enum { DATAGRAM_BYTES = 16 };

struct datagram {
	struct can_port *port;
	struct sockaddr_un own, peer;
	int fd;
	struct loop_fd *watch; /* of an epoll descriptor: the loop's own would not outlive an error of the socket */
	struct loop_timer begin;
};

static void receive(struct datagram *own, const uint8_t *bytes, ssize_t n)
{
	struct can_frame frame = {0};
	uint32_t id = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];

	if (n != DATAGRAM_BYTES || bytes[4] > CAN_DATA_MAX || can_wire_read(id, &frame)) {
		can_port_malformed(own->port, own->own.sun_path, "a datagram that is no CAN frame");
		return;
	}
	frame.len = bytes[4];
	if (!frame.remote)
		memcpy(frame.data, bytes + 8, frame.len);
	frame.mono_us = clock_mono_us();
	frame.wall_us = can_wall_us();
	can_port_received(own->port, &frame);
}

static void readable(void *user, int fd)
{
	struct datagram *own = user;

	(void)fd;
	for (int i = 0; i < CAN_TURN_MAX; i++) {
		uint8_t bytes[DATAGRAM_BYTES + 1] = {0}; /* one more: too long is seen */
		ssize_t n = recv(own->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n >= 0)
			receive(own, bytes, n);
		else if (errno != EINTR)
			return;
	}
}

static int send_datagram(void *user, const struct can_frame *frame)
{
	struct datagram *own = user;
	uint32_t id = can_wire_id(frame);
	uint8_t bytes[DATAGRAM_BYTES] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id,
					 frame->len};

	if (!frame->remote)
		memcpy(bytes + 8, frame->data, frame->len);
	if (sendto(own->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&own->peer,
		   sizeof(own->peer)) == (ssize_t)sizeof(bytes))
		return FC_OK;
	/* Nobody on the bus yet: the frame is gone, which is no error. */
	if (errno == ENOENT || errno == ECONNREFUSED)
		return FC_OK;
	return errno == EAGAIN || errno == ENOBUFS ? FC_EBUSY : FC_EIO;
}

static void begin(void *user)
{
	struct datagram *own = user;

	can_port_state(own->port, CAN_ACTIVE, "%s", "");
}

static int read_path(struct sockaddr_un *address, const char *path, size_t n)
{
	if (n == 0 || n >= sizeof(address->sun_path))
		return FC_EINVAL;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, n);
	return FC_OK;
}

/* Takes the place of a socket that an ended process left, and of nothing else. */
static int bind_path(int fd, const struct sockaddr_un *address)
{
	struct stat st;

	if (!bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return 0;
	if (errno != EADDRINUSE || stat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return -1;
	/* Somebody who reads there is no leftover. */
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno != ECONNREFUSED) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(address->sun_path) ? -1 : bind(fd, (const struct sockaddr *)address, sizeof(*address));
}

static void close_datagram(void *user)
{
	struct datagram *own = user;

	loop_timer_cancel(own->port->loop, &own->begin);
	loop_fd_remove(own->watch);
	if (own->fd >= 0) {
		close(own->fd);
		(void)unlink(own->own.sun_path);
	}
	free(own);
}

static int start(struct datagram *own, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind_path(fd, &own->own)) {
		int result = error_set(err, FC_EIO, "bus: %s: %s: %s", own->port->config.name, own->own.sun_path,
				       strerror(errno));

		if (fd >= 0)
			close(fd);
		return result;
	}
	own->fd = fd;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		(void)error_set(err, FC_EIO, "bus: %s: %s", own->port->config.name, strerror(errno));
	else
		own->watch = loop_fd_add(own->port->loop, epoll, readable, own, err);
	if (!own->watch) {
		if (epoll >= 0)
			close(epoll);
		return FC_EIO;
	}
	if (loop_timer_set(own->port->loop, &own->begin, 1))
		return error_set(err, FC_ENOMEM, "bus: %s: no memory", own->port->config.name);
	return FC_OK;
}

static void *open_datagram(struct can_port *port, const char *what, struct error *err)
{
	struct datagram *own = calloc(1, sizeof(*own));
	size_t n = strcspn(what, ",");

	if (!own) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", port->config.name);
		return NULL;
	}
	own->port = port;
	own->fd = -1;
	own->begin = (struct loop_timer){.fn = begin, .user = own};
	if (what[n] != ',' || strchr(what + n + 1, ',') || read_path(&own->own, what, n) ||
	    read_path(&own->peer, what + n + 1, strlen(what + n + 1)))
		(void)error_set(err, FC_EINVAL,
				"bus: %s: \"%s\" must be datagram:OWN_PATH,PEER_PATH, each up to %zu characters",
				port->config.name, port->config.device, sizeof(own->own.sun_path) - 1);
	else if (!start(own, err))
		return own;
	close_datagram(own);
	return NULL;
}

const struct can_transport can_datagram = {
    .prefix = "datagram:",
    .open = open_datagram,
    .close = close_datagram,
    .send = send_datagram,
};
