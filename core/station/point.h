/* Point: a connector's values, wherever they come from: its charger, its meter, the listener at its vehicle's battery management
 * (BMS). Who wants a value asks by its name and need not know who measures it.
 *
 * A name is looked for at the charger, then the meter, then the BMS: the first that has a GOOD value, and no empty text; when none
 * has, the first that has such a point. But for "energy": where a connector has a meter, that register alone counts, and while it can't be read nothing is
 * known: two registers never stand at the same number. */
#ifndef FC_STATION_POINT_H
#define FC_STATION_POINT_H

#include "station/station.h"

enum connector_from { CONNECTOR_OF_CHARGER, CONNECTOR_OF_METER, CONNECTOR_OF_BMS };
struct connector_value {
	const char *name, *unit; /* valid until the next reload */
	enum connector_from from;
	int personal; /* logs and lists show its end only */
	struct point_value value;
	const struct device *device; /* whose point it is, of which of its connectors; borrowed */
	int number, point;
};

/* FC_ENOENT: nobody has such a point. */
int connector_point(const struct connector *connector, const char *name, struct point_value *out);
/* The same with where it comes from. */
int connector_value(const struct connector *connector, const char *name, struct connector_value *out);
/* Calls fn once for each name that any of them has, the charger's first. */
void connector_each_value(const struct connector *connector,
			  void (*fn)(void *user, const struct connector_value *value), void *user);
const char *connector_from_name(enum connector_from from);

#endif
