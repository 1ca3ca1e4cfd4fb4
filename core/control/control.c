#include "control/control.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "control/apply.h"
#include "control/backup_accounts.h"
#include "control/command.h"

struct control *control_new(const struct control_sources *sources, struct error *err)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control)
		control->reader = json_reader_new(0);
	if (!control || !control->reader) {
		free(control);
		(void)error_set(err, FC_ENOMEM, "control: no memory");
		return NULL;
	}
	control->sources = *sources;
	control->tables = control_tables;
	if (sources->guard) {
		control->accounts = backup_accounts(sources->guard);
		(void)control_backup_add(control, &control->accounts);
	}
	if (sources->config.loop) {
		control->apply = apply_new(control, err);
		if (!control->apply) {
			control_free(control);
			return NULL;
		}
	}
	return control;
}

static void free_reply(struct control_reply *reply)
{
	struct control_reply **at = &reply->control->replies;

	while (*at && *at != reply)
		at = &(*at)->next;
	if (*at)
		*at = reply->next;
	arena_fini(&reply->arena);
	free(reply);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->replies) {
		struct control_reply *reply = control->replies;

		if (reply->cancel)
			reply->cancel(reply->cancel_user);
		free_reply(reply);
	}
	apply_free(control->apply);
	free(control->restored_parts);
	json_reader_free(control->reader);
	free(control->ledger.platforms);
	free(control);
}

/* Arguments ---------------------------------------------------------------------------------------------------------- */

const char *control_text(const struct control_reply *reply, const char *name)
{
	return value_text(value_get(reply->arguments, name));
}

int64_t control_int(const struct control_reply *reply, const char *name, int64_t preset)
{
	int64_t i = preset;

	(void)value_to_int(value_get(reply->arguments, name), &i);
	return i;
}

int64_t control_milli(const struct control_reply *reply, const char *name, int64_t preset)
{
	int64_t milli = preset;

	(void)value_to_decimal(value_get(reply->arguments, name), 3, &milli);
	return milli;
}

int control_refuse(struct control_reply *reply, struct error *err, int code, const char *key, const char *text)
{
	reply->key = key;
	return error_set(err, code, "%s", text);
}

int control_flag(const struct control_reply *reply, const char *name)
{
	int b = 0;

	(void)value_to_bool(value_get(reply->arguments, name), &b);
	return b;
}

/* The protocol's days are UTC+8, and clock_parse_datetime reads such a one. */
void control_days(const struct control_reply *reply, int64_t *first, int64_t *last)
{
	enum { DAY_S = 86400 };
	const char *from = control_text(reply, "from"), *to = control_text(reply, "to");

	*first = 0;
	*last = INT64_MAX;
	if (from)
		(void)clock_parse_datetime(from, first);
	if (to && !clock_parse_datetime(to, last))
		*last += DAY_S - 1;
}

void control_put_time(struct maker *m, struct value *object, const char *key, int64_t wall)
{
	char text[CLOCK_DATETIME_SIZE];

	if (!wall)
		return;
	clock_format_datetime(wall, text);
	maker_text(m, object, key, text);
}

static const char *const roles[] = {"viewer", "operator", "integrator", "administrator"};
enum { ROLES = sizeof(roles) / sizeof(roles[0]) };

const char *control_role(enum control_right right)
{
	return (unsigned)right < ROLES ? roles[right] : NULL;
}

int control_right_of(const char *role, enum control_right *right)
{
	for (int i = 0; i < ROLES; i++)
		if (!strcmp(roles[i], role)) {
			*right = (enum control_right)i;
			return FC_OK;
		}
	return FC_ENOENT;
}

static const char *kind_name(enum control_kind kind)
{
	switch (kind) {
	case CONTROL_TEXT:
	case CONTROL_SECRET:
		return "text";
	case CONTROL_DATE:
		return "date";
	case CONTROL_INT:
		return "number";
	case CONTROL_FLAG:
		return "flag";
	case CONTROL_LIST:
		return "list";
	case CONTROL_DECIMAL:
		return "decimal";
	case CONTROL_TIME:
		return "time";
	}
	return "unknown";
}

/* A whole file, say. */
static int is_long(const struct control_argument *a)
{
	return a->kind == CONTROL_TEXT && a->max > CONTROL_SHORT;
}

/* A zero byte in the middle would make two texts of one: what was checked and what is used. */
static int is_text(const struct control_argument *a, const struct value *v)
{
	const char *text = value_text(v);

	return text && strlen(text) == v->len && v->len >= (size_t)a->min && v->len <= (size_t)a->max;
}

