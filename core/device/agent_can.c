/* A polled CAN device: its frames in, its values out. */
#include "device/agent_can.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "device/decode.h"
#include "device/decode_text.h"

enum { GOOD_PERIODS = 3, STREAM_HEAD = 3, STREAM_TAIL = 2, STREAM_STEP = 6, J1939_SESSIONS = 4 };
static const int64_t good_shortest_us = 3000000;
static const int64_t reply_pause_us = 20000; /* a device gone wild does not make us so */
static const int64_t never = INT64_MAX;

int can_agent_per_number(const struct can_agent *a, const struct can_match *m)
{
	return m->number.bits || m->number_at || ((m->unit.bits || m->unit_at) && a->profile->unit_stride);
}

int64_t can_agent_again_us(int result)
{
	return result == FC_EBUSY ? 10000 : 1000000;
}

static struct point_value *values_of(struct can_agent *a, int place)
{
	return &a->values[(size_t)place * DEVICE_POINTS_MAX];
}

/* What has grown old is not looked at any more, by whoever asks. */
const struct point_value *can_agent_values(struct can_agent *a, int place)
{
	struct point_value *values = values_of(a, place < 0 ? 0 : place);

	for (int i = 0; i < a->profile->point_count; i++) {
		int64_t good_us =
		    (int64_t)profile_period(a->profile, &a->profile->points[i], a->poll_ms) * 1000 * GOOD_PERIODS;

		good_us = good_us > good_shortest_us ? good_us : good_shortest_us;
		if (values[i].quality == QUALITY_GOOD && a->now_us - values[i].mono_us > good_us)
			values[i].quality = QUALITY_STALE;
	}
	return values;
}

static int64_t wall_of(const struct can_agent *a)
{
	if (a->wall)
		return a->wall;
	return clock_wall_trusted() ? clock_wall() : 0;
}

int can_agent_send(struct can_agent *a, int send, int place, uint32_t item, const struct can_frame *answered)
{
	const struct can_send *s = &a->plan->sends[send];
	int at = place < 0 ? 0 : place;
	struct can_filling with = {.unit = a->units[at],
				   .number = a->numbers[at],
				   .item = item,
				   .counter = a->counter,
				   .setpoint = (double)a->limits[at].milli / 1000,
				   .values = s->inserts ? can_agent_values(a, at) : NULL,
				   .answered = answered,
				   .wall = s->inserts ? wall_of(a) : 0};
	struct can_frame frame;
	int result = can_fill(a->plan, s, &with, &frame);

	if (!result)
		result = a->host.send(a->host.user, &frame);
	if (!result)
		a->counter++;
	return result;
}

static void store(struct can_agent *a, int place, int point, const struct point_value *v)
{
	for (int i = 0; i < a->count; i++)
		if (place < 0 || i == place)
			values_of(a, i)[point] = *v;
	a->host.value(a->host.user, place < 0 ? 0 : a->numbers[place], point, v);
}

static void take_point(struct can_agent *a, int place, int number, const uint8_t *data, int len)
{
	const struct point *point = &a->profile->points[number];
	uint16_t words[DEVICE_TEXT_MAX / 2];
	struct point_value v = {.mono_us = a->now_us};

	if (can_words(point, &a->plan->points[number].place, data, len, words))
		return;
	int result = decode_point(point, words, &v);
	if (!result && point->type == POINT_BITS)
		decode_bit_names(a->profile, number, decode_raw(point, words), v.text, sizeof(v.text));
	v.quality = result ? QUALITY_UNKNOWN : QUALITY_GOOD;
	store(a, place, number, &v);
}

static void take_data(struct can_agent *a, int message, int place, const uint8_t *data, int len)
{
	const struct can_message *m = &a->plan->messages[message];
	uint64_t mux = 0;

	if (m->mux.bits && can_take(&m->mux, data, len, &mux))
		return;
	for (int i = 0; i < a->profile->point_count; i++) {
		if (a->plan->points[i].message != message + 1 ||
		    (a->plan->points[i].has_mux && a->plan->points[i].mux != mux))
			continue;
		take_point(a, place, i, data, len);
	}
}

