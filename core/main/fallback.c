#include "main/fallback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "charge/policy.h"
#include "device/device.h"
#include "script/script.h"
#include "store/versions.h"
#include "upstream/mapping.h"

/* The last one was good when it came into force. It may be no more (a lost text, other limits), but rarely the one before as well. */
enum { TRIES = 8, LISTED = 100 };

/* The versions to try, each once, the newest first. */
struct history {
	struct version list[TRIES];
	int count;
};

/* The texts of one version, as they are read in place of files. */
struct texts {
	struct store *store;
	const char *lua_dir;
	struct script_instead list[SOURCES_MAX + 1];
	char *paths[SOURCES_MAX], *bytes[SOURCES_MAX];
	char items[SOURCES_MAX][VERSION_ITEM], hashes[SOURCES_MAX][JOURNAL_VERSION];
	int count;
	int failed;
};

static void note_version(void *user, const struct version *v)
{
	struct history *h = user;

	for (int i = 0; i < h->count; i++)
		if (!strcmp(h->list[i].whole, v->whole))
			return;
	if (h->count < TRIES)
		h->list[h->count++] = *v;
}

/* One version ------------------------------------------------------------------------------------------------------------ */

static void note_part(void *user, const char *item, const char *hash)
{
	struct texts *t = user;

	if (t->count == SOURCES_MAX) {
		t->failed = 1;
		return;
	}
	(void)snprintf(t->items[t->count], sizeof(t->items[0]), "%s", item);
	(void)snprintf(t->hashes[t->count], sizeof(t->hashes[0]), "%s", hash);
	t->count++;
}

struct copy {
	char *bytes;
	size_t len;
};

static void copy_text(void *user, const char *text, size_t len)
{
	struct copy *copy = user;

	copy->bytes = malloc(len + 1);
	if (!copy->bytes)
		return;
	memcpy(copy->bytes, text, len);
	copy->len = len;
}

static int read_text(struct texts *t, int i, struct error *err)
{
	char path[SCRIPT_PATH_MAX], hash[SOURCE_HASH];
	struct copy copy = {0};
	int n = snprintf(path, sizeof(path), "%s/%s.lua", t->lua_dir, t->items[i]);
	int result = version_text(t->store, t->hashes[i], copy_text, &copy);

	t->bytes[i] = copy.bytes;
	t->paths[i] = n > 0 && (size_t)n < sizeof(path) ? strdup(path) : NULL;
	if (!result && (!copy.bytes || !t->paths[i]))
		return error_set(err, FC_ENOMEM, "no memory");
	if (!result)
		sources_digest(copy.bytes, copy.len, hash);
	/* A damaged page of the store: prices that nobody has written are not to be charged. */
	if (result || strcmp(hash, t->hashes[i]) != 0)
		return error_set(err, FC_ENOENT, "the text of %s %.12s was lost", t->items[i], t->hashes[i]);
	t->list[i] = (struct script_instead){t->paths[i], copy.bytes, copy.len};
	return FC_OK;
}

static void free_texts(struct texts *t)
{
	for (int i = 0; t && i < t->count; i++) {
		free(t->paths[i]);
		free(t->bytes[i]);
	}
	free(t);
}

static struct texts *read_texts(struct store *store, const char *lua_dir, const struct version *v, struct error *err)
{
	struct texts *t = calloc(1, sizeof(*t));
	int result = FC_OK;

	if (!t) {
		(void)error_set(err, FC_ENOMEM, "no memory");
		return NULL;
	}
	t->store = store;
	t->lua_dir = lua_dir;
	note_part(t, v->item, v->hash);
	if (version_each_part(store, v->whole, note_part, t) < 0 || t->failed)
		result = error_set(err, FC_EIO, "the store can't be read");
	for (int i = 0; i < t->count && !result; i++)
		result = read_text(t, i, err);
	if (!result)
		return t;
	free_texts(t);
	return NULL;
}

/* Loading ---------------------------------------------------------------------------------------------------------------- */

static int fits(void *config, const void *object, struct error *err)
{
	return profile_fits(object, config, err);
}

static int load(struct store *store, const char *lua_dir, struct shelf *shelf, int index, const struct version *v,
		const struct config *config)
{
	const struct shelf_item *item = &shelf_items(shelf, NULL)[index];
	struct error err = {0};
	struct texts *texts = read_texts(store, lua_dir, v, &err);

	if (texts && !shelf_load_instead(shelf, index, texts->list, item->kind == &profile_kind ? fits : NULL,
					 (void *)(uintptr_t)config, &err)) {
		free_texts(texts);
		return FC_OK;
	}
	log_error("main: start: %s %s: version %.12s can't be taken either: %s", item->kind->name, item->name, v->whole,
		  err.text);
	free_texts(texts);
	return FC_ENOENT;
}

/* What becomes of a station without it. */
static const char *without(const struct shelf_kind *kind)
{
	if (kind == &profile_kind)
		return "its chargers are off line";
	/* Never free of charge. */
	if (kind == &policy_kind)
		return "no charge is started where it sets the prices";
	return "the platform is spoken to as the standard says";
}

static void replace(struct store *store, const char *lua_dir, struct shelf *shelf, int index,
		    const struct config *config)
{
	const struct shelf_item *item = &shelf_items(shelf, NULL)[index];
	char name[VERSION_ITEM], at[CLOCK_DATETIME_SIZE];
	struct history history = {0};

	(void)snprintf(name, sizeof(name), "%s/%s", item->kind->folder, item->name);
	if (version_each(store, name, 0, LISTED, note_version, &history) < 0)
		log_error("main: start: %s %s: earlier versions: the store can't be read", item->kind->name,
			  item->name);
	for (int i = 0; i < history.count; i++) {
		if (load(store, lua_dir, shelf, index, &history.list[i], config))
			continue;
		clock_format_datetime(history.list[i].at_wall, at);
		log_error("main: start: %s %s: version %.12s of %s stays in force%s%s%s: %s", item->kind->name,
			  item->name, item->hash, at, *item->space ? " (" : "", item->space, *item->space ? ")" : "",
			  item->error);
		return;
	}
	shelf_do_without(shelf, index);
	log_error("main: start: %s %s: can't be taken, and there is no earlier version: %s%s%s%s: %s", item->kind->name,
		  item->name, without(item->kind), *item->space ? " (" : "", item->space, *item->space ? ")" : "",
		  item->error);
}

void fallback_load(struct store *store, const char *lua_dir, struct shelf *shelf, const struct config *config)
{
	int count;
	const struct shelf_item *items = shelf_items(shelf, &count);

	for (int i = 0; i < count; i++)
		if (items[i].state == SHELF_FAILED)
			replace(store, lua_dir, shelf, i, config);
}