static int is_good(const struct control_argument *a, const struct value *v)
{
	int64_t i;
	int32_t day;

	switch (a->kind) {
	case CONTROL_TEXT:
	case CONTROL_SECRET:
		return is_text(a, v);
	case CONTROL_DATE:
		return is_text(a, v) && !clock_parse_date(value_text(v), &day);
	case CONTROL_INT:
		return v->type == VALUE_INT && !value_to_int(v, &i) && i >= a->min && i <= a->max;
	case CONTROL_FLAG:
		return v->type == VALUE_BOOL;
	case CONTROL_LIST:
		return value_is_array(v) && v->count >= (size_t)a->min && v->count <= (size_t)a->max;
	case CONTROL_DECIMAL:
		return (v->type == VALUE_INT || v->type == VALUE_FLOAT || v->type == VALUE_DECIMAL) &&
		       !value_to_decimal(v, 3, &i) && i >= (int64_t)a->min * 1000 && i <= (int64_t)a->max * 1000;
	case CONTROL_TIME:
		return v->type == VALUE_INT && !value_to_int(v, &i) && i >= 0 && i < INT64_MAX / 1000000;
	}
	return 0;
}

static int refuse_argument(const struct control_argument *a, const struct value *v, struct error *err)
{
	if (a->kind == CONTROL_TIME)
		return error_set(err, FC_EINVAL, "%s: must be a time in seconds since 1970", a->name);
	if (a->kind == CONTROL_DECIMAL)
		return error_set(err, FC_EINVAL, "%s: must be a number, %d to %d", a->name, a->min, a->max);
	if (is_long(a) && value_text(v) && v->len > (size_t)a->max)
		return error_set(err, FC_ELIMIT, "%s: is too long: %zu bytes of %d", a->name, v->len, a->max);
	if (a->kind == CONTROL_TEXT || a->kind == CONTROL_SECRET || a->kind == CONTROL_INT || a->kind == CONTROL_LIST)
		return error_set(err, FC_EINVAL, "%s: must be a %s, %d to %d%s", a->name, kind_name(a->kind), a->min,
				 a->max,
				 a->kind == CONTROL_INT    ? ""
				 : a->kind == CONTROL_LIST ? " items"
							   : " bytes");
	return error_set(err, FC_EINVAL, "%s: must be %s", a->name,
			 a->kind == CONTROL_DATE ? "a date such as 2026-01-31" : "true or false");
}

