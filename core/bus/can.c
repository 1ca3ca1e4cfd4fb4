#include "bus/can.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/can_port.h"
#include "bus/trace.h"

static const int64_t log_every_us = 10 * 1000000;
static const int log_most = 4;

/* SocketCAN last: it takes any name. */
static const struct can_transport *const transports[] = {&can_replay, &can_replay_fast, &can_datagram, &can_socket};

const char *can_state_name(enum can_state state)
{
	switch (state) {
	case CAN_DOWN:
		return "down";
	case CAN_ACTIVE:
		return "active";
	case CAN_WARNING:
		return "error warning";
	case CAN_PASSIVE:
		return "error passive";
	case CAN_BUS_OFF:
		return "bus-off";
	}
	return "?";
}

int64_t can_wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint32_t can_wire_id(const struct can_frame *frame)
{
	return frame->id | (frame->extended ? CAN_WIRE_EXTENDED : 0) | (frame->remote ? CAN_WIRE_REMOTE : 0) |
	       (frame->error ? CAN_WIRE_ERROR : 0);
}

int can_wire_read(uint32_t wire_id, struct can_frame *frame)
{
	frame->id = wire_id & CAN_ID_EXTENDED_MAX;
	frame->error = (wire_id & CAN_WIRE_ERROR) != 0;
	frame->extended = !frame->error && wire_id & CAN_WIRE_EXTENDED;
	frame->remote = !frame->error && wire_id & CAN_WIRE_REMOTE;
	return frame->error || frame->extended || frame->id <= CAN_ID_STANDARD_MAX ? FC_OK : FC_EINVAL;
}

static void log_state(struct can_port *port)
{
	const char *reason = port->reason;
	char more[48] = "";

	if (port->unlogged)
		(void)snprintf(more, sizeof(more), " (after %u changes that are not told)", port->unlogged);
	enum log_level level =
	    port->stats.state == CAN_DOWN || port->stats.state == CAN_BUS_OFF ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE;

	log_line(level, "bus: %s: CAN %s: %s%s%s%s", port->config.name, port->config.device,
		 can_state_name(port->stats.state), *reason ? ": " : "", reason, more);
	port->logged = port->stats.state;
	(void)snprintf(port->logged_reason, sizeof(port->logged_reason), "%s", reason);
	port->unlogged = 0;
	port->told++;
	/* Without a timer each change is told: more than wanted, but nothing is lost. */
	if (!port->log_waits)
		port->log_waits = loop_timer_set(port->loop, &port->log_again, log_every_us) == FC_OK;
}

static void log_later(void *user)
{
	struct can_port *port = user;

	port->log_waits = port->told = 0;
	if (port->stats.state != port->logged || strcmp(port->reason, port->logged_reason) != 0)
		log_state(port);
	port->unlogged = 0;
}

static void count_state(struct can_stats *stats, enum can_state state)
{
	switch (state) {
	case CAN_DOWN:
		stats->downs++;
		break;
	case CAN_ACTIVE:
		break;
	case CAN_WARNING:
		stats->warnings++;
		break;
	case CAN_PASSIVE:
		stats->passives++;
		break;
	case CAN_BUS_OFF:
		stats->bus_offs++;
		break;
	}
}

void can_port_state(struct can_port *port, enum can_state state, const char *fmt, ...)
{
	char reason[sizeof(port->reason)];
	int changed = state != port->stats.state;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	if (!changed && !strcmp(reason, port->reason))
		return;
	memcpy(port->reason, reason, sizeof(port->reason));
	port->stats.state = state;
	if (changed)
		count_state(&port->stats, state);
	if (port->log_waits && port->told >= log_most)
		port->unlogged++;
	else
		log_state(port);
	if (changed && port->hooks.state)
		port->hooks.state(port->hooks.user, state);
}

void can_port_malformed(struct can_port *port, const char *where, const char *why)
{
	if (!port->stats.malformed++)
		log_warning("bus: %s: %s: %s (others like it are only counted)", port->config.name, where, why);
}

static int passes(const struct can_port *port, const struct can_frame *frame)
{
	if (port->filter_count < 0)
		return 1;
	for (int i = 0; i < port->filter_count; i++) {
		const struct can_filter *filter = &port->filters[i];

		if (!filter->extended == !frame->extended && (frame->id & filter->mask) == (filter->id & filter->mask))
			return 1;
	}
	return 0;
}

static void count_load(struct can_port *port, const struct can_frame *frame, int64_t mono_us)
{
	if (port->stats.bitrate > 0)
		can_load_add(&port->load, can_frame_bits(frame), mono_us);
}

