/* script/: the sandbox holds whatever a script tries, values pass both ways unchanged, JSON from strangers costs little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cpu_time.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"
#include "folder.h"
#include "loop/loop.h"
#include "script/script.h"
#include "script/watch.h"

struct fixture {
	char folder[64], path[96];
	struct arena arena;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_make(f->folder, sizeof(f->folder), "script");
	(void)snprintf(f->path, sizeof(f->path), "%s/lib", f->folder);
	assert_int_equal(mkdir(f->path, 0700), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/x.lua", f->folder);
	arena_init(&f->arena, 1 << 20);
	*state = f;
	return 0;
}

static void write_text(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_fini(&f->arena);
	folder_remove(f->folder);
	free(f);
	return 0;
}

static struct script *load(struct fixture *f, const char *text)
{
	const struct script_host host = {.lua_dir = f->folder,
					 .limits = {.memory = 1 << 20, .instructions = 200000, .time_ms = 2000}};

	write_text(f->path, text, strlen(text));
	f->err = (struct error){0};
	return script_load_file(&host, f->path, NULL, &f->err);
}

static struct script *must_load(struct fixture *f, const char *text)
{
	struct script *script = load(f, text);

	if (!script)
		fail_msg("%s\n%s", text, f->err.text);
	return script;
}

static const char *as_json(struct fixture *f, const struct value *v)
{
	struct buffer out;

	buffer_init(&out, 65536);
	assert_int_equal(json_write(&out, v), FC_OK);
	char *text = arena_copy(&f->arena, out.data, out.len);
	buffer_fini(&out);
	assert_non_null(text);
	return text;
}

/* f() of a file whose body is this. */
static int run(struct fixture *f, const char *body, struct value **out)
{
	static char text[8192];

	assert_true((size_t)snprintf(text, sizeof(text), "return { f = function(v)\n%s\nend }", body) < sizeof(text));
	struct script *script = must_load(f, text);
	int result = script_call(script, "f", NULL, NULL, &f->arena, out, &f->err);
	/* The state is good for another call, whatever this one did. */
	struct error err = {0};
	struct value *again = NULL;
	assert_int_equal(script_call(script, "f", NULL, NULL, &f->arena, &again, &err), result);
	script_free(script);
	return result;
}

static void expect(struct fixture *f, const char *body, const char *json)
{
	struct value *out = NULL;

	if (run(f, body, &out))
		fail_msg("%s: %s", body, f->err.text);
	assert_string_equal(out ? as_json(f, out) : "(none)", json);
}

static void values_come_out_as_the_script_made_them(void **state)
{
	struct fixture *f = *state;

	expect(f, "return 10", "10");
	expect(f, "return 10.0", "10.0");
	expect(f, "return fixed(10, 3)", "10.000");
	expect(f, "return fixed(0.285, 2)", "0.29");
	expect(f, "return {}", "{}");
	expect(f, "return array({})", "[]");
	expect(f, "return object({})", "{}");
	expect(f, "return { 1, 'a', true, null }", "[1,\"a\",true,null]");
	expect(f, "return { b = 1, a = { x = {} } }", "{\"a\":{\"x\":{}},\"b\":1}");
	expect(f, "return", "(none)");
	expect(f, "local t = { 1, 2 } table.insert(t, 3) table.remove(t, 1) return t", "[2,3]");
	expect(f, "return ('a,b'):gsub(',', ';')", "\"a;b\"");
	expect(f, "local ok, e = pcall(error, { 1 }) return { ok = ok, e = e }", "{\"e\":[1],\"ok\":false}");
	expect(f, "return { xpcall(function() error('x', 0) end, function(e) return e .. '!' end) }", "[false,\"x!\"]");
	expect(f,
	       "local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)\n"
	       "return { co(1), co(5) }",
	       "[2,10]");
}

static void what_a_script_must_not_have(void **state)
{
	static const char *const names[] = {"io",
					    "os",
					    "debug",
					    "package",
					    "load",
					    "loadfile",
					    "dofile",
					    "loadstring",
					    "print",
					    "collectgarbage",
					    "string.dump",
					    "math.random",
					    "getmetatable('').__index",
					    "warn"};
	struct fixture *f = *state;
	char body[200];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(body, sizeof(body),
			       "local ok, v = pcall(function() return %s end) return ok and v ~= nil", names[i]);
		expect(f, body, "false");
	}
	expect(f, "return pcall(setmetatable, {}, { __gc = function() end })", "false");
	expect(f, "return pcall(require, '../x')", "false");
	expect(f, "return pcall(require, 'none')", "false");
}

