#include "upstream/conformance.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/client.h"
#include "upstream/conformance_run.h"
#include "upstream/iserv.h"
#include "upstream/peer.h"

enum { TICK_US = 100000, PATIENCE_MS = 5000, LOGIN_MS = 20000 };

const char *run_step_name(enum run_step step)
{
	static const char *const names[] = {"log-in",
					    "statuses",
					    "station data",
					    "statistics",
					    "comparison of orders",
					    "wrong signature",
					    "wrong token",
					    "unreadable data",
					    "wrong secret",
					    "trial charge starts",
					    "trial charge",
					    "trial charge stops",
					    "trial charge's order",
					    "waits for the platform",
					    "ended"};

	return (size_t)step < sizeof(names) / sizeof(names[0]) ? names[step] : "unknown";
}

static struct peer *peer_of(const struct conformance *run)
{
	return run->platform->client ? client_peer(run->platform->client) : NULL;
}

static int is_enabled(const struct conformance *run, const struct message *message)
{
	return mapping_enabled(run->platform->mapping, message, run->platform->options);
}

/* What could not be sent has its reason in the report, and the run goes on. */
static enum went not_sent(struct conformance *run, struct run_item *item, const char *why)
{
	if (clock_mono_ms() - run->step_ms < PATIENCE_MS)
		return WENT_WAITING;
	if (item && !item->skipped[0])
		(void)snprintf(item->skipped, sizeof(item->skipped), "%.*s", RUN_TEXT - 1, why);
	return WENT_ON;
}

/* Plain calls --------------------------------------------------------------------------------------------------------- */

static void called(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct conformance *run = user;

	(void)outcome;
	(void)answer;
	run->calling = 0;
}

/* request NULL: no memory. One call a step; for a peer that is not ready there is some patience. */
static enum went call_platform(struct conformance *run, const char *method, struct value *request, struct arena *arena)
{
	struct error err = {0};

	if (run->sent)
		return WENT_ON;
	if (!request)
		return not_sent(run, run_sent_item(run, method), "no memory");
	if (peer_call(peer_of(run), message_find(method), request, arena, called, run, &err))
		return not_sent(run, run_sent_item(run, method), err.text);
	run->calling = run->sent = 1;
	return WENT_WAITING;
}

static enum went log_in(struct conformance *run)
{
	struct run_item *item = run_sent_item(run, "query_token");
	int result;

	if (!item || !item->enabled || item->count)
		return WENT_ON;
	result = peer_login(peer_of(run));
	if (result == FC_EINVAL) {
		(void)snprintf(item->skipped, sizeof(item->skipped), "another platform section holds the token");
		return WENT_ON;
	}
	/* Its end is seen by run_saw. */
	if (clock_mono_ms() - run->step_ms < LOGIN_MS)
		return WENT_WAITING;
	(void)snprintf(item->skipped, sizeof(item->skipped), "the log-in could not be sent, or did not end");
	return WENT_ON;
}

static enum went push_statuses(struct conformance *run)
{
	const struct platform *p = run->platform;
	const struct icomm view = platform_view(p);
	enum went went;
	struct arena arena;

	while (run->next < station_connector_count(p->stations) &&
	       icomm_station(&view, station_connector_at(p->stations, run->next)->station->station_id) < 0)
		run->next++;
	if (run->next >= station_connector_count(p->stations) || run->next >= RUN_STATUSES)
		return WENT_ON;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	run->sent = 0;
	went = call_platform(run, "notification_stationStatus",
			     icomm_push_status(station_connector_at(p->stations, run->next), &arena), &arena);
	arena_fini(&arena);
	run->next += run->calling;
	return went;
}

static int first_station(const struct icomm *view)
{
	const struct config *config = station_set_config(view->stations);

	for (int i = 0; config && i < config->station_count; i++)
		if (icomm_sees(view, i))
			return i;
	return -1;
}

static enum went push_station(struct conformance *run, const char *method, int of_statistics)
{
	const struct icomm view = platform_view(run->platform);
	int station = first_station(&view);
	struct arena arena;

