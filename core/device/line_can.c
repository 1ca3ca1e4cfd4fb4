/* A CAN line: one port, and an agent a device. Every frame goes to every agent; what no agent wants is filtered in the kernel. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/line.h"

/* DESIGN.md, rule 9: a bus that is listened to is one between a charger and a vehicle. Nobody else is asked on it, and the controller does
 * not even acknowledge. FC_OK and *only; FC_EINVAL. */
static int check_listeners(const struct line *line, int *only, struct error *err)
{
	const struct device *listener = NULL, *other = NULL;

	for (int i = 0; i < line->device_count; i++)
		if (line->devices[i]->seat->kind->listens)
			listener = line->devices[i];
		else
			other = line->devices[i];
	*only = listener != NULL;
	if (listener && other)
		return error_set(
		    err, FC_EINVAL,
		    "device: bus %s: %s listens between a charger and a vehicle, where nothing may be sent, and "
		    "%s would be asked there: each wants a bus of its own",
		    line->name, listener->name, other->name);
	return FC_OK;
}

static int prepare(struct line *line, const struct config_bus *b, struct error *err)
{
	struct can_config *c = &line->can.config;
	int only;

	if (check_listeners(line, &only, err))
		return FC_EINVAL;
	*c = (struct can_config){.bitrate = b->bitrate,
				 .bring_up = b->bring_up,
				 .restart_ms = b->restart_ms,
				 .listen_only = b->listen_only || only};
	(void)snprintf(c->name, sizeof(c->name), "%s", line->name);
	(void)snprintf(c->device, sizeof(c->device), "%.*s", (int)sizeof(c->device) - 1, b->device);
	return FC_OK;
}

/* Agents ---------------------------------------------------------------------------------------------------------------- */

static void on_due(void *user);

/* Wakes up for the agent that is due first. */
static void arm(struct line *line, int64_t now_us)
{
	struct line_can *c = &line->can;
	int64_t due = INT64_MAX;

	for (int i = 0; i < line->device_count; i++) {
		int64_t its = line->devices[i]->seat->due_us;

		due = its < due ? its : due;
	}
	if (due == INT64_MAX || due == c->armed_us)
		return;
	/* A timer that comes too early does no harm, and looks again. */
	if (c->armed_us && c->armed_us < due)
		return;
	c->armed_us = due;
	(void)loop_timer_set(line->host->loop, &c->timer, due > now_us ? due - now_us : 0);
}

static void tell_dirty(struct line *line)
{
	for (int i = 0; i < line->device_count; i++) {
		struct device *d = line->devices[i];

		if (!d->seat->dirty)
			continue;
		d->seat->dirty = 0;
		line->host->changed(line->host->user, d);
	}
}

static void run_due(struct line *line, int64_t now_us)
{
	for (int i = 0; i < line->device_count; i++)
		if (line->devices[i]->seat->due_us <= now_us)
			seat_feed(line->devices[i]->seat, NULL, now_us);
	tell_dirty(line);
	arm(line, clock_mono_us());
}

static void on_due(void *user)
{
	struct line *line = user;

	line->can.armed_us = 0;
	run_due(line, clock_mono_us());
}

static void on_frame(void *user, const struct can_frame *frame)
{
	struct line *line = user;
	int64_t now = clock_mono_us();

	if (frame->error)
		return;
	for (int i = 0; i < line->device_count; i++)
		seat_feed(line->devices[i]->seat, frame, now);
	tell_dirty(line);
	arm(line, now);
}

void line_can_state(struct line *line, enum can_state state)
{
	int up = state != CAN_DOWN && state != CAN_BUS_OFF;

	if (up == line->can.up)
		return;
	line->can.up = up;
	line->can.since_wall = clock_wall();
	for (int i = 0; i < line->device_count; i++)
		seat_port(line->devices[i]->seat, up);
	tell_dirty(line);
	arm(line, clock_mono_us());
}

static void on_state(void *user, enum can_state state)
{
	line_can_state(user, state);
}

static int send_frame(void *user, const struct can_frame *frame)
{
	struct line *line = user;

	return can_send(line->can.port, frame);
}

static void on_done(void *user, struct device *device, int number, enum bus_status status)
{
	struct line *line = user;

	command_done(line->host->commands, device, number, status);
}

/* What any of them wants to hear; all, when one wants all or it is more than a port takes. */
static void set_filters(struct line *line)
{
	struct can_filter filters[CAN_FILTERS_MAX];
	int n = 0, all = 0;

	for (int i = 0; i < line->device_count && !all; i++) {
		const struct seat *seat = line->devices[i]->seat;
		struct can_filter wanted[AGENT_FILTERS_MAX];
		int count = seat->kind->filters(seat->agent, wanted, AGENT_FILTERS_MAX);

		all = count <= 0 || count > AGENT_FILTERS_MAX || n + count > CAN_FILTERS_MAX;
		for (int k = 0; k < count && !all; k++)
			filters[n++] = wanted[k];
	}
	if (can_set_filters(line->can.port, all ? NULL : filters, n))
		log_warning("device: bus %s: the filters are not set: every frame comes", line->name);
}

/* Life ------------------------------------------------------------------------------------------------------------------ */

/* New agents get their line, and hear how its port is. */
static void seat_all(struct line *line)
{
	for (int i = 0; i < line->device_count; i++) {
		struct seat *seat = line->devices[i]->seat;

		seat_attach(seat, &line->can.hooks);
		seat_port(seat, line->can.up);
	}
}

static int open_port(struct line *line, struct error *err)
{
	struct line_can *c = &line->can;
	const struct can_hooks hooks = {.user = line, .frame = on_frame, .state = on_state};

	c->hooks = (struct seat_hooks){.user = line, .send = send_frame, .done = on_done};
	c->timer = (struct loop_timer){.fn = on_due, .user = line};
	c->since_wall = clock_wall();
	c->config.trace = bus_trace(line->host->bus);
	c->config.trace_line = bus_other_id(line->host->bus);
	c->port = can_open(line->host->loop, &c->config, &hooks, err);
	if (!c->port)
		return err && err->code ? err->code : FC_EIO;
	set_filters(line);
	seat_all(line);
	return FC_OK;
}

static void close_port(struct line *line)
{
	for (int i = 0; line->devices && i < line->device_count; i++)
		seat_attach(line->devices[i]->seat, NULL);
	if (line->can.port) {
		loop_timer_cancel(line->host->loop, &line->can.timer);
		can_close(line->can.port);
	}
	line->can.port = NULL;
}

/* Nothing needs the port anew but another way to open it. */
static int change(struct line *line, struct line *fresh, const struct line_pick *picks)
{
	(void)picks;
	return fresh->can.config.listen_only == line->can.config.listen_only ? FC_OK : FC_EINVAL;
}

static void changed(struct line *line)
{
	set_filters(line);
	seat_all(line);
	/* Nobody is told before the rooms above know the new devices. */
	line->can.armed_us = clock_mono_us();
	(void)loop_timer_set(line->host->loop, &line->can.timer, 0);
}

/* Agents have a timer of their own; this is after commands and limits. */
static int64_t run(struct line *line, int64_t now_us)
{
	if (line->can.port)
		run_due(line, now_us);
	return INT64_MAX;
}

static void stats(const struct line *line, struct bus_line_stats *out)
{
	out->connected = line->can.up;
	out->since_wall = line->can.since_wall;
	out->units = (uint32_t)line->device_count;
	for (int i = 0; i < line->device_count; i++)
		out->units_slow += !line->devices[i]->online;
}

const struct line_kind line_kind_can = {prepare, open_port, close_port, change, changed, run, stats};
