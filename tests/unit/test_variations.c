/* Field variations (protocol.md, section 3) that the C side copes with, each under its number: where a platform calls us, what of
 * its oddness passes, and where we must answer oddly ourselves. The Lua side's are the examples in lua/operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "folder.h"
#include "server_fixture.h"

/* Gives platform "city" a mapping whose file holds body. */
static void use_mapping(struct fixture *f, const char *body)
{
	char dir[64], path[96];
	struct error err = {0};

	folder_make(dir, sizeof(dir), "variations");
	(void)snprintf(path, sizeof(path), "%s/operators", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/operators/x.lua", dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "return { forecourt = 1, kind = \"operator\", name = \"x\", %s }\n", body) > 0);
	assert_int_equal(fclose(file), 0);
	struct mapping *mapping = mapping_load(&(struct script_host){.lua_dir = dir}, "x", NULL, &err);
	folder_remove(dir);
	if (!mapping)
		fail_msg("%s", err.text);
	mapping_free(f->platforms[0]->mapping);
	f->platforms[0]->mapping = mapping;
}

/* A request whose envelope the test writes: fields between Data and Sig as JSON, and what of them is signed. */
static int call_odd(struct fixture *f, const char *keys, const char *json, const char *stamp_json, const char *stamp,
		    const char *seq_json, const char *seq)
{
	struct buffer data;
	char sig[ENVELOPE_SIG_SIZE];
	int lower = keys[0] == 'o';

	buffer_init(&data, 65536);
	assert_int_equal(envelope_encrypt(&f->keys, json, strlen(json), &data), FC_OK);
	const struct envelope_part parts[] = {
	    {"987654321", 9}, {data.data, data.len}, {stamp, strlen(stamp)}, {seq, strlen(seq)}};
	assert_int_equal(envelope_hmac("1234567890abcdef", 16, parts, 4, sig), FC_OK);
	buffer_clear(&f->request);
	assert_int_equal(
	    buffer_printf(&f->request,
			  lower ? "{\"operatorID\":\"987654321\",\"data\":\"%s\",\"timeStamp\":%s,\"seq\":%s,"
				  "\"sig\":\"%s\"}"
				: "{\"OperatorID\":\"987654321\",\"Data\":\"%s\",\"TimeStamp\":%s,\"Seq\":%s,"
				  "\"Sig\":\"%s\"}",
			  data.data, stamp_json, seq_json, sig),
	    FC_OK);
	buffer_fini(&data);
	f->http.path = "/evcs/v20160701/query_stations_info";
	return send_body(f, f->request.data, f->request.len);
}

static void v2_ret_as_text(void **state)
{
	struct fixture *f = *state;

	f->set.platform[0].ret_as_text = 1;
	log_in(f);
	assert_non_null(strstr(f->response.body.data, "{\"Ret\":\"0\","));
	assert_int_equal(f->envelope.sig_ok, 1);
	assert_int_equal(call(f, "query_stations_info", "{\"PageNo\":0}"), RET_PARAMETER);
	assert_non_null(strstr(f->response.body.data, "{\"Ret\":\"4004\","));
	assert_int_equal(f->envelope.sig_ok, 1);
}

/* The answer's body as it is. */
static const char *ask_bare(struct fixture *f, const char *body)
{
	f->http.path = "/evcs/v20160701/query_station_status";
	f->http.body = body;
	f->http.body_len = strlen(body);
	buffer_clear(&f->response.body);
	f->response.status = 200;
	server_answer(&f->routes, &f->http, &f->response);
	assert_int_equal(f->response.status, 200);
	return f->response.body.data;
}

