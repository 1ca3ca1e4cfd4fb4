#include "upstream/repeat.h"

#include <string.h>

#include "base/clock.h"
#include "upstream/client.h"
#include "upstream/iserv.h"
#include "upstream/peer.h"
#include "upstream/tell.h"

/* Sending ------------------------------------------------------------------------------------------------------------- */

/* Of a call that is sent again: what it is about, and the message of now. */
struct again {
	const struct platform *platform;
	const struct value *request; /* as it was */
	struct arena *arena;
	struct value *built;
	const char *gone; /* why nothing could be built */
};

static const char *text_of(const struct value *tree, const char *key)
{
	const char *text = value_text(value_get(tree, key));

	return text ? text : "";
}

static void build_status(struct again *a)
{
	const struct icomm view = platform_view(a->platform);
	const struct connector *c = station_connector_find(
	    a->platform->stations, text_of(value_get(a->request, "ConnectorStatusInfo"), "ConnectorID"));

	a->gone = "that connector is not configured any more, or the platform does not see it";
	if (c && icomm_station(&view, c->station->station_id) >= 0)
		a->built = icomm_push_status(c, a->arena);
}

static void build_info(struct again *a)
{
	const struct icomm view = platform_view(a->platform);
	int station = icomm_station(&view, text_of(value_get(a->request, "StationInfo"), "StationID"));

	a->gone = "that station is not configured any more, or the platform does not see it";
	if (station >= 0)
		a->built = icomm_push_info(&view, station, a->arena);
}

static void build_stats(struct again *a)
{
	const struct icomm view = platform_view(a->platform);
	const struct value *stats = value_get(a->request, "StationStats");
	int station = icomm_station(&view, text_of(stats, "StationID"));
	int32_t day;

	a->gone = "that station is not configured any more, or the day can't be read";
	if (station >= 0 && !clock_parse_date(text_of(stats, "StartTime"), &day))
		a->built = icomm_push_stats(&view, station, day, a->arena);
}

static void take_snapshot(void *user, const struct order *order, enum session_state state,
			  const struct connector *connector)
{
	struct again *a = user;

	if (state == SESSION_CHARGING && !strcmp(order->platform, a->platform->options->name))
		a->built = tell_snapshot(order, state, connector, a->arena);
}

static void build_charge_status(struct again *a)
{
	a->gone = "that charge does not run any more";
	if (a->platform->charges)
		(void)charge_find(a->platform->charges, text_of(a->request, "StartChargeSeq"), take_snapshot, a);
}

static const struct {
	const char *method;
	void (*build)(struct again *again);
} harmless[] = {
    {"notification_stationStatus", build_status},
    {"notification_stationInfo", build_info},
    {"notification_station_stats", build_stats},
    {"notification_equip_charge_status", build_charge_status},
};

/* Why the others are not, and what to do instead. */
static const struct {
	const char *method, *why;
} refused[] = {
    {"query_token", "the gateway logs in by itself"},
    {"notification_charge_order_info", "an order is sent again by command resend"},
    {"notification_charge_order_info_for_bonus", "an order is sent again by command resend"},
    {"check_charge_orders", "orders are compared by command reconcile"},
    {"notification_start_charge_result", "it would tell of a start once more"},
    {"notification_stop_charge_result", "it would tell of a stop once more"},
    {"query_user_auth", "it would ask for a driver who is not there"},
};

static void sent(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct client *client = user;
	struct repeat *r = client_repeat(client);
	repeat_done done = r->done;

	(void)outcome;
	(void)answer;
	r->busy = 0;
	r->done = NULL;
	/* peer.c has noted it just now: it is the newest of all. */
	if (done)
		done(r->user, &(struct repeated){.sent = 1, .id = client_newest_call(client), .why = ""});
}

static int send_again(struct platform *p, const struct call *call, struct again *a, repeat_done done, void *user,
		      struct error *err)
{
	struct repeat *r = p->client ? client_repeat(p->client) : NULL;

	if (!r)
		return error_set(err, FC_ENOENT, "%s is not called now", call->platform);
	if (r->busy)
		return error_set(err, FC_EBUSY, "another message is being sent again to %s", call->platform);
	int result = peer_call(client_peer(p->client), call->message, a->built, a->arena, sent, p->client, err);
	if (result)
		return result;
	*r = (struct repeat){.busy = 1, .done = done, .user = user};
	return FC_OK;
}

static int repeat_sent(struct platform *p, const struct call *call, struct again *a, repeat_done done, void *user,
		       struct error *err)
{
	const char *method = call->message->method;

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (strcmp(harmless[i].method, method) != 0)
			continue;
		harmless[i].build(a);
		if (!a->built)
			return error_set(err, FC_ENOENT, "%s: %s", method, a->gone);
		return send_again(p, call, a, done, user, err);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (!strcmp(refused[i].method, method))
			return error_set(err, FC_EINVAL, "%s is not sent again: %s", method, refused[i].why);
	return error_set(err, FC_EINVAL, "%s is not sent again", method);
}

/* Answering ----------------------------------------------------------------------------------------------------------- */

static int repeat_asked(const struct platform *p, const struct call *call, struct again *a, repeat_done done,
			void *user, struct error *err)
{
	const struct message *message = call->message;
	const struct icomm view = platform_view(p);
	struct codec codec = platform_codec(p);
	struct value *request, *answer = NULL;
	struct error why = {0};
	struct buffer text;

	if (message->mutating || message->caller == MESSAGE_BOTH)
		return error_set(err, FC_EINVAL, "%s is not answered again: it does something", message->method);
	request = value_copy(a->arena, a->request);
	if (!request)
		return error_set(err, FC_ENOMEM, "no memory");
	int ret = message_check(message->request, request, 1, a->arena, &why) ? RET_PARAMETER : RET_OK;
	if (!ret && iserv_answers(message))
		ret = iserv_answer(p, message, request, a->arena, &answer, &why);
	else if (!ret)
		ret = icomm_answer(&view, message, request, a->arena, &answer, &why);
	if (!ret)
		(void)mapping_apply(codec.mapping, message, MESSAGE_ANSWER, MAPPING_OUT, answer, &codec.context,
				    a->arena, &answer, NULL);
	buffer_init(&text, PLATFORM_MESSAGE_MAX);
	if (!ret) {
		message_shape(message->answer, answer);
		(void)recorder_mask(p->recorder, message->answer, answer, &text);
	}
	done(user, &(struct repeated){.ret = ret, .why = why.text, .answer = text.failed ? NULL : text.data});
	buffer_fini(&text);
	return FC_OK;
}

/* Both ---------------------------------------------------------------------------------------------------------------- */

int repeat_call(struct platform *p, const struct call *call, const char *body, size_t len, repeat_done done, void *user,
		struct error *err)
{
	struct value *request = NULL;
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	int result = json_read(p->reader, body, len, &arena, &request, err);
	struct again a = {.platform = p, .request = request, .arena = &arena};
	if (!result && call->direction == MAPPING_OUT)
		result = repeat_sent(p, call, &a, done, user, err);
	else if (!result)
		result = repeat_asked(p, call, &a, done, user, err);
	arena_fini(&arena);
	return result;
}

void repeat_forget(struct repeat *r, const void *user)
{
	if (r->busy && r->user == user)
		r->done = NULL;
}

void repeat_end(struct repeat *r)
{
	repeat_done done = r->done;

	if (r->busy && done)
		done(r->user, &(struct repeated){.sent = 1, .why = "the platform's section changed meanwhile"});
	*r = (struct repeat){0};
}
