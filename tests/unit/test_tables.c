/* script/tables: what a call puts is seen by the call at once, by later ones when it went well, and kept by the store over reloads, a
 * crash and a full disk, or the call fails. */
#include "script_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The daemon's room is no library. */
#include "main/services.c"

/* Services of one's own making: a table in memory, and whether it can be written or read. */
struct memory {
	struct script_services calls;
	struct {
		char space[40], table[32], key[201], value[201];
	} entries[64];
	int count, puts, gets, is_full, is_broken;
};

static int find(const struct memory *m, const char *space, const char *table, const char *key)
{
	for (int i = 0; i < m->count; i++)
		if (!strcmp(m->entries[i].space, space) && !strcmp(m->entries[i].table, table) &&
		    !strcmp(m->entries[i].key, key))
			return i;
	return -1;
}

static int memory_get(void *user, const char *space, const char *table, const char *key, int reverse, char *out,
		      size_t size)
{
	struct memory *m = user;

	m->gets++;
	if (m->is_broken)
		return FC_EIO;
	int at = reverse ? -1 : find(m, space, table, key);
	/* The newest is the last. */
	for (int i = m->count - 1, rank = reverse; i >= 0 && rank && at < 0; i--)
		if (!strcmp(m->entries[i].space, space) && !strcmp(m->entries[i].table, table) &&
		    !strcmp(m->entries[i].value, key) && !--rank)
			at = i;
	if (at < 0)
		return FC_ENOENT;
	(void)snprintf(out, size, "%s", reverse ? m->entries[at].key : m->entries[at].value);
	return FC_OK;
}

static int memory_put(void *user, const char *space, const struct script_entry *entries, int count, struct error *err)
{
	struct memory *m = user;

	m->puts++;
	if (m->is_full)
		return error_set(err, FC_EIO, "the disk is full");
	for (int i = 0; i < count; i++) {
		int at = find(m, space, entries[i].table, entries[i].key);

		if (at >= 0) {
			m->count--;
			memmove(&m->entries[at], &m->entries[at + 1], (size_t)(m->count - at) * sizeof(m->entries[0]));
		}
		if (!entries[i].value)
			continue;
		assert_true(m->count < 64);
		(void)snprintf(m->entries[m->count].space, sizeof(m->entries[0].space), "%s", space);
		(void)snprintf(m->entries[m->count].table, sizeof(m->entries[0].table), "%s", entries[i].table);
		(void)snprintf(m->entries[m->count].key, sizeof(m->entries[0].key), "%s", entries[i].key);
		(void)snprintf(m->entries[m->count].value, sizeof(m->entries[0].value), "%s", entries[i].value);
		m->count++;
	}
	return FC_OK;
}

static void use(struct fixture *f, struct memory *m)
{
	*m = (struct memory){.calls = {.user = m, .get = memory_get, .put = memory_put}};
	f->services = &m->calls;
}

/* "op key value" as the input: what the tests below do with a table. */
static const char body[] = "local ids = forecourt.table('ids')\n"
			   "local op, key, value = v:match('(%S+) ?(%S*) ?(%S*)')\n"
			   "if op == 'get' then return ids:get(key)\n"
			   "elseif op == 'key' then return ids:key(key)\n"
			   "elseif op == 'drop' then ids:put(key, nil)\n"
			   "elseif op == 'put' then ids:put(key, value)\n"
			   "elseif op == 'fail' then ids:put(key, value) error('stop')\n"
			   "elseif op == 'catch' then pcall(function() ids:put(key, value) error('stop') end)\n"
			   "elseif op == 'nothing' then ids:put(key, value) return function() end\n"
			   "elseif op == 'loop' then ids:put(key, value) while true do end\n"
			   "end";

static int fails(struct fixture *f, struct script *script, const char *input)
{
	struct value *in = value_string(&f->arena, input), *out = NULL;

	f->err = (struct error){0};
	return script_call(script, "f", in, NULL, &f->arena, &out, &f->err);
}

