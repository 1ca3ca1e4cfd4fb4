/* What the tools are made of: the log's ring, the list of calls, messages held to the letter, and the files of a bundle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/log_ring.h"
#include "control/bytes.h"
#include "control/conformance_page.h"
#include "control/scrub.h"
#include "control/tar.h"
#include "upstream/calls.h"
#include "upstream/conformance_form.h"

/* The ring ------------------------------------------------------------------------------------------------------------ */

struct seen {
	uint64_t first, last;
	int count;
	size_t bytes;
	char text[64];
};

static int look(void *user, const struct log_kept *line)
{
	struct seen *s = user;

	if (s->count)
		assert_int_equal(line->number, s->last + 1);
	else
		s->first = line->number;
	s->last = line->number;
	s->count++;
	s->bytes += line->len;
	(void)snprintf(s->text, sizeof(s->text), "%.*s", (int)line->len, line->text);
	return 0;
}

static void the_ring_holds_the_last_lines(void **state)
{
	struct log_ring ring = {0};
	struct seen s = {0};
	char text[2000];

	(void)state;
	/* Without memory lines are counted. */
	log_ring_put(&ring, LOG_LEVEL_ERROR, 1, "a", 1);
	assert_int_equal(ring.newest, 1);
	assert_int_equal(log_ring_resize(&ring, 1000), FC_OK);
	for (int i = 2; i <= 500; i++) {
		int n =
		    snprintf(text, sizeof(text), "line %d %.*s", i, i % 40, "........................................");

		log_ring_put(&ring, LOG_LEVEL_INFO, i, text, (size_t)n);
	}
	log_ring_each(&ring, 0, look, &s);
	assert_true(s.count > 10 && s.count < 50 && s.bytes < 1000);
	assert_int_equal(s.last, 500);
	assert_memory_equal(s.text, "line 500 ", 9);
	/* Behind a number. */
	s = (struct seen){0};
	log_ring_each(&ring, 497, look, &s);
	assert_int_equal(s.count, 3);
	/* Larger and smaller: what has room stays. */
	assert_int_equal(log_ring_resize(&ring, 5000), FC_OK);
	s = (struct seen){0};
	log_ring_each(&ring, 0, look, &s);
	assert_true(s.count > 10 && s.last == 500);
	assert_int_equal(log_ring_resize(&ring, 120), FC_OK);
	s = (struct seen){0};
	log_ring_each(&ring, 0, look, &s);
	assert_true(s.count >= 1 && s.count <= 4 && s.last == 500);
	/* What is larger than all of it is not kept, and breaks nothing. */
	memset(text, 'x', sizeof(text));
	log_ring_put(&ring, LOG_LEVEL_INFO, 1, text, sizeof(text));
	s = (struct seen){0};
	log_ring_each(&ring, 0, look, &s);
	assert_int_equal(s.last, 500);
	assert_int_equal(log_ring_resize(&ring, 0), FC_OK);
	s = (struct seen){0};
	log_ring_each(&ring, 0, look, &s);
	assert_int_equal(s.count, 0);
	assert_int_equal(ring.newest, 501);
}

/* Calls --------------------------------------------------------------------------------------------------------------- */

static uint64_t add(struct calls *calls, const char *platform, const char *method, enum call_outcome outcome)
{
	struct call call = {.message = message_find(method), .direction = MAPPING_OUT, .outcome = outcome};

	(void)snprintf(call.platform, sizeof(call.platform), "%s", platform);
	return calls_add(calls, &call);
}

static void rare_calls_outlive_frequent_ones(void **state)
{
	struct calls *calls = calls_new(32);
	uint64_t rare, failed, last = 0;
	const struct call *call;
	int count = 0;

	(void)state;
	assert_non_null(calls);
	assert_null(calls_next(calls, 0));
	rare = add(calls, "p1", "check_charge_orders", CALL_ACCEPTED);
	failed = add(calls, "p1", "notification_stationStatus", CALL_REFUSED);
	for (int i = 0; i < 5000; i++)
		last = add(calls, i % 3 ? "p1" : "p2", "notification_stationStatus", CALL_ACCEPTED);
	assert_int_equal(last, 5002);
	assert_int_equal(calls_newest(calls), 5002);
	assert_non_null(calls_find(calls, rare));
	assert_int_equal(calls_find(calls, failed)->outcome, CALL_REFUSED);
	assert_null(calls_find(calls, 100));
	assert_null(calls_find(calls, 0));
	assert_null(calls_find(calls, UINT64_MAX));
	assert_non_null(calls_find(calls, last));
	for (uint64_t at = 0; (call = calls_next(calls, at)); at = call->id) {
		assert_true(call->id > at);
		count++;
	}
	assert_true(count > 16 && count <= 32);
	calls_free(calls);
	calls_free(NULL);
	assert_int_equal(add(NULL, "p1", "query_token", CALL_ACCEPTED), 0);
	assert_null(calls_next(NULL, 0));
}

