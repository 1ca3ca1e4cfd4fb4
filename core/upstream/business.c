#include "upstream/business.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/versions.h"
#include "upstream/life.h"
#include "upstream/refused.h"
#include "upstream/results.h"
#include "upstream/states.h"
#include "upstream/tell.h"

enum {
	AWAY_S = 30,
	REST_MS = 60000,
	MISREAD_MAX = 3, /* tries before a record is damaged */
	AGAIN_MS = 5000, /* an order that can't be read now */
};

struct business {
	struct platform *platform;
	struct peer *peer;
	void (*wake)(void *user);
	void *user;
	struct results *results;
	struct states *states;
	/* The order under way. */
	int order_in_flight, order_wanted;
	struct outbox_entry entry;
	int64_t order_due_ms;   /* of all of them */
	int64_t order_awake_ms; /* those that wait were refused, and none is due before; 0 = not known */
	int all_tried;          /* none waits that was never told */
	struct refused refused;
	int misread;         /* how often it could not be made out */
	int64_t answered_id; /* the platform has answered to this entry, but the disk would not take it; 0 = none */
	int answer;
	char mapping[JOURNAL_VERSION]; /* that made the message of the order under way */
	char order_connector[ORDER_ID];
	/* Tries of this entry that did not reach the platform; the same failure is told once, whatever the days it lasts. */
	int64_t failed_id;
	int failures;
	char failed_text[PLATFORM_ERROR_SIZE];
};

struct business *business_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user)
{
	struct business *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->platform = platform;
	b->peer = peer;
	b->wake = wake;
	b->user = user;
	b->order_wanted = 1; /* what the last run left */
	b->results = results_new(platform, peer, wake, user);
	b->states = states_new(platform, peer);
	if (b->results && b->states)
		return b;
	business_free(b);
	return NULL;
}

void business_free(struct business *b)
{
	if (!b)
		return;
	results_free(b->results);
	states_free(b->states);
	free(b);
}

void business_event(struct business *b, const struct charge_event *event)
{
	results_event(b->results, event);
}

void business_order(struct business *b)
{
	b->order_wanted = 1;
	b->order_awake_ms = 0;
	b->all_tried = 0;
	b->wake(b->user);
}

void business_order_again(struct business *b)
{
	b->order_due_ms = 0;
	refused_forget(&b->refused);
	/* Its answer of before is none to what is sent now. */
	b->answered_id = 0;
	business_order(b);
}

static void order_later(struct business *b, int reached)
{
	/* The spacing is for a platform that can't take the order; one that is away is tried often enough to be found back. */
	double pause_s =
	    reached ? mapping_timing_item(b->platform->mapping, TIMING_ORDER_RETRY_S, b->entry.attempts) : AWAY_S;
	int64_t pause_ms = peer_pause_ms(b->peer, (int64_t)(pause_s * 1000));
	int64_t now = clock_mono_ms();
	struct error err = {0};

	/* In memory: the spacing must not depend on a wall clock that may jump. Days without a platform are no wear of the flash. */
	b->order_due_ms = now + (reached ? refused_note(&b->refused, b->entry.id, now + pause_ms, pause_ms) : pause_ms);
	if (reached && outbox_later(b->platform->store, b->entry.id, clock_wall() + pause_ms / 1000, &err))
		log_error("upstream: %s: %s", b->platform->options->name, err.text);
}

static int failures(const struct business *b)
{
	return b->failed_id == b->entry.id ? b->failures : 0;
}

/* Before the outbox is told, so that both are durable together. */
static void tell_life(struct business *b, const char *answer, const char *text)
{
	life_called(b->platform, peer_told(b->peer),
		    (struct life_message){.seq = b->entry.seq,
					  .connector = b->order_connector,
					  .method = b->entry.method,
					  .answer = answer,
					  .text = text,
					  .attempt = b->entry.attempts + failures(b) + 1});
}

static void note_failure(struct business *b, int reached)
{
	const char *text = peer_told(b->peer)->text;

	if (reached) {
		if (refused_is_news(&b->refused, b->entry.id, text))
			tell_life(b, NULL, NULL);
		return;
	}
	if (b->failed_id != b->entry.id) {
		b->failed_id = b->entry.id;
		b->failures = 0;
		b->failed_text[0] = '\0';
	}
	if (!b->failed_text[0] || strcmp(b->failed_text, text) != 0)
		tell_life(b, NULL, NULL);
	(void)snprintf(b->failed_text, sizeof(b->failed_text), "%s", text);
	/* Those that reached it are counted in the outbox. */
	b->failures++;
}

