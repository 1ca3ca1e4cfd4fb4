/* Commands about the configuration: its schema, what is there, whether another one would do, taking it over with a confirmation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diff.h"
#include "config/describe_tree.h"
#include "config/edit.h"
#include "config/uci.h"
#include "control/apply.h"
#include "control/config_draft.h"
#include "control/config_scripts.h"
#include "control/config_versions.h"
#include "script/shelf.h"

enum { TREE_MEMORY = 32 << 20 };

int command_config_schema(struct control *control, struct control_reply *reply, struct error *err)
{
	(void)control, (void)err;
	reply->result = config_schema_tree(&reply->arena);
	return FC_OK;
}

/* Show -------------------------------------------------------------------------------------------------------------------- */

static struct value *put_option(struct maker *m, const struct uci_option *o)
{
	if (!o->is_list)
		return value_string(m->arena, o->values->text);
	struct value *list = value_array(m->arena);
	for (const struct uci_value *v = o->values; v; v = v->next)
		maker_push(m, list, value_string(m->arena, v->text));
	return list;
}

/* text: masked. What can't be read is left out: the text has it. */
static struct value *put_sections(struct maker *m, const char *text, size_t len)
{
	struct value *list = value_array(m->arena);
	struct uci_file file;
	struct arena scratch;

	arena_init(&scratch, TREE_MEMORY);
	if (uci_parse(text, len, &scratch, &file, NULL, NULL) < 0)
		m->failed = 1;
	for (struct uci_section *s = file.sections; s && !m->failed; s = s->next) {
		struct value *o = value_object(m->arena), *options = value_object(m->arena);

		maker_text(m, o, "type", s->type);
		maker_text(m, o, "name", s->name);
		maker_int(m, o, "line", s->line);
		for (const struct uci_option *given = s->options; given; given = given->next)
			maker_put(m, options, given->name, put_option(m, given));
		if (s->options)
			maker_put(m, o, "options", options);
		maker_push(m, list, o);
	}
	arena_fini(&scratch);
	return list;
}

int command_config_show(struct control *control, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	char hash[SOURCE_HASH], *text = NULL, *masked;
	size_t len = 0, masked_len = 0;

	int result = control->apply ? config_file_read(control, &text, &len, hash, err)
				    : error_set(err, FC_EIO, "there is no configuration here");
	if (result)
		return result;
	masked = edit_mask(text, len, &masked_len);
	free(text);
	if (!masked)
		return error_set(err, FC_ENOMEM, "no memory");
	maker_put(&m, root, "text", value_string_len(m.arena, masked, masked_len));
	maker_text(&m, root, "hash", hash);
	maker_put(&m, root, "sections", put_sections(&m, masked, masked_len));
	free(masked);
	apply_put(control->apply, &m, root);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

/* Check -------------------------------------------------------------------------------------------------------------------- */

struct checking {
	struct control_reply *reply; /* NULL: gone */
	struct config_draft draft;
	struct config_scripts scripts;
};

static int fill_check(struct config_draft *d, struct control_reply *reply, struct error *err)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);
	size_t len = 0;
	char *masked = edit_mask(d->text, d->len, &len);

	if (!masked)
		return error_set(err, FC_ENOMEM, "no memory");
	maker_put(&m, root, "mistakes", d->mistakes);
	maker_put(&m, root, "changes", d->changes);
	maker_put(&m, root, "text", value_string_len(m.arena, masked, len));
	maker_text(&m, root, "hash", d->hash);
	free(masked);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

static void free_checking(struct checking *c)
{
	config_scripts_fini(&c->scripts);
	config_draft_fini(&c->draft);
	free(c);
}

static int step(void *user)
{
	return config_scripts_step(&((struct checking *)user)->scripts);
}

static void on_cancel(void *user)
{
	((struct checking *)user)->reply = NULL;
}

static void on_checked(void *user, int finished)
{
	struct checking *c = user;
	struct control_reply *reply = c->reply;
	struct error err = {0};

	if (!reply || !finished) {
		free_checking(c);
		return;
	}
	control_work_end(reply->control);
	for (int i = 0; i < c->scripts.refused_count; i++)
		config_draft_mistake(&c->draft, &reply->arena, 0, "", "", "", c->scripts.refused[i].why.text);
	int result = fill_check(&c->draft, reply, &err);
	free_checking(c);
	control_finish(reply, result, err.text);
}

static int run_scripts(struct checking *c, struct control *control, const struct script_host *host, struct error *err)
{
	if (config_scripts_init(&c->scripts, c->draft.config, host->lua_dir, NULL))
		return error_set(err, FC_ENOMEM, "no memory");
	int result = control_work_begin(control, err);
	if (result)
		return result;
	if (!shelf_run(host->shelf, step, on_checked, c))
		return FC_OK;
	control_work_end(control);
	return error_set(err, FC_ENOMEM, "no memory");
}

int command_config_check(struct control *control, struct control_reply *reply, struct error *err)
{
	struct checking *c = calloc(1, sizeof(*c));
	const struct script_host *host = control->sources.lua.host;

	reply->is_quiet = 1;
	config_draft_say(reply);
	if (!c)
		return error_set(err, FC_ENOMEM, "no memory");
	int result = config_draft_make(&c->draft, control, reply, err);
	if (!result && control_flag(reply, "scripts") && c->draft.config && host->shelf) {
		c->reply = reply;
		result = run_scripts(c, control, host, err);
		if (!result) {
			reply->cancel = on_cancel;
			reply->cancel_user = c;
			return CONTROL_LATER;
		}
	} else if (!result) {
		result = fill_check(&c->draft, reply, err);
	}
	free_checking(c);
	return result;
}

