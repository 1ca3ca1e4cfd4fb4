#include "upstream/pull.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/maker.h"
#include "upstream/message_pull.h"
#include "upstream/server.h"

enum {
	REST_MS = 60000,
	AGAIN_MS = 1000,       /* to the next fetch after one that brought something */
	REFUSED_MS = 60000,    /* the platform does not know the extension, or does not want us: people must act */
	RETRY_MOST_MS = 60000, /* between two tries to tell an answer, unless retry_s is more */
	DOUBLINGS = 6,
	REFUSALS = 5,          /* so often an answer is refused before it rests */
	ANSWERS_MAX = 1 << 20, /* bytes of answers not acknowledged: no more is fetched */
	KEEP_MAX = 8 << 10,    /* bytes of an acknowledged answer that is kept */
	ID_SIZE = 65,
	INTERFACE_SIZE = 121,
	BEARER_SIZE = 400,
	PATH_MAX_SIZE = 256,
};

enum item_state {
	ITEM_FREE,
	ITEM_FETCHED,  /* body: the request */
	ITEM_ANSWERED, /* body: the answer, from here on */
	ITEM_UNDER_WAY,
	ITEM_TOLD, /* acknowledged; kept for a platform that asks once more */
};

struct item {
	struct pull *pull;
	enum item_state state;
	uint64_t number; /* order of arrival */
	uint64_t hash;   /* of interface, token and envelope */
	int64_t not_before_ms;
	int attempts, refusals, status;
	struct buffer body;
	char id[ID_SIZE], interface[INTERFACE_SIZE], bearer[BEARER_SIZE];
};

struct pull {
	struct platform *platform;
	struct peer *peer;
	void (*wake)(void *user);
	void *user;
	struct item *items; /* PULL_KEPT; NULL until pull_s is set for the first time */
	uint64_t number;
	int busy; /* a fetch is under way */
	int64_t next_ms;
};

struct pull *pull_new(struct platform *platform, struct peer *peer, void (*wake)(void *user), void *user)
{
	struct pull *pull = calloc(1, sizeof(*pull));

	if (pull)
		*pull = (struct pull){.platform = platform, .peer = peer, .wake = wake, .user = user};
	return pull;
}

/* Requests hold tokens. */
static void drop_body(struct item *item)
{
	if (item->body.data)
		explicit_bzero(item->body.data, item->body.len);
	buffer_fini(&item->body);
}

static void let_go(struct item *item)
{
	drop_body(item);
	explicit_bzero(item->bearer, sizeof(item->bearer));
	item->state = ITEM_FREE;
}

void pull_free(struct pull *pull)
{
	if (!pull)
		return;
	for (int i = 0; pull->items && i < PULL_KEPT; i++)
		let_go(&pull->items[i]);
	free(pull->items);
	free(pull);
}

static const struct config_platform *options_of(const struct pull *pull)
{
	return pull->platform->options;
}

static int64_t retry_ms(const struct pull *pull)
{
	return (int64_t)options_of(pull)->retry_s * 1000;
}

/* Longer each time: answers that nobody takes must not use up push_rate_per_s. */
static int64_t pause_ms_of(struct item *item)
{
	int64_t least_ms = retry_ms(item->pull), most_ms = least_ms > RETRY_MOST_MS ? least_ms : RETRY_MOST_MS;
	int64_t pause_ms = least_ms << (item->attempts < DOUBLINGS ? item->attempts : DOUBLINGS);

	item->attempts++;
	return peer_pause_ms(item->pull->peer, pause_ms < most_ms ? pause_ms : most_ms);
}

static int is_in_hand(const struct item *item)
{
	return item->state != ITEM_FREE && item->state != ITEM_TOLD;
}

uint32_t pull_waiting(const struct pull *pull)
{
	uint32_t count = 0;

	for (int i = 0; pull->items && i < PULL_KEPT; i++)
		count += is_in_hand(&pull->items[i]) != 0;
	return count;
}

