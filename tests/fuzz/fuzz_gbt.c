/* GB/T 27930, both editions: what charger and vehicle say, whole and torn, as one byte a step tells: a message of the tables with the
 * fuzzer's payload, in one frame or by RTS, CTS, packets and acknowledgement; any frame; time; a port that goes down.
 *
 * Two decoders and the gateway's listener hear the same. One decoder is asked for what is overdue all the time: it must say the same as
 * the other (gbt27930.h). What is unknown is never a number, texts are whole and printable, a VIN is 17 characters. */
#include "base/error.h"
#include "bus/can.h"
#include "bus/j1939.h"
#include "bytes.h"
#include "device/agent.h"
#include "device/gbt27930.h"
#include "device/profile.h"

enum { STEPS = 300, LONGEST = 600, SHORTEST = 2, LOOK_EVERY = 64, MESSAGE_KINDS = 24 };
enum { ANY_FRAME = MESSAGE_KINDS, TIME, DEAF, ABORT, TORN, KINDS = 32 };

struct hearing {
	struct gbt *g;
	uint64_t events, sum;
	uint32_t sessions;
};

static struct hearing often, seldom;
static struct profile profile;
static void *agent;
static int64_t now_us;
static uint64_t frames, frames_at_up;
static int64_t up_us; /* since when the listener's port is up */
static int phase_signal;

/* What was told, in one number: also its order and times. */
static void note(struct hearing *h, uint64_t what)
{
	h->sum = (h->sum ^ what) * 0x100000001b3;
}

static void on_event(void *user, const struct gbt_event *e)
{
	struct hearing *h = user;

	fuzz_check(e->what <= GBT_TRANSPORT && e->phase <= GBT_ERROR && e->from <= GBT_ERROR);
	fuzz_check((e->what == GBT_WAITED) == (e->wait != NULL) &&
		   (e->what == GBT_TRANSPORT) == (e->transport != NULL));
	fuzz_check(e->mono_us <= now_us);
	h->events++;
	note(h, (uint64_t)e->what);
	note(h, (uint64_t)e->mono_us);
	note(h, (uint64_t)e->phase << 8 | (uint64_t)e->from);
	note(h, (uint64_t)e->edition);
	for (const char *c = e->wait ? e->wait->code : ""; *c; c++)
		note(h, (uint64_t)*c);
	note(h, e->transport ? (uint64_t)e->transport->what << 32 | e->transport->pgn : 0);
}

/* Values ------------------------------------------------------------------------------------------------------------ */

static void check_text(const char *text)
{
	size_t len = strnlen(text, DEVICE_TEXT_MAX);

	fuzz_check(len && len < DEVICE_TEXT_MAX);
	for (size_t i = 0; i < len; i++)
		fuzz_check(text[i] >= ' ' && text[i] <= '~');
}

static void check_value(const struct gbt *g, int i)
{
	int count;
	const struct gbt_signal *s = &gbt_signals(&count)[i];
	struct point_value v;

	memset(&v, 0xA5, sizeof(v));
	fuzz_check(gbt_get(g, i, &v) == FC_OK);
	fuzz_check(v.quality == QUALITY_GOOD || v.quality == QUALITY_UNKNOWN);
	fuzz_check(v.mono_us >= 0 && v.mono_us <= now_us);
	if (v.quality == QUALITY_UNKNOWN) {
		fuzz_check(!v.milli && !v.text[0]);
		return;
	}
	fuzz_check(!v.is_text == !s->is_text);
	if (s->is_text)
		check_text(v.text);
	else
		/* The largest there is: a number of 32 bits; the least: 6553.5 V times -6153.5 A. */
		fuzz_check(v.milli > -50000000000 && v.milli < ((int64_t)1 << 32) * 1000);
}

static void check_values(const struct gbt *g)
{
	char vin[GBT_VIN_SIZE];
	int count;
	int64_t milli;
	struct gbt_message m;

	(void)gbt_signals(&count);
	for (int i = 0; i < count; i++)
		check_value(g, i);
	fuzz_check(gbt_get(g, count, &(struct point_value){0}) == FC_ENOENT);
	fuzz_check(gbt_get(g, -1, &(struct point_value){0}) == FC_ENOENT);
	fuzz_check(gbt_vin(g, vin) ? strlen(vin) == GBT_VIN_SIZE - 1 : !vin[0]);
	for (int i = 0; gbt_cell(g, i, &milli) != FC_ENOENT; i++)
		fuzz_check(i < 256);
	for (int i = 0; gbt_temperature(g, i, &milli) != FC_ENOENT; i++)
		fuzz_check(i < 256);
	fuzz_check(gbt_phase(g) <= GBT_ERROR && gbt_phase_name(gbt_phase(g))[0]);
	fuzz_check(gbt_edition(g) == GBT_EDITION_UNKNOWN || gbt_edition(g) == GBT_2011 || gbt_edition(g) == GBT_2015);
	fuzz_check(!gbt_stop(g) || gbt_stop(g)->code[0]);
	fuzz_check(!gbt_error(g) || gbt_error(g)->code[0]);
	for (int i = 0; !gbt_get_message(g, i, &m); i++)
		fuzz_check(i < GBT_MESSAGES_MAX && !m.count == !m.last_us && m.last_us <= now_us);
}

