/* The pushing half against a platform that lives in this file: timers and the HTTP client are replaced, so that a test
 * decides what arrives when. */
#include "upstream/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge_stub.h"
#include "folder.h"
#include "loop/http_client.h"
#include "upstream/peer.h"
#include "upstream/peer_url.h"
#include "upstream_fixture.h"

/* The loop: armed timers ------------------------------------------------------------------------------------------- */

enum { TIMERS = 8, POSTS = 64 };

struct loop {
	struct loop_timer *armed[TIMERS];
	int64_t due_us[TIMERS];
};

int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us)
{
	loop_timer_cancel(loop, timer);
	for (int i = 0; i < TIMERS; i++)
		if (!loop->armed[i]) {
			loop->armed[i] = timer;
			loop->due_us[i] = clock_mono_us() + delay_us;
			return FC_OK;
		}
	return FC_ENOMEM;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	for (int i = 0; i < TIMERS; i++)
		if (loop->armed[i] == timer)
			loop->armed[i] = NULL;
}

/* Fires what is due until nothing is. */
static void turn(struct loop *loop)
{
	int fired;

	usleep(50);
	do {
		fired = 0;
		for (int i = 0; i < TIMERS; i++) {
			struct loop_timer *timer = loop->armed[i];

			if (!timer || loop->due_us[i] > clock_mono_us())
				continue;
			loop->armed[i] = NULL;
			timer->fn(timer->user);
			fired = 1;
		}
	} while (fired);
}

/* The HTTP client: what was posted, answered by the test -------------------------------------------------------------- */

struct post {
	char path[128], authorization[128];
	char *body;
	size_t len;
	http_done done; /* NULL once answered */
	void *user;
};
struct http_client {
	struct post posts[POSTS];
	int count;
};
static struct http_client *the_http;

struct http_client *http_client_new(struct loop *loop, const struct http_client_config *config, struct error *err)
{
	(void)loop;
	(void)err;
	assert_string_equal(config->host, "platform.example");
	assert_int_equal(config->port, 443);
	assert_int_equal(config->tls, 1);
	assert_int_equal(config->no_verify, 0);
	the_http = calloc(1, sizeof(*the_http));
	return the_http;
}

void http_client_free(struct http_client *client)
{
	for (int i = 0; i < client->count; i++) {
		const struct http_result result = {.body = "", .err = {.code = FC_EIO, .text = "ended"}};
		http_done done = client->posts[i].done;

		client->posts[i].done = NULL;
		if (done)
			done(client->posts[i].user, &result);
		free(client->posts[i].body);
	}
	free(client);
	the_http = NULL;
}

int http_client_post(struct http_client *client, const char *path, const char *authorization, const char *content_type,
		     const void *body, size_t len, int timeout_ms, http_done done, void *user, struct error *err)
{
	assert_string_equal(content_type, "application/json;charset=utf-8");
	assert_int_equal(timeout_ms, 1000);
	if (client->count == POSTS)
		return error_set(err, FC_ELIMIT, "too many");
	struct post *post = &client->posts[client->count++];
	(void)snprintf(post->path, sizeof(post->path), "%s", path);
	(void)snprintf(post->authorization, sizeof(post->authorization), "%s", authorization ? authorization : "");
	post->body = malloc(len + 1);
	assert_non_null(post->body);
	memcpy(post->body, body, len);
	post->body[len] = '\0';
	post->len = len;
	post->done = done;
	post->user = user;
	return FC_OK;
}

/* Fixture ----------------------------------------------------------------------------------------------------------- */

