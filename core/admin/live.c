#include "admin/live.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "admin/live_hold.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/patch.h"
#include "control/overview.h"

enum { TEXT_MAX = 8 << 20, SECOND_US = 1000000, ID_MAX = 28 };

struct viewer {
	struct live *live;
	struct viewer *next;
	struct websocket *socket;
	struct guard_who who;
	int wants_all;      /* it has nothing yet, or missed something */
	char watch[ID_MAX]; /* ConnectorID, "" = none */
	int watches_anew;   /* and has heard nothing of it */
};

/* A connector that somebody watches, as it was told last. */
struct detail {
	struct detail *next;
	char id[ID_MAX];
	struct websocket_message *message;
	char *text; /* what it says, to see whether it changed */
	int is_new, is_used;
};

struct live {
	struct loop *loop;
	struct control *control;
	struct live_hooks hooks;
	struct websocket_service service;
	struct json_reader *reader;
	struct viewer *viewers;
	struct detail *details;
	struct loop_timer timer;       /* while somebody looks */
	struct arena arena;            /* of tree */
	struct value *tree;            /* as told last; NULL = there is none */
	uint64_t seq;                  /* of tree */
	struct websocket_message *all; /* tree as a message; NULL until somebody wants it */
	/* On its way to the viewers from next on: what changed in this second. NULL with has_change: there was no memory for it. */
	struct websocket_message *change;
	int has_change;
	struct viewer *next;
	struct loop_timer slice;
	int64_t told_us, checked_us;
	uint64_t turn;
	struct live_figures figures;
};

/* Messages ----------------------------------------------------------------------------------------------------------- */

/* {"seq":N,"KEY":tree}, or {"KEY":tree} for seq 0; NULL: no memory. */
static struct websocket_message *make_message(uint64_t seq, const char *key, const struct value *tree)
{
	struct buffer text;

	buffer_init(&text, TEXT_MAX);
	if (seq)
		(void)buffer_printf(&text, "{\"seq\":%llu,\"%s\":", (unsigned long long)seq, key);
	else
		(void)buffer_printf(&text, "{\"%s\":", key);
	(void)json_write(&text, tree);
	(void)buffer_text(&text, "}");
	return websocket_message_new(&text);
}

static int send_to(struct viewer *v, struct websocket_message *message)
{
	struct live_figures *f = &v->live->figures;

	if (!message || websocket_send(v->socket, message)) {
		f->skipped++;
		return FC_EBUSY;
	}
	f->messages++;
	f->bytes += websocket_message_len(message);
	return FC_OK;
}

/* To one that has nothing: everything, as it was told last. */
static void send_all(struct viewer *v)
{
	struct live *live = v->live;

	if (!live->tree || websocket_waiting(v->socket))
		return;
	if (!live->all)
		live->all = make_message(live->seq, "all", live->tree);
	v->wants_all = send_to(v, live->all) != FC_OK;
}

/* Takes the message over. */
static void set_change(struct live *live, struct websocket_message *message)
{
	live->change = message;
	live->has_change = 1;
	live->told_us = clock_mono_us();
}

/* The tree ----------------------------------------------------------------------------------------------------------- */

static void forget_tree(struct live *live)
{
	websocket_message_free(live->all);
	live->all = NULL;
	live->tree = NULL;
	arena_fini(&live->arena);
}

static void adopt(struct live *live, const struct arena *arena, struct value *tree)
{
	forget_tree(live);
	live->arena = *arena;
	live->tree = tree;
	live->seq++;
}

static void tell_patch(struct live *live, struct arena *next_arena, struct value *next)
{
	struct value *time = value_get(next, "time"), *patch = NULL;
	int64_t now = time->i;
	struct arena arena;

	arena_init(&arena, CONTROL_MEMORY);
	live_hold(live->tree, next, live->turn);
	/* The clock alone is no change. */
	time->i = value_get(live->tree, "time")->i;
	int result = patch_make(&arena, live->tree, next, &patch);
	time->i = now;
	if (!result && patch)
		result = value_add(&arena, patch, "time", value_int(&arena, now));
	if (result) {
		/* Whoever has the tree of before asks for everything, by the gap in the numbers. */
		log_warning("admin: live: the change does not fit into %zu bytes", (size_t)CONTROL_MEMORY);
		adopt(live, next_arena, next);
	} else if (patch) {
		adopt(live, next_arena, next);
		set_change(live, make_message(live->seq, "patch", patch));
	} else {
		arena_fini(next_arena);
		value_get(live->tree, "time")->i = now;
		websocket_message_free(live->all);
		live->all = NULL;
		if (clock_mono_us() - live->told_us >= (int64_t)LIVE_TICK_S * SECOND_US - SECOND_US / 2)
			set_change(live, make_message(live->seq, "tick", value_int(&arena, now)));
	}
	arena_fini(&arena);
}

