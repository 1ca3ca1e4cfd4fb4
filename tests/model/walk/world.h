/* World: the code beside the model. Charge room, store and business.c are the code's own; chargers, station, prices, peers and clocks are
 * played. One event goes to both; what differs then is told. For tests/unit/test_model_walk.c. */
#ifndef FC_TESTS_MODEL_WALK_WORLD_H
#define FC_TESTS_MODEL_WALK_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "charge/set.h"
#include "store/internal.h"
#include "upstream/business.h"

#include "../check.h"
#include "../inside.h"

enum { UNIT_WH = 10, COMMANDS = 2, JSON_MAX = 16384 };

/* What the clocks say; played_set is a time at which the wall's is set. */
extern int64_t played_us, played_s;
extern const int64_t played_set;

struct station_set {
	struct config_station station;
	struct config_charger charger;
	struct config_connector config[MODEL_CONNECTORS];
	struct connector connector[MODEL_CONNECTORS];
	int is_present[MODEL_CONNECTORS], is_good[MODEL_CONNECTORS];
	int64_t wh[MODEL_CONNECTORS], read_us[MODEL_CONNECTORS];
	const char *card[MODEL_CONNECTORS];
	struct {
		device_command_done done;
		void *user;
	} sent[MODEL_CONNECTORS][COMMANDS];
	struct station_listener *listener;
};

struct peer {
	peer_done done;
	void *user;
	char seq[JOURNAL_SEQ];
};

struct world {
	char folder[64];
	int life; /* each in a folder of its own */
	const struct model_rules *rules;
	struct model m;
	struct store *store;
	struct loop *loop;
	struct charge_set *charges;
	struct station_set stations;
	struct config config;
	struct config_platform options[MODEL_PLATFORMS];
	struct platform platform[MODEL_PLATFORMS];
	struct peer peer[MODEL_PLATFORMS];
	struct business *business[MODEL_PLATFORMS];
	char seq[MODEL_ORDERS][JOURNAL_SEQ];
	char *content[MODEL_PLATFORMS][MODEL_ORDERS]; /* as it was sent first */
	int commits, image_at;
	int answer;
	uint64_t random;
	/* The way here. */
	struct model_event way[400];
	int steps;
	char different[200];
};

extern struct world *world; /* the one that the played station is of */
extern const char *const world_ids[MODEL_CONNECTORS];
extern const char *const world_names[MODEL_PLATFORMS];
extern const char *const world_given[MODEL_SEQS]; /* numbers that platforms give */

/* played.c */
struct charge_hooks world_hooks(struct world *w);
void world_no_wake(void *user);

/* life.c: of the disk, and from one power cut to the next. */
void world_folder(const struct world *w, int life, char *out, size_t size);
/* What a power cut leaves of it now, as the next life finds it. */
void world_image(const struct world *w);
void world_fill_disk(const struct world *w, int is_full);
void world_boot(struct world *w, int clock);
/* What it writes at its end is in no image. */
void world_stop(struct world *w);
struct charge *world_charge(const struct world *w, int k);

/* acts.c: the same that the model has just done. */
void world_act(struct world *w, const struct model_event *e);

/* same.c: sets w->different where the two differ. */
void world_differ(struct world *w, const char *what, int number, int64_t model, int64_t code);
void world_compare(struct world *w, const struct model_event *e);

/* step.c */
struct world *world_new(const struct model_rules *rules, uint64_t seed);
/* One event for both. 0: the model can't go there. */
int world_step(struct world *w, struct model_event e);
/* Nonzero when the two differ. */
int world_end(struct world *w, int *steps);

#endif