struct fixture {
	struct station_set set;
	struct loop loop;
	struct json_reader *reader;
	struct platform *platform;
	struct envelope_keys keys;
	struct arena arena;
	int seen; /* posts that the test has looked at */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	log_init("test", LOG_LEVEL_ERROR, 0);
	fixture_init(&f->set);
	/* Two connectors are enough: C11 and C31. */
	f->set.connector[1] = f->set.connector[4];
	f->set.live[1] = f->set.live[4];
	f->set.live[1].config = &f->set.connector[1];
	f->set.config.connector_count = 2;
	f->reader = json_reader_new(0);
	f->platform = platform_new(&f->loop, &f->set, f->reader, &f->set.config, &f->set.platform[0], NULL, NULL);
	arena_init(&f->arena, 16 << 20);
	*state = f;
	return f->reader && f->platform
		   ? envelope_keys_set(&f->keys, "1234567890abcdef", "1234567890abcdef", "1234567890abcdef", NULL)
		   : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	platform_free(f->platform);
	for (int i = 0; i < TIMERS; i++)
		assert_null(f->loop.armed[i]);
	json_reader_free(f->reader);
	arena_fini(&f->arena);
	free(f);
	return 0;
}

static void begin(struct fixture *f)
{
	f->platform->client = client_new(f->platform, NULL, NULL, NULL);
	assert_non_null(f->platform->client);
	/* The first log-in waits for nothing: it goes with the first turns of the loop. */
	for (int i = 0; i < 1000 && !the_http->count; i++)
		turn(&f->loop);
}

/* The next post not looked at yet, NULL when there is none now. */
static struct post *next_post(struct fixture *f)
{
	turn(&f->loop);
	return f->seen < the_http->count ? &the_http->posts[f->seen++] : NULL;
}

/* The same, however long it takes. */
static struct post *wait_post(struct fixture *f)
{
	struct post *post;

	while (!(post = next_post(f)))
		usleep(2000);
	return post;
}

/* The same, and not sooner than retry_s after begun_ms. */
static struct post *wait_retry(struct fixture *f, int64_t begun_ms)
{
	struct post *post = wait_post(f);

	assert_true(clock_mono_ms() - begun_ms >= 990);
	return post;
}

static const struct value *parameters(struct fixture *f, const struct post *post)
{
	struct envelope_request envelope;
	struct value *v = NULL;
	char *plain;
	size_t len;

	assert_int_equal(
	    envelope_open_request(&f->keys, f->reader, post->body, post->len, &f->arena, &envelope, &plain, &len, NULL),
	    RET_OK);
	assert_string_equal(envelope.operator_id, "123456789");
	assert_int_equal(json_read(f->reader, plain, len, &f->arena, &v, NULL), FC_OK);
	return v;
}

static void answer(struct fixture *f, struct post *post, int ret, const char *json)
{
	struct buffer body;
	http_done done = post->done;

	buffer_init(&body, 65536);
	assert_int_equal(envelope_seal_response(&f->keys, ret, NULL, json, json ? strlen(json) : 0, NULL, &body),
			 FC_OK);
	assert_non_null(done);
	post->done = NULL;
	done(post->user, &(struct http_result){.status = 200, .body = body.data, .body_len = body.len});
	buffer_fini(&body);
}

/* HTTP itself says no. */
static void send_away(struct post *post, int status, int64_t retry_after_s)
{
	struct http_result result = {.status = status, .retry_after_s = retry_after_s, .body = ""};
	http_done done = post->done;

	assert_non_null(done);
	post->done = NULL;
	done(post->user, &result);
}

static void break_off(struct post *post, int status)
{
	struct http_result result = {.status = status, .body = "", .err = {.code = FC_ETIMEOUT, .text = "no answer"}};
	http_done done = post->done;

	assert_non_null(done);
	post->done = NULL;
	done(post->user, &result);
}

static void give_token(struct fixture *f, struct post *post, const char *token)
{
	assert_string_equal(post->path, "/evcs/v20160701/query_token");
	assert_string_equal(post->authorization, "");
	assert_string_equal(value_text(value_get(parameters(f, post), "OperatorSecret")), "their-secret");
	answer(f, post, 0,
	       arena_printf(&f->arena,
			    "{\"OperatorID\":\"123456789\",\"SuccStat\":0,\"AccessToken\":\"%s\","
			    "\"TokenAvailableTime\":7200,\"FailReason\":0}",
			    token));
}

