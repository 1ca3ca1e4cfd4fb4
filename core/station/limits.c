#include "station/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "station/station.h"

enum { KEY = 80, RECORD = 64 };

static void key_of(const char *connector_id, char out[KEY])
{
	(void)snprintf(out, KEY, "limit:%s", connector_id);
}

/* "milli unit" */
int limits_load(struct operator_limit *limit, struct store *store, const char *connector_id)
{
	char key[KEY], text[RECORD], *end;

	*limit = (struct operator_limit){0};
	key_of(connector_id, key);
	int result = store ? store_value_get(store, key, text, sizeof(text)) : FC_ENOENT;
	if (result || !*text)
		return result == FC_EIO ? FC_EIO : FC_OK;
	long long milli = strtoll(text, &end, 10);
	if (end == text || *end != ' ' || strlen(end + 1) >= sizeof(limit->unit))
		return FC_OK;
	limit->held = 1;
	limit->milli = milli;
	(void)snprintf(limit->unit, sizeof(limit->unit), "%s", end + 1);
	return FC_OK;
}

int limits_save(const struct operator_limit *limit, struct store *store, const char *connector_id, struct error *err)
{
	char key[KEY], text[RECORD];

	if (!store)
		return FC_OK;
	key_of(connector_id, key);
	(void)snprintf(text, sizeof(text), "%lld %s", (long long)limit->milli, limit->unit);
	return store_value_set(store, key, limit->held ? text : "", err);
}

void limits_settle(struct connector *c)
{
	struct operator_limit *limit = &c->limit;
	struct device_range range;
	struct error err = {0};
	int64_t milli;
	int is_waiting;

	if (!limit->held || !c->device || !c->devices)
		return;
	if (!device_capped(c->device, c->config->number, &milli, &is_waiting) && milli == limit->milli)
		return;
	if (device_limit_range(c->device, &range) || strcmp(range.unit, limit->unit) != 0)
		(void)error_set(&err, FC_EINVAL, "its profile has no limit in %s", limit->unit);
	else
		(void)device_cap(c->devices, c->device, c->config->number, limit->milli, &err);
	if (err.code && !limit->is_refused)
		log_warning("station: connector %s: the operator's limit is not in force: %s", c->config->connector_id,
			    err.text);
	limit->is_refused = err.code != 0;
}
