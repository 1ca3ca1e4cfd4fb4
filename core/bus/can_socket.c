/* SocketCAN: an interface of the kernel and what becomes of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/can_look.h"
#include "bus/can_netlink.h"
#include "bus/can_port.h"
#include "bus/can_raw.h"

static const int64_t second_us = 1000000;
static const int64_t back_off_most_us = 60 * 1000000;
static const int64_t look_disturbed_us = 5 * 1000000; /* some drivers do not tell that they have recovered */
static const int64_t look_healthy_us = 60 * 1000000;  /* nor that an error frame was lost */
static const int64_t events_apart_us = 50000;

struct can_socket_port {
	struct can_port *port;
	char name[CAN_LINK_NAME_SIZE];
	int epoll, links;
	struct loop_fd *watch;
	struct can_raw *raw;
	struct loop_timer look;
	int64_t looked_us;
	int64_t down_us; /* wait before the next look while it is down */
	int64_t
	    off_us; /* wait before the next restart after bus-off: longer each time, until it has been healthy for long */
	int64_t restart_us; /* when that is due; 0: not waiting for it */
	int64_t again_us;   /* before that the interface of index not_now is not set up again */
	int not_now;
	struct can_looker *looker;
	int no_listen_only, no_restart; /* the driver can't */
	int told_differs, told_not_allowed;
};

static void look_in(struct can_socket_port *own, int64_t us)
{
	(void)loop_timer_set(own->port->loop, &own->look, us);
}

/* Something happened. What we did ourselves is among what is told: not again at once. */
static void look_soon(struct can_socket_port *own)
{
	int64_t since = clock_mono_us() - own->looked_us;

	look_in(own, since < events_apart_us ? events_apart_us - since : 1);
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
	if (can_raw_fd(own->raw) < 0)
		return;
	(void)epoll_ctl(own->epoll, EPOLL_CTL_DEL, can_raw_fd(own->raw), NULL);
	can_raw_close(own->raw);
}

static void set_filters(void *user)
{
	struct can_socket_port *own = user;
	const struct can_port *port = own->port;
	struct error err;

	if (can_raw_fd(own->raw) >= 0 && can_raw_filter(own->raw, port->filters, port->filter_count, &err))
		log_warning("bus: %s: CAN %s: %s", port->config.name, own->name, err.text);
}

/* Bound to the interface. FC_OK, or FC_EIO and the state says why. */
static int open_raw(struct can_socket_port *own, const struct can_link *link)
{
	struct can_port *port = own->port;
	struct epoll_event event = {.events = EPOLLIN};
	struct error err;

	if (can_raw_fd(own->raw) >= 0 && can_raw_index(own->raw) == link->index)
		return FC_OK;
	close_raw(own);
	int result = can_raw_open(own->raw, link->index, port->filters, port->filter_count, &err);

	if (!result && epoll_ctl(own->epoll, EPOLL_CTL_ADD, can_raw_fd(own->raw), &event)) {
		result = error_set(&err, FC_EIO, "%s", strerror(errno));
		can_raw_close(own->raw);
	}
	if (result)
		can_port_state(port, CAN_DOWN, "%s", err.text);
	return result;
}

/* What the look did, for the log: once each. */
static void tell(struct can_socket_port *own, const struct can_look *look, const char *command)
{
	const struct can_config *config = &own->port->config;

	if (look->tried && !look->set_up)
		log_notice("bus: %s: CAN %s: brought up%s%s", config->name, own->name,
			   look->no_listen_only
			       ? "; this controller can't listen only: it acknowledges frames, and we send none"
			       : "",
			   look->no_restart ? "; it can't restart by itself after bus-off: we do it" : "");
	if (look->tried && look->set_up == FC_EAUTH && !own->told_not_allowed++)
		log_warning("bus: %s: CAN %s: not allowed to set it up (no CAP_NET_ADMIN): run `%s`", config->name,
			    own->name, command);
	if (!config->bring_up && config->bitrate && look->link.up && look->differs && !own->told_differs++)
		log_warning("bus: %s: CAN %s: set to %u bit/s%s, restart-ms %u; configured is `%s`", config->name,
			    own->name, look->link.bitrate, look->link.listen_only ? ", listen only" : "",
			    look->link.restart_ms, command);
}

