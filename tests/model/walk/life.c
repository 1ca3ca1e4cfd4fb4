/* The disk, and a life on it: from a start to the next power cut. */
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"

void world_folder(const struct world *w, int life, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%d", w->folder, life);
}

static void copy_file(const char *from, const char *to)
{
	static char block[65536];
	FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
	size_t n;

	while (out && (n = fread(block, 1, sizeof(block), in)) > 0)
		assert_int_equal(fwrite(block, 1, n, out), n);
	if (out)
		assert_int_equal(fclose(out), 0);
	if (in)
		(void)fclose(in);
}

/* What a power cut leaves of it now, as the next life finds it. */
void world_image(const struct world *w)
{
	static const char *const files[] = {"forecourt.db", "forecourt.db-wal"};
	char from[128], to[128], path[160], copy[160];

	world_folder(w, w->life, from, sizeof(from));
	world_folder(w, w->life + 1, to, sizeof(to));
	assert_int_equal(mkdir(to, 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", from, files[i]);
		(void)snprintf(copy, sizeof(copy), "%s/%s", to, files[i]);
		copy_file(path, copy);
	}
}

static int on_commit(void *user, sqlite3 *db, const char *name, int pages)
{
	struct world *w = user;

	(void)db, (void)name, (void)pages;
	if (++w->commits == w->image_at)
		world_image(w);
	return SQLITE_OK;
}

void world_fill_disk(const struct world *w, int is_full)
{
	assert_int_equal(sqlite3_exec(store_db(w->store), is_full ? "PRAGMA query_only = 1" : "PRAGMA query_only = 0",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	/* That the first transaction afterwards goes without what failed to go along is not the model's subject. */
	w->store->settles.is_tired = w->store->events.is_tired = 0;
}

/* A life ------------------------------------------------------------------------------------------------------------- */

/* Whose turn comes first is nobody's business: as in the model. */
static void sort_charges(struct charge_set *set)
{
	struct charge *first = set->charges;

	if (!first || !first->next || first->next->next || strcmp(first->connector_id, first->next->connector_id) <= 0)
		return;
	set->charges = first->next;
	first->next->next = first;
	first->next = NULL;
}

void world_boot(struct world *w, int clock)
{
	const struct charge_hooks hooks = world_hooks(w);
	struct error err = {0};
	char folder[128];

	played_us = 3600000000;
	played_s = clock ? played_set + (int64_t)w->life * 100 : 1000;
	memset(&w->stations, 0, sizeof(w->stations));
	w->stations.station.local_start = w->rules->authorised ? CONFIG_LOCAL_AUTHORISED : 0;
	for (int k = 0; k < MODEL_CONNECTORS; k++) {
		w->stations.config[k] = (struct config_connector){
		    .name = world_ids[k], .connector_id = world_ids[k], .number = k, .power_w = 60000};
		w->stations.connector[k] = (struct connector){.config = &w->stations.config[k],
							      .charger = &w->stations.charger,
							      .station = &w->stations.station,
							      .device = (struct device *)w};
		w->stations.is_present[k] = k < w->rules->connectors;
	}
	w->config = (struct config){.connectors = w->stations.config, .connector_count = w->rules->connectors};
	w->config.gateway.operator_id = "123456789";
	world_folder(w, w->life, folder, sizeof(folder));
	w->store = store_open(folder, &err);
	assert_non_null(w->store);
	assert_int_equal(sqlite3_exec(store_db(w->store), "PRAGMA synchronous = OFF", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_wal_hook(store_db(w->store), on_commit, w);
	if (w->m.s.disk_full)
		world_fill_disk(w, 1);
	for (int p = 0; p < w->rules->platforms; p++) {
		w->options[p] = (struct config_platform){.name = world_names[p], .iserv = 1, .enabled = 1};
		w->platform[p] = (struct platform){.store = w->store, .config = &w->config, .options = &w->options[p]};
		w->peer[p] = (struct peer){0};
		w->business[p] = business_new(&w->platform[p], &w->peer[p], world_no_wake, w);
		assert_non_null(w->business[p]);
	}
	w->charges = charge_set_new(w->loop, w->store, &w->stations, (struct device_set *)w, NULL, &hooks, &err);
	assert_non_null(w->charges);
	for (int p = 0; p < w->rules->platforms; p++)
		w->platform[p].charges = w->charges;
	assert_int_equal(charge_set_apply(w->charges, &w->config, &err), FC_OK);
	sort_charges(w->charges);
}

/* What it writes at its end is in no image. */
void world_stop(struct world *w)
{
	if (!w->store)
		return;
	charge_set_free(w->charges);
	for (int p = 0; p < w->rules->platforms; p++) {
		business_free(w->business[p]);
		w->business[p] = NULL;
	}
	store_close(w->store);
	w->store = NULL;
	w->charges = NULL;
}

struct charge *world_charge(const struct world *w, int k)
{
	return set_find(w->charges, world_ids[k]);
}
