/* The examples that a script file carries: run at load, so that a file that breaks its own word is refused. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "script/world.h"

/* Where two trees differ first; both texts are of that place. */
struct difference {
	char path[160];
	const struct value *expected, *got;
};

static int differs(const struct value *expected, const struct value *got, struct difference *d);

static int differs_below(const char *step, const struct value *expected, const struct value *got, struct difference *d)
{
	size_t n = strlen(d->path);

	(void)snprintf(d->path + n, sizeof(d->path) - n, "%s%s", n && *step != '[' ? "." : "", step);
	if (differs(expected, got, d))
		return 1;
	d->path[n] = '\0';
	return 0;
}

static int differs(const struct value *expected, const struct value *got, struct difference *d)
{
	if (value_equal(expected, got))
		return 0;
	if (expected && got && expected->type == VALUE_OBJECT && got->type == VALUE_OBJECT) {
		value_each (v, expected)
			if (differs_below(v->key, v, value_get(got, v->key), d))
				return 1;
		value_each (v, got)
			if (!value_get(expected, v->key) && differs_below(v->key, NULL, v, d))
				return 1;
	}
	if (expected && got && expected->type == VALUE_ARRAY && got->type == VALUE_ARRAY &&
	    expected->count == got->count) {
		const struct value *x = expected->first, *y = got->first;

		for (int i = 1; x && y; i++, x = x->next, y = y->next) {
			char step[24];

			(void)snprintf(step, sizeof(step), "[%d]", i);
			if (differs_below(step, x, y, d))
				return 1;
		}
	}
	d->expected = expected;
	d->got = got;
	return 1;
}

static void describe(const struct value *v, char *out, size_t size)
{
	struct buffer text;

	if (!v) {
		(void)snprintf(out, size, "nothing");
		return;
	}
	buffer_init(&text, 4096);
	(void)json_write(&text, v);
	(void)snprintf(out, size, "%.60s", text.data ? text.data : "?");
	buffer_fini(&text);
}

/* The same number in another form is a difference that matters: an example of fixed() is about the form. */
static int same_form(const struct value *expected, const struct value *got)
{
	return expected->type != VALUE_NUMBER || (got->type == VALUE_NUMBER && !strcmp(expected->text, got->text));
}

static int forms_differ(const struct value *expected, const struct value *got, struct difference *d)
{
	if (!same_form(expected, got)) {
		d->expected = expected;
		d->got = got;
		return 1;
	}
	if (expected->type == VALUE_OBJECT) {
		value_each (v, expected)
			if (forms_differ(v, value_get(got, v->key), d))
				return 1;
	} else if (expected->type == VALUE_ARRAY) {
		for (const struct value *x = expected->first, *y = got->first; x && y; x = x->next, y = y->next)
			if (forms_differ(x, y, d))
				return 1;
	}
	return 0;
}

/* "examples[2]: map.x: at: expected ..., got ..." */
static int compare(struct script *script, int number, const char *place, const struct value *expect,
		   const struct value *got, struct error *err)
{
	struct difference d = {0};
	char expected_text[64], got_text[64];

	(void)snprintf(d.path, sizeof(d.path), "%s", place);
	if (!differs(expect, got, &d) && !forms_differ(expect, got, &d))
		return FC_OK;
	describe(d.expected, expected_text, sizeof(expected_text));
	describe(d.got, got_text, sizeof(got_text));
	return error_set(err, FC_ESCRIPT, "%s: examples[%d]: %s%sexpected %s, got %s", script_path(script), number,
			 d.path, *d.path ? ": " : "", expected_text, got_text);
}

/* Only the tables that the example names. */
static int compare_tables(struct script *script, int number, const struct value *expect, struct arena *arena,
			  struct error *err)
{
	struct value *tables = NULL, *none = value_object(arena);
	struct error why = {0};
	char place[80];

