/* What passes while a run lasts. */
#include <stdio.h>
#include <string.h>

#include "upstream/conformance_form.h"
#include "upstream/conformance_run.h"

struct run_item *run_item(struct conformance *run, const struct message *message, enum mapping_direction direction)
{
	for (int i = 0; i < run->item_count; i++)
		if (run->items[i].message == message && run->items[i].direction == direction)
			return &run->items[i];
	return NULL;
}

struct run_item *run_sent_item(struct conformance *run, const char *method)
{
	return run_item(run, message_find(method), MAPPING_OUT);
}

int run_is_icomm(const struct message *message)
{
	return message->set != MESSAGE_ISERV && message->set != MESSAGE_CITY;
}

static void add_finding(struct run_item *item, int defect, const char *text)
{
	for (int i = 0; i < item->finding_count; i++)
		if (!strncmp(item->findings[i].text, text, RUN_TEXT - 1)) {
			item->findings[i].times++;
			return;
		}
	int at = item->finding_count;
	/* A defect is worth more than a note. */
	if (at == RUN_FINDINGS && defect)
		for (at = 0; at < RUN_FINDINGS && item->findings[at].defect;)
			at++;
	if (at == RUN_FINDINGS)
		return;
	if (at == item->finding_count)
		item->finding_count++;
	item->findings[at].defect = defect;
	item->findings[at].times = 1;
	(void)snprintf(item->findings[at].text, RUN_TEXT, "%s", text);
}

struct finder {
	struct run_item *item;
	int all_notes; /* what we accept from them is none of our answers' defects */
};

static void found(void *user, int defect, const char *text)
{
	struct finder *f = user;

	add_finding(f->item, defect && !f->all_notes, text);
}

/* The verdict inside the answer: 0 is yes, whichever field carries it. */
static void judge_verdict(struct run_item *item, const struct value *answer)
{
	int64_t verdict = 0, reason = 0;
	char text[80];

	if (message_verdict(item->message, answer, &verdict) || !verdict)
		return;
	if (!value_to_int(value_get(answer, "FailReason"), &reason))
		(void)snprintf(text, sizeof(text), "the platform says no: %lld, FailReason %lld", (long long)verdict,
			       (long long)reason);
	else
		(void)snprintf(text, sizeof(text), "the platform says no: %lld", (long long)verdict);
	add_finding(item, 1, text);
}

static void judge_body(struct conformance *run, struct run_item *item, enum message_part part, const char *json,
		       size_t len)
{
	const struct platform *p = run->platform;
	const struct codec codec = platform_codec(p);
	struct finder finder = {item, item->direction == MAPPING_IN};
	struct value *tree = NULL, *mapped = NULL;
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	if (json_read(p->reader, json, len, &arena, &tree, NULL) || !value_is_object(tree)) {
		add_finding(item, 1, "Data: not a JSON object");
	} else {
		int failed = mapping_apply(codec.mapping, item->message, part, MAPPING_IN, tree, &codec.context, &arena,
					   &mapped, NULL);
		if (failed)
			add_finding(item, 0, "the mapping's function failed; judged as it came");
		else if (mapped != tree)
			add_finding(item, 0, "judged behind the mapping's function");
		(void)form_judge(message_schema(item->message, part), mapped, found, &finder);
		if (part == MESSAGE_ANSWER)
			judge_verdict(item, mapped);
	}
	arena_fini(&arena);
}

static void saw_answer(struct conformance *run, struct run_item *item, const struct call *call,
		       const struct platform_bodies *bodies)
{
	run->answers++;
	run->unsigned_answers += !bodies->sig_ok;
	if (!bodies->sig_ok)
		add_finding(item, 1, "the answer's Sig is missing or wrong");
	if (call->outcome != CALL_ACCEPTED)
		return;
	if (!bodies->answer) {
		run->unreadable_answers++;
		add_finding(item, 1, "Ret 0, and no Data that can be read");
		return;
	}
	judge_body(run, item, MESSAGE_ANSWER, bodies->answer, bodies->answer_len);
}

static void saw_end(struct run_item *item, const struct call *call, const char *why)
{
	char text[RUN_TEXT];

	if (call->outcome == CALL_ACCEPTED || call->outcome == CALL_HELD)
		item->accepted++;
	/* What we refuse is a note: their test may have sent it wrong on purpose. */
	else if (call->direction == MAPPING_IN) {
		(void)snprintf(text, sizeof(text), "refused: Ret %d: %s", call->ret, call->why);
		add_finding(item, 0, text);
	} else {
		(void)snprintf(text, sizeof(text), "%s: %s", call_outcome_name(call->outcome),
			       *call->why ? call->why
			       : why      ? "failed"
					  : "");
		add_finding(item, 1, text);
	}
}

static void saw_trap(struct run_trap *trap, const struct call *call)
{
	trap->status = call->status;
	trap->has_ret = call->has_ret;
	trap->ret = call->ret;
	(void)snprintf(trap->text, sizeof(trap->text), "%s", call->has_ret ? "" : call->why);
}

void run_saw(struct platform_watcher *watcher, const struct call *call, const char *why,
	     const struct platform_bodies *bodies)
{
	struct conformance *run = (struct conformance *)(void *)watcher;
	struct run_item *item;

	if (call->is_test && run->trap)
		saw_trap(run->trap, call);
	if (run->step == RUN_ENDED || call->is_test)
		return;
	item = run_item(run, call->message, call->direction);
	if (!item)
		return;
	item->count++;
	item->has_ret = call->has_ret;
	item->ret = call->ret;
	if (call->outcome != CALL_UNREACHED && call->outcome != CALL_HELD) {
		item->timed++;
		item->sum_us += call->duration_us;
		if (call->duration_us > item->max_us)
			item->max_us = call->duration_us;
	}
	saw_end(item, call, why);
	if (call->direction == MAPPING_OUT && call->has_ret)
		saw_answer(run, item, call, bodies);
	if (call->direction == MAPPING_IN && bodies->request)
		judge_body(run, item, MESSAGE_REQUEST, bodies->request, bodies->request_len);
	if (call->direction == MAPPING_OUT && call->message->caller == MESSAGE_BOTH)
		run->logged_in = call->outcome == CALL_ACCEPTED;
}
