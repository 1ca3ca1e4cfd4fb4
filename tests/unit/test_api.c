/* script/api: decimals that lose nothing, the station's calendar, hashes, chance that repeats, examples in a world of their own. */
#include "script_fixture.h"

#include "base/clock.h"
#include "script/describe.h"

/* Each example of the reference runs as it stands there. */
static void the_reference_is_true(void **state)
{
	struct fixture *f = *state;
	const char *example;
	int count = 0;

	for (; (example = script_example(count)); count++) {
		/* In a call ... */
		expect(f, example, "(none)");
		/* ... and while a file is loaded. */
		static char text[8192];
		assert_true((size_t)snprintf(text, sizeof(text), "%s\nreturn {}", example) < sizeof(text));
		script_free(must_load(f, text));
	}
	assert_true(count >= 6);
}

static void nobody_changes_the_api(void **state)
{
	struct fixture *f = *state;

	expect(f, "return forecourt.api", "1");
	expect_error(f, "forecourt.now = 5", "can't be changed");
	expect_error(f, "forecourt.more = 5", "can't be changed");
	expect_error(f, "forecourt.time.date = 5", "can't be changed");
	expect(f, "return pcall(setmetatable, forecourt, nil)", "false");
	expect_error(f, "rawset(forecourt, 'now', 5)", "can't be changed");
	expect_error(f, "rawset(forecourt.time, 'date', 5)", "can't be changed");
	expect_error(f, "forecourt = {}", "can't be changed");
	expect(f, "return getmetatable(forecourt)", "false");
	expect(f, "return getmetatable(forecourt.decimal(1))", "false");
	expect(f, "return getmetatable(forecourt.table('a'))", "false");
	/* The short names are the same functions. */
	expect(f,
	       "return array == forecourt.array and object == forecourt.object and fixed == forecourt.fixed and\n"
	       "log == forecourt.log and null == forecourt.null",
	       "true");
}

