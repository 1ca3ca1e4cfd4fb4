/* What a profile writes: commands and their steps, the setpoint, keep-alives. */
#include <stdio.h>
#include <string.h>

#include "device/compile_can.h"

static void compile_values(struct compiler *c, const struct value *t, const char *where, struct profile_write *write)
{
	const struct value *values = compile_table(c, t, where, "values");
	int most = write->function == 5 || write->function == 6 ? 1 : PROFILE_COMMAND_WORDS;
	int64_t i;

	if (value_get(t, "value") && !values) {
		write->words[0] = (uint16_t)compile_int(c, t, where, "value", 0, 0, 65535);
		write->count = 1;
		return;
	}
	value_each (v, values) {
		if (write->count == most || value_to_int(v, &i) || i < 0 || i > 65535 || value_get(t, "value"))
			break;
		write->words[write->count++] = (uint16_t)i;
	}
	if (write->count && values && write->count == values->count)
		return;
	compile_wrong_key(c, where, "values",
			  "a command wants value = 0..65535, or for functions 15 and 16 values = a list of up to %d",
			  PROFILE_COMMAND_WORDS);
}

/* Nothing is written to what must not be touched. */
static void check_write(struct compiler *c, const char *where, const struct profile_write *write)
{
	const struct profile *p = c->p;

	for (int n = 1; n <= (write->shared ? 1 : p->connectors); n++) {
		uint32_t first = profile_write_address(p, write, n), last = first + write->count - 1;

		if (last > 65535) {
			compile_wrong(c, where, "its end would lie beyond 65535");
			return;
		}
		for (int d = 0; d < p->deny_count + p->deny_write_count; d++) {
			int own = d < p->deny_count;
			const struct register_range *range = own ? &p->deny[d] : &p->deny_write[d - p->deny_count];

			if (first > range->last || last < range->first)
				continue;
			compile_wrong(c, where, "lies in a range of modbus.%s (%d to %d)", own ? "deny" : "deny_write",
				      range->first, range->last);
			return;
		}
	}
}

static void compile_target(struct compiler *c, const struct value *t, const char *where, struct profile_write *write)
{
	int64_t function = compile_int(c, t, where, "fc", 6, 5, 16);

	if (function > 6 && function < 15)
		compile_wrong(c, where, "fc must be 5, 6, 15 or 16");
	write->function = (uint8_t)function;
	write->address = (uint16_t)compile_int(c, t, where, "address", 0, 0, 65535);
	write->shared = compile_bool(c, t, where, "shared");
	if (!value_get(t, "address"))
		compile_wrong(c, where, "wants an address");
}

static void compile_write(struct compiler *c, const struct value *t, const char *where, struct profile_write *write)
{
	compile_target(c, t, where, write);
	compile_values(c, t, where, write);
	check_write(c, where, write);
}

static int in_limits(const struct profile *p, double value)
{
	const struct profile_setpoint *s = &p->setpoint;

	return (s->has_pause && value >= s->pause && value <= s->pause) || (value >= s->min && value <= s->max);
}

static void compile_limit_step(struct compiler *c, const struct value *t, const char *where, struct profile_step *step)
{
	const struct profile_setpoint *s = &c->p->setpoint;

	if (!s->used || (value_get(t, "pause") && !s->has_pause)) {
		compile_wrong(c, where, "wants setpoint%s in this profile", s->used ? ".pause" : "");
		return;
	}
	if (value_get(t, "pause")) {
		step->kind = STEP_PAUSE;
		if (!compile_bool(c, t, where, "pause"))
			compile_wrong_key(c, where, "pause", "can only be true");
		return;
	}
	step->kind = STEP_LIMIT;
	double value = compile_double(c, t, where, "limit", s->max);
	if (!in_limits(c->p, value))
		compile_wrong_key(c, where, "limit", "is not within setpoint.min and setpoint.max");
	step->milli = (int64_t)(value * 1000 + (value < 0 ? -0.5 : 0.5));
}

static void compile_check_step(struct compiler *c, const struct value *t, const char *where, struct profile_step *step)
{
	step->kind = STEP_CHECK;
	step->ms = (uint32_t)compile_int(c, t, where, "within_ms", 10000, 100, PROFILE_SEQUENCE_MS);
	step->match = compile_match_of(c, t, where);
	int point = compile_point_name(c, value_get(t, "check"), where, "check");
	if (step->match)
		c->p->matches[step->match - 1].point = point < 0 ? 0 : point;
}

