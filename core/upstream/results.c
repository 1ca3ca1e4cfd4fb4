#include "upstream/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/life.h"
#include "upstream/tell.h"

enum {
	GIVE_UP_MS = 600000,
	FIRST_MS = 1000,
	LAST_MS = 60000,
	REST_MS = 60000,
};

struct result {
	struct results *all;
	struct result *next;
	char connector_id[ORDER_ID];
	int attempts;
	char seq[JOURNAL_SEQ]; /* no more: a platform that is away for days must not fill the memory */
	int is_stop, good;
	int in_flight, done;
	int64_t due_ms, give_up_ms, pause_ms;
};

struct results {
	struct platform *platform;
	struct peer *peer;
	void (*wake)(void *user);
	void *user;
	struct result *first, *spare;
	int spares;
};

static void put_by(struct results *t, struct result *r)
{
	r->next = t->spare;
	t->spare = r;
	t->spares++;
}

static void fill_up(struct results *t)
{
	while (t->spares < RESULTS_SPARE) {
		struct result *r = calloc(1, sizeof(*r));

		if (!r)
			return;
		put_by(t, r);
	}
}

static struct result *take(struct results *t)
{
	struct result *r = t->spare;

	if (!r)
		return calloc(1, sizeof(*r));
	t->spare = r->next;
	t->spares--;
	return r;
}

static void give_back(struct results *t, struct result *r)
{
	if (t->spares < RESULTS_SPARE)
		put_by(t, r);
	else
		free(r);
}

static void free_all(struct result *r)
{
	while (r) {
		struct result *next = r->next;

		free(r);
		r = next;
	}
}

struct results *results_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user)
{
	struct results *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct results){.platform = platform, .peer = peer, .wake = wake, .user = user};
	fill_up(t);
	if (t->spares == RESULTS_SPARE)
		return t;
	results_free(t);
	return NULL;
}

void results_free(struct results *t)
{
	if (!t)
		return;
	free_all(t->first);
	free_all(t->spare);
	free(t);
}

void results_event(struct results *t, const struct charge_event *event)
{
	struct result *r = take(t), **at = &t->first;
	int64_t now = clock_mono_ms();

	if (!r) {
		log_error("upstream: %s: order %s: result not told: no memory", t->platform->options->name,
			  event->order->seq);
		return;
	}
	*r = (struct result){
	    .all = t,
	    .is_stop = event->kind == CHARGE_STOPPED || event->kind == CHARGE_NOT_STOPPED,
	    .good = event->kind == CHARGE_STARTED || event->kind == CHARGE_STOPPED,
	    .due_ms = now,
	    .give_up_ms = now + GIVE_UP_MS,
	    .pause_ms = FIRST_MS,
	};
	(void)snprintf(r->seq, sizeof(r->seq), "%s", event->order->seq);
	(void)snprintf(r->connector_id, sizeof(r->connector_id), "%s", event->order->connector_id);
	while (*at)
		at = &(*at)->next;
	*at = r;
	t->wake(t->user);
}

static const char *method_of(const struct result *r)
{
	return r->is_stop ? "notification_stop_charge_result" : "notification_start_charge_result";
}

static int is_on(const struct results *t, const struct result *r)
{
	const struct message *message = message_find(method_of(r));

	return message && mapping_enabled(t->platform->mapping, message, t->platform->options);
}

/* Not this time, and given up where its ten minutes are over. */
static void later(struct result *r, int64_t pause_ms)
{
	int64_t now = clock_mono_ms();

	r->due_ms = now + peer_pause_ms(r->all->peer, pause_ms);
	if (now < r->give_up_ms)
		return;
	log_warning("upstream: %s: %s: %s: given up", r->all->platform->options->name, method_of(r), r->seq);
	r->done = 1;
}

static void later_each_time(struct result *r)
{
	later(r, r->pause_ms);
	r->pause_ms = r->pause_ms * 2 < LAST_MS ? r->pause_ms * 2 : LAST_MS;
}

static void told(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct result *r = user;
	struct results *t = r->all;
	int64_t verdict = 0;

	r->in_flight = 0;
	r->attempts++;
	(void)message_verdict(message_find(method_of(r)), answer, &verdict);
	life_called(t->platform, peer_told(t->peer),
		    (struct life_message){.seq = r->seq,
					  .connector = r->connector_id,
					  .method = method_of(r),
					  .answer = outcome != PEER_DONE ? NULL
						    : verdict            ? "discarded by the platform"
									 : "taken",
					  .attempt = r->attempts});
	if (outcome == PEER_DONE || outcome == PEER_REFUSED)
		r->done = 1;
	else
		later_each_time(r);
	t->wake(t->user);
}

struct sending {
	struct result *result;
	int code;
};

static void send_one(void *user, const struct order *order, enum session_state state, const struct connector *connector)
{
	struct sending *s = user;
	struct result *r = s->result;
	const struct platform *p = r->all->platform;
	struct arena arena;

	(void)state;
	(void)connector;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct value *request = r->is_stop ? tell_stop_result(order, r->good, &arena)
					   : tell_start_result(order, r->good, p->options->send_vin, &arena);
	s->code = peer_send(r->all->peer, p, method_of(r), request, &arena, told, r);
	arena_fini(&arena);
}

static void send_it(struct result *r)
{
	struct sending s = {.result = r};
	int code = charge_find(r->all->platform->charges, r->seq, send_one, &s);

	code = code ? code : s.code;
	r->in_flight = !code;
	if (code == FC_ENOMEM || code == FC_EBUSY)
		later(r, FIRST_MS);
	else if (code)
		later_each_time(r);
}

static void sweep(struct results *t)
{
	struct result **at = &t->first;

	while (*at) {
		struct result *r = *at;

		if (!r->done || r->in_flight) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		give_back(t, r);
	}
}

int64_t results_pump(struct results *t, int64_t now)
{
	int64_t next = now + REST_MS;

	sweep(t);
	fill_up(t);
	for (struct result *r = t->first; r; r = r->next) {
		if (r->in_flight || r->done)
			continue;
		if (!is_on(t, r))
			r->done = 1;
		else if (now >= r->due_ms && peer_ready(t->peer))
			send_it(r);
		if (!r->done && r->due_ms < next)
			next = r->due_ms;
	}
	return next;
}

uint32_t results_waiting(const struct results *t)
{
	uint32_t n = 0;

	for (const struct result *r = t->first; r; r = r->next)
		n += !r->done;
	return n;
}
