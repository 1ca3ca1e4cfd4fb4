#include "main/services.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/maker.h"
#include "script/script.h"
#include "station/energy.h"
#include "station/point.h"
#include "store/lookup.h"

_Static_assert((int)SCRIPT_SPACE_MAX <= (int)LOOKUP_NAME_MAX, "a script's space must fit into the store");

/* State ---------------------------------------------------------------------------------------------------------------- */

/* What is measured, as a script sees it, beside power and energy, whose units differ between profiles. A value that is not good now is
 * left out: unknown, never zero (DESIGN.md, rule 4). A charger's texts (card, vin) are not for scripts. */
static const struct {
	const char *key, *point;
} values[] = {{"voltage_a", "voltage_a"},
	      {"voltage_b", "voltage_b"},
	      {"voltage_c", "voltage_c"},
	      {"current_a", "current_a"},
	      {"current_b", "current_b"},
	      {"current_c", "current_c"},
	      {"soc", "soc"},
	      {"demand_voltage", "demand_voltage"},
	      {"demand_current", "demand_current"}};

/* Nonzero when the value is good; notes its quality where the charger has such a point. */
static int read_value(struct maker *m, struct value *quality, const struct connector *c, const char *point,
		      const char *key, struct connector_value *v)
{
	if (connector_value(c, point, v) || v->value.is_text)
		return 0;
	maker_text(m, quality, key, quality_name(v->value.quality));
	return v->value.quality == QUALITY_GOOD;
}

static void put_values(struct maker *m, struct value *o, const struct connector *c)
{
	struct value *quality = value_object(m->arena);
	struct connector_value v;
	int64_t wh, read_us;

	if (read_value(m, quality, c, "power", "power_w", &v))
		maker_int(m, o, "power_w",
			  !strcmp(v.unit, "kW") ? v.value.milli : decimal_div_round(v.value.milli, 1000));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (read_value(m, quality, c, values[i].point, values[i].key, &v))
			maker_put(m, o, values[i].key, value_decimal(m->arena, v.value.milli, 3));
	if (read_value(m, quality, c, "energy", "energy_kwh", &v) && !energy_meter(c, &wh, &read_us))
		maker_put(m, o, "energy_kwh", value_decimal(m->arena, wh, 3));
	maker_put(m, o, "quality", quality);
}

static void put_connector(struct maker *m, struct value *o, const struct connector *c)
{
	maker_text(m, o, "id", c->config->connector_id);
	maker_text(m, o, "name", c->config->connector_name);
	maker_text(m, o, "station", c->station->station_id);
	maker_text(m, o, "equipment", c->charger->equipment_id);
	maker_int(m, o, "number", c->config->number);
	maker_text(m, o, "park_no", c->config->park_no);
	maker_int(m, o, "status", (int64_t)c->status);
	maker_text(m, o, "status_name", connector_status_name(c->status));
	maker_int(m, o, "since", c->status_wall);
	put_values(m, o, c);
}

/* Ids of the connectors of a station (NULL: of all). */
static struct value *connector_ids(const struct services *s, struct maker *m, const char *station)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; i < station_connector_count(s->stations); i++) {
		const struct connector *c = station_connector_at(s->stations, i);

		if (!station || !strcmp(c->station->station_id, station))
			maker_push(m, list, value_string(m->arena, c->config->connector_id));
	}
	return list;
}

static struct value *station_ids(const struct config *config, struct maker *m)
{
	struct value *list = value_array(m->arena);

	for (int i = 0; config && i < config->station_count; i++)
		maker_push(m, list, value_string(m->arena, config->stations[i].station_id));
	return list;
}

static struct value *one_station(const struct services *s, const struct config *config, struct maker *m, const char *id)
{
	for (int i = 0; config && i < config->station_count; i++) {
		const struct config_station *station = &config->stations[i];

		if (strcmp(station->station_id, id) != 0)
			continue;
		struct value *o = value_object(m->arena);
		maker_text(m, o, "id", station->station_id);
		maker_text(m, o, "name", station->station_name);
		maker_text(m, o, "area_code", station->area_code);
		maker_put(m, o, "connectors", connector_ids(s, m, id));
		return o;
	}
	return NULL;
}

static struct value *state(void *user, const char *kind, const char *id, struct arena *arena)
{
	const struct services *s = user;
	const struct config *config = station_set_config(s->stations);
	struct maker m = {.arena = arena};
	struct value *out = NULL;

	if (!strcmp(kind, "stations")) {
		out = station_ids(config, &m);
	} else if (!strcmp(kind, "connectors")) {
		out = connector_ids(s, &m, NULL);
	} else if (!strcmp(kind, "station")) {
		out = one_station(s, config, &m, id);
	} else if (!strcmp(kind, "connector")) {
		const struct connector *c = station_connector_find(s->stations, id);

		out = c ? value_object(arena) : NULL;
		if (c)
			put_connector(&m, out, c);
	}
	return m.failed ? NULL : out;
}

/* Tables --------------------------------------------------------------------------------------------------------------- */

static int get(void *user, const char *space, const char *table, const char *key, int reverse, char *out, size_t size)
{
	const struct services *s = user;

	return reverse ? lookup_key(s->store, space, table, key, reverse - 1, out, size)
		       : lookup_get(s->store, space, table, key, out, size);
}

static int put(void *user, const char *space, const struct script_entry *entries, int count, struct error *err)
{
	const struct services *s = user;
	struct lookup_entry *list = calloc((size_t)count, sizeof(*list));

	if (!list)
		return error_set(err, FC_ENOMEM, "no memory");
	for (int i = 0; i < count; i++)
		list[i] = (struct lookup_entry){entries[i].table, entries[i].key, entries[i].value};
	int result = lookup_put(s->store, space, list, count, err);
	free(list);
	return result;
}

void services_init(struct services *services, struct store *store, const struct station_set *stations)
{
	*services = (struct services){
	    .store = store, .stations = stations, .calls = {.user = services, .state = state, .get = get, .put = put}};
}