static void v5_bare_calls(void **state)
{
	struct fixture *f = *state;
	static const char question[] = "{\"StationIDs\":[\"S1\"]}";

	use_mapping(f, "plain = { query_station_status = true }, map = { query_station_status = { answer = function(m) "
		       "return { ret = 0, msg = \"\", data = { total = m.Total } } end } }");
	assert_string_equal(ask_bare(f, question), "{\"data\":{\"total\":1},\"msg\":\"\",\"ret\":0}");
	/* A refusal has nothing to sign with, and says why. */
	assert_int_equal(send_body(f, "{}", 2), RET_PARAMETER);
	assert_string_equal(f->envelope.msg, "Data.StationIDs: missing");
	assert_non_null(strstr(f->response.body.data, "\"Sig\":\"\""));
	assert_int_equal(send_body(f, "no", 2), RET_PARAMETER);
	/* The other methods go on as ever, */
	f->http.path = "/evcs/v20160701/query_stations_info";
	assert_int_equal(send_body(f, "{}", 2), RET_TOKEN);
	/* a stranger can't use up the rate of those who prove who they are, */
	log_in(f);
	f->set.platform[0].rate_per_s = 2;
	f->platforms[0]->rate = (struct platform_rate){0};
	int busy = 0;
	f->http.path = "/evcs/v20160701/query_station_status";
	f->response.headers = NULL;
	for (int i = 0; i < 10; i++)
		busy += send_body(f, "{}", 2) == RET_BUSY;
	assert_true(busy > 0);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	f->set.platform[0].rate_per_s = 1000;
	f->platforms[0]->plain_rate = (struct platform_rate){0};
	/* and a certificate is still asked for. */
	f->set.platform[0].client_name = "city.example";
	f->http.path = "/evcs/v20160701/query_station_status";
	assert_int_equal(send_body(f, question, sizeof(question) - 1), RET_TOKEN);
	f->http.peer_name = "city.example";
	assert_non_null(strstr(ask_bare(f, question), "\"total\":1"));
}

/* Two sections on one path: only one of them does without an envelope. */
static void v5_bare_calls_on_a_shared_path(void **state)
{
	struct fixture *f = *state;

	f->set.platform[1].path = f->set.platform[0].path;
	use_mapping(f, "plain = { query_station_status = true }");
	assert_non_null(strstr(ask_bare(f, "{\"StationIDs\":[\"S1\"]}"), "\"StationStatusInfos\":[{"));
	assert_int_equal(f->platforms[0]->counters.answered, 1);
	/* An envelope in the other's name is the other's. */
	seal(f, "987654322", "{\"StationIDs\":[\"S2\"]}");
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_TOKEN);
	assert_int_equal(f->platforms[1]->counters.refused, 1);
}

static void v5_names_in_lower_camel_case(void **state)
{
	struct fixture *f = *state;
	struct envelope_response r;
	char sig[ENVELOPE_SIG_SIZE], body[160];
	static const struct envelope_part parts[] = {{"0ok", 3}};
	const char *msg;

	log_in(f);
	assert_int_equal(call_odd(f, "operatorID", "{}", "\"20260101000000\"", "20260101000000", "\"0001\"", "0001"),
			 RET_OK);
	assert_int_equal(envelope_hmac("1234567890abcdef", 16, parts, 1, sig), FC_OK);
	int n = snprintf(body, sizeof(body), "{\"ret\":0,\"msg\":\"ok\",\"data\":\"\",\"sig\":\"%s\"}", sig);
	assert_int_equal(
	    envelope_open_response(&f->keys, f->reader, CONFIG_SIG_STRICT, body, (size_t)n, &f->arena, &r, NULL),
	    FC_OK);
	assert_string_equal(r.msg, "ok");
	/* The standard's own name goes first. */
	static const char both[] = "{\"ret\":0,\"Ret\":4004,\"Msg\":\"no\"}";
	assert_int_equal(envelope_open_response(&f->keys, f->reader, CONFIG_SIG_SUCCESS, both, sizeof(both) - 1,
						&f->arena, &r, NULL),
			 FC_OK);
	assert_int_equal(r.ret, 4004);
	/* Bodies without envelope. */
	static const struct {
		const char *json;
		int ret;
		const char *msg;
	} bodies[] = {{"{\"Status\":0}", RET_OK, ""},
		      {"{\"ret\":\"4001\",\"msg\":\"bad\"}", RET_SIGNATURE, "bad"},
		      {"{\"ret\":{},\"msg\":5}", RET_SYSTEM, ""},
		      {"{\"ret\":99999999999}", RET_SYSTEM, ""},
		      {"[1]", RET_OK, ""}};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct value *v = NULL;

		assert_int_equal(json_read(f->reader, bodies[i].json, strlen(bodies[i].json), &f->arena, &v, NULL),
				 FC_OK);
		assert_int_equal(envelope_plain_ret(v, &msg), bodies[i].ret);
		assert_string_equal(msg, bodies[i].msg);
	}
	assert_int_equal(envelope_plain_ret(NULL, &msg), RET_OK);
}

static void v9_dates_with_a_time_of_day(void **state)
{
	struct fixture *f = *state;

	log_in(f);
	assert_int_equal(
	    call(f, "query_station_stats",
		 "{\"StationID\":\"S1\",\"StartTime\":\"2026-03-01 00:00:00\",\"EndTime\":\"2026-3-7 23:59:59\"}"),
	    RET_OK);
	assert_non_null(strstr(f->envelope.plain, "\"EndTime\":\"2026-03-07\""));
}

