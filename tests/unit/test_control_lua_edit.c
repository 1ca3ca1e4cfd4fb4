/* control: Lua files read, checked, tried on what was recorded, saved and removed: what is refused, and that nothing is changed then. */
#include <sys/stat.h>

#include "base/clock.h"
#include "control/lua.h"
#include "control_fixture.h"
#include "upstream/record.h"

#define MAPPING(body)                                                                                       \
	"return { forecourt = 1, kind = \"operator\", name = \"m\", map = { notification_stationStatus = {" \
	" request = function(t) " body " return t end } } }\n"
#define POLICY(elec)                                                                     \
	"return { forecourt = 1, kind = \"policy\", name = \"p\", prices = { { start = " \
	"\"00:00\", elec = " elec ", service = 0.4 } } }\n"

static void told(void *user, const struct control_result *result)
{
	struct fixture *f = user;

	f->answers++;
	f->code = result->code;
	(void)snprintf(f->error, sizeof(f->error), "%s", result->error);
	buffer_clear(&f->text);
	f->result = NULL;
	if (!result->result)
		return;
	assert_int_equal(json_write(&f->text, result->result), FC_OK);
	arena_fini(&f->arena);
	assert_int_equal(json_read(f->reader, f->text.data, f->text.len, &f->arena, &f->result, &f->err), FC_OK);
}

static int call_as(struct fixture *f, enum control_right right, const char *name, const char *item, const char *text,
		   const char *hash)
{
	const struct control_caller caller = {"anna", "192.0.2.7", right, 0};
	struct arena a;

	arena_init(&a, 8 << 20);
	struct value *tree = value_object(&a);
	if (item)
		assert_int_equal(value_add(&a, tree, "item", value_string(&a, item)), FC_OK);
	if (text)
		assert_int_equal(value_add(&a, tree, "text", value_string(&a, text)), FC_OK);
	if (hash)
		assert_int_equal(value_add(&a, tree, "hash", value_string(&a, hash)), FC_OK);
	assert_null(control_call(f->control, &caller, name, tree, told, f));
	arena_fini(&a);
	return f->code;
}

static int call(struct fixture *f, const char *name, const char *item, const char *text, const char *hash)
{
	return call_as(f, CONTROL_INTEGRATE, name, item, text, hash);
}

static const char *text_of(const struct value *object, const char *key)
{
	const char *text = value_text(value_get(object, key));

	return text ? text : "(nothing)";
}

static int64_t int_of(const struct value *object, const char *key)
{
	int64_t i = -1;

	(void)value_to_int(value_get(object, key), &i);
	return i;
}

static int flag_of(const struct value *object, const char *key)
{
	int b = -1;

	(void)value_to_bool(value_get(object, key), &b);
	return b;
}

static void path_of(const struct fixture *f, const char *item, char path[160])
{
	(void)snprintf(path, 160, "%s/%s.lua", f->folder, item);
}

