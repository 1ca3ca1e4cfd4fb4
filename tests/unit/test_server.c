#include "upstream/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server_fixture.h"

static void login_and_question(void **state)
{
	struct fixture *f = *state;

	log_in(f);
	assert_int_equal(call(f, "query_stations_info", "{\"PageNo\":1,\"PageSize\":2}"), RET_OK);
	assert_int_equal(f->envelope.sig_ok, 1);
	assert_int_equal(answer_int(f, "ItemSize"), 3);
	assert_int_equal(call(f, "query_station_status", "{\"StationIDs\":[\"S1\"]}"), RET_OK);
	assert_int_equal(answer_int(f, "Total"), 1);
	assert_int_equal(call(f, "query_station_stats",
			      "{\"StationID\":\"S1\",\"StartTime\":\"2026-03-01\",\"EndTime\":\"2026-03-07\"}"),
			 RET_OK);
	assert_int_equal(f->platforms[0]->counters.answered, 4);
	assert_int_equal(f->platforms[0]->counters.refused, 0);
	assert_int_equal(f->platforms[0]->times.count, 4);
	/* The schema decides the form: an empty list is a list. */
	assert_int_equal(call(f, "query_stations_info", "{\"PageNo\":9}"), RET_OK);
	assert_non_null(strstr(f->envelope.plain, "\"StationInfos\":[]"));
}

static void refused_logins(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "query_token", "{\"OperatorID\":\"987654321\",\"OperatorSecret\":\"their-secret\"}"),
			 RET_OK);
	assert_int_equal(answer_int(f, "SuccStat"), 1);
	assert_int_equal(answer_int(f, "FailReason"), 2);
	assert_string_equal(answer_text(f, "AccessToken"), "");
	assert_int_equal(call(f, "query_token", "{\"OperatorID\":\"000000000\",\"OperatorSecret\":\"our-secret\"}"),
			 RET_OK);
	assert_int_equal(answer_int(f, "FailReason"), 1);
	assert_int_equal(call(f, "query_token", "{\"OperatorID\":\"987654321\"}"), RET_PARAMETER);
	assert_string_equal(f->envelope.msg, "Data.OperatorSecret: missing");
}

static void paths_and_methods(void **state)
{
	struct fixture *f = *state;

	log_in(f);
	assert_int_equal(call(f, "query_nothing", "{}"), -1404);
	/* One that we call, and one of Part 3 that is off. */
	assert_int_equal(call(f, "notification_stationStatus", "{}"), -1404);
	assert_int_equal(call(f, "query_start_charge", "{}"), -1404);
	assert_int_equal(call(f, "Query_Stations_Info", "{}"), -1404);
	assert_int_equal(call(f, "query_stations_info/", "{}"), -1404);
	seal(f, "987654321", "{}");
	static const char *const paths[] = {"",
					    "/",
					    "query_stations_info",
					    "/query_stations_info",
					    "/evcs/v2016070/query_stations_info",
					    "/evcs/v20160701//query_stations_info"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		f->http.path = paths[i];
		assert_int_equal(send_body(f, f->request.data, f->request.len), -1404);
	}
	f->http.path = "/evcs/v20160701/query_stations_info";
	f->http.method = "GET";
	assert_int_equal(send_body(f, "", 0), -1405);
	f->http.method = "POST";
	/* Another port's section. */
	f->routes.listen = "other";
	assert_int_equal(send_body(f, f->request.data, f->request.len), -1404);
	f->routes.listen = "public";
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_OK);
	/* A configured prefix may end with a slash. */
	f->http.path = "/second/query_stations_info";
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_TOKEN);
}

static void missing_and_wrong_tokens(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	assert_int_equal(f->envelope.sig_ok, 1);
	assert_null(f->envelope.plain);
	f->set.platform[0].missing_token_ret = 4003;
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_ENVELOPE);
	(void)snprintf(f->authorization, sizeof(f->authorization), "Bearer nonsense");
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	log_in(f);
	/* One platform's token is nothing to another. */
	f->http.path = "/second/query_stations_info";
	seal(f, "987654322", "{}");
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_TOKEN);
	/* Expired. */
	f->platforms[0]->tokens.live[0].expires_ms = clock_mono_ms() - 1;
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
}