static void reply_to(struct can_agent *a, int message, int place, const struct can_frame *frame)
{
	const struct can_message *m = &a->plan->messages[message];
	int64_t *last = &a->replied_us[message][place < 0 ? 0 : place];

	if (!m->reply || (*last && a->now_us - *last < reply_pause_us))
		return;
	*last = a->now_us;
	(void)can_agent_send(a, m->reply - 1, place, 0, frame);
}

static int names_unit(const struct can_match *m)
{
	return m->unit.bits || m->unit_at;
}

/* A frame that any module may have sent, of the system as a whole, keeps none alive. */
static void hear(struct can_agent *a, const struct can_match *match, int place)
{
	if (a->by_unit && !names_unit(match))
		return;
	for (int i = 0; i < a->count; i++) {
		if (place >= 0 && i != place)
			continue;
		int was_silent = a->now_us - a->heard_us[i] > (int64_t)a->plan->timeout_ms * 1000;

		a->heard_us[i] = a->now_us;
		if (!was_silent && a->online)
			continue;
		can_ask_back(a, i);
		can_order_back(a, i);
	}
	if (a->online)
		return;
	a->online = 1;
	a->host.heard(a->host.user, 1);
}

/* The message is whole. */
static void take_message(struct can_agent *a, int message, int place, const uint8_t *data, int len,
			 const struct can_frame *frame)
{
	take_data(a, message, place, data, len);
	can_ask_heard(a, message, place, frame);
	can_order_heard(a, message, place, data, len, frame);
	reply_to(a, message, place, frame);
}

/* A packet of counted ones. Nonzero when the message is whole: its bytes are behind the stream's head. */
static int take_packet(struct can_stream *s, const struct can_frame *f)
{
	unsigned sum = 0;

	if (f->len < CAN_BYTES_MAX || !f->data[1])
		return 0;
	if (f->data[1] == 1) {
		*s = (struct can_stream){
		    .next = 1, .total = f->data[2], .length = (uint16_t)(f->data[3] | f->data[4] << 8)};
		if (s->length > CAN_PACKET_BYTES ||
		    s->total != (s->length + STREAM_HEAD + STREAM_TAIL + STREAM_STEP - 1) / STREAM_STEP)
			s->next = 0;
	}
	/* One that is missing spoils the message. */
	if (!s->next || f->data[1] != s->next) {
		s->next = 0;
		return 0;
	}
	memcpy(s->bytes + (size_t)(s->next - 1) * STREAM_STEP, f->data + 2, STREAM_STEP);
	if (s->next < s->total) {
		s->next++;
		return 0;
	}
	s->next = 0;
	for (int i = 0; i < STREAM_HEAD + s->length; i++)
		sum += s->bytes[i];
	const uint8_t *end = s->bytes + STREAM_HEAD + s->length;
	return (sum & 0xFFFF) == (unsigned)(end[0] | end[1] << 8);
}

static void take_frame(struct can_agent *a, int message, int place, const struct can_frame *f)
{
	const struct can_message *m = &a->plan->messages[message];

	hear(a, &m->match, place);
	if (m->packets != CAN_PACKETS_COUNTED) {
		take_message(a, message, place, f->data, f->len, f);
		return;
	}
	struct can_stream *s = &a->streams[message * PROFILE_CONNECTORS_MAX + (place < 0 ? 0 : place)];
	if (take_packet(s, f))
		take_message(a, message, place, s->bytes + STREAM_HEAD, s->length, f);
}

