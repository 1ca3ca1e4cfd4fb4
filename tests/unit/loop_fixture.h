/* Shared by test_http.c and test_tls.c: a loop, a server that counts, a client whose answers are noted. */
#ifndef FC_TESTS_LOOP_FIXTURE_H
#define FC_TESTS_LOOP_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/http_client.h"
#include "loop/http_server.h"
#include "loop/loop.h"

/* Far above what any machine needs: reached only when something hangs. */
enum { PATIENCE_MS = 30000 };

/* What the server saw last, and what it answers. */
struct seen {
	int requests;
	char path[64], peer[64], peer_name[64], authorization[64], content_type[64], query[64];
	size_t body_len;
	char body_start[64];
	size_t answer_len; /* 0 = "{}" */
	int status;        /* 0 = 200 */
};

/* What the client was told. */
struct told {
	int done, failed;
	int status;
	int64_t retry_after_s;
	size_t len;
	int filled; /* the body was all 'x' */
	struct error err;
};

static void __attribute__((unused))
seen_handler(void *user, const struct http_request *request, struct http_response *response)
{
	struct seen *s = user;

	s->requests++;
	(void)snprintf(s->path, sizeof(s->path), "%s", request->path);
	(void)snprintf(s->query, sizeof(s->query), "%s", request->query);
	(void)snprintf(s->peer, sizeof(s->peer), "%s", request->peer);
	(void)snprintf(s->peer_name, sizeof(s->peer_name), "%s", request->peer_name);
	(void)snprintf(s->authorization, sizeof(s->authorization), "%s", request->authorization);
	(void)snprintf(s->content_type, sizeof(s->content_type), "%s", request->content_type);
	(void)snprintf(s->body_start, sizeof(s->body_start), "%s", request->body);
	s->body_len = request->body_len;
	if (s->status)
		response->status = s->status;
	if (!s->answer_len) {
		(void)buffer_text(&response->body, "{}");
		return;
	}
	char *filling = malloc(s->answer_len);

	assert_non_null(filling);
	memset(filling, 'x', s->answer_len);
	(void)buffer_add(&response->body, filling, s->answer_len);
	free(filling);
}

static void __attribute__((unused)) told_done(void *user, const struct http_result *result)
{
	struct told *t = user;

	t->done++;
	t->failed += result->status == 0;
	t->status = result->status;
	t->retry_after_s = result->retry_after_s;
	t->len = result->body_len;
	t->filled = strspn(result->body, "x") == result->body_len;
	t->err = result->err;
}

/* How many descriptors this process has open. */
static int __attribute__((unused)) open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Turns the loop until *value reaches want. */
static void __attribute__((unused)) turn_until(struct loop *loop, const int *value, int want)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (*value < want) {
		assert_true(clock_mono_ms() < end);
		assert_int_equal(loop_step(loop, 50), FC_OK);
	}
}

static void __attribute__((unused)) turn_for(struct loop *loop, int ms)
{
	for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end;)
		assert_int_equal(loop_step(loop, 10), FC_OK);
}

static void __attribute__((unused)) post(struct http_client *client, const char *body, struct told *told)
{
	struct error err = {0};

	assert_int_equal(http_client_post(client, "/evcs/v1/x", "Bearer SECRET", "application/json;charset=utf-8", body,
					  strlen(body), PATIENCE_MS, told_done, told, &err),
			 FC_OK);
}

#endif