/* protocol.md 1.8: Bearer -> five fields -> Sig -> decrypt -> parameters; each message breaks everything behind its check. */
static void order_of_checks(void **state)
{
	struct fixture *f = *state;
	static const char bad_sig[] =
	    "{\"OperatorID\":\"987654321\",\"Data\":\"AAAA\",\"TimeStamp\":\"20260101000000\","
	    "\"Seq\":\"0001\",\"Sig\":\"00000000000000000000000000000000\"}";

	f->http.path = "/evcs/v20160701/query_stations_info";
	assert_int_equal(send_body(f, "{}", 2), RET_TOKEN);
	log_in(f);
	f->http.path = "/evcs/v20160701/query_stations_info";
	assert_int_equal(send_body(f, "{}", 2), RET_ENVELOPE);
	assert_string_equal(f->envelope.msg, "OperatorID: missing");
	assert_int_equal(send_body(f, bad_sig, sizeof(bad_sig) - 1), RET_SIGNATURE);
	assert_int_equal(f->envelope.sig_ok, 1);
	assert_int_equal(call(f, "query_stations_info", "{\"PageNo\":0}"), RET_PARAMETER);
	/* Signed by the right key under somebody else's name. */
	seal(f, "000000000", "{}");
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_ENVELOPE);
}

/* Whatever makes Data unreadable, the answer is the same to the byte. */
static void undecryptable_data_tells_nothing(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"QUJD", "!!!!", "QUJDREVGR0hJSktMTU5PUA==", "QUJDREVGR0hJSktMTU5PUFFSU1Q="};
	char sig[ENVELOPE_SIG_SIZE], body[512], first[512] = "";

	log_in(f);
	f->http.path = "/evcs/v20160701/query_stations_info";
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct envelope_part parts[] = {
		    {"987654321", 9}, {texts[i], strlen(texts[i])}, {"20260101000000", 14}, {"0001", 4}};

		assert_int_equal(envelope_hmac("1234567890abcdef", 16, parts, 4, sig), FC_OK);
		int n = snprintf(body, sizeof(body),
				 "{\"OperatorID\":\"987654321\",\"Data\":\"%s\",\"TimeStamp\":\"20260101000000\","
				 "\"Seq\":\"0001\",\"Sig\":\"%s\"}",
				 texts[i], sig);
		assert_int_equal(send_body(f, body, (size_t)n), RET_PARAMETER);
		if (!i)
			(void)snprintf(first, sizeof(first), "%s", f->response.body.data);
		assert_string_equal(f->response.body.data, first);
	}
	/* Right padding, but no JSON: same words. */
	assert_int_equal(call(f, "query_stations_info", "not json"), RET_PARAMETER);
	assert_string_equal(f->response.body.data, first);
}

static void error_data_option(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	assert_non_null(strstr(f->response.body.data, "\"Data\":\"\""));
	f->set.platform[0].error_data = CONFIG_DATA_NULL;
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	assert_non_null(strstr(f->response.body.data, "\"Data\":null"));
	f->set.platform[0].error_data = CONFIG_DATA_ABSENT;
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	assert_null(strstr(f->response.body.data, "\"Data\""));
	f->set.platform[0].error_data = CONFIG_DATA_OBJECT;
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
	assert_string_equal(f->envelope.plain, "{}");
	assert_int_equal(f->envelope.sig_ok, 1);
}

static void shared_path(void **state)
{
	struct fixture *f = *state;

	f->set.platform[1].path = f->set.platform[0].path;
	log_in(f);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	assert_int_equal(answer_int(f, "ItemSize"), 3);
	/* The other platform by its own name: its own world, without a token there. */
	seal(f, "987654322", "{}");
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_TOKEN);
	assert_int_equal(f->platforms[1]->counters.refused, 1);
	/* Told by the token when the envelope is unreadable. */
	assert_int_equal(send_body(f, "[", 1), RET_ENVELOPE);
	assert_int_equal(f->envelope.sig_ok, 1);
	/* Nobody's. */
	f->authorization[0] = '\0';
	seal(f, "000000000", "{}");
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_ENVELOPE);
	assert_int_equal(f->envelope.sig_ok, 0);
	assert_non_null(strstr(f->response.body.data, "\"Sig\":\"\""));
}

