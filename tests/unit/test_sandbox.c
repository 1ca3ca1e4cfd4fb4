/* script/: what a script finds in its sandbox: a library that it can't change, the same order and texts in every run, errors of any
 * type told with their line, and a rest for what hits its limits again and again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lualib.h>

#include "beside_lua.h"
#include "folder.h"
#include "script/rest.h"
#include "script/sandbox.h"
#include "script/script.h"

enum { MEMORY = 4 << 20, STEPS = 5000000 };

/* The chunk's values as one text in out ("type:text|..."), or "error" and the error's text. */
static void run_in(lua_State *L, const char *body, char *out, size_t size)
{
	static const char
	    head[] = "local say = tostring local r = table.pack(pcall(function() ",
	    tail[] = " end)) for i = 1, r.n do r[i] = (math.type(r[i]) or type(r[i])) .. ':' .. say(r[i]) end\n"
		     "return table.concat(r, '|')";
	char text[4096];

	lua_settop(L, 0);
	(void)snprintf(text, sizeof(text), "%s%s%s", head, body, tail);
	if (luaL_loadstring(L, text))
		fail_msg("%s: %s", body, lua_tostring(L, -1));
	if (lua_pcall(L, 0, 1, 0))
		(void)snprintf(out, size, "error: %s", lua_tostring(L, -1));
	else
		(void)snprintf(out, size, "%s", lua_tostring(L, -1));
	lua_settop(L, 0);
}

static void run(const char *body, char *out, size_t size)
{
	struct sandbox box;

	assert_int_equal(sandbox_open(&box, MEMORY, 1), 0);
	sandbox_budget(&box, STEPS, 0);
	run_in(box.L, body, out, size);
	sandbox_close(&box);
}

/* Each tries to change the library and must not get away with it, and what it tried to change works after it. */
static void the_library_stays_as_it_is(void **state)
{
	static const char *const bodies[] = {
	    "string.format = nil",
	    "string.x = 1",
	    "table.x = 1",
	    "math.pi = 3",
	    "coroutine.wrap = print",
	    "utf8.char = nil",
	    "string = nil",
	    "_G.string = {}",
	    "_G.pairs = nil",
	    "pcall = error",
	    "null = 1",
	    "rawset(string, 'format', nil)",
	    "rawset(string, 'x', 1)",
	    "rawset(_G, 'string', {})",
	    "rawset(_G, 'tostring', 1)",
	    "getmetatable('').__index = {}",
	    "getmetatable('').__index.format = nil",
	    "getmetatable(string).__newindex = nil",
	    "getmetatable(_G).__index = {}",
	    "setmetatable(string, {})",
	    "setmetatable(string, nil)",
	    "setmetatable(_G, { __index = function() return 1 end })",
	    "setmetatable(_G, nil)",
	    "array(string)",
	    "object(_G)",
	    "table.insert(string, 1)",
	    "table.move({ 1, 2 }, 1, 2, 1, string)",
	    "table.sort(setmetatable({}, { __index = string, __newindex = string, __len = function() return 3 end }))",
	    "for k in pairs(string) do string[k] = nil end",
	    "local f, t = pairs(string) t.format = nil",
	    "local k = next(string) string[k] = nil",
	    "_ENV.string.rep = nil",
	    "local _ENV = { s = string } s.rep = nil",
	    "setmetatable(array({}), {})",
	    "getmetatable(array({})).__metatable = 1",
	    "setmetatable({}, { __gc = function() end })",
	    "setmetatable({}, { __mode = 'k' })",
	};
	char out[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct sandbox box;

		assert_int_equal(sandbox_open(&box, MEMORY, 1), 0);
		sandbox_budget(&box, STEPS, 0);
		run_in(box.L, bodies[i], out, sizeof(out));
		if (strncmp(out, "boolean:false", 13) != 0)
			fail_msg("%s: %s", bodies[i], out);
		run_in(
		    box.L,
		    "return string.format('%d', 1), ('x'):rep(2), math.pi > 3.1, string.x, table.x, null, type(pairs), "
		    "type(pcall), utf8.char(65), type(coroutine.wrap)",
		    out, sizeof(out));
		assert_string_equal(out, "boolean:true|string:1|string:xx|boolean:true|nil:nil|nil:nil|userdata:null|"
					 "string:function|string:function|string:A|string:function");
		sandbox_close(&box);
	}
}

