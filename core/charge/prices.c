#include "charge/prices.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct loaded {
	struct policy *policy;
	struct loaded *next;
};

struct prices {
	const struct script_host *host;
	const struct config *config;
	struct loaded *list;
};

static struct policy *find_policy(const struct prices *prices, const char *name)
{
	for (struct loaded *l = prices->list; l; l = l->next)
		if (!strcmp(policy_name(l->policy), name))
			return l->policy;
	return NULL;
}

static int load(struct prices *prices, const struct script_host *host, const char *name, struct error *err)
{
	/* One that is missing refuses what it would price: prices_tariff. */
	if (!*name || find_policy(prices, name) || shelf_lacks(host, &policy_kind, name, ""))
		return FC_OK;
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	if (!loaded)
		return error_set(err, FC_ENOMEM, "charge: no memory");
	loaded->policy = shelf_take(host, &policy_kind, name, "", err);
	if (!loaded->policy) {
		free(loaded);
		return FC_ESCRIPT;
	}
	loaded->next = prices->list;
	prices->list = loaded;
	return FC_OK;
}

struct prices *prices_load(const struct config *config, const struct script_host *host, struct error *err)
{
	struct prices *prices = calloc(1, sizeof(*prices));
	int result = FC_OK;

	if (!prices) {
		(void)error_set(err, FC_ENOMEM, "charge: no memory");
		return NULL;
	}
	prices->host = host;
	prices->config = config;
	for (int i = 0; !result && i < config->station_count; i++)
		result = load(prices, host, config->stations[i].policy, err);
	for (int i = 0; !result && i < config->platform_count; i++)
		result = load(prices, host, config->platforms[i].policy, err);
	if (!result)
		return prices;
	prices_free(prices);
	return NULL;
}

void prices_free(struct prices *prices)
{
	if (!prices)
		return;
	while (prices->list) {
		struct loaded *next = prices->list->next;

		shelf_return(prices->host, &policy_kind, prices->list->policy);
		free(prices->list);
		prices->list = next;
	}
	free(prices);
}

struct sources *prices_sources(const struct prices *prices, int index)
{
	for (const struct loaded *l = prices ? prices->list : NULL; l; l = l->next)
		if (!index--)
			return policy_sources(l->policy);
	return NULL;
}

static const char *policy_of(const struct config *config, const struct connector *connector, const char *platform)
{
	for (int i = 0; i < config->platform_count; i++)
		if (!strcmp(config->platforms[i].name, platform) && *config->platforms[i].policy)
			return config->platforms[i].policy;
	return connector->station->policy;
}

int prices_tariff(const struct prices *prices, const struct connector *connector, const char *platform,
		  const char *user_class, int days, struct tariff *out, struct error *err)
{
	const char *name = policy_of(prices->config, connector, platform);
	const struct policy_context context = {connector->station->station_id, connector->config->connector_id,
					       platform, user_class};

	if (!*name) {
		policy_free_of_charge(clock_wall(), out);
		return FC_OK;
	}
	struct policy *policy = find_policy(prices, name);
	if (!policy)
		return error_set(err, FC_ENOENT, "charge: policy %s is not loaded", name);
	return policy_tariff(policy, &context, clock_wall(), days, out, err);
}
