#include "config/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 16 connectors of 2 MW, the most that the schema allows. */
enum { CHARGER_POWER_MAX = 32000000 };

struct rules {
	struct config *c;
	const struct rules_place *place;
};

static void __attribute__((format(printf, 5, 6)))
say(struct rules *r, const char *type, int index, const char *option, const char *fmt, ...)
{
	char what[300];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	r->place->mistake(r->place->user, type, index, option, what);
}

static int is_sound(const struct rules *r, const char *type, int index, const char *option)
{
	return r->place->is_sound(r->place->user, type, index, option);
}

/* Text that must not repeat within a list of objects: sorted, so that a thousand connectors take no million
 * comparisons. */
struct entry {
	const char *text;
	const char *name;
	int index;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : x->index - y->index;
}

/* entries holds count texts; "" does not count. Sorts them. */
static void check_unique(struct rules *r, struct entry *entries, int count, const char *type, const char *option)
{
	qsort(entries, (size_t)count, sizeof(*entries), compare_entries);
	for (int i = 1; i < count; i++)
		if (*entries[i].text && !strcmp(entries[i - 1].text, entries[i].text))
			say(r, type, entries[i].index, option, "%.60s is taken already by %s %.60s", entries[i].text,
			    type, entries[i - 1].name);
}

static struct entry *new_entries(int count)
{
	return calloc((size_t)count + 1, sizeof(struct entry));
}

