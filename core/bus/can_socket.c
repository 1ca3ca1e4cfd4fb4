/* SocketCAN: one raw socket on one interface. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The kernel's headers use the same tags as bus/can.h for other things: here they are kernel_can_... */
#define can_frame  kernel_can_frame
#define can_filter kernel_can_filter
#include <linux/can.h>
#include <linux/can/raw.h>
#undef can_frame
#undef can_filter

#include "base/clock.h"
#include "base/log.h"
#include "bus/can_netlink.h"
#include "bus/can_port.h"

/* One call takes so many; a frame's control data are a time stamp and the count of drops. */
enum { BATCH = 32, CONTROL_BYTES = CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t)) };
/* Some 1300 frames with what the kernel adds to each: 0.6 s of a full bus of 250 kbit/s that the loop may be late. */
enum { RECEIVE_BYTES = 512 * 1024 };

static const int64_t second_us = 1000000;
static const int64_t back_off_most_us = 60 * 1000000;
static const int64_t look_disturbed_us = 5 * 1000000; /* some drivers do not tell that they have recovered */
static const int64_t look_healthy_us = 60 * 1000000;  /* nor that an error frame was lost */
static const int64_t events_apart_us = 200000;

struct can_socket_port {
	struct can_port *port;
	char name[CAN_LINK_NAME_SIZE];
	int epoll, raw, links; /* raw -1: not open */
	struct loop_fd *watch;
	int index; /* that raw is bound to */
	uint32_t drops;
	struct loop_timer look;
	int64_t looked_us;
	int64_t down_us; /* wait before the next look while it is down */
	int64_t
	    off_us; /* wait before the next restart after bus-off: longer each time, until it has been healthy for long */
	int64_t restart_us;             /* when that is due; 0: not waiting for it */
	int no_listen_only, no_restart; /* the driver can't */
	int told_differs, told_not_allowed;
	struct kernel_can_frame frames[BATCH];
	union {
		struct cmsghdr align;
		char bytes[CONTROL_BYTES];
	} control[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
};

static void look_in(struct can_socket_port *own, int64_t us)
{
	(void)loop_timer_set(own->port->loop, &own->look, us);
}

/* The command that does what is missing, for the person who may. */
static const char *remedy(const struct can_socket_port *own, int controller, char *out, size_t size)
{
	const struct can_config *config = &own->port->config;
	int n = snprintf(out, size, "ip link set %s up", own->name);

	if (!controller)
		return out;
	if (config->bitrate)
		n += snprintf(out + n, size - (size_t)n, " type can bitrate %d", config->bitrate);
	else
		n += snprintf(out + n, size - (size_t)n, " type can bitrate BITRATE");
	if (config->restart_ms)
		n += snprintf(out + n, size - (size_t)n, " restart-ms %d", config->restart_ms);
	if (config->listen_only)
		(void)snprintf(out + n, size - (size_t)n, " listen-only on");
	return out;
}

static void close_raw(struct can_socket_port *own)
{
	if (own->raw < 0)
		return;
	(void)epoll_ctl(own->epoll, EPOLL_CTL_DEL, own->raw, NULL);
	close(own->raw);
	own->raw = -1;
}

static void set_filters(void *user)
{
	struct can_socket_port *own = user;
	const struct can_port *port = own->port;
	struct kernel_can_filter filters[CAN_FILTERS_MAX] = {{0}};
	int count = port->filter_count;

	if (own->raw < 0)
		return;
	for (int i = 0; i < count; i++) {
		filters[i].can_id = port->filters[i].id | (port->filters[i].extended ? CAN_EFF_FLAG : 0);
		filters[i].can_mask = (port->filters[i].mask & CAN_EFF_MASK) | CAN_EFF_FLAG;
	}
	if (count < 0)
		count = 1; /* of all zero: everything */
	if (setsockopt(own->raw, SOL_CAN_RAW, CAN_RAW_FILTER, filters, (socklen_t)((size_t)count * sizeof(filters[0]))))
		log_warning("bus: %s: CAN %s: filters: %s", port->config.name, own->name, strerror(errno));
}

/* Options without which it works too are not insisted on. */
static void set_options(struct can_socket_port *own)
{
	const int on = 1, bytes = RECEIVE_BYTES;
	const can_err_mask_t errors = CAN_ERR_MASK;

	(void)setsockopt(own->raw, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(own->raw, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	(void)setsockopt(own->raw, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof(errors));
	if (setsockopt(own->raw, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(own->raw, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* Bound to the interface. FC_OK, or FC_EIO and the state says why. */
static int open_raw(struct can_socket_port *own, const struct can_link *link)
{
	struct sockaddr_can address = {.can_family = AF_CAN, .can_ifindex = link->index};
	struct epoll_event event = {.events = EPOLLIN};

	if (own->raw >= 0 && own->index == link->index)
		return FC_OK;
	close_raw(own);
	own->raw = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
	if (own->raw < 0) {
		can_port_state(own->port, CAN_DOWN,
			       errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT
				   ? "this kernel has no CAN sockets (modules can, can-raw)"
				   : "%s",
			       strerror(errno));
		return FC_EIO;
	}
	own->index = link->index;
	own->drops = 0;
	set_options(own);
	/* Before it is bound: nothing that is not wanted comes in between. */
	set_filters(own);
	if (!bind(own->raw, (struct sockaddr *)&address, sizeof(address)) &&
	    !epoll_ctl(own->epoll, EPOLL_CTL_ADD, own->raw, &event))
		return FC_OK;
	can_port_state(own->port, CAN_DOWN, "%s", strerror(errno));
	close_raw(own);
	return FC_EIO;
}

static int differs(const struct can_socket_port *own, const struct can_link *link)
{
	const struct can_config *config = &own->port->config;
	uint32_t want = (uint32_t)config->bitrate;

	if (!link->controller)
		return 0;
	/* The driver tells what its clock can really do. */
	if (want && (link->bitrate < want - want / 50 || link->bitrate > want + want / 50))
		return 1;
	return !link->listen_only != !(config->listen_only && !own->no_listen_only) ||
	       link->restart_ms != (own->no_restart ? 0 : (uint32_t)config->restart_ms) ||
	       (config->sample_point && link->sample_point != (uint32_t)config->sample_point);
}

/* What the driver can't do is left out: first to listen only, then to restart by itself. */
static int configure(struct can_socket_port *own, const struct can_link *link, struct error *err)
{
	const struct can_config *config = &own->port->config;

	for (;;) {
		struct can_link_settings settings = {.bitrate = (uint32_t)config->bitrate,
						     .sample_point = (uint32_t)config->sample_point,
						     .restart_ms = own->no_restart ? 0 : (uint32_t)config->restart_ms,
						     .listen_only = config->listen_only && !own->no_listen_only};
		int result = can_link_configure(link->index, &settings, err);

		if (result != FC_EINVAL)
			return result;
		if (settings.listen_only)
			own->no_listen_only = 1;
		else if (settings.restart_ms)
			own->no_restart = 1;
		else
			break;
	}
	/* It was something else. */
	own->no_listen_only = own->no_restart = 0;
	return error_set(err, FC_EINVAL, "the controller can't be set to %d bit/s", config->bitrate);
}

static int set_up(struct can_socket_port *own, const struct can_link *link, struct error *err)
{
	const struct can_config *config = &own->port->config;
	int result = FC_OK;

	if (link->controller) {
		if (link->up)
			result = can_link_set_up(link->index, 0, err);
		if (!result)
			result = configure(own, link, err);
	}
	if (!result)
		result = can_link_set_up(link->index, 1, err);
	if (result)
		return result;
	log_notice("bus: %s: CAN %s: brought up%s", config->name, own->name,
		   !own->no_listen_only
		       ? ""
		       : "; this controller can't listen only: it acknowledges frames, and we send none");
	return FC_OK;
}

/* The interface as the configuration wants it, as far as that is ours to do. FC_OK: it is up; else the state says why not. */
static int make_ready(struct can_socket_port *own, struct can_link *link)
{
	const struct can_config *config = &own->port->config;
	char command[160];
	struct error err;

	remedy(own, link->controller, command, sizeof(command));
	if (config->bring_up && (!link->up || differs(own, link))) {
		int result = set_up(own, link, &err);

		if (!result)
			result = can_link_get(own->name, link, &err);
		if (result == FC_EAUTH && !own->told_not_allowed++)
			log_warning("bus: %s: CAN %s: not allowed to set it up (no CAP_NET_ADMIN): run `%s`",
				    config->name, own->name, command);
		/* One that works, if with other settings, is used. */
		if (result && !(result == FC_EAUTH && link->up)) {
			can_port_state(own->port, CAN_DOWN, "can't be brought up: %s: run `%s`", err.text, command);
			return result;
		}
	}
	if (!link->up) {
		can_port_state(own->port, CAN_DOWN, "the interface is down: run `%s`", command);
		return FC_EIO;
	}
	if (!config->bring_up && config->bitrate && differs(own, link) && !own->told_differs++)
		log_warning("bus: %s: CAN %s: set to %u bit/s%s%s, configured: `%s`", config->name, own->name,
			    link->bitrate, link->listen_only ? ", listen only" : "",
			    link->restart_ms ? "" : ", no restart after bus-off", command);
	return FC_OK;
}

/* It stays off for the time that the back-off says; then a restart, and where that fails down and up. */
static void recover(struct can_socket_port *own, struct can_link *link)
{
	int64_t now = clock_mono_us();
	struct error err;

	if (link->restart_ms) {
		can_port_state(own->port, CAN_BUS_OFF, "restarts by itself after %u ms", link->restart_ms);
		return;
	}
	if (!own->port->config.bring_up) {
		can_port_state(own->port, CAN_BUS_OFF, "run `ip link set %s type can restart`", own->name);
		return;
	}
	if (!own->restart_us)
		own->restart_us = now + own->off_us;
	if (now < own->restart_us) {
		can_port_state(own->port, CAN_BUS_OFF, "restarted in %lld s", (long long)(own->off_us / second_us));
		return;
	}
	own->restart_us = 0;
	own->off_us = own->off_us * 2 < back_off_most_us ? own->off_us * 2 : back_off_most_us;
	if (can_link_restart(link->index, &err)) {
		(void)can_link_set_up(link->index, 0, NULL);
		(void)can_link_set_up(link->index, 1, NULL);
		own->port->stats.restarts++; /* an error frame tells of the other kind */
	}
	if (can_link_get(own->name, link, &err))
		link->state = CAN_LINK_STOPPED;
}

static void take_over_state(struct can_socket_port *own, const struct can_link *link)
{
	struct can_port *port = own->port;

	port->stats.tx_errors = link->tx_errors;
	port->stats.rx_errors = link->rx_errors;
	switch (link->state) {
	case CAN_LINK_UNKNOWN:
	case CAN_LINK_ACTIVE:
		can_port_state(port, CAN_ACTIVE, "%s", "");
		break;
	case CAN_LINK_WARNING:
		can_port_state(port, CAN_WARNING, "%s", "");
		break;
	case CAN_LINK_PASSIVE:
		can_port_state(port, CAN_PASSIVE, "%s", "");
		break;
	case CAN_LINK_BUS_OFF:
		break; /* said by recover */
	case CAN_LINK_STOPPED:
		can_port_state(port, CAN_DOWN, "the controller is stopped");
		break;
	}
}

/* When to look again, by the state that the port is in now. */
static void look_again(struct can_socket_port *own)
{
	switch (own->port->stats.state) {
	case CAN_DOWN:
		look_in(own, own->down_us);
		own->down_us = own->down_us * 2 < back_off_most_us ? own->down_us * 2 : back_off_most_us;
		return;
	case CAN_BUS_OFF:
		look_in(own, own->restart_us ? own->restart_us - own->looked_us : look_disturbed_us);
		break;
	case CAN_WARNING:
	case CAN_PASSIVE:
		look_in(own, look_disturbed_us);
		break;
	case CAN_ACTIVE:
		look_in(own, look_healthy_us);
		break;
	}
	own->down_us = second_us;
}

static void look_at(struct can_socket_port *own)
{
	enum can_state before = own->port->stats.state;
	struct can_link link;
	struct error err;
	int result = can_link_get(own->name, &link, &err);

	if (result) {
		close_raw(own);
		can_port_state(own->port, CAN_DOWN, "%s",
			       result == FC_ENOENT ? "there is no such interface" : err.text);
		return;
	}
	if (!link.is_can) {
		can_port_state(own->port, CAN_DOWN, "this is no CAN interface");
		return;
	}
	if (make_ready(own, &link) || open_raw(own, &link))
		return;
	own->port->stats.bitrate = link.bitrate ? (int)link.bitrate : own->port->config.bitrate;
	if (link.state == CAN_LINK_BUS_OFF)
		recover(own, &link);
	else
		own->restart_us = 0;
	take_over_state(own, &link);
	/* A look that finds it as healthy as the one before: it has held. */
	if (link.state == CAN_LINK_ACTIVE && before == CAN_ACTIVE &&
	    clock_mono_us() - own->looked_us >= look_healthy_us)
		own->off_us = second_us;
}

static void look(void *user)
{
	struct can_socket_port *own = user;

	look_at(own);
	own->looked_us = clock_mono_us();
	look_again(own);
}

static void error_told(void *user, int restarted)
{
	struct can_socket_port *own = user;

	if (restarted)
		own->restart_us = 0;
	switch (own->port->stats.state) {
	case CAN_DOWN:
		break;
	case CAN_BUS_OFF:
		look_in(own, 1);
		break;
	case CAN_WARNING:
	case CAN_PASSIVE:
		look_in(own, look_disturbed_us);
		break;
	case CAN_ACTIVE:
		look_in(own, look_healthy_us);
		break;
	}
}

/* By the kernel's wall clock stamp; one that can't be right (the clock was set meanwhile) is not believed. */
static void stamp(struct can_frame *frame, const struct timespec *kernel, int64_t mono_us, int64_t wall_us)
{
	int64_t age_us = wall_us - ((int64_t)kernel->tv_sec * second_us + kernel->tv_nsec / 1000);

	if (!kernel->tv_sec || age_us < 0 || age_us > 10 * second_us)
		age_us = 0;
	frame->mono_us = mono_us - age_us;
	frame->wall_us = wall_us - age_us;
}

static void take_frame(struct can_socket_port *own, int i, int64_t mono_us, int64_t wall_us)
{
	const struct kernel_can_frame *from = &own->frames[i];
	struct msghdr *message = &own->messages[i].msg_hdr;
	struct timespec kernel = {0};
	struct can_frame frame = {0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS && c->cmsg_len >= CMSG_LEN(sizeof(kernel))) {
			memcpy(&kernel, CMSG_DATA(c), sizeof(kernel));
		} else if (c->cmsg_type == SO_RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(uint32_t))) {
			uint32_t drops;

			/* All since the socket was opened; wraps. */
			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			own->port->stats.dropped += drops - own->drops;
			own->drops = drops;
		}
	}
	if (own->messages[i].msg_len != sizeof(*from) || from->can_dlc > CAN_DATA_MAX ||
	    can_wire_read(from->can_id, &frame)) {
		can_port_malformed(own->port, own->name, "the kernel gave what is no classic CAN frame");
		return;
	}
	frame.len = from->can_dlc;
	if (!frame.remote)
		memcpy(frame.data, from->data, frame.len);
	stamp(&frame, &kernel, mono_us, wall_us);
	can_port_received(own->port, &frame);
}

static void receive(struct can_socket_port *own)
{
	for (int taken = 0; taken < CAN_TURN_MAX && own->raw >= 0;) {
		for (int i = 0; i < BATCH; i++)
			own->messages[i].msg_hdr.msg_controllen = sizeof(own->control[i]);
		int n = recvmmsg(own->raw, own->messages, BATCH, MSG_DONTWAIT, NULL);

		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			can_port_state(own->port, CAN_DOWN, "%s",
				       errno == ENETDOWN ? "the interface went down" : strerror(errno));
			look_in(own, 1);
			return;
		}
		int64_t mono_us = clock_mono_us(), wall_us = can_wall_us();

		for (int i = 0; i < n; i++)
			take_frame(own, i, mono_us, wall_us);
		if (n < BATCH)
			return;
		taken += n;
	}
}

static void readable(void *user, int fd)
{
	struct can_socket_port *own = user;

	(void)fd;
	if (can_link_drain(own->links)) {
		/* What we did ourselves is among what is told: not again at once. */
		int64_t since = clock_mono_us() - own->looked_us;

		look_in(own, since < events_apart_us ? events_apart_us - since : 1);
	}
	receive(own);
}

static int send_frame(void *user, const struct can_frame *frame)
{
	struct can_socket_port *own = user;
	struct kernel_can_frame out = {.can_id = can_wire_id(frame), .can_dlc = frame->len};

	if (own->raw < 0 || own->port->stats.state == CAN_DOWN || own->port->stats.state == CAN_BUS_OFF)
		return FC_EIO;
	if (!frame->remote)
		memcpy(out.data, frame->data, frame->len);
	if (send(own->raw, &out, sizeof(out), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(out))
		return FC_OK;
	if (errno == EAGAIN || errno == ENOBUFS)
		return FC_EBUSY;
	look_in(own, 1);
	return FC_EIO;
}

static void close_socket(void *user)
{
	struct can_socket_port *own = user;

	loop_timer_cancel(own->port->loop, &own->look);
	close_raw(own);
	if (own->watch)
		loop_fd_remove(own->watch);
	else if (own->epoll >= 0)
		close(own->epoll);
	if (own->links >= 0)
		close(own->links);
	free(own);
}

static int start(struct can_socket_port *own, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN};

	/* The loop gets an epoll descriptor: of a socket it would lose sight at the first error, and errors are our daily bread. */
	own->epoll = epoll_create1(EPOLL_CLOEXEC);
	own->links = can_link_watch();
	if (own->epoll < 0 || own->links < 0 || epoll_ctl(own->epoll, EPOLL_CTL_ADD, own->links, &event))
		return error_set(err, FC_EIO, "bus: %s: CAN: %s", own->port->config.name, strerror(errno));
	own->watch = loop_fd_add(own->port->loop, own->epoll, readable, own, err);
	if (!own->watch)
		return FC_EIO;
	/* The timer's memory is taken now. */
	if (loop_timer_set(own->port->loop, &own->look, 1))
		return error_set(err, FC_ENOMEM, "bus: %s: no memory", own->port->config.name);
	for (int i = 0; i < BATCH; i++) {
		own->iov[i] = (struct iovec){.iov_base = &own->frames[i], .iov_len = sizeof(own->frames[i])};
		own->messages[i].msg_hdr =
		    (struct msghdr){.msg_iov = &own->iov[i], .msg_iovlen = 1, .msg_control = own->control[i].bytes};
	}
	return FC_OK;
}

static void *open_socket(struct can_port *port, const char *what, struct error *err)
{
	if (!*what || strlen(what) >= CAN_LINK_NAME_SIZE || strpbrk(what, ":/ \t\r\n")) {
		(void)error_set(err, FC_EINVAL,
				"bus: %s: \"%s\" is neither an interface (can0) nor replay:FILE, replay-fast:FILE or "
				"datagram:OWN,PEER",
				port->config.name, what);
		return NULL;
	}
	struct can_socket_port *own = calloc(1, sizeof(*own));

	if (!own) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", port->config.name);
		return NULL;
	}
	own->port = port;
	(void)snprintf(own->name, sizeof(own->name), "%s", what);
	own->epoll = own->raw = own->links = -1;
	own->down_us = own->off_us = second_us;
	own->look = (struct loop_timer){.fn = look, .user = own};
	if (!start(own, err))
		return own;
	close_socket(own);
	return NULL;
}

const struct can_transport can_socket = {
    .prefix = "",
    .open = open_socket,
    .close = close_socket,
    .send = send_frame,
    .filter = set_filters,
    .error = error_told,
};