/* Each would run for ever, or take all memory, and several try to catch what stops them. */
static void limits_hold(void **state)
{
	static const char *const bodies[] = {
	    "while true do end",
	    "while true do pcall(error) end",
	    "pcall(function() while true do end end) return 1",
	    "while true do pcall(function() while true do end end) end",
	    "xpcall(function() while true do end end, function() while true do end end) return 1",
	    "local function g() return coroutine.wrap(function() while true do end end)() end pcall(g) return 1",
	    "local co = coroutine.create(function() while true do end end)\n"
	    "while true do coroutine.resume(co) co = coroutine.create(function() while true do end end) end",
	    "local function g() for _ = 1, 10 do coroutine.wrap(g)() end end g()",
	    "local t <close> = setmetatable({}, { __close = function() while true do end end }) while true do end",
	    "local co = coroutine.wrap(function()\n"
	    " local t <close> = setmetatable({}, { __close = function() while true do end end })\n"
	    " while true do end end)\nco()",
	    "local t = {} for i = 1, 1e9 do t[i] = i end",
	    "local s = 'x' while true do s = s .. s end",
	    "local t = {} while true do pcall(function() for i = 1, 1e9 do t[#t + 1] = {} end end) end",
	    "return ('x'):rep(1e9)",
	    "return pcall(string.rep, 'x', 1e9) and nil or error('no')",
	    "local s = ('x'):rep(30000) while true do s:find('x', 1, true) end",
	    "return (('a'):rep(60)):find(('a*'):rep(40) .. 'b')",
	    "local s = ('a'):rep(5000) return s:find('.-.-.-.-b')",
	    "local t = {} for i = 1, 5000 do t[i] = i end while true do table.concat(t) end",
	    "local t = {} for i = 1, 5000 do t[i] = 5000 - i end while true do table.sort(t) end",
	    "return table.concat(setmetatable({}, { __len = function() return 1e9 end }))",
	    "return table.unpack({}, 1, 1e7)",
	    "return select('#', table.unpack(setmetatable({}, { __len = function() return 1e8 end })))",
	    "local t = {} t[1] = t return t",
	    "local function g() return g() + 1 end return g()",
	    "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) return t[1]",
	    "return string.format('%99999d', 1)",
	    "local t = {} for i = 1, 20000 do t['k' .. i] = i end return t",
	    "return 0/0",
	    "return 1/0",
	    "return function() end",
	    "return coroutine.create(function() end)",
	    "return { [true] = 1 }",
	    "return { ['a\\0b'] = 1 }",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct value *out = NULL;
		int result = run(f, bodies[i], &out);

		if (result != FC_ELIMIT && result != FC_ESCRIPT)
			fail_msg("%s: %d %s", bodies[i], result, f->err.text);
		if (!strstr(f->err.text, "x.lua"))
			fail_msg("%s: names no file: %s", bodies[i], f->err.text);
	}
	/* The same at load. */
	assert_null(load(f, "while true do end"));
	assert_int_equal(f->err.code, FC_ELIMIT);
	assert_null(load(f, "local t = {} for i = 1, 1e9 do t[i] = i end"));
	assert_int_equal(f->err.code, FC_ELIMIT);
}

static void a_call_may_log_a_little(void **state)
{
	struct fixture *f = *state;

	expect(f, "for i = 1, 1000 do log('line ' .. i) end return 1", "1");
}

static void files_that_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
		size_t len;
	} cases[] = {
	    {"return {", "x.lua:1:", 8},
	    {"return 5", "must return a table", 8},
	    {"\033Lua\124\000\031\223\r\n\032\n", "x.lua", 12},
	    {"error('stop')", "x.lua:1: stop", 13},
	    {"return { a = { b = { 0/0 } } }", "a.b[1]: is not a finite number", 30},
	};
	struct fixture *f = *state;
	const struct script_host host = {.lua_dir = f->folder};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_text(f->path, cases[i].text, cases[i].len);
		f->err = (struct error){0};
		assert_null(script_load_file(&host, f->path, NULL, &f->err));
		if (!strstr(f->err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, f->err.text);
	}
	assert_null(script_load_file(&host, "/nonexistent/x.lua", NULL, &f->err));
	assert_int_equal(f->err.code, FC_ENOENT);
	assert_non_null(strstr(f->err.text, "/nonexistent/x.lua"));
}