static void decimals_are_exact(void **state)
{
	struct fixture *f = *state;
	static const char *const cases[][2] = {
	    {"d'0.1' + d'0.2'", "0.3"},
	    {"d(0.285)", "0.285"},
	    {"d'0.285'", "0.285"},
	    {"d(10)", "10"},
	    {"d(10.0)", "10"},
	    {"d'1.50' + 1", "2.50"},
	    {"1 + d'1.50'", "2.50"},
	    {"d'1.50' * '2.0'", "3.000"},
	    {"-d'1.5'", "-1.5"},
	    {"d'-1.5':abs()", "1.5"},
	    {"d(fixed(10, 3))", "10.000"},
	    {"d' 1'", NULL},
	    {"d'1e5'", NULL},
	    {"d''", NULL},
	    {"d'.'", NULL},
	    {"d'1.2.3'", NULL},
	    {"d'--1'", NULL},
	    {"d'0x10'", NULL},
	    {"d'1\\0'", NULL},
	    {"d'.5'", "0.5"},
	    {"d'+5.'", "5"},
	    {"d'-0'", "0"},
	    {"d(-0.0)", "0"},
	    {"d(0/0)", NULL},
	    {"d(1/0)", NULL},
	    {"d(-1/0)", NULL},
	    {"d(1/3)", NULL},
	    {"d(0.1 + 0.2)", NULL},
	    {"d(0.1 + 0.2, 2)", "0.30"},
	    {"d(1/3, 4)", "0.3333"},
	    {"d(2/3, 0)", "1"},
	    {"d(0.2849999999999, 2)", "0.28"},
	    {"d'0.2849999999999999999999'", NULL},
	    {"d('0.2849999999999999999999', 2)", "0.28"},
	    {"d('0.285', 2)", "0.29"},
	    {"d('-0.285', 2)", "-0.29"},
	    {"d('0.0049', 2)", "0.00"},
	    {"d('0.005', 2)", "0.01"},
	    {"d('0.0005', 2)", "0.00"},
	    {"d(1e-9)", "0.000000001"},
	    {"d(1e-10)", NULL},
	    {"d(1e-10, 9)", "0.000000000"},
	    {"d(1e18)", "1000000000000000000"},
	    {"d(1e19)", NULL},
	    {"d(1e300)", NULL},
	    {"d(math.maxinteger)", "9223372036854775807"},
	    {"d(math.mininteger)", NULL},
	    {"d'9223372036854775807'", "9223372036854775807"},
	    {"d'9223372036854775808'", NULL},
	    {"d'9.223372036854775807'", NULL},
	    {"d'1.000000000000000000'", "1.000000000"},
	    {"d'1.0000000001'", NULL},
	    {"d(math.maxinteger) + 1", NULL},
	    {"d(math.maxinteger) - d(math.maxinteger)", "0"},
	    {"-d(math.maxinteger) - 1", NULL},
	    {"d(math.maxinteger) * 2", NULL},
	    {"d(math.maxinteger) + d'0.000'", "9223372036854775807"},
	    {"d(math.maxinteger) + d'0.5'", NULL},
	    {"d'0.000000001' * d'0.1'", NULL},
	    {"d'0.000000001' * d'10.0'", "0.000000010"},
	    {"d'0.12345':mul('0.98765', 4)", "0.1219"},
	    {"d'0.00005':mul(1, 4)", "0.0001"},
	    {"d'-0.00005':mul(1, 4)", "-0.0001"},
	    {"d'5':mul(2, 3)", "10.000"},
	    {"d(math.maxinteger):mul('0.1', 0)", "922337203685477581"},
	    {"d'9223372036.854775807':mul('1.000000000', 9)", "9223372036.854775807"},
	    {"d(1):div(3, 4)", "0.3333"},
	    {"d(2):div(3, 4)", "0.6667"},
	    {"d(-2):div(3, 0)", "-1"},
	    {"d(1):div(-2, 0)", "-1"},
	    {"d'0.001':div('0.000000002', 0)", "500000"},
	    {"d(math.maxinteger):div('0.000000001', 9)", NULL},
	    {"d(math.maxinteger):div(1, 1)", NULL},
	    {"d'900000000000000000.0':div(1, 2)", NULL}, /* never fewer decimals than asked for */
	    {"d(1):div(0, 2)", NULL},
	    {"d(1):div(math.maxinteger, 9)", "0.000000000"},
	    {"d'0.000000005':div(10, 9)", "0.000000001"},
	    {"d'0.123456789':div(1, 2)", "0.12"},
	    {"d'0.125000000':div(1, 2)", "0.13"},
	    {"d'0.124999999':div(1, 2)", "0.12"},
	    {"d(1) / 3", NULL},
	    {"d(1):round(10)", NULL},
	    {"d(1):round(-1)", NULL},
	    {"d(math.maxinteger):round(1)", NULL},
	    {"d'2.345':round(2)", "2.35"},
	    {"d'-2.345':round(2)", "-2.35"},
	    {"d'2.3':round(2)", "2.30"},
	    {"d(nil)", NULL},
	    {"d({})", NULL},
	    {"d({ '5' })", NULL},
	    {"d(true)", NULL},
	    {"d(1) + nil", NULL},
	    {"d(1) + {}", NULL},
	    {"d(1) .. ' yuan'", "1 yuan"},
	    {"'x' .. d'1.50'", "x1.50"},
	};
	char body[300], json[80];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(body, sizeof(body), "local d = forecourt.decimal return tostring(%s)", cases[i][0]);
		if (!cases[i][1]) {
			expect_error(f, body, "");
			continue;
		}
		(void)snprintf(json, sizeof(json), "\"%s\"", cases[i][1]);
		expect(f, body, json);
	}
	expect_error(f, "return forecourt.decimal('12 yuan')", "12 yuan is no number");
	expect_error(f, "return forecourt.decimal(1) / 3", "a:div(b, n)");
}