static void a_script_has_globals_of_its_own(void **state)
{
	char out[512];

	(void)state;
	run("x = 1 _G.y = 2 rawset(_G, 'z', 3) local s = 0 for _, n in ipairs({ 'x', 'y', 'z' }) do s = s + _G[n] end\n"
	    "x = nil return s, x, rawget(_G, 'y'), type(rawget(string, 'rep')), rawget(string, 'none'), _G._G == _G, "
	    "type(_ENV)",
	    out, sizeof(out));
	assert_string_equal(
	    out, "boolean:true|integer:6|nil:nil|integer:2|string:function|nil:nil|boolean:true|string:table");
	run("return x, y", out, sizeof(out));
	assert_string_equal(out, "boolean:true|nil:nil|nil:nil");
	run("local n = 0 for k, v in pairs(string) do n = n + 1 end return n > 10, next(math) ~= nil", out,
	    sizeof(out));
	assert_string_equal(out, "boolean:true|boolean:true|boolean:true");
}

static void shows_no_address(void **state)
{
	static const char *const bodies[] = {
	    "return tostring({}), tostring(print), tostring(pairs), tostring(coroutine.create(pairs)), tostring(null)",
	    "return string.format('%s %10s', {}, pairs), tostring(string), tostring(array({}))",
	    "return pcall(string.format, '%p', {}), pcall(string.format, '%-20p', 'x')",
	    "return string.format('%s|%5.2f|%q|%d%%', setmetatable({}, { __tostring = function() return 'T' end }), "
	    "1.5, 'a', 3)",
	    "return tostring(setmetatable({}, { __name = 'N' })), tostring(nil), tostring(1.0), tostring(true)",
	    "return select(2, pcall(function() return {} .. 'x' end)), select(2, pcall(error, {}))",
	};
	static const char *const results[] = {
	    "boolean:true|string:table|string:nil|string:function|string:thread|string:null",
	    "boolean:true|string:table   function|string:table|string:forecourt.array",
	    NULL,
	    "boolean:true|string:T| 1.50|\"a\"|3%",
	    "boolean:true|string:N|string:nil|string:1.0|string:true",
	    NULL,
	};
	char out[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		run(bodies[i], out, sizeof(out));
		assert_null(strstr(out, "0x"));
		if (results[i])
			assert_string_equal(out, results[i]);
	}
}

/* Lua makes each state's seed from the time and from addresses: so the states of one process differ like those of two runs. */
static void the_order_is_the_same_in_every_state(void **state)
{
	static const char body[] = "local t = {} for i = 1, 40 do t['key' .. i * 7919] = i end for i = 1, 5 do t[i * "
				   "3] = i t[i + 0.5] = i end\n"
				   "t[true] = 1 t[false] = 2 t[null] = 3 t[-4] = 4 t[math.huge] = 5\n"
				   "local s = {} for k in pairs(t) do s[#s + 1] = tostring(k) end\n"
				   "local k, n = nil, {} repeat k = next(t, k) n[#n + 1] = tostring(k) until k == nil\n"
				   "return table.concat(s, ' '), table.concat(n, ' ')";
	enum { STATES = 12 };
	static struct sandbox boxes[STATES];
	lua_State *stock[STATES];
	char first[2048], out[2048], stock_first[2048];
	int stock_differs = 0;

	(void)state;
	/* All at the same time: each at another address. */
	for (int i = 0; i < STATES; i++) {
		stock[i] = luaL_newstate();
		luaL_openlibs(stock[i]);
		lua_pushlightuserdata(stock[i], NULL);
		lua_setglobal(stock[i], "null");
		assert_int_equal(sandbox_open(&boxes[i], MEMORY, 1), 0);
		sandbox_budget(&boxes[i], STEPS, 0);
		run_in(boxes[i].L, body, out, sizeof(out));
		if (!i)
			memcpy(first, out, sizeof(first));
		assert_string_equal(out, first);
		run_in(stock[i], body, out, sizeof(out));
		if (!i)
			memcpy(stock_first, out, sizeof(stock_first));
		stock_differs += strcmp(stock_first, out) != 0;
	}
	for (int i = 0; i < STATES; i++) {
		lua_close(stock[i]);
		sandbox_close(&boxes[i]);
	}
	print_message("Lua's own order differed in %d of 11 states\n", stock_differs);
	assert_int_equal(strncmp(first, "boolean:true|string:-4 1.5 2.5 3 3.5 4.5 5.5 6 9 12 15 inf key", 62), 0);
	assert_non_null(strstr(first, " false true null|"));
}

