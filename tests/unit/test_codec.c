/* Mappings and the codec: what an integrator writes in Lua is what stands on the wire; what goes wrong there is said
 * and changes nothing. */
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

#include "base/json.h"
#include "folder.h"
#include "script/script.h"
#include "upstream/codec.h"
#include "upstream/envelope.h"

struct fixture {
	char dir[64];
	struct json_reader *reader;
	struct mapping *mapping;
	struct codec codec;
	struct arena arena;
	struct buffer out;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[128];

	if (!f)
		return -1;
	folder_make(f->dir, sizeof(f->dir), "codec");
	(void)snprintf(path, sizeof(path), "%s/operators", f->dir);
	if (mkdir(path, 0700))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/lib", f->dir);
	if (mkdir(path, 0700))
		return -1;
	arena_init(&f->arena, 4u << 20);
	buffer_init(&f->out, 1u << 20);
	f->reader = json_reader_new(0);
	f->codec = (struct codec){.reader = f->reader, .context = {"123456789", "987654321", "city"}};
	*state = f;
	return f->reader ? 0 : -1;
}

static void write_file(struct fixture *f, const char *folder, const char *name, const char *text)
{
	char path[192];

	(void)snprintf(path, sizeof(path), "%s/%s/%s.lua", f->dir, folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fputs("\n", file) >= 0);
	assert_int_equal(0, fclose(file));
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mapping_free(f->mapping);
	json_reader_free(f->reader);
	buffer_fini(&f->out);
	arena_fini(&f->arena);
	folder_remove(f->dir);
	free(f);
	return 0;
}

#define HEAD "forecourt = 1, kind = \"operator\", name = \"x\", "

/* Loads operators/x.lua with "return { HEAD body }". */
static struct mapping *load(struct fixture *f, const char *body)
{
	char text[8192];

	(void)snprintf(text, sizeof(text), "return {\n" HEAD "\n%s\n}\n", body);
	write_file(f, "operators", "x", text);
	mapping_free(f->mapping);
	f->err = (struct error){0};
	f->mapping = mapping_load(&(struct script_host){.lua_dir = f->dir}, "x", NULL, &f->err);
	f->codec.mapping = f->mapping;
	return f->mapping;
}

static void must_load(struct fixture *f, const char *body)
{
	if (!load(f, body))
		fail_msg("%s", f->err.text);
}

static const struct message *method(const char *name)
{
	const struct message *m = message_find(name);

	assert_non_null(m);
	return m;
}

static struct value *status_push(struct fixture *f)
{
	struct arena *a = &f->arena;
	struct value *info = value_object(a), *push = value_object(a);

	assert_int_equal(FC_OK, value_put(a, info, "ConnectorID", value_string(a, "12345678901234567890123401")));
	assert_int_equal(FC_OK, value_put(a, info, "Status", value_int(a, 3)));
	assert_int_equal(FC_OK, value_put(a, push, "ConnectorStatusInfo", info));
	return push;
}

static void expect_encoded(struct fixture *f, const char *name, enum message_part part, struct value *v,
			   const char *json)
{
	buffer_clear(&f->out);
	assert_int_equal(FC_OK, codec_encode(&f->codec, method(name), part, v, &f->arena, &f->out, &f->err));
	assert_string_equal(json, f->out.data);
}

static int decode(struct fixture *f, const char *name, enum message_part part, const char *json, struct value **out)
{
	return codec_decode(&f->codec, method(name), part, json, strlen(json), &f->arena, out, &f->err);
}

#define PLAIN_PUSH "{\"ConnectorStatusInfo\":{\"ConnectorID\":\"12345678901234567890123401\",\"Status\":3}}"