static void decimals_compare(void **state)
{
	struct fixture *f = *state;

	expect(f, "local d = forecourt.decimal return d'1.5' == d'1.50' and d'1.5' ~= d'1.51' and d(1) ~= 1", "true");
	expect(f,
	       "local d = forecourt.decimal\n"
	       "local list = { d'-9223372036854775807', d'-1.5', d'-1.25', d'-0.5', d'0', d'0.000000001', d'0.1', "
	       "d'0.25', d'1',\n"
	       "  d'1.000000001', d'9223372036.854775807', d'9223372036854775807' }\n"
	       "for i, a in ipairs(list) do for k, b in ipairs(list) do\n"
	       "  if (a < b) ~= (i < k) or (a <= b) ~= (i <= k) or (a == b) ~= (i == k) or (a > b) ~= (i > k) then\n"
	       "    error(a .. ' ' .. b) end end end\n"
	       "return d'1.5' < 2 and 1.5 <= d'1.5' and d'1.5' < '1.6'",
	       "true");
	expect(f, "local d = forecourt.decimal return { d'12.50':number(), d'12.00':number(), d'-0.285':number() }",
	       "[12.5,12,-0.285]");
	expect(f, "return math.type(forecourt.decimal('12.00'):number())", "\"integer\"");
}

/* In a message a decimal is a number of just its form; fixed() takes it, and d:fixed(n) is the same. */
static void decimals_go_out(void **state)
{
	struct fixture *f = *state;

	expect(f, "local d = forecourt.decimal return { a = d'10.500', b = { d(3), d'-0.25' } }",
	       "{\"a\":10.500,\"b\":[3,-0.25]}");
	expect(f, "local d = forecourt.decimal return { fixed(d'0.285', 2), d'0.285':fixed(2), d(0.285):fixed(4) }",
	       "[0.29,0.29,0.2850]");
	/* For all cents and tenths of them: fixed() of the float, the decimal's, and the rounded decimal agree. */
	expect(f,
	       "local d = forecourt.decimal\n"
	       "for i = -3000, 3000 do\n"
	       "  local exact = d(i):div(1000, 3)\n"
	       "  local a, b, c = fixed(i / 1000, 2), exact:fixed(2), exact:round(2)\n"
	       "  if tostring(a) ~= tostring(b) or tostring(a) ~= tostring(c) then error(i .. ': ' .. tostring(a) .. ' "
	       "' .. c) end\n"
	       "end",
	       "(none)");
	expect(f,
	       "return { fixed(-0.001, 2), fixed(0.57 * 0.5, 2), fixed(123456789012.344, 2), fixed(1e15, 3), "
	       "fixed('2.5', 0) }",
	       "[0.00,0.29,123456789012.34,1000000000000000.000,3]");
	expect_error(f, "return fixed(1e16, 0) and fixed(1e20, 0)", "out of range");
	expect_error(f, "return fixed(0/0, 0)", "out of range");
	struct script *script = must_load(f, "return { a = forecourt.decimal('1.20') }");
	assert_string_equal(as_json(f, script_table(script)), "{\"a\":1.20}");
	script_free(script);
}