static void the_table_is_seen_as_data(void **state)
{
	struct fixture *f = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/lib/help.lua", f->folder);
	write_text(path, "return { twice = function(x) return 2 * x end }", 47);
	struct script *script = must_load(
	    f,
	    "local help = require('help')\n"
	    "return { n = 1, map = { b = { answer = function(v) return help.twice(v.x) end } }, f = function() end,\n"
	    "list = { 1, 2 }, [3] = 'three' }");
	assert_string_equal(as_json(f, script_table(script)),
			    "{\"3\":\"three\",\"list\":[1,2],\"map\":{\"b\":{}},\"n\":1}");
	assert_int_equal(script_functions(script)->count, 2);
	assert_true(script_has(script, "f"));
	assert_true(script_has(script, "map.b.answer"));
	assert_false(script_has(script, "map.b"));
	assert_false(script_has(script, "map.b.request"));
	assert_int_equal(strlen(script_hash(script)), 64);
	struct value *in = value_object(&f->arena), *out = NULL;
	assert_int_equal(value_put(&f->arena, in, "x", value_int(&f->arena, 21)), FC_OK);
	assert_int_equal(script_call(script, "map.b.answer", in, NULL, &f->arena, &out, &f->err), FC_OK);
	assert_int_equal(out->i, 42);
	assert_int_equal(script_call(script, "map.b.no", in, NULL, &f->arena, &out, &f->err), FC_ENOENT);
	script_free(script);
}

static void examples_are_run(void **state)
{
	struct fixture *f = *state;
	struct script *script =
	    must_load(f, "return { f = function(v) v.a = v.a + 1 return v end,\n"
			 "examples = { { call = 'f', input = { a = 1 }, expect = { a = 2 } },\n"
			 "{ call = 'f', input = { a = 1, b = { 5 } }, expect = { a = 2, b = { 6 } } } } }");

	assert_int_equal(script_run_examples(script, &f->err), FC_ESCRIPT);
	assert_non_null(strstr(f->err.text, "examples[2]"));
	assert_non_null(strstr(f->err.text, "b[1]"));
	script_free(script);
}

/* Each within a call's limits, and as many of them as a file has room for. */
static void examples_are_bounded_together(void **state)
{
	static const char format[] =
	    "local e = { call = 'f', input = { a = 1 }, expect = { a = 1 } }\n"
	    "local list = {}\n"
	    "for i = 1, %d do list[i] = e end\n"
	    "return { f = function(v) for i = 1, 20000 do local x = i * 2 end return v end, examples = list }";
	struct fixture *f = *state;
	struct value *input = value_object(&f->arena), *out = NULL;
	char text[400];
	int number = 0;

	(void)snprintf(text, sizeof(text), format, 15);
	struct script *script = must_load(f, text);
	assert_int_equal(script_run_examples(script, &f->err), FC_OK);
	/* Each time anew. */
	assert_int_equal(script_run_examples(script, &f->err), FC_OK);
	script_free(script);
	(void)snprintf(text, sizeof(text), format, 1000);
	script = must_load(f, text);
	assert_int_equal(script_run_examples(script, &f->err), FC_ELIMIT);
	assert_non_null(strstr(f->err.text, f->path));
	assert_non_null(strstr(f->err.text, "all examples together took too long"));
	/* 2 million instructions at 40 000 to 100 000 each. */
	assert_int_equal(sscanf(strstr(f->err.text, "examples["), "examples[%d]", &number), 1);
	assert_in_range(number, 16, 60);
	/* What comes later has all that a call has, and one by one they are good. */
	assert_int_equal(script_run_one_example(script, 999, &f->err), FC_OK);
	assert_int_equal(script_call(script, "f", input, NULL, &f->arena, &out, &f->err), FC_OK);
	script_free(script);
}