static void test_no_mapping(void **state)
{
	struct fixture *f = *state;
	struct value *v = NULL;
	int64_t i;

	expect_encoded(f, "notification_stationStatus", MESSAGE_REQUEST, status_push(f), PLAIN_PUSH);
	assert_int_equal(FC_OK,
			 decode(f, "query_stations_info", MESSAGE_REQUEST,
				"{\n\"LastQueryTime\":\"2016-1-2 12:12:12\",\n\"PageNo\":2,\n\"PageSize\":1\n}", &v));
	assert_string_equal("2016-01-02 12:12:12", value_text(value_get(v, "LastQueryTime")));
	assert_int_equal(FC_OK, value_to_int(value_get(v, "PageNo"), &i));
	assert_int_equal(2, i);
	assert_int_equal(FC_EINVAL, decode(f, "query_stations_info", MESSAGE_REQUEST, "{\"PageNo\":\"x\"}", &v));
	assert_string_equal("Data.PageNo: not an integer", f->err.text);
	/* Answers may lack what requests may not. */
	assert_int_equal(FC_OK, decode(f, "query_token", MESSAGE_ANSWER, "{\"SuccStat\":0}", &v));
	assert_int_equal(FC_EINVAL, decode(f, "query_token", MESSAGE_REQUEST, "{\"OperatorID\":\"1\"}", &v));
	/* What a wrong key makes of a text reads like wrong padding. V1's text is no JSON either. */
	static const char *const rubbish[] = {"",      "\x9d\x01\xff", "{\"soc\":10,}", "7",
					      "\"x\"", "[1]",          "{} {}",         "null"};
	for (size_t n = 0; n < sizeof(rubbish) / sizeof(rubbish[0]); n++) {
		assert_int_equal(FC_EINVAL, decode(f, "query_stations_info", MESSAGE_REQUEST, rubbish[n], &v));
		assert_string_equal(ENVELOPE_UNREADABLE, f->err.text);
	}
	/* Bounds. */
	struct buffer small;
	buffer_init(&small, 10);
	assert_int_equal(FC_ELIMIT, codec_encode(&f->codec, method("notification_stationStatus"), MESSAGE_REQUEST,
						 status_push(f), &f->arena, &small, &f->err));
	buffer_fini(&small);
	assert_int_equal(FC_ENOMEM, codec_encode(&f->codec, method("notification_stationStatus"), MESSAGE_REQUEST, NULL,
						 &f->arena, &f->out, &f->err));
	struct arena tiny;
	arena_init(&tiny, 16);
	assert_true(codec_decode(&f->codec, method("query_stations_info"), MESSAGE_REQUEST, "{\"PageNo\":1}", 12, &tiny,
				 &v, &f->err) < 0);
	arena_fini(&tiny);
	/* Without a mapping everything has its standard name and is on as the options say. */
	struct config_platform platform = {.push_stats = 1};
	assert_string_equal("query_token", mapping_path(NULL, method("query_token")));
	assert_ptr_equal(method("query_token"), mapping_find(NULL, "query_token"));
	assert_null(mapping_find(NULL, "notification_stationStatus"));
	assert_true(mapping_enabled(NULL, method("query_station_stats"), &platform));
	assert_true(mapping_enabled(NULL, method("notification_station_stats"), &platform));
	assert_false(mapping_enabled(NULL, method("notification_stationInfo"), &platform));
	assert_false(mapping_enabled(NULL, method("query_start_charge"), &platform));
	assert_true(mapping_timing(NULL, TIMING_STATUS_RESEND_H, 5) == 5);
	assert_true(mapping_timing(NULL, TIMING_START_RESULT_S, -1) == 50);
	assert_true(mapping_timing_item(NULL, TIMING_ORDER_RETRY_S, 0) == 60);
	assert_true(mapping_timing_item(NULL, TIMING_ORDER_RETRY_S, 5) == 1800);
	assert_true(mapping_timing_item(NULL, TIMING_ORDER_RETRY_S, 1000) == 3600);
}

static void test_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct config_platform platform = {.push_station_info = 1};

	must_load(f, "");
	assert_string_equal("x", mapping_name(f->mapping));
	assert_non_null(strstr(mapping_file(f->mapping), "/operators/x.lua"));
	assert_int_equal(64, strlen(mapping_hash(f->mapping)));
	expect_encoded(f, "notification_stationStatus", MESSAGE_REQUEST, status_push(f), PLAIN_PUSH);
	for (int i = 0; i < message_count(); i++) {
		const struct message *m = message_at(i);

		assert_string_equal(m->method, mapping_path(f->mapping, m));
		assert_ptr_equal(m->caller == MESSAGE_WE_CALL ? NULL : m, mapping_find(f->mapping, m->method));
		assert_int_equal(m->set == MESSAGE_BASE || m->set == MESSAGE_STATION_INFO,
				 mapping_enabled(f->mapping, m, &platform));
	}
}

