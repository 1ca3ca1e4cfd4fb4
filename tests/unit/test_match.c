/* script/match: our matcher of patterns beside the one of Lua's own library: thousands of patterns, the same results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "base/clock.h"
#include "base/error.h"
#include "beside_lua.h"
#include "script/sandbox.h"
#include "script/search.h"

enum { ROUNDS = 40000 };

static uint64_t seed = 20261121;

static unsigned int chance(unsigned int n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(seed >> 33) % n;
}

struct text {
	char bytes[160];
	size_t len;
};

static void add(struct text *to, const char *bytes, size_t len)
{
	if (to->len + len >= sizeof(to->bytes))
		return;
	memcpy(to->bytes + to->len, bytes, len);
	to->len += len;
}

static void add_one_of(struct text *to, const char *const *pieces, unsigned int count)
{
	const char *piece = pieces[chance(count)];

	add(to, piece, strlen(piece));
}

#define ADD_ONE_OF(to, pieces) add_one_of(to, pieces, sizeof(pieces) / sizeof((pieces)[0]))

/* Mostly well formed, now and then anything. */
static void make_pattern(struct text *to)
{
	static const char *const items[] = {"a",    "b",    "c",    ".",     "%a",   "%d",   "%s",    "%w",
					    "%.",   "[ab]", "[^a]", "[a-c]", "[]]",  "[^]]", "[%a_]", "[%d%-]",
					    "[a-]", "%l",   "%U",   "%x",    "x",    "1",    "%%",    "[%]]",
					    "-",    "%p",   "%G",   "%c",    "\xe4", "[^%s]"};
	static const char *const suffixes[] = {"", "", "", "", "*", "+", "-", "?"};
	static const char *const special[] = {"(",      ")", "()", "%1",   "%2",   "%bab", "%b()",   "%f[%a]",
					      "%f[^a]", "$", "^",  "(a*)", "(.-)", "((b)", "%f[%z]", "%bxx"};
	static const char *const broken[] = {"%", "[", "[a", "[^", "%b", "%bx", "%f", "%fa",
					     "(", ")", "%0", "%9", "*",  "[%",  "[a-"};
	unsigned int n = 1 + chance(6);

	to->len = 0;
	if (!chance(5))
		add(to, "^", 1);
	while (n--) {
		unsigned int kind = chance(20);

		if (kind < 14) {
			ADD_ONE_OF(to, items);
			ADD_ONE_OF(to, suffixes);
		} else if (kind < 17) {
			ADD_ONE_OF(to, special);
		} else if (kind < 19) {
			add(to, "(", 1);
			ADD_ONE_OF(to, items);
			ADD_ONE_OF(to, suffixes);
			add(to, ")", 1);
		} else if (!chance(3)) {
			ADD_ONE_OF(to, broken);
		} else if (!chance(8)) {
			add(to, "\0", 1);
		}
	}
	if (!chance(6))
		add(to, "$", 1);
}

static void make_subject(struct text *to)
{
	static const char alphabet[] = "aaaabbbbcxA1 ().-_]%^$\n\xe4\x01";
	unsigned int n = chance(24);

	to->len = 0;
	while (n--) {
		unsigned int i = chance(sizeof(alphabet));

		add(to, &alphabet[i], 1);
	}
}

static void make_replacement(struct text *to)
{
	static const char *const pieces[] = {"x", "%0", "%1", "%2", "%%", "ab", "", "%", "%9", "%a"};
	unsigned int n = chance(4);

	to->len = 0;
	while (n--)
		add_one_of(to, pieces, chance(4) ? 7 : 10);
}

