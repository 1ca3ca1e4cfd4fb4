#include "station/energy.h"

#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"
#include "station/station.h"

/* A reading may be ahead of nominal power for a moment; a register counts in steps. */
static const int64_t slack_wh = 1000;

void energy_init(struct energy_counter *counter, struct store *store, const char *connector_id)
{
	*counter = (struct energy_counter){0};
	if (store && !store_energy_meter(store, connector_id, &counter->meter_wh))
		counter->has_meter = 1;
}

int64_t energy_count(struct energy_counter *counter, int64_t meter_wh, int64_t mono_us, int32_t day, int power_w)
{
	int64_t delta = counter->has_meter ? meter_wh - counter->meter_wh : -1;
	int believable = delta >= 0;

	if (believable && counter->this_run) {
		int64_t elapsed_s = (mono_us - counter->mono_us) / 1000000 + 1;
		int64_t most = (int64_t)power_w * elapsed_s / 3600 * 2 + slack_wh;

		believable = delta <= most;
	}
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

int energy_meter(const struct connector *connector, int64_t *wh, int64_t *mono_us)
{
	struct point_value value;

	if (!connector->device)
		return FC_ENOENT;
	const struct profile *profile = device_profile(connector->device);
	int point = profile_point(profile, "energy");

	if (point < 0 || device_point(connector->device, connector->config->number, point, &value) ||
	    value.quality != QUALITY_GOOD || value.is_text)
		return FC_ENOENT;
	*mono_us = value.mono_us;
	/* milli-kWh is Wh; milli-Wh is not. */
	*wh = !strcmp(profile_point_unit(profile, point), "kWh") ? value.milli : decimal_div_round(value.milli, 1000);
	return FC_OK;
}

/* Writes what was counted so far. */
static void write_now(struct energy_counter *counter, struct store *store, const char *connector_id)
{
	struct error err = {0};

	if (!store)
		return;
	if (energy_flush(counter, store, connector_id, &err)) {
		/* It stays pending and will count for the next day: late, but not lost. */
		log_error("station: connector %s: statistics not written: %s", connector_id, err.text);
		return;
	}
	energy_written(counter);
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
	int64_t counted = energy_count(counter, wh, clock_mono_us(), day, connector->config->power_w);
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
	return store_energy_add(store, connector_id, counter->day, counter->pending_wh, counter->meter_wh, err);
}

void energy_written(struct energy_counter *counter)
{
	counter->pending_wh = 0;
	counter->dirty = 0;
}
