/* The set of platforms: what an apply and a reload touch and what they leave alone. Loop, HTTP client and HTTP server are
 * replaced by counters; the mappings are real files in a folder of the test's own. */
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

#include "base/log.h"
#include "charge_stub.h"
#include "folder.h"
#include "loop/http_client.h"
#include "loop/http_server.h"
#include "upstream_fixture.h"

enum { TIMERS = 32 };

struct loop {
	struct loop_timer *armed[TIMERS];
};
struct http_client {
	int unused;
};
struct http_server {
	int port;
	http_handler handler;
	void *user;
};

/* What the replaced functions did, and what they shall refuse. */
static struct {
	int clients_made, clients_freed, servers_made, servers_freed;
	int refuse_port; /* that can't be bound */
	struct http_server *last_server;
} world;

int loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us)
{
	(void)delay_us;
	loop_timer_cancel(loop, timer);
	for (int i = 0; i < TIMERS; i++)
		if (!loop->armed[i]) {
			loop->armed[i] = timer;
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

/* The shelf's thread, which no set here has. */
void loop_waker_add(struct loop *loop, struct loop_waker *waker)
{
	(void)loop;
	(void)waker;
}

void loop_waker_remove(struct loop *loop, struct loop_waker *waker)
{
	(void)loop;
	(void)waker;
}

void loop_wake(struct loop *loop)
{
	(void)loop;
}

struct http_client *http_client_new(struct loop *loop, const struct http_client_config *config, struct error *err)
{
	(void)loop;
	if (config->ca && !strcmp(config->ca, "/nowhere.pem")) {
		(void)error_set(err, FC_EIO, "loop: tls: /nowhere.pem: can't be read");
		return NULL;
	}
	world.clients_made++;
	return calloc(1, sizeof(struct http_client));
}

void http_client_free(struct http_client *client)
{
	world.clients_freed++;
	free(client);
}

int http_client_post(struct http_client *client, const char *path, const char *authorization, const char *content_type,
		     const void *body, size_t len, int timeout_ms, http_done done, void *user, struct error *err)
{
	(void)client, (void)path, (void)authorization, (void)content_type, (void)body, (void)len, (void)timeout_ms;
	(void)done, (void)user;
	return error_set(err, FC_EBUSY, "not in this test");
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_config *config, http_handler handler,
				    void *user, struct error *err)
{
	(void)loop;
	if (config->port == world.refuse_port) {
		(void)error_set(err, FC_EIO, "loop: bind: port %d: in use", config->port);
		return NULL;
	}
	struct http_server *server = calloc(1, sizeof(*server));
	server->port = config->port;
	server->handler = handler;
	server->user = user;
	world.servers_made++;
	world.last_server = server;
	return server;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	world.servers_freed++;
	free(server);
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

/* Fixture ----------------------------------------------------------------------------------------------------------- */

struct fixture {
	struct station_set now, next; /* two configurations to go between */
	struct loop loop;
	struct platform_set *set;
	struct script_host host;
	struct error err;
	char dir[64];
};

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void write_mapping(const struct fixture *f, const char *name, const char *rest)
{
	char file[64], text[512];

	(void)snprintf(file, sizeof(file), "operators/%s.lua", name);
	(void)snprintf(text, sizeof(text), "return { forecourt = 1, kind = \"operator\", name = \"%s\", %s }\n", name,
		       rest);
	write_file(f, file, text);
}

static void prepare(struct fixture *f, struct station_set *s)
{
	fixture_init(s);
	s->config.gateway.lua_dir = f->dir;
	s->listen[0].port = 9443;
	for (size_t i = 0; i < sizeof(s->platform) / sizeof(s->platform[0]); i++)
		s->platform[i].exchange = -1;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[96];

	if (!f)
		return -1;
	log_init("test", LOG_LEVEL_ERROR, 0);
	memset(&world, 0, sizeof(world));
	world.refuse_port = -1;
	folder_make(f->dir, sizeof(f->dir), "platform");
	(void)snprintf(path, sizeof(path), "%s/operators", f->dir);
	if (mkdir(path, 0700))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/lib", f->dir);
	if (mkdir(path, 0700))
		return -1;
	write_mapping(f, "base", "");
	write_mapping(f, "odd", "paths = { query_token = \"token\" }");
	prepare(f, &f->now);
	prepare(f, &f->next);
	f->host.lua_dir = f->dir;
	f->set = platform_set_new(&f->loop, &f->now, &f->host, &f->err);
	*state = f;
	return f->set ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	platform_set_free(f->set);
	assert_null(f->now.listeners);
	assert_int_equal(world.clients_made, world.clients_freed);
	assert_int_equal(world.servers_made, world.servers_freed);
	for (int i = 0; i < TIMERS; i++)
		assert_null(f->loop.armed[i]);
	folder_remove(f->dir);
	free(f);
	return 0;
}

static void apply(struct fixture *f, const struct station_set *s)
{
	f->err = (struct error){0};
	assert_int_equal(platform_set_apply(f->set, &s->config, &f->err), FC_OK);
}

/* The HTTP status of a GET: 405 where a platform answers, 404 else. */
static int status_of(const char *path)
{
	const struct http_request request = {.method = "GET",
					     .path = path,
					     .query = "",
					     .authorization = "",
					     .content_type = "",
					     .cookie = "",
					     .peer = "",
					     .peer_name = "",
					     .body = ""};
	struct http_response response = {.status = 200};

	buffer_init(&response.body, 4096);
	world.last_server->handler(world.last_server->user, &request, &response);
	buffer_fini(&response.body);
	return response.status;
}

static struct platform_stats stats_of(const struct fixture *f, int index)
{
	struct platform_stats stats;

	assert_int_equal(platform_get_stats(f->set, index, &stats), FC_OK);
	return stats;
}

/* Tests ------------------------------------------------------------------------------------------------------------- */

static void first_apply(void **state)
{
	struct fixture *f = *state;
	struct platform_stats stats;

	assert_int_equal(platform_count(f->set), 0);
	apply(f, &f->now);
	assert_int_equal(platform_count(f->set), 2);
	assert_int_equal(world.clients_made, 2);
	assert_int_equal(world.servers_made, 1);
	assert_int_equal(platform_listen_port(f->set, "public"), 9443);
	assert_int_equal(platform_listen_port(f->set, "other"), -1);
	assert_int_equal(status_of("/evcs/v20160701/query_token"), 405);
	assert_int_equal(status_of("/second/query_token"), 405);
	assert_int_equal(status_of("/third/query_token"), 404);
	stats = stats_of(f, 0);
	assert_string_equal(stats.name, "city");
	assert_string_equal(stats.mapping, "base");
	assert_int_equal(strlen(stats.mapping_hash), 64);
	assert_int_equal(stats.linked, 0);
	assert_int_equal(stats.waiting, FIXTURE_CONNECTORS);
	assert_int_equal(stats_of(f, 1).waiting, 1);
	assert_int_equal(platform_get_stats(f->set, 2, &stats), FC_ENOENT);
}

static void an_equal_configuration_touches_nothing(void **state)
{
	struct fixture *f = *state;

	apply(f, &f->now);
	apply(f, &f->next);
	assert_int_equal(world.clients_made, 2);
	assert_int_equal(world.servers_made, 1);
	/* The old one is gone for good: nothing may point there. */
	memset(&f->now.config, 0xA5, sizeof(f->now.config));
	memset(f->now.platform, 0xA5, sizeof(f->now.platform));
	memset(f->now.listen, 0xA5, sizeof(f->now.listen));
	f->now.config = f->next.config;
	assert_string_equal(stats_of(f, 0).name, "city");
	assert_int_equal(status_of("/second/query_token"), 405);
}

static void only_the_changed_platform_restarts(void **state)
{
	struct fixture *f = *state;

	apply(f, &f->now);
	f->next.platform[1].url = "https://elsewhere.example/";
	apply(f, &f->next);
	assert_int_equal(world.clients_made, 3);
	assert_int_equal(world.clients_freed, 1);
	/* Options are applied in place, and so is another path or mapping. */
	prepare(f, &f->now);
	f->now.platform[1].url = "https://elsewhere.example/";
	f->now.platform[0].retry_s = 7;
	f->now.platform[0].path = "/new";
	f->now.platform[0].mapping = "odd";
	apply(f, &f->now);
	assert_int_equal(world.clients_made, 3);
	assert_int_equal(world.servers_made, 1);
	assert_int_equal(status_of("/new/token"), 405);
	assert_int_equal(status_of("/new/query_token"), 404);
	assert_int_equal(status_of("/evcs/v20160701/token"), 404);
	assert_string_equal(stats_of(f, 0).mapping, "odd");
}

static void platforms_come_and_go(void **state)
{
	struct fixture *f = *state;

	f->now.platform[1].enabled = 0;
	apply(f, &f->now);
	assert_int_equal(platform_count(f->set), 1);
	assert_int_equal(status_of("/second/query_token"), 404);
	apply(f, &f->next);
	assert_int_equal(platform_count(f->set), 2);
	assert_int_equal(status_of("/second/query_token"), 405);
	/* Without a platform that uses it the port is closed. */
	prepare(f, &f->now);
	f->now.platform[0].listen = -1;
	f->now.config.platform_count = 1;
	apply(f, &f->now);
	assert_int_equal(platform_count(f->set), 1);
	assert_int_equal(world.clients_freed, 1);
	assert_int_equal(platform_listen_port(f->set, "public"), -1);
}

static void refuse(struct fixture *f, const char *text)
{
	f->err = (struct error){0};
	assert_true(platform_set_apply(f->set, &f->next.config, &f->err) < 0);
	assert_non_null(strstr(f->err.text, text));
	assert_int_equal(platform_count(f->set), 2);
	assert_int_equal(world.clients_made - world.clients_freed, 2);
	assert_int_equal(world.servers_made - world.servers_freed, 1);
	assert_string_equal(stats_of(f, 0).mapping, "base");
	assert_int_equal(platform_listen_port(f->set, "public"), 9443);
	assert_int_equal(status_of("/second/query_token"), 405);
	prepare(f, &f->next);
}

/* DESIGN.md rule 10. */
static void a_failing_apply_changes_nothing(void **state)
{
	struct fixture *f = *state;

	apply(f, &f->now);
	f->next.platform[0].mapping = "odd";
	f->next.platform[1].mapping = "missing";
	refuse(f, "missing");
	f->next.platform[0].mapping = "odd";
	f->next.platform[1].ca = "/nowhere.pem";
	refuse(f, "platform second: loop: tls: /nowhere.pem");
	f->next.platform[0].url = "nonsense";
	refuse(f, "platform city: url");
	f->next.platform[1].ours.data_secret = "short";
	refuse(f, "platform second: our secrets");
	f->next.listen[0].port = 9444;
	world.refuse_port = 9444;
	refuse(f, "listen public: loop: bind: port 9444: in use");
	/* The port that had to be given up for the attempt is open again; with a free one it moves. */
	world.refuse_port = -1;
	f->next.listen[0].port = 9444;
	apply(f, &f->next);
	assert_int_equal(platform_listen_port(f->set, "public"), 9444);
	assert_int_equal(world.clients_made - world.clients_freed, 2);
}

static void reload_replaces_changed_mappings_only(void **state)
{
	struct fixture *f = *state;

	f->now.platform[1].mapping = "odd";
	apply(f, &f->now);
	assert_int_equal(platform_set_reload_mappings(f->set, &f->err), 0);
	write_mapping(f, "odd", "paths = { query_token = \"login\" }");
	assert_int_equal(platform_set_reload_mappings(f->set, &f->err), 1);
	assert_int_equal(status_of("/second/login"), 405);
	assert_int_equal(status_of("/second/token"), 404);
	assert_int_equal(platform_set_reload_mappings(f->set, &f->err), 0);
	/* A bad one leaves its running version in force, and does not hold up another. */
	write_mapping(f, "odd", "paths = { query_tokn = \"x\" }");
	write_mapping(f, "base", "methods = { query_station_stats = false }");
	assert_true(platform_set_reload_mappings(f->set, &f->err) < 0);
	assert_non_null(strstr(f->err.text, "query_tokn"));
	assert_int_equal(status_of("/second/login"), 405);
	assert_int_equal(status_of("/evcs/v20160701/query_station_stats"), 404);
	assert_int_equal(world.clients_made, 2);
	write_mapping(f, "odd", "");
	assert_int_equal(platform_set_reload_mappings(f->set, &f->err), 1);
	assert_int_equal(platform_set_reload_mappings(f->set, &f->err), 0);
}

static void events_reach_those_who_may_see(void **state)
{
	struct fixture *f = *state;
	const struct station_event event = {.kind = STATION_CONNECTOR_STATUS, .connector = &f->now.live[0]};

	apply(f, &f->now);
	/* The first push of this connector is still waiting: the change supersedes it, at the platform that sees it. */
	f->now.listeners->fn(f->now.listeners->user, &event);
	assert_int_equal(stats_of(f, 0).push_superseded, 1);
	assert_int_equal(stats_of(f, 1).push_superseded, 0);
}

static void one_direction_only(void **state)
{
	struct fixture *f = *state;

	f->now.platform[0].theirs = (struct config_keys){"", "", "", ""};
	f->now.platform[1].ours = (struct config_keys){"", "", "", ""};
	apply(f, &f->now);
	assert_int_equal(world.clients_made, 1);
	assert_int_equal(status_of("/evcs/v20160701/query_token"), 405);
	assert_int_equal(status_of("/second/query_token"), 404);
	assert_int_equal(stats_of(f, 0).waiting, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(first_apply, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_equal_configuration_touches_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_the_changed_platform_restarts, setup, teardown),
	    cmocka_unit_test_setup_teardown(platforms_come_and_go, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_failing_apply_changes_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(reload_replaces_changed_mappings_only, setup, teardown),
	    cmocka_unit_test_setup_teardown(events_reach_those_who_may_see, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_direction_only, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
