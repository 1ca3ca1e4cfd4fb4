/* lua_check: a text, tried as if it stood in its file: form, its own examples one by one, and what in force uses it. Beside the loop. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/lua.h"
#include "control/trial.h"
#include "device/report.h"
#include "script/script.h"

enum { MEMORY = 256 << 10, PROBLEMS_MAX = 100 };

struct lua_check {
	struct lua_work work; /* first */
	struct trial trial;
	char item[VERSION_ITEM], path[SCRIPT_PATH_MAX];
	char *text;
	size_t len;
	/* What the thread finds; a tree of its own, copied into the answer. */
	struct arena arena;
	struct maker m;
	struct value *problems, *failures;
	int run, passed;
	int is_begun, is_profile;
};

static struct lua_check *check_of(struct lua_work *work)
{
	return (struct lua_check *)work;
}

static void release(struct lua_work *work)
{
	struct lua_check *c = check_of(work);

	trial_fini(&c->trial);
	arena_fini(&c->arena);
	free(c->text);
	free(c);
}

/* Problems ------------------------------------------------------------------------------------------------------------- */

/* "/etc/lua/operators/x.lua:12: reason" as its parts; what names no file is about the one that was given. */
static void add_problem(struct lua_check *c, const char *text)
{
	const char *dir = c->trial.host.lua_dir, *rest = text;
	char item[VERSION_ITEM] = "";
	long line = 0;

	if (c->problems->count >= PROBLEMS_MAX)
		return;
	if (!strncmp(text, dir, strlen(dir)) && text[strlen(dir)] == '/') {
		const char *name = text + strlen(dir) + 1, *end = strstr(name, ".lua:");

		if (end && (size_t)(end - name) < sizeof(item)) {
			(void)snprintf(item, sizeof(item), "%.*s", (int)(end - name), name);
			rest = end + strlen(".lua:");
			if (isdigit((unsigned char)*rest)) {
				char *behind;

				line = strtol(rest, &behind, 10);
				rest = *behind == ':' ? behind + 1 : behind;
			}
		}
	}
	struct value *o = value_object(&c->arena);
	maker_text(&c->m, o, "file", *item ? item : c->item);
	if (line > 0)
		maker_int(&c->m, o, "line", line);
	maker_text(&c->m, o, "text", rest + strspn(rest, " "));
	maker_push(&c->m, c->problems, o);
}