/* Up or not. FC_OK; else the state says why not. */
static int check_up(struct can_socket_port *own, const struct can_look *look)
{
	char command[160];

	remedy(own, look->link.controller, command, sizeof(command));
	tell(own, look, command);
	/* The next try after the back-off, whatever the kernel tells meanwhile: our own try is among it. One that succeeded is not made
	 * again at once either: somebody who undoes it each time may be there. */
	own->not_now = look->left || look->tried ? look->link.index : 0;
	if (look->tried)
		own->again_us = clock_mono_us() + (look->set_up ? own->down_us : second_us);
	if (look->link.up)
		return FC_OK; /* one that works, if with other settings, is used */
	if (look->tried && look->set_up)
		can_port_state(own->port, CAN_DOWN, "can't be brought up: %s: run `%s`", look->err.text, command);
	else if (!look->left)
		can_port_state(own->port, CAN_DOWN, "the interface is down: run `%s`", command);
	return FC_EIO;
}

/* It stays off for the time that the back-off says; the look after that restarts it. */
static void bus_off(struct can_socket_port *own, const struct can_link *link)
{
	int64_t now = clock_mono_us();

	if (link->restart_ms) {
		can_port_state(own->port, CAN_BUS_OFF, "restarts by itself after %u ms", link->restart_ms);
	} else if (!own->port->config.bring_up) {
		can_port_state(own->port, CAN_BUS_OFF, "run `ip link set %s type can restart`", own->name);
	} else {
		if (!own->restart_us)
			own->restart_us = now + own->off_us;
		can_port_state(own->port, CAN_BUS_OFF, "too many errors on the bus, restarted after %lld s",
			       (long long)(own->off_us / second_us));
	}
}

static void restarted(struct can_socket_port *own, int how)
{
	own->restart_us = 0;
	own->off_us = own->off_us * 2 < back_off_most_us ? own->off_us * 2 : back_off_most_us;
	/* Of the controller's own restart an error frame tells. */
	if (how == 2)
		own->port->stats.restarts++;
}

static void take_over_state(struct can_socket_port *own, const struct can_link *link)
{
	struct can_port *port = own->port;

	port->stats.tx_errors = link->tx_errors;
	port->stats.rx_errors = link->rx_errors;
	if (link->state != CAN_LINK_BUS_OFF)
		own->restart_us = 0;
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
		bus_off(own, link);
		break;
	case CAN_LINK_STOPPED:
		can_port_state(port, CAN_DOWN, "the controller is stopped");
		break;
	}
}

static void take_over(struct can_socket_port *own, const struct can_look *look)
{
	enum can_state before = own->port->stats.state;

	if (look->result) {
		close_raw(own);
		own->no_listen_only = own->no_restart = 0; /* the next one may be another */
		can_port_state(own->port, CAN_DOWN, "%s",
			       look->result == FC_ENOENT ? "there is no such interface" : look->err.text);
		return;
	}
	if (!look->link.is_can) {
		can_port_state(own->port, CAN_DOWN, "this is no CAN interface");
		return;
	}
	if (look->tried && !look->set_up) {
		own->no_listen_only |= look->no_listen_only;
		own->no_restart |= look->no_restart;
	}
	if (look->restarted)
		restarted(own, look->restarted);
	if (check_up(own, look) || open_raw(own, &look->link))
		return;
	own->port->stats.bitrate = look->link.bitrate ? (int)look->link.bitrate : own->port->config.bitrate;
	take_over_state(own, &look->link);
	/* A look that finds it as healthy as the one before: it has held. */
	if (look->link.state == CAN_LINK_ACTIVE && before == CAN_ACTIVE &&
	    clock_mono_us() - own->looked_us >= look_healthy_us)
		own->off_us = second_us;
}