static void v10_prefixes(void **state)
{
	struct fixture *f = *state;
	static const char *const prefixes[] = {"/evcs/20160701",   "/evcs/v1.0",
					       "/shevcs/v1.0",     "/evcs/sdk",
					       "/web/province/v1", "/api/6fa459ea-ee8a-3ca4-894e-db77e160355e"};

	log_in(f);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		f->set.platform[0].path = prefixes[i];
		f->http.path = path_of(f, prefixes[i], "query_stations_info");
		seal(f, "987654321", "{}");
		assert_int_equal(send_body(f, f->request.data, f->request.len), RET_OK);
	}
	/* One method elsewhere than the others, and one on a path without any name of a method. */
	f->set.platform[0].path = "/evcs/v20160701";
	use_mapping(f, "paths = { query_stations_info = \"/shevcs/v1.0/query_stations_info\", query_station_status = "
		       "\"/api/6fa459ea\" }");
	log_in(f);
	f->http.path = "/shevcs/v1.0/query_stations_info";
	seal(f, "987654321", "{}");
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_OK);
	f->http.path = "/api/6fa459ea";
	seal(f, "987654321", "{\"StationIDs\":[\"S1\"]}");
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_OK);
	assert_int_equal(call(f, "query_stations_info", "{}"), -1404);
	assert_int_equal(call(f, "query_station_stats",
			      "{\"StationID\":\"S1\",\"StartTime\":\"2026-03-01\",\"EndTime\":\"2026-03-07\"}"),
			 RET_OK);
	f->http.path = "/shevcs/v1.0/query_station_stats";
	assert_int_equal(send_body(f, f->request.data, f->request.len), -1404);
}

