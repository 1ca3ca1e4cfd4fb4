#include "control/config_draft.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "config/edit.h"
#include "config/schema.h"
#include "control/config_versions.h"

enum { SAY_MEMORY = 256 << 10 };

void config_draft_fini(struct config_draft *d)
{
	free(d->old);
	free(d->text);
	config_free(d->config);
	d->old = d->text = NULL;
	d->config = NULL;
}

void config_draft_mistake(struct config_draft *d, struct arena *arena, int line, const char *type, const char *name,
			  const char *option, const char *text)
{
	struct maker m = {.arena = arena};
	struct value *o = value_object(arena);

	if (line)
		maker_int(&m, o, "line", line);
	maker_optional(&m, o, "type", type);
	maker_optional(&m, o, "name", name);
	maker_optional(&m, o, "option", option);
	maker_text(&m, o, "text", text);
	maker_push(&m, d->mistakes, o);
}

struct noting {
	struct config_draft *draft;
	struct arena *arena;
};

static void note_mistake(void *user, const struct config_mistake *mistake)
{
	const struct noting *n = user;

	if (!*n->draft->first)
		(void)snprintf(n->draft->first, sizeof(n->draft->first), "%.*s", ERROR_TEXT_MAX - 1, mistake->text);
	config_draft_mistake(n->draft, n->arena, mistake->line, mistake->type, mistake->name, mistake->option,
			     mistake->what);
}

static void note_change(void *user, const struct config_change *change)
{
	const struct noting *n = user;
	struct maker m = {.arena = n->arena};
	struct value *o = value_object(n->arena);

	maker_text(&m, o, "type", change->type);
	maker_text(&m, o, "name", change->name);
	maker_text(&m, o, "action", config_action_name(change->action));
	maker_push(&m, n->draft->changes, o);
}

/* What only a new start can bring into force: a running gateway refuses it, so it is a mistake here. */
static void check_start(struct config_draft *d, struct arena *arena, const struct config *running)
{
	const struct config_gateway *a = &running->gateway, *b = &d->config->gateway;
	const struct {
		const char *option, *from, *to;
	} fixed[] = {{"operator_id", a->operator_id, b->operator_id},
		     {"data_dir", a->data_dir, b->data_dir},
		     {"lua_dir", a->lua_dir, b->lua_dir}};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		char text[200];

		/* i 0: a new box gets its operator while it runs. */
		if (!strcmp(fixed[i].from, fixed[i].to) || (!i && !*fixed[i].from))
			continue;
		(void)snprintf(text, sizeof(text), "changes only with a new start: it is \"%.100s\"", fixed[i].from);
		config_draft_mistake(d, arena, 0, "gateway", b->name, fixed[i].option, text);
		if (!*d->first)
			(void)snprintf(d->first, sizeof(d->first), "gateway.%s: %.200s", fixed[i].option, text);
	}
}

/* text is there: mistakes, changes, configuration. */
static void look(struct config_draft *d, struct control *control, struct arena *arena)
{
	const struct config *running = control->sources.config.running(control->sources.config.user);
	struct noting n = {d, arena};
	struct error err = {0};

	d->config = config_parse(control->sources.path, d->text, d->len, note_mistake, &n, &err);
	if (!d->config) {
		if (!*d->first)
			(void)snprintf(d->first, sizeof(d->first), "%.*s", ERROR_TEXT_MAX - 1, err.text);
		if (!d->mistakes->count)
			config_draft_mistake(d, arena, 0, "", "", "", d->first);
		return;
	}
	(void)config_compare(running, d->config, note_change, &n);
	check_start(d, arena, running);
}

static int begin(struct config_draft *d, struct control *control, struct control_reply *reply, struct error *err)
{
	*d = (struct config_draft){.mistakes = value_array(&reply->arena), .changes = value_array(&reply->arena)};
	if (!control->apply)
		return error_set(err, FC_EIO, "there is no configuration here");
	if (!d->mistakes || !d->changes)
		return error_set(err, FC_ENOMEM, "no memory");
	return config_file_read(control, &d->old, &d->old_len, d->hash, err);
}

