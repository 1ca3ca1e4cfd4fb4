/* All chargers: brought in step with the configuration line by line, so that what did not change keeps its polls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/by_hand.h"
#include "device/keep.h"
#include "device/set.h"
#include "device/upkeep.h"
#include "device/verify.h"

enum { AGE_CHECK_US = 1000000 };

static void tell(struct device_set *set, struct device *d, int number)
{
	set->changed(set->user, d, number);
}

/* Remembers what is told of a connector; nonzero when it differs from what was told last. */
static int note(struct device *d, int place)
{
	enum connector_status status = device_status(d, d->numbers[place]);
	int stale = device_stale(d, d->numbers[place]);
	int differs = status != d->last[place] || stale != d->stale[place];

	d->last[place] = status;
	d->stale[place] = stale;
	return differs;
}

void set_tell_noted(struct device_set *set, struct device *d)
{
	for (int n = 0; n < d->connectors; n++)
		if (note(d, n))
			tell(set, d, d->numbers[n]);
}

/* Does what is due on all lines, and comes back when more is. */
static void write_due(void *user)
{
	struct device_set *set = user;
	int64_t now = clock_mono_us(), next = command_run(&set->commands, now);

	by_hand_run(&set->by_hand);
	for (int i = 0; i < set->line_count; i++) {
		int64_t due = set->lines[i]->host ? set->lines[i]->kind->run(set->lines[i], now) : INT64_MAX;

		next = due < next ? due : next;
	}
	if (next < INT64_MAX)
		(void)loop_timer_set(set->loop, &set->due_timer, next > now ? next - now : 0);
	else
		loop_timer_cancel(set->loop, &set->due_timer);
}