static int check_ids(struct rules *r)
{
	struct config *c = r->c;
	struct entry *stations = new_entries(c->station_count), *chargers = new_entries(c->charger_count),
		     *connectors = new_entries(c->connector_count);
	int result = stations && chargers && connectors ? FC_OK : FC_ENOMEM;

	if (!result) {
		for (int i = 0; i < c->station_count; i++)
			stations[i] = (struct entry){c->stations[i].station_id, c->stations[i].name, i};
		for (int i = 0; i < c->charger_count; i++)
			chargers[i] = (struct entry){c->chargers[i].equipment_id, c->chargers[i].name, i};
		for (int i = 0; i < c->connector_count; i++)
			connectors[i] = (struct entry){c->connectors[i].connector_id, c->connectors[i].name, i};
		check_unique(r, stations, c->station_count, "station", "station_id");
		check_unique(r, chargers, c->charger_count, "charger", "equipment_id");
		check_unique(r, connectors, c->connector_count, "connector", "connector_id");
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
	if (!is_sound(r, type, i, "tls"))
		return;
	if (tls && !*certificate)
		say(r, type, i, "certificate", "is missing: a PEM file, or option tls '0' for plain HTTP");
	if (tls && !*key)
		say(r, type, i, "key", "is missing: a PEM file, or option tls '0' for plain HTTP");
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

static void check_listens(struct rules *r)
{
	struct config *c = r->c;

	for (int i = 0; i < c->listen_count; i++) {
		const struct config_listen *l = &c->listens[i];

		check_certificate(r, "listen", i, l->tls, l->certificate, l->key);
		if (l->client_certificate && !*l->client_ca)
			say(r, "listen", i, "client_ca",
			    "is missing: client_certificate needs the CA that signed them");
		if (l->client_certificate && !l->tls)
			say(r, "listen", i, "client_certificate", "needs tls");
		for (int k = 0; k < i; k++)
			if (collide(c->listens[k].address, c->listens[k].port, l->address, l->port))
				say(r, "listen", i, "port", "%d is taken already by listen %s", l->port,
				    c->listens[k].name);
		if (c->admin.enabled && is_sound(r, "admin", 0, "port") &&
		    collide(c->admin.address, c->admin.port, l->address, l->port))
			say(r, "listen", i, "port", "%d is taken already by the admin page", l->port);
	}
	if (c->admin.enabled)
		check_certificate(r, "admin", 0, c->admin.tls, c->admin.certificate, c->admin.key);
}

static int bus_endpoint(const struct config_bus *b, char *out, size_t size)
{
	return b->kind == CONFIG_BUS_TCP ? snprintf(out, size, "%s:%d", b->host, b->port)
					 : snprintf(out, size, "%s", b->device);
}

static void check_framing(struct rules *r, int i)
{
	const struct config_bus *b = &r->c->buses[i];
	int framing = b->framing;

	if (!is_sound(r, "bus", i, "kind") || !is_sound(r, "bus", i, "framing"))
		return;
	if (framing == CONFIG_FRAMING_AUTO)
		framing = b->kind == CONFIG_BUS_TCP ? CONFIG_FRAMING_TCP : CONFIG_FRAMING_RTU;
	if (framing == CONFIG_FRAMING_TCP && b->kind != CONFIG_BUS_TCP)
		say(r, "bus", i, "framing", "tcp needs a bus of kind tcp");
	if (framing == CONFIG_FRAMING_RTU && b->kind == CONFIG_BUS_RTU && b->data_bits != 8 &&
	    is_sound(r, "bus", i, "data_bits"))
		say(r, "bus", i, "data_bits", "must be 8: 7 is for framing ascii only");
	/* Without a transaction number the unit is all that tells one device's answer from another's. */
	if (b->any_unit && framing != CONFIG_FRAMING_TCP)
		say(r, "bus", i, "any_unit", "is for Modbus/TCP only");
	if (b->echo && framing == CONFIG_FRAMING_TCP)
		say(r, "bus", i, "echo", "is not for Modbus/TCP: there is none");
}

static int check_buses(struct rules *r)
{
	struct config *c = r->c;
	struct entry *entries = new_entries(c->bus_count);

	if (!entries)
		return FC_ENOMEM;
	for (int i = 0; i < c->bus_count; i++) {
		const struct config_bus *b = &c->buses[i];
		char endpoint[200];

		if (b->kind == CONFIG_BUS_TCP && !*b->host && is_sound(r, "bus", i, "kind"))
			say(r, "bus", i, "host", "is missing: a bus of kind tcp needs one");
		if (b->kind == CONFIG_BUS_RTU && !*b->device)
			say(r, "bus", i, "device", "is missing: a bus of kind rtu needs one");
		check_framing(r, i);
		if (bus_endpoint(b, endpoint, sizeof(endpoint)) < 0 || (b->kind == CONFIG_BUS_TCP && !*b->host) ||
		    !is_sound(r, "bus", i, "port") || !is_sound(r, "bus", i, "kind"))
			endpoint[0] = '\0';
		entries[i] = (struct entry){arena_copy(&c->arena, endpoint, strlen(endpoint)), b->name, i};
		if (!entries[i].text) {
			free(entries);
			return FC_ENOMEM;
		}
	}
	/* Exactly one connection an endpoint (chargers.md section 4, row 19). */
	check_unique(r, entries, c->bus_count, "bus", "");
	free(entries);
	return FC_OK;
}

static int compare_chargers(const void *a, const void *b, void *config)
{
	const struct config_charger *x = &((struct config *)config)->chargers[*(const int *)a];
	const struct config_charger *y = &((struct config *)config)->chargers[*(const int *)b];

	if (x->bus != y->bus)
		return x->bus - y->bus;
	if (x->unit != y->unit)
		return x->unit - y->unit;
	return *(const int *)a - *(const int *)b;
}

static void check_unit(struct rules *r, int i)
{
	const struct config_charger *charger = &r->c->chargers[i];
	int is_rtu = r->c->buses[charger->bus].kind == CONFIG_BUS_RTU;

	/* 248 is reserved by the specification, and what Sungrow's chargers have (chargers.md 1.1). */
	if (is_rtu && (charger->unit < 1 || charger->unit > 248))
		say(r, "charger", i, "unit", "%d is not allowed on a serial line: 1 to 248", charger->unit);
	if (!is_rtu && charger->unit > 248 && charger->unit != 255)
		say(r, "charger", i, "unit", "%d is not allowed: 0 to 248, or 255", charger->unit);
}

static int check_chargers(struct rules *r)
{
	struct config *c = r->c;
	int *order = calloc((size_t)c->charger_count + 1, sizeof(int));
	int n = 0;

	if (!order)
		return FC_ENOMEM;
	for (int i = 0; i < c->charger_count; i++) {
		if (c->chargers[i].bus < 0 || !is_sound(r, "charger", i, "unit"))
			continue;
		order[n++] = i;
		if (is_sound(r, "bus", c->chargers[i].bus, "kind"))
			check_unit(r, i);
	}
	qsort_r(order, (size_t)n, sizeof(int), compare_chargers, c);
	for (int i = 1; i < n; i++) {
		const struct config_charger *x = &c->chargers[order[i - 1]], *y = &c->chargers[order[i]];

		if (x->bus == y->bus && x->unit == y->unit)
			say(r, "charger", order[i], "unit", "%d is taken already on that bus by charger %s", y->unit,
			    x->name);
	}
	free(order);
	return FC_OK;
}

struct tally {
	unsigned numbers; /* bit by connector number */
	int64_t power_w;
};

static void check_connector(struct rules *r, int i, struct tally *tally)
{
	const struct config_connector *k = &r->c->connectors[i];
	unsigned bit = 1u << k->number;

	if (is_sound(r, "connector", i, "number") && tally->numbers & bit)
		say(r, "connector", i, "number", "%d is taken already in charger %s", k->number,
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
		if (k->voltage_lower > k->voltage_upper && is_sound(r, "connector", i, "voltage_upper"))
			say(r, "connector", i, "voltage_lower", "%d is above voltage_upper (%d)", k->voltage_lower,
			    k->voltage_upper);
	}
	for (int i = 0; i < c->charger_count; i++) {
		if (!tallies[i].numbers && !lost)
			say(r, "charger", i, "", "has no connector: config connector with option charger '%s'",
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
		say(r, "platform", i, "exchange", "%s is reached through an exchange itself", hub->name);
	else if (p->enabled && !hub->enabled)
		say(r, "platform", i, "exchange", "platform %s is switched off", hub->name);
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

		for (size_t k = 0; p->listen >= 0 && k < sizeof(ours) / sizeof(ours[0]); k++)
			if (!*ours[k].value)
				say(r, "platform", i, ours[k].option,
				    "is missing: a platform that calls us (option listen) needs all four our_ secrets");
		if (!*p->certificate != !*p->key)
			say(r, "platform", i, *p->key ? "certificate" : "key",
			    "is missing: a client certificate needs both");
		check_exchange(r, i);
		for (int k = 0; k < i; k++) {
			const struct config_platform *q = &c->platforms[k];

			if (p->listen >= 0 && q->listen == p->listen && !strcmp(p->path, q->path) && *p->operator_id &&
			    !strcmp(p->operator_id, q->operator_id) && is_sound(r, "platform", i, "path"))
				say(r, "platform", i, "path",
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
	check_listens(&r);
	check_platforms(&r);
	if (check_ids(&r) || check_buses(&r) || check_chargers(&r) || check_connectors(&r))
		return FC_ENOMEM;
	return FC_OK;
}