static void kept_when_the_call_went_well(void **state)
{
	struct fixture *f = *state;
	static struct memory m;

	use(f, &m);
	struct script *script = load_body(f, body);
	assert_string_equal(call(f, script, "get a"), "(none)");
	(void)call(f, script, "put a 1");
	assert_string_equal(call(f, script, "get a"), "\"1\"");
	assert_int_equal(m.puts, 1);
	assert_string_equal(m.entries[0].space, "operators/city");
	/* What says nothing new is not told to the store. */
	(void)call(f, script, "put a 1");
	(void)call(f, script, "drop b");
	assert_int_equal(m.puts, 1);
	/* A call that fails, in whatever way, has put nothing. */
	assert_int_equal(fails(f, script, "fail a 2"), FC_ESCRIPT);
	assert_int_equal(fails(f, script, "nothing a 2"), FC_ESCRIPT);
	assert_int_equal(fails(f, script, "loop a 2"), FC_ELIMIT);
	assert_string_equal(call(f, script, "get a"), "\"1\"");
	assert_int_equal(m.puts, 1);
	/* An error that the script itself deals with is no failure. */
	(void)call(f, script, "catch a 3");
	assert_string_equal(call(f, script, "get a"), "\"3\"");
	/* The file again, as after a reload: the tables are the space's, not the script's. */
	script_free(script);
	script = load_body(f, body);
	assert_string_equal(call(f, script, "get a"), "\"3\"");
	assert_string_equal(call(f, script, "key 3"), "\"a\"");
	script_free(script);
}

static void a_full_disk_fails_the_call(void **state)
{
	struct fixture *f = *state;
	static struct memory m;

	use(f, &m);
	struct script *script = load_body(f, body);
	(void)call(f, script, "put a 1");
	m.is_full = 1;
	assert_int_equal(fails(f, script, "put a 2"), FC_ESCRIPT);
	assert_non_null(strstr(f->err.text, "x.lua"));
	assert_non_null(strstr(f->err.text, "can't be kept: the disk is full"));
	assert_string_equal(call(f, script, "get a"), "\"1\"");
	/* Calls that put nothing new go on. */
	(void)call(f, script, "put a 1");
	m.is_full = 0;
	(void)call(f, script, "put a 2");
	assert_string_equal(call(f, script, "get a"), "\"2\"");
	m.is_broken = 1;
	assert_int_equal(fails(f, script, "get a"), FC_ESCRIPT);
	assert_non_null(strstr(f->err.text, "can't be read"));
	script_free(script);
}

/* Within a call, what it has put lies over what is kept. Live and scratch give the same. */
static void a_call_sees_what_it_puts(void **state)
{
	struct fixture *f = *state;
	static struct memory m;
	static const char first[] = "local t = forecourt.table('ids')\n"
				    "t:put('a', '1') t:put('b', '1') t:put('c', '1') t:put('d', '2')\n"
				    "return { t:key('1'), t:get('a'), t:get('e') or 'none' }";
	static const char second[] = "local t, r = forecourt.table('ids'), {}\n"
				     "r[1] = t:key('1')\n"
				     "t:put('c', '9') r[2] = t:key('1')\n"
				     "t:put('b', nil) r[3] = t:key('1') r[4] = t:get('b') or 'none'\n"
				     "t:put('a', nil) r[5] = t:key('1') or 'none'\n"
				     "t:put('a', '1') r[6] = t:key('1') r[7] = t:key('9')\n"
				     "t:put('e', '1') t:put('f', '1') t:put('e', '5') r[8] = t:key('1')\n"
				     "t:put(5, 6) r[9] = t:get('5') r[10] = t:key(6)\n"
				     "return r";
	static const char third[] = "local t = forecourt.table('ids')\n"
				    "return { t:get('a'), t:get('b') or 'none', t:get('c'), t:get('e'), t:key('1') }";

	for (int live = 0; live < 2; live++) {
		static const char *const gives[] = {
		    "[\"c\",\"1\",\"none\"]", /* of several keys the one put last */
		    "[\"c\",\"b\",\"a\",\"none\",\"none\",\"a\",\"c\",\"f\",\"6\",\"5\"]",
		    "[\"1\",\"none\",\"9\",\"5\",\"f\"]"};
		char text[3000], name[16];

		(void)snprintf(
		    text, sizeof(text),
		    "return { f1 = function()\n%s\nend, f2 = function()\n%s\nend, f3 = function()\n%s\nend }", first,
		    second, third);
		use(f, &m);
		struct script *script = must_load(f, text);
		if (!live)
			script_pin(script, 0);
		for (int i = 0; i < 3; i++) {
			struct value *out = NULL;

			(void)snprintf(name, sizeof(name), "f%d", i + 1);
			if (script_call(script, name, NULL, NULL, &f->arena, &out, &f->err))
				fail_msg("%s", f->err.text);
			assert_string_equal(as_json(f, out), gives[i]);
		}
		assert_int_equal(m.puts, live ? 2 : 0);
		script_free(script);
	}
}

