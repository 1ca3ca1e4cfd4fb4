#include "station/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

static void mix_text(uint64_t *digest, const char *text)
{
	/* With its zero byte, so that "ab" "c" differs from "a" "bc". */
	*digest = hash_more(*digest, text, strlen(text) + 1);
}

static void mix_int(uint64_t *digest, int64_t i)
{
	*digest = hash_more(*digest, &i, sizeof(i));
}

static void mix_station(uint64_t *d, const struct config_station *s)
{
	const char *const texts[] = {
	    s->station_id,  s->equipment_owner_id, s->station_name,    s->country_code, s->area_code, s->address,
	    s->station_tel, s->service_tel,        s->site_guide,      s->match_cars,   s->park_info, s->busine_hours,
	    s->service_fee, s->park_fee,           s->electricity_fee, s->payment,      s->remark};
	const int numbers[] = {s->station_type, s->station_status, s->park_nums,    s->lng_e6,
			       s->lat_e6,       s->construction,   s->support_order};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		mix_text(d, texts[i]);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		mix_int(d, numbers[i]);
	for (int i = 0; i < s->picture_count; i++)
		mix_text(d, s->pictures[i]);
}

static void mix_charger(uint64_t *d, const struct config_charger *c)
{
	const char *const texts[] = {c->equipment_id,    c->manufacturer_id, c->manufacturer_name,
				     c->equipment_model, c->production_date, c->equipment_name};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		mix_text(d, texts[i]);
	mix_int(d, c->equipment_type);
	mix_int(d, c->power_w);
}

static void mix_connector(uint64_t *d, const struct config_connector *c)
{
	mix_text(d, c->connector_id);
	mix_text(d, c->connector_name);
	mix_text(d, c->park_no);
	mix_int(d, c->connector_type);
	mix_int(d, c->voltage_upper);
	mix_int(d, c->voltage_lower);
	mix_int(d, c->current_a);
	mix_int(d, c->power_w);
	mix_int(d, c->national_standard);
}

uint64_t describe_digest(const struct config *config, int station)
{
	uint64_t digest = HASH_BEGIN;

	mix_text(&digest, config->gateway.operator_id);
	mix_station(&digest, &config->stations[station]);
	for (int i = 0; i < config->charger_count; i++) {
		if (config->chargers[i].station != station)
			continue;
		mix_charger(&digest, &config->chargers[i]);
		for (int k = 0; k < config->connector_count; k++)
			if (config->connectors[k].charger == i)
				mix_connector(&digest, &config->connectors[k]);
	}
	return digest;
}

/* "digest wall" under the station's id. */
static int load(struct store *store, const char *key, uint64_t *digest, int64_t *wall)
{
	char text[64], *end;

	if (!store || store_value_get(store, key, text, sizeof(text)))
		return FC_ENOENT;
	*digest = strtoull(text, &end, 16);
	if (*end != ' ')
		return FC_EINVAL;
	*wall = strtoll(end, NULL, 10);
	return FC_OK;
}

static void save(struct store *store, const char *key, uint64_t digest, int64_t wall)
{
	struct error err = {0};
	char text[64];

	if (!store)
		return;
	(void)snprintf(text, sizeof(text), "%016llx %lld", (unsigned long long)digest, (long long)wall);
	if (store_value_set(store, key, text, &err))
		log_error("station: time of change not stored: %s", err.text);
}

int describe_changes(const struct config *config, struct store *store, int64_t *changed_wall)
{
	int changes = 0;

	for (int i = 0; i < config->station_count; i++) {
		char key[128];
		uint64_t now = describe_digest(config, i), before = 0;

		(void)snprintf(key, sizeof(key), "station.%s.described", config->stations[i].station_id);
		if (!load(store, key, &before, &changed_wall[i]) && before == now)
			continue;
		/* Later than the change before, also within the same second or by a clock that was set back: who was
		 * told of that one must see that there is another. */
		int64_t last = changed_wall[i], wall = clock_wall();
		changed_wall[i] = wall > last ? wall : last + 1;
		save(store, key, now, changed_wall[i]);
		changes++;
	}
	return changes;
}
