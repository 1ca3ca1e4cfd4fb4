/* The room on the real loop and over real loopback connections (plain HTTP): a platform made of http_server and the envelope
 * takes our log-in and our pushes, and http_client asks our port. */
#include "upstream/platform.h"

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
#include "base/json_read.h"
#include "base/log.h"
#include "folder.h"
#include "loop/http_client.h"
#include "loop/http_server.h"
#include "upstream/envelope.h"
#include "upstream_fixture.h"

struct fixture {
	struct station_set set;
	struct loop *loop;
	struct platform_set *platforms;
	struct script_host host;
	struct json_reader *reader;
	struct envelope_keys keys;
	struct envelope_sequence sequence;
	struct http_server *city;
	struct http_client *asks;
	char dir[64], url[64];
	int logins, pushes, last_status;
	char token[80];
	int answers, ret;
	char plain[4096];
};

/* The platform's side: any log-in is good, every push is accepted. */
static void city(void *user, const struct http_request *request, struct http_response *response)
{
	struct fixture *f = user;
	struct envelope_request envelope;
	struct arena arena;
	char *plain;
	size_t len;
	const char *answer = "{\"Status\":0}";

	arena_init(&arena, 1 << 20);
	assert_int_equal(envelope_open_request(&f->keys, f->reader, request->body, request->body_len, &arena, &envelope,
					       &plain, &len, NULL),
			 RET_OK);
	if (strstr(request->path, "/query_token")) {
		f->logins++;
		answer =
		    "{\"OperatorID\":\"123456789\",\"SuccStat\":0,\"AccessToken\":\"T\",\"TokenAvailableTime\":7200,"
		    "\"FailReason\":0}";
	} else {
		assert_string_equal(request->path, "/evcs/v1/notification_stationStatus");
		assert_string_equal(request->authorization, "Bearer T");
		f->pushes++;
		f->last_status = atoi(strstr(plain, "\"Status\":") + 9);
	}
	assert_int_equal(envelope_seal_response(&f->keys, 0, NULL, answer, strlen(answer), NULL, &response->body),
			 FC_OK);
	arena_fini(&arena);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[96];
	const struct http_server_config config = {.name = "city", .address = "127.0.0.1"};

	if (!f)
		return -1;
	log_init("test", LOG_LEVEL_ERROR, 0);
	folder_make(f->dir, sizeof(f->dir), "upstream");
	(void)snprintf(path, sizeof(path), "%s/operators", f->dir);
	if (mkdir(path, 0700))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/operators/base.lua", f->dir);
	FILE *file = fopen(path, "w");
	if (!file || fputs("return { forecourt = 1, kind = \"operator\", name = \"base\" }\n", file) < 0 ||
	    fclose(file))
		return -1;
	f->loop = loop_new(NULL);
	f->reader = json_reader_new(0);
	if (!f->loop || !f->reader ||
	    envelope_keys_set(&f->keys, "1234567890abcdef", "1234567890abcdef", "1234567890abcdef", NULL))
		return -1;
	f->city = http_server_new(f->loop, &config, city, f, NULL);
	if (!f->city)
		return -1;
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/evcs/v1/", http_server_port(f->city));
	fixture_init(&f->set);
	f->set.config.gateway.lua_dir = f->dir;
	f->set.config.platform_count = 1;
	/* Another address than the city's: libwebsockets lets servers share a socket that look the same, port 0 too. */
	f->set.listen[0].address = "127.0.0.2";
	f->set.platform[0].url = f->url;
	f->host.lua_dir = f->dir;
	f->platforms = platform_set_new(f->loop, &f->set, &f->host, NULL);
	*state = f;
	return f->platforms ? platform_set_apply(f->platforms, &f->set.config, NULL) : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	platform_set_free(f->platforms);
	if (f->asks)
		http_client_free(f->asks);
	http_server_free(f->city);
	loop_free(f->loop);
	json_reader_free(f->reader);
	folder_remove(f->dir);
	free(f);
	return 0;
}

static void statuses_reach_the_platform(void **state)
{
	struct fixture *f = *state;
	struct platform_stats stats = {0};

	while (stats.status_accepted < FIXTURE_CONNECTORS) {
		assert_int_equal(loop_step(f->loop, 50), 0);
		assert_int_equal(platform_get_stats(f->platforms, 0, &stats), FC_OK);
	}
	assert_int_equal(f->logins, 1);
	assert_int_equal(f->pushes, FIXTURE_CONNECTORS);
	assert_int_equal(stats.linked, 1);
	assert_int_equal(stats.waiting, 0);
	f->set.live[2].status = CONNECTOR_CHARGING;
	f->set.listeners->fn(f->set.listeners->user,
			     &(struct station_event){.kind = STATION_CONNECTOR_STATUS, .connector = &f->set.live[2]});
	while (stats.status_accepted < FIXTURE_CONNECTORS + 1) {
		assert_int_equal(loop_step(f->loop, 50), 0);
		assert_int_equal(platform_get_stats(f->platforms, 0, &stats), FC_OK);
	}
	assert_int_equal(f->last_status, CONNECTOR_CHARGING);
}

