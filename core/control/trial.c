#include "control/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charge/policy.h"
#include "control/lua.h"
#include "upstream/mapping.h"

/* One that is in no version: what stands in its place is read, never a file. */
static const char requirer[] = "forecourt-requires";

static int begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static int load_module(const struct script_host *host, const char *name, struct error *err)
{
	struct script_instead instead[SOURCES_MAX + 2];
	struct script_host own = *host;
	char path[SCRIPT_PATH_MAX], text[VERSION_ITEM + 40];
	struct error why = {0};
	int count = 0;

	for (; host->instead && host->instead[count].path && count < SOURCES_MAX; count++)
		instead[count] = host->instead[count];
	(void)snprintf(path, sizeof(path), "%s/operators/%s.lua", host->lua_dir, requirer);
	int n = snprintf(text, sizeof(text), "require(\"%s\") return {}", name);
	instead[count++] = (struct script_instead){path, text, n > 0 ? (size_t)n : 0};
	instead[count] = (struct script_instead){0};
	own.instead = instead;
	struct script *script = script_load(&own, "operators", requirer, NULL, &why);
	script_free(script);
	if (script)
		return FC_OK;
	/* Nobody wrote the one that requires it. */
	const char *inner = strstr(why.text, "/lib/");
	while (inner && inner > why.text && inner[-1] != ' ' && inner[-1] != '\'')
		inner--;
	return error_set(err, why.code, "%s", inner ? inner : why.text);
}

int trial_load(const struct script_host *host, const char *item, struct error *err)
{
	const char *name = strchr(item, '/') + 1;
	void *loaded;

	if (begins_with(item, "profiles/")) {
		struct profile *profile = profile_load(host, name, err);

		profile_free(profile);
		loaded = profile;
	} else if (begins_with(item, "policies/")) {
		struct policy *policy = policy_load(host, name, err);

		policy_free(policy);
		loaded = policy;
	} else if (begins_with(item, "operators/")) {
		struct mapping *mapping = mapping_load(host, name, "", err);

		mapping_free(mapping);
		loaded = mapping;
	} else {
		return load_module(host, name, err);
	}
	return loaded ? FC_OK : FC_ESCRIPT;
}

static int is_tried(const struct trial *t, const char *item)
{
	char tried[SOURCE_ITEM];

	for (const struct script_instead *i = t->instead; i->path; i++) {
		sources_item_of(i->path, tried);
		if (!strcmp(tried, item))
			return 1;
	}
	return 0;
}

static int uses_tried(const struct trial *t, const struct sources *sources)
{
	for (int i = 0; i < sources_count(sources); i++)
		if (is_tried(t, sources_at(sources, i)->item))
			return 1;
	return 0;
}

static void add_item(struct trial *t, const char *item)
{
	for (int i = 0; i < t->count; i++)
		if (!strcmp(t->items[i], item))
			return;
	(void)snprintf(t->items[t->count++], VERSION_ITEM, "%s", item);
}

int trial_plan(struct trial *t, const struct control *control, const char *item, const struct script_instead *texts,
	       int count, struct error *err)
{
	const struct in_force all = lua_in_force(control);
	struct sources *sources;
	size_t most = 1;

	memset(t, 0, sizeof(*t));
	while (in_force_at(&all, (int)most - 1))
		most++;
	t->items = calloc(most, sizeof(*t->items));
	if (!t->items || count > SOURCES_MAX)
		return error_set(err, FC_ENOMEM, "no memory");
	memcpy(t->instead, texts, (size_t)count * sizeof(*texts));
	t->host = *control->sources.lua.host;
	(void)snprintf(t->lua_dir, sizeof(t->lua_dir), "%s", t->host.lua_dir);
	t->host.lua_dir = t->lua_dir;
	t->host.instead = t->instead;
	t->host.shelf = NULL;
	/* It may change tables or ask for the state in no trial. */
	t->host.services = NULL;
	add_item(t, item);
	for (int i = 0; (sources = in_force_at(&all, i)); i++)
		if (uses_tried(t, sources))
			add_item(t, sources_at(sources, 0)->item);
	return FC_OK;
}

void trial_fini(struct trial *t)
{
	free(t->items);
	t->items = NULL;
}

int trial_next(struct trial *t)
{
	t->result = trial_load(&t->host, t->items[t->next++], &t->err);
	return !t->result && t->next < t->count;
}
