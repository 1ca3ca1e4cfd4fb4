/* What a run found, as verdicts: never better than what was seen. */
#include <stdio.h>
#include <string.h>

#include "upstream/conformance_run.h"

enum verdict { PASSED, FAILED, NOT_EXERCISED };
enum { ICOMM_MS = 3000, ISERV_MS = 1000, TOKEN_LIFE_MAX_S = 7 * 86400 };

struct report {
	const struct conformance *run;
	struct maker *m;
	struct value *checks;
	int passed, failed, missing;
};

static const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case PASSED:
		return "passed";
	case FAILED:
		return "failed";
	case NOT_EXERCISED:
		break;
	}
	return "not_exercised";
}

static void count_verdict(struct report *r, enum verdict verdict)
{
	switch (verdict) {
	case PASSED:
		r->passed++;
		break;
	case FAILED:
		r->failed++;
		break;
	case NOT_EXERCISED:
		r->missing++;
		break;
	}
}

static int limit_ms(const struct message *message)
{
	return run_is_icomm(message) ? ICOMM_MS : ISERV_MS;
}

/* Messages ------------------------------------------------------------------------------------------------------------ */

static const char *switched_off(const struct run_item *item)
{
	switch (item->message->set) {
	case MESSAGE_BASE:
		break;
	case MESSAGE_STATION_INFO:
		return "switched off (option push_station_info, or the mapping)";
	case MESSAGE_STATION_STATS:
		return "switched off (option push_stats, or the mapping)";
	case MESSAGE_ISERV:
		return "switched off (option iserv, or the mapping)";
	case MESSAGE_CITY:
		return "switched off (only where a mapping has it on)";
	}
	return "switched off (the mapping, or this direction has no keys)";
}

/* Why a message that is on was not seen. */
static const char *why_not(const struct conformance *run, const struct run_item *item)
{
	if (item->skipped[0])
		return item->skipped;
	if (item->direction == MAPPING_IN)
		return "the platform did not call it while the run lasted";
	if (run_needs_charge(item->message) && run->trial[0])
		return run->trial;
	if (run_needs_charge(item->message) && !run->connector[0])
		return "wants a charge: no connector was named for a trial charge";
	if (!strcmp(item->message->method, "query_user_auth"))
		return "wants a card or a car on site";
	return "was not sent before the run ended";
}

static int64_t mean_ms(const struct run_item *item)
{
	return item->timed ? item->sum_us / item->timed / 1000 : 0;
}

static int has_defect(const struct run_item *item)
{
	for (int i = 0; i < item->finding_count; i++)
		if (item->findings[i].defect)
			return 1;
	return 0;
}

static enum verdict judge_item(const struct run_item *item)
{
	if (!item->enabled || !item->count)
		return NOT_EXERCISED;
	int is_slow = item->timed && mean_ms(item) > limit_ms(item->message);
	return has_defect(item) || !item->accepted || is_slow ? FAILED : PASSED;
}

static void put_findings(struct report *r, struct value *o, const struct run_item *item)
{
	struct value *list = value_array(r->m->arena);

	for (int i = 0; i < item->finding_count; i++) {
		struct value *finding = value_object(r->m->arena);

		maker_text(r->m, finding, "level", item->findings[i].defect ? "defect" : "note");
		maker_text(r->m, finding, "text", item->findings[i].text);
		maker_int(r->m, finding, "times", item->findings[i].times);
		maker_push(r->m, list, finding);
	}
	if (item->timed && mean_ms(item) > limit_ms(item->message)) {
		struct value *finding = value_object(r->m->arena);
		char text[80];

		(void)snprintf(text, sizeof(text), "answered in %lld ms on the average, the limit is %d ms",
			       (long long)mean_ms(item), limit_ms(item->message));
		maker_text(r->m, finding, "level", "defect");
		maker_text(r->m, finding, "text", text);
		maker_push(r->m, list, finding);
	}
	maker_put(r->m, o, "findings", list);
}