	if (!is_enabled(run, message_find(method)) || station < 0)
		return WENT_ON;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct value *request = of_statistics ? icomm_push_stats(&view, station, clock_day(clock_wall()) - 1, &arena)
					      : icomm_push_info(&view, station, &arena);
	enum went went = call_platform(run, method, request, &arena);
	arena_fini(&arena);
	return went;
}

/* Of no orders, in one second of today: nobody can have any to dispute but one that was made in just that second. */
static struct value *build_check(const struct conformance *run, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);
	char compact[CLOCK_COMPACT_SIZE], seq[JOURNAL_SEQ], at[CLOCK_DATETIME_SIZE];

	clock_format_compact(run->began_wall, compact);
	clock_format_datetime(run->began_wall, at);
	(void)snprintf(seq, sizeof(seq), "%.9s%s9999", run->platform->config->gateway.operator_id, compact);
	maker_text(&m, v, "CheckOrderSeq", seq);
	maker_text(&m, v, "StartTime", at);
	maker_text(&m, v, "EndTime", at);
	maker_int(&m, v, "OrderCount", 0);
	maker_decimal(&m, v, "TotalOrderPower", 0, 4);
	maker_decimal(&m, v, "TotalOrderMoney", 0, 2);
	maker_put(&m, v, "ChargeOrders", value_array(arena));
	return m.failed ? NULL : v;
}

static enum went check_orders(struct conformance *run)
{
	static const char method[] = "check_charge_orders";
	struct arena arena;

	if (!is_enabled(run, message_find(method)) || !run->platform->charges)
		return WENT_ON;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	enum went went = call_platform(run, method, build_check(run, &arena), &arena);
	arena_fini(&arena);
	return went;
}

/* Traps --------------------------------------------------------------------------------------------------------------- */

/* Ret and status were seen by run_saw. */
static void trapped(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct conformance *run = user;
	struct run_trap *trap = run->trap;
	int64_t stat = 0;

	run->calling = 0;
	/* A platform that was not reached has refused nothing. */
	trap->sent = trap->status != 0;
	/* A log-in is refused in its answer. */
	int said_no = answer && !value_to_int(value_get(answer, "SuccStat"), &stat) && stat;
	trap->refused =
	    outcome == PEER_REFUSED || outcome == PEER_TOKEN || said_no || (outcome == PEER_BUSY && trap->has_ret);
	if (said_no)
		(void)snprintf(trap->text, sizeof(trap->text), "SuccStat %lld", (long long)stat);
}

static struct value *build_trap(const struct conformance *run, struct arena *arena)
{
	const struct icomm view = platform_view(run->platform);
	const struct station_set *stations = run->platform->stations;

	if (run->step == RUN_TRAP_SECRET)
		return token_request(arena, run->platform->config->gateway.operator_id, "a-secret-that-is-not-the-one");
	/* The status of now: should it be taken after all, no harm is done. */
	for (int i = 0; i < station_connector_count(stations); i++) {
		const struct connector *c = station_connector_at(stations, i);

		if (icomm_station(&view, c->station->station_id) >= 0)
			return icomm_push_status(c, arena);
	}
	return NULL;
}

static enum went set_trap(struct conformance *run)
{
	static const enum peer_flaw flaws[RUN_TRAPS] = {PEER_FLAW_SIG, PEER_FLAW_TOKEN, PEER_FLAW_DATA,
							PEER_FLAW_SECRET};
	struct run_trap *trap = &run->traps[run->step - RUN_TRAP_SIG];
	const struct message *message =
	    message_find(run->step == RUN_TRAP_SECRET ? "query_token" : "notification_stationStatus");
	struct error err = {0};
	struct arena arena;

