/* Who asks, and whether it is this page that asks. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admin/inside.h"
#include "control/password.h"

enum { HTTP_NOBODY = 401, HTTP_FOREIGN = 403 };

/* "__Host-": the browser keeps it only over TLS, for this host alone, and takes it from nobody else. */
static const char *cookie_name(const struct admin *admin)
{
	return admin->settings.tls ? "__Host-forecourt" : "forecourt";
}

void who_cookie(const struct admin *admin, const struct http_request *request, char token[SESSION_TOKEN])
{
	const char *name = cookie_name(admin), *at = request->cookie;
	size_t len = strlen(name);

	token[0] = '\0';
	while (*at) {
		at += strspn(at, " ;");
		size_t all = strcspn(at, ";");

		if (all > len && !strncmp(at, name, len) && at[len] == '=') {
			(void)snprintf(token, SESSION_TOKEN, "%.*s", (int)(all - len - 1), at + len + 1);
			return;
		}
		at += all;
	}
}

void who_set_cookie(const struct admin *admin, const char *token, int seconds, char *out, size_t size)
{
	(void)snprintf(out, size, "set-cookie: %s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s\r\n",
		       cookie_name(admin), token, seconds, admin->settings.tls ? "; Secure" : "");
}

int who_asks(struct admin *admin, const struct http_request *request, struct guard_who *who)
{
	static const char bearer[] = "Bearer ";
	char token[SESSION_TOKEN];

	/* Who shows a token means it: a cookie beside it does not help one that is bad. */
	if (*request->authorization) {
		if (strncasecmp(request->authorization, bearer, sizeof(bearer) - 1) != 0)
			return FC_EAUTH;
		return guard_by_token(admin->sources.guard, request->authorization + sizeof(bearer) - 1, who);
	}
	who_cookie(admin, request, token);
	return *token ? guard_by_session(admin->sources.guard, token, who) : FC_EAUTH;
}

int who_is_foreign(const struct http_request *request)
{
	const char *scheme = strstr(request->origin, "://");

	/* Another port of this box is another page, and "same-site" all the same. */
	if (*request->fetch_site && strcmp(request->fetch_site, "same-origin") != 0 &&
	    strcmp(request->fetch_site, "none") != 0)
		return 1;
	if (!*request->origin)
		return 0;
	return !scheme || strcasecmp(scheme + 3, request->host) != 0;
}

int who_lacks_csrf(const struct http_request *request, const struct guard_who *who)
{
	return who->session && !password_same(request->csrf, who->csrf);
}

int who_may_look(void *user, const struct http_request *request, struct guard_who *who)
{
	struct admin *admin = user;

	if (who_is_foreign(request))
		return HTTP_FOREIGN;
	if (who_asks(admin, request, who))
		return HTTP_NOBODY;
	/* A browser always says where its page is from, when it asks for this. */
	return who->must_change || (who->session && !*request->origin) ? HTTP_FOREIGN : 0;
}

/* Whoever has the page open and sees it uses it: the browser gives the connection up when the page is hidden. */
int who_may_still(void *user, const struct guard_who *who)
{
	struct admin *admin = user;

	return guard_is_still(admin->sources.guard, who, 1);
}
