#include "config/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 16 connectors of 2 MW, the most that the schema allows. */
enum { CHARGER_POWER_MAX = 32000000 };

void rules_say(struct rules *r, const char *type, int index, const char *option, const char *fmt, ...)
{
	char what[300];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	r->place->mistake(r->place->user, type, index, option, what);
}

int rules_is_sound(const struct rules *r, const char *type, int index, const char *option)
{
	return r->place->is_sound(r->place->user, type, index, option);
}

int rules_compare(const void *a, const void *b)
{
	const struct rules_entry *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	if (!order)
		order = strcmp(x->type, y->type);
	return order ? order : x->index - y->index;
}

void rules_unique(struct rules *r, struct rules_entry *entries, int count, const char *option)
{
	qsort(entries, (size_t)count, sizeof(*entries), rules_compare);
	for (int i = 1; i < count; i++)
		if (*entries[i].text && !strcmp(entries[i - 1].text, entries[i].text))
			rules_say(r, entries[i].type, entries[i].index, option, "%.60s is taken already by %s %.60s",
				  entries[i].text, entries[i - 1].type, entries[i - 1].name);
}

struct rules_entry *rules_entries(int count)
{
	return calloc((size_t)count + 1, sizeof(struct rules_entry));
}

/* What follows the ids ends them: a dot or a letter would become part of them, and a blank the end of the code (protocol.md 4.1). */
static void check_qr(struct rules *r)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const char *suffix = r->c->gateway.qr_suffix;

	if (!suffix || !*suffix || !rules_is_sound(r, "gateway", 0, "qr_suffix"))
		return;
	if (*suffix != '/' && *suffix != '?')
		rules_say(r, "gateway", 0, "qr_suffix", "must begin with / or ?");
	for (const char *t = suffix; *t; t++)
		if (!strchr(letters, *t) && !strchr("/?=&|-._~%:+,", *t)) {
			rules_say(r, "gateway", 0, "qr_suffix",
				  "may have letters, digits and / ? = & | - . _ ~ %% : + , only");
			return;
		}
}

static int check_ids(struct rules *r)
{
	struct config *c = r->c;
	struct rules_entry *stations = rules_entries(c->station_count), *chargers = rules_entries(c->charger_count),
			   *connectors = rules_entries(c->connector_count);
	int result = stations && chargers && connectors ? FC_OK : FC_ENOMEM;

	if (!result) {
		for (int i = 0; i < c->station_count; i++)
			stations[i] =
			    (struct rules_entry){c->stations[i].station_id, c->stations[i].name, "station", i};
		for (int i = 0; i < c->charger_count; i++)
			chargers[i] =
			    (struct rules_entry){c->chargers[i].equipment_id, c->chargers[i].name, "charger", i};
		for (int i = 0; i < c->connector_count; i++)
			connectors[i] =
			    (struct rules_entry){c->connectors[i].connector_id, c->connectors[i].name, "connector", i};
		rules_unique(r, stations, c->station_count, "station_id");
		rules_unique(r, chargers, c->charger_count, "equipment_id");
		rules_unique(r, connectors, c->connector_count, "connector_id");
	}
	free(stations);
	free(chargers);
	free(connectors);
	return result;
}

/* Needs a certificate and a key, or none of the two where TLS is off. */
static void check_certificate(struct rules *r, const char *type, int i, int tls, const char *certificate,
			      const char *key)
{
	if (!rules_is_sound(r, type, i, "tls"))
		return;
	if (tls && !*certificate)
		rules_say(r, type, i, "certificate", "is missing: a PEM file, or option tls '0' for plain HTTP");
	if (tls && !*key)
		rules_say(r, type, i, "key", "is missing: a PEM file, or option tls '0' for plain HTTP");
}

static int is_any(const char *address)
{
	return !*address || !strcmp(address, "::") || !strcmp(address, "0.0.0.0");
}

/* Two servers can't have the same port of the same address; "all" holds every address. port 0: not known. */
static int collide(const char *a, int port_a, const char *b, int port_b)
{
	return port_a && port_a == port_b && (is_any(a) || is_any(b) || !strcmp(a, b));
}

/* A new box knows no operator: nothing is wrong with that, as long as there is nothing that needs to know. Each order's number begins with
 * it (protocol.md 2.9), and so does each log-in at a platform. */
static void check_operator(struct rules *r)
{
	struct config *c = r->c;
	const char *type = NULL, *name = NULL;

	for (int i = c->platform_count - 1; i >= 0; i--)
		if (c->platforms[i].enabled) {
			type = "platform";
			name = c->platforms[i].name;
		}
	if (c->charger_count) {
		type = "charger";
		name = c->chargers[0].name;
	}
	/* Without any section of its type that is what is wrong. */
	if (type && !*c->gateway.operator_id && c->gateway.name && rules_is_sound(r, "gateway", 0, "operator_id"))
		rules_say(r, "gateway", 0, "operator_id",
			  "is missing: 9 digits or capital letters (or the whole 18 of a credit code): %s %s needs it",
			  type, name);
}