/* DESIGN.md, rule 8: secrets never reach a script. What it sees of them it may move, and nothing else. */
static void test_a_script_sees_no_secret(void **state)
{
	struct fixture *f = *state;
	struct arena *a = &f->arena;
	struct value *v, *out = NULL;

	f->codec.secrets[0] = "our-own-secret";
	/* What a function that wants to know would do: keep it where it can be read, and say it. */
	must_load(
	    f, "map = { query_token = {\n"
	       "  request = function(m, c) local all = {}\n"
	       "    for k, x in pairs(m) do all[#all + 1] = k .. '=' .. tostring(x) end\n"
	       "    return { OperatorID = m.OperatorID, OperatorSecret = m.OperatorSecret or m.op_secret or m.zzz,\n"
	       "      seen = table.concat(all, ' '), copy = m.OperatorSecret, len = #(m.OperatorSecret or '') } end,\n"
	       "  answer = function(m, c) return { SuccStat = m.SuccStat or tonumber(m.token_ok), FailReason = 0,\n"
	       "    AccessToken = m.AccessToken or m.access_token, TokenAvailableTime = 7200,\n"
	       "    OperatorID = m.AccessToken or m.access_token } end } }");
	/* Out: whom it goes to has it anyway. It is put wherever the stand-in went, as a whole. */
	v = value_object(a);
	assert_int_equal(FC_OK, value_put(a, v, "OperatorID", value_string(a, "123456789")));
	assert_int_equal(FC_OK, value_put(a, v, "OperatorSecret", value_string(a, "theirs-to-know")));
	expect_encoded(f, "query_token", MESSAGE_REQUEST, v,
		       "{\"OperatorID\":\"123456789\",\"OperatorSecret\":\"theirs-to-know\","
		       "\"copy\":\"theirs-to-know\",\"len\":8,"
		       "\"seen\":\"OperatorID=123456789 OperatorSecret=secret-1\"}");
	/* In: by its name, by another name that says what it is, and by its text under a name that says nothing. */
	static const char *const requests[] = {"{\"OperatorID\":\"1\",\"OperatorSecret\":\"our-own-secret\"}",
					       "{\"OperatorID\":\"1\",\"op_secret\":\"our-own-secret\"}",
					       "{\"OperatorID\":\"1\",\"zzz\":\"our-own-secret\"}"};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_int_equal(FC_OK, decode(f, "query_token", MESSAGE_REQUEST, requests[i], &out));
		assert_string_equal(value_text(value_get(out, "OperatorSecret")), "our-own-secret");
		assert_non_null(strstr(value_text(value_get(out, "seen")), "=secret-1"));
		assert_null(strstr(value_text(value_get(out, "seen")), "own"));
	}
	/* The token of an answer comes back in its own field alone: an OperatorID is told in the log. */
	static const char *const answers[] = {"{\"SuccStat\":0,\"AccessToken\":\"a-token-of-theirs\"}",
					      "{\"token_ok\":\"0\",\"access_token\":\"a-token-of-theirs\"}"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(FC_OK, decode(f, "query_token", MESSAGE_ANSWER, answers[i], &out));
		assert_string_equal(value_text(value_get(out, "AccessToken")), "a-token-of-theirs");
		assert_string_equal(value_text(value_get(out, "OperatorID")), "secret-1");
	}
	/* No text, and the check of the message sees only the stand-in. Found by fuzz_message. */
	assert_int_equal(FC_EINVAL, decode(f, "query_token", MESSAGE_ANSWER,
					   "{\"SuccStat\":0,\"AccessToken\":\"a\\u0000token-of-theirs\"}", &out));
	/* More than can be hidden are shown to nobody. */
	char many[512] = "{\"OperatorID\":\"1\",\"OperatorSecret\":\"our-own-secret\"";
	for (int i = 0; i < 8; i++)
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many), ",\"password%d\":\"abcdef\"", i);
	(void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "}");
	assert_int_equal(FC_ELIMIT, decode(f, "query_token", MESSAGE_REQUEST, many, &out));
	/* A function that fails: the message goes on whole, and what it says of it is not the secret. */
	must_load(f, "map = { query_token = { request = function(m, c) error(m.OperatorSecret) end } }");
	assert_int_equal(FC_OK, decode(f, "query_token", MESSAGE_REQUEST, requests[0], &out));
	assert_string_equal(value_text(value_get(out, "OperatorSecret")), "our-own-secret");
	f->err = (struct error){0};
	struct value *raw = value_object(a), *mapped = NULL;
	assert_int_equal(FC_OK, value_put(a, raw, "OperatorSecret", value_string(a, "secret-1")));
	assert_int_equal(FC_ESCRIPT, mapping_apply(f->mapping, method("query_token"), MESSAGE_REQUEST, MAPPING_IN, raw,
						   &f->codec.context, a, &mapped, &f->err));
	assert_non_null(strstr(f->err.text, "secret-1"));
	/* No other message has any, and is shown as it is. */
	must_load(
	    f, "map = { notification_stationStatus = { request = function(m) m.seen = m.access_token return m end } }");
	v = value_object(a);
	assert_int_equal(FC_OK, value_put(a, v, "access_token", value_string(a, "of-the-standard-none")));
	expect_encoded(f, "notification_stationStatus", MESSAGE_REQUEST, v,
		       "{\"access_token\":\"of-the-standard-none\",\"seen\":\"of-the-standard-none\"}");
}

