/* Tokens on both sides, query_token's answer, and the replay ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "upstream/replay.h"
#include "upstream/token.h"

static char *bearer(const char *word, const char *token)
{
	static char header[TOKEN_SIZE + 64];

	(void)snprintf(header, sizeof(header), "%s%s", word, token);
	return header;
}

static void test_issue_and_check(void **state)
{
	struct token_server s;
	struct error err;
	char a[TOKEN_SIZE], b[TOKEN_SIZE];

	(void)state;
	token_server_init(&s, 100, 1);
	assert_int_equal(FC_EAUTH, token_check(&s, "Bearer x", 0));
	assert_int_equal(FC_OK, token_issue(&s, 1000, a, &err));
	assert_int_equal(FC_OK, token_issue(&s, 1000, b, &err));
	assert_string_not_equal(a, b);
	assert_int_equal(64, strlen(a));
	assert_int_equal(64, strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"));
	assert_int_equal(FC_OK, token_check(&s, bearer("Bearer ", a), 1000));
	assert_int_equal(FC_OK, token_check(&s, bearer("bearer   ", b), 1000));
	assert_int_equal(FC_OK, token_check(&s, bearer("BEARER\t", b), 1000));
	/* No bearer token at all. */
	assert_int_equal(FC_ENOENT, token_check(&s, NULL, 1000));
	assert_int_equal(FC_ENOENT, token_check(&s, "", 1000));
	assert_int_equal(FC_ENOENT, token_check(&s, "Bearer", 1000));
	assert_int_equal(FC_ENOENT, token_check(&s, "Bearer ", 1000));
	assert_int_equal(FC_ENOENT, token_check(&s, bearer("Bearer", a), 1000));
	assert_int_equal(FC_ENOENT, token_check(&s, bearer("Basic ", a), 1000));
	/* A wrong one. */
	char wrong[TOKEN_SIZE + 8];
	for (size_t i = 0; i < 64; i++) {
		memcpy(wrong, a, TOKEN_SIZE);
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", wrong), 1000));
	}
	(void)snprintf(wrong, sizeof(wrong), "%.63s", a);
	assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", wrong), 1000));
	(void)snprintf(wrong, sizeof(wrong), "%sA", a);
	assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", wrong), 1000));
	(void)snprintf(wrong, sizeof(wrong), "%s A", a);
	assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", wrong), 1000));
	/* Expiry: 100 s. */
	assert_int_equal(FC_OK, token_check(&s, bearer("Bearer ", a), 100999));
	assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", a), 101000));
}

static void test_many_live(void **state)
{
	struct token_server s;
	struct error err;
	char t[TOKEN_LIVE_MAX + 1][TOKEN_SIZE];

	(void)state;
	token_server_init(&s, 7200, 1);
	for (int i = 0; i < TOKEN_LIVE_MAX; i++)
		assert_int_equal(FC_OK, token_issue(&s, i, t[i], &err));
	for (int i = 0; i < TOKEN_LIVE_MAX; i++)
		assert_int_equal(FC_OK, token_check(&s, bearer("Bearer ", t[i]), 100));
	/* One more: the oldest goes. */
	assert_int_equal(FC_OK, token_issue(&s, 100, t[TOKEN_LIVE_MAX], &err));
	assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", t[0]), 100));
	for (int i = 1; i <= TOKEN_LIVE_MAX; i++)
		assert_int_equal(FC_OK, token_check(&s, bearer("Bearer ", t[i]), 100));
	/* The option changes while they live. */
	token_server_options(&s, 60, 0);
	for (int i = 1; i < TOKEN_LIVE_MAX; i++)
		assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", t[i]), 100));
	assert_int_equal(FC_OK, token_check(&s, bearer("Bearer ", t[TOKEN_LIVE_MAX]), 7000000));
	/* Only the newest. */
	assert_int_equal(FC_OK, token_issue(&s, 200, t[0], &err));
	assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", t[TOKEN_LIVE_MAX]), 200));
	assert_int_equal(FC_OK, token_check(&s, bearer("Bearer ", t[0]), 60199));
	assert_int_equal(FC_EAUTH, token_check(&s, bearer("Bearer ", t[0]), 60200));
}

static int64_t number(const struct value *object, const char *name)
{
	int64_t i;

	assert_int_equal(FC_OK, value_to_int(value_get(object, name), &i));
	return i;
}

