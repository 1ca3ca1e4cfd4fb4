#include "upstream/business.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/versions.h"
#include "upstream/life.h"
#include "upstream/states.h"
#include "upstream/tell.h"

enum {
	AWAY_S = 30,
	RESULT_GIVE_UP_MS = 600000,
	RESULT_FIRST_MS = 1000,
	RESULT_LAST_MS = 60000,
	REST_MS = 60000,
	MISREAD_MAX = 3, /* tries before a record is damaged */
	SPARES = 8,      /* results that need no memory: as many charges as begin or end while there is none */
	AGAIN_MS = 5000, /* an order that can't be read now */
};

struct result {
	struct business *business;
	struct result *next;
	char connector_id[ORDER_ID];
	int attempts;
	char seq[JOURNAL_SEQ]; /* no more: a platform that is away for days must not fill the memory */
	int is_stop, good;
	int in_flight, done;
	int is_spare, is_used; /* one of the business's own */
	int64_t due_ms, give_up_ms, pause_ms;
};

struct business {
	struct platform *platform;
	struct peer *peer;
	void (*wake)(void *user);
	void *user;
	struct result *results, spares[SPARES];
	struct states *states;
	/* The order under way. */
	int order_in_flight, order_wanted;
	struct outbox_entry entry;
	int64_t order_due_ms;
	int misread;         /* how often it could not be made out */
	int64_t answered_id; /* the platform has answered to this entry, but the disk would not take it; 0 = none */
	int answer;
	char mapping[JOURNAL_VERSION]; /* that made the message of the order under way */
	char order_connector[ORDER_ID];
	/* Tries that failed since the start, of this entry; the same failure is told once, whatever the days it lasts. */
	int64_t failed_id;
	int failures;
	char failed_text[PLATFORM_ERROR_SIZE];
};

static int is_on(const struct business *b, const char *method)
{
	const struct message *message = message_find(method);

	return message && mapping_enabled(b->platform->mapping, message, b->platform->options);
}

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
	b->states = states_new(platform, peer);
	if (b->states)
		return b;
	free(b);
	return NULL;
}

static struct result *new_result(struct business *b)
{
	struct result *r = calloc(1, sizeof(*r));

	for (int i = 0; i < SPARES && !r; i++)
		if (!b->spares[i].is_used) {
			r = &b->spares[i];
			*r = (struct result){.is_spare = 1, .is_used = 1};
		}
	return r;
}

static void free_result(struct result *r)
{
	if (r->is_spare)
		r->is_used = 0;
	else
		free(r);
}

void business_free(struct business *b)
{
	if (!b)
		return;
	while (b->results) {
		struct result *next = b->results->next;

		free_result(b->results);
		b->results = next;
	}
	states_free(b->states);
	free(b);
}

/* Results ------------------------------------------------------------------------------------------------------------ */

void business_event(struct business *b, const struct charge_event *event)
{
	struct result *r = new_result(b), **at = &b->results;
	int64_t now = clock_mono_ms();

	if (!r) {
		log_error("upstream: %s: order %s: result not told: no memory", b->platform->options->name,
			  event->order->seq);
		return;
	}
	r->business = b;
	(void)snprintf(r->seq, sizeof(r->seq), "%s", event->order->seq);
	(void)snprintf(r->connector_id, sizeof(r->connector_id), "%s", event->order->connector_id);
	r->is_stop = event->kind == CHARGE_STOPPED || event->kind == CHARGE_NOT_STOPPED;
	r->good = event->kind == CHARGE_STARTED || event->kind == CHARGE_STOPPED;
	r->due_ms = now;
	r->give_up_ms = now + RESULT_GIVE_UP_MS;
	r->pause_ms = RESULT_FIRST_MS;
	while (*at)
		at = &(*at)->next;
	*at = r;
	b->wake(b->user);
}

static const char *result_method(const struct result *r)
{
	return r->is_stop ? "notification_stop_charge_result" : "notification_start_charge_result";
}

static void result_later(struct result *r)
{
	int64_t now = clock_mono_ms();

	r->due_ms = now + peer_pause_ms(r->business->peer, r->pause_ms);
	r->pause_ms = r->pause_ms * 2 < RESULT_LAST_MS ? r->pause_ms * 2 : RESULT_LAST_MS;
	if (now < r->give_up_ms)
		return;
	log_warning("upstream: %s: %s: %s: given up", r->business->platform->options->name, result_method(r), r->seq);
	r->done = 1;
}

static void result_done(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct result *r = user;
	int64_t verdict = 0;

	r->in_flight = 0;
	r->attempts++;
	(void)message_verdict(message_find(result_method(r)), answer, &verdict);
	life_called(r->business->platform, peer_told(r->business->peer),
		    (struct life_message){.seq = r->seq,
					  .connector = r->connector_id,
					  .method = result_method(r),
					  .answer = outcome != PEER_DONE ? NULL
						    : verdict            ? "discarded by the platform"
									 : "taken",
					  .attempt = r->attempts});
	if (outcome == PEER_DONE || outcome == PEER_REFUSED)
		r->done = 1;
	else
		result_later(r);
	r->business->wake(r->business->user);
}