static void compile_step(struct compiler *c, const struct value *t, const char *where, struct profile_step *step)
{
	static const char *const writes[] = {"fc", "address", "value", "values", "shared", NULL};
	static const char *const waits[] = {"wait_ms", NULL};
	static const char *const checks[] = {"check", "equals", "not", "within_ms", NULL};
	static const char *const limits[] = {"limit", "pause", NULL};

	if (value_get(t, "wait_ms")) {
		compile_keys(c, t, where, waits);
		step->kind = STEP_WAIT;
		step->ms = (uint32_t)compile_int(c, t, where, "wait_ms", 0, 1, PROFILE_SEQUENCE_MS);
	} else if (value_get(t, "check")) {
		compile_keys(c, t, where, checks);
		compile_check_step(c, t, where, step);
	} else if (value_get(t, "limit") || value_get(t, "pause")) {
		compile_keys(c, t, where, limits);
		compile_limit_step(c, t, where, step);
	} else if (c->p->can) {
		compile_can_step(c, t, where, step);
	} else {
		compile_keys(c, t, where, writes);
		step->kind = STEP_WRITE;
		compile_write(c, t, where, &step->write);
	}
}

static void compile_steps(struct compiler *c, const struct value *steps, const char *where,
			  struct profile_command *command)
{
	uint32_t ms = 0;
	char place[140];

	value_each (t, steps) {
		(void)snprintf(place, sizeof(place), "%s.steps[%d]", where, command->steps + 1);
		if (c->p->step_count == PROFILE_STEPS_MAX || t->type != VALUE_OBJECT || t->key) {
			compile_wrong(c, place, "must be a list of tables; %d steps in a file are allowed",
				      PROFILE_STEPS_MAX);
			return;
		}
		struct profile_step *step = &c->p->steps[c->p->step_count++];
		compile_step(c, t, place, step);
		command->steps++;
		ms += step->ms;
	}
	if (!command->steps)
		compile_wrong_key(c, where, "steps", "is empty");
	if (ms > PROFILE_SEQUENCE_MS)
		compile_wrong_key(c, where, "steps", "take up to %u ms: %d are allowed", ms, PROFILE_SEQUENCE_MS);
}

static void compile_command(struct compiler *c, const struct value *t)
{
	static const char *const steps[] = {"steps", NULL};
	char where[80];

	(void)snprintf(where, sizeof(where), "commands.%.40s", t->key ? t->key : "");
	if (!t->key || !value_is_object(t) || strlen(t->key) >= PROFILE_NAME ||
	    c->p->command_count == PROFILE_COMMANDS_MAX) {
		compile_wrong(c, where, "must be one of at most %d named tables", PROFILE_COMMANDS_MAX);
		return;
	}
	struct profile_command *command = &c->p->commands[c->p->command_count++];
	(void)snprintf(command->name, sizeof(command->name), "%s", t->key);
	command->first_step = c->p->step_count;
	if (value_get(t, "steps")) {
		compile_keys(c, t, where, steps);
		compile_steps(c, compile_table(c, t, where, "steps"), where, command);
	} else if (c->p->step_count < PROFILE_STEPS_MAX) {
		/* One step may stand there as it is. */
		compile_step(c, t, where, &c->p->steps[c->p->step_count++]);
		command->steps = 1;
	} else {
		compile_wrong(c, where, "is one step too many: %d are allowed", PROFILE_STEPS_MAX);
	}
}

void compile_commands(struct compiler *c, const struct value *commands)
{
	value_each (t, commands)
		compile_command(c, t);
}

void compile_unlock(struct compiler *c, const struct value *table)
{
	int has_unlock = 0;

	c->p->unlock_while_charging = compile_bool(c, table, "", "unlock_while_charging");
	for (int i = 0; i < c->p->command_count; i++)
		has_unlock |= !strcmp(c->p->commands[i].name, "unlock");
	if (value_get(table, "unlock_while_charging") && !has_unlock)
		compile_wrong(c, "unlock_while_charging", "wants a command unlock in this profile");
}