static void pairs_walks_as_lua_does(void **state)
{
	static const struct {
		const char *body, *result;
	} cases[] = {
	    {"local t = { 1, 2, nil, 4, a = 1, b = 2 } local n = 0 for k in pairs(t) do n = n + 1 t[k] = nil end "
	     "return n, next(t)",
	     "boolean:true|integer:5|nil:nil"},
	    {"local t = { a = 1, b = 2, c = 3 } for k in pairs(t) do t.a = nil t.b = nil t.c = nil end return next(t)",
	     "boolean:true|nil:nil"},
	    {"local s = '' for k, v in pairs({ 3, 2, 1 }) do s = s .. k .. v end return s",
	     "boolean:true|string:132231"},
	    {"for k in pairs({}) do return k end return next({}), next({ 5 })",
	     "boolean:true|nil:nil|integer:1|integer:5"},
	    {"local t = setmetatable({}, { __pairs = function(t) return function(_, k) if not k then return 1, 2 end "
	     "end, t, nil end })\n"
	     "for k, v in pairs(t) do return k, v end",
	     "boolean:true|integer:1|integer:2"},
	    {"local t = { [{}] = 1, x = 2 } local n = 0 for k, v in pairs(t) do n = n * 10 + v end return n",
	     "boolean:true|integer:21"},
	    {"return pcall(pairs, nil), pcall(pairs), pcall(next, 1)",
	     "boolean:true|boolean:false|boolean:false|boolean:false|string:"},
	    {"local t = { [{}] = 1, [{}] = 2 } for k in pairs(t) do end", "boolean:false|string:"},
	    {"local t = {} t[1] = 1 t[2.0] = 2 t['1'] = 3 local s = '' for k in pairs(t) do s = s .. math.type(k == "
	     "'1' and 0.5 or k) .. ' ' end return s",
	     "boolean:true|string:integer integer float "},
	};
	char out[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(cases[i].body, out, sizeof(out));
		if (strncmp(out, cases[i].result, strlen(cases[i].result)) != 0)
			fail_msg("%s: %s", cases[i].body, out);
	}
}

static uint64_t seed = 4711;

static int chance(int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (int)((seed >> 33) % (unsigned int)n);
}

