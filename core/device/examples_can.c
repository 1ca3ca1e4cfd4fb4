/* Examples of a CAN profile: a device is asked in simulated time; frames in, values and sent frames out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bus/can_text.h"
#include "device/agent_can.h"
#include "device/examples.h"
#include "device/sample.h"

enum { SENT_MAX = 256, STEPS_MAX = 20000, FOR_MS = 1000, FOR_MS_MAX = 60000, FRAME_EVERY_US = 10000 };

/* What the agent is told and what it did. */
struct stage {
	struct profile *p;
	struct can_agent *agent;
	int number;
	int64_t now_us;
	struct point_value values[DEVICE_POINTS_MAX];
	struct can_frame sent[SENT_MAX];
	int sent_count;
	int ended;
	enum bus_status status;
};

static int hear_send(void *user, const struct can_frame *frame)
{
	struct stage *s = user;

	if (s->sent_count < SENT_MAX)
		s->sent[s->sent_count++] = *frame;
	return FC_OK;
}

static void hear_value(void *user, int number, int point, const struct point_value *value)
{
	struct stage *s = user;
	struct point_value out = {.mono_us = value->mono_us};

	if (number && number != s->number)
		return;
	sample_said(s->p, point, value, s->number, s->values, &out);
	s->values[point] = out;
}

static void hear_online(void *user, int online)
{
	(void)user;
	(void)online;
}

static void hear_done(void *user, int number, enum bus_status status)
{
	struct stage *s = user;

	if (number != s->number)
		return;
	s->ended = 1;
	s->status = status;
}

/* Until a time; a frame's or the end's. */
static void pass(struct stage *s, int64_t until_us)
{
	for (int step = 0; step < STEPS_MAX; step++) {
		int64_t next = agent_can.run(s->agent, s->now_us);

		if (next <= s->now_us)
			next = s->now_us + 1000;
		if (next > until_us) {
			s->now_us = until_us;
			return;
		}
		s->now_us = next;
	}
}

static int wrong(struct error *err, const char *path, int number, const char *key, const char *what)
{
	return error_set(err, FC_EINVAL, "%s: examples[%d].%s: %s", path, number, key, what);
}

static int read_int(const struct value *example, const char *key, int64_t preset, int64_t min, int64_t max,
		    const char *path, int number, int64_t *out, struct error *err)
{
	const struct value *v = value_get(example, key);

	*out = preset;
	if (v && (value_to_int(v, out) || *out < min || *out > max))
		return error_set(err, FC_EINVAL, "%s: examples[%d].%s: must be %lld to %lld", path, number, key,
				 (long long)min, (long long)max);
	return FC_OK;
}

static int feed(struct stage *s, const struct value *frames, const char *path, int number, struct error *err)
{
	char key[40];
	int n = 0;

	value_each (v, frames) {
		struct can_frame frame;
		const char *text = value_text(v);

		(void)snprintf(key, sizeof(key), "frames[%d]", ++n);
		if (!text || can_frame_parse(text, &frame, NULL))
			return wrong(err, path, number, key, "must be a frame such as \"1826F456#010100\"");
		pass(s, s->now_us + FRAME_EVERY_US);
		frame.mono_us = s->now_us;
		agent_can.frame(s->agent, &frame);
	}
	return FC_OK;
}

/* All of them were sent, in this order; others may lie between. */
static int check_sent(const struct stage *s, const struct value *sent, const char *path, int number, struct error *err)
{
	int at = 0, n = 0;
	char key[40], text[CAN_TEXT_SIZE], what[160];

	value_each (v, sent) {
		struct can_frame frame;
		int from = at;

		(void)snprintf(key, sizeof(key), "sent[%d]", ++n);
		if (!value_text(v) || can_frame_parse(value_text(v), &frame, NULL))
			return wrong(err, path, number, key, "must be a frame such as \"1826F456#010100\"");
		(void)can_frame_format(&frame, text);
		for (; at < s->sent_count; at++) {
			char its[CAN_TEXT_SIZE];

			(void)can_frame_format(&s->sent[at], its);
			if (!strcmp(its, text))
				break;
		}
		if (at++ < s->sent_count)
			continue;
		(void)snprintf(what, sizeof(what), "%s was not sent after it; what was:", text);
		for (int i = from; i < s->sent_count && strlen(what) + CAN_TEXT_SIZE < sizeof(what); i++) {
			(void)can_frame_format(&s->sent[i], text);
			(void)snprintf(what + strlen(what), sizeof(what) - strlen(what), " %s", text);
		}
		return wrong(err, path, number, key, what);
	}
	return FC_OK;
}

