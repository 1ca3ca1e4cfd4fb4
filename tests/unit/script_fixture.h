/* A folder with one script in it, and what tests of the API given to scripts do with it. */
#ifndef FC_TEST_SCRIPT_FIXTURE_H
#define FC_TEST_SCRIPT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/json.h"
#include "folder.h"
#include "script/script.h"

struct fixture {
	char folder[64], path[96];
	struct arena arena;
	struct error err;
	const struct script_services *services;
};

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "api");
	(void)snprintf(f->path, sizeof(f->path), "%s/x.lua", f->folder);
	arena_init(&f->arena, 4 << 20);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static inline struct script *load(struct fixture *f, const char *text)
{
	const struct script_host host = {
	    .lua_dir = f->folder, .limits = {.instructions = 2000000, .time_ms = 20000}, .services = f->services};
	FILE *file = fopen(f->path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	f->err = (struct error){0};
	return script_load_file(&host, f->path, "operators/city", &f->err);
}

static inline struct script *must_load(struct fixture *f, const char *text)
{
	struct script *script = load(f, text);

	if (!script)
		fail_msg("%s\n%s", text, f->err.text);
	return script;
}

/* A file whose one function f(v) has this body. */
static inline struct script *load_body(struct fixture *f, const char *body)
{
	static char text[16384];

	assert_true((size_t)snprintf(text, sizeof(text), "return { f = function(v)\n%s\nend }", body) < sizeof(text));
	return must_load(f, text);
}

static inline const char *as_json(struct fixture *f, const struct value *v)
{
	struct buffer out;

	if (!v)
		return "(none)";
	buffer_init(&out, 65536);
	assert_int_equal(json_write(&out, v), FC_OK);
	char *text = arena_copy(&f->arena, out.data, out.len);
	buffer_fini(&out);
	assert_non_null(text);
	return text;
}

/* What f(v) gives, as JSON; fails the test when it fails. */
static inline const char *call(struct fixture *f, struct script *script, const char *input)
{
	struct value *in = input ? value_string(&f->arena, input) : NULL, *out = NULL;

	if (script_call(script, "f", in, NULL, &f->arena, &out, &f->err))
		fail_msg("%s", f->err.text);
	return as_json(f, out);
}

static inline void expect(struct fixture *f, const char *body, const char *json)
{
	struct script *script = load_body(f, body);
	struct value *out = NULL;

	if (script_call(script, "f", NULL, NULL, &f->arena, &out, &f->err))
		fail_msg("%s: %s", body, f->err.text);
	if (strcmp(as_json(f, out), json) != 0)
		fail_msg("%s: gives %s, not %s", body, as_json(f, out), json);
	script_free(script);
}

/* The body fails, and says so in these words, with file and line. */
static inline void expect_error(struct fixture *f, const char *body, const char *says)
{
	struct script *script = load_body(f, body);
	struct value *out = NULL;

	f->err = (struct error){0};
	if (script_call(script, "f", NULL, NULL, &f->arena, &out, &f->err) != FC_ESCRIPT)
		fail_msg("%s: did not fail as a script (%s %s)", body, f->err.text, as_json(f, out));
	if (!strstr(f->err.text, says) || !strstr(f->err.text, "x.lua:"))
		fail_msg("%s: says %s, not %s", body, f->err.text, says);
	script_free(script);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