static void put(const struct fixture *f, const char *item, const char *text)
{
	char path[160];

	path_of(f, item, path);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int exists(const struct fixture *f, const char *item)
{
	char path[160];

	path_of(f, item, path);
	return !access(path, F_OK);
}

static void file_is(const struct fixture *f, const char *item, const char *expected)
{
	char path[160], text[4000];

	path_of(f, item, path);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
	assert_string_equal(text, expected);
}

static const char *hash_of(const char *text, char hash[SOURCE_HASH])
{
	sources_digest(text, strlen(text), hash);
	return hash;
}

static int edit_set_up(void **state)
{
	static const char *const folders[] = {"lib", "operators", "policies", "profiles"};
	char path[128];

	assert_int_equal(set_up(state), 0);
	struct fixture *f = *state;
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->folder, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	world.recorder = recorder_new(256 << 10);
	assert_non_null(world.recorder);
	return 0;
}

static int edit_tear_down(void **state)
{
	recorder_free(world.recorder);
	return tear_down(state);
}

/* Reading ---------------------------------------------------------------------------------------------------------------- */

static void listed_and_read(void **state)
{
	struct fixture *f = *state;
	char path[160], hash[SOURCE_HASH];

	put(f, "operators/m", "local one = require('one') " MAPPING(""));
	put(f, "lib/one", "return {}");
	put(f, "policies/p", POLICY("1"));
	put(f, "policies/.hidden", "x");
	put(f, "policies/Upper", "x");
	world_load(NULL, NULL);
	assert_int_equal(call_as(f, CONTROL_VIEW, "lua_files", NULL, NULL, NULL), FC_OK);
	const struct value *file = value_get(f->result, "files")->first;
	assert_int_equal(value_get(f->result, "files")->count, 3);
	assert_string_equal(text_of(file, "item"), "operators/m");
	assert_int_equal(flag_of(file, "in_force"), 1);
	assert_int_equal(int_of(file, "bytes"), strlen("local one = require('one') " MAPPING("")));
	assert_string_equal(text_of(file->next, "item"), "policies/p");
	assert_int_equal(flag_of(file->next, "in_force"), 0);
	assert_string_equal(text_of(file->next->next, "item"), "lib/one");
	assert_string_equal(value_text(value_get(file->next->next, "used_by")->first), "operators/m");
	assert_string_equal(text_of(file->next, "hash"), hash_of(POLICY("1"), hash));
	/* Edited by hand: not what is in force. */
	put(f, "operators/m", MAPPING("t.x = 1"));
	assert_int_equal(call(f, "lua_files", NULL, NULL, NULL), FC_OK);
	assert_int_equal(flag_of(value_get(f->result, "files")->first, "in_force"), 0);

	assert_int_equal(call(f, "lua_read", "policies/p", NULL, NULL), FC_OK);
	assert_string_equal(text_of(f->result, "text"), POLICY("1"));
	assert_string_equal(text_of(f->result, "hash"), hash);
	assert_int_equal(call_as(f, CONTROL_VIEW, "lua_read", "policies/p", NULL, NULL), FC_EAUTH);
	assert_int_equal(call(f, "lua_read", "policies/none", NULL, NULL), FC_ENOENT);
	put(f, "lib/one", "\xff\xfe");
	assert_int_equal(call(f, "lua_read", "lib/one", NULL, NULL), FC_EINVAL);
	assert_non_null(strstr(f->error, "UTF-8"));
	path_of(f, "lib/one", path);
	assert_int_equal(truncate(path, LUA_TEXT_MAX + 1), 0);
	assert_int_equal(call(f, "lua_read", "lib/one", NULL, NULL), FC_ELIMIT);
}

static void hostile_names(void **state)
{
	static const char *const bad[] = {"../forecourt.db",  "operators/../x", "operators/",   "operators",
					  "operators/a/b",    "operators/.x",   "/operators/x", "lib/x.lua",
					  "types/files",      "operatorsx/y",   "lib/\xc3\xbc", "lib/x\ny",
					  "operators\\..\\x", "policies/A"};
	static const char *const commands[] = {"lua_read", "lua_check", "lua_preview", "lua_save", "lua_remove"};
	struct fixture *f = *state;
	char hash[SOURCE_HASH];

	hash_of("x", hash);
	for (size_t c = 0; c < 5; c++)
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			assert_int_equal(
			    call(f, commands[c], bad[i], c && c < 4 ? "return {}" : NULL, c > 3 ? hash : NULL),
			    FC_EINVAL);
}

/* Checking --------------------------------------------------------------------------------------------------------------- */

static const struct value *problem(struct fixture *f, const char *item, const char *text)
{
	assert_int_equal(call(f, "lua_check", item, text, NULL), FC_OK);
	assert_int_equal(flag_of(f->result, "ok"), 0);
	const struct value *first = value_get(f->result, "problems")->first;
	if (!first)
		fail_msg("%s", f->text.data);
	return first;
}

static void checked(void **state)
{
	struct fixture *f = *state;
	static char large[LUA_TEXT_MAX + 2];

	assert_int_equal(call(f, "lua_check", "operators/m", MAPPING("t.x = 1"), NULL), FC_OK);
	assert_int_equal(flag_of(f->result, "ok"), 1);
	assert_int_equal(exists(f, "operators/m"), 0);
	const struct value *p = problem(f, "operators/m", "return {\n\n x = = 1 }");
	assert_string_equal(text_of(p, "file"), "operators/m");
	assert_int_equal(int_of(p, "line"), 3);
	/* The form is wrong: the place is named. */
	p = problem(f, "policies/p", "return { forecourt = 1, kind = \"policy\", name = \"p\", prices = {} }");
	assert_non_null(strstr(text_of(p, "text"), "prices"));
	p = problem(f, "profiles/x", "return { forecourt = 1, kind = \"profile\", nam = 1 }");
	assert_non_null(value_get(f->result, "problems")->first->next);
	/* Each example by itself. */
	assert_int_equal(
	    call(f, "lua_check", "operators/m",
		 "return { forecourt = 1, kind = \"operator\", name = \"m\", map = { query_token = { answer = "
		 "function(t) t.a = 1 return t end } }, examples = {"
		 "{ call = \"map.query_token.answer\", input = {}, expect = { a = 2 } },"
		 "{ call = \"map.query_token.answer\", input = {}, expect = { a = 1 } },"
		 "{ call = \"map.query_token.answer\", input = {}, expect = { a = 3 } } } }",
		 NULL),
	    FC_OK);
	const struct value *examples = value_get(f->result, "examples");
	assert_int_equal(flag_of(f->result, "ok"), 0);
	assert_int_equal(int_of(examples, "run"), 3);
	assert_int_equal(int_of(examples, "passed"), 1);
	assert_int_equal(int_of(value_get(examples, "failures")->last, "example"), 3);
	/* A module by what uses it. */
	put(f, "lib/one", "return 1");
	put(f, "operators/m", "assert(require('one') == 1) " MAPPING(""));
	world_load(NULL, NULL);
	assert_int_equal(call(f, "lua_check", "lib/one", "return 1 -- same", NULL), FC_OK);
	assert_int_equal(flag_of(f->result, "ok"), 1);
	p = problem(f, "lib/one", "return 2");
	assert_string_equal(text_of(p, "file"), "operators/m");
	p = problem(f, "lib/one", "\nreturn ..");
	assert_string_equal(text_of(p, "file"), "lib/one");
	assert_int_equal(int_of(p, "line"), 2);
	/* Hostile: each ends by itself, and says why. */
	p = problem(f, "operators/m", "while true do end");
	assert_string_equal(text_of(p, "file"), "operators/m");
	(void)problem(f, "policies/p", "local t = {} for i = 1, 1e9 do t[i] = (\"x\"):rep(1000) .. i end return t");
	(void)problem(f, "lib/one", "while true do end");
	(void)problem(f, "lib/one", "\x1bLua\x54");
	(void)problem(f, "lib/one", "return \"\xff\"");
	(void)problem(f, "operators/m", "return os.exit(0)");
	memset(large, ' ', sizeof(large) - 1);
	assert_int_equal(call(f, "lua_check", "lib/one", large, NULL), FC_ELIMIT);
	large[LUA_TEXT_MAX] = '\0';
	assert_int_equal(call(f, "lua_check", "lib/two", large, NULL), FC_OK);
}

/* Saving ----------------------------------------------------------------------------------------------------------------- */

static void saved(void **state)
{
	struct fixture *f = *state;
	char first[SOURCE_HASH], second[SOURCE_HASH];

	put(f, "operators/m", MAPPING(""));
	world_load(NULL, NULL);
	hash_of(MAPPING(""), first);
	assert_int_equal(call(f, "lua_save", "operators/m", MAPPING("t.x = 1"), first), FC_OK);
	file_is(f, "operators/m", MAPPING("t.x = 1"));
	assert_string_equal(text_of(f->result, "hash"), hash_of(MAPPING("t.x = 1"), second));
	assert_int_equal(flag_of(f->result, "in_force"), 1);
	assert_string_equal(mapping_hash(world.mapping), second);
	assert_string_equal(world.origin, "saved by anna");
	/* Who comes second is told so, and nothing of his is lost or written. */
	assert_int_equal(call(f, "lua_save", "operators/m", MAPPING("t.x = 2"), first), FC_EEXIST);
	assert_non_null(strstr(f->error, "changed meanwhile"));
	assert_int_equal(call(f, "lua_save", "operators/m", MAPPING("t.x = 2"), NULL), FC_EEXIST);
	/* What is bad is not written. */
	assert_int_equal(call(f, "lua_save", "operators/m", "return {", second), FC_EINVAL);
	assert_non_null(strstr(f->error, "operators/m.lua:1:"));
	file_is(f, "operators/m", MAPPING("t.x = 1"));
	assert_string_equal(mapping_hash(world.mapping), second);
	assert_int_equal(call_as(f, CONTROL_OPERATE, "lua_save", "operators/m", MAPPING(""), second), FC_EAUTH);
	/* A new one. */
	assert_int_equal(call(f, "lua_save", "policies/p", POLICY("1"), first), FC_EEXIST);
	assert_int_equal(call(f, "lua_save", "policies/p", POLICY("1"), NULL), FC_OK);
	assert_int_equal(flag_of(f->result, "in_force"), 0);
	file_is(f, "policies/p", POLICY("1"));
}

static void saved_and_undone(void **state)
{
	struct fixture *f = *state;
	char first[SOURCE_HASH];
	const struct control_caller caller = {"anna", NULL, CONTROL_INTEGRATE, 0};
	struct arena a;

	put(f, "operators/m", MAPPING(""));
	world_load(NULL, NULL);
	world.is_slow = 1;
	arena_init(&a, 1 << 20);
	struct value *tree = value_object(&a);
	(void)value_add(&a, tree, "item", value_string(&a, "operators/m"));
	(void)value_add(&a, tree, "text", value_string(&a, MAPPING("t.x = 1")));
	(void)value_add(&a, tree, "hash", value_string(&a, hash_of(MAPPING(""), first)));
	assert_non_null(control_call(f->control, &caller, "lua_save", tree, told, f));
	file_is(f, "operators/m", MAPPING("t.x = 1"));
	/* Two savers: the second waits his turn. */
	assert_int_equal(call(f, "lua_save", "policies/p", POLICY("1"), NULL), FC_EBUSY);
	assert_int_equal(call(f, "lua_remove", "operators/m", NULL, first), FC_EBUSY);
	/* It is refused when it is loaded: the file is as it was. */
	world.reloaded(world.reloaded_user, (const char *const[]){"m: there is something else"}, 1);
	assert_int_equal(f->code, FC_EINVAL);
	assert_non_null(strstr(f->error, "operators/m is as it was: m: there is something else"));
	file_is(f, "operators/m", MAPPING(""));
	assert_string_equal(world.origin, "save undone");
	/* And the next one may save. */
	world.is_slow = 0;
	assert_int_equal(call(f, "lua_save", "policies/p", POLICY("1"), NULL), FC_OK);
	/* The room ends while one is under way. */
	world.is_slow = 1;
	assert_non_null(control_call(f->control, &caller, "lua_save", tree, told, f));
	arena_fini(&a);
	control_free(f->control);
	f->control = NULL;
	int answers = f->answers;
	world_load(world.reloaded, world.reloaded_user);
	assert_int_equal(f->answers, answers);
}

static void last_audit(void *user, const struct audit_entry *entry)
{
	*(struct audit_entry *)user = *entry;
}

static void audited(void **state)
{
	struct fixture *f = *state;
	struct audit_entry entry = {0};
	char first[SOURCE_HASH], second[SOURCE_HASH];

	put(f, "policies/p", POLICY("1"));
	hash_of(POLICY("1"), first);
	hash_of(POLICY("2"), second);
	assert_int_equal(call(f, "lua_save", "policies/p", POLICY("2"), first), FC_OK);
	assert_int_equal(audit_each(f->store, 0, 1, last_audit, &entry), 1);
	assert_string_equal(entry.command, "lua_save");
	assert_string_equal(entry.who, "anna");
	assert_string_equal(entry.before, first);
	assert_string_equal(entry.after, second);
	assert_null(strstr(entry.arguments, "return"));
	assert_non_null(strstr(entry.arguments, " bytes)"));
}

static void removed(void **state)
{
	struct fixture *f = *state;
	char hash[SOURCE_HASH], other[SOURCE_HASH];

	put(f, "lib/one", "return 1");
	put(f, "lib/two", "return 1");
	put(f, "operators/m", "local x = require('one') " MAPPING(""));
	world_load(NULL, NULL);
	hash_of("return 1", hash);
	assert_int_equal(call(f, "lua_remove", "lib/one", NULL, hash), FC_EBUSY);
	assert_string_equal(f->error, "lib/one is used by operators/m");
	assert_int_equal(call(f, "lua_remove", "lib/two", NULL, hash_of("x", other)), FC_EEXIST);
	assert_int_equal(call(f, "lua_remove", "lib/two", NULL, hash), FC_OK);
	assert_int_equal(exists(f, "lib/two"), 0);
	assert_int_equal(call(f, "lua_remove", "lib/two", NULL, hash), FC_ENOENT);
	assert_int_equal(exists(f, "lib/one"), 1);
}

/* Previews --------------------------------------------------------------------------------------------------------------- */

static struct config_platform platform = {
    .name = "city", .enabled = 1, .operator_id = "MA0000001", .mapping = "m", .policy = "p"};

static void note_status(int status)
{
	struct arena a;

	arena_init(&a, 1 << 16);
	struct value *m = value_object(&a), *info = value_object(&a);
	(void)value_add(&a, info, "ConnectorID", value_string(&a, "C11"));
	(void)value_add(&a, info, "Status", value_int(&a, status));
	(void)value_add(&a, m, "ConnectorStatusInfo", info);
	recorder_note(world.recorder, &(struct record){.platform = "city",
						       .message = message_find("notification_stationStatus"),
						       .part = MESSAGE_REQUEST,
						       .direction = MAPPING_OUT,
						       .mapping = "m",
						       .hash = "",
						       .before = m,
						       .after = m});
	arena_fini(&a);
}

static void preview_of_messages(void **state)
{
	struct fixture *f = *state;

	f->stations.config.platforms = &platform;
	f->stations.config.platform_count = 1;
	put(f, "operators/m", MAPPING(""));
	world_load(NULL, NULL);
	for (int i = 0; i < 4; i++)
		note_status(i);
	/* A fault is 9 there: one message of four, and none that is unchanged. */
	const char *text = MAPPING("if t.ConnectorStatusInfo.Status == 3 then t.ConnectorStatusInfo.Status = 9 end");
	assert_int_equal(call(f, "lua_preview", "operators/m", text, NULL), FC_OK);
	const struct value *messages = value_get(f->result, "messages");
	assert_int_equal(int_of(messages, "compared"), 4);
	assert_int_equal(int_of(messages, "changed"), 1);
	const struct value *d = value_get(messages, "list")->first;
	assert_null(d->next);
	assert_string_equal(text_of(d, "method"), "notification_stationStatus");
	assert_string_equal(text_of(d, "path"), "ConnectorStatusInfo.Status");
	assert_string_equal(text_of(d, "before"), "3");
	assert_string_equal(text_of(d, "after"), "9");
	assert_string_equal(text_of(d, "kind"), "changed");
	/* Nothing of it is in force or on the disk. */
	file_is(f, "operators/m", MAPPING(""));
	assert_int_equal(call(f, "lua_preview", "operators/m", MAPPING(""), NULL), FC_OK);
	assert_int_equal(int_of(value_get(f->result, "messages"), "changed"), 0);
	/* A field in all, one that fails on one, one that never ends. */
	assert_int_equal(call(f, "lua_preview", "operators/m", MAPPING("t.Remark = 1"), NULL), FC_OK);
	d = value_get(value_get(f->result, "messages"), "list")->first;
	assert_int_equal(int_of(d, "messages"), 4);
	assert_string_equal(text_of(d, "kind"), "added");
	assert_int_equal(call(f, "lua_preview", "operators/m", MAPPING("t.x = t.y.z"), NULL), FC_OK);
	assert_int_equal(int_of(value_get(f->result, "messages"), "failed"), 4);
	assert_int_equal(call(f, "lua_preview", "operators/m", MAPPING("while true do end"), NULL), FC_OK);
	assert_int_equal(int_of(value_get(f->result, "messages"), "failed"), 4);
	assert_int_equal(call(f, "lua_preview", "operators/m", "return {", NULL), FC_EINVAL);
	/* A module by those that use it. */
	put(f, "lib/one", "return nil");
	put(f, "operators/m", "local one = require('one') " MAPPING("t.Note = one"));
	world_load(NULL, NULL);
	assert_int_equal(call(f, "lua_preview", "lib/one", "return 'new'", NULL), FC_OK);
	d = value_get(value_get(f->result, "messages"), "list")->first;
	assert_string_equal(text_of(d, "path"), "Note");
	assert_int_equal(int_of(d, "messages"), 4);
}

/* An hour at 10:00, some energy, priced by a policy. */
static void keep_priced(struct fixture *f, int number, const char *policy, int64_t wh, int32_t elec_e4)
{
	struct order *o = calloc(1, sizeof(*o));
	struct buffer text;
	int64_t start;

	assert_non_null(o);
	assert_int_equal(clock_parse_datetime("2026-10-01 10:00:00", &start), FC_OK);
	fill_order(o, number);
	(void)snprintf(o->tariff.policy, sizeof(o->tariff.policy), "%s", policy);
	o->tariff.first_day = (int32_t)((start + CLOCK_CST_OFFSET_S) / 86400);
	for (int d = 0; d < TARIFF_DAYS; d++)
		o->tariff.days[d].periods[0] = (struct tariff_period){0, elec_e4, 4000};
	o->start_wall = start;
	memset(&o->split, 0, sizeof(o->split));
	split_begin(&o->split, &o->tariff, start, 0);
	(void)split_reading(&o->split, &o->tariff, start + 3600, wh, 1000000000);
	buffer_init(&text, ORDER_RECORD_MAX);
	assert_int_equal(order_write(o, &text), FC_OK);
	struct journal_order entry = order_entry(o, text.data);
	assert_int_equal(journal_open(f->store, &entry, &f->err), FC_OK);
	entry.end_wall = start + 3600 + number;
	entry.reason = 4;
	assert_int_equal(journal_close(f->store, &entry, NULL, 0, &f->err), FC_OK);
	buffer_fini(&text);
	free(o);
}

static void preview_of_money(void **state)
{
	struct fixture *f = *state;

	/* 12 orders of 10 kWh at 1.00 + 0.40 yuan: 14.00 each; two of another policy. */
	put(f, "policies/p", POLICY("1"));
	for (int i = 0; i < 12; i++)
		keep_priced(f, i, "p", 10000, 10000);
	for (int i = 12; i < 14; i++)
		keep_priced(f, i, "q", 10000, 10000);
	/* At 1.25: 12.50 + 4.00 = 16.50. */
	assert_int_equal(call(f, "lua_preview", "policies/p", POLICY("1.25"), NULL), FC_OK);
	const struct value *orders = value_get(f->result, "orders");
	assert_int_equal(int_of(orders, "compared"), 12);
	assert_int_equal(int_of(orders, "changed"), 12);
	assert_int_equal(int_of(orders, "money_billed_e4"), 12 * 140000);
	assert_int_equal(int_of(orders, "money_before_e4"), 12 * 140000);
	assert_int_equal(int_of(orders, "money_after_e4"), 12 * 165000);
	assert_int_equal(int_of(value_get(orders, "list")->first, "before_e4"), 140000);
	assert_int_equal(int_of(value_get(orders, "list")->first, "after_e4"), 165000);
	const struct value *prices = value_get(f->result, "prices");
	assert_int_equal(int_of(value_get(prices, "before")->first, "elec_e4"), 10000);
	assert_int_equal(int_of(value_get(prices, "after")->first, "elec_e4"), 12500);
	/* Only from 10:30 on: half of each order. 5 kWh at 1, 5 at 2. */
	assert_int_equal(call(f, "lua_preview", "policies/p",
			      "return { forecourt = 1, kind = \"policy\", name = \"p\", prices = {"
			      "{ start = \"00:00\", elec = 1, service = 0.4 }, { start = \"10:30\", elec = 2, service "
			      "= 0.4 } } }",
			      NULL),
			 FC_OK);
	assert_int_equal(int_of(value_get(f->result, "orders"), "money_after_e4"), 12 * 190000);
	/* The same again differs in nothing. */
	assert_int_equal(call(f, "lua_preview", "policies/p", POLICY("1.0"), NULL), FC_OK);
	assert_int_equal(int_of(value_get(f->result, "orders"), "changed"), 0);
	/* The file as it stands is broken: compared with what was billed. */
	put(f, "policies/p", "return {");
	assert_int_equal(call(f, "lua_preview", "policies/p", POLICY("1.25"), NULL), FC_OK);
	assert_int_equal(flag_of(f->result, "no_before"), 1);
	assert_int_equal(int_of(value_get(f->result, "orders"), "money_before_e4"), 12 * 140000);
}

static void preview_of_a_profile(void **state)
{
	struct fixture *f = *state;
	const char *old = "return { forecourt = 1, kind = \"profile\", name = \"x\", points = { power = { fc = 3, "
			  "address = 10, type = \"u16\", unit = \"W\" } } }";
	const char *new = "return { forecourt = 1, kind = \"profile\", name = \"x\", points = { power = { fc = 3, "
			  "address = 12, type = \"u16\", unit = \"W\" } } }";

	put(f, "profiles/x", old);
	assert_int_equal(call(f, "lua_preview", "profiles/x", new, NULL), FC_OK);
	const struct value *d = value_get(value_get(f->result, "table"), "list")->first;
	assert_string_equal(text_of(d, "path"), "points.power.address");
	assert_string_equal(text_of(d, "before"), "10");
	assert_string_equal(text_of(d, "after"), "12");
	assert_null(d->next);
}

static void completion(void **state)
{
	struct fixture *f = *state;
	char path[160];
	int found = 0;

	assert_int_equal(call(f, "lua_api", NULL, NULL, NULL), FC_OK);
	value_each (entry, value_get(f->result, "calls"))
		found |= !strcmp(text_of(entry, "call"), "forecourt.fixed(x, n)") && *text_of(entry, "what");
	assert_int_equal(found, 1);
	assert_int_equal(value_get(f->result, "messages")->count, message_count());
	assert_null(value_get(f->result, "types"));
	(void)snprintf(path, sizeof(path), "%s/types", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	put(f, "types/files",
	    "---@class forecourt.policy\n---@field forecourt 1\n"
	    "---@field prices forecourt.policy.period[]|fun(context: forecourt.policy.context): x[] what it costs\n"
	    "---@field terms? table<string, number>\n");
	assert_int_equal(call(f, "lua_api", NULL, NULL, NULL), FC_OK);
	const struct value *list = value_get(value_get(f->result, "types"), "forecourt.policy");
	assert_int_equal(list->count, 3);
	assert_string_equal(text_of(list->first->next, "name"), "prices");
	assert_string_equal(text_of(list->first->next, "what"), "what it costs");
	assert_string_equal(text_of(list->last, "name"), "terms");
	assert_string_equal(text_of(list->last, "type"), "table<string, number>");
}

#define T(test) cmocka_unit_test_setup_teardown(test, edit_set_up, edit_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(listed_and_read),  T(hostile_names),
	    T(checked),          T(saved),
	    T(saved_and_undone), T(audited),
	    T(removed),          T(preview_of_messages),
	    T(preview_of_money), T(preview_of_a_profile),
	    T(completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