/* Form ---------------------------------------------------------------------------------------------------------------- */

static char findings[4096];

static void found(void *user, int defect, const char *text)
{
	(void)user;
	(void)snprintf(findings + strlen(findings), sizeof(findings) - strlen(findings), "%s %s\n", defect ? "D" : "n",
		       text);
}

static int judge(const char *method, enum message_part part, const char *json)
{
	struct json_reader *reader = json_reader_new(0);
	struct value *tree = NULL;
	struct arena arena;

	findings[0] = '\0';
	arena_init(&arena, 1 << 20);
	assert_int_equal(json_read(reader, json, strlen(json), &arena, &tree, NULL), FC_OK);
	int defects = form_judge(message_schema(message_find(method), part), tree, found, NULL);
	arena_fini(&arena);
	json_reader_free(reader);
	return defects;
}

static void a_message_is_held_to_the_letter(void **state)
{
	(void)state;
	assert_int_equal(judge("query_token", MESSAGE_ANSWER,
			       "{\"OperatorID\":\"123456789\",\"SuccStat\":0,\"AccessToken\":\"x\","
			       "\"TokenAvailableTime\":7200,\"FailReason\":0}"),
			 0);
	assert_string_equal(findings, "");
	assert_int_equal(
	    judge("check_charge_orders", MESSAGE_ANSWER,
		  "{\"CheckOrderSeq\":1,\"StartTime\":\"2026-1-2 3:4:5\",\"EndTime\":7,\"TotalDisputeOrder\":\"1\","
		  "\"TotalDisputePower\":\"x\",\"TotalDisputeMoney\":null,\"DisputeOrders\":[{\"TotalPower\":1.5},7],"
		  "\"more\":1}"),
	    7);
	static const char *const wanted[] = {"n CheckOrderSeq: a number where a text is due\n",
					     "n StartTime: a time that is not padded to its form\n",
					     "D EndTime: not a time yyyy-MM-dd HH:mm:ss\n",
					     "n TotalDisputeOrder: a text where a number is due\n",
					     "D TotalDisputePower: not a number\n",
					     "D TotalDisputeMoney: null, and required\n",
					     "D DisputeOrders[0].StartChargeSeq: missing, and required\n",
					     "D DisputeOrders[1]: not an object\n",
					     "n more: not in the standard\n"};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(findings, wanted[i]))
			fail_msg("%s is not in\n%s", wanted[i], findings);
	assert_int_equal(judge("check_charge_orders", MESSAGE_ANSWER, "[]") > 0, 1);
	assert_int_equal(judge("check_charge_orders", MESSAGE_ANSWER, "{\"DisputeOrders\":{\"a\":1}}") > 0, 1);
	assert_non_null(strstr(findings, "D DisputeOrders: not a list\n"));
}

/* Files --------------------------------------------------------------------------------------------------------------- */

static void base64_as_the_standard_shows_it(void **state)
{
	/* RFC 4648, section 10. */
	static const char *const pairs[][2] = {{"", ""},
					       {"f", "Zg=="},
					       {"fo", "Zm8="},
					       {"foo", "Zm9v"},
					       {"foob", "Zm9vYg=="},
					       {"fooba", "Zm9vYmE="},
					       {"foobar", "Zm9vYmFy"}};
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_string_equal(value_text(bytes_base64_value(&arena, pairs[i][0], strlen(pairs[i][0]))),
				    pairs[i][1]);
	arena_fini(&arena);
	arena_init(&arena, 256);
	assert_null(bytes_base64_value(&arena, pairs, 4000));
	arena_fini(&arena);
}

