/* The live connection, on a whole station (world.h): viewers come, say something, are slow, go, and the station changes meanwhile; time
 * passes when the input says so. An input is steps of a byte, whose low bits choose the viewer:
 *
 *   0x00  it comes           0x10  it says the line that follows         0x20  it takes what waits for it
 *   0x30  it goes            0x40  it is slow from now on                0x50  a second passes
 *   0x60  a register of a charger is as the next byte says               0x70  its session ends
 *
 * Each viewer that missed nothing has, patch by patch (RFC 7386), the very tree that it is told when it asks for everything. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/live.h"
#include "base/json.h"
#include "base/json_read.h"
#include "loop/websocket.h"
#include "world.h"

enum { VIEWERS = 4, STEPS_MAX = 64, MEMORY = 16 << 20, TURNS_MAX = 100 };

struct websocket {
	void *guest;
	int is_slow, waits, is_ended;
	struct arena arena; /* of tree, and what it was made of */
	struct value *tree; /* NULL: told nothing yet */
	int64_t seq;
};
static struct websocket sockets[VIEWERS];
static struct json_reader *reader;
static struct live *live;
static int ended[VIEWERS]; /* their sessions */

/* The loop of this conversation: its timers fire when the input says so. */
static int own_loop;
static struct loop_timer *timers[4];
static int64_t delays[4];

int __real_loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us);
void __real_loop_timer_cancel(struct loop *loop, struct loop_timer *timer);
int __wrap_loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us);
void __wrap_loop_timer_cancel(struct loop *loop, struct loop_timer *timer);
int __wrap_websocket_send(struct websocket *s, struct websocket_message *message);
int __wrap_websocket_waiting(const struct websocket *s);
void __wrap_websocket_end(struct websocket *s, enum websocket_close why);
struct websocket_message *__wrap_websocket_message_new(struct buffer *text);
void __wrap_websocket_message_free(struct websocket_message *message);
size_t __wrap_websocket_message_len(const struct websocket_message *message);

void __wrap_loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
	if (loop != (struct loop *)&own_loop) {
		__real_loop_timer_cancel(loop, timer);
		return;
	}
	for (int i = 0; i < 4; i++)
		if (timers[i] == timer)
			timers[i] = NULL;
}

int __wrap_loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_us)
{
	int at = 0;

	if (loop != (struct loop *)&own_loop)
		return __real_loop_timer_set(loop, timer, delay_us);
	__wrap_loop_timer_cancel(loop, timer);
	while (timers[at])
		fuzz_check(++at < 4);
	timers[at] = timer;
	delays[at] = delay_us;
	return FC_OK;
}

/* The one that was set for a second, or for less; 0: there is none. */
static int fire(int is_second)
{
	for (int i = 0; i < 4; i++) {
		struct loop_timer *timer = timers[i];

		if (!timer || (delays[i] >= 1000000) != is_second)
			continue;
		timers[i] = NULL;
		for (int v = 0; v < VIEWERS; v++)
			if (!sockets[v].is_slow)
				sockets[v].waits = 0;
		timer->fn(timer->user);
		return 1;
	}
	return 0;
}

static void second(void)
{
	(void)fire(1);
	for (int i = 0; i < TURNS_MAX && fire(0); i++)
		;
}

/* Sockets -------------------------------------------------------------------------------------------------------------- */

struct websocket_message {
	struct buffer text;
	int holders;
};

struct websocket_message *__wrap_websocket_message_new(struct buffer *text)
{
	struct websocket_message *m = text->failed ? NULL : calloc(1, sizeof(*m));

	if (!m) {
		buffer_fini(text);
		return NULL;
	}
	m->text = *text;
	m->holders = 1;
	return m;
}

void __wrap_websocket_message_free(struct websocket_message *message)
{
	if (!message || --message->holders)
		return;
	buffer_fini(&message->text);
	free(message);
}

size_t __wrap_websocket_message_len(const struct websocket_message *message)
{
	return message->text.len;
}

int __wrap_websocket_waiting(const struct websocket *s)
{
	return s->waits;
}

void __wrap_websocket_end(struct websocket *s, enum websocket_close why)
{
	fuzz_check(why == WEBSOCKET_POLICY || why == WEBSOCKET_LOGGED_OUT || why == WEBSOCKET_GOING_AWAY);
	s->is_ended = 1;
}

/* RFC 7386, section 2. */
static struct value *merged(struct arena *arena, struct value *target, const struct value *patch)
{
	if (!value_is_object(patch))
		return value_copy(arena, patch);
	if (!target || !value_is_object(target))
		target = value_object(arena);
	target->type = VALUE_OBJECT;
	value_each (member, patch) {
		if (member->type == VALUE_NULL) {
			(void)value_drop(target, member->key);
			continue;
		}
		struct value *before = value_get(target, member->key), *after = NULL;

		if (!before || !value_is_object(before) || !value_is_object(member)) {
			after = merged(arena, NULL, member);
			fuzz_check(value_put(arena, target, member->key, after) == FC_OK);
		} else {
			(void)merged(arena, before, member);
		}
	}
	return target;
}

