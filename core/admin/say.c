/* Answers: refusals and trees as JSON, and those that come later. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/inside.h"
#include "base/json.h"
#include "base/maker.h"

enum { REFUSAL_MEMORY = 4096, ANSWER_MAX = 16 << 20 };

int say_status(int code)
{
	switch (code) {
	case FC_OK:
		return 200;
	case FC_EINVAL:
	case FC_ESCRIPT:
		return 400;
	case FC_EAUTH:
		return 403;
	case FC_ENOENT:
		return 404;
	case FC_EBUSY:
	case FC_EEXIST:
		return 409;
	case FC_ELIMIT:
		return 413;
	case FC_EIO:
	case FC_ETIMEOUT:
	case FC_ENOMEM:
		return 503;
	default:
		return 500;
	}
}

void say_tree(struct http_response *response, const struct value *tree)
{
	if (!tree || json_write(&response->body, tree)) {
		buffer_clear(&response->body);
		response->status = 500;
		(void)buffer_text(&response->body, "{\"code\":\"limit\",\"error\":\"the answer is too large\"}");
	}
}

void say_refusal(struct http_response *response, int status, const char *code, const char *key, const char *error)
{
	struct arena arena;

	arena_init(&arena, REFUSAL_MEMORY);
	struct maker m = {.arena = &arena};
	struct value *root = value_object(&arena);
	maker_text(&m, root, "code", code);
	if (key)
		maker_optional(&m, root, "key", key);
	maker_text(&m, root, "error", error);
	response->status = status;
	say_tree(response, m.failed ? NULL : root);
	arena_fini(&arena);
}

void say_who(struct http_response *response, const struct guard_who *who)
{
	struct arena arena;

	arena_init(&arena, REFUSAL_MEMORY);
	struct maker m = {.arena = &arena};
	struct value *root = value_object(&arena);
	maker_text(&m, root, "user", who->name);
	maker_text(&m, root, "role", control_role(who->right));
	maker_text(&m, root, "csrf", who->csrf);
	maker_put(&m, root, "must_change", value_bool(&arena, who->must_change));
	maker_text(&m, root, "source", guard_source_name(who->source));
	say_tree(response, m.failed ? NULL : root);
	arena_fini(&arena);
}

/* Later --------------------------------------------------------------------------------------------------------------- */

void pending_response(struct http_response *response)
{
	*response = (struct http_response){
	    .status = 200, .content_type = "application/json;charset=utf-8", .headers = "cache-control: no-store\r\n"};
	buffer_init(&response->body, ANSWER_MAX);
}

struct pending *pending_begin(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (p)
		p->ticket = http_defer(request);
	if (!p || !p->ticket) {
		free(p);
		say_refusal(response, 503, "no memory", NULL, "no memory");
		return NULL;
	}
	p->admin = admin;
	p->next = admin->pending;
	admin->pending = p;
	return p;
}

static void leave(struct pending *p)
{
	struct pending **at = &p->admin->pending;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	free(p);
}

void pending_end(struct pending *p, struct http_response *response)
{
	(void)http_answer(p->ticket, response);
	leave(p);
}

void pending_end_all(struct admin *admin)
{
	struct pending *next = NULL;
	struct http_response none;

	for (struct pending *p = admin->pending; p; p = next) {
		next = p->next;
		control_forget(p->reply);
		guard_forget(admin->sources.guard, p);
		pending_response(&none);
		(void)http_answer(p->ticket, &none);
		free(p);
	}
	admin->pending = NULL;
}
