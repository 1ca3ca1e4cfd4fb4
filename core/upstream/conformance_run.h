/* Conformance run: what its files share: conformance.c sends, conformance_trial.c charges, conformance_saw.c watches, conformance_report.c
 * judges. Nobody else
 * includes this. */
#ifndef FC_UPSTREAM_CONFORMANCE_RUN_H
#define FC_UPSTREAM_CONFORMANCE_RUN_H

#include "loop/loop.h"
#include "store/journal.h"
#include "upstream/conformance.h"
#include "upstream/platform_state.h"

enum { RUN_ITEMS = 64, RUN_FINDINGS = 6, RUN_TEXT = 200, RUN_STATUSES = 10, RUN_RESULT_MS = 60000 };

/* A message in one direction. */
struct run_item {
	const struct message *message;
	enum mapping_direction direction;
	int enabled;
	unsigned count, accepted;
	int64_t sum_us, max_us; /* of those that were answered */
	unsigned timed;
	int has_ret, ret;       /* of the last */
	char skipped[RUN_TEXT]; /* why it could not be sent; "" = nothing in the way */
	/* What is wrong with it, and what may be; each text once. */
	struct run_finding {
		int defect;
		unsigned times;
		char text[RUN_TEXT];
	} findings[RUN_FINDINGS];
	int finding_count;
};

/* What a platform must refuse. */
struct run_trap {
	int sent, refused;
	int status, has_ret, ret;
	char text[RUN_TEXT];
};

enum run_step {
	RUN_LOGIN,
	RUN_STATUS,
	RUN_INFO,
	RUN_STATS,
	RUN_CHECK_ORDERS,
	RUN_TRAP_SIG,
	RUN_TRAP_TOKEN,
	RUN_TRAP_DATA,
	RUN_TRAP_SECRET,
	RUN_TRIAL_START,
	RUN_TRIAL_CHARGE,
	RUN_TRIAL_STOP,
	RUN_TRIAL_ORDER,
	RUN_WAIT, /* for what only the platform can call */
	RUN_ENDED,
};
enum { RUN_TRAPS = 4 }; /* RUN_TRAP_SIG .. RUN_TRAP_SECRET */

struct conformance {
	struct platform_watcher watcher;
	struct platform *platform;
	struct loop_timer timer;
	enum run_step step;
	int64_t step_ms;     /* when the step began */
	int64_t deadline_ms; /* all in clock_mono_ms */
	int64_t began_wall, ended_wall;
	int at_deadline;       /* that is how it ended */
	int calling;           /* a call of ours is under way */
	int sent;              /* the step's call was made */
	struct run_trap *trap; /* whose call that is */
	int next;              /* connector whose status goes next */
	int seconds, trial_s;
	char connector[ORDER_ID], seq[JOURNAL_SEQ];
	int trial_runs;       /* it must be stopped */
	char trial[RUN_TEXT]; /* how it went, where it did not go well */
	int logged_in;
	int64_t token_life_ms;
	unsigned unsigned_answers, unreadable_answers, answers;
	struct run_item items[RUN_ITEMS];
	int item_count;
	struct run_trap traps[RUN_TRAPS];
};

/* A step is done, or wants to be asked again when no call of it is under way. */
enum went { WENT_ON, WENT_WAITING };
enum went run_trial_start(struct conformance *run);
/* Charges for its time, longer only until its state was told once. */
enum went run_trial_watch(struct conformance *run);
/* Also without one. */
void run_trial_stop(struct conformance *run);

const char *run_step_name(enum run_step step); /* "log-in" ... */
/* NULL: none of that kind. */
struct run_item *run_item(struct conformance *run, const struct message *message, enum mapping_direction direction);
/* Of what we send. */
struct run_item *run_sent_item(struct conformance *run, const char *method);
/* The watcher's. */
void run_saw(struct platform_watcher *watcher, const struct call *call, const char *why,
	     const struct platform_bodies *bodies);
/* Nonzero for what exists only with a charge. */
int run_needs_charge(const struct message *message);
/* Nonzero for public information, which has 3 s; business information has 1 s (protocol.md, average answer time). */
int run_is_icomm(const struct message *message);

#endif