/* The one of a state that came first; NULL: none. due_ms: whose time has come. */
static struct item *first_of(const struct pull *pull, enum item_state state, int64_t due_ms)
{
	struct item *first = NULL;

	for (int i = 0; i < PULL_KEPT; i++) {
		struct item *item = &pull->items[i];

		if (item->state == state && item->not_before_ms <= due_ms && (!first || item->number < first->number))
			first = item;
	}
	return first;
}

/* Requests ------------------------------------------------------------------------------------------------------------ */

static void give_up(struct item *item, int status)
{
	buffer_clear(&item->body);
	item->status = status;
}

static void run(struct item *item)
{
	struct platform *p = item->pull->platform;
	char path[PATH_MAX_SIZE];
	/* One with a / in front is a whole path, as in a mapping. */
	int n = snprintf(path, sizeof(path), "%s%s%s", *item->interface == '/' ? "" : p->options->path,
			 *item->interface == '/' ? "" : "/", item->interface);
	const struct http_request request = {
	    .method = "POST",
	    .path = path,
	    .query = "",
	    .authorization = item->bearer,
	    .content_type = "application/json;charset=utf-8",
	    .cookie = "",
	    .host = "",
	    .origin = "",
	    .fetch_site = "",
	    .csrf = "",
	    .if_none_match = "",
	    .accept_encoding = "",
	    .peer = "pull",
	    .peer_name = "",
	    .body = item->body.data,
	    .body_len = item->body.len,
	};
	struct http_response response = {.status = 404};

	buffer_init(&response.body, (size_t)PLATFORM_MESSAGE_MAX * 2);
	if (n > 0 && (size_t)n < sizeof(path)) {
		response.status = 200;
		server_pulled(p, &request, &response);
	}
	drop_body(item);
	explicit_bzero(item->bearer, sizeof(item->bearer));
	item->body = response.body;
	item->status = response.body.failed ? 500 : response.status;
	if (item->status != 200)
		give_up(item, item->status);
	item->state = ITEM_ANSWERED;
}

static uint64_t mix(uint64_t hash, const char *text, size_t len)
{
	for (size_t i = 0; i <= len; i++) /* with its end */
		hash = (hash ^ (unsigned char)(i < len ? text[i] : 0)) * 1099511628211u;
	return hash;
}

/* Visible characters only: it goes into logs, and back. */
static int is_plain_word(const char *text, size_t least, size_t size)
{
	size_t n = 0;

	while (text && text[n] > ' ' && text[n] < 127)
		n++;
	return text && !text[n] && n >= least && n < size;
}

static struct item *find_same(const struct pull *pull, const char *id, uint64_t hash)
{
	for (int i = 0; i < PULL_KEPT; i++) {
		struct item *item = &pull->items[i];

		if (item->state != ITEM_FREE && item->hash == hash && !strcmp(item->id, id))
			return item;
	}
	return NULL;
}

static struct item *find_room(const struct pull *pull)
{
	struct item *item = first_of(pull, ITEM_FREE, INT64_MAX);

	if (!item)
		item = first_of(pull, ITEM_TOLD, INT64_MAX);
	if (item)
		let_go(item);
	return item;
}