static void test_paths_methods_timing(void **state)
{
	struct fixture *f = *state;
	struct config_platform platform = {.push_station_info = 1, .push_stats = 0};

	must_load(f, "paths = { query_token = \"login\", check_charge_orders = \"check_charge_order\", "
		     "  notification_charge_order_info = \"notification_charge_order_info_for_bonus\" },\n"
		     "methods = { notification_stationInfo = false, notification_station_stats = true, "
		     "  query_station_stats = false, notification_charge_order_info_for_bonus = true },\n"
		     "timing = { status_resend_h = 6, start_result_s = 50.5, order_retry_s = { 15, 30 } }, constants = "
		     "{ a = { 1, 2 }, b = \"c\" }");
	assert_string_equal("login", mapping_path(f->mapping, method("query_token")));
	assert_ptr_equal(method("query_token"), mapping_find(f->mapping, "login"));
	assert_null(mapping_find(f->mapping, "query_token"));
	assert_null(mapping_find(f->mapping, "check_charge_order"));
	assert_string_equal("check_charge_order", mapping_path(f->mapping, method("check_charge_orders")));
	assert_false(mapping_enabled(f->mapping, method("notification_stationInfo"), &platform));
	assert_true(mapping_enabled(f->mapping, method("notification_station_stats"), &platform));
	assert_false(mapping_enabled(f->mapping, method("query_station_stats"), &platform));
	assert_true(mapping_enabled(f->mapping, method("notification_charge_order_info_for_bonus"), &platform));
	assert_true(mapping_enabled(f->mapping, method("query_token"), &platform));
	assert_true(mapping_timing(f->mapping, TIMING_STATUS_RESEND_H, 3) == 6);
	assert_true(mapping_timing(f->mapping, TIMING_START_RESULT_S, -1) == 50.5);
	assert_true(mapping_timing(f->mapping, TIMING_CHARGE_STATUS_S, -1) == 50);
	assert_true(mapping_timing_item(f->mapping, TIMING_ORDER_RETRY_S, 0) == 15);
	assert_true(mapping_timing_item(f->mapping, TIMING_ORDER_RETRY_S, 9) == 30);
}

static void expect_tree(struct fixture *f, const char *name, enum message_part part, struct value *v, const char *json)
{
	struct value *got = NULL, *want = NULL;

	buffer_clear(&f->out);
	assert_int_equal(FC_OK, codec_encode(&f->codec, method(name), part, v, &f->arena, &f->out, &f->err));
	assert_int_equal(FC_OK, json_read(f->reader, f->out.data, f->out.len, &f->arena, &got, &f->err));
	assert_int_equal(FC_OK, json_read(f->reader, json, strlen(json), &f->arena, &want, &f->err));
	if (!value_equal(want, got))
		fail_msg("%s is not %s", f->out.data, json);
}

static void has(struct fixture *f, const char *piece)
{
	if (!strstr(f->out.data, piece))
		fail_msg("%s has no %s", f->out.data, piece);
}

