#include "station/energy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "station/station.h"

/* As charge/split.h: a reading may be ahead of nominal power; a register counts in steps; some are brought up to date once a minute, and show
 * at once what went by. Over a restart nobody knows how long it was: no longer than a month. */
enum { AHEAD = 2, SLACK_WH = 1000, STILL_S = 60, RESTART_S = 30 * 86400, LONGEST_S = 366 * 86400 };

/* Where the source of the register is remembered, beside it. */
static void source_key(const char *connector_id, char *out, size_t size)
{
	(void)snprintf(out, size, "energy.%s.source", connector_id);
}

int energy_init(struct energy_counter *counter, struct store *store, const char *connector_id)
{
	char key[80];

	*counter = (struct energy_counter){0};
	int result = store ? store_energy_meter(store, connector_id, &counter->meter_wh) : FC_ENOENT;
	if (result)
		return result == FC_ENOENT ? FC_OK : result;
	counter->has_meter = 1;
	source_key(connector_id, key, sizeof(key));
	result = store_value_get(store, key, counter->source, sizeof(counter->source));
	if (result)
		counter->source[0] = '\0';
	return result == FC_EIO ? FC_EIO : FC_OK;
}

/* W s that may have gone through since the last reading, and what is left from before. */
static int64_t believed_ws(const struct energy_counter *counter, int64_t mono_us, int64_t power_w)
{
	int64_t full = (int64_t)SLACK_WH * 3600 + AHEAD * power_w * STILL_S;
	int64_t us = mono_us > counter->mono_us ? mono_us - counter->mono_us : 0, s = us / 1000000;

	if (!counter->this_run)
		return full + AHEAD * power_w * RESTART_S;
	s = s > LONGEST_S ? LONGEST_S : s;
	return (counter->spare_ws < full ? counter->spare_ws : full) + AHEAD * power_w * s +
	       AHEAD * power_w * (us % 1000000) / 1000000;
}

int64_t energy_count(struct energy_counter *counter, int64_t meter_wh, int64_t mono_us, int32_t day, int power_w)
{
	int64_t delta = counter->has_meter ? meter_wh - counter->meter_wh : -1;
	int believable = delta >= 0;

	int64_t ws = believed_ws(counter, mono_us, power_w), step_ws = (int64_t)SLACK_WH * 3600;

	believable = believable && delta <= ws / 3600;
	/* What is left is there for the next reading; what was used comes again with time only. */
	counter->spare_ws = believable ? ws - delta * 3600 : ws < step_ws ? ws : step_ws;
	if (!counter->has_meter || delta != 0)
		counter->dirty = 1;
	counter->has_meter = 1;
	counter->this_run = 1;
	counter->meter_wh = meter_wh;
	counter->mono_us = mono_us;
	counter->day = day;
	if (!believable)
		return -1;
	counter->pending_wh += delta;
	return delta;
}

static int read_register(struct device *device, int number, int64_t *wh, int64_t *mono_us)
{
	struct point_value value;

	if (!device)
		return FC_ENOENT;
	const struct profile *profile = device_profile(device);
	int point = profile_point(profile, "energy");

	if (point < 0 || device_point(device, number, point, &value) || value.quality != QUALITY_GOOD || value.is_text)
		return FC_ENOENT;
	*mono_us = value.mono_us;
	/* milli-kWh is Wh; milli-Wh is not. */
	*wh = !strcmp(profile_point_unit(profile, point), "kWh") ? value.milli : decimal_div_round(value.milli, 1000);
	return FC_OK;
}

static const struct config_source *meter_of(const struct connector *c)
{
	const struct config_source *meter = &c->config->meter_source;

	return meter->name && *meter->name ? meter : NULL;
}

void energy_source(const struct connector *connector, char out[ENERGY_SOURCE])
{
	const struct config_source *meter = meter_of(connector);

	if (meter)
		(void)snprintf(out, ENERGY_SOURCE, "%.60s:%d", meter->name, meter->number);
	else
		out[0] = '\0';
}

/* A meter that is silent is unknown: the charger's register is another one, and says nothing of it. */
int energy_meter(const struct connector *c, int64_t *wh, int64_t *mono_us)
{
	return meter_of(c) ? read_register(c->meter.device, c->meter.number, wh, mono_us)
			   : read_register(c->device, c->config->number, wh, mono_us);
}