static void assert_status(struct fixture *f, const struct post *post, const char *token, const char *id, int status)
{
	const struct value *info;
	int64_t got = -1;

	assert_non_null(post);
	assert_string_equal(post->path, "/evcs/v20160701/notification_stationStatus");
	assert_string_equal(post->authorization, arena_printf(&f->arena, "Bearer %s", token));
	info = value_get(parameters(f, post), "ConnectorStatusInfo");
	assert_string_equal(value_text(value_get(info, "ConnectorID")), id);
	assert_int_equal(value_to_int(value_get(info, "Status"), &got), 0);
	assert_int_equal(got, status);
}

/* Logged in, and both connectors told. */
static void link_up(struct fixture *f)
{
	begin(f);
	give_token(f, next_post(f), "T1");
	struct post *a = next_post(f), *b = next_post(f);
	assert_status(f, a, "T1", "C11", 1);
	assert_status(f, b, "T1", "C31", 1);
	answer(f, a, 0, "{\"Status\":0}");
	answer(f, b, 0, "{\"Status\":0}");
	assert_null(next_post(f));
	assert_int_equal(client_waiting(f->platform->client), 0);
	assert_true(client_linked(f->platform->client));
}

static void change(struct fixture *f, int connector, enum connector_status status)
{
	f->set.live[connector].status = status;
	f->set.live[connector].changes++;
	client_status_changed(f->platform->client, &f->set.live[connector]);
}

/* Tests ------------------------------------------------------------------------------------------------------------- */

static void everything_is_told_after_the_start(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	assert_int_equal(f->platform->counters.status_pushed, 2);
	assert_int_equal(f->platform->counters.status_accepted, 2);
	assert_string_equal(f->platform->last_error, "");
}

/* A connector nobody has heard of yet is held back, not told off line; its first change goes at once. */
static void unknown_connectors_wait_a_little(void **state)
{
	struct fixture *f = *state;

	f->set.live[0].changes = 0;
	f->set.live[0].status = CONNECTOR_OFFLINE;
	int64_t begun = clock_mono_ms();
	begin(f);
	give_token(f, next_post(f), "T1");
	struct post *b = next_post(f);
	assert_status(f, b, "T1", "C31", 1);
	struct post *early = next_post(f);
	if (early) {
		/* Only a test machine that stood still for so long comes here. */
		assert_true(clock_mono_ms() - begun >= 4990);
		return;
	}
	change(f, 0, CONNECTOR_CHARGING);
	assert_status(f, next_post(f), "T1", "C11", 3);
}

static void one_login_at_a_time(void **state)
{
	struct fixture *f = *state;

	begin(f);
	struct post *login = next_post(f);
	for (int i = 0; i < 10; i++) {
		change(f, 0, i % 2 ? CONNECTOR_CHARGING : CONNECTOR_IDLE);
		assert_null(next_post(f));
	}
	give_token(f, login, "T1");
	assert_status(f, next_post(f), "T1", "C11", 3);
}

/* Only the newest matters: what came while the job waited or was under way is told in one message. */
static void changes_are_coalesced(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	struct post *first = next_post(f);
	assert_status(f, first, "T1", "C11", 2);
	change(f, 0, CONNECTOR_CHARGING);
	change(f, 0, CONNECTOR_FAULT);
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.push_superseded, 1);
	answer(f, first, 0, "{\"Status\":0}");
	struct post *second = next_post(f);
	assert_status(f, second, "T1", "C11", 255);
	answer(f, second, 0, "{\"Status\":0}");
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.status_pushed, 4);
}

static void discarded_is_not_repeated(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	answer(f, next_post(f), 0, "{\"Status\":1}");
	usleep(1100000);
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.status_discarded, 1);
	assert_int_equal(client_waiting(f->platform->client), 0);
}