static void hear(struct websocket *s, struct value *told)
{
	struct value *all = value_get(told, "all"), *patch = value_get(told, "patch");
	int64_t seq = 0;

	if (value_get(told, "connector"))
		return;
	fuzz_check(value_to_int(value_get(told, "seq"), &seq) == FC_OK);
	if (all) {
		/* What it had by then is what it is told now, but for the time, which alone is no change. */
		if (s->tree && seq == s->seq) {
			(void)value_put(&s->arena, s->tree, "time", value_copy(&s->arena, value_get(all, "time")));
			fuzz_check(value_equal(s->tree, all));
		}
		s->tree = all;
	} else if (patch) {
		fuzz_check(s->tree && seq == s->seq + 1);
		s->tree = merged(&s->arena, s->tree, patch);
	} else {
		fuzz_check(value_get(told, "tick") && seq == s->seq);
	}
	s->seq = seq;
}

int __wrap_websocket_send(struct websocket *s, struct websocket_message *message)
{
	struct value *told = NULL;

	if (s->is_ended || (s->is_slow && s->waits >= WEBSOCKET_QUEUE))
		return FC_EBUSY;
	s->waits++;
	fuzz_check(json_read(reader, message->text.data, message->text.len, &s->arena, &told, NULL) == FC_OK);
	hear(s, told);
	return FC_OK;
}

/* Viewers -------------------------------------------------------------------------------------------------------------- */

static int may(void *user, const struct http_request *request, struct guard_who *who)
{
	(void)user;
	*who = (struct guard_who){.right = CONTROL_VIEW};
	who->session = (uint32_t)strlen(request->cookie);
	return ended[who->session - 1] ? 401 : 0;
}

static int lives(void *user, const struct guard_who *who)
{
	(void)user;
	return !ended[who->session - 1];
}

static void come(int number)
{
	static const char *const cookies[VIEWERS] = {"1", "22", "333", "4444"};
	const struct http_request request = {.cookie = cookies[number]};
	struct websocket *s = &sockets[number];

	if (s->guest)
		return;
	*s = (struct websocket){0};
	arena_init(&s->arena, MEMORY);
	/* The first word may be said within the call. */
	if (live_service(live)->accept(live_service(live)->user, &request, s, &s->guest)) {
		s->guest = NULL;
		arena_fini(&s->arena);
	}
}

static void go(struct websocket *s)
{
	if (!s->guest)
		return;
	live_service(live)->closed(s->guest);
	s->guest = NULL;
	arena_fini(&s->arena);
}

static void say(struct websocket *s, const char *text)
{
	if (s->guest && !s->is_ended && strlen(text) <= LIVE_MESSAGE)
		live_service(live)->message(s->guest, text, strlen(text));
}

static void take(struct websocket *s)
{
	s->is_slow = s->waits = 0;
	if (s->guest && live_service(live)->drained)
		live_service(live)->drained(s->guest);
}

static void step(struct world *w, struct fuzz_input *in)
{
	static const unsigned addresses[] = {0, 1, 4, 5, 6, 7, 10, 11, 38, 100, 101, 105};
	unsigned op = fuzz_byte(in), value;
	struct websocket *s = &sockets[op % VIEWERS];
	char *line;

	switch (op >> 4 & 7) {
	case 0:
		come((int)(op % VIEWERS));
		break;
	case 1:
		line = fuzz_line(in);
		say(s, line);
		free(line);
		break;
	case 2:
		take(s);
		break;
	case 3:
		go(s);
		break;
	case 4:
		s->is_slow = 1;
		break;
	case 5:
		second();
		break;
	case 6:
		value = fuzz_byte(in);
		world_set(1 + (op & 1), addresses[op % 12], value % 12 < 6 ? value % 6 : value);
		world_poll(w);
		break;
	default:
		ended[op % VIEWERS] = 1;
		live_check(live);
		break;
	}
	/* The server lets go of what was ended. */
	for (int i = 0; i < VIEWERS; i++)
		if (sockets[i].is_ended)
			go(&sockets[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct live_hooks hooks = {may, lives, NULL};
	struct fuzz_input in = {data, size};
	struct world *w = world_get();
	struct error err = {0};

	if (!reader)
		reader = json_reader_new(MEMORY);
	memset(ended, 0, sizeof(ended));
	live = live_new((struct loop *)&own_loop, w->control, &hooks, &err);
	fuzz_check(live);
	live_set_most(live, VIEWERS);
	come(0);
	for (int i = 0; i < STEPS_MAX && in.left; i++)
		step(w, &in);
	for (int i = 0; i < VIEWERS; i++) {
		take(&sockets[i]);
		say(&sockets[i], "{\"resync\":true}");
	}
	second();
	second();
	for (int i = 0; i < VIEWERS; i++) {
		fuzz_check(!sockets[i].guest || sockets[i].is_ended || sockets[i].tree);
		go(&sockets[i]);
	}
	live_free(live);
	live = NULL;
	for (int i = 0; i < 4; i++)
		fuzz_check(!timers[i]);
	world_settle(w);
	return 0;
}
