/* The set of all stations, and what its files share. For this room only. */
#ifndef FC_STATION_SET_H
#define FC_STATION_SET_H

#include "station/energy.h"
#include "station/point.h"
#include "station/station.h"

struct station_connector {
	struct connector public;
	struct energy_counter energy;
};

/* Where a device's news belong. */
struct listener_at {
	const struct device *device;
	int number;
	int connector; /* place in connectors */
	enum connector_from from;
};

struct station_set {
	struct loop *loop;
	struct store *store;                  /* borrowed, may be NULL */
	const struct config *config;          /* borrowed, NULL before the first apply */
	struct device_set *devices;           /* borrowed, NULL before the first apply */
	struct station_connector *connectors; /* in the configuration's order */
	int connector_count;
	struct listener_at *by_device; /* sorted by (device, number): device events find their connectors */
	int by_device_count;
	int *by_id;            /* indices sorted by connector_id */
	int64_t *changed_wall; /* per station of the configuration */
	unsigned long applies;
	struct station_listener *listeners;
	struct loop_timer flush_timer;
	struct loop_timer second; /* of reservations; runs while there is one */
};

/* By connector_id; NULL when there is none. */
struct station_connector *connector_in(const struct station_set *set, const char *id);
/* As its charger says it, but for an idle one that is kept for somebody. */
enum connector_status connector_status_now(const struct connector *connector);
/* Listeners are told when it is another one: one of them may apply another configuration. */
void connector_become(struct station_set *set, struct connector *connector, enum connector_status status);
/* acts.c: looks at reservations once a second, from now on, as long as there is one. */
void acts_watch(struct station_set *set);
void acts_second(void *station_set);

#endif