/* protocol.md 1.9: a repeat is a new envelope; after retry_count repeats it rests until the platform is back. */
static void transport_failures_are_repeated(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	struct post *post = next_post(f);
	char *first = post->body;
	int64_t begun = clock_mono_ms();
	break_off(post, 0);
	assert_string_equal(f->platform->last_error, "notification_stationStatus: no answer");
	assert_false(client_linked(f->platform->client));
	post = wait_retry(f, begun);
	assert_status(f, post, "T1", "C11", 2);
	assert_string_not_equal(post->body, first);
	break_off(post, 503);
	f->set.live[0].status = CONNECTOR_CHARGING; /* told at the next try whoever says so */
	post = wait_post(f);
	assert_status(f, post, "T1", "C11", 3);
	break_off(post, 0);
	usleep(1100000);
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.push_failed, 1);
	/* Another connector's push goes through: the platform is back, and what was given up is told. */
	change(f, 1, CONNECTOR_OCCUPIED);
	answer(f, next_post(f), 0, "{\"Status\":0}");
	assert_status(f, next_post(f), "T1", "C11", 3);
	assert_string_equal(f->platform->last_error, "");
}

/* However many have something to tell, one looks for a platform that is away, and not at once again; the others follow when it is back. */
static void one_call_at_a_time_looks_for_it(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	struct post *post = next_post(f);
	int64_t begun = clock_mono_ms();
	break_off(post, 0);
	change(f, 1, CONNECTOR_OCCUPIED);
	if (clock_mono_ms() - begun < 900)
		assert_null(next_post(f));
	post = wait_post(f);
	assert_true(clock_mono_ms() - begun >= 990);
	usleep(1200000);
	assert_null(next_post(f));
	answer(f, post, 0, "{\"Status\":0}");
	assert_non_null(next_post(f));
}

/* A platform that asks to be left alone is, by all messages and by the log-in; then everything is told. */
static void retry_after_is_heeded(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	int64_t begun = clock_mono_ms();
	send_away(next_post(f), 429, 2);
	change(f, 1, CONNECTOR_OCCUPIED);
	while (clock_mono_ms() - begun < 1900)
		assert_null(next_post(f));
	struct post *post = wait_post(f);
	assert_true(clock_mono_ms() - begun >= 2000);
	answer(f, post, 0, "{\"Status\":0}");
	answer(f, wait_post(f), 0, "{\"Status\":0}");
	assert_int_equal(client_waiting(f->platform->client), 0);
	assert_int_equal(f->platform->counters.push_failed, 0);
}

static void retry_after_holds_the_login_too(void **state)
{
	struct fixture *f = *state;

	begin(f);
	int64_t begun = clock_mono_ms();
	send_away(next_post(f), 503, 2);
	while (clock_mono_ms() - begun < 1900)
		assert_null(next_post(f));
	give_token(f, wait_post(f), "T1");
	assert_true(clock_mono_ms() - begun >= 2000);
}

/* Without a word of how long: one 503 is that message's own, several in a row are the platform's. */
static void a_crowded_platform_is_left_alone(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	send_away(next_post(f), 503, 0);
	change(f, 1, CONNECTOR_OCCUPIED);
	send_away(wait_post(f), 503, 0);
	send_away(wait_post(f), 502, 0);
	int64_t begun = clock_mono_ms();
	send_away(wait_post(f), 504, 0);
	change(f, 0, CONNECTOR_CHARGING);
	while (clock_mono_ms() - begun < 950)
		assert_null(next_post(f));
	answer(f, wait_retry(f, begun), 0, "{\"Status\":0}");
	answer(f, wait_post(f), 0, "{\"Status\":0}");
	assert_int_equal(client_waiting(f->platform->client), 0);
}

/* Both connectors' statuses are given up. */
static void lose_both(struct fixture *f)
{
	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	change(f, 1, CONNECTOR_OCCUPIED);
	while (f->platform->counters.push_failed < 2)
		break_off(wait_post(f), 0);
	usleep(1600000);
	assert_null(next_post(f));
}

/* It is back, and too busy yet: who looked for it gives up after its tries, and the others may not wait for that one for ever. */
static void back_but_busy_is_back(void **state)
{
	struct fixture *f = *state;

	lose_both(f);
	change(f, 0, CONNECTOR_CHARGING);
	answer(f, next_post(f), 500, NULL);
	assert_status(f, next_post(f), "T1", "C31", 2);
}

