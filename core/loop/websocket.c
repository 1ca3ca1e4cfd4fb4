#include "loop/websocket_group.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	PART =
	    8192, /* of a message, written at once: what libwebsockets keeps for a slow receiver is no more than that */
	LOOK_S = 2, /* how often the connections are looked at */
	END_S = 5,  /* to say why it ends */
};

struct websocket_message {
	struct buffer text;
	int holders;
};

struct websocket {
	struct websocket_group *group;
	struct websocket *next;
	struct lws *wsi;
	void *guest;
	struct websocket_message *queue[WEBSOCKET_QUEUE];
	int waiting;
	size_t sent;        /* of the first */
	struct buffer text; /* what comes in */
	int64_t heard_us;   /* the last sign of life */
	int64_t pinged_us;
	int64_t moved_us;  /* when the first of the queue went on last, or came into an empty one */
	int64_t credit_us; /* of messages that may come in, as time */
	int64_t credited_us;
	int ping_due;
	int ends;        /* enum websocket_close; 0 = it goes on */
	int64_t ends_us; /* since */
};

/* Messages ----------------------------------------------------------------------------------------------------------- */

struct websocket_message *websocket_message_new(struct buffer *text)
{
	struct websocket_message *message = text->failed ? NULL : calloc(1, sizeof(*message));

	if (!message) {
		buffer_fini(text);
		return NULL;
	}
	message->text = *text;
	message->holders = 1;
	*text = (struct buffer){0};
	return message;
}

void websocket_message_free(struct websocket_message *message)
{
	if (!message || --message->holders)
		return;
	buffer_fini(&message->text);
	free(message);
}

size_t websocket_message_len(const struct websocket_message *message)
{
	return message->text.len;
}

static void drop_first(struct websocket *s)
{
	websocket_message_free(s->queue[0]);
	s->waiting--;
	for (int i = 0; i < s->waiting; i++)
		s->queue[i] = s->queue[i + 1];
	s->sent = 0;
}

static void drop_all(struct websocket *s)
{
	for (int i = 0; i < s->waiting; i++)
		websocket_message_free(s->queue[i]);
	s->waiting = 0;
}

int websocket_send(struct websocket *s, struct websocket_message *message)
{
	if (s->ends || s->waiting == WEBSOCKET_QUEUE)
		return FC_EBUSY;
	if (!s->waiting)
		s->moved_us = clock_mono_us();
	message->holders++;
	s->queue[s->waiting++] = message;
	lws_callback_on_writable(s->wsi);
	return FC_OK;
}

int websocket_waiting(const struct websocket *s)
{
	return s->waiting;
}

void websocket_end(struct websocket *s, enum websocket_close why)
{
	if (s->ends)
		return;
	s->ends = (int)why;
	s->ends_us = clock_mono_us();
	lws_callback_on_writable(s->wsi);
}

/* Out ---------------------------------------------------------------------------------------------------------------- */

/* With something in it: libwebsockets keeps answers to empty ones to itself. */
static int write_ping(struct websocket *s)
{
	unsigned char out[LWS_PRE + 2] = {0};

	out[LWS_PRE] = 'f';
	out[LWS_PRE + 1] = 'c';
	s->ping_due = 0;
	return lws_write(s->wsi, out + LWS_PRE, 2, LWS_WRITE_PING) < 2 ? -1 : 0;
}

static int write_part(struct websocket *s)
{
	const struct buffer *text = &s->queue[0]->text;
	unsigned char out[LWS_PRE + PART];
	size_t left = text->len - s->sent, n = left < PART ? left : PART;
	int flags = lws_write_ws_flags(LWS_WRITE_TEXT, !s->sent, n == left);

	memcpy(out + LWS_PRE, text->data + s->sent, n);
	if (lws_write(s->wsi, out + LWS_PRE, n, (enum lws_write_protocol)flags) < (int)n)
		return -1;
	s->sent += n;
	s->moved_us = clock_mono_us();
	if (s->sent == text->len)
		drop_first(s);
	return 0;
}

static int on_writable(struct websocket *s)
{
	if (s->ends) {
		lws_close_reason(s->wsi, (enum lws_close_status)s->ends, NULL, 0);
		return -1;
	}
	int result = s->ping_due ? write_ping(s) : s->waiting ? write_part(s) : 0;
	if (result)
		return -1;
	if (s->waiting || s->ping_due)
		lws_callback_on_writable(s->wsi);
	else if (s->group->service->drained)
		s->group->service->drained(s->guest);
	return 0;
}

/* In ----------------------------------------------------------------------------------------------------------------- */

/* Nonzero when one more message is allowed now, and then it is counted. */
static int take_credit(struct websocket *s, int64_t now_us)
{
	const int64_t one_us = 1000000 / WEBSOCKET_RATE, most_us = WEBSOCKET_BURST * one_us;

	s->credit_us += now_us - s->credited_us;
	s->credited_us = now_us;
	if (s->credit_us > most_us)
		s->credit_us = most_us;
	if (s->credit_us < one_us)
		return 0;
	s->credit_us -= one_us;
	return 1;
}

