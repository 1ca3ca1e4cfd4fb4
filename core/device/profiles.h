/* Profiles: those that a set's chargers use, each loaded once. For this room only. */
#ifndef FC_DEVICE_PROFILES_H
#define FC_DEVICE_PROFILES_H

#include "device/profile.h"

struct profiles {
	const struct script_host *host;
	struct profile **list;
	int count;
};

/* Takes every profile that a charger of config names. FC_OK; else *out is empty and *err says which file and why. */
int profiles_load(const struct script_host *host, const struct config *config, struct profiles *out, struct error *err);
void profiles_free(struct profiles *profiles);
/* By name, or NULL. */
struct profile *profiles_find(const struct profiles *profiles, const char *name);

#endif