/* Another call goes through, here the log-in: one status asks at once, and not in a minute; it brings the other. */
static void another_call_tells_that_it_is_back(void **state)
{
	struct fixture *f = *state;

	lose_both(f);
	int64_t begun = clock_mono_ms();
	assert_int_equal(peer_login(client_peer(f->platform->client)), FC_OK);
	give_token(f, next_post(f), "T2");
	struct post *post = wait_post(f);
	assert_true(clock_mono_ms() - begun < 30000);
	assert_null(next_post(f));
	answer(f, post, 0, "{\"Status\":0}");
	post = next_post(f);
	assert_non_null(post);
	answer(f, post, 0, "{\"Status\":0}");
	assert_int_equal(client_waiting(f->platform->client), 0);
}

/* Who waits for another try does not wait its time out once it is back. */
static void back_is_back_for_those_who_wait(void **state)
{
	struct fixture *f = *state;
	struct config_platform *options = (struct config_platform *)(uintptr_t)f->platform->options;

	link_up(f);
	options->retry_s = 3600;
	change(f, 0, CONNECTOR_OCCUPIED);
	break_off(next_post(f), 0);
	change(f, 1, CONNECTOR_OCCUPIED);
	answer(f, wait_post(f), 0, "{\"Status\":0}");
	assert_status(f, next_post(f), "T1", "C11", 2);
}

static void busy_is_repeated_later(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	int64_t begun = clock_mono_ms();
	answer(f, next_post(f), -1, NULL);
	struct post *post = wait_retry(f, begun);
	begun = clock_mono_ms();
	answer(f, post, 500, NULL);
	answer(f, wait_retry(f, begun), 0, "{\"Status\":0}");
	assert_int_equal(f->platform->counters.push_failed, 0);
	assert_int_equal(client_waiting(f->platform->client), 0);
}

static void token_refused_is_renewed_once(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	change(f, 1, CONNECTOR_OCCUPIED);
	struct post *a = next_post(f), *b = next_post(f);
	/* Both find the token refused: one log-in serves both. */
	answer(f, a, 4002, NULL);
	answer(f, b, 4002, NULL);
	give_token(f, next_post(f), "T2");
	a = next_post(f);
	b = next_post(f);
	assert_status(f, a, "T2", "C11", 2);
	assert_status(f, b, "T2", "C31", 2);
	answer(f, b, 0, "{\"Status\":0}");
	/* The second time it is given up. */
	answer(f, a, 4002, NULL);
	give_token(f, next_post(f), "T3");
	usleep(1100000);
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.push_failed, 1);
}

/* A 4002 that comes late must not throw the new token away. */
static void late_refusal_keeps_the_new_token(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	change(f, 1, CONNECTOR_OCCUPIED);
	struct post *a = next_post(f), *b = next_post(f);
	answer(f, a, 4002, NULL);
	give_token(f, next_post(f), "T2");
	assert_status(f, next_post(f), "T2", "C11", 2);
	answer(f, b, 4002, NULL);
	assert_status(f, next_post(f), "T2", "C31", 2);
	assert_null(next_post(f));
}

static void configuration_faults_do_not_loop(void **state)
{
	struct fixture *f = *state;
	static const int rets[] = {4001, 4003, 4004, 4000};

	link_up(f);
	for (size_t i = 0; i < sizeof(rets) / sizeof(rets[0]); i++) {
		change(f, 0, i % 2 ? CONNECTOR_IDLE : CONNECTOR_OCCUPIED);
		answer(f, next_post(f), rets[i], NULL);
		assert_null(next_post(f));
		assert_non_null(strstr(f->platform->last_error, "refused: Ret 40"));
	}
	usleep(1100000);
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.push_failed, 4);
}