	if (run->sent)
		return WENT_ON;
	if (!is_enabled(run, message) || mapping_plain(run->platform->mapping, message)) {
		(void)snprintf(trap->text, sizeof(trap->text), "%s has no envelope, or is switched off",
			       message->method);
		return WENT_ON;
	}
	if (run->platform->hub != run->platform && run->step != RUN_TRAP_DATA && run->step != RUN_TRAP_SIG) {
		(void)snprintf(trap->text, sizeof(trap->text), "another platform section holds the token");
		return WENT_ON;
	}
	run->trap = trap;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct value *request = build_trap(run, &arena);
	int result = request ? peer_call_flawed(peer_of(run), flaws[run->step - RUN_TRAP_SIG], message, request, &arena,
						trapped, run, &err)
			     : error_set(&err, FC_ENOENT, "the platform sees no connector");
	arena_fini(&arena);
	if (!result)
		run->calling = run->sent = 1;
	if (!result || clock_mono_ms() - run->step_ms < PATIENCE_MS)
		return WENT_WAITING;
	(void)snprintf(trap->text, sizeof(trap->text), "%.*s", RUN_TEXT - 1, err.text);
	return WENT_ON;
}

/* Waiting ------------------------------------------------------------------------------------------------------------- */

static enum went await_order(const struct conformance *run, struct run_item *order)
{
	if (!run->seq[0] || !order || !order->enabled || order->count)
		return WENT_ON;
	return clock_mono_ms() - run->step_ms < RUN_RESULT_MS ? WENT_WAITING : WENT_ON;
}

/* The run ------------------------------------------------------------------------------------------------------------- */