static void keep_answer(void *user, const struct http_result *result)
{
	struct fixture *f = user;
	struct envelope_response response;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	assert_int_equal(result->status, 200);
	assert_int_equal(envelope_open_response(&f->keys, f->reader, CONFIG_SIG_STRICT, result->body, result->body_len,
						&arena, &response, NULL),
			 FC_OK);
	f->ret = response.ret;
	(void)snprintf(f->plain, sizeof(f->plain), "%s", response.plain ? response.plain : "");
	f->answers++;
	arena_fini(&arena);
}

static int ask(struct fixture *f, const char *method, const char *json)
{
	char path[96], authorization[96];
	struct buffer body;
	int before = f->answers;

	buffer_init(&body, 65536);
	(void)snprintf(path, sizeof(path), "/evcs/v20160701/%s", method);
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", f->token);
	assert_int_equal(
	    envelope_seal_request(&f->keys, "987654321", &f->sequence, clock_wall(), json, strlen(json), &body, NULL),
	    FC_OK);
	assert_int_equal(http_client_post(f->asks, path, authorization, "application/json", body.data, body.len, 60000,
					  keep_answer, f, NULL),
			 FC_OK);
	while (f->answers == before)
		assert_int_equal(loop_step(f->loop, 50), 0);
	buffer_fini(&body);
	return f->ret;
}

static void questions_are_answered_on_the_port(void **state)
{
	struct fixture *f = *state;
	const struct http_client_config config = {
	    .name = "asks", .host = "127.0.0.2", .port = platform_listen_port(f->platforms, "public")};
	struct platform_stats stats;

	assert_true(config.port > 0);
	f->asks = http_client_new(f->loop, &config, NULL);
	assert_non_null(f->asks);
	assert_int_equal(ask(f, "query_stations_info", "{}"), RET_TOKEN);
	assert_int_equal(ask(f, "query_token", "{\"OperatorID\":\"987654321\",\"OperatorSecret\":\"our-secret\"}"),
			 RET_OK);
	const char *token = strstr(f->plain, "\"AccessToken\":\"");
	assert_non_null(token);
	(void)snprintf(f->token, sizeof(f->token), "%.64s", token + 15);
	assert_int_equal(ask(f, "query_stations_info", "{\"PageNo\":1,\"PageSize\":1}"), RET_OK);
	assert_non_null(strstr(f->plain, "\"ItemSize\":3"));
	assert_int_equal(platform_get_stats(f->platforms, 0, &stats), FC_OK);
	assert_int_equal(stats.answered, 2);
	assert_int_equal(stats.refused, 1);
	/* An equal configuration changes nothing for the caller: port and token live on. */
	assert_int_equal(platform_set_apply(f->platforms, &f->set.config, NULL), FC_OK);
	assert_int_equal(platform_listen_port(f->platforms, "public"), config.port);
	assert_int_equal(ask(f, "query_station_status", "{\"StationIDs\":[\"S1\"]}"), RET_OK);
	/* A changed section is opened again on the same number; the token is the platform's, not the port's. */
	struct station_set next = f->set;
	struct config_listen changed = f->set.listen[0];
	changed.port = config.port;
	changed.max_connections = 9;
	next.config.listens = &changed;
	assert_int_equal(platform_set_apply(f->platforms, &next.config, NULL), FC_OK);
	assert_int_equal(platform_listen_port(f->platforms, "public"), config.port);
	assert_int_equal(ask(f, "query_station_status", "{\"StationIDs\":[\"S1\"]}"), RET_OK);
	/* The configuration must outlive the set. */
	assert_int_equal(platform_set_apply(f->platforms, &f->set.config, NULL), FC_OK);
}

static void freed_while_everything_is_under_way(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_step(f->loop, 5), 0);
	/* teardown frees the set first. */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(statuses_reach_the_platform, setup, teardown),
	    cmocka_unit_test_setup_teardown(questions_are_answered_on_the_port, setup, teardown),
	    cmocka_unit_test_setup_teardown(freed_while_everything_is_under_way, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