/* Runs in both states; the same text says the same results. Errors are told apart by being errors. */
static const char check_chunk[] =
    "local say = function(ok, ...)\n"
    "  if not ok then return 'error' end\n"
    "  local t = table.pack(...)\n"
    "  for i = 1, t.n do t[i] = math.type(t[i]) == 'integer' and '#' .. t[i] or type(t[i]) .. ':' .. tostring(t[i]) "
    "end\n"
    "  return table.concat(t, '|')\n"
    "end\n"
    "return function(s, p, init, repl, max)\n"
    "  local out = {}\n"
    "  local function note(...) out[#out + 1] = say(...) end\n"
    "  note(pcall(string.find, s, p))\n"
    "  note(pcall(string.find, s, p, init))\n"
    "  note(pcall(string.find, s, p, init, true))\n"
    "  note(pcall(string.match, s, p, init))\n"
    "  note(pcall(string.gsub, s, p, repl))\n"
    "  note(pcall(string.gsub, s, p, repl, max))\n"
    "  note(pcall(string.gsub, s, p, { a = 'A', b = 7, ab = false, [1] = 'one' }))\n"
    "  note(pcall(string.gsub, s, p, function(...) local n = select('#', ...) if n == 2 then return end\n"
    "    if n == 3 then return {} end return n .. '<' .. tostring((...)) .. '>' end, max))\n"
    "  note(pcall(function()\n"
    "    local all, n = {}, 0\n"
    "    for a, b in string.gmatch(s, p, init) do n = n + 1 all[n] = tostring(a) .. '/' .. tostring(b) end\n"
    "    return table.concat(all, ',')\n"
    "  end))\n"
    "  return table.concat(out, '\\n')\n"
    "end\n";

/* The standard library; with ours its four functions are replaced. */
static void open_state(lua_State *L, int ours)
{
	static const luaL_Reg matchers[] = {{"find", search_find},
					    {"match", search_match},
					    {"gmatch", search_gmatch},
					    {"gsub", search_gsub},
					    {NULL, NULL}};

	luaL_requiref(L, "_G", luaopen_base, 1);
	luaL_requiref(L, "string", luaopen_string, 1);
	luaL_requiref(L, "table", luaopen_table, 1);
	luaL_requiref(L, "math", luaopen_math, 1);
	if (ours) {
		lua_getglobal(L, "string");
		luaL_setfuncs(L, matchers, 0);
	}
	lua_settop(L, 0);
	if (luaL_loadstring(L, check_chunk) || lua_pcall(L, 0, 1, 0))
		fail_msg("%s", lua_tostring(L, -1));
}

static const char *run(lua_State *L, const struct text *s, const struct text *p, int init, const struct text *repl,
		       int max)
{
	lua_settop(L, 1);
	lua_pushvalue(L, 1);
	lua_pushlstring(L, s->bytes, s->len);
	lua_pushlstring(L, p->bytes, p->len);
	lua_pushinteger(L, init);
	lua_pushlstring(L, repl->bytes, repl->len);
	lua_pushinteger(L, max);
	if (lua_pcall(L, 5, 1, 0))
		fail_msg("%s", lua_tostring(L, -1));
	return lua_tostring(L, -1);
}

static void same_as_lua(void **state)
{
	struct sandbox box;
	lua_State *stock = luaL_newstate();
	int matched = 0, errors = 0;

	(void)state;
	assert_non_null(stock);
	assert_int_equal(sandbox_open(&box, 16 << 20, 0), 0);
	open_state(stock, 0);
	open_state(box.L, 1);
	for (int i = 0; i < ROUNDS; i++) {
		struct text s, p, repl;
		int init = (int)chance(30) - 12, max = (int)chance(5) - 1;

		make_subject(&s);
		make_pattern(&p);
		make_replacement(&repl);
		sandbox_budget(&box, 100000000, 0);
		const char *expected = run(stock, &s, &p, init, &repl, max);
		const char *got = run(box.L, &s, &p, init, &repl, max);
		matched += *expected == '#';
		errors += *expected == 'e';
		if (strcmp(expected, got) != 0)
			fail_msg(
			    "round %d: s = \"%.*s\" p = \"%.*s\" init %d repl \"%.*s\" max %d:\n%s\nbut Lua says:\n%s",
			    i, (int)s.len, s.bytes, (int)p.len, p.bytes, init, (int)repl.len, repl.bytes, max, got,
			    expected);
	}
	print_message("%d rounds: %d found, %d errors\n", ROUNDS, matched, errors);
	/* The generator makes enough of each kind. */
	assert_true(matched > ROUNDS / 10 && errors > ROUNDS / 50 && matched + errors < ROUNDS);
	sandbox_close(&box);
	lua_close(stock);
}