static int check_result(const struct stage *s, const struct value *v, const char *path, int number, struct error *err)
{
	const char *want = value_text(v);
	const char *got = !s->ended                    ? "none"
			  : s->status == BUS_OK        ? "ok"
			  : s->status == BUS_EXCEPTION ? "refused"
						       : "timeout";
	char what[80];

	if (!v || (want && !strcmp(want, got)))
		return FC_OK;
	(void)snprintf(what, sizeof(what), "expected %.20s, got %s (ok, refused, timeout, none)",
		       want ? want : "a text", got);
	return wrong(err, path, number, "result", what);
}

static int play(struct stage *s, const struct value *example, const char *path, int number, struct error *err)
{
	const char *command = value_text(value_get(example, "command"));
	const struct value *limit = value_get(example, "limit");
	int64_t for_ms;
	double d;

	if (read_int(example, "for_ms", FOR_MS, 1, FOR_MS_MAX, path, number, &for_ms, err))
		return FC_EINVAL;
	int64_t end_us = s->now_us + for_ms * 1000;
	agent_can.port(s->agent, 1);
	if (value_get(example, "command") && (!command || agent_can.command(s->agent, s->number, command, err)))
		return wrong(err, path, number, "command", "must name one of commands");
	if (limit && (value_to_double(limit, &d) ||
		      agent_can.limit(s->agent, s->number, (int64_t)(d * 1000 + (d < 0 ? -0.5 : 0.5)), err)))
		return wrong(err, path, number, "limit", "must be a number that setpoint allows");
	pass(s, s->now_us);
	if (feed(s, value_get(example, "frames"), path, number, err))
		return FC_EINVAL;
	if (s->now_us < end_us)
		pass(s, end_us);
	return FC_OK;
}

static int check_keys(const struct value *example, const char *path, int number, struct error *err)
{
	static const char *const known[] = {"frames", "expect", "sent",   "connector", "unit", "command",
					    "limit",  "result", "for_ms", "at",        NULL};

	value_each (member, example)
		if (!value_key_known(member, known))
			return wrong(err, path, number, member->key ? member->key : "", "there is no such key");
	if (!value_get(example, "expect") && !value_get(example, "sent") && !value_get(example, "result"))
		return error_set(err, FC_EINVAL, "%s: examples[%d]: wants expect, sent or result", path, number);
	return FC_OK;
}

static int begin(struct stage *s, const struct value *example, const char *path, int number, struct error *err)
{
	const struct agent_host host = {s, hear_send, hear_value, hear_online, hear_done};
	struct agent_settings settings = {.name = "example", .poll_ms = 1000};
	const char *at = value_text(value_get(example, "at"));
	int64_t connector, unit, wall = 0;

	if (read_int(example, "connector", 1, 1, s->p->connectors, path, number, &connector, err) ||
	    read_int(example, "unit", 1, 0, 255, path, number, &unit, err))
		return FC_EINVAL;
	if (clock_parse_datetime(at ? at : EXAMPLE_NOW, &wall))
		return wrong(err, path, number, "at", "must be a time such as \"2026-01-01 00:00:00\"");
	settings.unit = (int)unit;
	settings.connectors = s->p->connectors;
	for (int i = 0; i < s->p->connectors; i++)
		settings.numbers[i] = i + 1;
	s->number = (int)connector;
	s->now_us = 1000000;
	s->agent = agent_can.start(s->p, &settings, &host, err);
	if (!s->agent)
		return FC_EINVAL;
	s->agent->wall = wall;
	s->agent->quiet = 1;
	return FC_OK;
}

int examples_run_can(struct profile *p, const struct value *example, const char *path, int number, struct error *err)
{
	struct stage *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set(err, FC_ENOMEM, "device: no memory");
	s->p = p;
	int result = check_keys(example, path, number, err);
	if (!result)
		result = begin(s, example, path, number, err);
	if (!result)
		result = play(s, example, path, number, err);
	if (!result)
		result = check_sent(s, value_get(example, "sent"), path, number, err);
	if (!result)
		result = check_result(s, value_get(example, "result"), path, number, err);
	if (!result)
		result = examples_expect(p, s->values, value_get(example, "expect"), path, number, err);
	agent_can.stop(s->agent);
	free(s);
	return result;
}