static void client_certificate_name(void **state)
{
	struct fixture *f = *state;

	f->set.platform[0].client_name = "city.example";
	assert_int_equal(call(f, "query_token", "{\"OperatorID\":\"987654321\",\"OperatorSecret\":\"our-secret\"}"),
			 RET_TOKEN);
	f->http.peer_name = "other.example";
	assert_int_equal(call(f, "query_token", "{\"OperatorID\":\"987654321\",\"OperatorSecret\":\"our-secret\"}"),
			 RET_TOKEN);
	f->http.peer_name = "city.example";
	log_in(f);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	f->http.peer_name = "other.example";
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_TOKEN);
}

static void rate_is_limited_per_platform(void **state)
{
	struct fixture *f = *state;
	int busy = 0, good = 0;

	log_in(f);
	f->set.platform[0].rate_per_s = 2;
	f->platforms[0]->rate = (struct platform_rate){0};
	for (int i = 0; i < 20; i++) {
		int ret = call(f, "query_station_status", "{\"StationIDs\":[\"S2\"]}");

		busy += ret == RET_BUSY;
		good += ret == RET_OK;
	}
	assert_int_equal(busy + good, 20);
	assert_true(good >= 2);
	/* Those without our key get nowhere near the bucket. */
	f->platforms[0]->rate = (struct platform_rate){0};
	for (int i = 0; i < 20; i++)
		(void)send_body(f, "{}", 2);
	assert_int_equal(f->platforms[0]->rate.filled_ms, 0);
}

static void bucket_fills_steadily(void **state)
{
	struct platform_rate rate = {0};
	(void)state;

	for (int i = 0; i < 5; i++)
		assert_true(platform_rate_take(&rate, 5, 1000));
	assert_false(platform_rate_take(&rate, 5, 1000));
	assert_false(platform_rate_take(&rate, 5, 1199));
	assert_true(platform_rate_take(&rate, 5, 1200));
	assert_false(platform_rate_take(&rate, 5, 1201));
	/* A long rest gives one second's worth, not more. */
	for (int i = 0; i < 5; i++)
		assert_true(platform_rate_take(&rate, 5, 900000));
	assert_false(platform_rate_take(&rate, 5, 900000));
}

static void time_stamp_window(void **state)
{
	struct fixture *f = *state;
	struct envelope_sequence old = {0};

	log_in(f);
	f->http.path = "/evcs/v20160701/query_stations_info";
	buffer_clear(&f->request);
	assert_int_equal(
	    envelope_seal_request(&f->keys, "987654321", &old, clock_wall() - 3600, "{}", 2, &f->request, NULL), FC_OK);
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_OK);
	f->set.platform[0].replay_window_s = 300;
	/* Judged only while our own clock is to be trusted. */
	assert_int_equal(send_body(f, f->request.data, f->request.len), clock_wall_trusted() ? RET_ENVELOPE : RET_OK);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
}

/* A question may be repeated to the byte: many clients do (protocol.md 1.9). */
static void identical_questions_are_answered(void **state)
{
	struct fixture *f = *state;

	log_in(f);
	assert_int_equal(call(f, "query_stations_info", "{}"), RET_OK);
	assert_int_equal(send_body(f, f->request.data, f->request.len), RET_OK);
}

