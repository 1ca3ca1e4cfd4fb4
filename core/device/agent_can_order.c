/* What a CAN device is told to do: commands step by step, limits that are held. */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "device/agent_can.h"

static const int64_t never = INT64_MAX;
static const int64_t again_us = 1000000; /* a limit that was not answered */

static int64_t sooner(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

static int64_t milli_of(double value)
{
	return llround(value * 1000);
}

static int place_of(const struct can_agent *a, int number)
{
	for (int i = 0; i < a->count; i++)
		if (a->numbers[i] == number)
			return i;
	return -1;
}

static void begin(struct can_agent *a, struct can_running *r, const struct can_order *order)
{
	*r = (struct can_running){
	    .order = order, .next_us = 0, .until_us = a->now_us + (int64_t)order->within_ms * 1000};
}

enum outcome { GOES_ON, IS_DONE, IS_LATE };

/* Sends when it is time to. */
static enum outcome drive(struct can_agent *a, struct can_running *r, int place, int64_t *next)
{
	const struct can_order *order = r->order;

	if (a->now_us >= r->until_us)
		return IS_LATE;
	if (order->send && a->now_us >= r->next_us) {
		int result = can_agent_send(a, order->send - 1, place, 0, NULL);

		r->sent |= !result;
		if (!result && !order->answer)
			return IS_DONE;
		r->next_us = a->now_us + (result ? can_agent_again_us(result) : (int64_t)order->period_ms * 1000);
	}
	if (order->send)
		*next = sooner(*next, r->next_us);
	*next = sooner(*next, r->until_us);
	return GOES_ON;
}

static const struct profile_command *what(const struct can_agent *a, const struct can_command *c)
{
	return &a->profile->commands[c->command];
}

static const struct profile_step *step_of(const struct can_agent *a, const struct can_command *c)
{
	return &a->profile->steps[what(a, c)->first_step + c->step];
}

/* The place is free before anyone is told: the answer may be another command. */
static void finish(struct can_agent *a, int place, enum bus_status status)
{
	struct can_command *c = &a->commands[place];
	int replaced = c->replaced;

	if (status != BUS_OK && status != BUS_DISCONNECTED && !a->quiet)
		log_warning("device: %s: connector %d: command %s: step %d: %s", a->name, a->numbers[place],
			    what(a, c)->name, c->step + 1, bus_status_name(status));
	*c = (struct can_command){.replaced = replaced};
	a->host.done(a->host.user, a->numbers[place], status);
}

static void begin_limit(struct can_agent *a, int place, int64_t milli)
{
	struct can_limit *l = &a->limits[place];

	l->held = 1;
	l->milli = milli;
	l->running.order = NULL;
	l->due_us =
	    a->profile->setpoint.refresh_ms ? a->now_us + (int64_t)a->profile->setpoint.refresh_ms * 1000 : never;
}

static void begin_step(struct can_agent *a, int place)
{
	struct can_command *c = &a->commands[place];
	const struct profile_step *step = step_of(a, c);

	c->waiting = 0;
	switch (step->kind) {
	case STEP_SEND:
		begin(a, &c->running, &a->plan->orders[step->order - 1]);
		return;
	case STEP_LIMIT:
	case STEP_PAUSE:
		/* Held from now on; sent here so that its answer is the step's. */
		begin_limit(a, place, step->kind == STEP_LIMIT ? step->milli : milli_of(a->profile->setpoint.pause));
		begin(a, &c->running, &a->plan->setpoint);
		return;
	case STEP_WAIT:
	case STEP_CHECK:
		c->waiting = 1;
		c->until_us = a->now_us + (int64_t)step->ms * 1000;
		return;
	case STEP_WRITE: /* of Modbus profiles */
		return;
	}
}

/* The step is done: the next one, or the end. Nonzero while there is one. */
static int go_on(struct can_agent *a, int place)
{
	struct can_command *c = &a->commands[place];

	if (++c->step < what(a, c)->steps) {
		begin_step(a, place);
		return 1;
	}
	finish(a, place, BUS_OK);
	return 0;
}

static int holds(struct can_agent *a, const struct can_command *c, int place)
{
	const struct profile_step *step = step_of(a, c);

	return step->kind == STEP_CHECK &&
	       profile_match_holds(&a->profile->matches[step->match - 1], can_agent_values(a, place));
}

/* One look at the step: nonzero when there is another one to look at. */
static int look(struct can_agent *a, int place, int64_t *next)
{
	struct can_command *c = &a->commands[place];

	if (c->fresh) {
		c->fresh = 0;
		begin_step(a, place);
	}
	if (c->waiting) {
		int is_wait = step_of(a, c)->kind == STEP_WAIT;

		if (holds(a, c, place) || (is_wait && a->now_us >= c->until_us))
			return go_on(a, place);
		if (a->now_us >= c->until_us) {
			finish(a, place, BUS_TIMEOUT);
			return 0;
		}
		*next = sooner(*next, c->until_us);
		return 0;
	}
	switch (drive(a, &c->running, place, next)) {
	case IS_DONE:
		return go_on(a, place);
	case IS_LATE:
		finish(a, place, BUS_TIMEOUT);
		return 0;
	case GOES_ON:
		return 0;
	}
	return 0;
}

static int64_t run_limit(struct can_agent *a, int place)
{
	struct can_limit *l = &a->limits[place];
	int64_t next = never;

	if (!l->held || !a->online)
		return never;
	if (!l->running.order && a->now_us >= l->due_us) {
		begin_limit(a, place, l->milli);
		begin(a, &l->running, &a->plan->setpoint);
	}
	if (l->running.order)
		switch (drive(a, &l->running, place, &next)) {
		case IS_LATE:
			if (!a->quiet)
				log_warning("device: %s: connector %d: its limit is not answered", a->name,
					    a->numbers[place]);
			l->running.order = NULL;
			/* It is held: also where it would not be told again. */
			if (l->due_us <= a->now_us || l->due_us > a->now_us + again_us)
				l->due_us = a->now_us + again_us;
			break;
		case IS_DONE:
			l->running.order = NULL;
			break;
		case GOES_ON:
			break;
		}
	return sooner(next, l->running.order ? next : l->due_us);
}

int64_t can_order_run(struct can_agent *a)
{
	int64_t next = never;

	for (int i = 0; i < a->count; i++) {
		struct can_command *c = &a->commands[i];

		while (c->replaced) {
			c->replaced--;
			a->host.done(a->host.user, a->numbers[i], BUS_DISCONNECTED);
		}
		if (!a->up)
			continue;
		/* A command may begin anew within done: its steps are bounded, and so is this. */
		for (int turn = 0; c->used && turn <= PROFILE_STEPS_MAX && look(a, i, &next); turn++)
			;
		next = sooner(next, run_limit(a, i));
	}
	return next;
}

static int answers(const struct can_running *r, int message)
{
	/* What came before we asked is the answer to something else. */
	return r->order && r->order->answer == message + 1 && (r->sent || !r->order->send);
}

static int is_good(const struct can_agent *a, const struct can_order *order, int place, const uint8_t *data, int len,
		   const struct can_frame *frame)
{
	const struct can_match *ok = &order->ok;

	if (!order->has_ok)
		return 1;
	return (frame->id & ok->mask) == ok->id && can_data_fits(ok, data, len, a->units[place], a->numbers[place]);
}

static void answer_limit(struct can_agent *a, int place, int good)
{
	struct can_limit *l = &a->limits[place];

	if (!good && !a->quiet)
		log_warning("device: %s: connector %d: its limit is refused", a->name, a->numbers[place]);
	l->running.order = NULL;
}

void can_order_heard(struct can_agent *a, int message, int place, const uint8_t *data, int len,
		     const struct can_frame *frame)
{
	for (int i = 0; i < a->count; i++) {
		struct can_command *c = &a->commands[i];

		if (place >= 0 && i != place)
			continue;
		if (answers(&a->limits[i].running, message))
			answer_limit(a, i, is_good(a, a->limits[i].running.order, i, data, len, frame));
		if (!c->used || c->fresh || c->waiting || !answers(&c->running, message))
			continue;
		if (is_good(a, c->running.order, i, data, len, frame))
			(void)go_on(a, i);
		else
			finish(a, i, BUS_EXCEPTION);
	}
}

int can_order_command(struct can_agent *a, int number, const char *name, struct error *err)
{
	const struct profile *p = a->profile;
	int place = place_of(a, number), command = 0;

	while (command < p->command_count && strcmp(p->commands[command].name, name) != 0)
		command++;
	if (place < 0 || command == p->command_count)
		return error_set(err, FC_ENOENT, "device: %s: profile %s has no command %s", a->name, p->name, name);
	if (!a->up)
		return error_set(err, FC_EIO, "device: %s: its line is down", a->name);
	struct can_command *c = &a->commands[place];
	int replaced = c->replaced + c->used;
	/* Begun by the next run, which knows the time. */
	*c = (struct can_command){.used = 1, .command = command, .replaced = replaced, .fresh = 1};
	return FC_OK;
}

static int allows(const struct profile_setpoint *s, int64_t milli)
{
	return s->used && ((s->has_pause && milli == milli_of(s->pause)) ||
			   (milli >= milli_of(s->min) && milli <= milli_of(s->max)));
}

int can_order_limit(struct can_agent *a, int number, int64_t milli, struct error *err)
{
	const struct profile_setpoint *s = &a->profile->setpoint;
	int place = place_of(a, number);

	if (place < 0 || !s->used)
		return error_set(err, FC_ENOENT, "device: %s: connector %d: profile %s has no setpoint", a->name,
				 number, a->profile->name);
	if (!allows(s, milli))
		return error_set(err, FC_EINVAL, "device: %s: connector %d: a limit of %.3f %s is not allowed", a->name,
				 number, (double)milli / 1000, s->form.unit);
	begin_limit(a, place, milli);
	a->limits[place].due_us = 0;
	return FC_OK;
}

void can_order_back(struct can_agent *a, int place)
{
	/* What was on its way when it fell silent is out of date. */
	a->limits[place].running.order = NULL;
	a->limits[place].due_us = 0;
}

void can_order_begin(struct can_agent *a)
{
	const struct profile_setpoint *s = &a->profile->setpoint;

	for (int i = 0; i < a->count; i++) {
		struct can_limit *l = &a->limits[i];

		l->running.order = NULL;
		l->due_us = 0;
		if (!s->used || !s->has_initial || l->held)
			continue;
		l->held = 1;
		l->milli = milli_of(s->initial);
	}
}

void can_order_drop(struct can_agent *a)
{
	for (int i = 0; i < a->count; i++) {
		struct can_command *c = &a->commands[i];
		int replaced = c->replaced + c->used;

		*c = (struct can_command){.replaced = replaced};
		a->limits[i].running.order = NULL;
	}
}

void can_order_forget(struct can_agent *a)
{
	can_order_drop(a);
	for (int i = 0; i < a->count; i++)
		a->commands[i].replaced = 0;
}

void can_order_take_over(struct can_agent *a, const struct can_agent *from)
{
	const struct profile_setpoint *now = &a->profile->setpoint, *before = &from->profile->setpoint;

	for (int i = 0; i < a->count; i++) {
		int its = place_of(from, a->numbers[i]);
		const struct can_limit *l = its < 0 ? NULL : &from->limits[its];

		if (!l || !l->held)
			continue;
		if (strcmp(now->form.unit, before->form.unit) != 0 || !allows(now, l->milli)) {
			log_warning(
			    "device: %s: connector %d: its limit is held no more: the new profile does not allow it",
			    a->name, a->numbers[i]);
			continue;
		}
		a->limits[i] = (struct can_limit){.held = 1, .milli = l->milli};
	}
}
