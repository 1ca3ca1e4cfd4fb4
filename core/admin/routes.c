/* Routes: what is answered to whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/files.h"
#include "admin/inside.h"
#include "admin/metrics.h"
#include "admin/packed.h"

/* Sent with every answer. Scripts, styles and connections of this page only, nothing inline, in no frame. */
#define HEADERS                                                                                                    \
	"content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " \
	"connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"     \
	"x-content-type-options: nosniff\r\n"                                                                      \
	"x-frame-options: DENY\r\n"                                                                                \
	"referrer-policy: no-referrer\r\n"                                                                         \
	"permissions-policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n"                     \
	"cross-origin-opener-policy: same-origin\r\n"                                                              \
	"cross-origin-resource-policy: same-origin\r\n"

const char *answer_headers(int tls)
{
	return tls ? HEADERS "strict-transport-security: max-age=31536000\r\n" : HEADERS;
}

static void answer_session(struct admin *admin, const struct http_request *request, struct http_response *response,
			   const struct guard_who *who)
{
	(void)admin, (void)request;
	say_who(response, who);
}

static void answer_openapi(struct admin *admin, const struct http_request *request, struct http_response *response,
			   const struct guard_who *who)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	(void)admin, (void)request, (void)who;
	if (to)
		admin_describe(to);
	if (!to || fclose(to) || buffer_add(&response->body, text, len))
		say_refusal(response, 503, "no memory", NULL, "no memory");
	free(text);
}

static void answer_metrics(struct admin *admin, const struct http_request *request, struct http_response *response,
			   const struct guard_who *who)
{
	(void)who;
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(&admin->sources, &response->body);
	packed_answer(request, response);
}

/* For whoever restarts what is sick: no word about what is wrong. */
static void answer_health(struct admin *admin, const struct http_request *request, struct http_response *response,
			  const struct guard_who *who)
{
	static const int64_t sick_us = 5000000;
	struct loop_pauses pauses;

	(void)request, (void)who;
	loop_get_pauses(admin->sources.loop, &pauses);
	int is_ok = !store_health(admin->sources.store)->failing && pauses.recent_us < sick_us;
	response->status = is_ok ? 200 : 503;
	(void)buffer_text(&response->body, is_ok ? "{\"status\":\"ok\"}" : "{\"status\":\"failing\"}");
}

/* To whom: anybody; who has logged in; who has, and needs no new password. */
enum level { OPEN, KNOWN, READY };

/* Every address under /api/ that is none of these is a command's, and wants READY. */
static const struct route {
	const char *method, *path;
	enum level level;
	void (*answer)(struct admin *admin, const struct http_request *request, struct http_response *response,
		       const struct guard_who *who);
} routes[] = {
    {"GET", "/healthz", OPEN, answer_health},
    {"GET", "/health", OPEN, answer_health},
    {"POST", "/api/login", OPEN, answer_login},
    {"POST", "/api/logout", OPEN, answer_logout},
    {"GET", "/api/session", KNOWN, answer_session},
    {"POST", "/api/password", KNOWN, answer_password},
    {"GET", "/api/openapi.json", READY, answer_openapi},
    {"GET", "/metrics", READY, answer_metrics},
};

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (!strcmp(routes[i].path, path))
			return &routes[i];
	return NULL;
}

static int is_api(const char *path)
{
	return !strncmp(path, "/api/", 5);
}

/* What any POST must be: FC_OK, or the response says what it lacks. */
static int check_post(const struct http_request *request, struct http_response *response)
{
	static const char json[] = "application/json";
	char after = request->content_type[strnlen(request->content_type, sizeof(json) - 1)];

	/* A form of a foreign page can't send that type without being asked first. */
	if (!strncmp(request->content_type, json, sizeof(json) - 1) && (!after || after == ';' || after == ' '))
		return FC_OK;
	say_refusal(response, 415, "type", NULL, "wants application/json");
	return FC_EINVAL;
}

/* FC_OK: this may be answered. who: whoever asks; all zero for nobody. */
static int check(struct admin *admin, const struct http_request *request, struct http_response *response, int is_post,
		 enum level level, struct guard_who *who)
{
	if (who_is_foreign(request)) {
		say_refusal(response, 403, error_name(FC_EAUTH), "foreign", "this comes from another page");
		return FC_EAUTH;
	}
	int is_known = !who_asks(admin, request, who);
	if (level != OPEN && !is_known) {
		say_refusal(response, 401, error_name(FC_EAUTH), "login", "log in");
		return FC_EAUTH;
	}
	if (is_post && check_post(request, response))
		return FC_EINVAL;
	/* A log-in has no session yet whose token it could bring: that it is this page's is all there is. */
	if (is_post && is_known && strcmp(request->path, "/api/login") != 0 && who_lacks_csrf(request, who)) {
		say_refusal(response, 403, error_name(FC_EAUTH), "csrf", "the session's token is missing or wrong");
		return FC_EAUTH;
	}
	if (level == READY && who->must_change) {
		say_refusal(response, 403, error_name(FC_EAUTH), "account.must_change", "set an own password first");
		return FC_EAUTH;
	}
	return FC_OK;
}

void answer_request(void *user, const struct http_request *request, struct http_response *response)
{
	struct admin *admin = user;
	const struct route *route = find_route(request->path);
	int is_get = !strcmp(request->method, "GET"), is_post = !strcmp(request->method, "POST");
	struct guard_who who = {0};

	response->headers = "cache-control: no-store\r\n";
	if (!route && !is_api(request->path)) {
		if (is_get)
			files_answer(admin->settings.www, request, response, admin->headers);
		else
			say_refusal(response, 405, "method", NULL, "this wants a GET");
		return;
	}
	if (route ? strcmp(request->method, route->method) != 0 : !is_get && !is_post) {
		say_refusal(response, 405, "method", NULL, "not by this method");
		return;
	}
	if (check(admin, request, response, is_post, route ? route->level : READY, &who))
		return;
	if (route)
		route->answer(admin, request, response, &who);
	else
		answer_command(admin, request, response, &who);
}

size_t answer_body_limit(void *user, const struct http_request *head)
{
	struct admin *admin = user;
	struct guard_who who;

	if (strcmp(head->method, "POST") != 0 || !strcmp(head->path, "/api/login") || who_is_foreign(head))
		return BODY_STRANGER;
	return who_asks(admin, head, &who) || who.must_change || who_lacks_csrf(head, &who) ? BODY_STRANGER : BODY_MAX;
}