static void check_same(void)
{
	struct gbt_stats a, b;
	int count;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	gbt_tick(often.g, now_us);
	gbt_tick(seldom.g, now_us);
	gbt_get_stats(often.g, &a);
	gbt_get_stats(seldom.g, &b);
	fuzz_check(often.events == seldom.events && often.sum == seldom.sum);
	fuzz_check(gbt_phase(often.g) == gbt_phase(seldom.g) && gbt_edition(often.g) == gbt_edition(seldom.g));
	fuzz_check(gbt_stop(often.g) == gbt_stop(seldom.g) && gbt_error(often.g) == gbt_error(seldom.g));
	fuzz_check(!memcmp(&a, &b, sizeof(a)) && a.frames == frames);
	fuzz_check(a.messages + a.foreign + a.unknown + a.misdirected + a.malformed + a.diagnostics <=
		   a.frames + a.transport.whole);
	(void)gbt_signals(&count);
	for (int i = 0; i < count; i++) {
		struct point_value x = {0}, y = {0};

		(void)gbt_get(often.g, i, &x);
		(void)gbt_get(seldom.g, i, &y);
		fuzz_check(x.quality == y.quality && x.milli == y.milli && !strcmp(x.text, y.text));
	}
}

/* The listener ------------------------------------------------------------------------------------------------------ */

static int host_send(void *user, const struct can_frame *frame)
{
	(void)user;
	(void)frame;
	fuzz_failed("a listener sends", __FILE__, __LINE__);
}

static void host_value(void *user, int number, int point, const struct point_value *v)
{
	(void)user;
	fuzz_check(!number && point >= 0 && point < profile.point_count);
	fuzz_check(v->quality == QUALITY_GOOD || v->quality == QUALITY_UNKNOWN);
	fuzz_check(strnlen(v->text, sizeof(v->text)) < sizeof(v->text));
	/* A silent bus is an idle one once it was listened to for a while. */
	if (point == phase_signal && v->quality == QUALITY_GOOD && v->milli == GBT_IDLE * 1000)
		fuzz_check(frames > frames_at_up || now_us - up_us > 2000000);
}

static void host_heard(void *user, int online)
{
	(void)user;
	fuzz_check(online);
}

static void host_done(void *user, int number, enum bus_status status)
{
	(void)user;
	(void)number;
	(void)status;
	fuzz_failed("a listener has no command", __FILE__, __LINE__);
}

/* Every signal is a point of it. */
static void begin_agent(void)
{
	static const struct agent_host host = {NULL, host_send, host_value, host_heard, host_done};
	static const struct agent_settings settings = {.name = "bms", .unit = 1, .numbers = {1}, .connectors = 1};
	struct error err;

	(void)gbt_signals(&profile.point_count);
	profile.point_count = profile.point_count < DEVICE_POINTS_MAX ? profile.point_count : DEVICE_POINTS_MAX;
	for (int i = 0; i < profile.point_count; i++)
		profile.points[i].signal = i + 1;
	agent = agent_gbt27930.start(&profile, &settings, &host, &err);
	fuzz_check(agent);
	phase_signal = gbt_signal_find("phase");
	up_us = now_us;
	frames_at_up = frames;
	agent_gbt27930.port(agent, 1);
}

/* Steps ------------------------------------------------------------------------------------------------------------- */

static void pass(int64_t us)
{
	int64_t until_us = now_us + us, step_us = us / 32 > 50000 ? us / 32 : 50000;

	while (now_us < until_us) {
		now_us = until_us - now_us > step_us ? now_us + step_us : until_us;
		gbt_tick(often.g, now_us);
	}
}

static void hear(uint32_t id, int extended, int remote, const uint8_t *data, size_t len)
{
	struct can_frame f = {
	    .id = id, .extended = (uint8_t)extended, .remote = (uint8_t)remote, .len = (uint8_t)len, .mono_us = now_us};
	struct gbt_message m;
	int a, b;

	if (len)
		memcpy(f.data, data, len < CAN_DATA_MAX ? len : CAN_DATA_MAX);
	frames++;
	gbt_tick(often.g, now_us);
	a = gbt_frame(often.g, &f);
	b = gbt_frame(seldom.g, &f);
	fuzz_check(a == b && (a == -1 || !gbt_get_message(seldom.g, a, &m)));
	agent_gbt27930.frame(agent, &f);
}

static void control(int from_car, int acknowledges, uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint32_t pgn)
{
	int car = from_car != acknowledges;
	uint8_t data[8] = {a, b, c, d, 0xff, (uint8_t)pgn, (uint8_t)(pgn >> 8), (uint8_t)(pgn >> 16)};

	hear(j1939_id(7, J1939_PGN_TP_CM, car ? GBT_CHARGER : GBT_CAR, car ? GBT_CAR : GBT_CHARGER), 1, 0, data, 8);
}

