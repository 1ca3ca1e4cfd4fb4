#include "main/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/versions.h"

struct noted {
	char item[VERSION_ITEM], version[JOURNAL_VERSION];
};

struct list {
	struct noted *at;
	int count, room;
};

struct versions {
	struct store *store;
	struct in_force all;
	struct list noted;            /* what was in force at the last note, all of it in the store */
	char pending[VERSION_ORIGIN]; /* the origin of what could not be written, "" = nothing */
};

/* One look through all that is in force. */
struct look {
	struct versions *versions;
	const char *origin;
	struct list now;
	int is_open; /* a transaction */
};

static int is_in(const struct list *list, const char *item, const char *version)
{
	for (int i = 0; i < list->count; i++)
		if (!strcmp(list->at[i].item, item) && !strcmp(list->at[i].version, version))
			return 1;
	return 0;
}

static int put(struct list *list, const char *item, const char *version)
{
	int room = list->room ? list->room * 2 : 16;

	if (list->count == list->room) {
		struct noted *at = realloc(list->at, (size_t)room * sizeof(*at));

		if (!at)
			return FC_ENOMEM;
		list->at = at;
		list->room = room;
	}
	struct noted *n = &list->at[list->count++];
	(void)snprintf(n->item, sizeof(n->item), "%s", item);
	(void)snprintf(n->version, sizeof(n->version), "%s", version);
	return FC_OK;
}

struct versions *versions_new(struct store *store, const struct in_force *all)
{
	struct versions *v = calloc(1, sizeof(*v));

	if (v) {
		v->store = store;
		v->all = *all;
	}
	return v;
}

void versions_free(struct versions *v)
{
	if (!v)
		return;
	free(v->noted.at);
	free(v);
}

static int open_once(struct look *look, struct error *err)
{
	int result = look->is_open ? FC_OK : store_begin(look->versions->store, err);

	look->is_open |= !result;
	return result;
}

static int add_parts(struct look *look, const struct sources *sources, struct error *err)
{
	const struct script_source *part;
	int result = FC_OK;

	for (int i = 1; !result && (part = sources_at(sources, i)); i++)
		result = version_add_part(look->versions->store, sources_hash(sources), part->item, part->hash, err);
	return result;
}

static int is_kept(void *user, const struct version *version)
{
	return in_force_has(user, version->item, version->whole);
}

static int add(struct look *look, const struct sources *sources, int index, struct error *err)
{
	const struct script_source *source = sources_at(sources, index);
	struct store *store = look->versions->store;
	struct version v = {.at_wall = clock_wall()};

	(void)snprintf(v.item, sizeof(v.item), "%s", source->item);
	(void)snprintf(v.hash, sizeof(v.hash), "%s", source->hash);
	(void)snprintf(v.whole, sizeof(v.whole), "%s", in_force_version(sources, index));
	(void)snprintf(v.origin, sizeof(v.origin), "%s", look->origin);
	int result = open_once(look, err);
	if (!result)
		result = version_add(store, &v, source->text, source->len, err);
	if (!result && !index)
		result = add_parts(look, sources, err);
	if (!result)
		result = version_trim(store, v.item, v.at_wall, is_kept, &look->versions->all, err);
	if (!result)
		log_info("main: %s: version %.12s in force (%s)", v.item, v.whole, v.origin);
	return result;
}

/* What was lost with a damaged page of the store is put back while it is at hand. */
static int mend_text(struct look *look, const struct script_source *source, struct error *err)
{
	struct store *store = look->versions->store;

	if (version_has_text(store, source->hash))
		return FC_OK;
	int result = open_once(look, err);
	return result ? result : version_add_text(store, source->hash, source->text, source->len, err);
}

/* Nonzero when it was noted before, so that only its text may have to be put back. script_is_new: that which it is a module of, or
 * itself. */
static int is_noted(const struct look *look, const char *item, const char *version, int index, int script_is_new)
{
	/* Two scripts may run two versions of one module: what was noted of them is not noted again by turns, also not by a start
	 * that brings an unchanged script back with its own module. */
	int was_there = is_in(&look->versions->noted, item, version) || (index && !script_is_new);

	return was_there && version_is_known(look->versions->store, item, version);
}

/* *is_new: of index 0, set when the script's version is noted now; of a module, what it was set to. */
static int look_at(struct look *look, const struct sources *sources, int index, int *is_new, struct error *err)
{
	const struct script_source *source = sources_at(sources, index);
	const char *version = in_force_version(sources, index);
	struct version last;

	if (is_in(&look->now, source->item, version))
		return FC_OK;
	int result = put(&look->now, source->item, version) ? error_set(err, FC_ENOMEM, "no memory") : FC_OK;
	/* Without its text it was noted before. */
	if (result || !source->text)
		return result;
	if (is_noted(look, source->item, version, index, *is_new))
		return mend_text(look, source, err);
	result = version_last(look->versions->store, source->item, &last);
	if (!result && !strcmp(last.whole, version) && !strcmp(last.hash, source->hash))
		return mend_text(look, source, err);
	if (result && result != FC_ENOENT)
		return error_set(err, result, "the store can't be read");
	*is_new |= !index;
	return add(look, sources, index, err);
}

static int look_through(struct look *look, struct error *err)
{
	struct sources *sources;
	int result = FC_OK;

	for (int i = 0; !result && (sources = in_force_at(&look->versions->all, i)); i++) {
		int is_new = 0;

		for (int k = 0; !result && k < sources_count(sources); k++)
			result = look_at(look, sources, k, &is_new, err);
	}
	if (look->is_open && result)
		store_rollback(look->versions->store);
	else if (look->is_open)
		result = store_commit(look->versions->store, err);
	return result;
}

static void forget_texts(const struct versions *v)
{
	struct sources *sources;

	for (int i = 0; (sources = in_force_at(&v->all, i)); i++)
		sources_forget(sources);
}

void versions_note(struct versions *v, const char *origin)
{
	struct look look = {.versions = v, .origin = origin};
	struct error err = {0};

	if (look_through(&look, &err)) {
		if (!*v->pending)
			log_error("main: the versions of Lua in force are not kept, tried again: %s", err.text);
		(void)snprintf(v->pending, sizeof(v->pending), "%s", origin);
		free(look.now.at);
		return;
	}
	free(v->noted.at);
	v->noted = look.now;
	v->pending[0] = '\0';
	forget_texts(v);
}

void versions_tend(struct versions *v)
{
	char origin[VERSION_ORIGIN];

	if (!*v->pending)
		return;
	(void)snprintf(origin, sizeof(origin), "%s", v->pending);
	versions_note(v, origin);
}