static void json_both_ways(void **state)
{
	static const char *const good[] = {
	    "{}", "{\"a\":[1,2.5,-3,true,false,null,\"x\"]}", "{\"a\":{\"b\":{\"c\":\"\\u00e9\\n\"}}}", "[1]", "\"x\"",
	    "12"};
	static const char *const bad[] = {
	    "",        "{",     "{\"a\":}", "{\"a\":1,}", "[1,2", "{a:1}",  "nul", "\"x",    "1 2",         "{\"a\" 1}",
	    "\"\\x\"", "[NaN]", "[inf]",    "{\"a\":1}}", "\x01", "[0x10]", "'a'", "[1,,2]", "\"\\ud800\"x"};
	struct fixture *f = *state;
	struct json_reader *reader = json_reader_new(0);
	struct value *v;

	assert_non_null(reader);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(json_read(reader, good[i], strlen(good[i]), &f->arena, &v, &f->err), FC_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (json_read(reader, bad[i], strlen(bad[i]), &f->arena, &v, &f->err) != FC_EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_null(v);
	}
	/* The last of two wins; 2^53 is whole. */
	assert_int_equal(json_read(reader, "{\"a\":1,\"a\":9007199254740991}", 28, &f->arena, &v, &f->err), FC_OK);
	assert_int_equal(value_get(v, "a")->i, 9007199254740991);
	json_reader_free(reader);
}

/* As platforms send them: what lua-cjson took before there was a reader of our own must be taken still. */
static void json_as_received(void **state)
{
	static const char zero_in_name[] = "{\"a\\u0000b\":1}", zero[] = "\"a\0b\"";
	struct fixture *f = *state;
	struct json_reader *reader = json_reader_new(0);
	char text[4096] = "{";
	struct value *v;

	assert_non_null(reader);
	/* Some write [] for an object without members. */
	assert_int_equal(json_read(reader, "[]", 2, &f->arena, &v, &f->err), FC_OK);
	assert_int_equal(v->type, VALUE_EMPTY);
	assert_int_equal(json_read(reader, "[10.0,-0,1e3,2.5]", 17, &f->arena, &v, &f->err), FC_OK);
	assert_int_equal(v->first->type, VALUE_INT);
	assert_int_equal(v->first->i, 10);
	assert_int_equal(v->first->next->type, VALUE_INT);
	assert_int_equal(v->first->next->next->i, 1000);
	assert_int_equal(v->last->type, VALUE_FLOAT);
	assert_int_equal(json_read(reader, "\"a\nb\tc\"", 7, &f->arena, &v, &f->err), FC_OK);
	assert_string_equal(value_text(v), "a\nb\tc");
	assert_int_equal(json_read(reader, "\"a\\u0000b\"", 10, &f->arena, &v, &f->err), FC_OK);
	assert_int_equal(v->len, 3);
	assert_int_equal(json_read(reader, zero, sizeof(zero) - 1, &f->arena, &v, &f->err), FC_EINVAL);
	assert_int_equal(json_read(reader, zero_in_name, sizeof(zero_in_name) - 1, &f->arena, &v, &f->err), FC_EINVAL);
	assert_int_equal(json_read(reader, "\"a\\", 3, &f->arena, &v, &f->err), FC_EINVAL);
	assert_string_equal(f->err.text, "json: wrong at byte 2");
	/* As deep as it may be, and one more. */
	memset(text, '[', 33);
	memcpy(text + 32, "1", 1);
	memset(text + 33, ']', 32);
	assert_int_equal(json_read(reader, text, 65, &f->arena, &v, &f->err), FC_OK);
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	assert_int_equal(json_read(reader, text, 66, &f->arena, &v, &f->err), FC_EINVAL);
	json_reader_free(reader);
}

/* The last of one name, whether they are few or many, and the others in their order. */
static void json_doubles(void **state)
{
	static const int counts[] = {3, 20, 31, 32, 33, 34, 35, 100, 500};
	struct fixture *f = *state;
	struct json_reader *reader = json_reader_new(0);
	char text[16384];

	assert_non_null(reader);
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
		for (int twice = 0; twice < counts[c]; twice += 1 + counts[c] / 7) {
			size_t n = (size_t)snprintf(text, sizeof(text), "{");
			struct value *v;
			int64_t sum = 0;

			for (int i = 0; i < counts[c]; i++)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "\"k%d\":%d,", i, i);
			n += (size_t)snprintf(text + n, sizeof(text) - n, "\"k%d\":100000,\"z\":0}", twice);
			assert_int_equal(json_read(reader, text, n, &f->arena, &v, &f->err), FC_OK);
			assert_int_equal(v->count, counts[c] + 1);
			assert_int_equal(value_get(v, "z")->i, 0);
			assert_ptr_equal(v->last, value_get(v, "z"));
			value_each (member, v)
				sum += member->i;
			assert_int_equal(sum, 100000 + counts[c] * (counts[c] - 1) / 2 - twice);
		}
	json_reader_free(reader);
}

enum { FROM_STRANGERS = 65536 };

