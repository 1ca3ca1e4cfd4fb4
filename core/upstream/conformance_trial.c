/* The trial charge of a conformance run: a real one, begun where the order says, and ended whatever happens to the run. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/conformance_run.h"

enum went run_trial_start(struct conformance *run)
{
	const struct charge_request request = {
	    .seq = "",
	    .connector_id = run->connector,
	    .platform = run->platform->options->name,
	    .user_class = "",
	    .user = "",
	    .mode = ORDER_BY_PLATFORM,
	    .result_s = (int)mapping_timing(run->platform->mapping, TIMING_START_RESULT_S, -1),
	};
	struct charge_answer answer = {0};

	if (!run->connector[0])
		return WENT_ON;
	charge_start(run->platform->charges, &request, &answer);
	if (answer.refusal) {
		(void)snprintf(run->trial, sizeof(run->trial), "the trial charge was refused: %s",
			       charge_refusal_text(answer.refusal));
		return WENT_ON;
	}
	(void)snprintf(run->seq, sizeof(run->seq), "%s", answer.seq);
	run->trial_runs = 1;
	log_notice("upstream: %s: conformance: trial charge %s at %s", run->platform->options->name, run->seq,
		   run->connector);
	return WENT_ON;
}

void run_trial_stop(struct conformance *run)
{
	const struct charge_stop_request request = {
	    .seq = run->seq,
	    .connector_id = run->connector,
	    .reason = SESSION_BY_PLATFORM,
	    .result_s = (int)mapping_timing(run->platform->mapping, TIMING_STOP_RESULT_S, -1),
	};
	struct charge_answer answer = {0};

	if (!run->trial_runs)
		return;
	run->trial_runs = 0;
	charge_stop(run->platform->charges, &request, &answer);
	if (answer.refusal && answer.refusal != CHARGE_STOPPED_ALREADY) {
		(void)snprintf(run->trial, sizeof(run->trial), "the trial charge could not be stopped: %s",
			       charge_refusal_text(answer.refusal));
		log_error("upstream: %s: conformance: trial charge %s at %s could not be stopped: %s",
			  run->platform->options->name, run->seq, run->connector, charge_refusal_text(answer.refusal));
	}
}

static void look_at_state(void *user, const struct order *order, enum session_state state,
			  const struct connector *connector)
{
	(void)order;
	(void)connector;
	*(enum session_state *)user = state;
}

static enum session_state trial_state(const struct conformance *run)
{
	enum session_state state = SESSION_ENDED;

	(void)charge_find(run->platform->charges, run->seq, look_at_state, &state);
	return state;
}

/* Charges for its time, longer only until its state was told once. */
enum went run_trial_watch(struct conformance *run)
{
	const struct run_item *status = run_sent_item(run, "notification_equip_charge_status");
	int64_t passed = clock_mono_ms() - run->step_ms;

	if (!run->trial_runs)
		return WENT_ON;
	enum session_state state = trial_state(run);
	if (state == SESSION_ENDED || state == SESSION_IDLE) {
		(void)snprintf(run->trial, sizeof(run->trial), "the trial charge ended by itself");
		run->trial_runs = 0;
		return WENT_ON;
	}
	if (state == SESSION_STARTING && passed < RUN_RESULT_MS)
		return WENT_WAITING;
	if (passed < (int64_t)run->trial_s * 1000)
		return WENT_WAITING;
	int is_told = !status || !status->enabled || status->count;
	return is_told || passed > (int64_t)run->trial_s * 1000 + RUN_RESULT_MS ? WENT_ON : WENT_WAITING;
}
