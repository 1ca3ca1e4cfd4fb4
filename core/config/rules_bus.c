/* Rules of buses and of what is on them: which option belongs to which kind of bus, endpoints and units that are unique, and where
 * connectors have their meters and BMS. */
#include "config/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* IFNAMSIZ of the kernel, without its zero. */
enum { INTERFACE_MAX = 15, SERIAL_MAX = 120, CAN_DEVICE_MAX = 239, SOCKET_PATH_MAX = 107 };

/* What CAN and Modbus do not share. (Between tcp and rtu an option too many does no harm, and files have had them.) */
static const struct {
	const char *option;
	int of_can;
} belongs[] = {{"host", 0},
	       {"port", 0},
	       {"baud", 0},
	       {"data_bits", 0},
	       {"stop_bits", 0},
	       {"parity", 0},
	       {"framing", 0},
	       {"rs485", 0},
	       {"rts_before_us", 0},
	       {"rts_after_us", 0},
	       {"reconnect_ms", 0},
	       {"wake_ms", 0},
	       {"echo", 0},
	       {"any_unit", 0},
	       {"release_ms", 0},
	       {"gap_ms", 0},
	       {"connect_timeout_ms", 0},
	       {"bitrate", 1},
	       {"response_timeout_ms", 0},
	       {"bring_up", 1},
	       {"byte_timeout_ms", 0},
	       {"restart_ms", 1},
	       {"listen_only", 1}};

static void check_belonging(struct rules *r, int i)
{
	int is_can = r->c->buses[i].kind == CONFIG_BUS_CAN;

	for (size_t k = 0; k < sizeof(belongs) / sizeof(belongs[0]); k++)
		if (belongs[k].of_can != is_can && r->place->is_given(r->place->user, "bus", i, belongs[k].option))
			rules_say(r, "bus", i, belongs[k].option,
				  is_can ? "does not belong to a bus of kind can" : "belongs to a bus of kind can");
}

/* can0, replay:FILE, replay-fast:FILE, datagram:OWN,PEER. */
static void check_can_device(struct rules *r, int i)
{
	const char *d = r->c->buses[i].device, *colon = strchr(d, ':');
	const char *comma = colon ? strchr(colon, ',') : NULL;

	if (strlen(d) > CAN_DEVICE_MAX) {
		rules_say(r, "bus", i, "device", "is longer than %d characters", CAN_DEVICE_MAX);
	} else if (!colon) {
		if (strlen(d) > INTERFACE_MAX || strpbrk(d, "/ \t"))
			rules_say(r, "bus", i, "device",
				  "%.60s is no CAN interface: at most %d characters without / and blanks, such as can0",
				  d, INTERFACE_MAX);
	} else if (!strncmp(d, "replay:", strlen("replay:")) || !strncmp(d, "replay-fast:", strlen("replay-fast:"))) {
		if (!colon[1])
			rules_say(r, "bus", i, "device", "names no file after %s", d);
	} else if (!strncmp(d, "datagram:", strlen("datagram:"))) {
		if (!comma || comma == colon + 1 || !comma[1] || comma - colon - 1 > SOCKET_PATH_MAX ||
		    strlen(comma + 1) > SOCKET_PATH_MAX)
			rules_say(r, "bus", i, "device",
				  "must be datagram:OWN,PEER, two paths of at most %d characters", SOCKET_PATH_MAX);
	} else {
		rules_say(r, "bus", i, "device",
			  "%.60s is not allowed: can0, replay:FILE, replay-fast:FILE or datagram:OWN,PEER", d);
	}
}

