/* The set of all platforms, and what its files share: platform.c (life, events, orders) and platform_look.c (figures, tools). Nobody else
 * includes this. */
#ifndef FC_UPSTREAM_PLATFORM_SET_H
#define FC_UPSTREAM_PLATFORM_SET_H

#include "upstream/platform.h"
#include "upstream/platform_state.h"
#include "upstream/ports.h"

struct platform_set {
	struct loop *loop;
	struct station_set *stations;
	struct charge_set *charges; /* borrowed; NULL: no business */
	struct store *store;
	struct json_reader *reader;  /* one for all: everything happens on one thread */
	const struct config *config; /* borrowed; NULL before the first apply */
	struct platform **platforms; /* the enabled ones, in the configuration's order */
	int count;
	struct ports ports;
	struct station_listener listener;
	const struct script_host *host;
	struct recorder *recorder; /* NULL = nothing is recorded */
	struct calls *calls;       /* goes with it */
};

/* By its section's name; NULL: there is none, or it is switched off. */
struct platform *platform_find(const struct platform_set *set, const char *name);

#endif