/* 1: something new; 0: known already, or of no use; -1: there is no room, it stays the platform's. */
static int take(struct pull *pull, const struct value *request)
{
	const struct value *envelope = value_get(request, "Envelope");
	const char *id = value_text(value_get(request, "RequestID"));
	const char *interface = value_text(value_get(request, "Interface"));
	const char *bearer = value_text(value_get(request, "Authorization")), *body = value_text(envelope);

	bearer = bearer ? bearer : "";
	if (!is_plain_word(id, 1, ID_SIZE) || !is_plain_word(interface, 1, INTERFACE_SIZE) || !body ||
	    strlen(bearer) >= BEARER_SIZE) {
		log_info("upstream: %s: %s: a request without RequestID, Interface or Envelope that can be read",
			 options_of(pull)->name, message_pull_fetch.method);
		return 0;
	}
	uint64_t hash = mix(14695981039346656037u, interface, strlen(interface));
	hash = mix(mix(hash, bearer, strlen(bearer)), body, envelope->len);
	struct item *same = find_same(pull, id, hash);
	if (same) {
		if (same->state == ITEM_TOLD)
			same->state = ITEM_ANSWERED;
		return 0;
	}
	struct item *item = find_room(pull);
	if (!item)
		return -1;
	*item = (struct item){.pull = pull, .hash = hash, .number = ++pull->number, .state = ITEM_FETCHED};
	(void)snprintf(item->id, sizeof(item->id), "%s", id);
	(void)snprintf(item->interface, sizeof(item->interface), "%s", interface);
	(void)snprintf(item->bearer, sizeof(item->bearer), "%s", bearer);
	buffer_init(&item->body, PULL_ENVELOPE_MAX + 1);
	if (envelope->len > PULL_ENVELOPE_MAX) {
		give_up(item, 413);
		item->state = ITEM_ANSWERED;
	} else if (buffer_add(&item->body, body, envelope->len)) {
		let_go(item);
		return -1;
	}
	return 1;
}

static int most_at_once(const struct pull *pull)
{
	int rate = options_of(pull)->rate_per_s;

	return rate < PULL_BATCH ? rate : PULL_BATCH;
}

static void on_fetched(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct pull *pull = user;
	int64_t now = clock_mono_ms(), pause_ms = (int64_t)options_of(pull)->pull_s * 1000;
	int most = most_at_once(pull), fresh = 0, taken;

	pull->busy = 0;
	if (outcome == PEER_DONE) {
		value_each (request, value_get(answer, "PendingRequests")) {
			if (most-- <= 0)
				break;
			taken = take(pull, request);
			if (taken < 0)
				break;
			fresh += taken;
		}
	}
	if (fresh && pause_ms > AGAIN_MS)
		pause_ms = AGAIN_MS;
	if (outcome == PEER_TOKEN)
		pause_ms = 0;
	else if (outcome == PEER_REFUSED && pause_ms < REFUSED_MS)
		pause_ms = REFUSED_MS;
	else if (outcome != PEER_DONE && pause_ms < retry_ms(pull))
		pause_ms = retry_ms(pull);
	if (outcome != PEER_DONE)
		pause_ms = peer_pause_ms(pull->peer, pause_ms);
	pull->next_ms = now + pause_ms;
	pull->wake(pull->user);
}

static int may_fetch(const struct pull *pull)
{
	size_t bytes = 0;

	for (int i = 0; i < PULL_KEPT; i++)
		bytes += is_in_hand(&pull->items[i]) ? pull->items[i].body.len : 0;
	return !pull->busy && peer_ready(pull->peer) && bytes < ANSWERS_MAX &&
	       pull_waiting(pull) + PULL_BATCH <= PULL_KEPT;
}

static void fetch(struct pull *pull, int64_t now_ms)
{
	struct error err = {0};
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct maker m = {.arena = &arena};
	struct value *v = value_object(&arena);
	maker_int(&m, v, "MaxRequests", most_at_once(pull));
	maker_int(&m, v, "MaxBytes", PULL_BATCH_BYTES);
	int result =
	    m.failed ? FC_ENOMEM : peer_call(pull->peer, &message_pull_fetch, v, &arena, on_fetched, pull, &err);
	arena_fini(&arena);
	pull->busy = !result;
	pull->next_ms = now_ms + (result == FC_EBUSY ? AGAIN_MS : REST_MS);
	if (result && result != FC_EBUSY)
		log_warning("upstream: %s: %s: not sent: %s", options_of(pull)->name, message_pull_fetch.method,
			    err.text);
}

/* Answers ------------------------------------------------------------------------------------------------------------- */

static void acknowledged(struct item *item)
{
	item->state = ITEM_TOLD;
	item->attempts = item->refusals = 0;
	item->not_before_ms = 0;
	if (item->body.len > KEEP_MAX)
		let_go(item);
}