static void error_received(struct can_port *port, const struct can_frame *frame)
{
	int restarted = 0;
	int state = can_error_read(frame, &port->stats, &restarted);

	if (restarted)
		port->stats.restarts++;
	if (state >= 0)
		can_port_state(port, (enum can_state)state, "%s",
			       state == CAN_BUS_OFF ? "too many errors on the bus"
			       : restarted          ? "restarted after bus-off"
						    : "");
	if (port->transport->error && (state >= 0 || restarted))
		port->transport->error(port->own, restarted);
	if (port->config.error_frames && port->hooks.frame)
		port->hooks.frame(port->hooks.user, frame);
}

void can_port_received(struct can_port *port, const struct can_frame *frame)
{
	if (port->config.trace)
		trace_put_at(port->config.trace, port->config.trace_line, TRACE_CAN, 0, can_wire_id(frame), frame->data,
			     frame->remote ? 0 : frame->len, frame->mono_us, frame->wall_us);
	if (frame->error) {
		error_received(port, frame);
		return;
	}
	port->stats.received++;
	port->stats.received_bytes += frame->remote ? 0 : frame->len;
	count_load(port, frame, frame->mono_us);
	if (port->hooks.frame && (port->transport->filter || passes(port, frame)))
		port->hooks.frame(port->hooks.user, frame);
}

int can_send(struct can_port *port, const struct can_frame *frame)
{
	if (port->config.listen_only || frame->error || frame->len > CAN_DATA_MAX ||
	    frame->id > (frame->extended ? CAN_ID_EXTENDED_MAX : CAN_ID_STANDARD_MAX))
		return FC_EINVAL;
	int result = port->transport->send(port->own, frame);

	if (result == FC_EBUSY)
		port->stats.busy++;
	if (result)
		return result;
	port->stats.sent++;
	port->stats.sent_bytes += frame->remote ? 0 : frame->len;
	count_load(port, frame, clock_mono_us());
	if (port->config.trace)
		trace_put(port->config.trace, port->config.trace_line, TRACE_CAN, TRACE_SENT, can_wire_id(frame),
			  frame->data, frame->remote ? 0 : frame->len);
	return FC_OK;
}

int can_set_filters(struct can_port *port, const struct can_filter *filters, int count)
{
	if (count < 0 || count > CAN_FILTERS_MAX)
		return FC_EINVAL;
	if (filters && count)
		memcpy(port->filters, filters, (size_t)count * sizeof(*filters));
	port->filter_count = filters ? count : -1;
	if (port->transport->filter)
		port->transport->filter(port->own);
	return FC_OK;
}

static uint32_t permille(uint64_t bits, int bitrate)
{
	return bitrate > 0 ? (uint32_t)(bits * 1000 / (uint64_t)bitrate) : 0;
}

void can_get_stats(const struct can_port *port, struct can_stats *stats)
{
	struct can_load load = port->load;
	uint64_t last = can_load_last(&load, clock_mono_us());

	*stats = port->stats;
	stats->load_permille = permille(last, stats->bitrate);
	stats->load_max_permille = permille(load.highest, stats->bitrate);
}

const char *can_reason(const struct can_port *port)
{
	return port->reason;
}

static int check(const struct can_config *config, struct error *err)
{
	if (config->bitrate && (config->bitrate < 1000 || config->bitrate > 1000000))
		return error_set(err, FC_EINVAL, "bus: %s: a CAN bit rate is 1000 to 1000000 bit/s, not %d",
				 config->name, config->bitrate);
	if (config->restart_ms < 0)
		return error_set(err, FC_EINVAL, "bus: %s: a restart time of %d ms", config->name, config->restart_ms);
	if (config->sample_point && (config->sample_point < 500 || config->sample_point > 950))
		return error_set(err, FC_EINVAL, "bus: %s: a sample point is 500 to 950 tenths of a per cent, not %d",
				 config->name, config->sample_point);
	return FC_OK;
}

struct can_port *can_open(struct loop *loop, const struct can_config *config, const struct can_hooks *hooks,
			  struct error *err)
{
	if (check(config, err))
		return NULL;
	struct can_port *port = calloc(1, sizeof(*port));

	if (!port) {
		(void)error_set(err, FC_ENOMEM, "bus: %s: no memory", config->name);
		return NULL;
	}
	port->loop = loop;
	port->config = *config;
	port->hooks = *hooks;
	port->filter_count = -1;
	port->stats.bitrate = config->bitrate;
	port->log_again.fn = log_later;
	port->log_again.user = port;
	for (size_t i = 0; !port->transport; i++)
		if (!strncmp(config->device, transports[i]->prefix, strlen(transports[i]->prefix)))
			port->transport = transports[i];
	port->own = port->transport->open(port, config->device + strlen(port->transport->prefix), err);
	if (!port->own) {
		free(port);
		return NULL;
	}
	return port;
}

void can_close(struct can_port *port)
{
	if (!port)
		return;
	port->transport->close(port->own);
	loop_timer_cancel(port->loop, &port->log_again);
	free(port);
}