int energy_has(const struct connector *c)
{
	return meter_of(c) || (c->device && profile_point(device_profile(c->device), "energy") >= 0);
}

int energy_read(const struct connector *c, const char *source, int64_t *wh, int64_t *mono_us)
{
	char now[ENERGY_SOURCE], name[ENERGY_SOURCE];

	energy_source(c, now);
	if (!strcmp(now, source))
		return energy_meter(c, wh, mono_us);
	if (!*source)
		return c->device && profile_point(device_profile(c->device), "energy") < 0
			   ? FC_EINVAL
			   : read_register(c->device, c->config->number, wh, mono_us);
	(void)snprintf(name, sizeof(name), "%s", source);
	char *colon = strrchr(name, ':');
	struct device *device = NULL;
	if (colon) {
		*colon = '\0';
		device = c->devices ? device_find(c->devices, name) : NULL;
	}
	return device ? read_register(device, atoi(colon + 1), wh, mono_us) : FC_EINVAL;
}

/* Writes what was counted so far. */
static void write_now(struct energy_counter *counter, struct store *store, const char *connector_id)
{
	struct error err = {0};

	if (!store)
		return;
	int result = store_begin(store, &err);
	if (!result) {
		result = energy_flush(counter, store, connector_id, &err);
		if (result)
			store_rollback(store);
		else
			result = store_commit(store, &err);
	}
	if (result) {
		/* It stays pending and will count for the next day: late, but not lost. */
		log_error("station: connector %s: statistics not written: %s", connector_id, err.text);
		return;
	}
	energy_written(counter);
}

/* Another register than before: what it stands at is a new starting point. Nonzero then. */
static int look_at_source(struct energy_counter *counter, struct store *store, const struct connector *connector)
{
	char source[ENERGY_SOURCE];

	energy_source(connector, source);
	if (!strcmp(source, counter->source))
		return 0;
	if (counter->has_meter) {
		log_notice("station: connector %s: metered by %s from now on", connector->config->connector_id,
			   *source ? source : "its charger");
		write_now(counter, store, connector->config->connector_id);
	}
	counter->has_meter = counter->this_run = 0;
	(void)snprintf(counter->source, sizeof(counter->source), "%s", source);
	return 1;
}

void energy_update(struct energy_counter *counter, struct store *store, const struct connector *connector)
{
	const char *id = connector->config->connector_id;
	int64_t before = counter->meter_wh, wh, read_us;
	int had = counter->has_meter;

	if (energy_meter(connector, &wh, &read_us))
		return;
	int32_t day = clock_day(clock_wall());
	if (counter->dirty && counter->day != day)
		write_now(counter, store, id);
	if (look_at_source(counter, store, connector))
		had = 0;
	/* By the time of the reading: a meter may be read once a minute, and its connector be looked at every second. */
	int64_t counted = energy_count(counter, wh, read_us, day, connector->config->power_w);
	/* The first starting point is kept at once: from then on even a power cut loses nothing, since what the register
	 * advanced meanwhile counts at the next start. */
	if (!had)
		write_now(counter, store, id);
	else if (counted < 0)
		log_warning("station: connector %s: energy register went from %lld to %lld Wh: new starting point, "
			    "nothing counted",
			    id, (long long)before, (long long)wh);
}

int64_t energy_pending(const struct energy_counter *counter, int32_t first, int32_t last)
{
	return counter->day >= first && counter->day <= last ? counter->pending_wh : 0;
}

int energy_flush(const struct energy_counter *counter, struct store *store, const char *connector_id, struct error *err)
{
	char key[80], stored[ENERGY_SOURCE] = "";

	int result = store_energy_add(store, connector_id, counter->day, counter->pending_wh, counter->meter_wh, err);
	if (result)
		return result;
	source_key(connector_id, key, sizeof(key));
	if (store_value_get(store, key, stored, sizeof(stored)))
		stored[0] = '\0';
	return strcmp(stored, counter->source) != 0 ? store_value_set(store, key, counter->source, err) : FC_OK;
}

void energy_written(struct energy_counter *counter)
{
	counter->pending_wh = 0;
	counter->dirty = 0;
}