int config_draft_take(struct config_draft *d, struct control *control, struct control_reply *reply, const char *text,
		      size_t len, struct error *err)
{
	int result = begin(d, control, reply, err);

	if (result)
		return result;
	d->text = malloc(len + 1);
	if (!d->text)
		return error_set(err, FC_ENOMEM, "no memory");
	memcpy(d->text, text, len);
	d->text[len] = '\0';
	d->len = len;
	look(d, control, &reply->arena);
	return FC_OK;
}

/* A text with masked secrets; one that can't be unmasked is a mistake. */
static int take_masked(struct config_draft *d, struct control_reply *reply, const char *text, size_t len,
		       struct error *err)
{
	struct edit *edit = edit_new(text, len, err);
	struct error why = {0};
	int line = 0, result = edit ? FC_OK : err->code;

	if (!result)
		result = edit_unmask(edit, d->old, d->old_len, &line, &why);
	if (result == FC_EINVAL) {
		config_draft_mistake(d, &reply->arena, line, "", "", "", why.text);
		(void)snprintf(d->first, sizeof(d->first), "line %d: %.280s", line, why.text);
		result = FC_OK;
	} else if (result && edit) {
		*err = why;
	}
	if (!result)
		d->text = edit_text(edit, &d->len);
	edit_free(edit);
	return result ? result : d->text ? FC_OK : error_set(err, FC_ENOMEM, "no memory");
}

static int take_edits(struct config_draft *d, const struct value *edits, struct error *err)
{
	struct edit *edit = edit_new(d->old, d->old_len, err);
	int result = edit ? edit_apply(edit, edits, err) : err->code;

	if (!result)
		d->text = edit_text(edit, &d->len);
	edit_free(edit);
	return result ? result : d->text ? FC_OK : error_set(err, FC_ENOMEM, "no memory");
}

static int take_version(struct config_draft *d, struct control *control, struct control_reply *reply, int64_t id,
			struct error *err)
{
	struct config_version v;
	int result = config_versions_get(control, id, &v);

	if (result)
		return error_set(err, result, "there is no version %" PRId64, id);
	(void)snprintf(d->origin, sizeof(d->origin), "version %" PRId64, id);
	result = take_masked(d, reply, v.text, v.len, err);
	free(v.text);
	return result;
}

int config_draft_make(struct config_draft *d, struct control *control, struct control_reply *reply, struct error *err)
{
	const struct value *text = value_get(reply->arguments, "text"), *edits = value_get(reply->arguments, "edits");
	int64_t version = control_int(reply, "version", 0);
	int result = begin(d, control, reply, err);

	if (!result && (text != NULL) + (edits != NULL) + (version != 0) != 1)
		result = error_set(err, FC_EINVAL, "wants one of text, edits and version");
	if (result)
		return result;
	(void)snprintf(d->origin, sizeof(d->origin), "apply");
	if (version)
		result = take_version(d, control, reply, version, err);
	else if (text)
		result = take_masked(d, reply, text->text, text->len, err);
	else
		result = take_edits(d, edits, err);
	if (!result)
		look(d, control, &reply->arena);
	return result;
}

/* Scheme, host and port. */
static size_t server_len(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/") : strlen(url);
}

static int is_same_server(const char *a, const char *b)
{
	size_t len = server_len(a);

	return len == server_len(b) && !memcmp(a, b, len);
}

static const char *hub_of(const struct config *c, const struct config_platform *p)
{
	return p->exchange >= 0 ? c->platforms[p->exchange].name : "";
}

