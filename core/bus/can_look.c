#include "bus/can_look.h"

#include <stdlib.h>
#include <string.h>

#include "loop/aside.h"

static int differs(const struct can_look_ask *ask, const struct can_look *look)
{
	const struct can_link *link = &look->link;
	uint32_t want = ask->want.bitrate;

	if (!link->controller)
		return 0;
	/* The driver tells what its clock can really do. */
	if (want && (link->bitrate < want - want / 50 || link->bitrate > want + want / 50))
		return 1;
	return !link->listen_only != !(ask->want.listen_only && !look->no_listen_only) ||
	       link->restart_ms != (look->no_restart ? 0 : ask->want.restart_ms) ||
	       (ask->want.sample_point && link->sample_point != ask->want.sample_point);
}

/* What the driver can't do is left out: first to listen only, then to restart by itself. */
static int configure(const struct can_look_ask *ask, struct can_look *look)
{
	struct can_link_settings settings = ask->want;

	for (;;) {
		int result = can_link_configure(look->link.index, &settings, &look->err);

		if (result != FC_EINVAL)
			return result;
		if (settings.listen_only) {
			settings.listen_only = 0;
			look->no_listen_only = 1;
		} else if (settings.restart_ms) {
			settings.restart_ms = 0;
			look->no_restart = 1;
		} else {
			break;
		}
	}
	/* It was something else. */
	look->no_listen_only = look->no_restart = 0;
	return error_set(&look->err, FC_EINVAL, "the controller can't be set to %u bit/s", ask->want.bitrate);
}

static int set_up(const struct can_look_ask *ask, struct can_look *look)
{
	int result = FC_OK;

	if (look->link.controller && look->link.up)
		result = can_link_set_up(look->link.index, 0, &look->err);
	if (!result && look->link.controller)
		result = configure(ask, look);
	return result ? result : can_link_set_up(look->link.index, 1, &look->err);
}

static void restart(struct can_look *look)
{
	look->restarted = 1;
	if (!can_link_restart(look->link.index, NULL))
		return;
	look->restarted = 2;
	(void)can_link_set_up(look->link.index, 0, NULL);
	(void)can_link_set_up(look->link.index, 1, NULL);
}

/* A driver that can't listen only or restart differs for good: it is known by what it does after it was set up. */
static void look_at(const struct can_look_ask *ask, struct can_look *look)
{
	memset(look, 0, sizeof(*look));
	look->result = can_link_get(ask->name, &look->link, &look->err);
	if (look->result || !look->link.is_can)
		return;
	look->differs = differs(ask, look);
	if (ask->bring_up && (!look->link.up || look->differs)) {
		look->left = ask->not_now == look->link.index;
		look->tried = !look->left;
		if (look->tried)
			look->set_up = set_up(ask, look);
	} else if (ask->restart && look->link.up && look->link.state == CAN_LINK_BUS_OFF) {
		restart(look);
	}
	if (look->tried || look->restarted)
		look->result = can_link_get(ask->name, &look->link, look->set_up ? NULL : &look->err);
	if (!look->result && look->tried)
		look->differs = differs(ask, look);
}

struct job {
	struct can_look_ask ask;
	struct can_look look;
};

struct can_looker {
	struct aside *aside;
	void (*done)(void *user, const struct can_look *look);
	void *user;
};

static void work(void *data)
{
	struct job *job = data;

	look_at(&job->ask, &job->look);
}

static void looked(void *user, const void *data)
{
	struct can_looker *looker = user;
	/* A copy: done may start the next look, or free us. */
	struct can_look look = ((const struct job *)data)->look;

	looker->done(looker->user, &look);
}

struct can_looker *can_looker_new(struct loop *loop, void (*done)(void *user, const struct can_look *look), void *user,
				  struct error *err)
{
	struct can_looker *looker = calloc(1, sizeof(*looker));

	if (!looker) {
		(void)error_set(err, FC_ENOMEM, "bus: CAN: no memory");
		return NULL;
	}
	looker->done = done;
	looker->user = user;
	looker->aside = aside_new(loop, sizeof(struct job), work, looked, looker, err);
	if (!looker->aside) {
		free(looker);
		return NULL;
	}
	return looker;
}

int can_looker_start(struct can_looker *looker, const struct can_look_ask *ask)
{
	struct job *job = aside_data(looker->aside);

	if (!job)
		return FC_EBUSY;
	job->ask = *ask;
	return aside_start(looker->aside);
}

void can_looker_free(struct can_looker *looker)
{
	if (!looker)
		return;
	aside_free(looker->aside);
	free(looker);
}
