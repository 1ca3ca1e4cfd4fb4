#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/inside.h"
#include "admin/live.h"
#include "base/log.h"

enum { READER_MEMORY = 16 << 20 }; /* of which a text may be a quarter */

static void fill(struct settings *s, const struct config_admin *c)
{
	*s = (struct settings){.enabled = c->enabled, .port = c->port, .tls = c->tls};
	(void)snprintf(s->address, sizeof(s->address), "%s", c->address);
	(void)snprintf(s->certificate, sizeof(s->certificate), "%s", c->certificate);
	(void)snprintf(s->key, sizeof(s->key), "%s", c->key);
	(void)snprintf(s->www, sizeof(s->www), "%s", c->www);
}

static int same_server(const struct settings *a, const struct settings *b)
{
	return a->enabled == b->enabled && a->port == b->port && a->tls == b->tls && !strcmp(a->address, b->address) &&
	       !strcmp(a->certificate, b->certificate) && !strcmp(a->key, b->key);
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
	    .headers = answer_headers(s->tls),
	    .body_limit = answer_body_limit,
	    .websocket = live_service(admin->live),
	};

	return http_server_new(admin->sources.loop, &server, answer_request, admin, err);
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
	struct settings next;
	int result = guard_check(config, err);

	fill(&next, &config->admin);
	live_set_most(admin->live, config->admin.max_viewers);
	if (!result && !same_server(&admin->settings, &next))
		result = change_server(admin, &next, err);
	if (result)
		return result;
	admin->settings = next;
	guard_apply(admin->sources.guard, config);
	return FC_OK;
}

struct admin *admin_new(const struct admin_sources *sources, const struct config *config, struct error *err)
{
	struct admin *admin = calloc(1, sizeof(*admin));

	if (admin)
		admin->reader = json_reader_new(READER_MEMORY);
	if (!admin || !admin->reader) {
		free(admin);
		(void)error_set(err, FC_ENOMEM, "admin: no memory");
		return NULL;
	}
	admin->sources = *sources;
	admin->live =
	    live_new(sources->loop, sources->control, &(struct live_hooks){who_may_look, who_may_still, admin}, err);
	if (!admin->live || admin_apply(admin, config, err)) {
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
	live_free(admin->live);
	pending_end_all(admin);
	json_reader_free(admin->reader);
	free(admin);
}
