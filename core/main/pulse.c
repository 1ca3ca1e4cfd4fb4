#include "main/pulse.h"

#include <stdio.h>
#include <stdlib.h>

#include "bus/bus.h"
#include "main/restarts.h"

/* More of them at a time are one fault: the first are named. */
enum { STUCK_MAX = 8 };

struct stuck {
	char name[BUS_NAME_MAX];
	int64_t since_us;
};

struct pulse {
	const struct device_set *devices;
	struct watchdog *watchdog;
	struct stuck stuck[STUCK_MAX];
	int count;
	struct restarts restarts;
	int is_of_use; /* that the box is restarted for what is stuck */
};

static int is_armed(const struct pulse *p)
{
	struct watchdog_state state;

	watchdog_get_state(p->watchdog, &state);
	return state.is_open;
}

static int look(void *user, int64_t now_us, char *why, size_t size)
{
	struct pulse *p = user;
	struct bus_line_stats stats;
	const char *name;

	p->count = 0;
	for (int i = 0; !device_bus_line(p->devices, i, &name, &stats); i++) {
		struct bus_line *line = device_line_bus(p->devices, i);
		int64_t held_us = line ? bus_line_stuck_us(line, now_us) : 0;

		if (!held_us || p->count == STUCK_MAX)
			continue;
		struct stuck *s = &p->stuck[p->count++];
		s->since_us = now_us - held_us;
		(void)snprintf(s->name, sizeof(s->name), "%s", name);
	}
	p->is_of_use = restarts_look(&p->restarts, p->count > 0, is_armed(p), now_us);
	if (!p->is_of_use)
		return 0;
	if (p->count)
		(void)snprintf(why, size, "bus %s: its driver has not come back for %lld s%s", p->stuck[0].name,
			       (long long)((now_us - p->stuck[0].since_us) / 1000000),
			       p->count > 1 ? ", and it is not the only one" : "");
	return p->count;
}

static void say_stuck(const struct pulse *p, struct alarms *alarms, const struct stuck *s)
{
	alarms_say(alarms, &(struct alarm_fault){
			       .kind = ALARM_BUS_STUCK,
			       .object = s->name,
			       .key = p->is_of_use ? "bus.stuck" : "bus.stuck_still",
			       .cause = p->is_of_use
					    ? "the driver of its port does not come back: its worker stands still"
					    : "the driver of its port does not come back, nor did it after restarts of "
					      "the box: it is not restarted again",
			       .since_us = s->since_us});
}

static void see(void *user, struct alarms *alarms, int64_t now_us)
{
	const struct pulse *p = user;
	struct watchdog_state state;
	char cause[ALARM_CAUSE];

	(void)now_us;
	for (int i = 0; i < p->count; i++)
		say_stuck(p, alarms, &p->stuck[i]);
	watchdog_get_state(p->watchdog, &state);
	if (!*state.device || !*state.why)
		return;
	(void)snprintf(cause, sizeof(cause), "the watchdog is not fed: %s", state.why);
	alarms_say(alarms, &(struct alarm_fault){.kind = ALARM_WATCHDOG_UNFED,
						 .object = "",
						 .name = "watchdog",
						 .key = "watchdog.unfed",
						 .cause = cause,
						 .arguments = {{"why", state.why}}});
}

struct pulse *pulse_new(struct loop *loop, const struct device_set *devices, struct error *err)
{
	struct pulse *p = calloc(1, sizeof(*p));

	if (!p) {
		(void)error_set(err, FC_ENOMEM, "main: no memory");
		return NULL;
	}
	p->devices = devices;
	p->is_of_use = 1;
	p->watchdog = watchdog_new(loop, look, p, err);
	if (p->watchdog)
		return p;
	free(p);
	return NULL;
}

void pulse_apply(struct pulse *p, const struct config *config)
{
	/* It changes only with a new start. */
	if (!*p->restarts.path)
		restarts_open(&p->restarts, config->gateway.data_dir);
	watchdog_set(p->watchdog, config->gateway.watchdog, config->gateway.watchdog_s);
}

int pulse_tell(struct pulse *p, struct alarms *alarms)
{
	return alarms_add_source(alarms, see, p);
}

void pulse_end(struct pulse *p)
{
	watchdog_end(p->watchdog);
}

void pulse_free(struct pulse *p)
{
	if (!p)
		return;
	watchdog_free(p->watchdog);
	free(p);
}

void pulse_get_state(const struct pulse *p, struct watchdog_state *state)
{
	if (p)
		watchdog_get_state(p->watchdog, state);
	else
		*state = (struct watchdog_state){.device = "", .why = ""};
}
