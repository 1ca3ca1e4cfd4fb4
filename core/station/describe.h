/* Describe: when did a station's description (its own, its equipment's, its connectors' data) last change?
 * Platforms ask with LastQueryTime (protocol.md 2.2), so the answer must outlive a restart. */
#ifndef FC_STATION_DESCRIBE_H
#define FC_STATION_DESCRIBE_H

#include <stdint.h>

#include "config/config.h"
#include "store/store.h"

/* Digest of all that StationInfo shows of station (index into the configuration). */
uint64_t describe_digest(const struct config *config, int station);
/* Fills changed_wall[] (one a station): the stored time while the digest is the stored one, else now, and stores
 * that. store may be NULL: then everything changed now. Returns how many changed. */
int describe_changes(const struct config *config, struct store *store, int64_t *changed_wall);

#endif
