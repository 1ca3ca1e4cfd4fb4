#include "upstream/states.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/life.h"
#include "upstream/tell.h"

enum {
	STATES_MAX = 64, /* states that may be late at a time; the next round takes the rest */
	REST_MS = 60000,
};
static const char order_status[] = "notification_equip_charge_status";

struct state {
	char seq[JOURNAL_SEQ], connector_id[ORDER_ID];
	int64_t due_ms;
	int seen; /* still runs */
	/* For the order's life. */
	int64_t count, failed, first_at;
	struct life_message last;
	char last_text[80];
};

/* A push of a state that is under way: the charge may be over before it is answered. */
struct pushed {
	struct states *states;
	struct pushed *next;
	char seq[JOURNAL_SEQ];
};

struct states {
	struct platform *platform;
	struct peer *peer;
	struct state list[STATES_MAX];
	int count;
	struct pushed *pushed;
};

struct states *states_new(struct platform *platform, struct peer *peer)
{
	struct states *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->platform = platform;
	t->peer = peer;
	return t;
}

void states_free(struct states *t)
{
	if (!t)
		return;
	while (t->pushed) {
		struct pushed *next = t->pushed->next;

		free(t->pushed);
		t->pushed = next;
	}
	free(t);
}

static struct state *find_state(struct states *t, const char *seq)
{
	for (int i = 0; i < t->count; i++)
		if (!strcmp(t->list[i].seq, seq))
			return &t->list[i];
	return NULL;
}

/* The first is told as it comes, the others with the last, when the charge is over. */
static void count_state(struct states *t, struct state *s, int is_good)
{
	const struct peer_told *told = peer_told(t->peer);

	s->failed += !is_good;
	(void)snprintf(s->last_text, sizeof(s->last_text), "%s", told->text);
	s->last = (struct life_message){.method = order_status,
					.has_ret = told->has_ret,
					.ret = told->ret,
					.answer = is_good ? "taken" : NULL,
					.duration_ms = told->duration_ms};
	if (s->count++)
		return;
	s->first_at = clock_wall();
	s->last.seq = s->seq;
	s->last.connector = s->connector_id;
	s->last.text = *s->last_text ? s->last_text : NULL;
	life_message(t->platform, &s->last);
}

static void tell_states(const struct states *t, const struct state *s)
{
	struct life_message last = s->last;

	if (s->count < 2)
		return;
	last.seq = s->seq;
	last.connector = s->connector_id;
	last.text = *s->last_text ? s->last_text : NULL;
	last.count = s->count;
	last.failed = s->failed;
	last.first_at = s->first_at;
	life_message(t->platform, &last);
}

static void state_done(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct pushed *pushed = user, **at = &pushed->states->pushed;
	struct state *s = find_state(pushed->states, pushed->seq);

	/* What failed is not sent again: the next one says more than a repeat of this one would. */
	(void)answer;
	if (s)
		count_state(pushed->states, s, outcome == PEER_DONE);
	while (*at != pushed)
		at = &(*at)->next;
	*at = pushed->next;
	free(pushed);
}

static int push_state(struct states *t, const struct order *order, enum session_state state,
		      const struct connector *connector)
{
	struct pushed *pushed = calloc(1, sizeof(*pushed));
	struct arena arena;

	if (!pushed)
		return FC_ENOMEM;
	pushed->states = t;
	(void)snprintf(pushed->seq, sizeof(pushed->seq), "%s", order->seq);
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct value *request = tell_snapshot(order, state, connector, &arena);
	int result = peer_send(t->peer, t->platform, order_status, request, &arena, state_done, pushed);
	arena_fini(&arena);
	if (result) {
		free(pushed);
		return result;
	}
	pushed->next = t->pushed;
	t->pushed = pushed;
	return FC_OK;
}

static int64_t status_ms(const struct states *t)
{
	return (int64_t)(mapping_timing(t->platform->mapping, TIMING_CHARGE_STATUS_S, -1) * 1000);
}

static void look_at_charge(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector)
{
	struct states *t = user;
	int64_t now = clock_mono_ms();

	if (strcmp(order->platform, t->platform->options->name) != 0)
		return;
	struct state *s = find_state(t, order->seq);
	if (!s && t->count < STATES_MAX) {
		s = &t->list[t->count++];
		*s = (struct state){.due_ms = now + status_ms(t)};
		(void)snprintf(s->seq, sizeof(s->seq), "%s", order->seq);
		(void)snprintf(s->connector_id, sizeof(s->connector_id), "%s", order->connector_id);
	}
	if (!s)
		return;
	s->seen = 1;
	if (now < s->due_ms || !peer_ready(t->peer))
		return;
	if (!push_state(t, order, state, connector))
		s->due_ms = now + status_ms(t);
}

int64_t states_pump(struct states *t, int64_t now)
{
	const struct platform *p = t->platform;
	int64_t next = now + REST_MS;
	int kept = 0;

	if (!mapping_enabled(p->mapping, message_find(order_status), p->options))
		return next;

	for (int i = 0; i < t->count; i++)
		t->list[i].seen = 0;
	charge_each_running(t->platform->charges, look_at_charge, t);
	for (int i = 0; i < t->count; i++) {
		if (!t->list[i].seen) {
			tell_states(t, &t->list[i]);
			continue;
		}
		t->list[kept] = t->list[i];
		if (t->list[kept].due_ms < next)
			next = t->list[kept].due_ms;
		kept++;
	}
	t->count = kept;
	return next;
}
