#include "loop/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK = 128 * 1024 };

/* Shared by the loop and the thread; whoever leaves last frees it. */
struct shared {
	pthread_mutex_t lock;
	struct loop *loop; /* NULL once the owner has left */
	char host[256];
	int users;
	int finished;
	struct resolve_result result;
};

struct resolve {
	struct loop *loop;
	struct shared *shared;
	struct loop_waker waker;
	void (*done)(void *user, const struct resolve_result *result);
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

static void look_up(const char *host, struct resolve_result *result)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC}, *list = NULL;

	*result = (struct resolve_result){0};
	int failed = getaddrinfo(host, NULL, &hints, &list);
	if (failed)
		(void)snprintf(result->why, sizeof(result->why), "%s", gai_strerror(failed));
	for (const struct addrinfo *a = failed ? NULL : list; a && result->count < RESOLVE_ADDRESSES; a = a->ai_next)
		if (!getnameinfo(a->ai_addr, a->ai_addrlen, result->addresses[result->count], RESOLVE_TEXT, NULL, 0,
				 NI_NUMERICHOST))
			result->count++;
	if (list)
		freeaddrinfo(list);
}

static void *work(void *user)
{
	struct shared *s = user;
	struct resolve_result result;

	look_up(s->host, &result);
	pthread_mutex_lock(&s->lock);
	s->result = result;
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
	struct resolve *resolve = user;
	struct resolve_result result;

	if (!resolve->under_way)
		return;
	pthread_mutex_lock(&resolve->shared->lock);
	int finished = resolve->shared->finished;
	resolve->shared->finished = 0;
	result = resolve->shared->result;
	pthread_mutex_unlock(&resolve->shared->lock);
	if (!finished)
		return;
	resolve->under_way = 0;
	resolve->done(resolve->user, &result);
}

struct resolve *resolve_new(struct loop *loop, const char *host,
			    void (*done)(void *user, const struct resolve_result *result), void *user,
			    struct error *err)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));
	struct shared *s = calloc(1, sizeof(*s));

	if (!resolve || !s || pthread_mutex_init(&s->lock, NULL)) {
		free(resolve);
		free(s);
		(void)error_set(err, FC_ENOMEM, "resolve: no memory");
		return NULL;
	}
	s->loop = loop;
	s->users = 1;
	(void)snprintf(s->host, sizeof(s->host), "%s", host);
	resolve->loop = loop;
	resolve->shared = s;
	resolve->done = done;
	resolve->user = user;
	resolve->waker = (struct loop_waker){.fn = woken, .user = resolve};
	loop_waker_add(loop, &resolve->waker);
	return resolve;
}

int resolve_start(struct resolve *resolve)
{
	pthread_attr_t attributes;
	pthread_t thread;

	if (resolve->under_way)
		return FC_OK;
	if (pthread_attr_init(&attributes))
		return FC_EIO;
	pthread_mutex_lock(&resolve->shared->lock);
	resolve->shared->users++;
	resolve->shared->finished = 0;
	pthread_mutex_unlock(&resolve->shared->lock);
	int failed = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) ||
		     pthread_attr_setstacksize(&attributes, STACK) ||
		     pthread_create(&thread, &attributes, work, resolve->shared);
	(void)pthread_attr_destroy(&attributes);
	if (failed) {
		leave(resolve->shared);
		return FC_EIO;
	}
	resolve->under_way = 1;
	return FC_OK;
}

void resolve_free(struct resolve *resolve)
{
	if (!resolve)
		return;
	loop_waker_remove(resolve->loop, &resolve->waker);
	pthread_mutex_lock(&resolve->shared->lock);
	resolve->shared->loop = NULL;
	pthread_mutex_unlock(&resolve->shared->lock);
	leave(resolve->shared);
	free(resolve);
}
