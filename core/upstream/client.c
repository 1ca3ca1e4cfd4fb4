#include "upstream/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/business.h"
#include "upstream/pull.h"
#include "upstream/push.h"

enum { BUSINESS_CALLS = 4, HAND_CALLS = 1 };

struct client {
	struct platform *platform;
	struct peer *peer;
	struct push *push;
	struct pull *pull;
	struct business *business; /* NULL without charges, */
	struct auth *auth;         /* and so are these */
	struct reconcile *reconcile;
	struct repeat repeat;
	struct loop_timer timer;
};

static void wake(struct client *client, int64_t delay_ms)
{
	if (loop_timer_set(client->platform->loop, &client->timer, delay_ms > 0 ? delay_ms * 1000 : 1))
		log_error("upstream: %s: timer: no memory", client->platform->options->name);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void pump(void *user)
{
	struct client *client = user;
	int64_t now = clock_mono_ms(), sleep_ms = INT64_MAX;

	/* What money hangs on goes first. */
	if (client->business) {
		sleep_ms = business_pump(client->business, now);
		auth_pump(client->auth);
		sleep_ms = sooner(sleep_ms, reconcile_pump(client->reconcile, now));
	}
	sleep_ms = sooner(sleep_ms, pull_pump(client->pull, now));
	wake(client, sooner(sleep_ms, push_pump(client->push, now) - now));
}

static void on_ready(void *user)
{
	wake(user, 0);
}

static void on_resend(void *user)
{
	struct client *client = user;

	business_order(client->business);
}

static int serve(struct client *client, auth_done decided, void *user, struct error *err)
{
	struct platform *p = client->platform;

	client->push = push_new(p, client->peer, on_ready, client);
	client->pull = pull_new(p, client->peer, on_ready, client);
	if (p->charges) {
		client->business = business_new(p, client->peer, on_ready, client);
		client->auth = auth_new(p, client->peer, decided, user);
		client->reconcile = reconcile_new(p, client->peer, on_resend, client);
	}
	if (client->push && client->pull && (!p->charges || (client->business && client->auth && client->reconcile)))
		return FC_OK;
	return error_set(err, FC_ENOMEM, "upstream: platform %s: no memory", p->options->name);
}

struct client *client_new(struct platform *platform, auth_done decided, void *user, struct error *err)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		(void)error_set(err, FC_ENOMEM, "upstream: platform %s: no memory", platform->options->name);
		return NULL;
	}
	client->platform = platform;
	client->timer = (struct loop_timer){.fn = pump, .user = client};
	client->peer = peer_new(platform, PUSH_CALLS + PULL_CALLS + BUSINESS_CALLS + HAND_CALLS, on_ready, client, err);
	if (!client->peer || serve(client, decided, user, err) || client_apply(client, err)) {
		client_free(client);
		return NULL;
	}
	return client;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	peer_free(client->peer);
	repeat_end(&client->repeat);
	push_free(client->push);
	pull_free(client->pull);
	business_free(client->business);
	auth_free(client->auth);
	reconcile_free(client->reconcile);
	loop_timer_cancel(client->platform->loop, &client->timer);
	free(client);
}

int client_apply(struct client *client, struct error *err)
{
	int result = push_apply(client->push, err);

	peer_changed(client->peer);
	wake(client, 0);
	return result;
}

void client_status_changed(struct client *client, const struct connector *connector)
{
	push_status_changed(client->push, connector);
}

void client_resend(struct client *client)
{
	push_resend(client->push);
}

void client_wake(struct client *client)
{
	wake(client, 0);
}

void client_charge(struct client *client, const struct charge_event *event)
{
	if (!client->business)
		return;
	if (event->kind == CHARGE_SETTLED)
		business_order(client->business);
	else if (!strcmp(event->order->platform, client->platform->options->name))
		business_event(client->business, event);
}

int client_ask(struct client *client, const struct charge_wish *wish)
{
	return client->auth ? auth_ask(client->auth, wish) : FC_ENOENT;
}

int client_reconcile(struct client *client, int32_t day, reconcile_done done, void *user, struct error *err)
{
	if (!client->reconcile)
		return error_set(err, FC_EINVAL, "upstream: %s: no orders go there", client->platform->options->name);
	return reconcile_start(client->reconcile, day, done, user, err);
}

struct repeat *client_repeat(struct client *client)
{
	return &client->repeat;
}

uint64_t client_newest_call(const struct client *client)
{
	return calls_newest(client->platform->calls);
}

struct peer *client_peer(const struct client *client)
{
	return client->peer;
}

void client_order_again(struct client *client)
{
	if (client->business)
		business_order_again(client->business);
}

int client_linked(const struct client *client)
{
	return peer_linked(client->peer);
}

uint32_t client_waiting(const struct client *client)
{
	return push_waiting(client->push) + pull_waiting(client->pull) +
	       (client->business ? business_waiting(client->business) : 0);
}
