#include "base/patch.h"

#include <string.h>

#include "base/error.h"

/* The member of that key, looked for at *hint first: trees are made in the same order again and again. */
static const struct value *find(const struct value *object, const char *key, const struct value **hint)
{
	const struct value *found = *hint && !strcmp((*hint)->key, key) ? *hint : value_get(object, key);

	if (found)
		*hint = found->next;
	return found;
}

static int put(struct arena *arena, struct value **patch, const char *key, struct value *change)
{
	if (!*patch)
		*patch = value_object(arena);
	return value_add(arena, *patch, key, change);
}

/* Members of objects only: an empty one from Lua counts as one. */
static int is_tree(const struct value *v)
{
	return v->type == VALUE_OBJECT;
}

int patch_make(struct arena *arena, const struct value *from, const struct value *to, struct value **patch)
{
	const struct value *hint = from->first;
	int result = FC_OK;

	*patch = NULL;
	value_each (now, to) {
		const struct value *before = find(from, now->key, &hint);
		struct value *change = NULL;

		if (before && is_tree(before) && is_tree(now)) {
			result = patch_make(arena, before, now, &change);
			if (!result && change)
				result = put(arena, patch, now->key, change);
		} else if (!before || !value_equal(before, now)) {
			result = put(arena, patch, now->key, value_copy(arena, now));
		}
		if (result)
			break;
	}
	hint = to->first;
	value_each (before, from) {
		if (!result && !find(to, before->key, &hint))
			result = put(arena, patch, before->key, value_null(arena));
	}
	if (result)
		*patch = NULL;
	return result ? FC_ENOMEM : FC_OK;
}