/* The wording of errors is ours, so only that there is one is compared. */
static const char odd_head[] =
    "local raw = pcall local function pcall(...)\n"
    "  local r = table.pack(raw(...)) if r[1] then return table.unpack(r, 1, r.n) end return 'error'\n"
    "end local r = table.pack(pcall(function() ";
static const char odd_tail[] =
    " end)) for i = 1, r.n do r[i] = (math.type(r[i]) or type(r[i])) .. ':' .. tostring(r[i]) end\n"
    "return table.concat(r, '|')";

/* What the generator does not reach. */
static void odd_ends(void **state)
{
	static const char *const bodies[] = {
	    "return ('x'):rep(300):find(('x?'):rep(100) .. ('x'):rep(100))",
	    "return ('a'):rep(40):match(('(a)'):rep(32))",
	    "return pcall(string.match, ('a'):rep(40), ('(a)'):rep(33))",
	    "return string.find('abc', 'b', -100), string.find('abc', '', 4), string.find('abc', '', 5), "
	    "string.find('', '')",
	    "return string.find('abc', 'b', math.mininteger), string.find('abc', 'b', math.maxinteger)",
	    "return string.gsub(123, 2, 9), string.match(-5, '%d'), string.gsub('abc', '', '-')",
	    "return pcall(string.gsub, 'a', 'a'), pcall(string.gsub, 'a', 'a', true), pcall(string.find, 'a')",
	    "return pcall(string.gsub, 'a', 'a', 'b', 'c'), pcall(string.find, {}, 'a'), pcall(string.gmatch, 'a')",
	    "return string.gsub('hello world', '%w+', '%0 %0', 1), string.gsub('abc', '%w', '%%%0')",
	    "return string.gsub('a.b', '.', { ['.'] = true and '!' or nil }), string.rep('ab', 3, ','):gsub('b,', '')",
	    "local n = 0 for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do n = n + #k + v end return n",
	    "local f = string.gmatch('abc', '') return f(), f(), f(), f(), f(), f()",
	    "return string.find('a\\0b', '%z'), string.find('a\\0b', '\\0'), string.find('a\\0b', '[\\0]b')",
	    "return string.find('x', '[%'), 1",
	    "return pcall(string.gsub, 'abc', 'b', function() error({ 1 }) end)",
	    "return string.gsub('abc', '%w', function(c) return (c:gsub('b', function(d) return d:upper() end)) end)",
	    "return string.find(' 12:30 ', '^%s*(%d+):(%d+)%s*$')",
	    "return string.match('key = value # x', '^(%w+)%s*=%s*([^#]-)%s*#')",
	    "return string.find('THE (quick) fox', '%((%a+)%)'), string.find('THE (quick) fox', '%f[%a]%a%l+%f[%A]')",
	    "return string.match('[[x]]', '^%[(=*)%[(.-)%]%1%]$'), string.match('aXbXb', '(X(b))%1'), "
	    "string.match('a', '()%1')",
	};
	struct sandbox box;
	lua_State *states[2] = {luaL_newstate(), NULL};

	(void)state;
	assert_int_equal(sandbox_open(&box, 16 << 20, 0), 0);
	states[1] = box.L;
	for (int k = 0; k < 2; k++)
		open_state(states[k], k);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char texts[2][2048];

		sandbox_budget(&box, 100000000, 0);
		for (int k = 0; k < 2; k++) {
			lua_State *L = states[k];

			lua_settop(L, 1);
			(void)snprintf(texts[k], sizeof(texts[k]), "%s%s%s", odd_head, bodies[i], odd_tail);
			assert_int_equal(luaL_loadstring(L, texts[k]), LUA_OK);
			if (lua_pcall(L, 0, 1, 0))
				fail_msg("%s: %s", bodies[i], lua_tostring(L, -1));
			(void)snprintf(texts[k], sizeof(texts[k]), "%s", lua_tostring(L, -1));
		}
		assert_string_equal(texts[0], texts[1]);
	}
	sandbox_close(&box);
	lua_close(states[0]);
}