/* Time passes also when no results come: values grow old, and a connector goes off line. */
static void check_ages(void *user)
{
	struct device_set *set = user;

	for (int i = 0; i < set->line_count; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			set_tell_noted(set, set->lines[i]->devices[k]);
	write_due(set);
	(void)loop_timer_set(set->loop, &set->age_timer, AGE_CHECK_US);
}

/* An agent heard something of its device. */
static void on_changed(void *user, struct device *d)
{
	struct device_set *set = user;

	command_look(&set->commands, d);
	for (int i = 0; i < d->connectors; i++) {
		(void)note(d, i);
		tell(set, d, d->numbers[i]);
	}
}

struct device_set *device_set_new(struct loop *loop, struct bus *bus, const struct script_host *host,
				  device_changed changed, void *user, struct error *err)
{
	struct device_set *set = calloc(1, sizeof(*set));

	if (!set) {
		(void)error_set(err, FC_ENOMEM, "device: no memory");
		return NULL;
	}
	set->loop = loop;
	set->host = host;
	set->changed = changed;
	set->user = user;
	set->line_host = (struct line_host){
	    .loop = loop, .bus = bus, .commands = &set->commands, .user = set, .changed = on_changed};
	set->age_timer = (struct loop_timer){.fn = check_ages, .user = set};
	set->due_timer = (struct loop_timer){.fn = write_due, .user = set};
	bus_set_by_hand(bus, by_hand_result, &set->by_hand);
	if (loop_timer_set(loop, &set->age_timer, AGE_CHECK_US)) {
		device_set_free(set);
		(void)error_set(err, FC_ENOMEM, "device: no memory");
		return NULL;
	}
	return set;
}

void device_set_on_replaced(struct device_set *set, void (*replaced)(void *user))
{
	set->replaced = replaced;
}

void device_set_free(struct device_set *set)
{
	if (!set)
		return;
	loop_timer_cancel(set->loop, &set->age_timer);
	loop_timer_cancel(set->loop, &set->due_timer);
	for (int i = 0; i < set->line_count; i++)
		line_free(set->lines[i]);
	set->line_count = 0;
	by_hand_drop(&set->by_hand, 0);
	by_hand_run(&set->by_hand);
	bus_set_by_hand(set->line_host.bus, NULL, NULL);
	free(set->lines);
	profiles_free(&set->profiles);
	keep_free(set->kept);
	free(set);
}

struct sources *device_set_sources(const struct device_set *set, int index)
{
	return index >= 0 && index < set->profiles.count ? set->profiles.list[index]->sources : NULL;
}

static struct line *find_line(const struct device_set *set, uint32_t id)
{
	for (int i = 0; i < set->line_count; i++)
		if (set->lines[i]->modbus.bus && bus_line_id(set->lines[i]->modbus.bus) == id)
			return set->lines[i];
	return NULL;
}

static void take_read(struct device_set *set, struct line *line, const struct bus_result *result)
{
	const struct target *target = line_target(line, result->tag);
	struct device *d = target ? target->device : NULL;

	if (!d) {
		/* A read of a plan that is no more; that a unit is lost is told but once. */
		for (int i = 0; result->tag >> LINE_TAG_BITS != line->modbus.generation &&
				result->status == BUS_DISCONNECTED && i < line->device_count;
		     i++)
			if (device_has_unit(line->devices[i], result->unit))
				device_lost(line->devices[i], result->unit);
		return;
	}
	int was_online = d->online;
	device_take(d, target->block, result);
	if (d->rebooted || (!was_online && d->online))
		upkeep_begin(d, clock_mono_us());
	d->rebooted = 0;
	if (d->replan && line_refresh(line, d))
		log_error("device: charger %s: no memory for another plan: the old one goes on", d->name);
	command_look(&set->commands, d);
	for (int i = 0; i < d->connectors; i++) {
		(void)note(d, i);
		tell(set, d, d->numbers[i]);
	}
	int again = verify_look(d, clock_mono_us());
	if (again || (!was_online && d->online))
		write_due(set);
}

void device_set_result(void *device_set, const struct bus_result *result)
{
	struct device_set *set = device_set;
	struct line *line = find_line(set, result->line);

	if (result->is_write && !(result->tag & LINE_TAG_UPKEEP)) {
		command_result(&set->commands, result);
		write_due(set);
	} else if (result->is_write && line) {
		struct device *d = line_upkeep_target(line, result->tag);

		if (d)
			upkeep_result(d, result->tag & ((1u << LINE_UPKEEP_SLOT) - 1), result);
	} else if (line) {
		take_read(set, line, result);
	}
}

static struct line *line_of(const struct device_set *set, const struct device *device)
{
	for (int i = 0; i < set->line_count; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			if (set->lines[i]->devices[k] == device)
				return set->lines[i];
	return NULL;
}

int device_command(struct device_set *set, struct device *device, int number, const char *command,
		   device_command_done done, void *user, struct error *err)
{
	struct line *line = line_of(set, device);

	if (!line)
		return error_set(err, FC_ENOENT, "device: there is no such charger any more");
	int result = command_send(&set->commands, device, number, line->modbus.bus, command, done, user, err);
	if (!result)
		(void)loop_timer_set(set->loop, &set->due_timer, 0);
	return result;
}

int device_limit(struct device_set *set, struct device *device, int number, int64_t milli, struct error *err)
{
	int result =
	    device->seat ? seat_limit(device->seat, number, milli, err) : upkeep_hold(device, number, milli, err);

	if (!result && device->seat && device_connector(device, number))
		upkeep_note(device, number, milli, clock_mono_us());
	if (!result)
		(void)loop_timer_set(set->loop, &set->due_timer, 0);
	return result;
}

void device_set_look(struct device_set *set)
{
	(void)loop_timer_set(set->loop, &set->due_timer, 0);
}

struct device *device_find(struct device_set *set, const char *charger)
{
	for (int i = 0; i < set->line_count; i++)
		for (int k = 0; k < set->lines[i]->device_count; k++)
			if (!strcmp(set->lines[i]->devices[k]->name, charger))
				return set->lines[i]->devices[k];
	return NULL;
}

int device_count(const struct device_set *set)
{
	int n = 0;

	for (int i = 0; i < set->line_count; i++)
		n += set->lines[i]->device_count;
	return n;
}

struct device *device_at(struct device_set *set, int index)
{
	for (int i = 0; i < set->line_count; i++) {
		if (index < set->lines[i]->device_count)
			return set->lines[i]->devices[index];
		index -= set->lines[i]->device_count;
	}
	return NULL;
}

int device_bus_line(const struct device_set *set, int index, const char **name, struct bus_line_stats *stats)
{
	if (index < 0 || index >= set->line_count)
		return FC_ENOENT;
	*stats = (struct bus_line_stats){0};
	*name = set->lines[index]->name;
	set->lines[index]->kind->stats(set->lines[index], stats);
	return FC_OK;
}

int device_can_line(const struct device_set *set, int index, struct can_stats *stats, const char **reason)
{
	const struct can_port *port = index >= 0 && index < set->line_count ? set->lines[index]->can.port : NULL;

	if (!port)
		return FC_ENOENT;
	can_get_stats(port, stats);
	*reason = can_reason(port);
	return FC_OK;
}

void device_bus_totals(const struct device_set *set, struct bus_line_stats *t)
{
	struct bus_line_stats s;
	const char *name;
	uint64_t latency = 0;

	*t = (struct bus_line_stats){0};
	for (int i = 0; !device_bus_line(set, i, &name, &s); i++) {
		t->connected += s.connected;
		t->units += s.units;
		t->units_slow += s.units_slow;
		t->due += s.due;
		t->polls += s.polls;
		t->ok += s.ok;
		t->timeouts += s.timeouts;
		t->exceptions += s.exceptions;
		t->bad += s.bad;
		t->disconnects += s.disconnects;
		t->missed += s.missed;
		t->late += s.late;
		t->writes += s.writes;
		t->retries += s.retries;
		t->flushed += s.flushed;
		/* The fullest line's. */
		t->load = s.load > t->load ? s.load : t->load;
		t->wire = s.wire > t->wire ? s.wire : t->wire;
		t->planned = s.planned > t->planned ? s.planned : t->planned;
		t->queue_dropped += s.queue_dropped;
		latency += (uint64_t)s.latency_mean_us * s.ok;
		t->latency_max_us = s.latency_max_us > t->latency_max_us ? s.latency_max_us : t->latency_max_us;
		t->late_max_us = s.late_max_us > t->late_max_us ? s.late_max_us : t->late_max_us;
	}
	t->latency_mean_us = t->ok ? (uint32_t)(latency / t->ok) : 0;
}

struct bus_line *device_line_bus(const struct device_set *set, int index)
{
	return index >= 0 && index < set->line_count ? set->lines[index]->modbus.bus : NULL;
}

struct device *device_at_unit(const struct device_set *set, int index, unsigned unit, int nth)
{
	const struct line *line = index >= 0 && index < set->line_count ? set->lines[index] : NULL;

	for (int k = 0; line && k < line->device_count; k++) {
		struct device *d = line->devices[k];

		if ((d->unit == unit || (unit <= UINT8_MAX && device_has_unit(d, (uint8_t)unit))) && !nth--)
			return d;
	}
	return NULL;
}

int device_ask(struct device_set *set, int index, const struct bus_read *read, const struct bus_write *write,
	       device_asked done, void *user, struct error *err)
{
	struct bus_line *line = device_line_bus(set, index);

	if (!line)
		return error_set(err, FC_ENOENT, "the line is not open, or no Modbus line");
	return by_hand_send(&set->by_hand, line, read, write, done, user, err);
}

uint32_t device_line_id(const struct device_set *set, int index)
{
	const struct bus_line *bus = device_line_bus(set, index);

	if (bus)
		return bus_line_id(bus);
	const struct line_can *can = index >= 0 && index < set->line_count ? &set->lines[index]->can : NULL;
	return can && can->port ? can->config.trace_line : 0;
}

void device_personal(const struct device_set *set, int index,
		     void (*fn)(void *user, uint8_t unit, uint8_t function, uint16_t address, uint16_t words),
		     void *user)
{
	const struct line *line = index >= 0 && index < set->line_count ? set->lines[index] : NULL;

	for (int k = 0; line && k < line->device_count; k++)
		device_each_personal(line->devices[k], fn, user);
}
