#include "loop/aside.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/usage.h"

enum { STACK = 128 * 1024 };

/* Of the loop and the thread; whoever leaves last frees it. */
struct shared {
	pthread_mutex_t lock;
	struct loop *loop; /* NULL once the owner has left */
	int users, finished;
	void (*work)(void *data);
	void *data; /* the thread's while work is under way, else the owner's */
};

struct aside {
	struct loop *loop;
	struct shared *shared;
	struct loop_waker waker;
	void (*done)(void *user, const void *data);
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
	free(s->data);
	free(s);
}

static void *run(void *user)
{
	struct shared *s = user;

	/* glibc keeps the stack for the next one, with all that was cleared of it. */
	usage_spare_thread();
	s->work(s->data);
	pthread_mutex_lock(&s->lock);
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
	struct aside *aside = user;

	if (!aside->under_way)
		return;
	pthread_mutex_lock(&aside->shared->lock);
	int finished = aside->shared->finished;
	pthread_mutex_unlock(&aside->shared->lock);
	if (!finished)
		return;
	aside->under_way = 0;
	aside->done(aside->user, aside->shared->data);
}

static struct shared *make_shared(struct loop *loop, size_t size, void (*work)(void *data))
{
	struct shared *s = calloc(1, sizeof(*s));
	void *data = calloc(1, size);

	if (!s || !data || pthread_mutex_init(&s->lock, NULL)) {
		free(s);
		free(data);
		return NULL;
	}
	s->loop = loop;
	s->users = 1;
	s->work = work;
	s->data = data;
	return s;
}

struct aside *aside_new(struct loop *loop, size_t size, void (*work)(void *data),
			void (*done)(void *user, const void *data), void *user, struct error *err)
{
	struct aside *aside = calloc(1, sizeof(*aside));
	struct shared *s = aside ? make_shared(loop, size, work) : NULL;

	if (!s) {
		free(aside);
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
		return NULL;
	}
	aside->loop = loop;
	aside->shared = s;
	aside->done = done;
	aside->user = user;
	aside->waker = (struct loop_waker){.fn = woken, .user = aside};
	loop_waker_add(loop, &aside->waker);
	return aside;
}

void *aside_data(struct aside *aside)
{
	return aside->under_way ? NULL : aside->shared->data;
}

int aside_start(struct aside *aside)
{
	struct shared *s = aside->shared;
	pthread_attr_t attributes;
	pthread_t thread;

	if (aside->under_way)
		return FC_EBUSY;
	if (pthread_attr_init(&attributes))
		return FC_EIO;
	pthread_mutex_lock(&s->lock);
	s->users++;
	s->finished = 0;
	pthread_mutex_unlock(&s->lock);
	int failed = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) ||
		     pthread_attr_setstacksize(&attributes, STACK) || pthread_create(&thread, &attributes, run, s);
	(void)pthread_attr_destroy(&attributes);
	if (failed) {
		leave(s);
		return FC_EIO;
	}
	aside->under_way = 1;
	return FC_OK;
}

void aside_free(struct aside *aside)
{
	if (!aside)
		return;
	loop_waker_remove(aside->loop, &aside->waker);
	pthread_mutex_lock(&aside->shared->lock);
	aside->shared->loop = NULL;
	pthread_mutex_unlock(&aside->shared->lock);
	leave(aside->shared);
	free(aside);
}
