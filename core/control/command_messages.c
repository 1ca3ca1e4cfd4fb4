/* Commands messages, message, message_replay: what passed between the station and its platforms lately. Bodies were masked as they
 * were recorded. */
#include <limits.h>
#include <string.h>

#include "control/tail.h"
#include "upstream/calls.h"

enum { MESSAGES = 50 };
/* A page's bodies; the CLI's and the page's answers stay well below CONTROL_MEMORY. */
static const size_t bodies_max = 512 << 10;

struct filter {
	const char *platform, *method, *direction; /* NULL = all */
	int failed;
};

struct listing {
	const struct recorder *recorder;
	struct maker m;
	size_t bytes; /* of bodies so far */
	int is_full;  /* some were left out */
};

static int went_well(const struct call *call)
{
	return call->outcome == CALL_ACCEPTED || call->outcome == CALL_HELD;
}

static const char *direction_name(const struct call *call)
{
	return call->direction == MAPPING_OUT ? "out" : "in";
}

static int is_wanted(const struct filter *f, const struct call *call)
{
	return (!f->platform || !strcmp(f->platform, call->platform)) &&
	       (!f->method || !strcmp(f->method, call->message->method)) &&
	       (!f->direction || !strcmp(f->direction, direction_name(call))) && (!f->failed || !went_well(call));
}

/* The form that travelled, and the standard's where a mapping makes another of it. */
static void put_body(struct listing *l, struct value *o, const char *key, const char *standard_key, uint64_t number,
		     int is_out)
{
	struct recorded r;

	if (recorder_get(l->recorder, number, &r))
		return;
	l->bytes += r.before_len + r.after_len;
	if (l->bytes > bodies_max) {
		l->is_full = 1;
		return;
	}
	int wire_is_after = is_out && r.after_len;
	maker_put(&l->m, o, key,
		  wire_is_after ? value_string_len(l->m.arena, r.after, r.after_len)
				: value_string_len(l->m.arena, r.before, r.before_len));
	if (r.after_len)
		maker_put(&l->m, o, standard_key,
			  wire_is_after ? value_string_len(l->m.arena, r.before, r.before_len)
					: value_string_len(l->m.arena, r.after, r.after_len));
}

static struct value *make_entry(struct listing *l, const struct call *call, int with_bodies)
{
	struct value *o = value_object(l->m.arena);
	int is_out = call->direction == MAPPING_OUT;

	maker_int(&l->m, o, "id", (int64_t)call->id);
	maker_int(&l->m, o, "at", call->wall_ms / 1000);
	maker_int(&l->m, o, "ms", call->wall_ms % 1000);
	maker_text(&l->m, o, "platform", call->platform);
	maker_text(&l->m, o, "direction", direction_name(call));
	maker_text(&l->m, o, "method", call->message->method);
	maker_text(&l->m, o, "outcome", call_outcome_name(call->outcome));
	if (call->has_ret)
		maker_int(&l->m, o, "ret", call->ret);
	if (call->status)
		maker_int(&l->m, o, "http", call->status);
	if (call->is_test)
		maker_flag(&l->m, o, "is_test", 1);
	maker_int(&l->m, o, "duration_us", call->duration_us);
	maker_int(&l->m, o, "request_bytes", call->request_bytes);
	if (call->answer_bytes)
		maker_int(&l->m, o, "answer_bytes", call->answer_bytes);
	maker_optional(&l->m, o, "why", call->why);
	if (!with_bodies)
		return o;
	put_body(l, o, "request", "request_standard", call->request, is_out);
	put_body(l, o, "answer", "answer_standard", call->answer, !is_out);
	return o;
}