/* period_from = "failsafe_s", period_share = 0.5: so much of what the charger says; refresh_ of a setpoint. */
static void compile_pace(struct compiler *c, const struct value *t, const char *where, const char *of, int *from,
			 double *share)
{
	char key[24];

	(void)snprintf(key, sizeof(key), "%s_from", of);
	if (value_get(t, key))
		*from = compile_point_name(c, value_get(t, key), where, key) + 1;
	(void)snprintf(key, sizeof(key), "%s_share", of);
	*share = compile_double(c, t, where, key, 0.5);
	if (*share <= 0 || *share > 1)
		compile_wrong_key(c, where, key, "must be above 0, at most 1");
}

static int optional_double(struct compiler *c, const struct value *t, const char *key, double *out)
{
	*out = compile_double(c, t, "setpoint", key, 0);
	return value_get(t, key) != NULL;
}

static void compile_register_setpoint(struct compiler *c, const struct value *t)
{
	static const char *const known[] = {
	    "fc",         "address",      "type",          "order",      "scale",     "offset",        "unit",
	    "min",        "max",          "shared",        "refresh_ms", "pause",     "safe",          "initial",
	    "scale_from", "refresh_from", "refresh_share", "verify",     "verify_ms", "verify_within", "verify_at_most",
	    NULL};
	struct profile_setpoint *s = &c->p->setpoint;

	compile_keys(c, t, "setpoint", known);
	compile_target(c, t, "setpoint", &s->write);
	compile_form(c, t, "setpoint", &s->form);
	if (s->form.type > POINT_S32 && s->form.type != POINT_F32)
		compile_wrong(c, "setpoint.type", "must be one of u16 s16 u32 s32 f32");
	s->write.count = s->form.words;
	if (s->write.count > 1 && s->write.function != 16)
		compile_wrong(c, "setpoint.fc", "a value of %d words is written by function 16 at once",
			      s->write.count);
	if (s->write.function == 5 || s->write.function == 15)
		compile_wrong(c, "setpoint.fc", "must be 6 or 16");
	check_write(c, "setpoint.address", &s->write);
	if (s->form.scale >= 0 && s->form.scale <= 0)
		compile_wrong(c, "setpoint.scale", "must not be 0");
}

/* Where a limit is read back: a number of the same unit. */
static void compile_verify(struct compiler *c, const struct value *t)
{
	struct profile_setpoint *s = &c->p->setpoint;
	const struct value *name = value_get(t, "verify");

	s->verify_ms = (uint32_t)compile_int(c, t, "setpoint", "verify_ms", 5000, 500, 600000);
	s->verify_within = compile_double(c, t, "setpoint", "verify_within", 0);
	s->verify_at_most = compile_bool(c, t, "setpoint", "verify_at_most");
	if (value_get(t, "verify_within") && s->verify_within <= 0)
		compile_wrong(c, "setpoint.verify_within", "must be above 0");
	if (!name) {
		if (value_get(t, "verify_ms") || value_get(t, "verify_within") || value_get(t, "verify_at_most"))
			compile_wrong(c, "setpoint.verify", "is missing: the point that reads the limit back");
		return;
	}
	s->verify = compile_point_name(c, name, "setpoint", "verify") + 1;
	if (!s->verify)
		return;
	const struct point *point = &c->p->points[s->verify - 1];
	int is_text = point->type == POINT_TEXT || point->type == POINT_BITS || point->type == POINT_HEX ||
		      point->type == POINT_RAW;
	if (is_text && !point->hook)
		compile_wrong(c, "setpoint.verify", "wants a point that is a number: %s is none", point->name);
	if (strcmp(point->unit, s->form.unit) != 0)
		compile_wrong(c, "setpoint.verify", "wants a point of the same unit: %s has \"%s\", the limit \"%s\"",
			      point->name, point->unit, s->form.unit);
}

