#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/inside.h"
#include "admin/live.h"
#include "base/log.h"
#include "control/self_signed.h"

enum { READER_MEMORY = 16 << 20 }; /* of which a text may be a quarter */

static void fill(struct settings *s, const struct config_admin *c)
{
	*s = (struct settings){.enabled = c->enabled, .port = c->port, .tls = c->tls};
	(void)snprintf(s->address, sizeof(s->address), "%s", c->address);
	(void)snprintf(s->certificate, sizeof(s->certificate), "%s", c->certificate);
	(void)snprintf(s->key, sizeof(s->key), "%s", c->key);
	(void)snprintf(s->www, sizeof(s->www), "%s", c->www);
}

/* Where nobody gave it a certificate, the box has its own. */
static int have_certificate(struct settings *s, const struct config_gateway *gateway, struct error *err)
{
	const char *const folders[] = {gateway->key_dir, gateway->data_dir, NULL};
	struct self_signed_names names;
	int is_new;

	if (!s->enabled || !s->tls || *s->certificate)
		return FC_OK;
	self_signed_look(&names);
	int result = self_signed_have(folders, &names, s->certificate, &is_new, err);
	if (result)
		return result;
	(void)snprintf(s->key, sizeof(s->key), "%s", s->certificate);
	s->is_self_signed = 1;
	if (is_new)
		log_notice("admin: a certificate for this box was made: %s", s->certificate);
	return FC_OK;
}

/* Told once it is served so. */
static void tell_page(struct admin *admin)
{
	const struct settings *s = &admin->settings;
	struct control_page page = {
	    .is_on = admin->server != NULL, .port = s->port, .tls = s->tls, .is_self_signed = s->is_self_signed};
	struct error why = {0};

	(void)snprintf(page.address, sizeof(page.address), "%s", s->address);
	if (page.is_on && s->tls && self_signed_fingerprint(s->certificate, page.fingerprint, &why))
		log_warning("admin: %s", why.text);
	if (page.is_on) {
		char address[CONTROL_PAGE_ADDRESS];

		control_page_address(&page, address);
		log_notice("admin: the page: %s", address);
	}
	if (*page.fingerprint)
		log_notice("admin: SHA-256 fingerprint of the page's certificate%s: %s",
			   s->is_self_signed ? " (made by this box)" : "", page.fingerprint);
	control_set_page(admin->sources.control, &page);
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
	    /* At the start nothing may keep the station from working; later a wrong address must not take the page away. */
	    .may_await = !admin->settings.enabled,
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
	int result = guard_check(config, err), is_same;

	fill(&next, &config->admin);
	if (!result)
		result = have_certificate(&next, &config->gateway, err);
	live_set_most(admin->live, config->admin.max_viewers);
	is_same = same_server(&admin->settings, &next);
	if (!result && !is_same)
		result = change_server(admin, &next, err);
	if (result)
		return result;
	admin->settings = next;
	if (!is_same)
		tell_page(admin);
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
