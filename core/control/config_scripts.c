#include "control/config_scripts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charge/policy.h"
#include "device/device.h"
#include "device/profile.h"
#include "upstream/mapping.h"

static void want(struct config_scripts *s, const char *folder, const char *name)
{
	if (!*name)
		return;
	for (int i = 0; i < s->count; i++)
		if (!strcmp(s->list[i].folder, folder) && !strcmp(s->list[i].name, name))
			return;
	(void)snprintf(s->list[s->count].folder, sizeof(s->list->folder), "%s", folder);
	(void)snprintf(s->list[s->count++].name, sizeof(s->list->name), "%s", name);
}

int config_scripts_init(struct config_scripts *s, const struct config *config, const char *lua_dir,
			const struct script_instead *instead)
{
	int units = config_unit_count(config);
	size_t most = (size_t)units + (size_t)config->station_count + 2 * (size_t)config->platform_count;

	*s = (struct config_scripts){.config = config};
	s->list = calloc(most + 1, sizeof(*s->list));
	if (!s->list)
		return FC_ENOMEM;
	s->host = (struct script_host){
	    .lua_dir = lua_dir,
	    .instead = instead,
	    .limits = {.memory = (size_t)config->gateway.lua_memory_kb * 1024,
		       .instructions = config->gateway.lua_steps,
		       .time_ms = config->gateway.lua_time_ms},
	};
	for (int i = 0; i < units; i++)
		want(s, "profiles", config_unit(config, i).profile);
	for (int i = 0; i < config->station_count; i++)
		want(s, "policies", config->stations[i].policy);
	for (int i = 0; i < config->platform_count; i++) {
		want(s, "policies", config->platforms[i].policy);
		want(s, "operators", config->platforms[i].mapping);
	}
	return FC_OK;
}

void config_scripts_fini(struct config_scripts *s)
{
	free(s->list);
	s->list = NULL;
}

static int load(struct config_scripts *s, const struct config_script *script, struct error *err)
{
	if (!strcmp(script->folder, "profiles")) {
		struct profile *profile = profile_load(&s->host, script->name, err);
		int result = profile ? profile_fits(profile, s->config, err) : FC_ESCRIPT;

		profile_free(profile);
		return result;
	}
	if (!strcmp(script->folder, "policies")) {
		struct policy *policy = policy_load(&s->host, script->name, err);

		policy_free(policy);
		return policy ? FC_OK : FC_ESCRIPT;
	}
	struct mapping *mapping = mapping_load(&s->host, script->name, "", err);
	mapping_free(mapping);
	return mapping ? FC_OK : FC_ESCRIPT;
}

int config_scripts_step(struct config_scripts *s)
{
	struct error why = {0};

	if (s->next >= s->count)
		return 0;
	const struct config_script *script = &s->list[s->next++];
	if (load(s, script, &why) && s->refused_count < CONFIG_SCRIPTS_TOLD) {
		(void)snprintf(s->refused[s->refused_count].item, sizeof(s->refused->item), "%.11s/%.63s",
			       script->folder, script->name);
		s->refused[s->refused_count++].why = why;
	}
	return s->next < s->count;
}
