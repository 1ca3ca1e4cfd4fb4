#include "device/keep.h"

#include <stdlib.h>
#include <string.h>

enum { KEEP_MAX = 4 << 20 };

/* NULL stays NULL. *failed counts what found no memory. */
static const char *keep_text(struct config *kept, const char *text, int *failed)
{
	char *copy = text ? arena_copy(&kept->arena, text, strlen(text)) : NULL;

	*failed += text && !copy;
	return copy;
}

static void keep_buses(struct config *kept, const struct config *from, int *failed)
{
	for (int i = 0; i < from->bus_count; i++) {
		struct config_bus *b = &kept->buses[i];

		*b = from->buses[i];
		b->name = keep_text(kept, b->name, failed);
		b->host = keep_text(kept, b->host, failed);
		b->device = keep_text(kept, b->device, failed);
	}
}

/* Chargers and devices. */
static void keep_units(struct config *kept, const struct config *from, int *failed)
{
	for (int i = 0; i < from->charger_count; i++) {
		const struct config_charger *c = &from->chargers[i];

		kept->chargers[i] = (struct config_charger){
		    .name = keep_text(kept, c->name, failed),
		    .bus = c->bus,
		    .unit = c->unit,
		    .profile = keep_text(kept, c->profile, failed),
		    .poll_ms = c->poll_ms,
		};
	}
	for (int i = 0; i < from->device_count; i++) {
		const struct config_device *d = &from->devices[i];

		kept->devices[i] = (struct config_device){
		    .name = keep_text(kept, d->name, failed),
		    .bus = d->bus,
		    .unit = d->unit,
		    .profile = keep_text(kept, d->profile, failed),
		    .poll_ms = d->poll_ms,
		};
	}
}

static void keep_connectors(struct config *kept, const struct config *from, int *failed)
{
	for (int i = 0; i < from->connector_count; i++) {
		const struct config_connector *c = &from->connectors[i];

		kept->connectors[i] = (struct config_connector){
		    .charger = c->charger,
		    .number = c->number,
		    .meter_source = {keep_text(kept, c->meter_source.name, failed), c->meter_source.number},
		    .bms_source = {keep_text(kept, c->bms_source.name, failed), c->bms_source.number}};
	}
}

struct config *keep_config(const struct config *config)
{
	struct config *kept = calloc(1, sizeof(*kept));
	int failed = 0;

	if (!kept)
		return NULL;
	arena_init(&kept->arena, KEEP_MAX);
	kept->buses = arena_alloc(&kept->arena, (size_t)config->bus_count * sizeof(*kept->buses));
	kept->chargers = arena_alloc(&kept->arena, (size_t)config->charger_count * sizeof(*kept->chargers));
	kept->connectors = arena_alloc(&kept->arena, (size_t)config->connector_count * sizeof(*kept->connectors));
	kept->devices = arena_alloc(&kept->arena, (size_t)config->device_count * sizeof(*kept->devices));
	if (!kept->buses || !kept->chargers || !kept->connectors || !kept->devices) {
		keep_free(kept);
		return NULL;
	}
	kept->bus_count = config->bus_count;
	kept->charger_count = config->charger_count;
	kept->connector_count = config->connector_count;
	kept->device_count = config->device_count;
	keep_buses(kept, config, &failed);
	keep_connectors(kept, config, &failed);
	keep_units(kept, config, &failed);
	if (failed) {
		keep_free(kept);
		return NULL;
	}
	return kept;
}

void keep_free(struct config *kept)
{
	if (!kept)
		return;
	arena_fini(&kept->arena);
	free(kept);
}
