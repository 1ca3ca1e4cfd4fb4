#include "device/command.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/cap.h"
#include "device/seat.h"
#include "device/upkeep.h"
#include "device/verify.h"

enum { SEND_WITHIN_MS = 10000 };
static const int64_t give_up_us = 60000000;

static int find(const struct profile *profile, const char *name)
{
	for (int i = 0; i < profile->command_count; i++)
		if (!strcmp(profile->commands[i].name, name))
			return i;
	return -1;
}

int device_can(const struct device *device, const char *command)
{
	return find(device->profile, command) >= 0;
}

int device_unlocks_charging(const struct device *device)
{
	return device->profile->unlock_while_charging;
}

static struct command *free_place(struct commands *commands)
{
	for (int i = 0; i < COMMANDS_PENDING; i++)
		if (!commands->list[i].used)
			return &commands->list[i];
	return NULL;
}

static const struct profile_command *what(const struct command *c)
{
	return &c->device->profile->commands[c->command];
}

static const struct profile_step *step_of(const struct command *c)
{
	return &c->device->profile->steps[what(c)->first_step + c->step];
}

/* The place is free before anyone is told: the answer may be another command. */
static void finish(struct command *pending, enum bus_status status)
{
	struct command c = *pending;

	*pending = (struct command){0};
	if (c.done)
		c.done(c.user, status);
}

static void fail(struct command *c, enum bus_status status, uint8_t exception)
{
	/* What its steps are, and which failed, an agent knows by itself. */
	if (c->device->seat) {
		finish(c, status);
		return;
	}
	static const char *const kinds[] = {"write", "wait", "check", "limit", "pause", "send"};
	const struct profile_step *step = step_of(c);
	int is_write = step->kind != STEP_CHECK;

	if (what(c)->steps > 1 || exception)
		log_warning("device: charger %s: connector %d: command %s: step %d (%s): %s %u", c->device->name,
			    c->number, what(c)->name, c->step + 1, kinds[step->kind],
			    is_write ? bus_status_name(status) : "did not come true in time", exception);
	finish(c, status);
}

static int send_write(struct commands *commands, struct command *c, const struct profile_write *w)
{
	const struct profile *p = c->device->profile;
	struct bus_write write = {
	    .unit = profile_unit(p, NULL, w->shared ? 1 : c->number, c->device->unit),
	    .function = w->function,
	    .address = (uint16_t)profile_write_address(p, w, c->number),
	    .count = w->count,
	    .tag = (uint32_t)(c - commands->list),
	    .deadline_ms = SEND_WITHIN_MS,
	    .gap_ms = p->gap_ms,
	    .rest_ms = p->rest_ms,
	};

	memcpy(write.words, w->words, sizeof(w->words));
	int result = bus_line_write(c->bus, &write);
	c->writing = !result;
	c->until_us = clock_mono_us() + give_up_us;
	return result;
}

/* A limit is held from now on, and is written here so that its answer is the step's. */
static int send_limit(struct commands *commands, struct command *c, int64_t milli)
{
	struct profile_write write;

	if (profile_encode(&c->device->profile->setpoint, milli, device_values(c->device, c->number), &write))
		return FC_EINVAL;
	c->milli = milli;
	upkeep_note(c->device, c->number, milli, clock_mono_us());
	return send_write(commands, c, &write);
}

static int begin_step(struct commands *commands, struct command *c)
{
	const struct profile_step *step = step_of(c);

	c->writing = 0;
	switch (step->kind) {
	case STEP_WRITE:
		return send_write(commands, c, &step->write);
	case STEP_LIMIT:
		return send_limit(commands, c, cap_step(c->device, c->number, step->milli));
	case STEP_PAUSE:
		cap_pause(c->device, c->number);
		return send_limit(commands, c, llround(c->device->profile->setpoint.pause * 1000));
	case STEP_WAIT:
	case STEP_CHECK:
		c->until_us = clock_mono_us() + (int64_t)step->ms * 1000;
		return FC_OK;
	case STEP_SEND: /* of CAN profiles: the agent's */
		break;
	}
	return FC_EINVAL;
}

/* Its write was accepted. */
static void note_limit(const struct command *c)
{
	const struct profile_step *step = step_of(c);

	if (step->kind == STEP_LIMIT || step->kind == STEP_PAUSE)
		verify_written(c->device, c->number, c->milli, clock_mono_us());
}

/* The step is done. */
static void go_on(struct commands *commands, struct command *c)
{
	if (++c->step == what(c)->steps) {
		finish(c, BUS_OK);
		return;
	}
	if (begin_step(commands, c))
		fail(c, BUS_DISCONNECTED, 0);
}