/* The functions that are written anew, beside Lua's own, on the same lists. */
static void lists_and_texts_as_lua_does(void **state)
{
	static const char *const calls[] = {
	    "table.insert(t, %d)",
	    "table.insert(t, %d, 'n')",
	    "table.insert(t, %d, 'n', 2)",
	    "return table.remove(t)",
	    "return table.remove(t, %d)",
	    "return table.concat(t, ',', %d)",
	    "return table.concat(t, ',', 1, %d)",
	    "return table.concat(t, %d)",
	    "return table.unpack(t, %d)",
	    "return table.unpack(t, 1, %d)",
	    "table.move(t, 2, %d, 1)",
	    "table.move(t, 1, 3, %d)",
	    "table.move(t, %d, 4, 2, u)",
	    "table.sort(t)",
	    "table.sort(t, function(a, b) return a > b end)",
	    "table.sort(t, %d)",
	    "return select(%d, 1, 2, 3)",
	    "return select('#', table.unpack(t))",
	    "return string.rep('ab', %d, ','), string.byte('hello', %d), ('x'):sub(%d)",
	    "return tonumber('%d'), tonumber('0x%d'), tonumber('z', 36), tonumber('12', 3), tonumber('1e1'), "
	    "tonumber({})",
	    "return '10' + %d, '3' * '4', -'2', 10 .. 20, '7' // 2, '2' ^ 2, '7' %% 4",
	    "return string.pack('i4', %d):byte(1, -1)",
	    "return utf8.char(228, 8364, %d), utf8.len('\\xc3\\xa4b'), utf8.codepoint('abc', 1, %d)",
	    "local s = '' for p, c in utf8.codes('a\\xc3\\xa4') do s = s .. p .. c end return s, utf8.offset('abc', "
	    "%d)",
	};
	struct sandbox box;
	lua_State *stock = luaL_newstate();
	char texts[2][2048];

	(void)state;
	luaL_openlibs(stock);
	assert_int_equal(sandbox_open(&box, MEMORY, 1), 0);
	for (int round = 0; round < 20000; round++) {
		char list[200] = "", call[200], body[1200];
		int n = chance(9), kind = chance(3), k = chance(14) - 4;

		for (int i = 0; i < n; i++) {
			size_t len = strlen(list);

			(void)snprintf(list + len, sizeof(list) - len, kind == 1 ? "'%c', " : "%d, ",
				       kind == 1 ? 'a' + chance(26) : chance(20));
		}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(call, sizeof(call), calls[chance(sizeof(calls) / sizeof(calls[0]))], k, k, k);
#pragma GCC diagnostic pop
		/* The words of errors are not compared. */
		(void)snprintf(body, sizeof(body),
			       "local t, u = { %s }, {} local r = table.pack(pcall(function() %s end))\n"
			       "if not r[1] then r = { 'error', n = 1 } end\n"
			       "for i = 1, r.n do r[i] = tostring(r[i]) end for i = -5, 20 do r[#r + 1] = "
			       "tostring(t[i]) .. tostring(u[i]) end\n"
			       "return table.concat(r, '|')",
			       list, call);
		sandbox_budget(&box, STEPS, 0);
		run_in(stock, body, texts[0], sizeof(texts[0]));
		run_in(box.L, body, texts[1], sizeof(texts[1]));
		if (strcmp(texts[0], texts[1]) != 0)
			fail_msg("%s: %s:\n%s\nbut Lua says\n%s", list, call, texts[1], texts[0]);
	}
	sandbox_close(&box);
	lua_close(stock);
}

/* Large lists, where Lua's own sort takes its pivots by the clock; and equal elements keep their order. */
static void sort_is_stable(void **state)
{
	char out[512];

	(void)state;
	run("local t, x = {}, 1 for i = 1, 3000 do x = (x * 16807) % 2147483647 t[i] = { key = x % 50, i = i } end\n"
	    "table.sort(t, function(a, b) return a.key < b.key end)\n"
	    "for i = 2, #t do local a, b = t[i - 1], t[i]\n"
	    "  if a.key > b.key or (a.key == b.key and a.i > b.i) then return 'wrong at ' .. i end end\n"
	    "local ok = pcall(table.sort, t, function() error('x') end) return #t, ok",
	    out, sizeof(out));
	assert_string_equal(out, "boolean:true|integer:3000|boolean:false");
}