static void the_calendar(void **state)
{
	struct fixture *f = *state;

	expect(f, "return forecourt.time.datetime(0)", "\"1970-01-01 08:00:00\"");
	expect(f, "return forecourt.time.date(1790827199 - 43200)", "\"2026-09-30\"");
	expect(f, "return forecourt.time.date(1790827200 - 43200)", "\"2026-10-01\"");
	/* Out and in again, over leap days and the year's end. */
	expect(f,
	       "local time = forecourt.time\n"
	       "for t = -28800, 253402271999, 86399 * 30011 do\n"
	       "  local p = time.parts(t)\n"
	       "  local text = string.format('%04d-%02d-%02d %02d:%02d:%02d', p.year, p.month, p.day, p.hour, p.min, "
	       "p.sec)\n"
	       "  if text ~= time.datetime(t) or time.parse(text) ~= t or time.parse(time.compact(t)) ~= t or\n"
	       "    time.date(t) ~= text:sub(1, 10) or time.weekday(time.date(t)) ~= p.weekday or\n"
	       "    time.days_between(string.format('%04d-01-01', p.year), time.date(t)) + 1 ~= p.yearday or\n"
	       "    time.from_ms(time.ms(t) + 999) ~= t then error(text) end\n"
	       "end",
	       "(none)");
	expect(f, "return forecourt.time.parts(1790827200)",
	       "{\"day\":1,\"hour\":12,\"min\":0,\"month\":10,\"sec\":0,\"weekday\":4,\"year\":2026,\"yearday\":274}");
	expect(f, "return { forecourt.time.parse('20261001'), forecourt.time.parse('2026-10-1 1:2:3') }",
	       "[1790784000,1790787723]");
	expect(f,
	       "for _, text in ipairs({ '', 'x', '2026-02-29', '2026-13-01', '20260229', '20261001240000', "
	       "'2026-10-01T12:00:00',\n"
	       "  '2026-10-01 12:00', '2026-10-01 12:00:00 ', '2026-10-01\\0', '1969-12-31', '202610011200', "
	       "('9'):rep(500) }) do\n"
	       "  local t, why = forecourt.time.parse(text)\n"
	       "  if t ~= nil or type(why) ~= 'string' then error(text) end\n"
	       "end",
	       "(none)");
	expect(f,
	       "local time = forecourt.time return { time.add_days('2026-12-31', 1), time.add_days('2028-03-01', -1),\n"
	       "time.days_between('2026-10-08', '2026-10-01'), time.from_ms(-1), time.add_days('9999-12-31', 0) }",
	       "[\"2027-01-01\",\"2028-02-29\",-7,-1,\"9999-12-31\"]");
	expect_error(f, "return forecourt.time.weekday('2026-02-30')", "no date such as");
	expect_error(f, "return forecourt.time.add_days('9999-12-31', 1)", "years 1970 to 9999");
	expect_error(f, "return forecourt.time.add_days('1970-01-01', -1)", "years 1970 to 9999");
	expect_error(f, "return forecourt.time.add_days('1970-01-01', math.mininteger)", "years 1970 to 9999");
	expect_error(f, "return forecourt.time.date(253402272000)", "years 1970 to 9999");
	expect_error(f, "return forecourt.time.date(math.mininteger)", "years 1970 to 9999");
	expect_error(f, "return forecourt.time.date(1.5)", "integer");
}

static void now_is_one_moment(void **state)
{
	struct fixture *f = *state;
	struct script *script = load_body(f, "return { forecourt.now(), forecourt.now() }");
	struct value *out = NULL;
	int64_t before = clock_wall();

	assert_int_equal(script_call(script, "f", NULL, NULL, &f->arena, &out, &f->err), FC_OK);
	assert_true(out->first->i >= before && out->first->i <= clock_wall());
	assert_true(out->first->i == out->last->i);
	script_pin(script, 1790827200);
	assert_string_equal(call(f, script, NULL), "[1790827200,1790827200]");
	script_pin(script, 5);
	assert_string_equal(call(f, script, NULL), "[5,5]");
	script_free(script);
}