/* What is there now, told to those who have what was there before. */
static void look(struct live *live)
{
	struct arena arena;

	arena_init(&arena, CONTROL_MEMORY);
	struct value *next = control_overview(live->control, &arena);
	if (!next) {
		log_warning("admin: live: the overview does not fit into %zu bytes", (size_t)CONTROL_MEMORY);
		arena_fini(&arena);
		return;
	}
	live->turn++;
	if (live->tree) {
		tell_patch(live, &arena, next);
		return;
	}
	adopt(live, &arena, next);
	live->told_us = clock_mono_us();
}

/* Details ------------------------------------------------------------------------------------------------------------ */

static void free_detail(struct detail *d)
{
	websocket_message_free(d->message);
	free(d->text);
	free(d);
}

static struct detail *find_detail(struct live *live, const char *id)
{
	struct detail *d = live->details;

	while (d && strcmp(d->id, id) != 0)
		d = d->next;
	if (d)
		return d;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	(void)snprintf(d->id, sizeof(d->id), "%s", id);
	d->next = live->details;
	live->details = d;
	return d;
}

static void look_at(struct live *live, struct detail *d)
{
	struct buffer text;
	struct arena arena;

	arena_init(&arena, CONTROL_MEMORY);
	buffer_init(&text, TEXT_MAX);
	const struct value *tree = control_connector(live->control, d->id, &arena);
	int failed = !tree || json_write(&text, tree);
	d->is_new = !failed && (!d->text || strcmp(d->text, text.data) != 0);
	if (d->is_new) {
		websocket_message_free(d->message);
		d->message = make_message(0, "connector", tree);
		free(d->text);
		d->text = strdup(text.data);
	}
	buffer_fini(&text);
	arena_fini(&arena);
}

/* One that is behind (it had not taken everything when its turn came) gets a later one: only the newest counts. */
static void send_detail(struct viewer *v, const struct detail *d, int is_behind)
{
	v->watches_anew = !d->message || is_behind || send_to(v, d->message) != FC_OK;
}

/* Each that is watched is looked at once, whoever watches it; what nobody watches goes. */
static void look_at_details(struct live *live)
{
	for (struct viewer *v = live->viewers; v; v = v->next) {
		struct detail *d = *v->watch ? find_detail(live, v->watch) : NULL;

		if (d && !d->is_used)
			look_at(live, d);
		if (d)
			d->is_used = 1;
	}
	for (struct detail **at = &live->details; *at;) {
		struct detail *d = *at;

		if (d->is_used) {
			d->is_used = 0;
			at = &d->next;
			continue;
		}
		*at = d->next;
		free_detail(d);
	}
}

/* Time --------------------------------------------------------------------------------------------------------------- */

void live_check(struct live *live)
{
	live->checked_us = clock_mono_us();
	for (struct viewer *v = live->viewers; v; v = v->next)
		if (!live->hooks.lives(live->hooks.user, &v->who)) {
			live->figures.ended++;
			websocket_end(v->socket, WEBSOCKET_LOGGED_OUT);
		}
}

/* What a viewer is told in this second. */
static void visit(struct viewer *v)
{
	struct live *live = v->live;
	int is_behind = websocket_waiting(v->socket) > 0; /* before this turn's change is queued */

	if (v->wants_all)
		send_all(v);
	else if (live->has_change)
		v->wants_all = send_to(v, live->change) != FC_OK;
	const struct detail *d = *v->watch ? find_detail(live, v->watch) : NULL;
	if (d && (d->is_new || v->watches_anew))
		send_detail(v, d, is_behind);
}

static void drop_change(struct live *live)
{
	websocket_message_free(live->change);
	live->change = NULL;
	live->has_change = 0;
}

/* most: how many are visited before the next pause. */
static void go_round(struct live *live, int most)
{
	for (; live->next && most; most--) {
		struct viewer *v = live->next;

		live->next = v->next;
		visit(v);
	}
	/* Without a timer the rest is told with the next second. */
	if (live->next)
		(void)loop_timer_set(live->loop, &live->slice, LIVE_PAUSE_US);
	else
		drop_change(live);
}

