/* A whole station in one process, for targets that look at what a command or a platform's call does in it: the real rooms from the
 * store to the page, with a real configuration, below a folder of its own in TMPDIR. Not real are the chargers' line (its registers are a
 * table here, answered at once) and what passwords cost. Its ports are open on a loopback address of the process's own; nobody calls there.
 *
 * A target that uses it stands in fuzz_worlds of fuzz.mk. What an input does stays: world_settle brings the chargers and the charges back,
 * the rest goes with the world, which is made anew now and then. So a finding may depend on the inputs before it: the same file alone
 * may pass; the run's log has the seed, and -seed=N -runs=N on the same corpus shows it again. */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "admin/inside.h"
#include "config/config.h"
#include "control/control.h"
#include "control/guard.h"
#include "loop/loop.h"
#include "main/reload_command.h"
#include "main/services.h"
#include "upstream/platform_set.h"
#include "upstream/server.h"

/* Sixteen characters: all secrets of all platforms. */
#define WORLD_SECRET "Zx81qq7Wm4Tt0Kp2"

enum { WORLD_REGISTERS = 512, WORLD_UNITS = 2, WORLD_INPUTS = 4000 };

struct world {
	char folder[200];
	int inputs;
	struct config *config;
	struct script_host host;
	struct services services;
	struct loop *loop;
	struct reload *reload;
	struct reload_commands commands;
	struct store *store;
	struct station_set *stations;
	struct sampler *sampler;
	struct bus *bus;
	struct device_set *devices;
	struct charge_set *charges;
	struct platform_set
	    *platforms; /* "city" calls us, "second" shares its path, "bare" has a mapping with bare calls */
	struct guard *guard;
	struct alarms *alarms;
	struct control *control;
	struct admin *admin;
};

/* The one there is; made at the first call and after every WORLD_INPUTS. Its chargers have just answered. */
struct world *world_get(void);
/* Register of unit 1 or 2: connector 1 has 0.., connector 2 has 100.. (core/sim/README.md). */
void world_set(unsigned unit, unsigned address, unsigned value);
unsigned world_register(unsigned unit, unsigned address);
/* Every read of the plan is answered, with what it finds. */
void world_poll(struct world *w);
/* The loop turns until nothing is owed, or some times. */
void world_turn(struct world *w, int times);
/* Nonzero when there is a piece of WORLD_SECRET in the input: libFuzzer learns it from comparisons, and then it may stand in answers that
 * say what was wrong with the input. */
int world_knows_secret(const uint8_t *data, size_t size);
/* No car anywhere, and no charge. */
void world_settle(struct world *w);

#endif