static void check_listens(struct rules *r)
{
	struct config *c = r->c;

	for (int i = 0; i < c->listen_count; i++) {
		const struct config_listen *l = &c->listens[i];

		check_certificate(r, "listen", i, l->tls, l->certificate, l->key);
		if (l->client_certificate && !*l->client_ca)
			rules_say(r, "listen", i, "client_ca",
				  "is missing: client_certificate needs the CA that signed them");
		if (l->client_certificate && !l->tls)
			rules_say(r, "listen", i, "client_certificate", "needs tls");
		for (int k = 0; k < i; k++)
			if (collide(c->listens[k].address, c->listens[k].port, l->address, l->port))
				rules_say(r, "listen", i, "port", "%d is taken already by listen %s", l->port,
					  c->listens[k].name);
		if (c->admin.enabled && rules_is_sound(r, "admin", 0, "port") &&
		    collide(c->admin.address, c->admin.port, l->address, l->port))
			rules_say(r, "listen", i, "port", "%d is taken already by the admin page", l->port);
	}
	/* Without both the page has one of its own. */
	if (c->admin.enabled && (*c->admin.certificate || *c->admin.key))
		check_certificate(r, "admin", 0, c->admin.tls, c->admin.certificate, c->admin.key);
}

struct tally {
	unsigned numbers; /* bit by connector number */
	int64_t power_w;
};

static void check_connector(struct rules *r, int i, struct tally *tally)
{
	const struct config_connector *k = &r->c->connectors[i];
	unsigned bit = 1u << k->number;

	if (rules_is_sound(r, "connector", i, "number") && tally->numbers & bit)
		rules_say(r, "connector", i, "number", "%d is taken already in charger %s", k->number,
			  r->c->chargers[k->charger].name);
	tally->numbers |= bit;
	tally->power_w += k->power_w;
}

/* Numbers are unique within a charger, each charger has a connector, and the charger's power is the sum where it is
 * not given. */
static int check_connectors(struct rules *r)
{
	struct config *c = r->c;
	struct tally *tallies = calloc((size_t)c->charger_count + 1, sizeof(*tallies));
	int lost = 0; /* connectors of nobody: then a charger without one may be theirs */

	if (!tallies)
		return FC_ENOMEM;
	for (int i = 0; i < c->connector_count; i++) {
		const struct config_connector *k = &c->connectors[i];

		if (k->charger >= 0)
			check_connector(r, i, &tallies[k->charger]);
		lost += k->charger < 0;
		if (k->voltage_lower > k->voltage_upper && rules_is_sound(r, "connector", i, "voltage_upper"))
			rules_say(r, "connector", i, "voltage_lower", "%d is above voltage_upper (%d)",
				  k->voltage_lower, k->voltage_upper);
	}
	for (int i = 0; i < c->charger_count; i++) {
		if (!tallies[i].numbers && !lost)
			rules_say(r, "charger", i, "", "has no connector: config connector with option charger '%s'",
				  c->chargers[i].name);
		if (!c->chargers[i].power_w)
			c->chargers[i].power_w =
			    (int)(tallies[i].power_w < CHARGER_POWER_MAX ? tallies[i].power_w : CHARGER_POWER_MAX);
	}
	free(tallies);
	return FC_OK;
}

/* Central authentication: one step, to a platform that is there. */
static void check_exchange(struct rules *r, int i)
{
	const struct config_platform *p = &r->c->platforms[i];
	const struct config_platform *hub = p->exchange >= 0 ? &r->c->platforms[p->exchange] : NULL;

	if (!hub)
		return;
	if (hub == p || hub->exchange >= 0)
		rules_say(r, "platform", i, "exchange", "%s is reached through an exchange itself", hub->name);
	else if (p->enabled && !hub->enabled)
		rules_say(r, "platform", i, "exchange", "platform %s is switched off", hub->name);
}

static void check_platforms(struct rules *r)
{
	struct config *c = r->c;

	for (int i = 0; i < c->platform_count; i++) {
		const struct config_platform *p = &c->platforms[i];
		const struct {
			const char *option, *value;
		} ours[] = {{"our_operator_secret", p->ours.operator_secret},
			    {"our_data_secret", p->ours.data_secret},
			    {"our_data_secret_iv", p->ours.data_secret_iv},
			    {"our_sig_secret", p->ours.sig_secret}};

		for (size_t k = 0; (p->listen >= 0 || p->pull_s) && k < sizeof(ours) / sizeof(ours[0]); k++)
			if (!*ours[k].value)
				rules_say(r, "platform", i, ours[k].option,
					  p->listen >= 0 ? "is missing: a platform that calls us (option listen) "
							   "needs all four our_ secrets"
							 : "is missing: requests that are fetched (option pull_s) "
							   "are signed with our_ secrets, all four");
		if (p->pull_s && *p->client_name)
			rules_say(r, "platform", i, "client_name",
				  "is asked of callers, and requests that are fetched (option pull_s) have none");
		if (!*p->certificate != !*p->key)
			rules_say(r, "platform", i, *p->key ? "certificate" : "key",
				  "is missing: a client certificate needs both");
		check_exchange(r, i);
		for (int k = 0; k < i; k++) {
			const struct config_platform *q = &c->platforms[k];

			if (p->listen >= 0 && q->listen == p->listen && !strcmp(p->path, q->path) && *p->operator_id &&
			    !strcmp(p->operator_id, q->operator_id) && rules_is_sound(r, "platform", i, "path"))
				rules_say(r, "platform", i, "path",
					  "%s is taken already on that listen by platform %s, of the same "
					  "operator_id",
					  p->path, q->name);
		}
	}
}

int rules_apply(struct config *config, const struct rules_place *place)
{
	struct rules r = {.c = config, .place = place};

	for (int i = 0; i < config->station_count; i++)
		if (!*config->stations[i].equipment_owner_id)
			config->stations[i].equipment_owner_id = config->gateway.operator_id;
	check_operator(&r);
	check_listens(&r);
	check_platforms(&r);
	check_qr(&r);
	if (check_ids(&r) || rules_buses(&r) || check_connectors(&r) || rules_sources(&r))
		return FC_ENOMEM;
	return FC_OK;
}