	if (expect && (!value_is_object(expect) || script_world_tables(script, arena, &tables, &why)))
		return error_set(err, FC_ESCRIPT, "%s: examples[%d]: expect_tables: %.200s", script_path(script),
				 number, *why.text ? why.text : "must be a table of tables");
	value_each (table, expect) {
		const struct value *got = value_get(tables, table->key);

		(void)snprintf(place, sizeof(place), "expect_tables.%.40s", table->key);
		int result = compare(script, number, place, table, got ? got : none, err);
		if (result)
			return result;
	}
	return FC_OK;
}

static int run_in_world(struct script *script, const struct value *example, int number, struct arena *arena,
			struct error *err)
{
	const char *call = value_text(value_get(example, "call"));
	const struct value *expect = value_get(example, "expect");
	struct error why = {0};
	struct value *got = NULL;

	if (script_call(script, call, value_get(example, "input"), value_get(example, "context"), arena, &got, &why))
		return error_set(err, FC_ESCRIPT, "%s: examples[%d]: %.200s", script_path(script), number, why.text);
	int result = expect ? compare(script, number, "", expect, got, err) : FC_OK;
	if (!result)
		result = compare_tables(script, number, value_get(example, "expect_tables"), arena, err);
	return result;
}

static int run_example(struct script *script, const struct value *example, int number, struct arena *arena,
		       struct error *err)
{
	const struct value *now = value_get(example, "now");
	struct script_world world = {.tables = value_get(example, "tables"), .state = value_get(example, "state")};
	const char *now_text = now ? value_text(now) : EXAMPLE_NOW;
	struct error why = {0};

	if (!value_text(value_get(example, "call")) ||
	    (!value_get(example, "expect") && !value_get(example, "expect_tables")))
		return error_set(err, FC_EINVAL, "%s: examples[%d]: wants call, input and expect", script_path(script),
				 number);
	if (clock_parse_datetime(now_text, &world.wall))
		return error_set(err, FC_EINVAL, "%s: examples[%d]: now: must be a time such as \"%s\"",
				 script_path(script), number, EXAMPLE_NOW);
	if (world.state && !value_is_object(world.state))
		return error_set(err, FC_EINVAL, "%s: examples[%d]: state: must be a table of stations and connectors",
				 script_path(script), number);
	int result = script_enter_world(script, &world, &why)
			 ? error_set(err, FC_ESCRIPT, "%s: examples[%d]: %.200s", script_path(script), number, why.text)
			 : run_in_world(script, example, number, arena, err);
	script_leave_world(script);
	return result;
}

int script_run_examples(struct script *script, struct error *err)
{
	const struct value *examples = value_get(script_table(script), "examples");
	int number = 0, result = FC_OK;

	if (!examples)
		return FC_OK;
	if (!value_is_array(examples))
		return error_set(err, FC_EINVAL, "%s: examples: must be a list", script_path(script));
	script_begin_examples(script);
	value_each (example, examples) {
		struct arena arena;

		result = script_examples_left(script, ++number, err);
		if (result)
			break;
		arena_init(&arena, (size_t)1 << 20);
		result = run_example(script, example, number, &arena, err);
		arena_fini(&arena);
		/* What it lacked the others had used up. */
		if (result) {
			int none_left = script_examples_left(script, number, err);

			result = none_left ? none_left : result;
			break;
		}
	}
	script_end_examples(script);
	return result;
}

int script_example_count(const struct script *script)
{
	const struct value *examples = value_get(script_table(script), "examples");

	return value_is_array(examples) ? (int)examples->count : 0;
}

int script_run_one_example(struct script *script, int number, struct error *err)
{
	const struct value *examples = value_get(script_table(script), "examples");
	const struct value *example = value_is_array(examples) ? examples->first : NULL;
	struct arena arena;

	for (int i = 1; example && i < number; i++)
		example = example->next;
	if (!example)
		return error_set(err, FC_ENOENT, "%s: examples[%d]: there is no such", script_path(script), number);
	arena_init(&arena, (size_t)1 << 20);
	int result = run_example(script, example, number, &arena, err);
	arena_fini(&arena);
	return result;
}