static void speed(void **state)
{
	static const char *const bodies[] = {
	    "local n = 0 for i = 1, 200000 do n = n + #string.format('%d', i) end",
	    "for i = 1, 300000 do local _ = math.floor(i / 3) end",
	    "local t = {} for i = 1, 20 do t['k' .. i] = i end for i = 1, 5000 do for k, v in pairs(t) do end end",
	    "local t = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } for i = 1, 20000 do for k, v in pairs(t) do end end",
	    "for i = 1, 30 do local t = {} for j = 1, 1000 do t[j] = (j * 7919) % 1000 end table.sort(t) end",
	    "for i = 1, 100 do local t = {} for j = 1, 1000 do table.insert(t, j) end table.concat(t, ',') end",
	    "local s = ('x'):rep(100) for i = 1, 200000 do local _ = s:sub(i % 100, i % 100 + 5) end",
	    "for i = 1, 200000 do local _ = tostring(i) end",
	};
	struct sandbox box;
	lua_State *stock = luaL_newstate();

	(void)state;
	luaL_openlibs(stock);
	assert_int_equal(sandbox_open(&box, 16 << 20, 1), 0);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_times_lua(stock, &box, bodies[i], 20);
	sandbox_close(&box);
	lua_close(stock);
}

static void errors_of_any_type(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
	    {"error()", "x.lua:2: an error of type nil was raised"},
	    {"error(nil)", "x.lua:2: an error of type nil was raised"},
	    {"error({})", "x.lua:2: an error of type table was raised"},
	    {"local t = {} t.t = t error(t)", "x.lua:2: an error of type table was raised"},
	    {"error(pairs)", "x.lua:2: an error of type function was raised"},
	    {"error(12)", "x.lua:2: 12"},
	    {"error(null)", "x.lua:2: an error of type userdata was raised"},
	    {"error(setmetatable({}, { __tostring = function() return 'I am text' end }))", "x.lua:2: I am text"},
	    {"error(setmetatable({}, { __tostring = function() error('again') end }))",
	     "x.lua:2: an error of type table was raised"},
	    {"error(setmetatable({}, { __tostring = function() return {} end }))", "whose __tostring gives no text"},
	    {"error(setmetatable({}, { __tostring = function() while true do end end }))",
	     "x.lua:2: an error of type table was raised"},
	    {"xpcall(error, function() error({}) end) error('after')", "x.lua:2: after"},
	    {"local ok, e = xpcall(function() error('a') end, function(e) error(e) end) error(e, 0)", "x.lua:2: "},
	    {"error('a\\0b\\27[2Jc\\rd\\ne\\127\\u{202e}\\u{85}\\xff', 0)", "a?b?[2Jc d e????"},
	    {"error(('x'):rep(1000000))", "x.lua:2: xxxx"},
	    {"error('价格', 0)", "价格"},
	    {"local function f() return 1 + f() end f()", "x.lua:2: stack overflow: more than 4000 calls"},
	    {"local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
	     "stack overflow"},
	    {"local function f() return pcall(f) end f() error('here')", "x.lua:2: here"},
	    {"local s = ('('):rep(300) return s:find(s)", "x.lua:2: "},
	    {"local function f(s) return s:gsub('.', f) end f('x')", "stack overflow"},
	    {"while true do end", "x.lua:2: the script took too long"},
	    {"\n\nlocal t = nil\nt.x = 1", "x.lua:5: attempt to index a nil value (local 't')"},
	    {"local s = 'x' while true do s = s .. s end", "not enough memory for a text of more than 1024 KiB"},
	    {"local t = {} for i = 1, 1e7 do t[i] = {} end", "not enough memory: the limit is 4096 KiB"},
	    {"require('none')", "lib/none.lua: No such file"},
	    {"require('../none')", "x.lua:2: require: there is no module"},
	};
	char folder[64], path[96];
	struct arena arena;

	(void)state;
	folder_make(folder, sizeof(folder), "sandbox");
	(void)snprintf(path, sizeof(path), "%s/x.lua", folder);
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct script_host host = {.lua_dir = folder,
						 .limits = {.instructions = 400000, .time_ms = 20000}};
		struct error err = {0};
		struct value *out;
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		fprintf(file, "return { f = function()\n%s\nend, g = function() return 1 end }", cases[i].body);
		assert_int_equal(fclose(file), 0);
		struct script *script = script_load_file(&host, path, NULL, &err);
		if (!script)
			fail_msg("%s: %s", cases[i].body, err.text);
		int result = script_call(script, "f", NULL, NULL, &arena, &out, &err);
		if (!result || !strstr(err.text, cases[i].says) || !strstr(err.text, "x.lua"))
			fail_msg("%s: %d %s", cases[i].body, result, err.text);
		for (const char *c = err.text; *c; c++)
			assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
		assert_int_equal(script_call(script, "g", NULL, NULL, &arena, &out, &err), FC_OK);
		script_free(script);
	}
	arena_fini(&arena);
	folder_remove(folder);
}

