/* Services: what scripts may ask of the gateway while they are called: the station's public state, and lookup tables in the store. */
#ifndef FC_MAIN_SERVICES_H
#define FC_MAIN_SERVICES_H

#include "script/host.h"
#include "station/station.h"
#include "store/store.h"

struct services {
	struct store *store;
	const struct station_set *stations;
	struct script_services calls; /* for a script_host; valid while this struct is where it is */
};

/* Both borrowed, and must outlive every script that is loaded with calls. */
void services_init(struct services *services, struct store *store, const struct station_set *stations);

#endif
