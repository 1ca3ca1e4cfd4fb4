#include "script/reshape.h"

#include <stdlib.h>
#include <string.h>

static int check_renames(const struct value *renames, struct error *err)
{
	if (renames && !value_is_object(renames))
		return error_set(err, FC_EINVAL, "rename: must be a table of old = \"new\"");
	value_each (v, renames)
		if (!value_text(v) || !v->len || strlen(v->text) != v->len)
			return error_set(err, FC_EINVAL, "rename.%.60s: must be a name, a text that is not empty",
					 v->key);
	return FC_OK;
}

static int read_first(const struct value *v, enum reshape_first *first, struct error *err)
{
	const char *text = value_text(v);

	if (!v)
		*first = RESHAPE_AS_IT_IS;
	else if (text && !strcmp(text, "lower"))
		*first = RESHAPE_LOWER;
	else if (text && !strcmp(text, "upper"))
		*first = RESHAPE_UPPER;
	else
		return error_set(err, FC_EINVAL, "first: must be \"lower\" or \"upper\"");
	return FC_OK;
}

static int compare_renames(const void *a, const void *b)
{
	const struct value *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

int reshape_compile(const struct value *description, struct arena *arena, struct reshape *out, struct error *err)
{
	static const char *const known[] = {"rename", "first", "add", NULL};
	const struct value *renames = value_get(description, "rename"), *added = value_get(description, "add");

	*out = (struct reshape){0};
	if (!value_is_object(description))
		return error_set(err, FC_EINVAL, "must be a table of rename, first, add");
	value_each (v, description)
		if (!value_key_known(v, known))
			return error_set(err, FC_EINVAL, "%.60s: unknown; known are rename, first, add",
					 v->key ? v->key : "a list");
	if (check_renames(renames, err) || read_first(value_get(description, "first"), &out->first, err))
		return FC_EINVAL;
	if (added && !value_is_object(added))
		return error_set(err, FC_EINVAL, "add: must be a table of name = value");
	out->added = added;
	if (!renames || !renames->count)
		return FC_OK;
	out->renames = arena_alloc(arena, renames->count * sizeof(struct value *));
	if (!out->renames)
		return error_set(err, FC_ENOMEM, "rename: no memory");
	value_each (v, renames)
		out->renames[out->rename_count++] = v;
	qsort(out->renames, out->rename_count, sizeof(struct value *), compare_renames);
	return FC_OK;
}

static int compare_key(const void *key, const void *renames)
{
	const struct value *const *v = renames;

	return strcmp(key, (*v)->key);
}

/* key itself when it stays; NULL: the arena is full. */
static const char *new_name(const struct reshape *r, const char *key, struct arena *arena)
{
	const struct value *const *found =
	    r->rename_count ? bsearch(key, r->renames, r->rename_count, sizeof(struct value *), compare_key) : NULL;
	int is_lower = *key >= 'a' && *key <= 'z', is_upper = *key >= 'A' && *key <= 'Z';

	if (found)
		return arena_copy(arena, (*found)->text, (*found)->len);
	if (!(r->first == RESHAPE_UPPER && is_lower) && !(r->first == RESHAPE_LOWER && is_upper))
		return key;
	char *copy = arena_copy(arena, key, strlen(key));
	if (copy)
		*copy ^= 'a' ^ 'A';
	return copy;
}

static struct value *copy_node(const struct value *v, struct arena *arena)
{
	struct value *copy = arena_alloc(arena, sizeof(*copy));

	if (copy) {
		*copy = *v;
		copy->first = copy->last = copy->next = NULL;
		copy->count = 0;
	}
	return copy;
}

/* As deep as the tree, which its readers bound. */
static struct value *copy_tree(const struct reshape *r, const struct value *v, struct arena *arena)
{
	struct value *copy = copy_node(v, arena);
	int renamed = 0;

	if (!copy)
		return NULL;
	value_each (child, v) {
		struct value *c = copy_tree(r, child, arena);

		if (!c)
			return NULL;
		if (child->key) {
			c->key = new_name(r, child->key, arena);
			if (!c->key)
				return NULL;
			renamed |= c->key != child->key;
		}
		value_append(copy, c);
	}
	return renamed && value_drop_doubles(arena, copy) ? NULL : copy;
}

struct value *reshape_apply(const struct reshape *reshape, const struct value *message, struct arena *arena)
{
	struct value *out = copy_tree(reshape, message, arena);

	if (!out || !value_is_object(out))
		return out;
	value_each (v, reshape->added)
		if (value_put(arena, out, v->key, value_copy(arena, v)))
			return NULL;
	return out;
}