/* A success whose signature is wrong proves nothing. */
static void wrong_answer_signature(void **state)
{
	struct fixture *f = *state;
	struct post *post;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	post = next_post(f);
	f->keys.sig_secret[0] ^= 1;
	answer(f, post, 0, "{\"Status\":0}");
	f->keys.sig_secret[0] ^= 1;
	assert_int_equal(f->platform->counters.status_accepted, 2);
	assert_int_equal(f->platform->counters.push_failed, 1);
	f->set.platform[0].check_response_sig = CONFIG_SIG_OFF;
	change(f, 0, CONNECTOR_IDLE);
	post = next_post(f);
	f->keys.sig_secret[0] ^= 1;
	answer(f, post, 0, "{\"Status\":0}");
	f->keys.sig_secret[0] ^= 1;
	assert_int_equal(f->platform->counters.status_accepted, 3);
}

static void refused_login_does_not_hammer(void **state)
{
	struct fixture *f = *state;

	begin(f);
	answer(f, next_post(f), 0,
	       "{\"OperatorID\":\"123456789\",\"SuccStat\":1,\"AccessToken\":\"\","
	       "\"TokenAvailableTime\":0,\"FailReason\":2}");
	assert_non_null(strstr(f->platform->last_error, "FailReason 2"));
	usleep(1100000);
	assert_null(next_post(f));
	assert_int_equal(client_waiting(f->platform->client), 2);
}

static void unreachable_login_is_repeated(void **state)
{
	struct fixture *f = *state;

	begin(f);
	int64_t begun = clock_mono_ms();
	break_off(next_post(f), 0);
	give_token(f, wait_retry(f, begun), "T1");
	assert_status(f, next_post(f), "T1", "C11", 1);
}

static void all_are_told_again_spaced(void **state)
{
	struct fixture *f = *state;
	struct post *post;

	link_up(f);
	client_resend(f->platform->client);
	int64_t begun = clock_mono_ms();
	post = wait_post(f);
	assert_status(f, post, "T1", "C11", 1);
	answer(f, post, 0, "{\"Status\":0}");
	post = wait_post(f);
	assert_status(f, post, "T1", "C31", 1);
	assert_true(clock_mono_ms() - begun >= 490);
	answer(f, post, 0, "{\"Status\":0}");
	assert_null(next_post(f));
}

static void station_information(void **state)
{
	struct fixture *f = *state;

	f->set.platform[0].push_station_info = 1;
	begin(f);
	give_token(f, next_post(f), "T1");
	/* Before the statuses; four at once. */
	struct post *posts[4];
	for (int i = 0; i < 4; i++) {
		posts[i] = next_post(f);
		assert_non_null(posts[i]);
	}
	assert_null(next_post(f));
	for (int i = 0; i < 3; i++)
		assert_string_equal(posts[i]->path, "/evcs/v20160701/notification_stationInfo");
	for (int i = 0; i < 4; i++)
		answer(f, posts[i], 0, "{\"Status\":0}");
	struct post *last = next_post(f);
	answer(f, last, 0, "{\"Status\":0}");
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.info_pushed, 3);
	/* Only what changed. */
	f->set.changed_wall[1] = 77;
	client_wake(f->platform->client);
	last = next_post(f);
	assert_non_null(last);
	const struct value *info = value_get(parameters(f, last), "StationInfo");
	assert_string_equal(value_text(value_get(info, "StationID")), "S2");
	answer(f, last, 4004, NULL);
	client_wake(f->platform->client);
	assert_null(next_post(f));
}

