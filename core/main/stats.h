/* Stats: the state of the whole gateway as one tree, for the admin page, the counters' file and the benchmarks. */
#ifndef FC_MAIN_STATS_H
#define FC_MAIN_STATS_H

#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "device/device.h"
#include "main/pulse.h"
#include "main/reload.h"
#include "station/station.h"
#include "store/store.h"
#include "upstream/platform.h"

/* Enough for CONFIG_MAX_CONNECTORS connectors. */
#define STATS_MEMORY ((size_t)65536 + (size_t)CONFIG_MAX_CONNECTORS * 8192)

struct stats_sources {
	int64_t started_us;
	struct loop *loop;
	const struct reload *reload;
	struct device_set *devices;
	struct station_set *stations;
	struct platform_set *platforms;
	struct store *store;
	const struct pulse *pulse;
};

/* {time, uptime_s, rss_kb, loop{longest_us, recent_us}, reloads{count, taken, kept, refused, scripts_refused, ..._us}, watchdog{device, open, timeout_s, feeds, why}, store{failing, since, cause ...}, polls{...}, buses[...], connectors[...], platforms[...]}; NULL when the arena is full. */
struct value *stats_build(struct arena *arena, const struct stats_sources *sources);
/* Writes it as JSON, whole or not at all (by way of a temporary file and rename). FC_EIO, FC_ENOMEM (tree NULL). */
int stats_write_file(const struct value *tree, const char *path, struct error *err);

#endif
