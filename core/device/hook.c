#include "device/hook.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static const int64_t say_again_us = 60000000;

struct asked {
	const struct profile *profile;
	const struct point_value *values;
};

static void to_scalar(const struct point_value *v, struct script_scalar *out)
{
	*out = (struct script_scalar){.kind = v->is_text ? SCRIPT_TEXT : SCRIPT_NUMBER};
	if (v->is_text)
		(void)snprintf(out->text, sizeof(out->text), "%s", v->text);
	else if (v->milli % 1000)
		out->number = (double)v->milli / 1000;
	else
		*out = (struct script_scalar){.kind = SCRIPT_WHOLE, .whole = v->milli / 1000};
}

static int get(void *user, const char *name, struct script_scalar *out)
{
	const struct asked *asked = user;
	int point = profile_point(asked->profile, name);

	if (point < 0)
		return FC_ENOENT;
	if (asked->values[point].quality == QUALITY_GOOD)
		to_scalar(&asked->values[point], out);
	return FC_OK;
}

static int from_scalar(const struct script_scalar *s, struct point_value *v)
{
	double milli;

	v->is_text = s->kind == SCRIPT_TEXT;
	switch (s->kind) {
	case SCRIPT_NIL:
		return FC_ENOENT;
	case SCRIPT_TEXT:
		(void)snprintf(v->text, sizeof(v->text), "%s", s->text);
		return FC_OK;
	case SCRIPT_WHOLE:
		return __builtin_mul_overflow(s->whole, (int64_t)1000, &v->milli) ? FC_ENOENT : FC_OK;
	case SCRIPT_NUMBER:
		break;
	}
	milli = s->number * 1000;
	if (!isfinite(milli) || fabs(milli) >= 9.2e18)
		return FC_ENOENT;
	v->milli = llround(milli);
	return FC_OK;
}

static void complain(struct profile *p, const char *point, const char *why)
{
	int64_t now = clock_mono_us();

	p->hooks.failures++;
	if (p->hooks.said_us && now - p->hooks.said_us < say_again_us) {
		p->hooks.unsaid++;
		return;
	}
	log_warning("device: profile %s: point %s is unknown: %s (%d failures before it were not told)", p->name, point,
		    why, p->hooks.unsaid);
	p->hooks.said_us = now;
	p->hooks.unsaid = 0;
}

int hook_run(struct profile *p, int place, const uint16_t *words, int number, const struct point_value *values,
	     struct point_value *v)
{
	const struct point *point = &p->points[place];
	struct asked asked = {p, values};
	struct script_hook hook = {
	    .number = number, .get = get, .user = &asked, .instructions = HOOK_INSTRUCTIONS, .time_ms = HOOK_TIME_MS};
	struct script_scalar out = {0};
	struct error err = {0};
	char path[PROFILE_NAME + 16];

	if (point->type == POINT_RAW) {
		hook.words = words;
		hook.count = point->words;
	} else {
		to_scalar(v, &hook.raw);
	}
	(void)snprintf(path, sizeof(path), "points.%s.hook", point->name);
	p->hooks.calls++;
	if (!script_call_hook(p->script, path, &hook, &out, &err))
		return from_scalar(&out, v);
	complain(p, point->name, err.text);
	return FC_ESCRIPT;
}
