#include "upstream/sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/maker.h"
#include "upstream/ret.h"

struct held {
	struct held *next;
	struct platform *platform;
	struct http_ticket *ticket;
	const struct message *message;
	int is_stop;
	char seq[JOURNAL_SEQ], connector_id[ORDER_ID];
	struct loop_timer timer;
};

static void take_out(struct held *held)
{
	struct held **at = &held->platform->held;

	while (*at != held)
		at = &(*at)->next;
	*at = held->next;
	loop_timer_cancel(held->platform->loop, &held->timer);
}

/* protocol.md 2.8 and 2.12: the same fields but for ConnectorID. */
static struct value *build(const struct held *held, int seq_stat, int reason, struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *v = value_object(arena);

	maker_text(&m, v, "StartChargeSeq", held->seq);
	maker_int(&m, v, "StartChargeSeqStat", seq_stat);
	if (!held->is_stop)
		maker_text(&m, v, "ConnectorID", held->connector_id);
	maker_int(&m, v, "SuccStat", reason != 0);
	maker_int(&m, v, "FailReason", reason);
	return m.failed ? NULL : v;
}

/* v NULL: Ret -1. Frees held. Nonzero when nobody was there any more. */
static int give(struct held *held, struct value *v, struct arena *arena)
{
	const struct platform *p = held->platform;
	const struct codec codec = platform_codec(p);
	const struct envelope_form form = platform_form(p);
	struct http_response response = {.status = 200, .content_type = "application/json;charset=utf-8"};
	struct buffer json;
	struct error err = {0};

	buffer_init(&json, PLATFORM_MESSAGE_MAX);
	buffer_init(&response.body, (size_t)PLATFORM_MESSAGE_MAX * 2);
	int ret = v ? RET_OK : RET_BUSY;
	if (v && codec_encode(&codec, held->message, MESSAGE_ANSWER, v, arena, &json, &err))
		ret = RET_SYSTEM;
	if (envelope_seal_response(&p->ours, ret, NULL, ret == RET_OK ? json.data : NULL, json.len, &form,
				   &response.body)) {
		log_error("upstream: %s: %s: the answer can't be sealed", p->options->name, held->message->method);
		buffer_clear(&response.body);
		response.status = 500;
	}
	buffer_fini(&json);
	take_out(held);
	int gone = http_answer(held->ticket, &response);
	free(held);
	return gone;
}

static int answer(struct held *held, enum session_state state, enum charge_refusal reason)
{
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	int gone = give(held, build(held, session_seq_stat(state), (int)reason, &arena), &arena);
	arena_fini(&arena);
	return gone;
}

/* The command was accepted, more is not known: the result is pushed. */
static void on_time_up(void *user)
{
	struct held *held = user;

	(void)answer(held, held->is_stop ? SESSION_STOPPING : SESSION_STARTING, CHARGE_ACCEPTED);
}

int sync_hold(struct platform *p, const struct message *message, const struct value *request,
	      const struct http_request *http)
{
	const char *seq = value_text(value_get(request, "StartChargeSeq"));
	const char *connector_id = value_text(value_get(request, "ConnectorID"));
	int64_t wait_us = (int64_t)(mapping_timing(p->mapping, TIMING_SYNC_WAIT_S, -1) * 1e6);

	if (p->options->mode != CONFIG_MODE_SYNC || !seq || !connector_id)
		return -1;
	struct held *held = calloc(1, sizeof(*held));
	if (!held)
		return -1;
	held->platform = p;
	held->message = message;
	held->is_stop = !strcmp(message->method, "query_stop_charge");
	(void)snprintf(held->seq, sizeof(held->seq), "%s", seq);
	(void)snprintf(held->connector_id, sizeof(held->connector_id), "%s", connector_id);
	held->timer = (struct loop_timer){.fn = on_time_up, .user = held};
	held->ticket = loop_timer_set(p->loop, &held->timer, wait_us) ? NULL : http_defer(http);
	if (!held->ticket) {
		loop_timer_cancel(p->loop, &held->timer);
		free(held);
		return -1;
	}
	held->next = p->held;
	p->held = held;
	return 0;
}

static int answer_event(struct held *held, enum charge_event_kind kind)
{
	switch (kind) {
	case CHARGE_STARTED:
		return answer(held, SESSION_CHARGING, CHARGE_ACCEPTED);
	case CHARGE_NOT_STARTED:
		return answer(held, SESSION_ENDED, CHARGE_CAME_TO_NOTHING);
	case CHARGE_STOPPED:
		return answer(held, SESSION_ENDED, CHARGE_ACCEPTED);
	case CHARGE_NOT_STOPPED:
		return answer(held, SESSION_CHARGING, CHARGE_CAME_TO_NOTHING);
	case CHARGE_SETTLED:
		break;
	}
	return -1;
}

int sync_event(struct platform *p, const struct charge_event *event)
{
	int of_stop = event->kind == CHARGE_STOPPED || event->kind == CHARGE_NOT_STOPPED, told = 0;
	struct held *next;

	if (event->kind == CHARGE_SETTLED)
		return 0;
	for (struct held *held = p->held; held; held = next) {
		next = held->next;
		if (held->is_stop == of_stop && !strcmp(held->seq, event->order->seq))
			told |= !answer_event(held, event->kind);
	}
	return told;
}

void sync_free(struct platform *p)
{
	struct held *next;

	for (struct held *held = p->held; held; held = next) {
		next = held->next;
		(void)give(held, NULL, NULL);
	}
}