int run_needs_charge(const struct message *message)
{
	static const char *const methods[] = {
	    "query_start_charge",
	    "query_stop_charge",
	    "query_equip_charge_status",
	    "notification_start_charge_result",
	    "notification_stop_charge_result",
	    "notification_equip_charge_status",
	    "notification_charge_order_info",
	    "notification_charge_order_info_for_bonus",
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (!strcmp(methods[i], message->method))
			return 1;
	return 0;
}

/* Everything that only the platform can call was called; what wants a charge may not come at all. */
static enum went await_platform(const struct conformance *run)
{
	for (int i = 0; i < run->item_count; i++) {
		const struct run_item *item = &run->items[i];

		if (item->direction == MAPPING_IN && item->enabled && !item->count && !run_needs_charge(item->message))
			return WENT_WAITING;
	}
	return WENT_ON;
}

static enum went take_step(struct conformance *run)
{
	switch (run->step) {
	case RUN_LOGIN:
		return log_in(run);
	case RUN_STATUS:
		return push_statuses(run);
	case RUN_INFO:
		return push_station(run, "notification_stationInfo", 0);
	case RUN_STATS:
		return push_station(run, "notification_station_stats", 1);
	case RUN_CHECK_ORDERS:
		return check_orders(run);
	case RUN_TRAP_SIG:
	case RUN_TRAP_TOKEN:
	case RUN_TRAP_DATA:
	case RUN_TRAP_SECRET:
		return set_trap(run);
	case RUN_TRIAL_START:
		return run_trial_start(run);
	case RUN_TRIAL_CHARGE:
		return run_trial_watch(run);
	case RUN_TRIAL_STOP:
		run_trial_stop(run);
		return WENT_ON;
	case RUN_TRIAL_ORDER:
		return await_order(run, run_sent_item(run, "notification_charge_order_info"));
	case RUN_WAIT:
		return await_platform(run);
	case RUN_ENDED:
		break;
	}
	return WENT_WAITING;
}

static void end_run(struct conformance *run, int at_deadline)
{
	run_trial_stop(run);
	run->token_life_ms = peer_of(run) ? peer_token_life_ms(peer_of(run)) : -1;
	run->step = RUN_ENDED;
	run->ended_wall = clock_wall();
	run->at_deadline = at_deadline;
	log_notice("upstream: %s: conformance: the run has ended%s", run->platform->options->name,
		   at_deadline ? " at its deadline" : "");
}

static void next_step(struct conformance *run)
{
	run->step++;
	run->sent = 0;
	run->step_ms = clock_mono_ms();
	if (run->step == RUN_ENDED)
		end_run(run, 0);
}

static void on_tick(void *user)
{
	struct conformance *run = user;

	if (run->step == RUN_ENDED)
		return;
	if (clock_mono_ms() >= run->deadline_ms || !peer_of(run))
		end_run(run, 1);
	else if (!run->calling && take_step(run) == WENT_ON)
		next_step(run);
	if (run->step != RUN_ENDED && loop_timer_set(run->platform->loop, &run->timer, TICK_US))
		end_run(run, 1);
}

static void add_item(struct conformance *run, const struct message *message, enum mapping_direction direction)
{
	const struct config_platform *options = run->platform->options;
	/* Requests that are fetched (pull.h) come in without a port. */
	int is_asked = platform_can_answer(options) || options->pull_s > 0;
	int is_possible = direction == MAPPING_OUT ? platform_can_push(options) : is_asked;

	if (run->item_count == RUN_ITEMS)
		return;
	run->items[run->item_count++] = (struct run_item){
	    .message = message, .direction = direction, .enabled = is_possible && is_enabled(run, message)};
}

static void add_items(struct conformance *run)
{
	const struct message *message;

	for (int i = 0; (message = message_at(i)); i++) {
		if (message->caller != MESSAGE_WE_ANSWER)
			add_item(run, message, MAPPING_OUT);
		if (message->caller != MESSAGE_WE_CALL)
			add_item(run, message, MAPPING_IN);
	}
}

static int may_charge(const struct platform *p, const char *connector, struct error *err)
{
	const struct icomm view = platform_view(p);
	const struct connector *c = station_connector_find(p->stations, connector);

	if (!c || icomm_station(&view, c->station->station_id) < 0)
		return error_set(err, FC_ENOENT, "%.40s: there is no such connector for this platform", connector);
	if (!p->charges || !p->options->iserv)
		return error_set(err, FC_EINVAL, "%s: no charges go there (option iserv)", p->options->name);
	if (c->status != CONNECTOR_OCCUPIED)
		return error_set(err, FC_EBUSY, "%.40s: a trial charge wants a car that is plugged in and not charging",
				 connector);
	return FC_OK;
}

/* A trial charge under way is stopped. */
static void free_run(struct platform_watcher *watcher)
{
	struct conformance *run = (struct conformance *)(void *)watcher;

	loop_timer_cancel(run->platform->loop, &run->timer);
	run_trial_stop(run);
	free(run);
}

int conformance_start(struct platform *p, const struct conformance_order *order, struct error *err)
{
	struct conformance *run = p->conformance;

	if (!p->client)
		return error_set(err, FC_EINVAL, "%s is not called: it has no address or no keys", p->options->name);
	if (run && (run->step != RUN_ENDED || run->calling))
		return error_set(err, FC_EBUSY, "a conformance run with %s is under way", p->options->name);
	int result = order->connector ? may_charge(p, order->connector, err) : FC_OK;
	if (result)
		return result;
	if (!run)
		run = calloc(1, sizeof(*run));
	if (!run)
		return error_set(err, FC_ENOMEM, "no memory");
	/* That of the run before. */
	loop_timer_cancel(p->loop, &run->timer);
	*run = (struct conformance){.watcher = {run_saw, free_run}, .platform = p, .token_life_ms = -1};
	run->timer = (struct loop_timer){.fn = on_tick, .user = run};
	run->seconds = order->seconds;
	run->trial_s = order->trial_s;
	run->step_ms = clock_mono_ms();
	run->deadline_ms = run->step_ms + (int64_t)order->seconds * 1000;
	run->began_wall = clock_wall();
	if (order->connector)
		(void)snprintf(run->connector, sizeof(run->connector), "%s", order->connector);
	add_items(run);
	p->conformance = run;
	p->watcher = &run->watcher;
	if (loop_timer_set(p->loop, &run->timer, TICK_US)) {
		run->step = RUN_ENDED;
		return error_set(err, FC_ENOMEM, "no memory for a timer");
	}
	log_notice("upstream: %s: conformance: a run of at most %d s begins", p->options->name, order->seconds);
	return FC_OK;
}
