/* core/config/describe_tree, help: the schema as the page gets it, and help in both languages for all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/describe_tree.h"
#include "config/help.h"
#include "config/schema.h"

static int has_chinese(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0xE4)
			return 1;
	return 0;
}

static void everything_has_help(void **state)
{
	(void)state;
	for (const struct schema_section *s = schema_sections; s->type; s++) {
		assert_non_null(help_find(s->type, ""));
		for (const struct schema_option *o = s->options; o->name; o++) {
			const struct help *h = help_find(s->type, o->name);

			if (!h)
				fail_msg("core/config/help.c: no help for %s.%s", s->type, o->name);
			assert_true(strlen(h->english) > 3);
			if (!has_chinese(h->chinese))
				fail_msg("%s.%s: no Chinese", s->type, o->name);
		}
	}
}

static void help_is_of_something_and_said_once(void **state)
{
	(void)state;
	for (const struct help *h = help_texts; h->type; h++) {
		const struct schema_section *s = schema_find(h->type);
		const struct schema_option *o = s ? s->options : NULL;

		assert_non_null(s);
		while (*h->option && o->name && strcmp(o->name, h->option) != 0)
			o++;
		if (!o->name)
			fail_msg("core/config/help.c: there is no %s.%s", h->type, h->option);
		assert_ptr_equal(help_find(h->type, h->option), h);
	}
}

static const struct value *find(const struct value *list, const char *key, const char *name)
{
	value_each (v, list)
		if (!strcmp(value_text(value_get(v, key)), name))
			return v;
	return NULL;
}

static void the_tree_tells_all(void **state)
{
	struct arena arena;
	int64_t n;

	(void)state;
	arena_init(&arena, 512 << 10);
	const struct value *tree = config_schema_tree(&arena);
	assert_non_null(tree);
	const struct value *sections = value_get(tree, "sections");
	assert_int_equal(sections->count, SCHEMA_SECTIONS);
	for (const struct schema_section *s = schema_sections; s->type; s++) {
		const struct value *section = find(sections, "type", s->type);

		for (const struct schema_option *o = s->options; o->name; o++) {
			const struct value *v = find(value_get(section, "options"), "name", o->name);

			assert_non_null(v);
			assert_int_equal(value_get(v, "required") != NULL, o->required != 0);
			assert_int_equal(value_get(v, "secret") != NULL, o->kind == SCHEMA_SECRET);
			assert_int_equal(value_get(v, "ref") != NULL, o->ref != NULL);
			assert_non_null(value_text(value_get(v, "allowed")));
		}
	}
	const struct value *port = find(value_get(find(sections, "type", "listen"), "options"), "name", "port");
	assert_false(value_to_int(value_get(port, "max"), &n));
	assert_int_equal(n, 65535);
	assert_non_null(value_get(port, "restart"));
	const struct value *level = find(value_get(find(sections, "type", "gateway"), "options"), "name", "log_level");
	assert_int_equal(value_get(level, "words")->count, 5);
	/* A default is one that the schema itself takes. */
	assert_non_null(value_get(level, "default"));
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_has_help),
	    cmocka_unit_test(help_is_of_something_and_said_once),
	    cmocka_unit_test(the_tree_tells_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
