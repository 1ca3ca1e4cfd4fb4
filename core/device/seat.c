#include "device/seat.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static int send_frame(void *user, const struct can_frame *frame)
{
	struct seat *seat = user;

	/* DESIGN.md, rule 9: between vehicle and charger nothing is ever sent, whatever an agent thinks. */
	if (!seat->hooks || !seat->up || seat->kind->listens)
		return FC_EIO;
	return seat->hooks->send(seat->hooks->user, frame);
}

static void take_value(void *user, int number, int point, const struct point_value *value)
{
	struct seat *seat = user;

	device_take_value(seat->device, number, point, value);
	seat->dirty = 1;
}

static void take_heard(void *user, int online)
{
	struct seat *seat = user;

	if (!online == !seat->device->online)
		return;
	device_heard(seat->device, online);
	seat->dirty = 1;
}

static void take_done(void *user, int number, enum bus_status status)
{
	struct seat *seat = user;

	if (seat->hooks)
		seat->hooks->done(seat->hooks->user, seat->device, number, status);
}

struct seat *seat_new(struct device *device, struct error *err)
{
	struct seat *seat = calloc(1, sizeof(*seat));
	struct agent_settings settings = {.name = device->name,
					  .unit = device->unit,
					  .connectors = device->connectors ? device->connectors : 1,
					  .poll_ms = device->poll_ms};

	if (!seat) {
		(void)error_set(err, FC_ENOMEM, "device: %s: no memory", device->name);
		return NULL;
	}
	memcpy(settings.numbers, device->numbers, sizeof(settings.numbers));
	seat->device = device;
	seat->kind = device->profile->agent;
	seat->host = (struct agent_host){
	    .user = seat, .send = send_frame, .value = take_value, .heard = take_heard, .done = take_done};
	seat->due_us = INT64_MAX;
	seat->agent = seat->kind->start(device->profile, &settings, &seat->host, err);
	if (seat->agent)
		return seat;
	free(seat);
	return NULL;
}

void seat_free(struct seat *seat)
{
	if (!seat)
		return;
	seat->hooks = NULL;
	seat->kind->stop(seat->agent);
	free(seat);
}

void seat_move(struct seat *seat, struct device *device)
{
	if (seat)
		seat->device = device;
}

void seat_attach(struct seat *seat, const struct seat_hooks *hooks)
{
	seat->hooks = hooks;
}

void seat_adopt(struct seat *seat, const struct profile *profile)
{
	if (seat->kind->adopt)
		seat->kind->adopt(seat->agent, profile);
}

void seat_take_over(struct seat *seat, const struct seat *from)
{
	if (seat && from && seat->kind == from->kind && seat->kind->take_over)
		seat->kind->take_over(seat->agent, from->agent);
}

void seat_port(struct seat *seat, int up)
{
	if (!seat->up == !up)
		return;
	seat->up = up != 0;
	if (!up)
		take_heard(seat, 0);
	seat->kind->port(seat->agent, seat->up);
	seat->due_us = seat->kind->run(seat->agent, clock_mono_us());
}

void seat_feed(struct seat *seat, const struct can_frame *frame, int64_t now_us)
{
	if (frame)
		seat->kind->frame(seat->agent, frame);
	/* What it asked for may have come; who only listens waits for nothing but time. */
	if (!frame || !seat->kind->listens || seat->due_us <= now_us)
		seat->due_us = seat->kind->run(seat->agent, now_us);
}

int seat_command(struct seat *seat, int number, const char *command, struct error *err)
{
	const struct device *d = seat->device;

	if (!seat->kind->command)
		return error_set(err, FC_ENOENT, "device: %s: profile %s has no commands", d->name, d->profile->name);
	if (!seat->up)
		return error_set(err, FC_EIO, "device: %s: its bus is down", d->name);
	int result = seat->kind->command(seat->agent, number, command, err);
	seat->due_us = clock_mono_us();
	return result;
}

int seat_limit(struct seat *seat, int number, int64_t milli, struct error *err)
{
	const struct device *d = seat->device;

	if (!seat->kind->limit)
		return error_set(err, FC_ENOENT, "device: %s: profile %s has no setpoint", d->name, d->profile->name);
	int result = seat->kind->limit(seat->agent, number, milli, err);
	seat->due_us = clock_mono_us();
	return result;
}