static void note_success(struct business *b)
{
	char dispute[64];

	refused_taken(&b->refused, &b->entry);
	(void)snprintf(dispute, sizeof(dispute), "disputed (%d)", b->answer);
	tell_life(b, b->answer ? dispute : "confirmed", NULL);
	b->failed_id = 0;
}

/* What the platform said of the order under way. A disk that is full is no reason to tell it again. */
static int note_answer(struct business *b)
{
	struct error err = {0};
	int result = outbox_done(b->platform->store, b->entry.id, b->answer ? OUTBOX_DISPUTED : OUTBOX_CONFIRMED,
				 b->answer, b->mapping, &err);

	b->answered_id = result ? b->entry.id : 0;
	if (!result)
		version_used(b->platform->store, b->mapping, clock_wall());
	if (!result)
		return FC_OK;
	log_error("upstream: %s: order %s: confirmed, but not noted: %s", b->platform->options->name, b->entry.seq,
		  err.text);
	b->order_due_ms = clock_mono_ms() + REST_MS;
	return result;
}

static void found_another(void *user, const struct order *order, enum session_state state,
			  const struct connector *connector)
{
	(void)order;
	(void)state;
	(void)connector;
	*(int *)user = 1;
}

/* An answer is signed, but nothing in its envelope says to which request: one that names another order of ours confirms that one at best. A
 * number that is nobody's is taken: platforms have numbers of their own (field variation 11). */
static int is_about_another(const struct business *b, const struct value *answer)
{
	const char *seq = answer ? value_text(value_get(answer, "StartChargeSeq")) : NULL;
	int found = 0;

	if (!seq || !*seq || !strcmp(seq, b->entry.seq) || strlen(seq) >= JOURNAL_SEQ)
		return 0;
	(void)charge_find(b->platform->charges, seq, found_another, &found);
	if (found)
		log_warning("upstream: %s: order %s: not confirmed: the answer is about order %s",
			    b->platform->options->name, b->entry.seq, seq);
	return found;
}

static void order_done(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct business *b = user;
	int64_t verdict = 0;

	b->order_in_flight = 0;
	if (outcome != PEER_DONE) {
		note_failure(b, outcome != PEER_UNREACHED);
		order_later(b, outcome != PEER_UNREACHED);
	} else if (is_about_another(b, answer)) {
		tell_life(b, NULL, "the answer is about another order");
		order_later(b, 1);
	} else {
		(void)message_verdict(message_find(b->entry.method), answer, &verdict);
		if (verdict)
			log_warning("upstream: %s: order %s: disputed (%lld)", b->platform->options->name, b->entry.seq,
				    (long long)verdict);
		b->answer = (int)verdict;
		note_success(b);
		(void)note_answer(b);
	}
	b->wake(b->user);
}

struct sending {
	struct business *business;
	struct arena arena;
	int result;
};

static void warn_if_late(const struct business *b, const struct order *order)
{
	double most_s = mapping_timing(b->platform->mapping, TIMING_ORDER_FIRST_S, -1);
	int64_t late_s = clock_wall() - order->end_wall;

	if (!b->entry.attempts && (double)late_s > most_s)
		log_warning("upstream: %s: order %s: told %lld s after its end, %g s are allowed",
			    b->platform->options->name, order->seq, (long long)late_s, most_s);
}

static void send_order(void *user, const struct order *order, enum session_state state,
		       const struct connector *connector)
{
	struct sending *s = user;
	struct business *b = s->business;
	struct value *request;

	(void)state;
	warn_if_late(b, order);
	(void)snprintf(b->order_connector, sizeof(b->order_connector), "%s", order->connector_id);
	if (strcmp(b->entry.method, "notification_charge_order_info") != 0)
		request = tell_bonus(order, connector, b->platform->options->name, &s->arena);
	else
		request = tell_order(order, &s->arena);
	(void)snprintf(b->mapping, sizeof(b->mapping), "%s",
		       b->platform->mapping ? mapping_hash(b->platform->mapping) : "");
	s->result = peer_send(b->peer, b->platform, b->entry.method, request, &s->arena, order_done, b);
}