static void cleaning_cuts_no_character(void **state)
{
	char out[8];

	(void)state;
	sandbox_clean(out, sizeof(out), "价格价格", 12);
	assert_string_equal(out, "价格");
	sandbox_clean(out, sizeof(out), "a\xe4\xbb", 3);
	assert_string_equal(out, "a??");
	sandbox_clean(out, sizeof(out), "\xc0\x80\xed\xa0\x80", 5);
	assert_string_equal(out, "?????");
	sandbox_clean(out, 1, "abc", 3);
	assert_string_equal(out, "");
}

/* The function is left out after its third hit; another of the file is not; time passes, one try, and out again; a good call ends it. */
static void a_rest_for_what_hits_its_limits(void **state)
{
	struct arena arena;
	struct rest rest;

	(void)state;
	arena_init(&arena, 4096);
	struct value *functions = value_array(&arena);
	assert_int_equal(value_push(functions, value_string(&arena, "f")), FC_OK);
	assert_int_equal(value_push(functions, value_string(&arena, "g")), FC_OK);
	assert_int_equal(rest_init(&rest, functions), FC_OK);
	assert_int_equal(rest_note(&rest, "f", 1, 1000), 0);
	assert_int_equal(rest_note(&rest, "f", 1, 1000), 0);
	assert_int_equal(rest_note(&rest, "f", 0, 1000), 0);
	assert_int_equal(rest_note(&rest, "f", 1, 1000), 0);
	assert_int_equal(rest_note(&rest, "f", 1, 1000), 0);
	assert_int_equal(rest_left_s(&rest, "f", 1000), 0);
	assert_int_equal(rest_note(&rest, "f", 1, 1000), 1);
	assert_int_equal(rest_left_s(&rest, "f", 1001), 60);
	assert_int_equal(rest_left_s(&rest, "g", 1001), 0);
	assert_int_equal(rest_left_s(&rest, "f", 61000), 0);
	assert_int_equal(rest_note(&rest, "f", 1, 61000), 1);
	assert_int_equal(rest_left_s(&rest, "f", 62000), 59);
	assert_int_equal(rest_note(&rest, "f", 0, 130000), 0);
	assert_int_equal(rest_left_s(&rest, "f", 130000), 0);
	assert_int_equal(rest_note(&rest, "f", 1, 130000), 0);
	rest_fini(&rest);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_library_stays_as_it_is),
	    cmocka_unit_test(a_script_has_globals_of_its_own),
	    cmocka_unit_test(shows_no_address),
	    cmocka_unit_test(the_order_is_the_same_in_every_state),
	    cmocka_unit_test(pairs_walks_as_lua_does),
	    cmocka_unit_test(lists_and_texts_as_lua_does),
	    cmocka_unit_test(sort_is_stable),
	    cmocka_unit_test(speed),
	    cmocka_unit_test(errors_of_any_type),
	    cmocka_unit_test(cleaning_cuts_no_character),
	    cmocka_unit_test(a_rest_for_what_hits_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