/* Apply -------------------------------------------------------------------------------------------------------------------- */

static int check_draft(const struct config_draft *d, struct control *control, struct control_reply *reply,
		       struct error *err)
{
	if (strcmp(control_text(reply, "hash"), d->hash) != 0) {
		reply->key = "config.changed_meanwhile";
		return error_set(err, FC_EEXIST, "the configuration was changed meanwhile: read it again");
	}
	if (d->mistakes && d->mistakes->count)
		return error_set(err, FC_EINVAL, "%d mistake(s), the first: %.260s", (int)d->mistakes->count, d->first);
	if (d->text && d->old && d->len == d->old_len && !memcmp(d->text, d->old, d->len))
		return error_set(err, FC_EINVAL, "nothing was changed");
	return config_draft_may(d, control, reply, err);
}

int command_config_apply(struct control *control, struct control_reply *reply, struct error *err)
{
	struct config_draft d = {0};
	struct apply_plan *plan = NULL;

	config_draft_say(reply);
	if (control->apply && !apply_is_idle(control->apply))
		return error_set(err, FC_EBUSY, "another change waits for its confirmation");
	int result = config_draft_make(&d, control, reply, err);
	if (!result)
		result = check_draft(&d, control, reply, err);
	if (!result) {
		plan = apply_plan_new(err);
		result = plan ? FC_OK : FC_ENOMEM;
	}
	if (!result) {
		plan->text = arena_copy(&plan->arena, d.text, d.len);
		plan->len = d.len;
		plan->origin = arena_printf(&plan->arena, "%s", d.origin);
		plan->confirm_s = (int)control_int(reply, "confirm_s", APPLY_CONFIRM_S);
		plan->config = d.config;
		d.config = NULL;
		plan->files[plan->file_count++] =
		    (struct trial_file){control->sources.path, plan->text, plan->len, 0600};
		if (!plan->text || !plan->origin) {
			apply_plan_free(plan);
			result = error_set(err, FC_ENOMEM, "no memory");
		} else {
			result = apply_start(control->apply, reply, plan, err);
		}
	}
	config_draft_fini(&d);
	return result;
}

static int answer_state(struct control *control, struct control_reply *reply)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);

	apply_put(control->apply, &m, root);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}

int command_config_confirm(struct control *control, struct control_reply *reply, struct error *err)
{
	if (!control->apply)
		return error_set(err, FC_EIO, "there is no configuration here");
	int result = apply_confirm(control->apply, reply, err);
	return result ? result : answer_state(control, reply);
}

int command_config_revert(struct control *control, struct control_reply *reply, struct error *err)
{
	if (!control->apply)
		return error_set(err, FC_EIO, "there is no configuration here");
	int result = apply_revert(control->apply, reply, err);
	return result ? result : answer_state(control, reply);
}

/* Versions ------------------------------------------------------------------------------------------------------------------- */

struct listing {
	struct maker m;
	struct value *list;
	char hash[SOURCE_HASH];
};

static struct value *put_version(struct maker *m, const struct config_version *v, const char *hash)
{
	struct value *o = value_object(m->arena);

	maker_int(m, o, "id", v->id);
	maker_int(m, o, "at", v->at_wall);
	maker_optional(m, o, "who", v->who);
	maker_optional(m, o, "place", v->place);
	maker_text(m, o, "origin", v->origin);
	maker_text(m, o, "hash", v->hash);
	maker_flag(m, o, "in_force", !strcmp(v->hash, hash));
	return o;
}

static void list_version(void *user, const struct config_version *v)
{
	struct listing *l = user;

	maker_push(&l->m, l->list, put_version(&l->m, v, l->hash));
	/* A configuration that came back is there twice: the newer one is in force. */
	if (!strcmp(v->hash, l->hash))
		l->hash[0] = '\0';
}

int command_config_versions(struct control *control, struct control_reply *reply, struct error *err)
{
	struct listing l = {.m = {.arena = &reply->arena}, .list = value_array(&reply->arena)};
	struct value *root = value_object(&reply->arena);
	char *text;
	size_t len;
	int result = config_file_read(control, &text, &len, l.hash, err);

	if (result)
		return result;
	free(text);
	(void)config_versions_each(control, list_version, &l);
	maker_put(&l.m, root, "versions", l.list);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}

int command_config_version(struct control *control, struct control_reply *reply, struct error *err)
{
	enum { DIFF_MAX_BYTES = 512 << 10 };
	struct maker m = {.arena = &reply->arena};
	char hash[SOURCE_HASH], *text, *masked;
	struct config_version v;
	size_t len, masked_len = 0;
	struct buffer diff;
	int64_t id = control_int(reply, "id", 0);

	int result = config_versions_get(control, id, &v);
	if (result)
		return error_set(err, result, "there is no version %d", (int)id);
	result = config_file_read(control, &text, &len, hash, err);
	if (result) {
		free(v.text);
		return result;
	}
	masked = edit_mask(text, len, &masked_len);
	free(text);
	buffer_init(&diff, DIFF_MAX_BYTES);
	struct value *root = put_version(&m, &v, hash);
	maker_put(&m, root, "text", value_string_len(m.arena, v.text, v.len));
	/* From that version to what is there now. */
	if (!masked || diff_unified(v.text, v.len, masked, masked_len, &diff))
		m.failed = 1;
	maker_text(&m, root, "diff", diff.data ? diff.data : "");
	buffer_fini(&diff);
	free(masked);
	free(v.text);
	reply->result = m.failed ? NULL : root;
	return FC_OK;
}