/* Each would take hours in Lua's own matcher, or break its stack. */
static void bad_patterns_end(void **state)
{
	static const char *const bodies[] = {
	    "return ('a'):rep(60):find(('a*'):rep(40) .. 'b')",
	    "return ('a'):rep(100000):find('.-.-.-.-b')",
	    "return ('a'):rep(100000):match(('(a*)'):rep(20) .. 'b')",
	    "return ('a'):rep(200000):gsub('a*b', '')",
	    "return ('('):rep(200000):find('%b()')",
	    "return ('x'):rep(200000):find('%f[%a]' .. ('[a-z]-'):rep(50) .. '!')",
	    "return ('a'):rep(100000):find('(a-)%1%1b')",
	    "return ('a'):rep(300):find(('a?'):rep(100) .. ('a'):rep(301))",
	    "for _ in ('a'):rep(100000):gmatch('a-b') do end",
	    "return ('a'):rep(100000):find('[' .. ('b-c'):rep(3000) .. ']')",
	};
	struct sandbox box;
	int64_t longest = 0;

	(void)state;
	assert_int_equal(sandbox_open(&box, 4 << 20, 0), 0);
	open_state(box.L, 1);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		sandbox_budget(&box, 5000000, 0);
		assert_int_equal(luaL_loadstring(box.L, bodies[i]), LUA_OK);
		int64_t begin = clock_mono_us();
		int result = sandbox_call(&box, 0, 0);
		int64_t us = clock_mono_us() - begin;
		if (us > longest)
			longest = us;
		if (result != FC_ELIMIT)
			fail_msg("%s: %d %s", bodies[i], result, lua_tostring(box.L, -1));
		assert_non_null(strstr(lua_tostring(box.L, -1), "took too long"));
		lua_settop(box.L, 1);
	}
	print_message("the longest took %lld ms for 5 000 000 steps\n", (long long)longest / 1000);
	sandbox_close(&box);
}

/* Speed beside Lua's own: printed, and no more than a multiple apart. */
static void no_slower_than_is_fair(void **state)
{
	static const char *const bodies[] = {
	    "local s = 'StationID=110105000100001;Status=3;Power=22.5' for i = 1, 3000 do s:match('Status=(%d+);') end",
	    "local s = ('2026-10-01 12:00:00 '):rep(50) for i = 1, 100 do s:gsub('(%d+)-(%d+)-(%d+)', '%3.%2.%1') end",
	    "local s = ('word '):rep(1000) for i = 1, 20 do for w in s:gmatch('%a+') do end end",
	    "local s = ('x'):rep(100000) for i = 1, 200 do s:find('y', 1, true) end",
	    "for i = 1, 3000 do ('  trim me  '):match('^%s*(.-)%s*$') end",
	};
	struct sandbox box;
	lua_State *stock = luaL_newstate();

	(void)state;
	assert_int_equal(sandbox_open(&box, 16 << 20, 0), 0);
	open_state(stock, 0);
	open_state(box.L, 1);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_times_lua(stock, &box, bodies[i], 10);
	sandbox_close(&box);
	lua_close(stock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_as_lua),
	    cmocka_unit_test(odd_ends),
	    cmocka_unit_test(bad_patterns_end),
	    cmocka_unit_test(no_slower_than_is_fair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