static void bounds_hold(void **state)
{
	struct fixture *f = *state;
	static struct memory m;

	use(f, &m);
	expect_error(f, "forecourt.table('No')", "no usable name");
	expect_error(f, "forecourt.table('')", "no usable name");
	expect_error(f, "forecourt.table(('a'):rep(32))", "no usable name");
	expect_error(f, "forecourt.table('a\\0')", "no usable name");
	expect_error(f, "forecourt.table('a'):put('', 'x')", "not empty");
	expect_error(f, "forecourt.table('a'):put(('k'):rep(201), 'x')", "at most 200 bytes");
	expect_error(f, "forecourt.table('a'):put('k', ('x'):rep(201))", "at most 200 bytes");
	expect_error(f, "forecourt.table('a'):put('k', 'a\\0b')", "zero byte");
	expect_error(f, "forecourt.table('a'):put('k', {})", "must be a text, not a table");
	expect_error(f, "forecourt.table('a'):put('k', 1.0)", "must be a text, not a number");
	expect_error(f, "forecourt.table('a'):get(nil)", "must be a text, not a nil");
	expect_error(f, "forecourt.table('a').get({}, 'k')", "forecourt.table expected");
	expect_error(f, "for i = 1, 17 do forecourt.table('t' .. i):put('a', 'b') end", "16 tables already");
	/* Also when the script catches the error: the rest is not more than was allowed. */
	expect_error(f, "local t = forecourt.table('a') for i = 1, 1001 do t:put(i, 'x') end", "more than 1000 puts");
	assert_int_equal(m.count, 0);
	struct script *script =
	    load_body(f, "local t = forecourt.table('a') for i = 1, 2000 do pcall(t.put, t, i, 'x') end return 'done'");
	script_pin(script, 0);
	assert_string_equal(call(f, script, NULL), "\"done\"");
	script_free(script);
	/* Scratch tables forget the oldest, as the store does. */
	script = load_body(f, "local t = forecourt.table('a')\n"
			      "if v == 'first' then return t:get(1) or 'gone' end\n"
			      "if v == 'last' then return t:get(10010) or 'gone' end\n"
			      "for i = v, v + 499 do t:put(i, 'x') end");
	script_pin(script, 0);
	for (int i = 1; i <= 10001; i += 500) {
		struct value *out = NULL;

		if (i == 10001)
			assert_string_equal(call(f, script, "first"), "\"x\"");
		if (script_call(script, "f", value_int(&f->arena, i), NULL, &f->arena, &out, &f->err))
			fail_msg("%d: %s", i, f->err.text);
	}
	assert_string_equal(call(f, script, "first"), "\"gone\"");
	assert_string_equal(call(f, script, "last"), "\"x\"");
	script_free(script);
}

/* A file without a space has no tables in the gateway, and without services every call has scratch ones. */
static void who_has_tables(void **state)
{
	struct fixture *f = *state;
	static struct memory m;

	use(f, &m);
	struct script *script = load_body(f, body);
	script_free(script);
	const struct script_host host = {.lua_dir = f->folder, .services = &m.calls};
	script = script_load_file(&host, f->path, NULL, &f->err);
	assert_non_null(script);
	assert_int_equal(fails(f, script, "put a 1"), FC_ESCRIPT);
	assert_non_null(strstr(f->err.text, "no tables of its own"));
	script_free(script);
	f->services = NULL;
	script = load_body(f, body);
	(void)call(f, script, "put a 1");
	assert_string_equal(call(f, script, "get a"), "\"1\"");
	script_free(script);
	/* While a file is loaded nobody is asked. */
	use(f, &m);
	script = must_load(f, "local t = forecourt.table('ids') t:put('a', '1') return { v = t:get('a') }");
	assert_int_equal(m.puts + m.gets, 0);
	script_free(script);
}

