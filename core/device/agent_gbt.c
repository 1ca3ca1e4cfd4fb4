/* The agent "gbt27930": a listener between a charger and a vehicle (gbt27930.h). It has no way to send. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/can.h"
#include "device/agent.h"
#include "device/gbt27930.h"

enum {
	LOOK_US = 500000,   /* how often time-outs and silence are looked for */
	REPEAT_US = 500000, /* what does not change is told again so often: far within the 3 s that the host allows */
	MASKED = 24,
};
/* What stands for the session is told again so often. */
static const int64_t STAND_US = 3600000000;

struct agent {
	struct gbt *g;
	const struct profile *profile;
	struct agent_host host;
	char name[64];
	int up;
	uint32_t changes;                           /* of the decoder, when everything was told last */
	struct point_value told[DEVICE_POINTS_MAX]; /* with the time of the decoder's value */
	int64_t told_us[DEVICE_POINTS_MAX];         /* and when; 0: not yet */
};

/* Times are the decoder's: a replay may have its own. */
static void tell(struct agent *a, int point, int64_t now_us)
{
	int count, signal = a->profile->points[point].signal - 1;
	struct point_value v, *last = &a->told[point];

	if (signal < 0 || gbt_get(a->g, signal, &v))
		return;
	const struct gbt_signal *s = &gbt_signals(&count)[signal];
	int same =
	    a->told_us[point] && v.quality == last->quality && v.milli == last->milli && !strcmp(v.text, last->text);
	int64_t since = now_us - a->told_us[point];

	if (same && (v.quality == QUALITY_UNKNOWN || (s->period_ms && v.mono_us == last->mono_us) ||
		     since < (s->period_ms ? REPEAT_US : STAND_US)))
		return;
	*last = v;
	a->told_us[point] = now_us;
	/* What is said once is true as long as the session lasts, which the decoder knows, not only while it is young. */
	if (!s->period_ms)
		v.mono_us = 0;
	a->host.value(a->host.user, 0, point, &v);
}

/* message: only what that one says, unless something changed that anything may depend on; -1: all. */
static void tell_points(struct agent *a, int message, int64_t now_us)
{
	int count, all = message < 0 || gbt_changes(a->g) != a->changes;
	const struct gbt_signal *signals = gbt_signals(&count);

	a->changes = gbt_changes(a->g);
	for (int i = 0; i < a->profile->point_count; i++) {
		int signal = a->profile->points[i].signal - 1;

		if (all || (signal >= 0 && signals[signal].place.message == message))
			tell(a, i, now_us);
	}
}

static void log_phase(const struct agent *a, const struct gbt_event *e)
{
	const struct gbt_reason *stop = gbt_stop(a->g);
	char vin[GBT_VIN_SIZE], masked[MASKED];

	if (e->phase == GBT_CHARGING)
		log_info("device: %s: charging, vehicle %s", a->name,
			 gbt_vin(a->g, vin) ? log_mask(vin, masked, sizeof(masked)) : "not known");
	else if (e->phase == GBT_ENDED || e->phase == GBT_ERROR)
		log_info("device: %s: %s: %s", a->name, gbt_phase_name(e->phase), stop ? stop->en : "no reason");
	else
		log_debug("device: %s: %s", a->name, gbt_phase_name(e->phase));
}

static void on_event(void *user, const struct gbt_event *e)
{
	struct agent *a = user;

	switch (e->what) {
	case GBT_PHASE:
		log_phase(a, e);
		/* A session that another one follows at once is told before it is gone. */
		if (a->up && e->phase == GBT_ENDED)
			tell_points(a, -1, e->mono_us);
		break;
	case GBT_EDITION:
		log_debug("device: %s: edition %d", a->name, (int)e->edition);
		break;
	case GBT_RESTARTED:
		log_info("device: %s: begun again from %s", a->name, gbt_phase_name(e->from));
		break;
	case GBT_WAITED:
		log_info("device: %s: %s", a->name, e->wait->en);
		break;
	case GBT_TRANSPORT:
		log_debug("device: %s: message 0x%04x failed after %d packets", a->name, (unsigned)e->transport->pgn,
			  e->transport->packets);
		break;
	}
}

static void *start(const struct profile *profile, const struct agent_settings *settings, const struct agent_host *host,
		   struct error *err)
{
	struct agent *a = calloc(1, sizeof(*a));

	if (a)
		a->g = gbt_new(on_event, a);
	if (!a || !a->g) {
		free(a);
		(void)error_set(err, FC_ENOMEM, "device: %s: no memory", settings->name);
		return NULL;
	}
	a->profile = profile;
	a->host = *host;
	(void)snprintf(a->name, sizeof(a->name), "%s", settings->name);
	return a;
}

static void stop(void *agent)
{
	struct agent *a = agent;

	gbt_free(a->g);
	free(a);
}

static void adopt(void *agent, const struct profile *profile)
{
	struct agent *a = agent;

	a->profile = profile;
	/* The points may stand in another order now. */
	memset(a->told_us, 0, sizeof(a->told_us));
}

static void port(void *agent, int up)
{
	struct agent *a = agent;

	if (a->up && !up)
		gbt_deaf(a->g, clock_mono_us());
	if (!a->up && up)
		memset(a->told_us, 0, sizeof(a->told_us));
	a->up = up;
	/* The bus between a charger and no vehicle is silent, and rightly so. */
	if (up)
		a->host.heard(a->host.user, 1);
}

static void frame(void *agent, const struct can_frame *f)
{
	struct agent *a = agent;
	int message = gbt_frame(a->g, f);

	if (a->up && (message >= 0 || gbt_changes(a->g) != a->changes))
		tell_points(a, message, f->mono_us);
}

static int64_t run(void *agent, int64_t now_us)
{
	struct agent *a = agent;

	/* While the port is down nobody listens: that time says nothing of a silent bus. */
	if (!a->up)
		return now_us + LOOK_US;
	gbt_tick(a->g, now_us);
	tell_points(a, -1, now_us);
	return now_us + LOOK_US;
}

/* Between the two, whatever the message and its priority: the low 16 bits are the addresses. */
static int filters(void *agent, struct can_filter *out, int most)
{
	(void)agent;
	if (most < 2)
		return 0;
	out[0] = (struct can_filter){.id = GBT_CAR << 8 | GBT_CHARGER, .mask = 0xffff, .extended = 1};
	out[1] = (struct can_filter){.id = GBT_CHARGER << 8 | GBT_CAR, .mask = 0xffff, .extended = 1};
	return 2;
}

const struct agent_kind agent_gbt27930 = {
    .name = "gbt27930",
    .listens = 1,
    .start = start,
    .stop = stop,
    .adopt = adopt,
    .port = port,
    .frame = frame,
    .run = run,
    .filters = filters,
};
