/* Platform: one upstream, its own world: own keys, tokens, mapping, queues, limits (DESIGN.md rule 7). A failing
 * platform holds up no other.
 *
 * The room's files: envelope (AES, HMAC), token, message (schema tables), codec (schema + mapping), icomm (building
 * and answering), client (what we push), server (what we answer), platform (the set). */
#ifndef FC_UPSTREAM_PLATFORM_H
#define FC_UPSTREAM_PLATFORM_H

#include <stdint.h>

#include "base/error.h"
#include "charge/charge.h"
#include "config/config.h"
#include "loop/loop.h"
#include "script/host.h"
#include "script/sources.h"
#include "station/station.h"
#include "store/checks.h"
#include "upstream/calls.h"
#include "upstream/conformance.h"
#include "upstream/record.h"
#include "upstream/repeat.h"

struct platform_set;

struct platform_stats {
	const char *name;
	int linked;              /* a token is held and the last call went through */
	char last_error[160];    /* "" when none since the last success */
	const char *error_key;   /* its kind, for who puts it into another language: "platform.name" ..., */
	const char *error_words; /* and what that means; both "not connected" when there is no error */
	int64_t since_wall;      /* since when calls go through, or don't; 0: there was none yet */
	int64_t last_error_wall;
	uint64_t status_pushed, status_accepted, status_discarded, push_failed, push_superseded;
	uint64_t info_pushed, stats_pushed;
	uint64_t answered, refused;             /* their calls: Ret 0, other Ret */
	uint32_t answer_mean_us, answer_p99_us; /* of answered, whole handler */
	uint32_t waiting;                       /* pushes not yet confirmed */
	char mapping[64];
	char mapping_hash[65];
};

struct platform_set *platform_set_new(struct loop *loop, struct station_set *stations, const struct script_host *host,
				      struct error *err);
void platform_set_free(struct platform_set *set);
/* Brings platforms and listening ports in step; unchanged ones keep tokens, connections and queues. Mappings are loaded
 * and checked before anything is touched; on failure nothing changed. config must outlive the next apply. */
int platform_set_apply(struct platform_set *set, const struct config *config, struct error *err);
/* Takes the mappings again; one that is not to be had leaves its running version in force and is logged with file:line. Returns
 * how many were replaced, or the negative code of the last failure. */
int platform_set_reload_mappings(struct platform_set *set, struct error *err);
/* What the platforms' mappings in force were made of, one by one (index 0..); NULL past the end. Valid until the next apply. */
struct sources *platform_set_sources(const struct platform_set *set, int index);
/* From the next apply on: platforms with option iserv start and stop charges of this set, and get their orders from the store's
 * outbox. Both are borrowed. */
void platform_set_serve(struct platform_set *set, struct charge_set *charges, struct store *store);
/* The charge room's hooks belong here (charge.h). */
void platform_set_charge(struct platform_set *set, const struct charge_event *event);
int platform_set_authorise(struct platform_set *set, const struct charge_wish *wish);
int platform_set_recipients(struct platform_set *set, const struct order *order, const struct connector *connector,
			    struct journal_recipient *list, int most);
/* check NULL and why: it could not be done. Both live during the call. */
typedef void (*platform_checked)(void *user, const struct check *check, const char *why);
/* Compares the orders of a day (clock_day) with a platform now; the differences are in the store (checks.h). done comes once,
 * later, unless this fails: FC_ENOENT (there is no such platform, or it is not called), FC_EBUSY, FC_EINVAL. */
int platform_set_reconcile(struct platform_set *set, const char *platform, int32_t day, platform_checked done,
			   void *user, struct error *err);
/* There is an order for this platform again: it is sent now, whatever pause an earlier failure has asked for. FC_ENOENT when no
 * such platform is pushed to now; then it waits in the outbox. */
int platform_set_order_again(struct platform_set *set, const char *name);
/* What passed the mappings lately; NULL when nothing is recorded (option record_kb 0). */
const struct recorder *platform_set_recorder(const struct platform_set *set);
/* The calls that went with them; NULL as well. */
const struct calls *platform_set_calls(const struct platform_set *set);
/* As repeat_call, on the platform of that call; FC_ENOENT: there is none now. */
int platform_set_repeat(struct platform_set *set, const struct call *call, const char *body, size_t len,
			repeat_done done, void *user, struct error *err);
/* Whoever gave that user is not there any more. */
void platform_set_forget_repeat(struct platform_set *set, const void *user);
/* As conformance_start. */
int platform_set_conformance(struct platform_set *set, const char *platform, const struct conformance_order *order,
			     struct error *err);
/* The last run of a platform, or the one under way; NULL: none since its life began. */
const struct conformance *platform_set_conformance_of(const struct platform_set *set, const char *platform);
int platform_count(const struct platform_set *set);
int platform_get_stats(const struct platform_set *set, int index, struct platform_stats *stats);
/* The port a listen section is bound to (tests use 0 = any), or -1. */
int platform_listen_port(const struct platform_set *set, const char *listen);

#endif