/* Any damage to a good message gets some answer: one byte changed, cut, or doubled at every place. */
static void damaged_messages(void **state)
{
	struct fixture *f = *state;
	char copy[1024];

	log_in(f);
	assert_int_equal(call(f, "query_station_status", "{\"StationIDs\":[\"S1\",\"S2\"]}"), RET_OK);
	size_t len = f->request.len;
	assert_true(len < sizeof(copy));
	f->set.platform[0].rate_per_s = 1000;
	for (size_t i = 0; i < len; i++) {
		static const char changes[] = {'\0', '"', '\\', '}', (char)0xFF};

		for (size_t k = 0; k < sizeof(changes); k++) {
			memcpy(copy, f->request.data, len + 1);
			copy[i] = changes[k];
			int ret = send_body(f, copy, len);
			assert_true(ret == RET_ENVELOPE || ret == RET_SIGNATURE || ret == RET_OK || ret == RET_BUSY);
			/* Nothing but the unchanged message, or damage to what is not signed, may pass. */
			if (ret == RET_OK)
				assert_int_equal(copy[i] == f->request.data[i], 1);
		}
		int ret = send_body(f, f->request.data, i);
		assert_int_equal(ret, RET_ENVELOPE);
	}
	assert_int_equal(send_body(f, "", 0), RET_ENVELOPE);
}

/* Parameters of every wrong type, nested deep and large. */
static void hostile_parameters(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"",
					    "null",
					    "[]",
					    "7",
					    "{\"StationIDs\":{}}",
					    "{\"StationIDs\":{\"a\":1}}",
					    "{\"StationIDs\":\"S1\"}",
					    "{\"StationIDs\":[[[[]]]]}",
					    "{\"StationIDs\":[null]}",
					    "{\"StationIDs\":[\"\\u0000\"]}",
					    "{\"StationIDs\":[]}",
					    "{\"StationIDs\":null}"};
	static const char *const pages[] = {
	    "{\"PageNo\":1e300}",      "{\"PageNo\":-0.5}",         "{\"PageNo\":\"x\"}", "{\"PageNo\":{}}",
	    "{\"LastQueryTime\":[1]}", "{\"LastQueryTime\":\"x\"}", "{\"PageSize\":[]}",  "{\"PageSize\":true}"};

	log_in(f);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(call(f, "query_station_status", texts[i]), RET_PARAMETER);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		assert_int_equal(call(f, "query_stations_info", pages[i]), RET_PARAMETER);
	size_t deep = 100000;
	char *text = malloc(2 * deep + 1);
	assert_non_null(text);
	memset(text, '[', deep);
	memset(text + deep, ']', deep);
	text[2 * deep] = '\0';
	assert_int_equal(call(f, "query_station_status", text), RET_PARAMETER);
	free(text);
}

static void times_and_percentile(void **state)
{
	struct platform_times *times = calloc(1, sizeof(*times));
	(void)state;

	assert_non_null(times);
	assert_int_equal(platform_times_p99(times), 0);
	assert_int_equal(platform_times_mean(times), 0);
	for (int i = 1; i <= 100; i++)
		platform_times_add(times, i);
	assert_int_equal(platform_times_p99(times), 99);
	assert_int_equal(platform_times_mean(times), 50);
	for (int i = 0; i < PLATFORM_TIMES; i++)
		platform_times_add(times, 7);
	assert_int_equal(platform_times_p99(times), 7);
	free(times);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(login_and_question, setup, teardown),
	    cmocka_unit_test_setup_teardown(refused_logins, setup, teardown),
	    cmocka_unit_test_setup_teardown(paths_and_methods, setup, teardown),
	    cmocka_unit_test_setup_teardown(missing_and_wrong_tokens, setup, teardown),
	    cmocka_unit_test_setup_teardown(order_of_checks, setup, teardown),
	    cmocka_unit_test_setup_teardown(undecryptable_data_tells_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(error_data_option, setup, teardown),
	    cmocka_unit_test_setup_teardown(shared_path, setup, teardown),
	    cmocka_unit_test_setup_teardown(client_certificate_name, setup, teardown),
	    cmocka_unit_test_setup_teardown(rate_is_limited_per_platform, setup, teardown),
	    cmocka_unit_test(bucket_fills_steadily),
	    cmocka_unit_test_setup_teardown(time_stamp_window, setup, teardown),
	    cmocka_unit_test_setup_teardown(identical_questions_are_answered, setup, teardown),
	    cmocka_unit_test_setup_teardown(damaged_messages, setup, teardown),
	    cmocka_unit_test_setup_teardown(hostile_parameters, setup, teardown),
	    cmocka_unit_test(times_and_percentile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