/* Thread time in us of reading so many bytes: the head, and then the unit again and again, with the number of each where it asks. */
static double read_filled(struct fixture *f, struct json_reader *reader, const char *head, const char *unit,
			  size_t size)
{
	static char text[FROM_STRANGERS + 64];
	size_t n = strlen(head);
	struct arena arena;
	struct value *v;

	assert_true(size <= FROM_STRANGERS);
	memcpy(text, head, n);
	for (int j = 0; n < size; j++) {
		char one[40];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		int m =
		    strchr(unit, '%') ? snprintf(one, sizeof(one), unit, j, j) : snprintf(one, sizeof(one), "%s", unit);
#pragma GCC diagnostic pop
		memcpy(text + n, one, (size_t)m);
		n += (size_t)m;
	}
	int64_t start = cpu_us();
	for (int round = 0; round < 5; round++) {
		arena_init(&arena, 4 << 20);
		int result = json_read(reader, text, n, &arena, &v, &f->err);
		assert_true(result == FC_EINVAL || result == FC_ELIMIT || result == FC_OK);
		arena_fini(&arena);
	}
	return (double)(cpu_us() - start) / 5;
}

/* 64 kB of each kind, as anyone may send them to the page before logging in. Run under ASan this also shows that nothing
 * of it leaks; the times show that none costs more than its length is worth. */
static void json_from_strangers(void **state)
{
	static const struct {
		const char *head, *unit;
	} texts[] = {{"", "["},
		     {"", "{\"a\":"},
		     {"[", "[],"},
		     {"[", "{},"},
		     {"[", "1,"},
		     {"[", "\"\","},
		     {"[\"", "a"},
		     {"[\"", "\\u0041"},
		     {"[", "{\"a\":1},"},
		     {"[", "1e5,"},
		     {"{", "\"a\":1,"},
		     {"{", "\"\":1,"},
		     {"", "1"},
		     {"", " "},
		     {"[", "[[[[[]]]]],"},
		     {"{", "\"k%d\":%d,"},
		     {"[", "{\"k%d\":%d},"}};
	struct fixture *f = *state;
	struct json_reader *reader = json_reader_new(1 << 20);

	assert_non_null(reader);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int is_good = 0;

		for (int try = 0; try < CPU_TRIES && !is_good; try++) {
			double small = read_filled(f, reader, texts[i].head, texts[i].unit, FROM_STRANGERS / 8);
			double large = read_filled(f, reader, texts[i].head, texts[i].unit, FROM_STRANGERS);

			print_message("%-12s 8 kB %6.0f us, 64 kB %7.0f us\n", texts[i].unit, small, large);
			is_good = large < (small + 200) * 40;
		}
		assert_true(is_good);
	}
	/* And it still reads what is good. */
	struct value *v;
	assert_int_equal(json_read(reader, "{\"a\":1}", 7, &f->arena, &v, &f->err), FC_OK);
	/* An arena that is full is a limit, not a mistake of the sender's. */
	struct arena tiny;
	arena_init(&tiny, 64);
	assert_int_equal(json_read(reader, "[1,2,3,4,5,6,7,8,9]", 19, &tiny, &v, &f->err), FC_ELIMIT);
	arena_fini(&tiny);
	json_reader_free(reader);
}

static void on_change(void *user)
{
	++*(int *)user;
}

static void a_changed_file_is_noticed(void **state)
{
	struct fixture *f = *state;
	int changes = 0;
	struct loop *loop = loop_new(&f->err);
	assert_non_null(loop);
	struct watch *watch = watch_new(loop, on_change, &changes, &f->err);
	assert_non_null(watch);
	assert_int_equal(watch_add(watch, f->folder, &f->err), FC_OK);
	for (int round = 1; round <= 2; round++) {
		int before = changes;

		write_text(f->path, "return {}", 9);
		int64_t end = clock_mono_ms() + 60000;
		while (changes == before) {
			assert_true(clock_mono_ms() < end);
			assert_int_equal(loop_step(loop, 20), FC_OK);
		}
	}
	watch_free(watch);
	loop_free(loop);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(values_come_out_as_the_script_made_them),
	    T(what_a_script_must_not_have),
	    T(limits_hold),
	    T(a_call_may_log_a_little),
	    T(files_that_are_refused),
	    T(the_table_is_seen_as_data),
	    T(examples_are_run),
	    T(examples_are_bounded_together),
	    T(json_both_ways),
	    T(json_as_received),
	    T(json_doubles),
	    T(json_from_strangers),
	    T(a_changed_file_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
