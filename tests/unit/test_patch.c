/* base/patch: what changed between two trees, as an RFC 7386 merge patch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/json.h"
#include "base/json_read.h"
#include "base/patch.h"

struct fixture {
	struct arena arena;
	struct json_reader *reader;
	char text[4096];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	arena_init(&f->arena, 1 << 20);
	f->reader = json_reader_new(0);
	assert_non_null(f->reader);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	json_reader_free(f->reader);
	free(f);
	return 0;
}

static struct value *tree(struct fixture *f, const char *text)
{
	struct value *v = NULL;

	assert_int_equal(json_read(f->reader, text, strlen(text), &f->arena, &v, NULL), FC_OK);
	return v;
}

static const char *text_of(struct fixture *f, const struct value *v)
{
	struct buffer out;

	if (!v)
		return "nothing";
	buffer_init(&out, sizeof(f->text) - 1);
	assert_int_equal(json_write(&out, v), FC_OK);
	memcpy(f->text, out.data, out.len + 1);
	buffer_fini(&out);
	return f->text;
}

/* RFC 7386, section 2, word for word. */
static struct value *merge(struct fixture *f, struct value *target, const struct value *patch)
{
	if (patch->type != VALUE_OBJECT)
		return value_copy(&f->arena, patch);
	if (!target || target->type != VALUE_OBJECT)
		target = value_object(&f->arena);
	value_each (v, patch) {
		if (v->type == VALUE_NULL)
			(void)value_drop(target, v->key);
		else
			assert_int_equal(value_put(&f->arena, target, v->key,
						   merge(f, value_copy(&f->arena, value_get(target, v->key)), v)),
					 FC_OK);
	}
	return target;
}

static void test_what_changed(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *from, *to, *patch;
	} cases[] = {
	    {"{\"a\":1}", "{\"a\":1}", "nothing"},
	    {"{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
	    {"{\"a\":1}", "{\"a\":1.0}", "nothing"},
	    {"{\"a\":1,\"b\":2}", "{\"b\":2}", "{\"a\":null}"},
	    {"{\"b\":2}", "{\"a\":1,\"b\":2}", "{\"a\":1}"},
	    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "nothing"}, /* the order is nothing */
	    {"{\"a\":{\"x\":1,\"y\":2},\"b\":{\"x\":1}}", "{\"a\":{\"x\":1,\"y\":3},\"b\":{\"x\":1}}",
	     "{\"a\":{\"y\":3}}"},
	    {"{\"a\":{\"x\":{\"y\":1}}}", "{\"a\":{\"x\":{\"z\":1}}}", "{\"a\":{\"x\":{\"z\":1,\"y\":null}}}"},
	    {"{\"a\":[1,2]}", "{\"a\":[1,3]}", "{\"a\":[1,3]}"}, /* whole */
	    {"{\"a\":{\"x\":1}}", "{\"a\":7}", "{\"a\":7}"},
	    {"{\"a\":7}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}"},
	    {"{\"a\":\"7\"}", "{\"a\":7}", "{\"a\":7}"},
	    {"{\"a\":true,\"b\":\"x\"}", "{\"a\":false,\"b\":\"y\"}", "{\"a\":false,\"b\":\"y\"}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value *from = tree(f, cases[i].from), *to = tree(f, cases[i].to), *patch = NULL;

		assert_int_equal(patch_make(&f->arena, from, to, &patch), FC_OK);
		assert_string_equal(text_of(f, patch), cases[i].patch);
		if (patch)
			from = merge(f, from, patch);
		assert_true(value_equal(from, to));
	}
}

/* Trees as chance has them: the patch always makes the one of the other. */
static struct value *random_tree(struct fixture *f, int depth)
{
	struct value *o = value_object(&f->arena);
	char key[2] = "a";

	for (int i = 0; i < 6; i++) {
		key[0] = (char)('a' + rand() % 8);
		struct value *v = depth && rand() % 2 ? random_tree(f, depth - 1) : value_int(&f->arena, rand() % 3);
		assert_int_equal(value_put(&f->arena, o, key, v), FC_OK);
	}
	return o;
}

static void test_by_chance(void **state)
{
	struct fixture *f = *state;
	int changed = 0;

	srand(20);
	for (int i = 0; i < 2000; i++) {
		struct value *from = random_tree(f, 2), *to = random_tree(f, 2), *patch = NULL;

		assert_int_equal(patch_make(&f->arena, from, to, &patch), FC_OK);
		changed += patch != NULL;
		if (patch)
			from = merge(f, from, patch);
		assert_true(value_equal(from, to));
		arena_fini(&f->arena);
	}
	assert_true(changed > 1900);
}

static void test_full_arena(void **state)
{
	struct fixture *f = *state;
	struct value *from = tree(f, "{\"a\":1}"),
		     *to = tree(f, "{\"a\":{\"x\":{\"y\":\"some text of some length\"}}}"), *patch = from;
	struct arena small;

	arena_init(&small, 38 * sizeof(void *));
	assert_int_equal(patch_make(&small, from, to, &patch), FC_ENOMEM);
	assert_null(patch);
	arena_fini(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_what_changed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_by_chance, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_full_arena, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