static void yesterdays_statistics(void **state)
{
	struct fixture *f = *state;
	int64_t kwh_e1 = -1;

	if (!clock_wall_trusted()) {
		/* The day is not known: nothing may be told about it. */
		f->set.platform[0].push_stats = 1;
		link_up(f);
		return;
	}
	link_up(f);
	f->set.energy_wh[0] = 2000;
	f->set.platform[0].push_stats = 1;
	client_wake(f->platform->client);
	for (int i = 0; i < FIXTURE_STATIONS; i++) {
		struct post *post = next_post(f);

		assert_non_null(post);
		assert_string_equal(post->path, "/evcs/v20160701/notification_station_stats");
		const struct value *stats = value_get(parameters(f, post), "StationStats");
		assert_string_equal(value_text(value_get(stats, "StartTime")), value_text(value_get(stats, "EndTime")));
		assert_int_equal(value_to_decimal(value_get(stats, "StationElectricity"), 1, &kwh_e1), 0);
		assert_int_equal(kwh_e1, i == 0 ? 20 : 0);
		answer(f, post, 0, "{\"Status\":0}");
	}
	/* Once a day. */
	client_wake(f->platform->client);
	assert_null(next_post(f));
	assert_int_equal(f->platform->counters.stats_pushed, FIXTURE_STATIONS);
}

static void removed_connector_under_way(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	change(f, 1, CONNECTOR_OCCUPIED);
	struct post *a = next_post(f), *b = next_post(f);
	/* C31 goes while its push is under way. */
	f->set.config.connector_count = 1;
	assert_int_equal(client_apply(f->platform->client, NULL), FC_OK);
	break_off(b, 0);
	answer(f, a, 0, "{\"Status\":0}");
	usleep(1100000);
	assert_null(next_post(f));
	/* And comes back: as new. */
	f->set.config.connector_count = 2;
	assert_int_equal(client_apply(f->platform->client, NULL), FC_OK);
	assert_status(f, next_post(f), "T1", "C31", 2);
	assert_null(next_post(f));
}

static void freed_with_calls_under_way(void **state)
{
	struct fixture *f = *state;

	link_up(f);
	change(f, 0, CONNECTOR_OCCUPIED);
	assert_non_null(next_post(f));
	/* teardown frees; the HTTP client calls back on its way out. */
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		int result, tls, port;
		const char *host, *prefix;
	} cases[] = {
	    {"https://a.example", 0, 1, 443, "a.example", ""},
	    {"http://a.example/", 0, 0, 80, "a.example", ""},
	    {"https://10.0.0.1:8443/evcs/v1//", 0, 1, 8443, "10.0.0.1", "/evcs/v1"},
	    {"http://[::1]:81/x", 0, 0, 81, "::1", "/x"},
	    {"https://[fe80::1]", 0, 1, 443, "fe80::1", ""},
	    {"ftp://a", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://:80", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://a:", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://a:0", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://a:65536", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://a:8x", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://[::1", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://[::1]x", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://a/b?c", FC_EINVAL, 0, 0, NULL, NULL},
	    {"https://a?c", FC_EINVAL, 0, 0, NULL, NULL},
	    {"", FC_EINVAL, 0, 0, NULL, NULL},
	};
	struct peer_url url;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(peer_url_parse(cases[i].text, &url), cases[i].result);
		if (cases[i].result)
			continue;
		assert_int_equal(url.tls, cases[i].tls);
		assert_int_equal(url.port, cases[i].port);
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.prefix, cases[i].prefix);
	}
}

static void use_mapping(struct fixture *f, const char *body)
{
	char dir[64], path[96];
	struct error err = {0};

	folder_make(dir, sizeof(dir), "client");
	(void)snprintf(path, sizeof(path), "%s/operators", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/operators/x.lua", dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "return { forecourt = 1, kind = \"operator\", name = \"x\", %s }\n", body) > 0);
	assert_int_equal(fclose(file), 0);
	f->platform->mapping = mapping_load(&(struct script_host){.lua_dir = dir}, "x", NULL, &err);
	folder_remove(dir);
	if (!f->platform->mapping)
		fail_msg("%s", err.text);
}

static void answer_bare(struct post *post, const char *json)
{
	http_done done = post->done;

	assert_non_null(done);
	post->done = NULL;
	done(post->user, &(struct http_result){.status = 200, .body = json, .body_len = strlen(json)});
}