static void a_tar_has_whole_blocks(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 16);
	tar_add(&out, "a/b", 1795190400, "hello", 5);
	tar_add(&out, "a/empty", -5, "", 0);
	tar_end(&out);
	assert_int_equal(out.len, 512 + 512 + 512 + 1024);
	assert_string_equal(out.data, "a/b");
	assert_memory_equal(out.data + 257, "ustar", 6);
	assert_memory_equal(out.data + 124, "00000000005", 12);
	unsigned sum = 0;
	for (int i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)out.data[i];
	assert_int_equal(strtoul(out.data + 148, NULL, 8), sum);
	buffer_fini(&out);
	/* What does not fit stays a failure. */
	buffer_init(&out, 600);
	tar_add(&out, "a", 0, "hello", 5);
	assert_true(out.failed);
	buffer_fini(&out);
}

static void scrubbing_leaves_no_secret(void **state)
{
	struct config_platform platform = {.name = "p",
					   .ours = {.operator_secret = "se\"cret-1", .sig_secret = "abc"},
					   .theirs = {.data_secret = "0123456789abcdef"}};
	struct config_connector connector = {.name = "c", .connector_id = "11010500010011"};
	struct config config = {
	    .platforms = &platform, .platform_count = 1, .connectors = &connector, .connector_count = 1};
	char text[] = "{\"a\":\"se\\\"cret-1\",\"n\":13812345678} raw se\"cret-1 key 0123456789abcdef0123456789abcdef "
		      "call 13812345678 vin LSVAA49J132047883 at 11010500010011 abc";

	(void)state;
	scrub_text(text, strlen(text), &config);
	assert_null(strstr(text, "cret-1"));
	assert_null(strstr(text, "0123456789abcdef"));
	assert_null(strstr(text, "13812345678"));
	assert_null(strstr(text, "LSVAA49J132047883"));
	assert_non_null(strstr(text, "\"n\":99999999999}"));
	assert_non_null(strstr(text, "call ***********"));
	assert_non_null(strstr(text, "11010500010011 abc"));
	scrub_text(NULL, 0, &config);
}

/* A report is opened as a file, where no content policy is: what a platform or a configuration said stays text. */
static void a_report_holds_no_markup_of_others(void **state)
{
	static const char evil[] = "\"<script>x()</script><img src=x onerror=y()>&";
	static const char report[] = "{\"stations\":[{\"name\":E,\"station_id\":E}],\"operator_id\":E,\"platform\":E,"
				     "\"platform_id\":E,\"version\":E,"
				     "\"mapping\":E,\"mapping_hash\":E,\"trial_seq\":E,\"messages\":[{\"method\":E,"
				     "\"caller\":E,\"count\":1,\"verdict\":\"failed\","
				     "\"reason\":E,\"findings\":[{\"level\":E,\"text\":E}]}],\"checks\":[{\"check\":E,"
				     "\"verdict\":\"failed\",\"text\":E}]}";
	struct json_reader *reader = json_reader_new(0);
	char text[4096] = "";
	struct value *tree;
	struct buffer out;
	struct arena arena;

	(void)state;
	for (const char *p = report; *p; p++)
		if (*p == 'E')
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "\"\\%s\"", evil);
		else
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%c", *p);
	arena_init(&arena, 1 << 20);
	assert_int_equal(json_read(reader, text, strlen(text), &arena, &tree, NULL), FC_OK);
	for (int is_chinese = 0; is_chinese < 2; is_chinese++) {
		buffer_init(&out, 1 << 20);
		conformance_page(tree, 1, is_chinese, &out);
		assert_false(out.failed);
		assert_null(strstr(out.data, "<script"));
		assert_null(strstr(out.data, "<img"));
		assert_null(strstr(out.data, "\"&lt;"));
		assert_non_null(
		    strstr(out.data, "&quot;&lt;script&gt;x()&lt;/script&gt;&lt;img src=x onerror=y()&gt;&amp;"));
		buffer_fini(&out);
	}
	arena_fini(&arena);
	json_reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_ring_holds_the_last_lines),
	    cmocka_unit_test(rare_calls_outlive_frequent_ones),
	    cmocka_unit_test(a_message_is_held_to_the_letter),
	    cmocka_unit_test(base64_as_the_standard_shows_it),
	    cmocka_unit_test(a_tar_has_whole_blocks),
	    cmocka_unit_test(scrubbing_leaves_no_secret),
	    cmocka_unit_test(a_report_holds_no_markup_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
