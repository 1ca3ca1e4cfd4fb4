#include "script/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int rest_init(struct rest *rest, const struct value *functions)
{
	*rest = (struct rest){0};
	if (!functions->count)
		return FC_OK;
	rest->entries = calloc(functions->count, sizeof(*rest->entries));
	if (!rest->entries)
		return FC_ENOMEM;
	value_each (function, functions)
		rest->entries[rest->count++].function = value_text(function);
	return FC_OK;
}

void rest_fini(struct rest *rest)
{
	free(rest->entries);
	*rest = (struct rest){0};
}

static struct rest_entry *find(const struct rest *rest, const char *function)
{
	for (size_t i = 0; i < rest->count; i++)
		if (!strcmp(rest->entries[i].function, function))
			return &rest->entries[i];
	return NULL;
}

int rest_left_s(const struct rest *rest, const char *function, int64_t now_ms)
{
	const struct rest_entry *entry = find(rest, function);

	if (!entry || entry->until_ms <= now_ms)
		return 0;
	return (int)((entry->until_ms - now_ms + 999) / 1000);
}

int rest_note(struct rest *rest, const char *function, int hit_limit, int64_t now_ms)
{
	struct rest_entry *entry = find(rest, function);

	if (!entry)
		return 0;
	entry->until_ms = 0;
	if (!hit_limit)
		entry->hits = 0;
	else if (++entry->hits >= REST_AFTER)
		entry->until_ms = now_ms + REST_MS;
	return entry->until_ms != 0;
}