void compile_setpoint(struct compiler *c, const struct value *t)
{
	struct profile_setpoint *s = &c->p->setpoint;
	const char *unit = value_text(value_get(t, "unit"));

	if (!t)
		return;
	s->used = 1;
	if (c->p->can)
		compile_can_setpoint(c, t);
	else
		compile_register_setpoint(c, t);
	if (!unit)
		compile_wrong(c, "setpoint.unit", "is missing: A, W or kW, as the point's unit");
	(void)snprintf(s->form.unit, sizeof(s->form.unit), "%.15s", unit ? unit : "");
	if (!value_get(t, "min") || !value_get(t, "max"))
		compile_wrong(c, "setpoint", "wants min and max");
	s->min = compile_double(c, t, "setpoint", "min", 0);
	s->max = compile_double(c, t, "setpoint", "max", 0);
	if (s->min > s->max)
		compile_wrong(c, "setpoint.max", "is below min");
	s->has_pause = optional_double(c, t, "pause", &s->pause);
	s->has_safe = optional_double(c, t, "safe", &s->safe);
	s->has_initial = optional_double(c, t, "initial", &s->initial);
	s->refresh_ms = (uint32_t)compile_int(c, t, "setpoint", "refresh_ms", 0, 500, 3600000);
	compile_pace(c, t, "setpoint", "refresh", &s->refresh_from, &s->refresh_share);
	if (s->refresh_from && !s->refresh_ms)
		compile_wrong(c, "setpoint.refresh_ms", "is missing: how often while that point says nothing");
	compile_scales(c, t, "setpoint", &s->form);
	if (!c->p->can)
		compile_verify(c, t);
	if (s->has_initial && !in_limits(c->p, s->initial))
		compile_wrong(c, "setpoint.initial", "is not within min and max");
}

static void compile_unless(struct compiler *c, const struct value *t, const char *where, struct profile_keep_alive *k)
{
	char place[140];

	(void)snprintf(place, sizeof(place), "%s.unless", where);
	compile_matches(c, compile_table(c, t, where, "unless"), place, &k->unless, 1);
	compile_pace(c, t, where, "period", &k->period_from, &k->period_share);
}

/* value_from = "failsafe_s": what the charger says itself, written back. */
static void compile_copied(struct compiler *c, const struct value *t, const char *where, struct profile_keep_alive *k)
{
	compile_target(c, t, where, &k->write);
	k->write.count = 1;
	if (value_get(t, "value") || value_get(t, "values") || k->write.function == 5 || k->write.function == 15)
		compile_wrong_key(c, where, "value_from", "stands instead of value, for functions 6 and 16");
	k->value_from = compile_point_name(c, value_get(t, "value_from"), where, "value_from") + 1;
	check_write(c, where, &k->write);
}

static void compile_one_keep_alive(struct compiler *c, const struct value *t, const char *where)
{
	static const char *const known[] = {"fc",           "address",   "value",      "values",
					    "words",        "period_ms", "unless",     "period_from",
					    "period_share", "shared",    "value_from", NULL};
	struct profile_keep_alive *k = &c->p->keep_alives[c->p->keep_alive_count];

	if (c->p->keep_alive_count == PROFILE_KEEP_ALIVES_MAX || t->type != VALUE_OBJECT) {
		compile_wrong(c, where, "must be a table, or a list of at most %d", PROFILE_KEEP_ALIVES_MAX);
		return;
	}
	c->p->keep_alive_count++;
	compile_keys(c, t, where, known);
	k->period_ms = (uint32_t)compile_int(c, t, where, "period_ms", 10000, 200, 3600000);
	if (!value_get(t, "period_ms"))
		compile_wrong_key(c, where, "period_ms", "is missing");
	int64_t function = compile_int(c, t, where, "fc", 6, 3, 16);
	if (function > 4) {
		if (value_get(t, "value_from"))
			compile_copied(c, t, where, k);
		else
			compile_write(c, t, where, &k->write);
		compile_unless(c, t, where, k);
		return;
	}
	if (value_get(t, "value") || value_get(t, "values") || value_get(t, "unless") || value_get(t, "period_from") ||
	    value_get(t, "value_from"))
		compile_wrong(c, where, "a read (fc 3 or 4) has only address, words, period_ms and shared");
	k->write.function = (uint8_t)function;
	k->write.address = (uint16_t)compile_int(c, t, where, "address", 0, 0, 65535);
	k->write.count = (uint16_t)compile_int(c, t, where, "words", 1, 1, c->p->max_words);
	k->write.shared = compile_bool(c, t, where, "shared");
	check_write(c, where, &k->write);
}

void compile_keep_alive(struct compiler *c, const struct value *t)
{
	char where[40];
	void (*one)(struct compiler * c, const struct value *t, const char *where) =
	    c->p->can ? compile_can_keep_alive : compile_one_keep_alive;
	int n = 0;

	if (t && t->type != VALUE_ARRAY) {
		one(c, t, "keep_alive");
		return;
	}
	value_each (item, t) {
		(void)snprintf(where, sizeof(where), "keep_alive[%d]", ++n);
		one(c, item, where);
	}
}
