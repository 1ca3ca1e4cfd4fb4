#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/files.h"
#include "admin/login.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "loop/http_server.h"
#include "script/json.h"

/* Room for an overview of every connector that may be configured. */
enum { BODY_MAX = 65536 };
static const size_t overview_memory = (size_t)65536 + (size_t)CONFIG_MAX_CONNECTORS * 8192;

/* What the page is served with: the configuration's texts go with the configuration. */
struct settings {
	int enabled, port, tls;
	char address[64], certificate[256], key[256], name[64], hash[256], www[256];
};

struct admin {
	struct loop *loop;
	admin_overview overview;
	void *user;
	struct json_reader *reader;
	struct http_server *server; /* NULL when off */
	struct login login;
	struct settings settings;
	char cookie[192]; /* header of the answer that is being made */
};

static void say(struct http_response *response, int status, const char *json)
{
	response->status = status;
	(void)buffer_text(&response->body, json);
}

/* The value of our cookie, or "". */
static void session_of(const struct http_request *request, char token[LOGIN_TOKEN_SIZE])
{
	static const char name[] = "forecourt=";
	const char *at = strstr(request->cookie, name);

	token[0] = '\0';
	if (at && (at == request->cookie || at[-1] == ' ' || at[-1] == ';'))
		(void)snprintf(token, LOGIN_TOKEN_SIZE, "%.*s", LOGIN_TOKEN_SIZE - 1, at + sizeof(name) - 1);
}

static void set_cookie(struct admin *admin, struct http_response *response, const char *token, int seconds)
{
	(void)snprintf(admin->cookie, sizeof(admin->cookie),
		       "set-cookie: forecourt=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s\r\n", token, seconds,
		       admin->settings.tls ? "; Secure" : "");
	response->headers = admin->cookie;
}

static void answer_login(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	struct arena arena;
	struct value *body = NULL;
	char token[LOGIN_TOKEN_SIZE];

	/* JSON only: a form of a foreign page can't send that type without being asked first. */
	if (strncmp(request->content_type, "application/json", 16) != 0) {
		say(response, 415, "{\"error\":\"wants application/json\"}");
		return;
	}
	arena_init(&arena, BODY_MAX);
	int unread = json_read(admin->reader, request->body, request->body_len, &arena, &body, NULL);
	const char *user = unread ? NULL : value_text(value_get(body, "user"));
	const char *password = unread ? NULL : value_text(value_get(body, "password"));
	int result =
	    user && password ? login_attempt(&admin->login, user, password, clock_mono_us(), token) : FC_EINVAL;
	arena_fini(&arena);
	switch (result) {
	case FC_OK:
		set_cookie(admin, response, token, 12 * 3600);
		say(response, 200, "{\"ok\":true}");
		log_notice("admin: log-in from %s", request->peer);
		return;
	case FC_EINVAL:
		say(response, 400, "{\"error\":\"wants user and password\"}");
		return;
	case FC_EBUSY:
		say(response, 429, "{\"error\":\"too many attempts, wait\"}");
		return;
	case FC_EAUTH:
		say(response, 403, "{\"error\":\"user or password wrong\"}");
		log_warning("admin: log-in refused from %s", request->peer);
		return;
	default:
		say(response, 500, "{\"error\":\"internal\"}");
	}
}

static void answer_logout(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	char token[LOGIN_TOKEN_SIZE];

	session_of(request, token);
	login_end(&admin->login, token);
	set_cookie(admin, response, "", 0);
	say(response, 200, "{\"ok\":true}");
}

static void answer_overview(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	struct arena arena;

	(void)request;
	arena_init(&arena, overview_memory);
	const struct value *tree = admin->overview(admin->user, &arena);
	if (!tree || json_write(&response->body, tree)) {
		buffer_clear(&response->body);
		say(response, 500, "{\"error\":\"too large\"}");
	}
	arena_fini(&arena);
}

static void answer_health(struct admin *admin, const struct http_request *request, struct http_response *response)
{
	(void)admin;
	(void)request;
	say(response, 200, "{\"status\":\"ok\"}");
}

static const struct route {
	const char *method, *path;
	int session; /* wants one */
	void (*answer)(struct admin *admin, const struct http_request *request, struct http_response *response);
} routes[] = {
    {"GET", "/health", 0, answer_health},
    {"POST", "/api/login", 0, answer_login},
    {"POST", "/api/logout", 0, answer_logout},
    {"GET", "/api/overview", 1, answer_overview},
};