static void hashes(void **state)
{
	struct fixture *f = *state;

	/* RFC 1321, FIPS 180, RFC 2104, RFC 4231. */
	expect(f, "return forecourt.md5('')", "\"d41d8cd98f00b204e9800998ecf8427e\"");
	expect(f, "return forecourt.sha256('abc')",
	       "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
	expect(f, "return forecourt.hmac_md5('Jefe', 'what do ya want for nothing?')",
	       "\"750c783e6ab0b503eaa86e310a5db738\"");
	expect(f, "return forecourt.hmac_sha256('Jefe', 'what do ya want for nothing?')",
	       "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\"");
	expect(f, "return { forecourt.crc32(''), forecourt.crc32('a\\0b') }", "[\"00000000\",\"15e87871\"]");
	expect_error(f, "return forecourt.md5(nil)", "string expected");
	/* What a hash costs is counted. */
	struct script *script = load_body(f, "local s = ('x'):rep(100000) while true do forecourt.sha256(s) end");
	struct value *out = NULL;
	assert_int_equal(script_call(script, "f", NULL, NULL, &f->arena, &out, &f->err), FC_ELIMIT);
	script_free(script);
}

static void chance_repeats(void **state)
{
	struct fixture *f = *state;
	static const char body[] = "local r = {} for i = 1, 20 do r[i] = forecourt.random(0, 1000000) end return r";
	struct script *one = load_body(f, body);
	script_pin(one, 1000);
	const char *first = call(f, one, "a");

	/* The same call draws the same, from this file and from one that was changed. */
	assert_string_equal(call(f, one, "a"), first);
	struct script *two =
	    load_body(f, "local r = {} -- changed\n for i = 1, 20 do r[i] = forecourt.random(0, 1000000) end "
			 "return r");
	script_pin(two, 1000);
	assert_string_equal(call(f, two, "a"), first);
	/* Another input or another second draws another. */
	assert_string_not_equal(call(f, two, "b"), first);
	script_pin(two, 1001);
	assert_string_not_equal(call(f, two, "a"), first);
	script_free(one);
	script_free(two);
	expect(f,
	       "local seen = {} for _ = 1, 6000 do local x = forecourt.random(1, 6) seen[x] = (seen[x] or 0) + 1 end\n"
	       "local n = 0 for i = 1, 6 do if seen[i] < 800 or seen[i] > 1200 then error(seen[i]) end n = n + seen[i] "
	       "end return n",
	       "6000");
	expect(f, "return { forecourt.random(7, 7), forecourt.random(math.maxinteger, math.maxinteger) }",
	       "[7,9223372036854775807]");
	expect(f, "local x = forecourt.random(math.mininteger, math.maxinteger) return math.type(x)", "\"integer\"");
	expect_error(f, "return forecourt.random(2, 1)", "more than");
}

/* Whatever of it is called for ever, with whatever it is given, ends at the limit, and at no other place. */
static void the_api_keeps_to_the_limits(void **state)
{
	static const char *const bodies[] = {
	    "local d = forecourt.decimal while true do d(1):div(3, 9) end",
	    "local d = forecourt.decimal local x = d(1) while true do pcall(function() x = x + 1 end) end",
	    "local s = ('1'):rep(1000000) while true do pcall(forecourt.decimal, s) end",
	    "local s = ('1'):rep(1000000) while true do pcall(forecourt.time.parse, s) end",
	    "local s = ('1'):rep(1000000) while true do pcall(forecourt.time.weekday, s) end",
	    "local s = ('1'):rep(1000000) while true do pcall(forecourt.table, s) end",
	    "local s = ('1'):rep(1000000) local t = forecourt.table('a') while true do pcall(t.put, t, s, s) end",
	    "local s = ('1'):rep(1000000) while true do forecourt.crc32(s) end",
	    "local s = ('1'):rep(1000000) while true do forecourt.hmac_sha256(s, s) end",
	    "while true do forecourt.random(1, 6) end",
	    "while true do forecourt.connectors() forecourt.station('x') end",
	    "local t = forecourt.table('a') while true do t:put('k', 'v') t:put('k', nil) end",
	    "local t = forecourt.table('a') for i = 1, 1000 do t:put(i, 'v') end while true do t:key('x') end",
	    "local t = {} for i = 1, 1e9 do t[i] = forecourt.decimal(i) end",
	    "local t = {} for i = 1, 1e9 do t[i] = forecourt.table('a') end",
	    "coroutine.wrap(function() local t = forecourt.table('a') while true do t:get('x') end end)()",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct script *script = load_body(f, bodies[i]);
		struct value *out = NULL;

		for (int round = 0; round < 2; round++)
			if (script_call(script, "f", NULL, NULL, &f->arena, &out, &f->err) != FC_ELIMIT)
				fail_msg("%s: %s", bodies[i], f->err.text);
		script_free(script);
	}
	/* A script can put what it likes in the place of an object of ours. */
	expect_error(f, "local d = forecourt.decimal(1) return d.round({}, 2)", "forecourt.decimal expected");
	expect_error(f, "local d = forecourt.decimal(1) return d.round(forecourt.table('a'), 2)",
		     "forecourt.decimal expected");
	expect_error(f, "return forecourt.decimal(setmetatable({ '1' }, { __name = 'forecourt.fixed' }))", "no number");
	expect_error(f, "return forecourt.table", "can't be part of a message");
	expect_error(f, "return { forecourt.table('a') }", "can't be part of a message");
}

static const char *example_error(struct fixture *f, const char *example)
{
	static const char body[] =
	    "return { f = function(v)\n"
	    "  local ids = forecourt.table('ids')\n"
	    "  if v then ids:put(v, 'new') end\n"
	    "  return { now = forecourt.time.datetime(forecourt.now()), old = ids:get('old'), key = ids:key('1'),\n"
	    "    status = (forecourt.connector('c1') or {}).status, all = #forecourt.connectors() }\n"
	    "end,\n"
	    "examples = { { call = 'f', %s } } }";
	char text[2048];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(text, sizeof(text), body, example);
#pragma GCC diagnostic pop
	struct script *script = must_load(f, text);
	f->err = (struct error){0};
	int result = script_run_examples(script, &f->err);
	assert_int_equal(!result, !*f->err.text);
	/* Nothing of the example's world is left for the calls that follow. */
	struct value *out = NULL;
	assert_int_equal(script_call(script, "f", NULL, NULL, &f->arena, &out, &f->err), FC_OK);
	assert_null(value_get(out, "old"));
	assert_null(value_get(out, "status"));
	assert_string_not_equal(value_text(value_get(out, "now")), EXAMPLE_NOW);
	script_free(script);
	return f->err.text;
}

static void an_example_has_its_own_world(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *example, *says;
	} cases[] = {
	    {"expect = { now = '" EXAMPLE_NOW "', all = 0 }", ""},
	    {"now = '2026-10-01 12:00:00', expect = { now = '2026-10-01 12:00:00', all = 0 }", ""},
	    {"now = '2026-10-01', tables = { ids = { old = '1' } }, expect = { now = '2026-10-01 00:00:00', old = '1', "
	     "key = 'old', "
	     "all = 0 }",
	     ""},
	    {"state = { connectors = { { id = 'c0' }, { id = 'c1', status = 3 } } },\n"
	     " expect = { now = '" EXAMPLE_NOW "', status = 3, all = 2 }",
	     ""},
	    {"input = 'k', tables = { ids = { old = '1' } }, expect_tables = { ids = { old = '1', k = 'new' }, other = "
	     "{} }",
	     ""},
	    {"input = 'k', expect_tables = { ids = { k = 'other' } }",
	     "expect_tables.ids.k: expected \"other\", got \"new\""},
	    {"input = 'k', expect_tables = { ids = {} }", "expect_tables.ids"},
	    {"expect_tables = { ids = { k = 'new' } }", "expect_tables.ids.k: expected \"new\", got nothing"},
	    {"now = 'noon', expect = {}", "examples[1]: now: must be a time"},
	    {"now = 5, expect = {}", "examples[1]: now: must be a time"},
	    {"tables = { 'ids' }, expect = {}", "examples[1]: "},
	    {"tables = { ids = { 'a', 'b' } }, expect = {}", "tables.ids: must be a table of texts"},
	    {"tables = { ids = { a = 5 } }, expect = {}", "tables.ids.a: must be a text"},
	    {"tables = { ['no name'] = {} }, expect = {}", "tables.no name"},
	    {"state = 5, expect = {}", "state: must be a table"},
	    {"input = 'k'", "wants call, input and expect"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *says = example_error(f, cases[i].example);

		if (*cases[i].says ? !strstr(says, cases[i].says) : *says)
			fail_msg("%s: says %s, not %s", cases[i].example, says, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_reference_is_true),
	    T(nobody_changes_the_api),
	    T(decimals_are_exact),
	    T(decimals_compare),
	    T(decimals_go_out),
	    T(the_calendar),
	    T(now_is_one_moment),
	    T(hashes),
	    T(chance_repeats),
	    T(the_api_keeps_to_the_limits),
	    T(an_example_has_its_own_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