static void put_item(struct report *r, struct value *list, const struct run_item *item)
{
	struct value *o = value_object(r->m->arena);
	enum verdict verdict = judge_item(item);

	maker_text(r->m, o, "method", item->message->method);
	maker_text(r->m, o, "caller", item->direction == MAPPING_OUT ? "station" : "platform");
	maker_text(r->m, o, "part", run_is_icomm(item->message) ? "icomm" : "iserv");
	maker_flag(r->m, o, "enabled", item->enabled);
	maker_text(r->m, o, "verdict", verdict_name(verdict));
	maker_int(r->m, o, "count", item->count);
	maker_int(r->m, o, "accepted", item->accepted);
	maker_int(r->m, o, "limit_ms", limit_ms(item->message));
	if (item->has_ret)
		maker_int(r->m, o, "ret", item->ret);
	if (item->timed) {
		maker_int(r->m, o, "mean_ms", mean_ms(item));
		maker_int(r->m, o, "max_ms", item->max_us / 1000);
	}
	if (!item->enabled)
		maker_text(r->m, o, "reason", switched_off(item));
	else if (!item->count && r->run->step == RUN_ENDED)
		maker_text(r->m, o, "reason", why_not(r->run, item));
	put_findings(r, o, item);
	maker_push(r->m, list, o);
	/* What the two sides have agreed not to use is no gap. */
	if (item->enabled)
		count_verdict(r, verdict);
}

/* Checks -------------------------------------------------------------------------------------------------------------- */

static void put_check(struct report *r, const char *check, enum verdict verdict, const char *text)
{
	struct value *o = value_object(r->m->arena);

	maker_text(r->m, o, "check", check);
	maker_text(r->m, o, "verdict", verdict_name(verdict));
	maker_optional(r->m, o, "text", text);
	maker_push(r->m, r->checks, o);
	count_verdict(r, verdict);
}

static void check_transport(struct report *r)
{
	const struct config_platform *o = r->run->platform->options;

	if (strncmp(o->url, "https://", 8) != 0)
		put_check(r, "tls", FAILED, "calls go out without TLS");
	else if (!o->verify)
		put_check(r, "tls", FAILED, "the platform's certificate is not verified (option verify)");
	else if (!r->run->answers)
		put_check(r, "tls", NOT_EXERCISED, "no answer came");
	else
		put_check(r, "tls", PASSED,
			  o->certificate[0] ? "verified; our client certificate is offered" : "verified");
}

static void check_token(struct report *r)
{
	const struct conformance *run = r->run;
	char text[RUN_TEXT];

	if (run->step != RUN_ENDED || run->token_life_ms < 0) {
		put_check(r, "token", run->step == RUN_ENDED && !run->logged_in ? FAILED : NOT_EXERCISED,
			  run->step == RUN_ENDED ? "no token is held at the end" : "");
		return;
	}
	(void)snprintf(text, sizeof(text), "held, for another %lld s", (long long)run->token_life_ms / 1000);
	put_check(r, "token", run->token_life_ms / 1000 <= TOKEN_LIFE_MAX_S ? PASSED : FAILED, text);
}

static void check_answers(struct report *r)
{
	const struct conformance *run = r->run;
	char text[RUN_TEXT];

	(void)snprintf(text, sizeof(text), "%u of %u answers", run->answers - run->unsigned_answers, run->answers);
	put_check(r, "answers_signed", !run->answers ? NOT_EXERCISED : run->unsigned_answers ? FAILED : PASSED, text);
	(void)snprintf(text, sizeof(text), "%u answers with Ret 0 without Data that can be read",
		       run->unreadable_answers);
	put_check(r, "answers_encrypted",
		  !run->answers             ? NOT_EXERCISED
		  : run->unreadable_answers ? FAILED
					    : PASSED,
		  run->unreadable_answers ? text : "");
}

/* protocol.md 1.8: which Ret each should have; another refusal is one all the same, and is told. */
static void check_trap(struct report *r, int index)
{
	static const struct {
		const char *check;
		int ret;
	} traps[RUN_TRAPS] = {{"refuses_wrong_signature", RET_SIGNATURE},
			      {"refuses_wrong_token", RET_TOKEN},
			      {"refuses_unreadable_data", RET_PARAMETER},
			      {"refuses_wrong_secret", RET_OK}};
	const struct run_trap *trap = &r->run->traps[index];
	char text[RUN_TEXT + 60];

	if (!trap->sent) {
		put_check(r, traps[index].check, NOT_EXERCISED, trap->text);
		return;
	}
	if (!trap->has_ret)
		(void)snprintf(text, sizeof(text), "%s", trap->text);
	else if (trap->refused && trap->ret != traps[index].ret)
		(void)snprintf(text, sizeof(text), "Ret %d; the standard says %d", trap->ret, traps[index].ret);
	else
		(void)snprintf(text, sizeof(text), "Ret %d%s%s", trap->ret, trap->text[0] ? ", " : "", trap->text);
	put_check(r, traps[index].check, trap->refused ? PASSED : FAILED, text);
}