static void test_answer(void **state)
{
	static const struct {
		const char *id, *secret;
		int reason;
	} cases[] = {
	    {"123456789", "1234567890abcdef", 0},
	    {"12345678X", "1234567890abcdef", 1},
	    {"12345678X", "wrong", 1},
	    {"123456789", "1234567890abcdeF", 2},
	    {"123456789", "", 2},
	    {NULL, NULL, 1},
	    {"123456789", NULL, 2},
	};
	struct token_server s;
	struct arena arena;
	struct error err;

	(void)state;
	arena_init(&arena, 65536);
	token_server_init(&s, 7200, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value *request = value_object(&arena), *answer = NULL;

		if (cases[i].id)
			(void)value_put(&arena, request, "OperatorID", value_string(&arena, cases[i].id));
		if (cases[i].secret)
			(void)value_put(&arena, request, "OperatorSecret", value_string(&arena, cases[i].secret));
		assert_int_equal(FC_OK,
				 token_answer(&s, "123456789", "1234567890abcdef", request, 5, &arena, &answer, &err));
		assert_int_equal(cases[i].reason, number(answer, "FailReason"));
		assert_int_equal(cases[i].reason != 0, number(answer, "SuccStat"));
		assert_string_equal(cases[i].id ? cases[i].id : "", value_text(value_get(answer, "OperatorID")));
		const char *token = value_text(value_get(answer, "AccessToken"));
		if (cases[i].reason) {
			assert_string_equal("", token);
			assert_int_equal(0, number(answer, "TokenAvailableTime"));
		} else {
			assert_int_equal(FC_OK, token_check(&s, bearer("Bearer ", token), 5));
			assert_int_equal(7200, number(answer, "TokenAvailableTime"));
		}
	}
	/* A full arena is an error, not a crash. */
	struct arena tiny;
	struct value *answer = NULL;
	arena_init(&tiny, 100);
	assert_int_equal(FC_ENOMEM, token_answer(&s, "1", "2", NULL, 5, &tiny, &answer, &err));
	assert_null(token_request(&tiny, "1", "2"));
	arena_fini(&tiny);
	arena_fini(&arena);
}

static struct value *given(struct arena *arena, const char *token, struct value *life)
{
	struct value *answer = value_object(arena);

	(void)value_put(arena, answer, "SuccStat", value_int(arena, 0));
	(void)value_put(arena, answer, "AccessToken", value_string(arena, token));
	if (life)
		(void)value_put(arena, answer, "TokenAvailableTime", life);
	return answer;
}

static void test_client(void **state)
{
	struct token_client c = {0};
	struct arena arena;
	struct error err;

	(void)state;
	arena_init(&arena, 65536);
	assert_null(token_client_get(&c, 0));
	assert_true(token_client_due(&c, 0));

	/* The lifetime as integer, float, text: refresh at 90 %. */
	struct value *lives[] = {
	    value_int(&arena, 7200),        value_float(&arena, 7200.0),    value_string(&arena, "7200"),
	    value_string(&arena, "7200.0"), value_decimal(&arena, 7200, 0), NULL,
	    value_int(&arena, 0),           value_int(&arena, -5),          value_string(&arena, "soon")};
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		assert_int_equal(FC_OK, token_client_take(&c, given(&arena, "abc", lives[i]), 1000, &err));
		assert_string_equal("abc", token_client_get(&c, 7200999));
		assert_null(token_client_get(&c, 7201000));
		assert_false(token_client_due(&c, 1000 + 6480000 - 1));
		assert_true(token_client_due(&c, 1000 + 6480000));
	}
	/* A short life: 10 s before its end; a very short one: half of it; a very long one: 7 days. */
	assert_int_equal(FC_OK, token_client_take(&c, given(&arena, "abc", value_int(&arena, 60)), 0, &err));
	assert_int_equal(50000, c.refresh_ms);
	assert_int_equal(FC_OK, token_client_take(&c, given(&arena, "abc", value_int(&arena, 12)), 0, &err));
	assert_int_equal(6000, c.refresh_ms);
	assert_int_equal(FC_OK, token_client_take(&c, given(&arena, "abc", value_float(&arena, 1e300)), 0, &err));
	assert_int_equal(7 * 86400000, c.expires_ms);

	/* Refusals leave the old token. */
	struct value *refused = given(&arena, "evil", NULL);
	(void)value_put(&arena, refused, "SuccStat", value_string(&arena, "1"));
	(void)value_put(&arena, refused, "FailReason", value_int(&arena, 2));
	assert_int_equal(FC_EAUTH, token_client_take(&c, refused, 0, &err));
	assert_non_null(strstr(err.text, "FailReason 2 (secret wrong)"));
	assert_int_equal(FC_EINVAL, token_client_take(&c, given(&arena, "", NULL), 0, &err));
	assert_int_equal(FC_EINVAL, token_client_take(&c, given(&arena, "a\r\nHost: evil", NULL), 0, &err));
	assert_int_equal(FC_EINVAL, token_client_take(&c, given(&arena, "a b", NULL), 0, &err));
	assert_int_equal(FC_EINVAL, token_client_take(&c, NULL, 0, &err));
	char huge[TOKEN_PEER_MAX + 1];
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(FC_EINVAL, token_client_take(&c, given(&arena, huge, NULL), 0, &err));
	assert_string_equal("abc", token_client_get(&c, 0));
	assert_int_equal(FC_OK, token_client_take(&c, given(&arena, huge + 1, NULL), 0, &err));
	assert_int_equal(TOKEN_PEER_MAX - 1, strlen(token_client_get(&c, 0)));

	/* A 4002 for an older token does not harm the newer. */
	token_client_drop(&c, "abc");
	assert_non_null(token_client_get(&c, 0));
	token_client_drop(&c, huge + 1);
	assert_null(token_client_get(&c, 0));
	assert_true(token_client_due(&c, 0));
	assert_int_equal(FC_OK, token_client_take(&c, given(&arena, "abc", NULL), 0, &err));
	token_client_drop(&c, NULL);
	assert_null(token_client_get(&c, 0));

	struct value *request = token_request(&arena, "123456789", "s3cret");
	assert_string_equal("123456789", value_text(value_get(request, "OperatorID")));
	assert_string_equal("s3cret", value_text(value_get(request, "OperatorSecret")));
	arena_fini(&arena);
}