int command_messages(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct calls *calls = platform_set_calls(control->sources.platforms);
	const struct filter filter = {control_text(reply, "platform"), control_text(reply, "method"),
				      control_text(reply, "direction"), control_flag(reply, "failed")};
	struct listing l = {.recorder = platform_set_recorder(control->sources.platforms),
			    .m = {.arena = &reply->arena}};
	struct value *root = value_object(l.m.arena), *list = value_array(l.m.arena);
	const struct call *call;
	uint64_t oldest = 0, newest = 0;
	struct tail tail;
	int result = tail_begin(&tail, reply, MESSAGES, err), brief = control_flag(reply, "brief");

	if (result)
		return result;
	for (uint64_t at = 0; (call = calls_next(calls, at)); at = call->id) {
		if (!oldest)
			oldest = call->id;
		newest = call->id;
		if (is_wanted(&filter, call))
			tail_count(&tail, call->id);
	}
	for (uint64_t at = 0; (call = calls_next(calls, at)); at = call->id)
		if (is_wanted(&filter, call) && tail_takes(&tail, call->id))
			maker_push(&l.m, list, make_entry(&l, call, !brief));
	maker_put(&l.m, root, "messages", list);
	/* Calls give way by their kind, so what is gone between two numbers can't be told. */
	tail_end(&tail, &l.m, root, 0, newest);
	if (l.is_full)
		maker_flag(&l.m, root, "bodies_left_out", 1);
	if (!calls)
		maker_flag(&l.m, root, "off", 1);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}

static const struct call *find_call(const struct control *control, const struct control_reply *reply, struct error *err)
{
	const struct call *call =
	    calls_find(platform_set_calls(control->sources.platforms), (uint64_t)control_int(reply, "id", 0));

	if (!call)
		(void)error_set(err, FC_ENOENT, "there is no such message any more");
	return call;
}

int command_message(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct call *call = find_call(control, reply, err);
	struct listing l = {.recorder = platform_set_recorder(control->sources.platforms),
			    .m = {.arena = &reply->arena}};

	if (!call)
		return FC_ENOENT;
	struct value *root = make_entry(&l, call, 1);
	reply->result = l.m.failed ? NULL : root;
	return FC_OK;
}

/* Once more ----------------------------------------------------------------------------------------------------------- */

static void fill_in(struct control_reply *reply, const struct repeated *result)
{
	struct maker m = {.arena = &reply->arena};
	struct value *root = value_object(m.arena);

	maker_flag(&m, root, "sent", result->sent);
	if (result->sent && result->id) {
		const struct call *call = calls_find(platform_set_calls(reply->control->sources.platforms), result->id);
		struct listing l = {.recorder = platform_set_recorder(reply->control->sources.platforms), .m = m};

		maker_int(&m, root, "id", (int64_t)result->id);
		if (call)
			maker_put(&m, root, "message", make_entry(&l, call, 1));
		m.failed |= l.m.failed;
	}
	if (!result->sent)
		maker_int(&m, root, "ret", result->ret);
	maker_optional(&m, root, "why", result->why);
	maker_optional(&m, root, "answer", result->answer ? result->answer : "");
	reply->result = m.failed ? NULL : root;
}

/* Of what we were asked it comes while the command runs. */
static void on_answer(void *user, const struct repeated *result)
{
	fill_in(user, result);
}

static void on_sent(void *user, const struct repeated *result)
{
	struct control_reply *reply = user;

	reply->cancel = NULL;
	fill_in(reply, result);
	control_finish(reply, FC_OK, "");
}

static void forget(void *user)
{
	struct control_reply *reply = user;

	platform_set_forget_repeat(reply->control->sources.platforms, reply);
}

int command_message_replay(struct control *control, struct control_reply *reply, struct error *err)
{
	const struct call *call = find_call(control, reply, err);
	struct platform_set *platforms = control->sources.platforms;
	struct recorded r;
	struct buffer body;

	if (!call)
		return FC_ENOENT;
	if (call->is_test)
		return error_set(err, FC_EINVAL, "it was sent wrong on purpose, by a conformance run");
	if (recorder_get(platform_set_recorder(platforms), call->request, &r))
		return error_set(err, FC_ENOENT, "its request is not kept any more, or could not be read");
	int is_out = call->direction == MAPPING_OUT, is_after = !is_out && r.after_len;
	/* A copy: what is noted meanwhile moves the recorder's. */
	buffer_init(&body, (size_t)4 << 20);
	int result =
	    buffer_add(&body, is_after ? r.after : r.before, is_after ? r.after_len : r.before_len)
		? error_set(err, FC_ENOMEM, "no memory")
		: platform_set_repeat(platforms, call, body.data, body.len, is_out ? on_sent : on_answer, reply, err);
	buffer_fini(&body);
	if (result || !is_out)
		return result;
	reply->cancel = forget;
	reply->cancel_user = reply;
	return CONTROL_LATER;
}