/* Their calls to us: that some came through says that token, signature and encryption of theirs are right. */
static void check_their_calls(struct report *r)
{
	unsigned count = 0, accepted = 0;
	char text[RUN_TEXT];

	for (int i = 0; i < r->run->item_count; i++)
		if (r->run->items[i].direction == MAPPING_IN) {
			count += r->run->items[i].count;
			accepted += r->run->items[i].accepted;
		}
	(void)snprintf(text, sizeof(text), "%u of %u calls", accepted, count);
	put_check(r, "their_calls_proven", !count ? NOT_EXERCISED : accepted ? PASSED : FAILED, text);
}

static void check_average(struct report *r, const char *check, enum mapping_direction direction, int is_icomm)
{
	int64_t sum_us = 0;
	unsigned n = 0;
	char text[RUN_TEXT];
	int limit = is_icomm ? ICOMM_MS : ISERV_MS;

	for (int i = 0; i < r->run->item_count; i++) {
		const struct run_item *item = &r->run->items[i];

		if (item->direction != direction || run_is_icomm(item->message) != is_icomm)
			continue;
		sum_us += item->sum_us;
		n += item->timed;
	}
	if (!n) {
		put_check(r, check, NOT_EXERCISED, "");
		return;
	}
	(void)snprintf(text, sizeof(text), "%lld ms over %u answers, the limit is %d ms",
		       (long long)(sum_us / n / 1000), n, limit);
	put_check(r, check, sum_us / n / 1000 <= limit ? PASSED : FAILED, text);
}

static void put_checks(struct report *r)
{
	check_transport(r);
	check_token(r);
	check_answers(r);
	for (int i = 0; i < RUN_TRAPS; i++)
		check_trap(r, i);
	check_their_calls(r);
	check_average(r, "platform_average_icomm", MAPPING_OUT, 1);
	check_average(r, "platform_average_iserv", MAPPING_OUT, 0);
	check_average(r, "station_average_icomm", MAPPING_IN, 1);
	check_average(r, "station_average_iserv", MAPPING_IN, 0);
}

/* The whole ----------------------------------------------------------------------------------------------------------- */

static void put_stations(struct report *r, struct value *root)
{
	const struct icomm view = platform_view(r->run->platform);
	const struct config *config = station_set_config(view.stations);
	struct value *list = value_array(r->m->arena);

	for (int i = 0; config && i < config->station_count; i++) {
		struct value *o = value_object(r->m->arena);

		if (!icomm_sees(&view, i))
			continue;
		maker_text(r->m, o, "name", config->stations[i].station_name);
		maker_text(r->m, o, "station_id", config->stations[i].station_id);
		maker_push(r->m, list, o);
	}
	maker_put(r->m, root, "stations", list);
}

static void put_times(struct report *r, struct value *root)
{
	const struct conformance *run = r->run;

	maker_int(r->m, root, "began_at", run->began_wall);
	maker_int(r->m, root, "seconds", run->seconds);
	if (run->step != RUN_ENDED)
		return;
	maker_int(r->m, root, "ended_at", run->ended_wall);
	maker_text(r->m, root, "ended", run->at_deadline ? "deadline" : "complete");
}

static void put_totals(struct report *r, struct value *root)
{
	struct value *o = value_object(r->m->arena);

	maker_int(r->m, o, "passed", r->passed);
	maker_int(r->m, o, "failed", r->failed);
	maker_int(r->m, o, "not_exercised", r->missing);
	maker_put(r->m, root, "totals", o);
	if (r->run->step != RUN_ENDED)
		return;
	maker_text(r->m, root, "verdict", r->failed ? "failed" : r->missing ? "incomplete" : "passed");
}

void conformance_report(const struct conformance *run, struct maker *m, struct value *root)
{
	const struct platform *p = run->platform;
	struct report r = {.run = run, .m = m, .checks = value_array(m->arena)};
	struct value *messages = value_array(m->arena);

	maker_text(m, root, "platform", p->options->name);
	maker_text(m, root, "state", run->step == RUN_ENDED ? "ended" : "running");
	maker_text(m, root, "step", run_step_name(run->step));
	put_times(&r, root);
	maker_text(m, root, "operator_id", p->config->gateway.operator_id);
	maker_text(m, root, "platform_id", p->options->operator_id);
	if (p->mapping) {
		maker_text(m, root, "mapping", mapping_name(p->mapping));
		maker_text(m, root, "mapping_hash", mapping_hash(p->mapping));
	}
	put_stations(&r, root);
	maker_optional(m, root, "connector", run->connector);
	maker_optional(m, root, "trial_seq", run->seq);
	maker_optional(m, root, "trial", run->trial);
	for (int i = 0; i < run->item_count; i++)
		put_item(&r, messages, &run->items[i]);
	put_checks(&r);
	maker_put(m, root, "messages", messages);
	maker_put(m, root, "checks", r.checks);
	put_totals(&r, root);
}