static void sweep_results(struct business *b)
{
	struct result **at = &b->results;

	while (*at) {
		struct result *r = *at;

		if (!r->done || r->in_flight) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		free_result(r);
	}
}

static int call(struct business *b, const char *method, struct value *request, struct arena *arena, peer_done done,
		void *user)
{
	struct error err = {0};

	if (!request)
		return FC_ENOMEM;
	int result = peer_call(b->peer, message_find(method), request, arena, done, user, &err);
	if (result && result != FC_EBUSY)
		log_warning("upstream: %s: %s: not sent: %s", b->platform->options->name, method, err.text);
	return result;
}

static void send_result_of(void *user, const struct order *order, enum session_state state,
			   const struct connector *connector)
{
	struct result *r = user;
	struct arena arena;

	(void)state;
	(void)connector;
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct value *request =
	    r->is_stop ? tell_stop_result(order, r->good, &arena)
		       : tell_start_result(order, r->good, r->business->platform->options->send_vin, &arena);
	r->in_flight = !call(r->business, result_method(r), request, &arena, result_done, r);
	arena_fini(&arena);
}

static void send_result(struct result *r)
{
	(void)charge_find(r->business->platform->charges, r->seq, send_result_of, r);
	if (!r->in_flight)
		result_later(r);
}

/* Orders ------------------------------------------------------------------------------------------------------------- */

void business_order(struct business *b)
{
	b->order_wanted = 1;
	b->wake(b->user);
}

void business_order_again(struct business *b)
{
	b->order_due_ms = 0;
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
	struct error err = {0};

	/* In memory: the spacing must not depend on a wall clock that may jump. Days without a platform are no wear of the flash. */
	b->order_due_ms = clock_mono_ms() + pause_ms;
	if (reached && outbox_later(b->platform->store, b->entry.id, clock_wall() + pause_ms / 1000, &err))
		log_error("upstream: %s: %s", b->platform->options->name, err.text);
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
					  .attempt = b->entry.attempts + b->failures + 1});
}

static void note_failure(struct business *b, int reached)
{
	const char *text = peer_told(b->peer)->text;

	if (b->failed_id != b->entry.id) {
		b->failed_id = b->entry.id;
		b->failures = 0;
		b->failed_text[0] = '\0';
	}
	if (!b->failed_text[0] || strcmp(b->failed_text, text) != 0)
		tell_life(b, NULL, NULL);
	(void)snprintf(b->failed_text, sizeof(b->failed_text), "%s", text);
	/* Those that reached it are counted in the outbox. */
	b->failures += !reached;
}

static void note_success(struct business *b)
{
	char dispute[64];

	if (b->failed_id != b->entry.id)
		b->failures = 0;
	(void)snprintf(dispute, sizeof(dispute), "disputed (%d)", b->answer);
	tell_life(b, b->answer ? dispute : "confirmed", NULL);
	b->failed_id = 0;
	b->failures = 0;
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
	s->result = call(b, b->entry.method, request, &s->arena, order_done, b);
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
	return result;
}

/* Nonzero when there may be one more to look at now. */
static int next_order(struct business *b, int64_t now)
{
	struct sending s = {.business = b, .result = FC_EIO};

	if (b->order_in_flight || !b->order_wanted || now < b->order_due_ms)
		return 0;
	int result = outbox_first(b->platform->store, b->platform->options->name, &b->entry);
	if (result == FC_ENOENT)
		b->order_wanted = 0;
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
	if (result) {
		/* For want of memory or of a disk: it is none of the tries that the platform gets, and goes when it can be read. */
		log_error("upstream: %s: order %s: can't be read", b->platform->options->name, b->entry.seq);
		b->order_due_ms = now + AGAIN_MS;
		return 0;
	}
	order_later(b, 1);
	return 0;
}

int64_t business_pump(struct business *b, int64_t now)
{
	int64_t next = now + REST_MS;

	sweep_results(b);
	for (struct result *r = b->results; r; r = r->next) {
		if (r->in_flight || r->done)
			continue;
		if (!is_on(b, result_method(r)))
			r->done = 1;
		else if (now >= r->due_ms && peer_ready(b->peer))
			send_result(r);
		if (!r->done && r->due_ms < next)
			next = r->due_ms;
	}
	int64_t due = states_pump(b->states, now);
	next = due < next ? due : next;
	while (peer_ready(b->peer) && next_order(b, now))
		;
	if (b->order_wanted && !b->order_in_flight && b->order_due_ms > now && b->order_due_ms < next)
		next = b->order_due_ms;
	/* Something due that did not go waits for the peer, which wakes; but never spin. */
	return next - now > 100 ? next - now : 100;
}

uint32_t business_waiting(const struct business *b)
{
	uint32_t n = b->order_in_flight ? 1 : 0;

	for (const struct result *r = b->results; r; r = r->next)
		n += !r->done;
	return n;
}
