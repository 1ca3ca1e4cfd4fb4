#include "loop/addresses.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/resolve.h"

static const int64_t fresh_us = 60000000; /* so long a look-up is believed */

struct addresses {
	struct loop *loop;
	struct resolve *resolve; /* NULL: an address, which needs none */
	char *name, *host;
	void (*known)(void *user);
	void *user;
	struct resolve_result found; /* the last that were found, why of the last look-up */
	int first;                   /* which of them worked last */
	int is_doubted;
	int said; /* the log has it that the name can't be looked up */
	int64_t looked_us, asked_us;
	int is_asking;
	struct loop_timer patience;
};

static void tell_later(void *user)
{
	struct addresses *a = user;

	a->known(a->user);
}

static void say(struct addresses *a)
{
	if (*a->found.why && a->found.count && !a->said)
		log_warning("loop: %s: %s can't be looked up (%s): its last addresses are used", a->name, a->host,
			    a->found.why);
	else if (!*a->found.why && a->said)
		log_notice("loop: %s: %s can be looked up again", a->name, a->host);
	a->said = *a->found.why && a->found.count;
}

static void keep_first(struct addresses *a, const struct resolve_result *result)
{
	char last[RESOLVE_TEXT];

	memcpy(last, a->found.addresses[a->first], sizeof(last));
	a->found = *result;
	a->first = 0;
	for (int i = 0; i < result->count; i++)
		if (!strcmp(result->addresses[i], last))
			a->first = i;
}

static void resolved(void *user, const struct resolve_result *result)
{
	struct addresses *a = user;

	a->is_asking = 0;
	a->is_doubted = 0;
	a->looked_us = clock_mono_us();
	if (result->count)
		keep_first(a, result);
	else
		memcpy(a->found.why, result->why, sizeof(a->found.why));
	say(a);
	loop_timer_cancel(a->loop, &a->patience);
	a->known(a->user);
}

struct addresses *addresses_new(struct loop *loop, const char *name, const char *host, void (*known)(void *user),
				void *user, struct error *err)
{
	unsigned char binary[16];
	struct addresses *a = calloc(1, sizeof(*a));

	if (!a) {
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
		return NULL;
	}
	a->loop = loop;
	a->known = known;
	a->user = user;
	a->patience = (struct loop_timer){.fn = tell_later, .user = a};
	a->name = strdup(name);
	a->host = strdup(host);
	if (!a->name || !a->host) {
		(void)error_set(err, FC_ENOMEM, "loop: no memory");
		addresses_free(a);
		return NULL;
	}
	if (inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1) {
		a->found.count = 1;
		(void)snprintf(a->found.addresses[0], RESOLVE_TEXT, "%s", host);
		return a;
	}
	a->resolve = resolve_new(loop, host, resolved, a, err);
	if (!a->resolve) {
		addresses_free(a);
		return NULL;
	}
	return a;
}

void addresses_free(struct addresses *a)
{
	if (!a)
		return;
	loop_timer_cancel(a->loop, &a->patience);
	resolve_free(a->resolve);
	free(a->name);
	free(a->host);
	free(a);
}

static void ask(struct addresses *a)
{
	if (a->is_asking)
		return;
	a->asked_us = clock_mono_us();
	if (resolve_start(a->resolve)) {
		(void)snprintf(a->found.why, sizeof(a->found.why), "no thread to look it up");
		(void)loop_timer_set(a->loop, &a->patience, 1);
		return;
	}
	a->is_asking = 1;
}

int addresses_ready(struct addresses *a)
{
	static const int64_t patience_us = (int64_t)ADDRESSES_PATIENCE_MS * 1000;

	if (!a->resolve)
		return 1;
	int64_t now = clock_mono_us();
	int is_fresh = a->found.count && !a->is_doubted && now - a->looked_us < fresh_us;
	if (is_fresh)
		return 1;
	ask(a);
	if (!a->found.count)
		return 0;
	if (!a->is_doubted || !a->is_asking || now - a->asked_us >= patience_us)
		return 1;
	/* Nobody is told of it who is not waiting for it. */
	return loop_timer_set(a->loop, &a->patience, patience_us - (now - a->asked_us)) ? 1 : 0;
}

int addresses_count(const struct addresses *a)
{
	return a->found.count;
}

int addresses_first(const struct addresses *a)
{
	return a->first;
}

int addresses_next(const struct addresses *a, int number)
{
	return a->found.count ? (number + 1) % a->found.count : 0;
}

const char *addresses_at(const struct addresses *a, int number)
{
	/* Fewer may be known by now. */
	return a->found.addresses[number < a->found.count ? number : a->first];
}

void addresses_worked(struct addresses *a, int number)
{
	if (number < a->found.count)
		a->first = number;
}

void addresses_doubt(struct addresses *a)
{
	a->is_doubted = 1;
}

const char *addresses_why(const struct addresses *a)
{
	return a->found.why;
}
