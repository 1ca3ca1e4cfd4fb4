#include "device/profiles.h"

#include <stdlib.h>
#include <string.h>

int profiles_load(const struct script_host *host, const struct config *config, struct profiles *out, struct error *err)
{
	*out = (struct profiles){.host = host,
				 .list = calloc((size_t)config_unit_count(config) + 1, sizeof(struct profile *))};
	if (!out->list)
		return error_set(err, FC_ENOMEM, "device: no memory");
	for (int i = 0; i < config_unit_count(config); i++) {
		const char *name = config_unit(config, i).profile;

		if (profiles_find(out, name))
			continue;
		if (shelf_lacks(host, &profile_kind, name, ""))
			continue;
		struct profile *profile = shelf_take(host, &profile_kind, name, "", err);
		if (!profile) {
			profiles_free(out);
			return FC_EINVAL;
		}
		out->list[out->count++] = profile;
	}
	return FC_OK;
}

void profiles_free(struct profiles *profiles)
{
	for (int i = 0; i < profiles->count; i++)
		shelf_return(profiles->host, &profile_kind, profiles->list[i]);
	free(profiles->list);
	*profiles = (struct profiles){0};
}

struct profile *profiles_find(const struct profiles *profiles, const char *name)
{
	for (int i = 0; i < profiles->count; i++)
		if (!strcmp(profiles->list[i]->name, name))
			return profiles->list[i];
	return NULL;
}
