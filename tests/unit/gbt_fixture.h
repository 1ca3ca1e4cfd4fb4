/* A decoder, the events it told, and sessions read from candump logs (tests/peers/gbt_session.py made them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/gbt27930.h"

enum { FRAMES_MAX = 2048, TOLD_MAX = 256, START_US = 1000000 };

struct told {
	enum gbt_what what;
	int64_t mono_us;
	enum gbt_phase phase, from;
	const struct gbt_wait *wait;
	enum j1939_what transport;
	int reason, answered;
	char stop[32]; /* code at that moment */
};

static struct told told[TOLD_MAX];
static int told_count;
static struct can_frame frames[FRAMES_MAX];
static int frame_count;

static void on_event(void *user, const struct gbt_event *e)
{
	struct gbt **g = user;
	struct told *t = &told[told_count % TOLD_MAX];

	*t = (struct told){.what = e->what, .mono_us = e->mono_us, .phase = e->phase, .from = e->from, .wait = e->wait};
	if (e->transport) {
		t->transport = e->transport->what;
		t->reason = e->transport->reason;
		t->answered = e->transport->answered;
	}
	if (*g && gbt_stop(*g))
		(void)snprintf(t->stop, sizeof(t->stop), "%s", gbt_stop(*g)->code);
	told_count++;
}

static struct gbt *decoder;

static __attribute__((unused)) struct gbt *new_decoder(void)
{
	told_count = 0;
	decoder = NULL;
	decoder = gbt_new(on_event, &decoder);
	assert_non_null(decoder);
	return decoder;
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* Of candump's lines "(1700000000.000000) can0 1826F456#010100"; the first is at START_US. */
static void load(const char *name)
{
	char path[64], line[128];
	int64_t first = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "tests/unit/gbt/%s.log", name);
	f = fopen(path, "re");
	assert_non_null(f);
	frame_count = 0;
	while (fgets(line, sizeof(line), f)) {
		struct can_frame *c = &frames[frame_count++];
		long long seconds, us;
		unsigned id;
		char data[32] = "";

		assert_true(frame_count < FRAMES_MAX);
		assert_true(sscanf(line, "(%lld.%6lld) can0 %8X#%16s", &seconds, &us, &id, data) >= 3);
		if (first < 0)
			first = seconds * 1000000 + us;
		*c = (struct can_frame){.id = id, .extended = 1, .len = (uint8_t)(strlen(data) / 2)};
		c->mono_us = seconds * 1000000 + us - first + START_US;
		for (int i = 0; i < c->len; i++)
			c->data[i] = (uint8_t)(hex(data[2 * i]) << 4 | hex(data[2 * i + 1]));
	}
	(void)fclose(f);
	assert_true(frame_count > 0);
}

static __attribute__((unused)) struct point_value value_of(const struct gbt *g, const char *name)
{
	struct point_value v;
	int signal = gbt_signal_find(name);

	if (signal < 0)
		fail_msg("no signal %s", name);
	assert_int_equal(gbt_get(g, signal, &v), FC_OK);
	return v;
}

/* In engineering units: 230.1 is 230.1 V. */
static __attribute__((unused)) void assert_value(const struct gbt *g, const char *name, double expected)
{
	struct point_value v = value_of(g, name);
	int64_t milli = (int64_t)(expected * 1000 + (expected < 0 ? -0.5 : 0.5));

	if (v.quality != QUALITY_GOOD || v.is_text || v.milli != milli)
		fail_msg("%s: %lld thousandths, quality %d; not %lld", name, (long long)v.milli, (int)v.quality,
			 (long long)milli);
}

static __attribute__((unused)) void assert_text(const struct gbt *g, const char *name, const char *expected)
{
	struct point_value v = value_of(g, name);

	if (v.quality != QUALITY_GOOD || !v.is_text || strcmp(v.text, expected) != 0)
		fail_msg("%s: \"%s\", quality %d; not \"%s\"", name, v.text, (int)v.quality, expected);
}

static __attribute__((unused)) void assert_unknown(const struct gbt *g, const char *name)
{
	struct point_value v = value_of(g, name);

	if (v.quality != QUALITY_UNKNOWN || v.milli || v.text[0])
		fail_msg("%s: %lld \"%s\", quality %d; not unknown", name, (long long)v.milli, v.text, (int)v.quality);
}

static __attribute__((unused)) void send_frame(struct gbt *g, int64_t ms, uint32_t id, const char *data)
{
	struct can_frame c = {
	    .id = id, .extended = 1, .len = (uint8_t)(strlen(data) / 2), .mono_us = START_US + ms * 1000};

	for (int i = 0; i < c.len; i++)
		c.data[i] = (uint8_t)(hex(data[2 * i]) << 4 | hex(data[2 * i + 1]));
	gbt_frame(g, &c);
}

static __attribute__((unused)) int count_told(enum gbt_what what, const char *wait)
{
	int n = 0;

	for (int i = 0; i < told_count && i < TOLD_MAX; i++)
		n += told[i].what == what && (!wait || (told[i].wait && !strcmp(told[i].wait->code, wait)));
	return n;
}
