/* In force: the Lua that the rooms run by now, as one list. */
#ifndef FC_CONTROL_IN_FORCE_H
#define FC_CONTROL_IN_FORCE_H

#include "charge/charge.h"
#include "device/device.h"
#include "upstream/platform.h"

/* Borrowed. */
struct in_force {
	const struct device_set *devices;
	const struct charge_set *charges;
	const struct platform_set *platforms;
};

/* What each profile, policy and mapping in force was made of (index 0..); NULL past the end. A file that several platforms use
 * comes once for each. Valid until something is loaded again. */
struct sources *in_force_at(const struct in_force *all, int index);
/* The version of an item: of a script that which covers its modules, of a module that of its text. */
const char *in_force_version(const struct sources *sources, int index);
/* The version of the item that is in force, and its text's hash; NULL when it is not in force at all. */
const char *in_force_of(const struct in_force *all, const char *item, const char **hash);
/* Nonzero when the item is in force in that version. */
int in_force_has(const struct in_force *all, const char *item, const char *version);

#endif
