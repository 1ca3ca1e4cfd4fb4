/* The page's routes, on a whole station (world.h). An input is some requests: a byte (below), a line with the path and the query, for
 * STRANGE one with the headers (a tab between them), for a POST one with the body.
 *
 * Whoever is nobody or only looks gets nothing else; no answer shows a file from outside the page's folder, or a secret. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/clock.h"
#include "control/command.h"
#include "world.h"
#include "world_edge.h"

enum { REQUESTS_MAX = 6, TURNS = 300, UNPACKED_MAX = 8 << 20 };
/* Who asks; how. */
enum {
	ADMIN,
	SESSION,
	VIEWER,
	NOBODY,
	STRANGE,
	WHO = 7,
	POST = 8,
	OTHER_METHOD = 16,
	FOREIGN = 32,
	OTHER_TYPE = 64,
	PACKED = 128
};

static char tokens[2][GUARD_TOKEN_TEXT]; /* of an administrator, of a viewer */
static char session[SESSION_TOKEN], csrf[SESSION_CSRF];
static int knows_secret;

/* Who they are --------------------------------------------------------------------------------------------------------- */

static void on_login(void *user, const struct guard_outcome *outcome)
{
	int *is_done = user;

	*is_done = 1;
	if (fuzz_shows())
		fprintf(stderr, "  log-in: %s\n", outcome->error);
	if (outcome->code)
		return;
	(void)snprintf(session, sizeof(session), "%s", outcome->token);
	(void)snprintf(csrf, sizeof(csrf), "%s", outcome->who->csrf);
}

/* Inputs end sessions, remove tokens and lock accounts out. */
static void tend(struct world *w)
{
	static const char *const roles[] = {"administrator", "viewer"};
	struct guard_who who;
	struct error err = {0};

	for (int i = 0; i < 2; i++) {
		struct token_row row = {0};

		if (!guard_by_token(w->guard, tokens[i], &who))
			continue;
		while (guard_token_at(w->guard, GUARD_TOKENS_MAX - 2))
			fuzz_check(!guard_token_remove(w->guard, guard_token_at(w->guard, 0)->id, &err));
		(void)snprintf(row.name, sizeof(row.name), "%s", roles[i]);
		(void)snprintf(row.role, sizeof(row.role), "%s", roles[i]);
		fuzz_check(guard_token_add(w->guard, &row, tokens[i], &err) == FC_OK);
	}
	if (!*session || guard_by_session(w->guard, session, &who)) {
		int is_done = 0;

		session[0] = '\0';
		guard_login(w->guard, "admin", "password", "10.0.0.2", on_login, &is_done);
		while (!is_done)
			(void)loop_step(w->loop, 10);
	}
}

/* What came ------------------------------------------------------------------------------------------------------------- */

static const struct control_command *command_of(const char *path)
{
	const struct control_command *c;

	if (strncmp(path, "/api/", 5) != 0)
		return NULL;
	for (int i = 0; (c = control_command_at(control_tables, i)); i++)
		if (!strcmp(c->name, path + 5))
			return c;
	return NULL;
}

static void check_may(unsigned who, const struct http_request *http, const struct http_response *response, int is_owed)
{
	const struct control_command *c = command_of(http->path);

	if (who == NOBODY && (c || !strcmp(http->path, "/metrics") || !strcmp(http->path, "/api/session")))
		fuzz_check(!is_owed && response->status != 200);
	if (who == VIEWER && c && c->right > CONTROL_VIEW)
		fuzz_check(!is_owed && response->status != 200);
}

/* What gzip made of an answer, as a browser reads it; to be freed. */
static char *unpacked(const struct buffer *body)
{
	z_stream z = {.next_in = (unsigned char *)body->data, .avail_in = (uInt)body->len};
	char *text = malloc(UNPACKED_MAX + 1);

	fuzz_check(text && inflateInit2(&z, 16 + MAX_WBITS) == Z_OK);
	z.next_out = (unsigned char *)text;
	z.avail_out = UNPACKED_MAX;
	fuzz_check(inflate(&z, Z_FINISH) == Z_STREAM_END && !z.avail_in);
	text[UNPACKED_MAX - z.avail_out] = '\0';
	(void)inflateEnd(&z);
	return text;
}

static void check_body(const struct http_response *response)
{
	int is_packed = response->headers && strstr(response->headers, "content-encoding: gzip") && response->body.len;
	char *text = is_packed ? unpacked(&response->body) : NULL;
	const char *body = text ? text : response->body.data;

	fuzz_check(knows_secret || !body || !strstr(body, WORLD_SECRET));
	free(text);
}