static void v12_tokens_in_other_case(void **state)
{
	struct fixture *f = *state;

	log_in(f);
	for (char *c = f->authorization + 7; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	f->platforms[0]->tokens.any_case = 1;
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	f->authorization[10] = f->authorization[10] == 'Q' ? 'R' : 'Q';
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	f->authorization[12] = '\0';
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
}

/* 13: whoever pages by PageCount, or until an empty page, comes to an end. */
static void v13_pages_end(void **state)
{
	struct fixture *f = *state;
	int64_t page = 0, pages = 1;
	char json[64];

	log_in(f);
	while (page < pages) {
		(void)snprintf(json, sizeof(json), "{\"PageNo\":%lld,\"PageSize\":2}", (long long)++page);
		assert_int_equal(call(f, "query_stations_info", json), RET_OK);
		assert_int_equal(answer_int(f, "PageNo"), page);
		pages = answer_int(f, "PageCount");
	}
	assert_int_equal(page, 2);
	assert_int_equal(call(f, "query_stations_info", "{\"PageNo\":3,\"PageSize\":2}"), RET_OK);
	assert_int_equal(answer_int(f, "PageNo"), 3);
	assert_non_null(strstr(f->envelope.plain, "\"StationInfos\":[]"));
}

/* The fixture's secrets are one text for key, initial vector and signature, in both directions. */
static void v14_one_secret_for_all(void **state)
{
	struct fixture *f = *state;

	log_in(f);
	assert_string_equal(f->set.platform[0].ours.data_secret, f->set.platform[0].ours.data_secret_iv);
	assert_string_equal(f->set.platform[0].ours.data_secret, f->set.platform[0].theirs.data_secret);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	/* What we sign is in capitals, for those who compare with case. */
	const char *sig = strstr(f->response.body.data, "\"Sig\":\"");
	assert_non_null(sig);
	assert_int_equal(strspn(sig + 7, "0123456789ABCDEF"), 32);
}

static void v16_v17_time_stamps_and_seq(void **state)
{
	struct fixture *f = *state;

	log_in(f);
	for (int i = 0; i < 3; i++) { /* Seq always 0001 */
		assert_int_equal(call_odd(f, "O", "{}", "\"20260101000000\"", "20260101000000", "\"0001\"", "0001"),
				 RET_OK);
		assert_int_equal(call_odd(f, "O", "{}", "\"202601010000\"", "202601010000", "\"0001\"", "0001"),
				 RET_OK);
		assert_int_equal(call_odd(f, "O", "{}", "\"1767196800000\"", "1767196800000", "\"0001\"", "0001"),
				 RET_OK);
		assert_int_equal(call_odd(f, "O", "{}", "1767196800000", "1767196800000", "1", "1"), RET_OK);
	}
	assert_int_equal(call_odd(f, "O", "{}", "\"2026\"", "2026", "\"0001\"", "0001"), RET_ENVELOPE);
	assert_int_equal(call_odd(f, "O", "{}", "-176719680000", "-176719680000", "1", "1"), RET_ENVELOPE);
	assert_int_equal(call_odd(f, "O", "{}", "1.5", "1.5", "1", "1"), RET_ENVELOPE);
}

static void expect_written(const struct codec *codec, const char *text, const char *json)
{
	struct arena arena;
	struct buffer out;

	arena_init(&arena, 65536);
	buffer_init(&out, 65536);
	struct value *v = value_object(&arena);
	assert_int_equal(value_put(&arena, v, text, value_string(&arena, text)), FC_OK);
	assert_int_equal(codec_encode(codec, message_find("query_token"), MESSAGE_REQUEST, v, &arena, &out, NULL),
			 FC_OK);
	assert_string_equal(out.data, json);
	buffer_fini(&out);
	arena_fini(&arena);
}

static void v26_nothing_beyond_ascii(void **state)
{
	struct fixture *f = *state;

	f->set.platform[0].ascii_json = 1;
	const struct codec codec = platform_codec(f->platforms[0]);
	expect_written(&codec, "a\n\xC3\xA9", "{\"a\\n\\u00e9\":\"a\\n\\u00e9\"}");
	expect_written(&codec, "\xE7\xAB\x99", "{\"\\u7ad9\":\"\\u7ad9\"}");
	expect_written(&codec, "\xF0\x9F\x94\x8B", "{\"\\ud83d\\udd0b\":\"\\ud83d\\udd0b\"}");
	expect_written(&codec, "x\xFFy", "{\"x\\ufffdy\":\"x\\ufffdy\"}");
	f->set.platform[0].ascii_json = 0;
	const struct codec usual = platform_codec(f->platforms[0]);
	expect_written(&usual, "\xE7\xAB\x99", "{\"\xE7\xAB\x99\":\"\xE7\xAB\x99\"}");
	/* On the wire, read back by the reader of any other platform. */
	f->set.platform[0].ascii_json = 1;
	f->set.station[0].station_name = "\xE7\xAB\x99";
	log_in(f);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	for (size_t i = 0; i < f->envelope.plain_len; i++)
		assert_true((unsigned char)f->envelope.plain[i] < 0x80);
	assert_non_null(strstr(f->envelope.plain, "\"StationName\":\"\\u7ad9\""));
}

static void v27_life_as_float_and_one_live_token(void **state)
{
	struct fixture *f = *state;
	char first[sizeof(f->authorization)];

	token_server_options(&f->platforms[0]->tokens, 7200, 0);
	use_mapping(f, "map = { query_token = { answer = function(m) m.TokenAvailableTime = "
		       "fixed(m.TokenAvailableTime, 1) return m end } }");
	log_in(f);
	assert_non_null(strstr(f->envelope.plain, "\"TokenAvailableTime\":7200.0"));
	(void)snprintf(first, sizeof(first), "%s", f->authorization);
	log_in(f);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	(void)snprintf(f->authorization, sizeof(f->authorization), "%s", first);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
}

/* 28: serials as numbers lose no digit on their way in. */
static void v28_long_numbers(void **state)
{
	struct fixture *f = *state;
	const struct codec codec = platform_codec(f->platforms[0]);
	struct value *v = NULL;
	static const char json[] =
	    "{\"StartChargeSeq\":12345678901234567890,\"ConnectorID\":\"a\\\"1234567890123456\\\\\","
	    "\"QRCode\":123456789012345,\"a\":[-12345678901234567,1.2345678901234567,1e20,"
	    "1234567890123456],\"b\":1}";

	assert_int_equal(codec_decode(&codec, message_find("query_start_charge"), MESSAGE_REQUEST, json,
				      sizeof(json) - 1, &f->arena, &v, NULL),
			 FC_OK);
	assert_string_equal(value_text(value_get(v, "StartChargeSeq")), "12345678901234567890");
	assert_string_equal(value_text(value_get(v, "ConnectorID")), "a\"1234567890123456\\");
	assert_string_equal(value_text(value_get(v, "QRCode")), "123456789012345");
	const struct value *list = value_get(v, "a");
	assert_int_equal(list->count, 4);
	assert_int_equal(list->first->type, VALUE_FLOAT);
	assert_int_equal(list->last->type, VALUE_STRING);
	assert_string_equal(list->last->text, "1234567890123456");
	/* Found wherever it stands, and only when it is long enough. */
	for (int before = 0; before < 40; before++) {
		for (int digits = 14; digits < 34; digits++) {
			char text[128], number[40];

			(void)snprintf(number, sizeof(number), "%.*s", digits,
				       "1234567890123456789012345678901234567890");
			(void)snprintf(text, sizeof(text),
				       "{%*s\"QRCode\":%s,\"StartChargeSeq\":\"1\",\"ConnectorID\":\"2\"}", before, "",
				       number);
			assert_int_equal(codec_decode(&codec, message_find("query_start_charge"), MESSAGE_REQUEST, text,
						      strlen(text), &f->arena, &v, NULL),
					 FC_OK);
			assert_string_equal(value_text(value_get(v, "QRCode")), number);
		}
	}
	/* Whatever the text, nothing is read beyond its end. */
	for (size_t len = 0; len < sizeof(json); len++) {
		char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, json, len);
		(void)codec_decode(&codec, message_find("query_start_charge"), MESSAGE_REQUEST, copy, len, &f->arena,
				   &v, NULL);
		free(copy);
	}
}

