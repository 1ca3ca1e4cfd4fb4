#include "main/check_lua.h"

#include <string.h>

#include "charge/policy.h"
#include "device/profile.h"
#include "main/reload.h"
#include "upstream/mapping.h"

static int check_policy(const struct script_host *host, const char *name, FILE *to)
{
	struct error err = {0};

	if (!*name)
		return 0;
	struct policy *policy = policy_load(host, name, &err);
	if (!policy)
		fprintf(to, "%s\n", err.text);
	policy_free(policy);
	return !policy;
}

int check_lua(const struct config *config, FILE *to)
{
	const struct script_host host = {.lua_dir = config->gateway.lua_dir, .limits = reload_limits(config)};
	struct error err = {0};
	int failures = 0;

	for (int i = 0; i < config_unit_count(config); i++) {
		const char *name = config_unit(config, i).profile;
		int seen = 0;

		for (int k = 0; k < i && !seen; k++)
			seen = !strcmp(config_unit(config, k).profile, name);
		if (seen)
			continue;
		struct profile *profile = profile_load(&host, name, &err);
		if (!profile) {
			fprintf(to, "%s\n", err.text);
			failures++;
		}
		profile_free(profile);
	}
	for (int i = 0; i < config->station_count; i++)
		failures += check_policy(&host, config->stations[i].policy, to);
	for (int i = 0; i < config->platform_count; i++) {
		failures += check_policy(&host, config->platforms[i].policy, to);
		struct mapping *mapping =
		    mapping_load(&host, config->platforms[i].mapping, config->platforms[i].name, &err);

		if (!mapping) {
			fprintf(to, "%s\n", err.text);
			failures++;
		}
		mapping_free(mapping);
	}
	return failures;
}