static void check_framing(struct rules *r, int i)
{
	const struct config_bus *b = &r->c->buses[i];
	int framing = b->framing;

	if (b->kind == CONFIG_BUS_CAN || !rules_is_sound(r, "bus", i, "framing"))
		return;
	if (framing == CONFIG_FRAMING_AUTO)
		framing = b->kind == CONFIG_BUS_TCP ? CONFIG_FRAMING_TCP : CONFIG_FRAMING_RTU;
	if (framing == CONFIG_FRAMING_TCP && b->kind != CONFIG_BUS_TCP)
		rules_say(r, "bus", i, "framing", "tcp needs a bus of kind tcp");
	if (framing == CONFIG_FRAMING_RTU && b->kind == CONFIG_BUS_RTU && b->data_bits != 8 &&
	    rules_is_sound(r, "bus", i, "data_bits"))
		rules_say(r, "bus", i, "data_bits", "must be 8: 7 is for framing ascii only");
	/* Without a transaction number the unit is all that tells one device's answer from another's. */
	if (b->any_unit && framing != CONFIG_FRAMING_TCP)
		rules_say(r, "bus", i, "any_unit", "is for Modbus/TCP only");
	if (b->echo && framing == CONFIG_FRAMING_TCP)
		rules_say(r, "bus", i, "echo", "is not for Modbus/TCP: there is none");
}

static void check_bus(struct rules *r, int i)
{
	static const char *const kinds[] = {"tcp", "rtu", "can"};
	const struct config_bus *b = &r->c->buses[i];

	if (!rules_is_sound(r, "bus", i, "kind"))
		return;
	check_belonging(r, i);
	check_framing(r, i);
	if (b->kind == CONFIG_BUS_TCP && !*b->host)
		rules_say(r, "bus", i, "host", "is missing: a bus of kind tcp needs one");
	if (b->kind != CONFIG_BUS_TCP && !*b->device)
		rules_say(r, "bus", i, "device", "is missing: a bus of kind %s needs one", kinds[b->kind]);
	else if (b->kind == CONFIG_BUS_CAN)
		check_can_device(r, i);
	else if (b->kind == CONFIG_BUS_RTU && strlen(b->device) > SERIAL_MAX)
		rules_say(r, "bus", i, "device", "is longer than %d characters", SERIAL_MAX);
}

/* "" when it has none that can be compared. */
static int endpoint_of(const struct rules *r, int i, char *out, size_t size)
{
	const struct config_bus *b = &r->c->buses[i];

	if (!rules_is_sound(r, "bus", i, "kind") || !rules_is_sound(r, "bus", i, "port") ||
	    (b->kind == CONFIG_BUS_TCP && !*b->host))
		return snprintf(out, size, "%s", "");
	return b->kind == CONFIG_BUS_TCP ? snprintf(out, size, "%s:%d", b->host, b->port)
					 : snprintf(out, size, "%s", b->device);
}

static int check_buses(struct rules *r)
{
	struct config *c = r->c;
	struct rules_entry *entries = rules_entries(c->bus_count);

	if (!entries)
		return FC_ENOMEM;
	for (int i = 0; i < c->bus_count; i++) {
		char endpoint[CAN_DEVICE_MAX + 1];

		check_bus(r, i);
		(void)endpoint_of(r, i, endpoint, sizeof(endpoint));
		entries[i] =
		    (struct rules_entry){arena_copy(&c->arena, endpoint, strlen(endpoint)), c->buses[i].name, "bus", i};
		if (!entries[i].text) {
			free(entries);
			return FC_ENOMEM;
		}
	}
	/* Exactly one connection an endpoint (chargers.md section 4, row 19). */
	rules_unique(r, entries, c->bus_count, "");
	free(entries);
	return FC_OK;
}

static int compare_units(const void *a, const void *b, void *config)
{
	int x = *(const int *)a, y = *(const int *)b;
	const struct config_unit ux = config_unit(config, x), uy = config_unit(config, y);

	if (ux.bus != uy.bus)
		return ux.bus - uy.bus;
	return ux.unit != uy.unit ? ux.unit - uy.unit : x - y;
}

static void check_unit(struct rules *r, const struct config_unit *u)
{
	switch ((enum config_bus_kind)r->c->buses[u->bus].kind) {
	case CONFIG_BUS_RTU:
		/* 248 is reserved by the specification, and what Sungrow's chargers have (chargers.md 1.1). */
		if (u->unit < 1 || u->unit > 248)
			rules_say(r, u->type, u->index, "unit", "%d is not allowed on a serial line: 1 to 248",
				  u->unit);
		return;
	case CONFIG_BUS_TCP:
		if (u->unit > 248 && u->unit != 255)
			rules_say(r, u->type, u->index, "unit", "%d is not allowed: 0 to 248, or 255", u->unit);
		return;
	case CONFIG_BUS_CAN:
		return;
	}
}

