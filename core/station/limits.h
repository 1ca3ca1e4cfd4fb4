/* Limits: what an operator has limited a connector to: kept over reloads and restarts until it is released, whatever becomes of
 * line, charger and profile meanwhile. The charger's side of it is device_cap (device.h). */
#ifndef FC_STATION_LIMITS_H
#define FC_STATION_LIMITS_H

#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

struct connector;

struct operator_limit {
	int held;
	int64_t milli;  /* thousandths of the unit */
	char unit[16];  /* of the profile that it was given for: 32 A are not 32 kW */
	int is_refused; /* the profile of now has no such limit: said once */
};

/* As the store left it, or none; store may be NULL. FC_OK; FC_EIO: that can't be said. */
int limits_load(struct operator_limit *limit, struct store *store, const char *connector_id);
/* Durable when it returns FC_OK. */
int limits_save(const struct operator_limit *limit, struct store *store, const char *connector_id, struct error *err);
/* The charger is told, unless it has been: after a start, a reload. */
void limits_settle(struct connector *connector);

#endif
