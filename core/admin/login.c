/* Log-in, log-out, an own password. Nothing of a password goes anywhere but to the guard. */
#include <stdio.h>
#include <string.h>

#include "admin/inside.h"
#include "admin/live.h"

/* Two texts of a small object in a body: 0, or -1 and the response says so. */
static int read_two(struct admin *admin, const struct http_request *request, struct http_response *response,
		    struct arena *arena, const char *const names[2], const char *texts[2])
{
	struct value *body = NULL;

	arena_init(arena, BODY_MEMORY);
	if (!json_read(admin->reader, request->body, request->body_len, arena, &body, NULL))
		for (int i = 0; i < 2; i++) {
			const struct value *v = value_get(body, names[i]);
			const char *text = value_text(v);

			/* A zero byte in the middle would make another text of it. */
			texts[i] = text && strlen(text) == v->len ? text : NULL;
		}
	if (texts[0] && texts[1])
		return 0;
	say_refusal(response, 400, "invalid", NULL,
		    names[0][0] == 'u' ? "wants user and password" : "wants old and new");
	arena_fini(arena);
	return -1;
}

static void let_in(void *user, const struct guard_outcome *outcome)
{
	struct pending *p = user;
	struct http_response response;
	char headers[320];

	pending_response(&response);
	if (outcome->code) {
		/* Waiting is not a conflict with somebody else's deed. */
		int is_wait = outcome->code == FC_EBUSY && !strncmp(outcome->key, "login.", 6);

		say_refusal(&response, is_wait ? 429 : say_status(outcome->code), error_name(outcome->code),
			    outcome->key, outcome->error);
		(void)snprintf(headers, sizeof(headers), "cache-control: no-store\r\n");
		if (is_wait)
			(void)snprintf(headers, sizeof(headers), "cache-control: no-store\r\nretry-after: %d\r\n",
				       outcome->wait_s ? outcome->wait_s : 1);
	} else {
		char cookie[256];

		/* Who logs in again leaves the session before. */
		guard_logout(p->admin->sources.guard, p->left);
		who_set_cookie(p->admin, outcome->token, SESSION_LIFE_S, cookie, sizeof(cookie));
		(void)snprintf(headers, sizeof(headers), "cache-control: no-store\r\n%s", cookie);
		say_who(&response, outcome->who);
	}
	response.headers = headers;
	pending_end(p, &response);
}

void answer_login(struct admin *admin, const struct http_request *request, struct http_response *response,
		  const struct guard_who *who)
{
	static const char *const names[] = {"user", "password"};
	const char *texts[2] = {0};
	struct arena arena;

	(void)who;
	if (read_two(admin, request, response, &arena, names, texts))
		return;
	struct pending *p = pending_begin(admin, request, response);
	if (p) {
		who_cookie(admin, request, p->left);
		guard_login(admin->sources.guard, texts[0], texts[1], request->peer, let_in, p);
	}
	arena_fini(&arena);
}

void answer_password(struct admin *admin, const struct http_request *request, struct http_response *response,
		     const struct guard_who *who)
{
	static const char *const names[] = {"old", "new"};
	const char *texts[2] = {0};
	struct arena arena;

	if (read_two(admin, request, response, &arena, names, texts))
		return;
	struct pending *p = pending_begin(admin, request, response);
	if (p)
		guard_change(admin->sources.guard, who, texts[0], texts[1], request->peer, let_in, p);
	arena_fini(&arena);
}

void answer_logout(struct admin *admin, const struct http_request *request, struct http_response *response,
		   const struct guard_who *who)
{
	char token[SESSION_TOKEN];

	(void)who;
	who_cookie(admin, request, token);
	guard_logout(admin->sources.guard, token);
	live_check(admin->live);
	who_set_cookie(admin, "", 0, admin->headers, sizeof(admin->headers));
	response->headers = admin->headers;
	(void)buffer_text(&response->body, "{\"ok\":true}");
}