/* Two meters on a line are told apart by their numbers, one that is alone need not have any. */
static void check_meters(struct rules *r, const int *order, int n)
{
	for (int i = 0; i < n; i++) {
		const struct config_unit u = config_unit(r->c, order[i]);
		const struct config_bus *b = &r->c->buses[u.bus];
		int is_meter = b->kind != CONFIG_BUS_CAN && b->framing == CONFIG_FRAMING_DLT645;

		if (!is_meter && *u.meter_address)
			rules_say(r, u.type, u.index, "meter_address", "belongs to a bus of framing dlt645");
		for (int k = 0; k < i && is_meter; k++) {
			const struct config_unit other = config_unit(r->c, order[k]);

			if (other.bus != u.bus)
				continue;
			if (!*u.meter_address || !*other.meter_address)
				rules_say(r, u.type, u.index, "meter_address",
					  "is missing: %s and %s share a bus, each needs its number", other.name,
					  u.name);
			else if (strtoll(u.meter_address, NULL, 10) == strtoll(other.meter_address, NULL, 10))
				rules_say(r, u.type, u.index, "meter_address", "is that of %s %s already", other.type,
					  other.name);
		}
	}
}

static int check_units(struct rules *r)
{
	struct config *c = r->c;
	int count = config_unit_count(c), n = 0;
	int *order = calloc((size_t)count + 1, sizeof(int));

	if (!order)
		return FC_ENOMEM;
	for (int i = 0; i < count; i++) {
		const struct config_unit u = config_unit(c, i);

		if (u.bus < 0 || !rules_is_sound(r, u.type, u.index, "unit"))
			continue;
		order[n++] = i;
		if (rules_is_sound(r, "bus", u.bus, "kind"))
			check_unit(r, &u);
	}
	qsort_r(order, (size_t)n, sizeof(int), compare_units, c);
	check_meters(r, order, n);
	for (int i = 1; i < n; i++) {
		const struct config_unit x = config_unit(c, order[i - 1]), y = config_unit(c, order[i]);

		/* On a CAN bus each profile makes of the unit what it wants: a listener, nothing. */
		if (x.bus == y.bus && x.unit == y.unit &&
		    (c->buses[x.bus].kind != CONFIG_BUS_CAN || !strcmp(x.profile, y.profile)))
			rules_say(r, y.type, y.index, "unit", "%d is taken already on that bus by %s %s", y.unit,
				  x.type, x.name);
	}
	free(order);
	return FC_OK;
}

/* One is found by its name, whatever it is. */
static int check_names(struct rules *r)
{
	struct config *c = r->c;
	int count = config_unit_count(c);
	struct rules_entry *entries = rules_entries(count);

	if (!entries)
		return FC_ENOMEM;
	for (int i = 0; i < count; i++) {
		const struct config_unit u = config_unit(c, i);

		entries[i] = (struct rules_entry){u.name, u.name, u.type, u.index};
	}
	qsort(entries, (size_t)count, sizeof(*entries), rules_compare);
	for (int i = 1; i < count; i++)
		if (!strcmp(entries[i - 1].text, entries[i].text) && strcmp(entries[i - 1].type, entries[i].type) != 0)
			rules_say(r, entries[i].type, entries[i].index, "", "there is a %s of that name already",
				  entries[i - 1].type);
	free(entries);
	return FC_OK;
}

int rules_buses(struct rules *r)
{
	int result = check_buses(r);

	if (!result)
		result = check_units(r);
	return result ? result : check_names(r);
}

/* Meters and BMS ------------------------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct names {
	const char **list; /* sorted */
	int count;
};

static int is_unit(const struct names *names, const char *name)
{
	return bsearch(&name, names->list, (size_t)names->count, sizeof(*names->list), compare_texts) != NULL;
}