static void handle(void *user, const struct http_request *request, struct http_response *response)
{
	struct admin *admin = user;
	char token[LOGIN_TOKEN_SIZE];

	response->headers = "cache-control: no-store\r\n";
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(request->path, routes[i].path) != 0)
			continue;
		if (strcmp(request->method, routes[i].method) != 0) {
			say(response, 405, "{\"error\":\"method\"}");
			return;
		}
		session_of(request, token);
		if (routes[i].session && !login_check(&admin->login, token, clock_mono_us())) {
			say(response, 401, "{\"error\":\"log in\"}");
			return;
		}
		routes[i].answer(admin, request, response);
		return;
	}
	if (strcmp(request->method, "GET") != 0 || !strncmp(request->path, "/api/", 5)) {
		say(response, 404, "{\"error\":\"not found\"}");
		return;
	}
	files_answer(admin->settings.www, request->path, response);
}

static void fill(struct settings *s, const struct config_admin *c)
{
	*s = (struct settings){.enabled = c->enabled, .port = c->port, .tls = c->tls};
	(void)snprintf(s->address, sizeof(s->address), "%s", c->address);
	(void)snprintf(s->certificate, sizeof(s->certificate), "%s", c->certificate);
	(void)snprintf(s->key, sizeof(s->key), "%s", c->key);
	(void)snprintf(s->name, sizeof(s->name), "%s", c->user);
	(void)snprintf(s->hash, sizeof(s->hash), "%s", c->password_hash);
	(void)snprintf(s->www, sizeof(s->www), "%s", c->www);
}

static int same_server(const struct settings *a, const struct settings *b)
{
	return a->enabled == b->enabled && a->port == b->port && a->tls == b->tls && !strcmp(a->address, b->address) &&
	       !strcmp(a->certificate, b->certificate) && !strcmp(a->key, b->key);
}

/* Also when there is no log-in yet: the first one has no name. */
static int same_login(const struct settings *a, const struct settings *b)
{
	return a->enabled == b->enabled && !strcmp(a->name, b->name) && !strcmp(a->hash, b->hash);
}

static struct http_server *open_server(struct admin *admin, const struct settings *s, struct error *err)
{
	const struct http_server_config server = {
	    .name = "admin",
	    .address = s->address,
	    .port = s->port,
	    .certificate = s->tls ? s->certificate : NULL,
	    .key = s->tls ? s->key : NULL,
	    .max_body = BODY_MAX,
	};

	return http_server_new(admin->loop, &server, handle, admin, err);
}

/* The port has to be given up before it can be had again: if the new server can't start, the old one comes back. */
static int change_server(struct admin *admin, const struct settings *next, struct error *err)
{
	struct error why = {0};

	http_server_free(admin->server);
	admin->server = next->enabled ? open_server(admin, next, err) : NULL;
	if (!next->enabled)
		return FC_OK;
	if (admin->server) {
		log_notice("admin: listens on %s:%d", *next->address ? next->address : "*",
			   http_server_port(admin->server));
		return FC_OK;
	}
	if (admin->settings.enabled) {
		admin->server = open_server(admin, &admin->settings, &why);
		if (!admin->server)
			log_error("admin: the page is gone: %s", why.text);
	}
	return FC_EIO;
}

int admin_apply(struct admin *admin, const struct config *config, struct error *err)
{
	struct login login = admin->login;
	struct settings next;
	int result = FC_OK;

	fill(&next, &config->admin);
	int new_login = next.enabled && !same_login(&admin->settings, &next);
	if (new_login)
		result = login_init(&login, next.name, next.hash, err);
	if (!result && !same_server(&admin->settings, &next))
		result = change_server(admin, &next, err);
	if (result)
		return result;
	admin->login = login;
	admin->settings = next;
	/* To the console, past the log: the log may be sent elsewhere. */
	if (new_login && *login.one_time)
		fprintf(stderr, "admin: one-time password for user %s: %s\n", next.name, login.one_time);
	return FC_OK;
}

struct admin *admin_new(struct loop *loop, const struct config *config, admin_overview overview, void *user,
			struct error *err)
{
	struct admin *admin = calloc(1, sizeof(*admin));

	if (admin)
		admin->reader = json_reader_new(1 << 20);
	if (!admin || !admin->reader) {
		free(admin);
		(void)error_set(err, FC_ENOMEM, "admin: no memory");
		return NULL;
	}
	admin->loop = loop;
	admin->overview = overview;
	admin->user = user;
	if (admin_apply(admin, config, err)) {
		admin_free(admin);
		return NULL;
	}
	return admin;
}

void admin_free(struct admin *admin)
{
	if (!admin)
		return;
	http_server_free(admin->server);
	json_reader_free(admin->reader);
	free(admin);
}
