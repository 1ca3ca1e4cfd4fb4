#include "upstream/life.h"

#include <string.h>

#include "base/json.h"
#include "base/maker.h"
#include "store/events.h"
#include "upstream/ret.h"

enum { MEMORY = 8192 };

static int put_detail(const struct life_message *l, struct buffer *out)
{
	struct arena arena;

	arena_init(&arena, MEMORY);
	struct maker m = {.arena = &arena};
	struct value *v = value_object(&arena);
	maker_text(&m, v, "direction", l->is_in ? "in" : "out");
	maker_text(&m, v, "method", l->method);
	if (l->has_ret)
		maker_int(&m, v, "ret", l->ret);
	if (l->answer)
		maker_text(&m, v, "answer", l->answer);
	if (l->attempt)
		maker_int(&m, v, "attempt", l->attempt);
	if (l->duration_ms >= 0)
		maker_int(&m, v, "duration_ms", l->duration_ms);
	if (l->count) {
		maker_int(&m, v, "count", l->count);
		maker_int(&m, v, "failed", l->failed);
		maker_int(&m, v, "first_at", l->first_at);
	}
	int result = m.failed ? FC_ENOMEM : json_write(out, v);
	arena_fini(&arena);
	return result;
}

void life_message(const struct platform *platform, const struct life_message *l)
{
	struct buffer detail;

	if (!platform->store || !l->seq || !*l->seq)
		return;
	buffer_init(&detail, EVENT_DETAIL);
	int result = put_detail(l, &detail);
	(void)events_add(platform->store,
			 &(struct event){.kind = EVENT_MESSAGE,
					 .connector = l->connector,
					 .seq = l->seq,
					 .who = platform->options->name,
					 .text = l->text,
					 .detail = result ? NULL : detail.data},
			 NULL);
	buffer_fini(&detail);
}

void life_called(const struct platform *platform, const struct peer_told *told, struct life_message message)
{
	message.has_ret = told->has_ret;
	message.ret = told->ret;
	message.duration_ms = told->duration_ms;
	if (!message.text && told->text[0])
		message.text = told->text;
	life_message(platform, &message);
}

static const char *text_of(const struct value *object, const char *key)
{
	return value_text(value_get(object, key));
}

void life_asked(const struct platform *platform, const struct message *message, const struct value *request,
		const struct value *answer, int ret, const char *why, int64_t duration_ms)
{
	int64_t reason = 0;

	if (strcmp(message->method, "query_start_charge") != 0 && strcmp(message->method, "query_stop_charge") != 0)
		return;
	struct life_message l = {.seq = text_of(request, "StartChargeSeq"),
				 .connector = text_of(request, "ConnectorID"),
				 .method = message->method,
				 .is_in = 1,
				 .has_ret = 1,
				 .ret = ret,
				 .duration_ms = duration_ms};
	if (ret)
		l.text = *why ? why : ret_text(ret);
	else if (!answer)
		l.answer = "answered when the result is known";
	else if (!value_to_int(value_get(answer, "FailReason"), &reason))
		l.answer = charge_refusal_text((enum charge_refusal)reason);
	life_message(platform, &l);
}