/* The transport protocol's answers: we are the receiver, so the sender waits for them (J1939-21 5.10.3). */
static void answer_packets(struct can_agent *a, const struct j1939_event *e, uint8_t control)
{
	uint8_t packets = (uint8_t)((e->length + J1939_PACKET - 1) / J1939_PACKET);
	struct can_frame f = {.id = j1939_id(7, J1939_PGN_TP_CM, e->source, e->destination), .extended = 1, .len = 8};
	const uint8_t cts[] = {control, packets, 1, 0xFF, 0xFF};
	const uint8_t ack[] = {control, (uint8_t)(e->length & 0xFF), (uint8_t)(e->length >> 8), packets, 0xFF};

	if (e->destination != a->plan->master)
		return;
	memcpy(f.data, control == J1939_CTS ? cts : ack, 5);
	for (int i = 0; i < 3; i++)
		f.data[5 + i] = (uint8_t)(e->pgn >> 8 * i);
	(void)a->host.send(a->host.user, &f);
}

static void take_j1939(void *user, const struct j1939_event *e)
{
	static const uint32_t without_priority = 0x03FFFFFF;
	struct can_agent *a = user;
	struct can_frame f = {.id = j1939_id(0, e->pgn, e->destination, e->source), .extended = 1};

	if (e->what != J1939_OPENED && e->what != J1939_WHOLE)
		return;
	for (int m = 0; m < a->plan->message_count; m++) {
		const struct can_message *message = &a->plan->messages[m];
		struct can_match match = message->match;

		if (message->packets != CAN_PACKETS_J1939)
			continue;
		match.id &= without_priority;
		match.mask &= without_priority;
		for (int i = 0; i < a->count; i++) {
			int per = can_agent_per_number(a, &match);

			if (!can_fits(&match, &f, a->units[i], a->numbers[i]))
				continue;
			hear(a, &match, per ? i : -1);
			answer_packets(a, e, e->what == J1939_OPENED ? J1939_CTS : J1939_ACK);
			if (e->what == J1939_WHOLE)
				take_message(a, m, per ? i : -1, e->data,
					     e->length < CAN_PACKET_BYTES ? e->length : CAN_PACKET_BYTES, &f);
			return;
		}
	}
}

static void note_time(struct can_agent *a, int64_t now_us)
{
	a->now_us = now_us > a->now_us ? now_us : a->now_us;
	if (a->begun)
		return;
	a->begun = 1;
	for (int i = 0; i < a->count; i++)
		a->heard_us[i] = a->now_us;
	can_ask_begin(a);
	can_order_begin(a);
}

static void agent_frame(void *agent, const struct can_frame *f)
{
	struct can_agent *a = agent;

	if (!a->up)
		return;
	note_time(a, f->mono_us);
	if (a->has_packets && f->extended && !f->remote && j1939_frame(&a->packets, f->id, f->data, f->len, a->now_us))
		return;
	for (int m = 0; m < a->plan->message_count; m++) {
		const struct can_match *match = &a->plan->messages[m].match;

		for (int i = 0; i < a->count; i++) {
			if (!can_fits(match, f, a->units[i], a->numbers[i]))
				continue;
			take_frame(a, m, can_agent_per_number(a, match) ? i : -1, f);
			break;
		}
	}
}