static void on_mistake(void *user, const char *place, const char *what)
{
	struct lua_check *c = user;
	char text[ERROR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%s%s%s", place, *place ? ": " : "", what);
	add_problem(c, text);
}

/* Examples ------------------------------------------------------------------------------------------------------------- */

static void add_failure(struct lua_check *c, int number, const char *call, const char *text)
{
	struct value *o = value_object(&c->arena);
	const char *why = strstr(text, "examples[");
	const char *rest = why ? strstr(why, "]: ") : NULL;

	maker_int(&c->m, o, "example", number);
	maker_optional(&c->m, o, "call", call ? call : "");
	maker_text(&c->m, o, "text", rest ? rest + 3 : text);
	maker_push(&c->m, c->failures, o);
}

/* All of them, though one fails: whoever edits wants to know of each. */
static void run_examples(struct lua_check *c, struct script *script)
{
	const struct value *examples = value_get(script_table(script), "examples");
	int count = script_example_count(script);
	const struct value *example = count ? examples->first : NULL;
	struct error err = {0};

	script_begin_examples(script);
	for (int i = 1; i <= count && !script_examples_left(script, i, &err); i++, example = example->next) {
		err = (struct error){0};
		c->run++;
		if (script_run_one_example(script, i, &err))
			add_failure(c, i, value_text(value_get(example, "call")), err.text);
		else
			c->passed++;
	}
	script_end_examples(script);
}

/* Those of a profile are registers, run by its room: up to the first that fails. */
static void check_profile(struct lua_check *c)
{
	const struct profile_listener listener = {on_mistake, c};
	struct error err = {0};
	struct profile *profile = profile_load_file(&c->trial.host, c->path, &listener, &err);
	const char *failed = profile ? NULL : strstr(err.text, "examples[");

	profile_free(profile);
	if (profile) {
		c->passed = c->run;
	} else if (failed && !c->problems->count) {
		int number = atoi(failed + strlen("examples["));

		c->passed = number > 0 ? number - 1 : 0;
		c->run = c->passed + 1;
		add_failure(c, number, NULL, err.text);
	} else {
		c->run = 0;
		if (!c->problems->count)
			add_problem(c, err.text);
	}
}

/* By itself. */
static void begin(struct lua_check *c)
{
	char *slash, folder[VERSION_ITEM];
	struct error err = {0};

	(void)snprintf(folder, sizeof(folder), "%s", c->item);
	slash = strchr(folder, '/');
	*slash = '\0';
	c->is_profile = !strcmp(folder, "profiles");
	if (!strcmp(folder, "lib"))
		return;
	struct script *script = script_load(&c->trial.host, folder, slash + 1, c->is_profile ? NULL : "", &err);
	if (!script) {
		add_problem(c, err.text);
		return;
	}
	c->run = c->is_profile ? script_example_count(script) : 0;
	if (!c->is_profile)
		run_examples(c, script);
	script_free(script);
	if (c->is_profile)
		check_profile(c);
}

static int step(struct lua_work *work)
{
	struct lua_check *c = check_of(work);

	if (!c->is_begun) {
		c->is_begun = 1;
		begin(c);
		return !c->problems->count && !c->failures->count;
	}
	int more = trial_next(&c->trial);
	if (c->trial.result)
		add_problem(c, c->trial.err.text);
	return more;
}

/* Answer --------------------------------------------------------------------------------------------------------------- */

static int tell(struct lua_work *work, struct error *err)
{
	struct lua_check *c = check_of(work);
	struct arena *arena = &work->reply->arena;
	struct maker m = {.arena = arena};
	struct value *root = value_object(arena), *examples = value_object(arena);
	int ok = !c->problems->count && !c->failures->count;

	if (c->m.failed)
		return error_set(err, FC_ELIMIT, "there is too much wrong with it to be told");
	maker_put(&m, root, "ok", value_bool(arena, ok));
	maker_put(&m, root, "problems", value_copy(arena, c->problems));
	maker_int(&m, examples, "run", c->run);
	maker_int(&m, examples, "passed", c->passed);
	maker_put(&m, examples, "failures", value_copy(arena, c->failures));
	maker_put(&m, root, "examples", examples);
	work->reply->result = m.failed ? NULL : root;
	return FC_OK;
}

static int prepare(struct lua_check *c, struct error *err)
{
	const struct control_reply *reply = c->work.reply;
	const struct value *text = value_get(reply->arguments, "text");
	const char *item = control_text(reply, "item");
	int result = lua_path(c->work.control, item, c->path, err);

	if (result)
		return result;
	(void)snprintf(c->item, sizeof(c->item), "%s", item);
	c->len = text->len;
	c->text = malloc(c->len + 1);
	if (!c->text)
		return error_set(err, FC_ENOMEM, "no memory");
	memcpy(c->text, text->text, c->len + 1);
	const struct script_instead instead = {c->path, c->text, c->len};
	return trial_plan(&c->trial, c->work.control, item, &instead, 1, err);
}

int command_lua_check(struct control *control, struct control_reply *reply, struct error *err)
{
	struct lua_check *c = calloc(1, sizeof(*c));
	struct error why = {0};

	if (!c)
		return error_set(err, FC_ENOMEM, "no memory");
	reply->is_quiet = 1;
	arena_init(&c->arena, MEMORY);
	c->m = (struct maker){.arena = &c->arena};
	c->problems = value_array(&c->arena);
	c->failures = value_array(&c->arena);
	c->work = (struct lua_work){.control = control, .reply = reply, .step = step, .done = tell, .release = release};
	if (!c->problems || !c->failures) {
		release(&c->work);
		return error_set(err, FC_ENOMEM, "no memory");
	}
	int result = prepare(c, err);
	if (result) {
		release(&c->work);
		return result;
	}
	if (!lua_check_text(c->text, c->len, &why))
		return lua_work(&c->work, err);
	add_problem(c, why.text);
	result = tell(&c->work, err);
	release(&c->work);
	return result;
}
