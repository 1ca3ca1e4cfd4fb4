#include "bus/can_look.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STACK = 128 * 1024 };

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

/* Shared by the loop and the thread; whoever leaves last frees it. */
struct shared {
	pthread_mutex_t lock;
	struct loop *loop; /* NULL once the owner has left */
	int users, finished;
	struct can_look_ask ask;
	struct can_look look;
};

struct can_looker {
	struct loop *loop;
	struct shared *shared;
	struct loop_waker waker;
	void (*done)(void *user, const struct can_look *look);
	void *user;
	int under_way;
};

static void leave(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
	int last = --s->users == 0;
	pthread_mutex_unlock(&s->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void *work(void *user)
{
	struct shared *s = user;
	struct can_look look;

	/* The owner changes it only when no look is under way. */
	look_at(&s->ask, &look);
	pthread_mutex_lock(&s->lock);
	s->look = look;
	s->finished = 1;
	/* Under the lock: the loop can't go away while it is woken. */
	if (s->loop)
		loop_wake(s->loop);
	pthread_mutex_unlock(&s->lock);
	leave(s);
	return NULL;
}

static void woken(void *user)
{
	struct can_looker *looker = user;
	struct can_look look;

	if (!looker->under_way)
		return;
	pthread_mutex_lock(&looker->shared->lock);
	int finished = looker->shared->finished;
	look = looker->shared->look;
	pthread_mutex_unlock(&looker->shared->lock);
	if (!finished)
		return;
	looker->under_way = 0;
	looker->done(looker->user, &look);
}

struct can_looker *can_looker_new(struct loop *loop, void (*done)(void *user, const struct can_look *look), void *user,
				  struct error *err)
{
	struct can_looker *looker = calloc(1, sizeof(*looker));
	struct shared *s = calloc(1, sizeof(*s));

	if (!looker || !s || pthread_mutex_init(&s->lock, NULL)) {
		free(looker);
		free(s);
		(void)error_set(err, FC_ENOMEM, "bus: CAN: no memory");
		return NULL;
	}
	s->loop = loop;
	s->users = 1;
	looker->loop = loop;
	looker->shared = s;
	looker->done = done;
	looker->user = user;
	looker->waker = (struct loop_waker){.fn = woken, .user = looker};
	loop_waker_add(loop, &looker->waker);
	return looker;
}

int can_looker_start(struct can_looker *looker, const struct can_look_ask *ask)
{
	struct shared *s = looker->shared;
	pthread_attr_t attributes;
	pthread_t thread;

	if (looker->under_way)
		return FC_EBUSY;
	if (pthread_attr_init(&attributes))
		return FC_EIO;
	pthread_mutex_lock(&s->lock);
	s->users++;
	s->finished = 0;
	s->ask = *ask;
	pthread_mutex_unlock(&s->lock);
	int failed = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) ||
		     pthread_attr_setstacksize(&attributes, STACK) || pthread_create(&thread, &attributes, work, s);
	(void)pthread_attr_destroy(&attributes);
	if (failed) {
		leave(s);
		return FC_EIO;
	}
	looker->under_way = 1;
	return FC_OK;
}

void can_looker_free(struct can_looker *looker)
{
	if (!looker)
		return;
	loop_waker_remove(looker->loop, &looker->waker);
	pthread_mutex_lock(&looker->shared->lock);
	looker->shared->loop = NULL;
	pthread_mutex_unlock(&looker->shared->lock);
	leave(looker->shared);
	free(looker);
}