static int64_t sooner(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

/* When the link will be given up. */
static int64_t look_at_link(struct can_agent *a)
{
	int64_t last = 0, timeout_us = (int64_t)a->plan->timeout_ms * 1000;

	for (int i = 0; i < a->count; i++)
		last = a->heard_us[i] > last ? a->heard_us[i] : last;
	if (!a->online)
		return never;
	if (a->now_us - last <= timeout_us)
		return last + timeout_us + 1;
	a->online = 0;
	if (!a->quiet)
		log_notice("device: %s: silent for %u ms: asked on every %u ms", a->name, a->plan->timeout_ms,
			   a->plan->slow_ms);
	for (int i = 0; i < a->count; i++)
		for (int p = 0; p < a->profile->point_count; p++)
			values_of(a, i)[p].quality = QUALITY_UNKNOWN;
	a->host.heard(a->host.user, 0);
	return never;
}

static int64_t agent_run(void *agent, int64_t now_us)
{
	struct can_agent *a = agent;

	if (a->up)
		note_time(a, now_us);
	if (a->up && a->has_packets)
		j1939_tick(&a->packets, a->now_us);
	int64_t next = a->up ? look_at_link(a) : never;
	next = sooner(next, can_order_run(a));
	return a->up ? sooner(next, can_ask_run(a)) : next;
}

static void agent_port(void *agent, int up)
{
	struct can_agent *a = agent;

	a->up = up;
	a->begun = 0;
	a->online = 0;
	a->asked.request = NULL;
	if (a->has_packets)
		j1939_reset(&a->packets);
	for (int i = 0; i < a->count; i++)
		for (int p = 0; p < a->profile->point_count; p++)
			values_of(a, i)[p].quality = QUALITY_UNKNOWN;
	if (!up)
		can_order_drop(a);
}

static void agent_adopt(void *agent, const struct profile *profile)
{
	struct can_agent *a = agent;

	/* Those under way know their steps by place, and all know their orders. */
	can_order_forget(a);
	a->profile = profile;
	a->plan = profile->can;
	if (!a->asked.request)
		return;
	a->asked.request = NULL;
}

static void agent_take_over(void *agent, const void *from)
{
	can_order_take_over(agent, from);
}

static int command(void *agent, int number, const char *name, struct error *err)
{
	return can_order_command(agent, number, name, err);
}

static int limit(void *agent, int number, int64_t milli, struct error *err)
{
	return can_order_limit(agent, number, milli, err);
}

static int allocate(struct can_agent *a)
{
	int counted = 0, j1939 = 0;

	for (int m = 0; m < a->plan->message_count; m++) {
		counted |= a->plan->messages[m].packets == CAN_PACKETS_COUNTED;
		j1939 |= a->plan->messages[m].packets == CAN_PACKETS_J1939;
		a->by_unit |= names_unit(&a->plan->messages[m].match);
	}
	a->values = calloc((size_t)a->count * DEVICE_POINTS_MAX, sizeof(*a->values));
	if (counted)
		a->streams = calloc((size_t)a->plan->message_count * PROFILE_CONNECTORS_MAX, sizeof(*a->streams));
	if (!a->values || (counted && !a->streams))
		return FC_ENOMEM;
	if (j1939 && j1939_init(&a->packets, J1939_SESSIONS, CAN_PACKET_BYTES, take_j1939, a))
		return FC_ENOMEM;
	a->has_packets = j1939;
	return FC_OK;
}

static void agent_stop(void *agent)
{
	struct can_agent *a = agent;

	if (!a)
		return;
	if (a->has_packets)
		j1939_fini(&a->packets);
	free(a->streams);
	free(a->values);
	free(a);
}

static void *agent_start(const struct profile *profile, const struct agent_settings *settings,
			 const struct agent_host *host, struct error *err)
{
	struct can_agent *a = calloc(1, sizeof(*a));

	if (!a) {
		(void)error_set(err, FC_ENOMEM, "device: no memory");
		return NULL;
	}
	a->profile = profile;
	a->plan = profile->can;
	a->host = *host;
	(void)snprintf(a->name, sizeof(a->name), "%s", settings->name);
	a->poll_ms = settings->poll_ms;
	a->count = settings->connectors > 0 ? settings->connectors : 1;
	for (int i = 0; i < a->count; i++) {
		a->numbers[i] = settings->connectors > 0 ? settings->numbers[i] : 1;
		a->units[i] = settings->unit + (a->numbers[i] - 1) * profile->unit_stride;
	}
	int result = can_agent_check_units(a, err);
	if (!result && allocate(a))
		result = error_set(err, FC_ENOMEM, "device: no memory");
	if (!result)
		return a;
	agent_stop(a);
	return NULL;
}

const struct agent_kind agent_can = {
    .name = "can",
    .start = agent_start,
    .stop = agent_stop,
    .adopt = agent_adopt,
    .take_over = agent_take_over,
    .port = agent_port,
    .frame = agent_frame,
    .run = agent_run,
    .command = command,
    .limit = limit,
    .filters = can_agent_filters,
};