/* What was to follow would undo what comes now. A lone write on its way stands. */
static void end_sequences(struct commands *commands, const struct device *device, int number)
{
	for (int i = 0; i < COMMANDS_PENDING; i++) {
		struct command *c = &commands->list[i];

		if (!c->used || c->device != device || c->number != number || device->seat || what(c)->steps == 1)
			continue;
		log_notice("device: charger %s: connector %d: command %s is ended at step %d by another", device->name,
			   number, what(c)->name, c->step + 1);
		c->device = NULL;
	}
}

/* All of its steps are the agent's. */
static int send_to_agent(struct command *pending, const char *name, struct error *err)
{
	int result = seat_command(pending->device->seat, pending->number, name, err);

	if (result) {
		*pending = (struct command){0};
		return result;
	}
	pending->writing = 1;
	pending->until_us = clock_mono_us() + give_up_us;
	return FC_OK;
}

int command_send(struct commands *commands, struct device *device, int number, struct bus_line *line, const char *name,
		 device_command_done done, void *user, struct error *err)
{
	int command = find(device->profile, name);
	struct command *pending = free_place(commands);

	if (command < 0 || number > device->profile->connectors || !device_connector(device, number))
		return error_set(err, FC_ENOENT, "device: charger %s: profile %s has no command %s", device->name,
				 device->profile->name, name);
	if (!pending || (!line && !device->seat))
		return error_set(err, FC_EBUSY, "device: charger %s: %s", device->name,
				 pending ? "its line is closed" : "too many commands under way");
	*pending = (struct command){.used = 1,
				    .device = device,
				    .number = number,
				    .command = command,
				    .bus = line,
				    .line = line ? bus_line_id(line) : 0,
				    .order = commands->sent++,
				    .done = done,
				    .user = user};
	if (device->seat)
		return send_to_agent(pending, name, err);
	int result = begin_step(commands, pending);
	if (result) {
		*pending = (struct command){0};
		return error_set(err, result, "device: charger %s: command %s: %s", device->name, name,
				 result == FC_EINVAL ? "the scale of its limit is not known"
						     : "the line takes no more");
	}
	pending->used = 0;
	end_sequences(commands, device, number);
	pending->used = 1;
	return FC_OK;
}

void command_result(struct commands *commands, const struct bus_result *result)
{
	struct command *c = result->tag < COMMANDS_PENDING ? &commands->list[result->tag] : NULL;

	if (!c || !c->used || !c->writing || !c->bus || c->line != result->line)
		return;
	if (!c->device)
		finish(c, BUS_DISCONNECTED);
	else if (result->status != BUS_OK)
		fail(c, (enum bus_status)result->status, result->exception);
	else {
		note_limit(c);
		go_on(commands, c);
	}
}

void command_done(struct commands *commands, const struct device *device, int number, enum bus_status status)
{
	struct command *first = NULL;

	for (int i = 0; i < COMMANDS_PENDING; i++) {
		struct command *c = &commands->list[i];

		if (c->used && c->device == device && c->number == number &&
		    (!first || (int32_t)(c->order - first->order) < 0))
			first = c;
	}
	if (first)
		finish(first, status);
}

static int holds(const struct command *c)
{
	const struct profile_match *match = &c->device->profile->matches[step_of(c)->match - 1];
	struct point_value values[DEVICE_POINTS_MAX];

	return !device_point(c->device, c->number, match->point, &values[match->point]) &&
	       profile_match_holds(match, values);
}

void command_look(struct commands *commands, const struct device *device)
{
	for (int i = 0; i < COMMANDS_PENDING; i++) {
		struct command *c = &commands->list[i];

		if (c->used && c->device == device && !c->writing && step_of(c)->kind == STEP_CHECK && holds(c))
			go_on(commands, c);
	}
}

static void time_is_up(struct commands *commands, struct command *c)
{
	if (c->writing)
		fail(c, BUS_DISCONNECTED, 0);
	else if (step_of(c)->kind == STEP_WAIT || holds(c))
		go_on(commands, c);
	else
		fail(c, BUS_TIMEOUT, 0);
}

int64_t command_run(struct commands *commands, int64_t now_us)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < COMMANDS_PENDING; i++) {
		struct command *c = &commands->list[i];

		if (c->used && !c->device && (!c->writing || now_us >= c->until_us))
			finish(c, BUS_DISCONNECTED);
		else if (c->used && c->device && now_us >= c->until_us)
			time_is_up(commands, c);
		if (c->used && c->until_us < next)
			next = c->until_us;
	}
	return next;
}

void command_drop(struct commands *commands, const struct device *device)
{
	for (int i = 0; i < COMMANDS_PENDING; i++) {
		struct command *c = &commands->list[i];

		if (!c->used || c->device != device)
			continue;
		c->device = NULL;
		/* The line may be closed: no answer is waited for. */
		c->writing = 0;
	}
}