static void on_told(void *user, enum peer_outcome outcome, const struct value *answer)
{
	struct item *item = user;
	struct pull *pull = item->pull;
	int64_t verdict = -1;

	item->state = ITEM_ANSWERED;
	item->not_before_ms = outcome == PEER_TOKEN ? 0 : clock_mono_ms() + pause_ms_of(item);
	if (outcome == PEER_DONE && !message_verdict(&message_pull_answer, answer, &verdict)) {
		acknowledged(item);
	} else if (outcome == PEER_REFUSED && ++item->refusals >= REFUSALS) {
		log_error(
		    "upstream: %s: request %s (%s): its answer was refused %d times and rests until it is asked for",
		    options_of(pull)->name, item->id, item->interface, REFUSALS);
		acknowledged(item);
	}
	if (verdict > 0)
		log_info("upstream: %s: request %s (%s): the platform has no more use for its answer",
			 options_of(pull)->name, item->id, item->interface);
	pull->wake(pull->user);
}

static int tell(struct item *item)
{
	struct pull *pull = item->pull;
	struct error err = {0};
	struct arena arena;

	arena_init(&arena, PLATFORM_MEMORY_MAX);
	struct maker m = {.arena = &arena};
	struct value *v = value_object(&arena);
	maker_text(&m, v, "RequestID", item->id);
	maker_text(&m, v, "Interface", item->interface);
	maker_int(&m, v, "HttpStatus", item->status);
	maker_text(&m, v, "Envelope", item->body.len ? item->body.data : "");
	int result = m.failed ? FC_ENOMEM : peer_call(pull->peer, &message_pull_answer, v, &arena, on_told, item, &err);
	arena_fini(&arena);
	if (!result)
		item->state = ITEM_UNDER_WAY;
	else if (result == FC_ELIMIT && item->body.len)
		give_up(item, 500);
	if (result && result != FC_EBUSY) {
		/* Each time later: what can't be said at all is not to fill the log. */
		item->not_before_ms = clock_mono_ms() + pause_ms_of(item);
		log_warning("upstream: %s: request %s (%s): answer not sent: %s", options_of(pull)->name, item->id,
			    item->interface, err.text);
	}
	return result;
}

static int under_way(const struct pull *pull)
{
	int count = pull->busy;

	for (int i = 0; i < PULL_KEPT; i++)
		count += pull->items[i].state == ITEM_UNDER_WAY;
	return count;
}

/* Until the next answer may be told again. */
static int64_t next_answer_ms(const struct pull *pull, int64_t now_ms)
{
	int64_t least = REST_MS;

	for (int i = 0; i < PULL_KEPT; i++) {
		const struct item *item = &pull->items[i];

		if (item->state == ITEM_ANSWERED && item->not_before_ms > now_ms &&
		    item->not_before_ms - now_ms < least)
			least = item->not_before_ms - now_ms;
	}
	return least;
}

int64_t pull_pump(struct pull *pull, int64_t now_ms)
{
	int is_on = options_of(pull)->pull_s > 0;
	struct item *item;

	if (!pull->items && is_on)
		pull->items = calloc(PULL_KEPT, sizeof(*pull->items));
	/* Where it was switched off meanwhile, what was fetched is still answered. */
	if (!pull->items)
		return REST_MS;
	while ((item = first_of(pull, ITEM_FETCHED, INT64_MAX)))
		run(item);
	/* First, so that answers that nobody takes don't keep it from its turn. */
	if (is_on && now_ms >= pull->next_ms && may_fetch(pull) && under_way(pull) < PULL_CALLS)
		fetch(pull, now_ms);
	while (under_way(pull) < PULL_CALLS && peer_ready(pull->peer) &&
	       (item = first_of(pull, ITEM_ANSWERED, now_ms))) {
		item->not_before_ms = now_ms + AGAIN_MS; /* should it not go out */
		if (tell(item))
			break;
	}
	int64_t sleep_ms = next_answer_ms(pull, now_ms);
	if (is_on && !pull->busy && pull->next_ms - now_ms < sleep_ms)
		sleep_ms = pull->next_ms > now_ms ? pull->next_ms - now_ms : AGAIN_MS;
	return sleep_ms;
}