/* It waits no longer, and those behind it go on. An order can be put into the outbox again. */
static int drop_order(struct business *b, const char *why)
{
	struct error err = {0};
	life_message(b->platform, &(struct life_message){
				      .seq = b->entry.seq, .method = b->entry.method, .text = why, .duration_ms = -1});
	int result = outbox_done(b->platform->store, b->entry.id, OUTBOX_DROPPED, -1, NULL, &err);

	log_error("upstream: %s: order %s: %s: not sent: %s", b->platform->options->name, b->entry.seq, b->entry.method,
		  result ? err.text : why);
	if (result)
		b->order_due_ms = clock_mono_ms() + REST_MS;
	else
		refused_drop(&b->refused, b->entry.id);
	return result;
}

struct look {
	const struct refused *refused;
	int64_t now, next_ms; /* INT64_MAX: none waits */
};

static int was_tried(void *user, const struct outbox_entry *entry)
{
	return refused_was(user, entry);
}

static int is_to_wait(void *user, const struct outbox_entry *entry)
{
	struct look *look = user;
	int64_t due_ms;

	if (!refused_waits(look->refused, entry, look->now, &due_ms))
		return 0;
	look->next_ms = due_ms < look->next_ms ? due_ms : look->next_ms;
	return 1;
}

/* Of those that were never told the first, else of those whose time has come. FC_ENOENT: none, until order_awake_ms. */
static int find_order(struct business *b, int64_t now)
{
	struct look look = {.refused = &b->refused, .now = now, .next_ms = INT64_MAX};
	struct store *store = b->platform->store;
	const char *name = b->platform->options->name;
	int result = FC_ENOENT;

	if (!b->all_tried)
		result = outbox_first(store, name, was_tried, &b->refused, &b->entry);
	if (result != FC_ENOENT)
		return result;
	b->all_tried = 1;
	result = outbox_first(store, name, is_to_wait, &look, &b->entry);
	b->order_wanted = result != FC_ENOENT || look.next_ms < INT64_MAX;
	b->order_awake_ms = result == FC_ENOENT && b->order_wanted ? look.next_ms : 0;
	return result;
}

/* Nonzero when there may be one more to look at now. */
static int next_order(struct business *b, int64_t now)
{
	struct sending s = {.business = b, .result = FC_EIO};

	if (b->order_in_flight || !b->order_wanted || now < b->order_due_ms || now < b->order_awake_ms)
		return 0;
	int result = find_order(b, now);
	if (result)
		return 0;
	if (!message_find(b->entry.method) || !platform_sends_order(b->platform, b->entry.method))
		return !drop_order(b, "the mapping has it switched off");
	if (b->entry.id == b->answered_id)
		return !note_answer(b);
	arena_init(&s.arena, PLATFORM_MEMORY_MAX);
	result = charge_find(b->platform->charges, b->entry.seq, send_order, &s);
	arena_fini(&s.arena);
	b->order_in_flight = !result && !s.result;
	if (!result)
		b->misread = 0;
	if (b->order_in_flight || s.result == FC_EBUSY)
		return 0;
	/* It may be that memory is damaged, and not the file. */
	if (result == FC_EINVAL && ++b->misread < MISREAD_MAX) {
		journal_read_anew(b->platform->store);
		b->order_due_ms = now + AGAIN_MS;
		return 0;
	}
	b->misread = 0;
	if (result == FC_ENOENT || result == FC_EINVAL)
		return !drop_order(b, "it is not in the journal, or damaged there");
	if (result || s.result == FC_ENOMEM) {
		/* For want of memory or of a disk: it is none of the tries that the platform gets, and goes when that is there. */
		log_error("upstream: %s: order %s: %s", b->platform->options->name, b->entry.seq,
			  result ? "can't be read" : "no memory to tell it");
		b->order_due_ms = now + AGAIN_MS;
		return 0;
	}
	order_later(b, 1);
	return 1;
}

int64_t business_pump(struct business *b, int64_t now)
{
	int64_t next = results_pump(b->results, now);
	int64_t due = states_pump(b->states, now);
	next = due < next ? due : next;
	while (peer_ready(b->peer) && next_order(b, now))
		;
	due = b->order_due_ms > b->order_awake_ms ? b->order_due_ms : b->order_awake_ms;
	if (b->order_wanted && !b->order_in_flight && due > now && due < next)
		next = due;
	/* Something due that did not go waits for the peer, which wakes; but never spin. */
	return next - now > 100 ? next - now : 100;
}

uint32_t business_waiting(const struct business *b)
{
	return (b->order_in_flight ? 1 : 0) + results_waiting(b->results);
}
