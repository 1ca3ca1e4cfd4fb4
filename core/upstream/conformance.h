/* Conformance: a run over every message of the protocol with one platform's test system, for a report to hand in. It sends what we can
 * send by ourselves, sends some calls wrong on purpose (a platform must refuse them), watches what passes in both directions while
 * it lasts, holds each answer against its schema to the letter, and says of each message: passed, failed, or not exercised and why.
 *
 * Nothing of real operation is held up: its calls pass, and count. Messages of a charge are exercised only with a connector for a trial
 * charge, which the run starts in the platform's name and stops by itself: its order is a real one, and is told. At the deadline the
 * run ends, whatever is missing. The report lives as long as the platform's section is not changed, and no later run begins. */
#ifndef FC_UPSTREAM_CONFORMANCE_H
#define FC_UPSTREAM_CONFORMANCE_H

#include "base/error.h"
#include "base/maker.h"
#include "upstream/calls.h"

struct platform;
struct conformance;

enum {
	CONFORMANCE_SECONDS_MIN = 5,
	CONFORMANCE_SECONDS_MAX = 3600,
	CONFORMANCE_SECONDS = 120,
	CONFORMANCE_TRIAL_S = 30
};

struct conformance_order {
	const char *connector; /* for a trial charge; NULL = none. A car must be plugged in */
	int seconds;           /* until the run ends at the latest */
	int trial_s;           /* how long the trial charge lasts */
};

/* FC_OK: the run has begun. FC_EBUSY: one is under way, or the connector is not ready; FC_ENOENT: no such connector for this platform;
 * FC_EINVAL: the platform is not called. */
int conformance_start(struct platform *platform, const struct conformance_order *order, struct error *err);
/* The report as it is now: see core/control/README.md. */
void conformance_report(const struct conformance *run, struct maker *m, struct value *root);

#endif