static void on_slice(void *user)
{
	go_round(user, LIVE_SLICE);
}

static void on_second(void *user)
{
	struct live *live = user;

	/* First, so that the time that it takes is not added. On failure nobody hears anything, and the viewers come again. */
	(void)loop_timer_set(live->loop, &live->timer, SECOND_US);
	go_round(live, INT_MAX); /* what is left of the last second */
	if (clock_mono_us() - live->checked_us >= (int64_t)LIVE_CHECK_S * SECOND_US)
		live_check(live);
	look(live);
	look_at_details(live);
	live->next = live->viewers;
	go_round(live, LIVE_SLICE);
}

static void stop(struct live *live)
{
	loop_timer_cancel(live->loop, &live->timer);
	loop_timer_cancel(live->loop, &live->slice);
	drop_change(live);
	forget_tree(live);
	look_at_details(live); /* nobody watches: all go */
}

/* Viewers ------------------------------------------------------------------------------------------------------------ */

static int on_accept(void *user, const struct http_request *request, struct websocket *socket, void **guest)
{
	struct live *live = user;
	struct viewer *v = calloc(1, sizeof(*v));

	if (!v)
		return 503;
	int status = live->hooks.may(live->hooks.user, request, &v->who);
	if (status) {
		live->figures.refused++;
		free(v);
		return status;
	}
	if (!live->viewers) {
		if (loop_timer_set(live->loop, &live->timer, SECOND_US)) {
			free(v);
			return 503;
		}
		live->checked_us = clock_mono_us();
		look(live);
	}
	v->live = live;
	v->socket = socket;
	v->wants_all = 1;
	v->next = live->viewers;
	live->viewers = v;
	live->figures.viewers++;
	send_all(v);
	*guest = v;
	return 0;
}

/* What is known already is told at once; all is told again within a second. */
static void begin_watching(struct viewer *v)
{
	struct detail *d = *v->watch ? find_detail(v->live, v->watch) : NULL;

	if (!d)
		return;
	if (!d->text)
		look_at(v->live, d);
	send_detail(v, d, websocket_waiting(v->socket) > 0);
}

static void on_message(void *guest, const char *text, size_t len)
{
	struct viewer *v = guest;
	struct value *tree = NULL;
	struct arena arena;

	arena_init(&arena, 16384);
	if (json_read(v->live->reader, text, len, &arena, &tree, NULL) || !value_is_object(tree)) {
		websocket_end(v->socket, WEBSOCKET_POLICY);
	} else {
		const struct value *watch = value_get(tree, "watch");
		const char *id = value_text(watch);

		if (watch) {
			(void)snprintf(v->watch, sizeof(v->watch), "%s", id && strlen(id) < ID_MAX ? id : "");
			v->watches_anew = 1;
			begin_watching(v);
		}
		if (value_get(tree, "resync"))
			v->wants_all = 1;
	}
	arena_fini(&arena);
}

static void on_closed(void *guest)
{
	struct viewer *v = guest;
	struct live *live = v->live;
	struct viewer **at = &live->viewers;

	while (*at && *at != v)
		at = &(*at)->next;
	if (*at)
		*at = v->next;
	if (live->next == v)
		live->next = v->next;
	free(v);
	live->figures.viewers--;
	if (!live->viewers)
		stop(live);
}

struct live *live_new(struct loop *loop, struct control *control, const struct live_hooks *hooks, struct error *err)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live)
		live->reader = json_reader_new(0);
	if (!live || !live->reader) {
		free(live);
		(void)error_set(err, FC_ENOMEM, "admin: no memory");
		return NULL;
	}
	live->loop = loop;
	live->control = control;
	live->hooks = *hooks;
	live->timer = (struct loop_timer){.fn = on_second, .user = live};
	live->slice = (struct loop_timer){.fn = on_slice, .user = live};
	live->service = (struct websocket_service){.path = "/api/live",
						   .max_message = LIVE_MESSAGE,
						   .user = live,
						   .accept = on_accept,
						   .message = on_message,
						   .closed = on_closed};
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	stop(live);
	json_reader_free(live->reader);
	free(live);
}

const struct websocket_service *live_service(const struct live *live)
{
	return &live->service;
}

void live_set_most(struct live *live, int viewers)
{
	live->service.max = viewers;
}

void live_get_figures(const struct live *live, struct live_figures *figures)
{
	*figures = live->figures;
}