/* Rename, add, drop, retype, restructure; number forms; context. */
static void test_outgoing_shapes(void **state)
{
	struct fixture *f = *state;
	struct arena *a = &f->arena;

	write_file(f, "lib", "helper", "return { upper = function(s) return string.upper(s) end }\n");
	must_load(f, "map = { notification_stationStatus = { request = function(m, ctx)\n"
		     "  local info = m.ConnectorStatusInfo\n"
		     "  return { ConnectorStatusInfos = { { connectorId = info.ConnectorID:sub(-2), "
		     "      Status = tostring(info.Status) } }, "
		     "    who = require(\"helper\").upper(ctx.operator_id .. ctx.platform_id .. ctx.platform .. "
		     "      ctx.method .. ctx.direction) }\n"
		     "end } }");
	expect_tree(f, "notification_stationStatus", MESSAGE_REQUEST, status_push(f),
		    "{\"ConnectorStatusInfos\":[{\"connectorId\":\"01\",\"Status\":\"3\"}],"
		    "\"who\":\"123456789987654321CITYNOTIFICATION_STATIONSTATUSOUT\"}");

	must_load(f, "map = { notification_charge_order_info = { request = function(m)\n"
		     "  m.TotalPower = fixed(m.TotalPower, 3)\n" /* prescribed: 10.000 */
		     "  m.TotalMoney = m.TotalMoney * 2\n"       /* a number of a known field: 2 decimals */
		     "  m.TotalElecMoney = tostring(m.TotalElecMoney)\n"
		     "  m.StopReason = 4 / 2\n" /* an integer field: 2, not 2.0 */
		     "  m.Int = 10 m.Float = 10.0 m.Fixed = fixed(10, 3)\n"
		     "  m.EmptyList = array{} m.EmptyObject = object{} m.Nothing = null m.Yes = true\n"
		     "  m.ChargeDetails = {}\n"
		     "  m.ServiceMoney, m.TotalSeviceMoney = fixed(m.TotalSeviceMoney, 2), nil\n"
		     "  return m end } }");
	struct value *order = value_object(a);
	(void)value_put(a, order, "TotalPower", value_decimal(a, 1000, 2));
	(void)value_put(a, order, "TotalMoney", value_decimal(a, 1250, 2));
	(void)value_put(a, order, "TotalElecMoney", value_int(a, 7));
	(void)value_put(a, order, "TotalSeviceMoney", value_decimal(a, 350, 2));
	buffer_clear(&f->out);
	assert_int_equal(FC_OK, codec_encode(&f->codec, method("notification_charge_order_info"), MESSAGE_REQUEST,
					     order, a, &f->out, &f->err));
	has(f, "\"TotalPower\":10.000");
	has(f, "\"TotalMoney\":25.00");
	has(f, "\"TotalElecMoney\":\"7\"");
	has(f, "\"StopReason\":2");
	assert_null(strstr(f->out.data, "\"StopReason\":2."));
	has(f, "\"Int\":10");
	assert_null(strstr(f->out.data, "\"Int\":10."));
	has(f, "\"Float\":10.0");
	has(f, "\"Fixed\":10.000");
	has(f, "\"EmptyList\":[]");
	has(f, "\"EmptyObject\":{}");
	has(f, "\"Nothing\":null");
	has(f, "\"Yes\":true");
	has(f, "\"ChargeDetails\":[]");
	has(f, "\"ServiceMoney\":3.50");
	assert_null(strstr(f->out.data, "Sevice"));
	assert_int_equal(0, mapping_failures(f->mapping));

	/* Passing a message through a function changes nothing of its standard form. */
	must_load(f, "map = { query_stations_info = { answer = function(m) return m end } }");
	struct value *answer = NULL;
	static const char json[] = "{\"PageNo\":1,\"PageCount\":1,\"ItemSize\":0,\"StationInfos\":[],\"Note\":{}}";
	assert_int_equal(FC_OK, json_read(f->reader, json, sizeof(json) - 1, a, &answer, &f->err));
	expect_tree(f, "query_stations_info", MESSAGE_ANSWER, answer, json);
	has(f, "\"StationInfos\":[]");
	has(f, "\"Note\":{}");
}

static void test_incoming(void **state)
{
	struct fixture *f = *state;
	struct value *v = NULL;
	int64_t i;

	must_load(f, "map = { query_stations_info = { request = function(m, ctx)\n"
		     "    assert(ctx.direction == \"in\")\n"
		     "    return { LastQueryTime = m.lastQueryTime, PageNo = m.pageNo, PageSize = 10.0 } end },\n"
		     "  notification_stationStatus = { answer = function(m) return { Status = m.status } end } }");
	assert_int_equal(FC_OK, decode(f, "query_stations_info", MESSAGE_REQUEST,
				       "{\"lastQueryTime\":\"2016-1-2 1:2:3\",\"pageNo\":\"7\"}", &v));
	assert_string_equal("2016-01-02 01:02:03", value_text(value_get(v, "LastQueryTime")));
	assert_int_equal(FC_OK, value_to_int(value_get(v, "PageNo"), &i));
	assert_int_equal(7, i);
	assert_int_equal(VALUE_INT, value_get(v, "PageSize")->type);
	assert_int_equal(FC_OK, decode(f, "notification_stationStatus", MESSAGE_ANSWER, "{\"status\":\"0\"}", &v));
	assert_int_equal(FC_OK, message_verdict(method("notification_stationStatus"), v, &i));
	assert_int_equal(0, i);
	/* What the function makes is checked like anything else. */
	assert_int_equal(FC_EINVAL, decode(f, "query_stations_info", MESSAGE_REQUEST, "{\"pageNo\":\"many\"}", &v));
	assert_string_equal("Data.PageNo: not an integer", f->err.text);
}