/* Nonzero when a platform that is in force has the same secret for the same server, proven the same way. */
static int goes_where_it_went(const struct config *running, const struct config *wanted,
			      const struct config_platform *b)
{
	for (int i = 0; i < running->platform_count; i++) {
		const struct config_platform *a = &running->platforms[i];

		if (!strcmp(a->theirs.operator_secret, b->theirs.operator_secret) && is_same_server(a->url, b->url) &&
		    !strcmp(a->ca, b->ca) && b->verify >= a->verify && !strcmp(hub_of(running, a), hub_of(wanted, b)))
			return 1;
	}
	return 0;
}

/* Who types a secret knows it: anywhere in what was sent. */
static int is_typed(const struct control_reply *reply, const char *secret)
{
	const struct value *text = value_get(reply->arguments, "text");
	const char *found = value_text(text);

	if (found && strstr(found, secret))
		return 1;
	value_each (edit, value_get(reply->arguments, "edits")) {
		found = value_text(value_get(edit, "value"));
		if (found && !strcmp(found, secret))
			return 1;
	}
	return 0;
}

int config_draft_may(const struct config_draft *d, struct control *control, const struct control_reply *reply,
		     struct error *err)
{
	const struct config *running = control->sources.config.running(control->sources.config.user);
	const struct config_admin *a = &running->admin, *b = &d->config->admin;

	if (reply->right >= CONTROL_ADMINISTER)
		return FC_OK;
	if (strcmp(a->user, b->user) != 0 || strcmp(a->password_hash, b->password_hash) != 0 ||
	    strcmp(a->www, b->www) != 0)
		return error_set(err, FC_EAUTH, "user, password_hash and www of the admin page want the role %s",
				 control_role(CONTROL_ADMINISTER));
	/* Who is shown no secret could have one sent to himself: the OperatorSecret is what the log-in hands over. */
	for (int i = 0; i < d->config->platform_count; i++) {
		const struct config_platform *p = &d->config->platforms[i];

		if (!goes_where_it_went(running, d->config, p) && !is_typed(reply, p->theirs.operator_secret))
			return error_set(
			    err, FC_EAUTH,
			    "platform %.60s: where its secret goes (url, ca, verify, exchange) wants the role %s, "
			    "or their_operator_secret typed again",
			    p->name, control_role(CONTROL_ADMINISTER));
	}
	return FC_OK;
}

/* In place: there may be no room left in the arena, and a secret must not stay because of that. */
static void star_out(struct value *v)
{
	if (!v)
		return;
	v->type = VALUE_STRING;
	v->text = EDIT_MASK;
	v->len = strlen(EDIT_MASK);
}

/* Without what may be a secret. */
static struct value *mask_edits(struct arena *arena, const struct value *edits)
{
	struct value *list = value_copy(arena, edits);

	value_each (edit, list) {
		const char *type = value_text(value_get(edit, "type")), *option = value_text(value_get(edit, "option"));

		/* One that lacks a part is refused, and kept in the audit all the same. */
		if (option && !edit_is_secret(type ? type : "", option))
			continue;
		star_out(value_get(edit, "value"));
		star_out(value_get(edit, "values"));
	}
	return list;
}

void config_draft_say(struct control_reply *reply)
{
	const struct value *text = value_get(reply->arguments, "text"), *edits = value_get(reply->arguments, "edits");
	struct arena arena;
	struct buffer out;
	char bytes[40];

	arena_init(&arena, SAY_MEMORY);
	buffer_init(&out, SAY_MEMORY);
	struct value *o = value_object(&arena);
	if (text) {
		(void)snprintf(bytes, sizeof(bytes), "%zu bytes", text->len);
		(void)value_put(&arena, o, "text", value_string(&arena, bytes));
	}
	if (value_get(reply->arguments, "version"))
		(void)value_put(&arena, o, "version", value_int(&arena, control_int(reply, "version", 0)));
	if (edits)
		(void)value_put(&arena, o, "edits", mask_edits(&arena, edits));
	int failed = json_write(&out, o);
	control_say_arguments(reply, failed || !out.data ? "{}" : out.data);
	buffer_fini(&out);
	arena_fini(&arena);
}
