#include "device/frames.h"

#include "base/clock.h"
#include "bus/can_text.h"
#include "device/agent.h"
#include "device/sample.h"

struct player {
	struct profile *profile;
	int connector;
	int64_t now_us;
	struct point_value *values;
};

static int send_nowhere(void *user, const struct can_frame *frame)
{
	(void)user;
	(void)frame;
	return FC_OK;
}

static void take_value(void *user, int number, int point, const struct point_value *value)
{
	struct player *p = user;
	struct point_value said = *value, out = {.quality = QUALITY_UNKNOWN};

	if (point < 0 || point >= p->profile->point_count || (number && number != p->connector))
		return;
	said.mono_us = p->now_us;
	sample_said(p->profile, point, &said, p->connector, p->values, &out);
	p->values[point] = out;
}

static void take_heard(void *user, int online)
{
	struct player *p = user;

	for (int i = 0; !online && i < p->profile->point_count; i++)
		p->values[i].quality = QUALITY_UNKNOWN;
}

static void take_done(void *user, int number, enum bus_status status)
{
	(void)user;
	(void)number;
	(void)status;
}

static int play(struct player *p, const struct agent_kind *kind, void *agent, const struct value *frames,
		const char *path, int number, struct error *err)
{
	struct error why = {0};
	int n = 0;

	kind->port(agent, 1);
	(void)kind->run(agent, p->now_us);
	value_each (v, frames) {
		struct can_frame frame;
		const char *text = value_text(v);

		if (++n > FRAMES_MAX)
			return error_set(err, FC_EINVAL, "%s: examples[%d].frames: more than %d", path, number,
					 FRAMES_MAX);
		if (!text || can_frame_parse(text, &frame, &why) || frame.error)
			return error_set(err, FC_EINVAL,
					 "%s: examples[%d].frames[%d]: must be a frame such as \"1826F456#010100\"%s%s",
					 path, number, n, *why.text ? ": " : "", why.text);
		p->now_us += FRAMES_STEP_US;
		frame.mono_us = p->now_us;
		kind->frame(agent, &frame);
		(void)kind->run(agent, p->now_us);
	}
	return FC_OK;
}

int frames_run(struct profile *profile, const struct value *example, const char *path, int number,
	       struct point_value *values, struct error *err)
{
	const struct value *frames = value_get(example, "frames");
	struct player player = {.profile = profile, .values = values, .connector = 1, .now_us = clock_mono_us()};
	const struct agent_host host = {
	    .user = &player, .send = send_nowhere, .value = take_value, .heard = take_heard, .done = take_done};
	struct agent_settings settings = {
	    .name = "example", .unit = 1, .numbers = {1}, .connectors = 1, .poll_ms = 1000};
	int64_t connector = 1, unit = 1;
	struct error why = {0};

	if (value_get(example, "connector") && (value_to_int(value_get(example, "connector"), &connector) ||
						connector < 1 || connector > profile->connectors))
		return error_set(err, FC_EINVAL, "%s: examples[%d].connector: must be 1 to %d", path, number,
				 profile->connectors);
	if (value_get(example, "unit") && (value_to_int(value_get(example, "unit"), &unit) || unit < 0 || unit > 255))
		return error_set(err, FC_EINVAL, "%s: examples[%d].unit: must be 0 to 255", path, number);
	if (!value_is_array(frames))
		return error_set(err, FC_EINVAL, "%s: examples[%d].frames: must be a list of texts", path, number);
	player.connector = settings.numbers[0] = (int)connector;
	settings.unit = (int)unit;
	void *agent = profile->agent->start(profile, &settings, &host, &why);
	if (!agent)
		return error_set(err, FC_EINVAL, "%s: examples[%d]: %s", path, number, why.text);
	int result = play(&player, profile->agent, agent, frames, path, number, err);
	profile->agent->stop(agent);
	return result;
}