/* torn: the packet that is not heard; 0: none. */
static void long_message(const struct gbt_message *m, const uint8_t *payload, size_t len, unsigned torn)
{
	unsigned packets = (unsigned)(len + J1939_PACKET - 1) / J1939_PACKET;
	uint32_t id =
	    j1939_id(7, J1939_PGN_TP_DT, m->from_car ? GBT_CHARGER : GBT_CAR, m->from_car ? GBT_CAR : GBT_CHARGER);

	control(m->from_car, 0, J1939_RTS, (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)packets, m->pgn);
	control(m->from_car, 1, J1939_CTS, (uint8_t)packets, 1, 0xff, m->pgn);
	for (unsigned i = 1; i <= packets; i++) {
		uint8_t data[8] = {(uint8_t)i, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
		size_t at = (size_t)(i - 1) * J1939_PACKET, n = len - at < J1939_PACKET ? len - at : J1939_PACKET;

		memcpy(data + 1, payload + at, n);
		pass(1000);
		if (i != torn)
			hear(id, 1, 0, data, 8);
	}
	control(m->from_car, 1, J1939_ACK, (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)packets, m->pgn);
}

static void message(int index, struct fuzz_input *b, int is_torn)
{
	static const uint8_t lengths[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 41, 49};
	uint8_t payload[LONGEST];
	struct gbt_message m;
	uint8_t how = take_u8(b);

	if (gbt_get_message(seldom.g, index, &m))
		return;
	size_t len = how < 192 ? lengths[how % sizeof(lengths)] : 3u * (how - 192u) + 9;
	take_into(b, payload, len);
	if (len <= CAN_DATA_MAX)
		hear(j1939_id(6, m.pgn, m.from_car ? GBT_CHARGER : GBT_CAR, m.from_car ? GBT_CAR : GBT_CHARGER), 1, 0,
		     payload, len);
	else
		long_message(&m, payload, len, is_torn ? 1 + take_u8(b) % 8u : 0);
}

static void any_frame(struct fuzz_input *b)
{
	uint8_t what = take_u8(b), data[8];
	uint32_t id = take_u32(b) & 0x1fffffff;

	take_into(b, data, sizeof(data));
	if (what & 0x10)
		id = (id & ~0xffffu) | (what & 0x20 ? GBT_CAR << 8 | GBT_CHARGER : GBT_CHARGER << 8 | GBT_CAR);
	hear(id, !(what & 0x40), what >> 7, data, what & 15);
}

/* For so many twentieths of a second. */
static void deaf(uint8_t how_long)
{
	agent_gbt27930.port(agent, 0);
	pass(how_long * (int64_t)50000);
	for (int64_t ago_us = how_long * (int64_t)50000; ago_us > 0; ago_us -= 500000)
		(void)agent_gbt27930.run(agent, now_us - ago_us);
	gbt_deaf(often.g, now_us);
	gbt_deaf(seldom.g, now_us);
	/* Listening begins with the first look. */
	gbt_tick(often.g, now_us);
	gbt_tick(seldom.g, now_us);
	up_us = now_us;
	frames_at_up = frames;
	agent_gbt27930.port(agent, 1);
}

static void step(uint8_t what, struct fuzz_input *b)
{
	int kind = what % KINDS;

	if (kind < MESSAGE_KINDS)
		message(kind, b, 0);
	else if (kind == ANY_FRAME)
		any_frame(b);
	else if (kind == TIME)
		pass((int64_t)take_u8(b) * 250000);
	else if (kind == ABORT)
		control(what >> 5 & 1, what >> 6 & 1, J1939_ABORT, take_u8(b), 0xff, 0xff, take_u16(b));
	else if (kind == TORN)
		message(take_u8(b) % MESSAGE_KINDS, b, 1);
	if (kind == DEAF)
		deaf(take_u8(b));
	if (what & 1)
		(void)agent_gbt27930.run(agent, now_us);
	/* A short way in time with each step, up to 70 ms. */
	pass((int64_t)(what / KINDS) * 10000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input b = {.data = data, .left = size};

	if (size < SHORTEST)
		return 0;
	fuzz_quiet();
	/* Further on than any machine's clock is: the listener looks at it when its port goes down. */
	now_us = (int64_t)1 << 50;
	frames = 0;
	often = seldom = (struct hearing){0};
	often.g = gbt_new(on_event, &often);
	seldom.g = gbt_new(on_event, &seldom);
	fuzz_check(often.g && seldom.g);
	gbt_tick(often.g, now_us);
	gbt_tick(seldom.g, now_us);
	begin_agent();
	for (int i = 0; i < STEPS && b.left; i++) {
		step(take_u8(&b), &b);
		if (i % LOOK_EVERY == LOOK_EVERY - 1)
			check_values(seldom.g);
	}
	check_values(often.g);
	pass(20000000);
	check_same();
	check_values(seldom.g);
	agent_gbt27930.stop(agent);
	gbt_free(often.g);
	gbt_free(seldom.g);
	return 0;
}