static void on_message(struct websocket *s, const void *in, size_t len)
{
	const struct websocket_service *service = s->group->service;

	s->heard_us = clock_mono_us();
	if (s->ends)
		return;
	if (lws_frame_is_binary(s->wsi)) {
		websocket_end(s, WEBSOCKET_NOT_TEXT);
		return;
	}
	if (lws_is_first_fragment(s->wsi))
		buffer_clear(&s->text);
	/* Said at its head already, long before it is all there; on 32 bits the sum may be too much for a size. */
	size_t rest = lws_remaining_packet_payload(s->wsi);
	if (rest > service->max_message || s->text.len + len + rest > service->max_message ||
	    buffer_add(&s->text, in, len)) {
		websocket_end(s, WEBSOCKET_TOO_BIG);
		return;
	}
	if (!lws_is_final_fragment(s->wsi))
		return;
	if (!take_credit(s, s->heard_us)) {
		websocket_end(s, WEBSOCKET_POLICY);
		return;
	}
	service->message(s->guest, s->text.data ? s->text.data : "", s->text.len);
	buffer_fini(&s->text);
	buffer_init(&s->text, service->max_message);
}

int websocket_event(struct websocket *s, enum lws_callback_reasons reason, const void *in, size_t len)
{
	switch ((int)reason) {
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(s);
	case LWS_CALLBACK_RECEIVE:
		on_message(s, in, len);
		return 0;
	case LWS_CALLBACK_RECEIVE_PONG:
		s->heard_us = clock_mono_us();
		return 0;
	default:
		return 0;
	}
}

/* The group ---------------------------------------------------------------------------------------------------------- */

static int is_over(const struct websocket *s, int64_t now_us)
{
	if (s->ends)
		return now_us - s->ends_us > (int64_t)END_S * 1000000;
	return now_us - s->heard_us > (int64_t)WEBSOCKET_SILENT_S * 1000000 ||
	       (s->waiting && now_us - s->moved_us > (int64_t)WEBSOCKET_SLOW_S * 1000000);
}

static void look(void *user)
{
	struct websocket_group *group = user;
	int64_t now = clock_mono_us();
	struct websocket *next;

	for (struct websocket *s = group->sockets; s; s = next) {
		next = s->next;
		if (is_over(s, now)) {
			/* The other side does not take or say anything: no use in telling it. */
			log_debug("loop: %s: a WebSocket is closed: %s", group->name,
				  s->ends ? "ended" : "dead or slow");
			lws_set_timeout(s->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
			continue;
		}
		if (now - s->pinged_us < (int64_t)WEBSOCKET_PING_S * 1000000)
			continue;
		s->pinged_us = now;
		s->ping_due = 1;
		lws_callback_on_writable(s->wsi);
	}
	if (group->sockets)
		(void)loop_timer_set(group->loop, &group->timer, (int64_t)LOOK_S * 1000000);
}

void websocket_group_init(struct websocket_group *group, struct loop *loop, const struct websocket_service *service,
			  const char *name)
{
	*group = (struct websocket_group){.loop = loop, .service = service, .name = name};
	group->timer = (struct loop_timer){.fn = look, .user = group};
}

void websocket_group_fini(struct websocket_group *group)
{
	if (group->loop)
		loop_timer_cancel(group->loop, &group->timer);
}

/* The page's own origin is SCHEME://HOST, with Host as the same browser sends it. Programs send none. */
static int is_foreign(const struct http_request *request)
{
	const char *host = strstr(request->origin, "://");

	if (!*request->origin)
		return 0;
	return !host || !*request->host || strcasecmp(host + 3, request->host) != 0;
}

int websocket_accept(struct websocket_group *group, const struct http_request *request, struct lws *wsi,
		     struct websocket **socket)
{
	const struct websocket_service *service = group->service;
	int64_t now = clock_mono_us();

	if (!service || strcmp(request->path, service->path) != 0)
		return HTTP_STATUS_NOT_FOUND;
	if (is_foreign(request)) {
		/* Anybody may ask: not a line of the log each. */
		log_info("loop: %s: WebSocket of %s refused: Origin %.100s is not ours", group->name, request->peer,
			 request->origin);
		return HTTP_STATUS_FORBIDDEN;
	}
	if (group->count >= service->max) {
		log_debug("loop: %s: WebSocket of %s refused: too many", group->name, request->peer);
		return HTTP_STATUS_SERVICE_UNAVAILABLE;
	}
	struct websocket *s = calloc(1, sizeof(*s));
	if (!s)
		return HTTP_STATUS_SERVICE_UNAVAILABLE;
	*s = (struct websocket){.group = group, .wsi = wsi, .heard_us = now, .pinged_us = now, .credited_us = now};
	s->credit_us = WEBSOCKET_BURST * (1000000 / WEBSOCKET_RATE);
	/* Those that come together are not asked together. */
	s->pinged_us -= (int64_t)(group->count % (WEBSOCKET_PING_S / LOOK_S)) * LOOK_S * 1000000;
	buffer_init(&s->text, service->max_message);
	int status = service->accept(service->user, request, s, &s->guest);
	if (!status && !group->sockets && loop_timer_set(group->loop, &group->timer, (int64_t)LOOK_S * 1000000)) {
		service->closed(s->guest);
		status = HTTP_STATUS_SERVICE_UNAVAILABLE;
	}
	if (status) {
		drop_all(s);
		free(s);
		return status;
	}
	s->next = group->sockets;
	group->sockets = s;
	group->count++;
	*socket = s;
	return 0;
}

void websocket_gone(struct websocket *s)
{
	if (!s)
		return;
	struct websocket_group *group = s->group;
	struct websocket **at = &group->sockets;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at) {
		*at = s->next;
		group->count--;
	}
	drop_all(s);
	buffer_fini(&s->text);
	void *guest = s->guest;
	free(s);
	group->service->closed(guest);
}