static void test_replay(void **state)
{
	static struct replay ring;
	struct envelope_request r = {"123456789", "AAAABBBB", 8, "20250101000000", "0001", "00"};
	char seq[12];

	(void)state;
	memset(&ring, 0, sizeof(ring));
	assert_int_equal(-1, replay_age_ms(&ring, "query_start_charge", &r, 0));
	assert_int_equal(FC_OK, replay_first(&ring, "query_start_charge", &r, 1000));
	assert_int_equal(FC_EEXIST, replay_first(&ring, "query_start_charge", &r, 2000));
	assert_int_equal(1500, replay_age_ms(&ring, "query_start_charge", &r, 2500));
	/* Another spelling of the same: signature's case, line breaks in Data. */
	r.sig = "AA";
	assert_int_equal(FC_EEXIST, replay_first(&ring, "query_start_charge", &r, 2000));
	r.data = "AAAA\r\nBB\nBB\r\n";
	r.data_len = strlen(r.data);
	assert_int_equal(FC_EEXIST, replay_first(&ring, "query_start_charge", &r, 2000));
	/* Any real difference makes it another call; the same Seq with other Data is allowed. */
	assert_int_equal(FC_OK, replay_first(&ring, "query_stop_charge", &r, 2000));
	r.data = "AAAABBBC";
	r.data_len = 8;
	assert_int_equal(FC_OK, replay_first(&ring, "query_start_charge", &r, 2000));
	r.timestamp = "20250101000001";
	assert_int_equal(FC_OK, replay_first(&ring, "query_start_charge", &r, 2000));
	r.operator_id = "1234567892025";
	r.timestamp = "0101000001";
	assert_int_equal(FC_OK, replay_first(&ring, "query_start_charge", &r, 2000));
	/* The ring forgets the oldest, not the newest. */
	struct envelope_request first = {"123456789", "AAAABBBB", 8, "20250101000000", "0001", "00"};
	for (int i = 0; i < REPLAY_ENTRIES - 5; i++) {
		(void)snprintf(seq, sizeof(seq), "%d", 10000 + i);
		r.seq = seq;
		assert_int_equal(FC_OK, replay_first(&ring, "query_start_charge", &r, 3000));
	}
	assert_int_equal(FC_EEXIST, replay_first(&ring, "query_start_charge", &first, 3000));
	r.seq = "9";
	assert_int_equal(FC_OK, replay_first(&ring, "query_start_charge", &r, 3000));
	assert_int_equal(FC_OK, replay_first(&ring, "query_start_charge", &first, 3000));
	assert_int_equal(FC_EEXIST, replay_first(&ring, "query_start_charge", &r, 3000));
}

static void test_replay_time(void **state)
{
	int64_t wall = 1735660800; /* 2025-01-01 00:00:00 in Shanghai */

	(void)state;
	assert_int_equal(FC_OK, replay_time("20250101000000", wall, 1, 300));
	assert_int_equal(FC_OK, replay_time("20250101000500", wall, 1, 300));
	assert_int_equal(FC_ELIMIT, replay_time("20250101000501", wall, 1, 300));
	assert_int_equal(FC_OK, replay_time("20241231235500", wall, 1, 300));
	assert_int_equal(FC_ELIMIT, replay_time("20241231235459", wall, 1, 300));
	assert_int_equal(FC_OK, replay_time("202501010005", wall, 1, 300));
	assert_int_equal(FC_ELIMIT, replay_time("202501010006", wall, 1, 300));
	assert_int_equal(FC_OK, replay_time("1735660800123", wall, 1, 300));
	assert_int_equal(FC_ELIMIT, replay_time("1735660400123", wall, 1, 300));
	static const char *const bad[] = {
	    "", "2025", "20251301000000", "20250101250000", "2025010100000x", "20250230000000"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(FC_EINVAL, replay_time(bad[i], wall, 1, 300));
	/* Switched off, or our own clock is not trusted: nothing is judged. */
	assert_int_equal(FC_OK, replay_time("19990101000000", wall, 1, 0));
	assert_int_equal(FC_OK, replay_time("19990101000000", wall, 0, 300));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_issue_and_check), cmocka_unit_test(test_many_live),
	    cmocka_unit_test(test_answer),          cmocka_unit_test(test_client),
	    cmocka_unit_test(test_replay),          cmocka_unit_test(test_replay_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
