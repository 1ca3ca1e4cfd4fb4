/* Admin: the page for remote operation, and the same for programs, over HTTPS: log-in, every command of core/control, the page's files,
 * metrics, health. The README has the routes. Who may what is the guard's (control/guard.h) and the command's.
 *
 * A browser has a session: a cookie that only this page's own requests carry (HttpOnly, Secure with TLS, SameSite=Strict) and a token
 * against foreign pages on each POST. A program has a token of its own: "Authorization: Bearer fc_...". */
#ifndef FC_ADMIN_ADMIN_H
#define FC_ADMIN_ADMIN_H

#include <stdio.h>

#include "base/error.h"
#include "base/value.h"
#include "charge/charge.h"
#include "config/config.h"
#include "control/control.h"
#include "control/guard.h"
#include "device/device.h"
#include "loop/loop.h"
#include "station/station.h"
#include "store/store.h"
#include "upstream/platform.h"

struct admin;

/* All borrowed. */
struct admin_sources {
	const char *version;
	int64_t started_us;
	struct loop *loop;
	struct store *store;
	struct control *control;
	struct guard *guard;
	/* For the metrics. */
	const struct script_host *host;
	struct device_set *devices;
	struct station_set *stations;
	struct charge_set *charges;
	struct platform_set *platforms;
	const struct alarms *alarms;
};

/* With admin off in config it gives an admin that listens nowhere. The guard takes the configuration over with it. */
struct admin *admin_new(const struct admin_sources *sources, const struct config *config, struct error *err);
/* Takes a changed configuration over; on failure the running page stays. */
int admin_apply(struct admin *admin, const struct config *config, struct error *err);
/* Before the control room ends. */
void admin_free(struct admin *admin);
/* The API as OpenAPI 3.1, JSON. */
void admin_describe(FILE *to);

#endif
