#include "config/config.h"

int config_unit_count(const struct config *config)
{
	return config->charger_count + config->device_count;
}

struct config_unit config_unit(const struct config *config, int index)
{
	if (index < config->charger_count) {
		const struct config_charger *c = &config->chargers[index];

		return (struct config_unit){"charger",  index,   c->name,
					    c->bus,     c->unit, c->profile,
					    c->poll_ms, index,   c->meter_address ? c->meter_address : ""};
	}
	const struct config_device *d = &config->devices[index - config->charger_count];

	return (struct config_unit){
	    "device", index - config->charger_count,           d->name, d->bus, d->unit, d->profile, d->poll_ms,
	    -1,       d->meter_address ? d->meter_address : ""};
}