/* 'NAME' or 'NAME:2'. */
static int find_source(struct rules *r, int i, const char *option, const char *text, const struct names *names,
		       struct config_source *out)
{
	const char *colon = strrchr(text, ':');
	char *end = NULL;

	*out = (struct config_source){"", 1};
	if (!*text)
		return FC_OK;
	*out = (struct config_source){text, 1};
	if (is_unit(names, text))
		return FC_OK;
	long number = colon && colon[1] ? strtol(colon + 1, &end, 10) : 0;
	char *name = colon ? arena_copy(&r->c->arena, text, (size_t)(colon - text)) : NULL;
	if (colon && !name)
		return FC_ENOMEM;
	if (name && end && !*end && number >= 1 && number <= 16 && is_unit(names, name)) {
		*out = (struct config_source){name, (int)number};
		return FC_OK;
	}
	*out = (struct config_source){"", 1};
	rules_say(r, "connector", i, option,
		  "\"%.60s\" is not the name of a section of type device or charger, nor NAME:NUMBER of one (1 to 16)",
		  text);
	return FC_OK;
}

static int compare_to_entry(const void *text, const void *entry)
{
	return strcmp(text, ((const struct rules_entry *)entry)->text);
}

/* The register of a charger's own connector is in use already, where that has no meter. entries: sorted sources. */
static void check_own(struct rules *r, const struct rules_entry *entries)
{
	struct config *c = r->c;

	for (int i = 0; i < c->connector_count; i++) {
		const struct config_connector *k = &c->connectors[i];
		char text[100];

		if (*k->meter_source.name || k->charger < 0 || !rules_is_sound(r, "connector", i, "number"))
			continue;
		(void)snprintf(text, sizeof(text), "%s:%d", c->chargers[k->charger].name, k->number);
		const struct rules_entry *other =
		    bsearch(text, entries, (size_t)c->connector_count, sizeof(*entries), compare_to_entry);
		if (other)
			rules_say(r, "connector", other->index, "meter",
				  "%.60s counts connector %s already, which has no meter of its own", text, k->name);
	}
}

/* Energy that two connectors read from one register would be sold twice, and a car is on one of them. */
static int check_shared(struct rules *r, const char *option, size_t offset)
{
	struct config *c = r->c;
	struct rules_entry *entries = rules_entries(c->connector_count);
	int result = entries ? FC_OK : FC_ENOMEM;

	for (int i = 0; i < c->connector_count && !result; i++) {
		const char *base = (const char *)&c->connectors[i];
		const struct config_source *s = (const struct config_source *)(const void *)(base + offset);
		char text[100];

		(void)snprintf(text, sizeof(text), "%s:%d", s->name, s->number);
		entries[i] = (struct rules_entry){*s->name ? arena_copy(&c->arena, text, strlen(text)) : "",
						  c->connectors[i].name, "connector", i};
		result = entries[i].text ? FC_OK : FC_ENOMEM;
	}
	if (!result)
		rules_unique(r, entries, c->connector_count, option);
	if (!result && !strcmp(option, "meter"))
		check_own(r, entries);
	free(entries);
	return result;
}

int rules_sources(struct rules *r)
{
	struct config *c = r->c;
	struct names names = {.count = config_unit_count(c)};
	int result = FC_OK;

	names.list = calloc((size_t)names.count + 1, sizeof(*names.list));
	if (!names.list)
		return FC_ENOMEM;
	for (int i = 0; i < names.count; i++)
		names.list[i] = config_unit(c, i).name;
	qsort(names.list, (size_t)names.count, sizeof(*names.list), compare_texts);
	for (int i = 0; i < c->connector_count && !result; i++) {
		struct config_connector *k = &c->connectors[i];

		result = find_source(r, i, "meter", k->meter, &names, &k->meter_source);
		if (!result)
			result = find_source(r, i, "bms", k->bms, &names, &k->bms_source);
	}
	free(names.list);
	if (!result)
		result = check_shared(r, "meter", offsetof(struct config_connector, meter_source));
	return result ? result : check_shared(r, "bms", offsetof(struct config_connector, bms_source));
}