/* When to look again, by the state that the port is in now. */
static void look_again(struct can_socket_port *own, const struct can_look *last)
{
	int64_t now = own->looked_us;

	if (last->left) {
		look_in(own, own->again_us - now);
		return;
	}
	switch (own->port->stats.state) {
	case CAN_DOWN:
		look_in(own, own->not_now ? own->again_us - now : own->down_us);
		own->down_us = own->down_us * 2 < back_off_most_us ? own->down_us * 2 : back_off_most_us;
		return;
	case CAN_BUS_OFF:
		look_in(own, own->restart_us ? own->restart_us - now : look_disturbed_us);
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

static void looked(void *user, const struct can_look *look)
{
	struct can_socket_port *own = user;

	take_over(own, look);
	own->looked_us = clock_mono_us();
	look_again(own, look);
}

static void look(void *user)
{
	struct can_socket_port *own = user;
	const struct can_config *config = &own->port->config;
	int64_t now = clock_mono_us();
	struct can_look_ask ask = {.bring_up = config->bring_up,
				   .not_now = now < own->again_us ? own->not_now : 0,
				   .restart = own->restart_us && now >= own->restart_us,
				   .want = {.bitrate = (uint32_t)config->bitrate,
					    .sample_point = (uint32_t)config->sample_point,
					    .restart_ms = own->no_restart ? 0 : (uint32_t)config->restart_ms,
					    .listen_only = config->listen_only && !own->no_listen_only}};

	memcpy(ask.name, own->name, sizeof(ask.name));
	/* One that is under way is not what is wanted now: another behind it. */
	if (can_looker_start(own->looker, &ask))
		look_in(own, events_apart_us);
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

static void receive(struct can_socket_port *own)
{
	for (int taken = 0; taken < CAN_TURN_MAX && can_raw_fd(own->raw) >= 0;) {
		struct can_frame frames[CAN_RAW_BATCH];
		int n = can_raw_receive(own->raw, frames, &own->port->stats.dropped);

		if (n < 0) {
			can_port_state(own->port, CAN_DOWN, "%s",
				       n == -ENETDOWN ? "the interface went down"
				       : n == -ENODEV ? "the interface is gone"
						      : strerror(-n));
			look_soon(own);
			return;
		}
		for (int i = 0; i < n; i++) {
			if (frames[i].len <= CAN_DATA_MAX)
				can_port_received(own->port, &frames[i]);
			else
				can_port_malformed(own->port, own->name,
						   "the kernel gave what is no classic CAN frame");
		}
		if (n < CAN_RAW_BATCH)
			return;
		taken += n;
	}
}

static void readable(void *user, int fd)
{
	struct can_socket_port *own = user;

	(void)fd;
	if (can_link_drain(own->links))
		look_soon(own);
	receive(own);
}

static int send_frame(void *user, const struct can_frame *frame)
{
	struct can_socket_port *own = user;
	if (can_raw_fd(own->raw) < 0 || own->port->stats.state == CAN_DOWN || own->port->stats.state == CAN_BUS_OFF)
		return FC_EIO;
	int result = can_raw_send(own->raw, frame);

	if (result == FC_EIO)
		look_soon(own);
	return result;
}

static void close_socket(void *user)
{
	struct can_socket_port *own = user;

	loop_timer_cancel(own->port->loop, &own->look);
	can_looker_free(own->looker);
	if (own->raw)
		close_raw(own);
	can_raw_free(own->raw);
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
	own->raw = can_raw_new();
	if (!own->raw)
		return error_set(err, FC_ENOMEM, "bus: %s: no memory", own->port->config.name);
	own->epoll = epoll_create1(EPOLL_CLOEXEC);
	own->links = can_link_watch();
	if (own->epoll < 0 || own->links < 0 || epoll_ctl(own->epoll, EPOLL_CTL_ADD, own->links, &event))
		return error_set(err, FC_EIO, "bus: %s: CAN: %s", own->port->config.name, strerror(errno));
	own->watch = loop_fd_add(own->port->loop, own->epoll, readable, own, err);
	own->looker = own->watch ? can_looker_new(own->port->loop, looked, own, err) : NULL;
	if (!own->looker)
		return FC_EIO;
	/* The timer's memory is taken now. */
	if (loop_timer_set(own->port->loop, &own->look, 1))
		return error_set(err, FC_ENOMEM, "bus: %s: no memory", own->port->config.name);
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
	own->epoll = own->links = -1;
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
