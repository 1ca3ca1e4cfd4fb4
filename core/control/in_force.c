#include "control/in_force.h"

#include <string.h>

struct sources *in_force_at(const struct in_force *all, int index)
{
	struct sources *found;
	int profiles = 0, policies = 0;

	while (device_set_sources(all->devices, profiles))
		profiles++;
	while (charge_set_sources(all->charges, policies))
		policies++;
	if (index < profiles)
		found = device_set_sources(all->devices, index);
	else if (index < profiles + policies)
		found = charge_set_sources(all->charges, index - profiles);
	else
		found = platform_set_sources(all->platforms, index - profiles - policies);
	return found;
}

const char *in_force_version(const struct sources *sources, int index)
{
	return index ? sources_at(sources, index)->hash : sources_hash(sources);
}

/* The version that suits; version NULL: any. */
static const char *find(const struct in_force *all, const char *item, const char *version, const char **hash)
{
	const struct script_source *source;
	struct sources *sources;

	for (int i = 0; (sources = in_force_at(all, i)); i++)
		for (int k = 0; (source = sources_at(sources, k)); k++) {
			const char *found = in_force_version(sources, k);

			if (strcmp(source->item, item) != 0 || (version && strcmp(found, version) != 0))
				continue;
			*hash = source->hash;
			return found;
		}
	return NULL;
}

const char *in_force_of(const struct in_force *all, const char *item, const char **hash)
{
	return find(all, item, NULL, hash);
}

int in_force_has(const struct in_force *all, const char *item, const char *version)
{
	const char *hash;

	return find(all, item, version, &hash) != NULL;
}