/* protocol.md section 3, 5 and 10: a status without envelope and token on a path of its own, answered as barely. */
static void bare_pushes(void **state)
{
	struct fixture *f = *state;

	use_mapping(
	    f,
	    "plain = { notification_stationStatus = true }, paths = { notification_stationStatus = \"/api/6fa4/push\", "
	    "query_token = \"login\" }");
	begin(f);
	struct post *login = next_post(f);
	assert_string_equal(login->path, "/evcs/v20160701/login");
	answer(f, login, 0, "{\"SuccStat\":0,\"AccessToken\":\"T1\",\"TokenAvailableTime\":7200.0}");
	struct post *a = next_post(f), *b = next_post(f);
	assert_string_equal(a->path, "/api/6fa4/push");
	assert_string_equal(a->authorization, "");
	assert_string_equal(a->body, "{\"ConnectorStatusInfo\":{\"ConnectorID\":\"C11\",\"Status\":1}}");
	answer_bare(a, "{\"Status\":0}");
	answer_bare(b, "{\"Status\":1}");
	assert_int_equal(f->platform->counters.status_accepted, 1);
	assert_int_equal(f->platform->counters.status_discarded, 1);

	/* A verdict in lower case; -1 is tried again. */
	change(f, 0, CONNECTOR_OCCUPIED);
	a = next_post(f);
	int64_t begun = clock_mono_ms();
	answer_bare(a, "{\"ret\":-1,\"msg\":\"busy\"}");
	assert_string_equal(f->platform->last_error, "notification_stationStatus: Ret -1 (busy)");
	a = wait_retry(f, begun);
	answer_bare(a, "{\"ret\":\"0\",\"msg\":\"\"}");
	assert_int_equal(f->platform->counters.status_accepted, 2);
	assert_string_equal(f->platform->last_error, "");
	/* No token was sent, so a new one would not help; what is no JSON is tried again. */
	change(f, 0, CONNECTOR_CHARGING);
	a = next_post(f);
	answer_bare(a, "{\"ret\":4002}");
	assert_null(next_post(f));
	change(f, 0, CONNECTOR_IDLE);
	a = next_post(f);
	begun = clock_mono_ms();
	answer_bare(a, "<html>");
	a = wait_retry(f, begun);
	answer_bare(a, "{}");
	assert_int_equal(f->platform->counters.status_accepted, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(everything_is_told_after_the_start, setup, teardown),
	    cmocka_unit_test_setup_teardown(unknown_connectors_wait_a_little, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_login_at_a_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(changes_are_coalesced, setup, teardown),
	    cmocka_unit_test_setup_teardown(discarded_is_not_repeated, setup, teardown),
	    cmocka_unit_test_setup_teardown(transport_failures_are_repeated, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_call_at_a_time_looks_for_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(back_but_busy_is_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(another_call_tells_that_it_is_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(back_is_back_for_those_who_wait, setup, teardown),
	    cmocka_unit_test_setup_teardown(retry_after_is_heeded, setup, teardown),
	    cmocka_unit_test_setup_teardown(retry_after_holds_the_login_too, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_crowded_platform_is_left_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(busy_is_repeated_later, setup, teardown),
	    cmocka_unit_test_setup_teardown(token_refused_is_renewed_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(late_refusal_keeps_the_new_token, setup, teardown),
	    cmocka_unit_test_setup_teardown(configuration_faults_do_not_loop, setup, teardown),
	    cmocka_unit_test_setup_teardown(wrong_answer_signature, setup, teardown),
	    cmocka_unit_test_setup_teardown(refused_login_does_not_hammer, setup, teardown),
	    cmocka_unit_test_setup_teardown(unreachable_login_is_repeated, setup, teardown),
	    cmocka_unit_test_setup_teardown(all_are_told_again_spaced, setup, teardown),
	    cmocka_unit_test_setup_teardown(station_information, setup, teardown),
	    cmocka_unit_test_setup_teardown(yesterdays_statistics, setup, teardown),
	    cmocka_unit_test_setup_teardown(removed_connector_under_way, setup, teardown),
	    cmocka_unit_test_setup_teardown(freed_with_calls_under_way, setup, teardown),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test_setup_teardown(bare_pushes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