/* A failing function: the message goes on as it was, the failure is counted and names file and line. */
static void test_failures(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body, *says;
	} cases[] = {
	    {"error(\"no\")", "x.lua:"},
	    {"return m.Missing.Field", "x.lua:"},
	    {"return nil", "must return the message"},
	    {"return 5", "must return the message"},
	    {"return { 1, 2 }", "must return the message"},
	    {"m.ConnectorStatusInfo = nil while true do end", "x.lua"},
	    {"m.ConnectorStatusInfo = nil local t = {} while true do t[#t + 1] = (\"x\"):rep(1000) end", "x.lua"},
	    {"m.ConnectorStatusInfo = nil m.f = function() end return m", "x.lua"},
	    {"m.m = m return m", "x.lua"},
	};
	const struct mapping_context ctx = {"123456789", "987654321", "city"};
	char body[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value *in = status_push(f), *out = NULL;

		(void)snprintf(body, sizeof(body),
			       "map = { notification_stationStatus = { request = function(m)\n%s\nend } }",
			       cases[i].body);
		must_load(f, body);
		assert_int_equal(FC_ESCRIPT,
				 mapping_apply(f->mapping, method("notification_stationStatus"), MESSAGE_REQUEST,
					       MAPPING_OUT, in, &ctx, &f->arena, &out, &f->err));
		assert_ptr_equal(in, out);
		assert_int_equal(1, mapping_failures(f->mapping));
		if (!strstr(f->err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].body, f->err.text);
		expect_encoded(f, "notification_stationStatus", MESSAGE_REQUEST, status_push(f), PLAIN_PUSH);
		assert_int_equal(2, mapping_failures(f->mapping));
	}
	/* Incoming: the raw message is taken. */
	must_load(f, "map = { query_stations_info = { request = function(m) m.PageNo = 99 error(\"late\") end } }");
	struct value *v = NULL;
	int64_t page;
	assert_int_equal(FC_OK, decode(f, "query_stations_info", MESSAGE_REQUEST, "{\"PageNo\":3}", &v));
	assert_int_equal(FC_OK, value_to_int(value_get(v, "PageNo"), &page));
	assert_int_equal(3, page);
	/* The state is usable after a failure. */
	must_load(f, "map = { query_stations_info = { request = function(m) if m.PageNo == 1 then error(\"x\") end "
		     "m.PageNo = 8 return m end } }");
	assert_int_equal(FC_OK, decode(f, "query_stations_info", MESSAGE_REQUEST, "{\"PageNo\":1}", &v));
	assert_int_equal(FC_OK, decode(f, "query_stations_info", MESSAGE_REQUEST, "{\"PageNo\":2}", &v));
	assert_int_equal(FC_OK, value_to_int(value_get(v, "PageNo"), &page));
	assert_int_equal(8, page);
	assert_int_equal(1, mapping_failures(f->mapping));
}

/* What a description says, without Lua, is what the same function does when a script calls it. */
static void test_descriptions(void **state)
{
	struct fixture *f = *state;
	static const char *const maps[] = {
	    "local out = forecourt.reshape({ rename = { ConnectorID = \"gun\" }, first = \"lower\", add = { v = 1.5, "
	    "from = { 1, \"x\" } } })\n"
	    "local inward = forecourt.reshape({ first = \"upper\" })\n"
	    "return { " HEAD "map = { notification_stationStatus = { request = out, answer = inward } },\n"
	    "examples = { { call = \"map.notification_stationStatus.answer\", input = { status = 0 }, expect = { "
	    "Status = 0 } } } }",
	    "local out = forecourt.reshape({ rename = { ConnectorID = \"gun\" }, first = \"lower\", add = { v = 1.5, "
	    "from = { 1, \"x\" } } })\n"
	    "local inward = forecourt.reshape({ first = \"upper\" })\n"
	    "return { " HEAD "map = { notification_stationStatus = {\n"
	    "request = function(m) return out(m) end, answer = function(m) return inward(m) end } } }"};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct value *in = status_push(f), *out;

		write_file(f, "operators", "x", maps[i]);
		mapping_free(f->mapping);
		f->mapping = mapping_load(&(struct script_host){.lua_dir = f->dir}, "x", NULL, &f->err);
		if (!f->mapping)
			fail_msg("%s", f->err.text);
		f->codec.mapping = f->mapping;
		assert_int_equal(
		    script_is_described(mapping_script(f->mapping), "map.notification_stationStatus.request"), i == 0);
		const struct message *m = method("notification_stationStatus");
		assert_int_equal(mapping_apply(f->mapping, m, MESSAGE_REQUEST, MAPPING_OUT, in, &f->codec.context,
					       &f->arena, &out, &f->err),
				 FC_OK);
		buffer_clear(&f->out);
		assert_int_equal(json_write(&f->out, value_get(out, "connectorStatusInfo")), FC_OK);
		assert_string_equal(f->out.data, "{\"gun\":\"12345678901234567890123401\",\"status\":3}");
		assert_int_equal(value_get(out, "from")->count, 2);
		assert_true(value_get(out, "v")->f == 1.5);
		assert_int_equal(out->count, 3);
		/* The message itself is as it was: the recorder keeps both. */
		assert_non_null(value_get(value_get(in, "ConnectorStatusInfo"), "ConnectorID"));
		assert_int_equal(decode(f, "notification_stationStatus", MESSAGE_ANSWER, "{\"status\":0}", &out),
				 FC_OK);
		assert_int_equal(value_get(out, "Status")->i, 0);
		/* Of two that come to one name the last stays. */
		if (i == 0) {
			assert_int_equal(decode(f, "notification_stationStatus", MESSAGE_ANSWER,
						"{\"Status\":1,\"status\":0}", &out),
					 FC_OK);
			assert_int_equal(value_get(out, "Status")->i, 0);
			assert_int_equal(decode(f, "notification_stationStatus", MESSAGE_ANSWER,
						"{\"status\":1,\"Status\":0}", &out),
					 FC_OK);
			assert_int_equal(value_get(out, "Status")->i, 0);
			assert_int_equal(out->count, 1);
		}
	}
	assert_int_equal(mapping_failures(f->mapping), 0);
}

