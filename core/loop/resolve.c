#include "loop/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#ifdef __GLIBC__
#include <resolv.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/usage.h"
#include "loop/aside.h"

struct question {
	char host[256];
	struct resolve_result result;
};

struct resolve {
	struct aside *aside;
	void (*done)(void *user, const struct resolve_result *result);
	void *user;
};

enum { ROOM = 64 << 10 };

int resolve_prepare(struct error *err)
{
#ifdef __GLIBC__
	/* The second reads the choice of name services, and then a file: it asks nobody on the network. */
	if (!usage_has_room(ROOM) || res_init())
		return error_set(err, FC_ENOMEM, "loop: names can't be looked up: no memory");
	(void)getprotobyname("tcp");
#else
	(void)err;
#endif
	return FC_OK;
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

static void work(void *data)
{
	struct question *q = data;

	look_up(q->host, &q->result);
}

static void found(void *user, const void *data)
{
	struct resolve *resolve = user;
	/* A copy: done may start the next look-up, or free us. */
	struct resolve_result result = ((const struct question *)data)->result;

	resolve->done(resolve->user, &result);
}

struct resolve *resolve_new(struct loop *loop, const char *host,
			    void (*done)(void *user, const struct resolve_result *result), void *user,
			    struct error *err)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (!resolve) {
		(void)error_set(err, FC_ENOMEM, "resolve: no memory");
		return NULL;
	}
	resolve->done = done;
	resolve->user = user;
	resolve->aside = aside_new(loop, sizeof(struct question), work, found, resolve, err);
	if (!resolve->aside) {
		free(resolve);
		return NULL;
	}
	struct question *q = aside_data(resolve->aside);
	(void)snprintf(q->host, sizeof(q->host), "%s", host);
	return resolve;
}

int resolve_start(struct resolve *resolve)
{
	int result = aside_start(resolve->aside);

	return result == FC_EBUSY ? FC_OK : result;
}

void resolve_free(struct resolve *resolve)
{
	if (!resolve)
		return;
	aside_free(resolve->aside);
	free(resolve);
}