static struct value *memory_state(void *user, const char *kind, const char *id, struct arena *arena)
{
	struct memory *m = user;

	m->gets++;
	return id ? NULL : value_string(arena, kind);
}

/* With services at hand, too. */
static void examples_and_replays_reach_nobody(void **state)
{
	struct fixture *f = *state;
	static struct memory m;
	struct value *out = NULL;

	use(f, &m);
	m.calls.state = memory_state;
	struct script *script = must_load(
	    f, "local t = forecourt.table('ids')\n"
	       "return { f = function() t:put('n', tostring((tonumber(t:get('n')) or 0) + 1))\n"
	       "return { t:get('n'), t:key('1') or 'none', #forecourt.stations(), forecourt.connector('c') or 'none' } "
	       "end,\n"
	       "examples = { { call = 'f', tables = { ids = { n = '6' } }, expect = { '7', 'none', 0, 'none' },\n"
	       "  expect_tables = { ids = { n = '7' } } } } }");
	if (script_run_examples(script, &f->err))
		fail_msg("%s", f->err.text);
	script_pin(script, 1000);
	assert_string_equal(call(f, script, NULL), "[\"1\",\"n\",0,\"none\"]");
	assert_string_equal(call(f, script, NULL), "[\"2\",\"none\",0,\"none\"]");
	assert_int_equal(m.puts + m.gets, 0);
	/* Back among the living, with nothing of the trial. */
	script_unpin(script);
	assert_int_equal(script_call(script, "f", NULL, NULL, &f->arena, &out, &f->err), FC_OK);
	assert_string_equal(as_json(f, out), "[\"1\",\"n\",8,\"none\"]"); /* #\"stations\" */
	assert_int_equal(m.puts, 1);
	script_free(script);
}

/* The gateway's own services, on a real store. */
struct gateway {
	struct store *store;
	struct services services;
};

static void open_gateway(struct fixture *f, struct gateway *g)
{
	g->store = store_open(f->folder, &f->err);
	if (!g->store)
		fail_msg("%s", f->err.text);
	services_init(&g->services, g->store, NULL);
	f->services = &g->services.calls;
}

/* In a process of its own, which ends in the middle of it. A bit for each thing that was wrong. */
static int until_the_crash(struct fixture *f)
{
	const struct rlimit room = {RLIM_INFINITY, RLIM_INFINITY};
	struct gateway g;
	struct stat st;
	char wal[120];
	int bad = 0;

	open_gateway(f, &g);
	struct script *script = load_body(f, body);
	bad |= fails(f, script, "put a 1") != FC_OK;
	(void)snprintf(wal, sizeof(wal), "%s/forecourt.db-wal", f->folder);
	bad |= (stat(wal, &st) != 0) << 1;
	const struct rlimit full = {(rlim_t)st.st_size, RLIM_INFINITY};
	bad |= (setrlimit(RLIMIT_FSIZE, &full) != 0) << 2;
	bad |= (fails(f, script, "put a 2") != FC_ESCRIPT || !strstr(f->err.text, "can't be kept")) << 3;
	bad |= (strcmp(call(f, script, "get a"), "\"1\"") != 0) << 4;
	bad |= (setrlimit(RLIMIT_FSIZE, &room) != 0) << 5;
	bad |= (fails(f, script, "put b 2") != FC_OK) << 6;
	bad |= (fails(f, script, "fail b 3") != FC_ESCRIPT) << 7;
	return bad;
}

static void over_a_crash_and_a_full_disk(void **state)
{
	struct fixture *f = *state;
	int status = 0;

	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		(void)signal(SIGXFSZ, SIG_IGN);
		_exit(until_the_crash(f));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	struct gateway g;
	open_gateway(f, &g);
	struct script *script = load_body(f, body);
	assert_string_equal(call(f, script, "get a"), "\"1\"");
	assert_string_equal(call(f, script, "get b"), "\"2\"");
	assert_string_equal(call(f, script, "key 2"), "\"b\"");
	script_free(script);
	store_close(g.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(kept_when_the_call_went_well),
	    T(a_full_disk_fails_the_call),
	    T(a_call_sees_what_it_puts),
	    T(bounds_hold),
	    T(who_has_tables),
	    T(examples_and_replays_reach_nobody),
	    T(over_a_crash_and_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