/* A number keeps the standard's form under another name, which a function can't know. */
static void test_described_forms(void **state)
{
	struct fixture *f = *state;
	struct value *v = value_object(&f->arena);

	must_load(f, "map = { query_equip_charge_status = { answer = forecourt.reshape({ rename = { SeviceMoney = "
		     "\"ServiceMoney\" }, add = { n = fixed(10, 3) } }) } }");
	assert_int_equal(value_put(&f->arena, v, "SeviceMoney", value_decimal(&f->arena, 150, 2)), FC_OK);
	expect_encoded(f, "query_equip_charge_status", MESSAGE_ANSWER, v, "{\"ServiceMoney\":1.50,\"n\":10.000}");
}

static void test_refused_files(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *file, *says;
	} cases[] = {
	    {"return {", "x.lua:"},
	    {"return 5", "x.lua"},
	    {"return { kind = \"operator\", name = \"x\" }", "forecourt: must be 1"},
	    {"return { forecourt = 2, kind = \"operator\", name = \"x\" }", "forecourt: must be 1"},
	    {"return { forecourt = 1, kind = \"profile\", name = \"x\" }", "kind: must be \"operator\""},
	    {"return { forecourt = 1, kind = \"operator\", name = \"y\" }", "name: must be"},
	    {"return { " HEAD "pahts = {} }", "pahts: unknown"},
	    {"return { " HEAD "paths = 5 }", "paths: must be a table"},
	    {"return { " HEAD "paths = { query_tokn = \"x\" } }", "paths.query_tokn: no such method"},
	    {"return { " HEAD "paths = { query_token = \"a/b\" } }", "paths.query_token: must be"},
	    {"return { " HEAD "paths = { query_token = \"..\" } }", "paths.query_token: must be"},
	    {"return { " HEAD "paths = { query_token = 5 } }", "paths.query_token: must be"},
	    {"return { " HEAD "paths = { query_token = \"query_station_status\" } }", "is the path of"},
	    {"return { " HEAD "methods = { query_tokn = true } }", "methods.query_tokn: no such method"},
	    {"return { " HEAD "methods = { query_token = 1 } }", "methods.query_token: must be true or false"},
	    {"return { " HEAD "methods = { \"query_token\" } }", "methods: must be"},
	    {"return { " HEAD "timing = { status_resend_h = \"3\" } }", "timing.status_resend_h: must be a number"},
	    {"return { " HEAD "timing = { status_resend_h = -1 } }", "timing.status_resend_h: must be a number"},
	    {"return { " HEAD "map = { query_tokn = {} } }", "map.query_tokn: no such method"},
	    {"return { " HEAD "map = { query_token = { requst = 5 } } }", "map.query_token: may hold nothing but"},
	    {"return { " HEAD "map = { query_token = 5 } }", "map.query_token: may hold nothing but"},
	    {"return { " HEAD "map = { query_token = function(m) return m end } }", "map.query_token: no function is"},
	    {"return { " HEAD "map = { query_token = { requst = function(m) return m end } } }",
	     "map.query_token.requst: no function is"},
	    {"return { " HEAD "constants = { { help = function(m) return m end } } }",
	     "constants[1].help: no function is"},
	    {"return { " HEAD "map = function() end }", "map: no function is"},
	    {"return { " HEAD "timing = function() end }", "timing: no function is"},
	    {"return { " HEAD "map = { query_token = { request = function(m) m.a = 2 return m end } },\n"
	     "examples = { { call = \"map.query_token.request\", input = { a = 1 }, expect = { a = 3 } } } }",
	     "x.lua"},
	    {"error(\"at load\")", "x.lua:1"},
	    {"local f = forecourt.reshape({ renames = {} })",
	     "x.lua:1: reshape: renames: unknown; known are rename, first, add"},
	    {"local f = forecourt.reshape({ rename = { a = 5 } })", "x.lua:1: reshape: rename.a: must be a name"},
	    {"local f = forecourt.reshape({ rename = { a = \"\" } })", "x.lua:1: reshape: rename.a: must be a name"},
	    {"local f = forecourt.reshape({ rename = 5 })", "x.lua:1: reshape: rename: must be a table"},
	    {"local f = forecourt.reshape({ first = \"Upper\" })", "x.lua:1: reshape: first: must be"},
	    {"local f = forecourt.reshape({ add = 5 })", "x.lua:1: reshape: add: must be a table"},
	    {"local f = forecourt.reshape()", "x.lua:1"},
	    {"local d = { first = \"upper\" } local f = forecourt.reshape(d) d.first = 5\n"
	     "return { " HEAD "map = { query_token = { request = f } } }",
	     "map.query_token.request: first: must be"},
	    {"return { " HEAD "map = { query_token = { request = forecourt.reshape({ first = \"upper\" }) } },\n"
	     "examples = { { call = \"map.query_token.request\", input = { a = 1 }, expect = { a = 1 } } } }",
	     "x.lua"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(f, "operators", "x", cases[i].file);
		f->err = (struct error){0};
		struct mapping *m = mapping_load(&(struct script_host){.lua_dir = f->dir}, "x", NULL, &f->err);
		if (m) {
			mapping_free(m);
			fail_msg("taken: %s", cases[i].file);
		}
		assert_true(f->err.code < 0);
		if (!strstr(f->err.text, cases[i].says) || !strstr(f->err.text, "x.lua"))
			fail_msg("%s\nsays: %s", cases[i].file, f->err.text);
	}
	static const char *const names[] = {"", "../x", "x.lua", "X", "a/b", "none"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(mapping_load(&(struct script_host){.lua_dir = f->dir}, names[i], NULL, &f->err));
	/* Good examples are taken. */
	must_load(
	    f, "map = { query_token = { request = function(m, ctx) m.a = m.a + 1 m.b = ctx.platform return m end } },\n"
	       "examples = { { call = \"map.query_token.request\", input = { a = 1 }, context = { platform = \"p\" }, "
	       "expect = { a = 2, b = \"p\" } } }");
}

/* Two mappings are two worlds, also of the same file. */
static void test_own_state(void **state)
{
	struct fixture *f = *state;
	const struct mapping_context ctx = {"123456789", "987654321", "city"};
	struct value *out = NULL;
	int64_t n;

	must_load(f, "map = { query_token = { request = (function() local n = 0 return function(m) n = n + 1 m.n = n "
		     "return m end end)() } }");
	struct mapping *other = mapping_load(&(struct script_host){.lua_dir = f->dir}, "x", NULL, &f->err);
	assert_non_null(other);
	for (int i = 0; i < 3; i++)
		assert_int_equal(FC_OK, mapping_apply(f->mapping, method("query_token"), MESSAGE_REQUEST, MAPPING_OUT,
						      value_object(&f->arena), &ctx, &f->arena, &out, &f->err));
	assert_int_equal(FC_OK, value_to_int(value_get(out, "n"), &n));
	assert_int_equal(3, n);
	assert_int_equal(FC_OK, mapping_apply(other, method("query_token"), MESSAGE_REQUEST, MAPPING_OUT,
					      value_object(&f->arena), &ctx, &f->arena, &out, &f->err));
	assert_int_equal(FC_OK, value_to_int(value_get(out, "n"), &n));
	assert_int_equal(1, n);
	assert_string_equal(mapping_hash(f->mapping), mapping_hash(other));
	mapping_free(other);
	mapping_free(NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_no_mapping),
	    TEST(test_changes_nothing),
	    TEST(test_paths_methods_timing),
	    TEST(test_no_mapping),
	    TEST(test_a_script_sees_no_secret),
	    TEST(test_paths_methods_timing),
	    TEST(test_outgoing_shapes),
	    TEST(test_incoming),
	    TEST(test_failures),
	    TEST(test_descriptions),
	    TEST(test_described_forms),
	    TEST(test_refused_files),
	    TEST(test_own_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