static const struct control_argument *find_argument(const struct control_command *command, const char *name)
{
	for (const struct control_argument *a = command->arguments; a && a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}

static int check_arguments(const struct control_command *command, const struct value *arguments, struct error *err)
{
	if (arguments && !value_is_object(arguments))
		return error_set(err, FC_EINVAL, "arguments: must be an object");
	value_each (given, arguments) {
		const struct control_argument *a = find_argument(command, given->key);

		if (!a)
			return error_set(err, FC_EINVAL, "%s has no argument %.40s", command->name, given->key);
		if (!is_good(a, given))
			return refuse_argument(a, given, err);
	}
	for (const struct control_argument *a = command->arguments; a && a->name; a++)
		if (a->required && !value_get(arguments, a->name))
			return error_set(err, FC_EINVAL, "%s: is missing", a->name);
	return FC_OK;
}

/* Calls -------------------------------------------------------------------------------------------------------------- */

static const struct control_command *find_command(const struct control *control, const char *name)
{
	const struct control_command *c;

	for (int i = 0; (c = control_command_at(control->tables, i)); i++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* As the log and the audit keep them: secrets masked, of a whole file its length. */
static void write_arguments(const struct control_reply *reply, struct buffer *text)
{
	enum { MEMORY = 16384 };
	struct maker m;
	struct arena arena;

	arena_init(&arena, MEMORY);
	m = (struct maker){.arena = &arena};
	struct value *o = value_object(&arena);
	value_each (given, reply->arguments) {
		const struct control_argument *a = find_argument(reply->command, given->key);
		char length[32];

		(void)snprintf(length, sizeof(length), "(%zu bytes)", given->len);
		if (a && a->kind == CONTROL_SECRET)
			maker_text(&m, o, given->key, "********");
		else if (a && is_long(a))
			maker_text(&m, o, given->key, length);
		else
			maker_put(&m, o, given->key, value_copy(&arena, given));
	}
	if (!m.failed)
		(void)json_write(text, o);
	arena_fini(&arena);
}

static void set_what(struct control_reply *reply, const char *arguments)
{
	(void)snprintf(reply->what, sizeof(reply->what), "%s %.120s by %s%s%s", reply->command->name, arguments,
		       reply->who, *reply->place ? " from " : "", reply->place);
	(void)snprintf(reply->arguments_text, sizeof(reply->arguments_text), "%s", arguments);
}

void control_say_arguments(struct control_reply *reply, const char *json)
{
	set_what(reply, json);
}

/* Who did what, for the log: JSON, so that hostile text stays on its line. */
static void note_what(struct control_reply *reply, const struct control_caller *caller)
{
	struct buffer text;

	buffer_init(&text, 4096);
	if (reply->arguments)
		write_arguments(reply, &text);
	const char *arguments = text.data && text.len ? text.data : "{}";
	(void)snprintf(reply->who, sizeof(reply->who), "%s", caller->name);
	(void)snprintf(reply->place, sizeof(reply->place), "%s", caller->place ? caller->place : "");
	set_what(reply, arguments);
	reply->right = caller->right;
	reply->connected_us = caller->connected_us;
	reply->at_wall = clock_wall();
	buffer_fini(&text);
}

/* That it can't be kept undoes nothing: the log has it, and the store's health says why. */
static void note_done(const struct control_reply *reply, const char *how)
{
	const struct control_command *command = reply->command;
	struct audit_entry entry = {.at_wall = reply->at_wall};

	if (!command || command->deed != CONTROL_ACT || reply->is_quiet)
		return;
	log_notice("control: %s: %s", reply->what, how);
	if (reply->has_audit)
		return;
	(void)snprintf(entry.who, sizeof(entry.who), "%s", reply->who);
	(void)snprintf(entry.place, sizeof(entry.place), "%s", reply->place);
	(void)snprintf(entry.before, sizeof(entry.before), "%s", reply->before);
	(void)snprintf(entry.after, sizeof(entry.after), "%s", reply->after);
	(void)snprintf(entry.command, sizeof(entry.command), "%s", command->name);
	(void)snprintf(entry.arguments, sizeof(entry.arguments), "%s", reply->arguments_text);
	(void)snprintf(entry.result, sizeof(entry.result), "%s", how);
	(void)audit_add(reply->control->sources.store, &entry, NULL, NULL);
}

void control_finish(struct control_reply *reply, int code, const char *text)
{
	if (!code && !reply->result) {
		code = FC_ELIMIT;
		text = "the answer is too large";
	}
	note_done(reply, code ? text : "done");
	if (reply->done)
		reply->done(reply->user, &(struct control_result){.code = code,
								  .error = code ? text : "",
								  .key = code && reply->key ? reply->key : "",
								  .result = code ? NULL : reply->result});
	free_reply(reply);
}

int control_work_begin(struct control *control, struct error *err)
{
	if (control->works == CONTROL_WORKS_MAX)
		return error_set(err, FC_EBUSY, "too much is being tried at once: try again");
	control->works++;
	return FC_OK;
}

void control_work_end(struct control *control)
{
	control->works--;
}

/* CONTROL_LATER, FC_OK or a code. */
static int carry_out(struct control *control, const struct control_caller *caller, const char *name,
		     struct control_reply *reply, struct error *err)
{
	const struct control_command *command = find_command(control, name);

	if (!command)
		return error_set(err, FC_ENOENT, "there is no command %.40s", name);
	if (command->right > caller->right)
		return error_set(err, FC_EAUTH, "%s: %s wants the role %s", caller->name, command->name,
				 control_role(command->right));
	int result = check_arguments(command, reply->arguments, err);
	if (result)
		return result;
	reply->command = command;
	note_what(reply, caller);
	return command->run(control, reply, err);
}

struct control_reply *control_call(struct control *control, const struct control_caller *caller, const char *name,
				   const struct value *arguments, control_done done, void *user)
{
	struct control_reply *reply = calloc(1, sizeof(*reply));
	struct error err = {0};

	if (!reply) {
		done(user, &(struct control_result){.code = FC_ENOMEM, .error = "no memory", .key = ""});
		return NULL;
	}
	arena_init(&reply->arena, CONTROL_MEMORY);
	reply->control = control;
	reply->arguments = arguments;
	reply->done = done;
	reply->user = user;
	int result = carry_out(control, caller, name, reply, &err);
	if (result != CONTROL_LATER) {
		control_finish(reply, result, err.text);
		return NULL;
	}
	reply->arguments = NULL;
	reply->next = control->replies;
	control->replies = reply;
	return reply;
}

void control_forget(struct control_reply *reply)
{
	if (reply)
		reply->done = NULL;
}

/* Documentation ------------------------------------------------------------------------------------------------------ */

static void describe_arguments(FILE *to, const struct control_argument *a)
{
	const char *comma = "";

	for (; a && a->name; a++) {
		fprintf(to, "%s`%s` %s%s", comma, a->name, kind_name(a->kind), a->required ? ", required" : "");
		comma = "; ";
	}
}

void control_describe(FILE *to)
{
	const struct control_command *c;

	fprintf(to, "| command | role | deed | arguments | does |\n|---|---|---|---|---|\n");
	for (int i = 0; (c = control_command_at(control_tables, i)); i++) {
		fprintf(to, "| `%s` | %s | %s | ", c->name, control_role(c->right),
			c->deed == CONTROL_ACT ? "acts" : "looks");
		describe_arguments(to, c->arguments);
		fprintf(to, " | %s |\n", c->about);
	}
}
