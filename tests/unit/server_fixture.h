/* A platform that is called, without loop, devices and the client half: two sections "city" and "second" behind server_answer.
 * Included by one file of each test program, behind cmocka. */
#ifndef FC_TESTS_SERVER_FIXTURE_H
#define FC_TESTS_SERVER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/client.h"
#include "upstream/server.h"
#include "upstream_fixture.h"

/* The client half is not in play here. */
void client_free(struct client *client)
{
	assert_null(client);
}

struct fixture {
	struct station_set set;
	struct json_reader *reader;
	struct platform *platforms[2];
	struct server_routes routes;
	struct envelope_keys keys;
	struct envelope_sequence sequence;
	struct arena arena;
	struct buffer request, answer;
	struct http_request http;
	struct http_response response;
	struct envelope_response envelope;
	char authorization[TOKEN_SIZE + 16];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	log_init("test", LOG_LEVEL_ERROR, 0);
	fixture_init(&f->set);
	f->reader = json_reader_new(0);
	for (int i = 0; i < 2; i++)
		f->platforms[i] =
		    platform_new(NULL, &f->set, f->reader, &f->set.config, &f->set.platform[i], NULL, NULL);
	f->routes =
	    (struct server_routes){.platforms = f->platforms, .count = 2, .listen = "public", .reader = f->reader};
	arena_init(&f->arena, 32 << 20);
	buffer_init(&f->request, 8 << 20);
	buffer_init(&f->response.body, 8 << 20);
	f->http = (struct http_request){.method = "POST",
					.path = "/evcs/v20160701/query_stations_info",
					.query = "",
					.authorization = f->authorization,
					.content_type = "application/json",
					.cookie = "",
					.peer = "127.0.0.1",
					.peer_name = ""};
	*state = f;
	return f->reader && f->platforms[0] && f->platforms[1]
		   ? envelope_keys_set(&f->keys, "1234567890abcdef", "1234567890abcdef", "1234567890abcdef", NULL)
		   : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++)
		platform_free(f->platforms[i]);
	json_reader_free(f->reader);
	arena_fini(&f->arena);
	buffer_fini(&f->request);
	buffer_fini(&f->response.body);
	free(f);
	return 0;
}

/* Sends the body as it is; the response and its opened envelope stay in f. Returns Ret, or -1000 - HTTP status. */
static inline int send_body(struct fixture *f, const char *body, size_t len)
{
	f->http.body = body;
	f->http.body_len = len;
	buffer_clear(&f->response.body);
	f->response.status = 200;
	f->response.content_type = "application/json;charset=utf-8";
	f->response.headers = NULL;
	server_answer(&f->routes, &f->http, &f->response);
	if (f->response.status != 200)
		return -1000 - f->response.status;
	assert_int_equal(envelope_open_response(&f->keys, f->reader, CONFIG_SIG_OFF, f->response.body.data,
						f->response.body.len, &f->arena, &f->envelope, NULL),
			 FC_OK);
	return f->envelope.ret;
}

static inline const char *path_of(struct fixture *f, const char *prefix, const char *method)
{
	return arena_printf(&f->arena, "%s/%s", prefix, method);
}

static inline void seal(struct fixture *f, const char *sender, const char *json)
{
	buffer_clear(&f->request);
	assert_int_equal(
	    envelope_seal_request(&f->keys, sender, &f->sequence, clock_wall(), json, strlen(json), &f->request, NULL),
	    FC_OK);
}

static inline int call(struct fixture *f, const char *method, const char *json)
{
	f->http.path = path_of(f, "/evcs/v20160701", method);
	seal(f, "987654321", json);
	return send_body(f, f->request.data, f->request.len);
}

/* The text of a field of the answer object. */
static inline const char *answer_text(struct fixture *f, const char *key)
{
	struct value *v = NULL;

	assert_non_null(f->envelope.plain);
	assert_int_equal(json_read(f->reader, f->envelope.plain, f->envelope.plain_len, &f->arena, &v, NULL), FC_OK);
	return value_text(value_get(v, key));
}

static inline int64_t answer_int(struct fixture *f, const char *key)
{
	struct value *v = NULL;
	int64_t i = -999;

	assert_non_null(f->envelope.plain);
	assert_int_equal(json_read(f->reader, f->envelope.plain, f->envelope.plain_len, &f->arena, &v, NULL), FC_OK);
	(void)value_to_int(value_get(v, key), &i);
	return i;
}

static inline void log_in(struct fixture *f)
{
	f->authorization[0] = '\0';
	assert_int_equal(call(f, "query_token", "{\"OperatorID\":\"987654321\",\"OperatorSecret\":\"our-secret\"}"),
			 RET_OK);
	assert_int_equal(answer_int(f, "SuccStat"), 0);
	assert_int_equal(answer_int(f, "TokenAvailableTime"), 7200);
	(void)snprintf(f->authorization, sizeof(f->authorization), "Bearer %s", answer_text(f, "AccessToken"));
}

#endif