static void v29_credit_code(void **state)
{
	struct fixture *f = *state;
	static const char code[] = "91110105MA01234567";

	f->set.platform[0].operator_id = code;
	seal(f, code, "{\"OperatorID\":\"91110105MA01234567\",\"OperatorSecret\":\"our-secret\"}");
	f->http.path = "/evcs/v20160701/query_token";
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_OK);
	assert_int_equal(answer_int(f, "SuccStat"), 0);
	assert_string_equal(answer_text(f, "OperatorID"), code);
}

static void v30_methods_off(void **state)
{
	struct fixture *f = *state;

	use_mapping(f, "methods = { query_station_stats = false, notification_stationStatus = false }");
	log_in(f);
	assert_int_equal(call(f, "query_station_stats",
			      "{\"StationID\":\"S1\",\"StartTime\":\"2026-03-01\",\"EndTime\":\"2026-03-07\"}"),
			 -1404);
	assert_false(mapping_enabled(f->platforms[0]->mapping, message_find("notification_stationStatus"),
				     f->platforms[0]->options));
}

/* What a file may not ask for. */
static void refused_files(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body, *says;
	} cases[] = {
	    {"plain = 5", "plain: must be a table"},
	    {"plain = { query_tokn = true }", "plain.query_tokn: no such method"},
	    {"plain = { query_station_status = 1 }", "plain.query_station_status: must be true or false"},
	    {"plain = { query_token = true }", "plain.query_token: this call must prove"},
	    {"plain = { query_start_charge = true }", "plain.query_start_charge: this call must prove"},
	    {"plain = { query_stop_charge = true }", "plain.query_stop_charge: this call must prove"},
	    {"paths = { query_token = \"/\" }", "paths.query_token: must be"},
	    {"paths = { query_token = \"/a//b\" }", "paths.query_token: must be"},
	    {"paths = { query_token = \"/a/\" }", "paths.query_token: must be"},
	    {"paths = { query_token = \"/a/../b\" }", "paths.query_token: must be"},
	    {"paths = { query_token = \"/a b\" }", "paths.query_token: must be"},
	    {"paths = { query_token = \"/a?b\" }", "paths.query_token: must be"},
	    {"paths = { query_token = \"/a\", query_station_status = \"/a\" }", "is the path of"},
	};
	char dir[64], path[96];

	(void)f;
	folder_make(dir, sizeof(dir), "variations");
	(void)snprintf(path, sizeof(path), "%s/operators", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/operators/x.lua", dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = {0};
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_true(fprintf(file, "return { forecourt = 1, kind = \"operator\", name = \"x\", %s }\n",
				    cases[i].body) > 0);
		assert_int_equal(fclose(file), 0);
		assert_null(mapping_load(&(struct script_host){.lua_dir = dir}, "x", NULL, &err));
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].body, err.text);
	}
	folder_remove(dir);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(v2_ret_as_text),
	    TEST(v5_bare_calls),
	    TEST(v5_bare_calls_on_a_shared_path),
	    TEST(v5_names_in_lower_camel_case),
	    TEST(v9_dates_with_a_time_of_day),
	    TEST(v10_prefixes),
	    TEST(v12_tokens_in_other_case),
	    TEST(v13_pages_end),
	    TEST(v14_one_secret_for_all),
	    TEST(v16_v17_time_stamps_and_seq),
	    TEST(v26_nothing_beyond_ascii),
	    TEST(v27_life_as_float_and_one_live_token),
	    TEST(v28_long_numbers),
	    TEST(v29_credit_code),
	    TEST(v30_methods_off),
	    TEST(refused_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