/* The request ----------------------------------------------------------------------------------------------------------- */

/* As the server does it: no path with .. comes here. */
static void no_way_up(char *path)
{
	for (char *at = path; (at = strstr(at, "/..")); at++)
		if (!at[3] || at[3] == '/')
			at[1] = '_';
}

static const char *next_field(char **at)
{
	char *field = *at, *tab = strchr(field, '\t');

	if (tab)
		*tab = '\0';
	*at = tab ? tab + 1 : field + strlen(field);
	return field;
}

static void put_headers(struct http_request *http, char *line)
{
	http->authorization = next_field(&line);
	http->cookie = next_field(&line);
	http->csrf = next_field(&line);
	http->host = next_field(&line);
	http->origin = next_field(&line);
	http->fetch_site = next_field(&line);
	http->content_type = next_field(&line);
	http->if_none_match = next_field(&line);
	if (*line)
		http->accept_encoding = next_field(&line);
}

static void ask(struct world *w, unsigned how, struct fuzz_input *in, struct edge *edge)
{
	struct http_request http = {.method = how & POST           ? "POST"
					      : how & OTHER_METHOD ? "DELETE"
								   : "GET",
				    .authorization = "",
				    .content_type = how & OTHER_TYPE ? "text/plain" : "application/json",
				    .cookie = "",
				    .host = "box",
				    .origin = how & FOREIGN ? "https://elsewhere" : "https://box",
				    .fetch_site = "",
				    .csrf = "",
				    .if_none_match = "",
				    .accept_encoding = how & PACKED ? "br, gzip" : "",
				    .peer = "10.0.0.1",
				    .peer_name = "",
				    .query = "",
				    .connection = edge,
				    .connected_us = 1};
	struct http_response response = {.status = 200, .content_type = "application/json;charset=utf-8"};
	char *path = fuzz_line(in), *query = strchr(path, '?');
	char *headers = (how & WHO) == STRANGE ? fuzz_line(in) : NULL, *body = how & POST ? fuzz_line(in) : NULL;
	char who[160];
	int owed = edge->owed, answers = edge->answers;

	if (query)
		*query++ = '\0';
	no_way_up(path);
	http.path = *path == '/' ? path : "/";
	http.query = query ? query : "";
	if ((how & WHO) == ADMIN || (how & WHO) == VIEWER) {
		(void)snprintf(who, sizeof(who), "Bearer %s", tokens[(how & WHO) == VIEWER]);
		http.authorization = who;
	} else if ((how & WHO) == SESSION) {
		(void)snprintf(who, sizeof(who), "forecourt=%s", session);
		http.cookie = who;
		http.csrf = csrf;
	} else if (headers) {
		put_headers(&http, headers);
	}
	http.body = body ? body : "";
	http.body_len = strlen(http.body);
	/* What is longer is not taken from the wire. */
	size_t most = answer_body_limit(w->admin, &http);
	if (http.body_len > most)
		http.body_len = 0;
	buffer_init(&response.body, CONTROL_MEMORY * 4);
	answer_request(w->admin, &http, &response);
	int is_owed = edge->owed > owed, was_answered = edge->answers > answers;
	fuzz_check(!is_owed || !was_answered);
	if (fuzz_shows())
		fprintf(stderr, "  %s %s: %d%s %.300s\n", http.method, http.path, response.status,
			is_owed || was_answered ? " (later)" : "", response.body.data ? response.body.data : "");
	if (!is_owed && !was_answered) {
		edge_check(&response);
		check_body(&response);
	}
	check_may(how & WHO, &http, &response, is_owed || was_answered);
	buffer_fini(&response.body);
	free(path);
	free(headers);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct world *w = world_get();
	struct edge edge = {.check = check_body};

	if (w->inputs == 1)
		session[0] = tokens[0][0] = tokens[1][0] = '\0';
	tend(w);
	knows_secret = world_knows_secret(data, size);
	for (int i = 0; i < REQUESTS_MAX && in.left; i++) {
		unsigned how = fuzz_byte(&in);

		ask(w, how, &in, &edge);
	}
	for (int i = 0; i < TURNS && edge.owed; i++)
		(void)loop_step(w->loop, 1);
	edge_leave(&edge);
	world_settle(w);
	return 0;
}
