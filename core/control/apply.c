#include "control/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/alarms.h"
#include "control/command.h"
#include "control/config_scripts.h"
#include "control/config_versions.h"
#include "loop/loop.h"
#include "script/shelf.h"

/* Time for an answer to be on its way before the page moves; pause before a return is tried again. */
enum { EARLY_US = 700000, AGAIN_US = 10000000, PLAN_MEMORY = 8 << 20 };

enum apply_state { APPLY_IDLE, APPLY_WRITING, APPLY_LOADING, APPLY_WAITING, APPLY_RETURNING };

/* What is done beside the loop. Freed by whoever comes last. */
struct work {
	struct apply *apply; /* NULL: gone */
	struct apply_plan *plan;
	struct config_scripts scripts;
	char config_path[TRIAL_PATH];
	int result;
	struct error err;
};

struct apply {
	struct control *control; /* NULL: gone, but for a load that has not ended */
	enum apply_state state;
	struct loop_timer timer;
	struct work *work;
	struct control_reply *reply; /* who waits for an answer; NULL = nobody */
	int is_loading;              /* a load was asked for and has not ended */
	int is_early;                /* answered before it was loaded */
	int confirm_s;
	int64_t until_us, in_force_us, since_wall;
	char who[AUDIT_WHO], place[AUDIT_PLACE], origin[CONFIG_VERSION_ORIGIN];
	char before[SOURCE_HASH], after[SOURCE_HASH];
	char changes[AUDIT_TEXT];
	void (*confirmed)(void *user);
	void *confirmed_user;
	/* How the last one ended. */
	const char *outcome; /* NULL: there was none */
	char outcome_text[ERROR_TEXT_MAX];
	int64_t outcome_wall;
};

static void on_timer(void *user);

/* Plans ------------------------------------------------------------------------------------------------------------------ */

struct apply_plan *apply_plan_new(struct error *err)
{
	struct apply_plan *plan = calloc(1, sizeof(*plan));

	if (plan)
		arena_init(&plan->arena, PLAN_MEMORY);
	else
		(void)error_set(err, FC_ENOMEM, "no memory");
	return plan;
}

void apply_plan_free(struct apply_plan *plan)
{
	if (!plan)
		return;
	config_free(plan->config);
	arena_fini(&plan->arena);
	free(plan);
}

/* Beginning and end ------------------------------------------------------------------------------------------------------ */

/* Whoever looks at the station is to know that something waits for him. */
static void see(void *user, struct alarms *alarms, int64_t now_us)
{
	const struct apply *a = user;
	char left[24];

	if (a->state != APPLY_WAITING && a->state != APPLY_RETURNING)
		return;
	(void)snprintf(left, sizeof(left), "%d", a->confirm_s);
	alarms_say(alarms,
		   &(struct alarm_fault){.kind = ALARM_CONFIG_PENDING,
					 .object = "",
					 .name = "configuration",
					 .key = "config.pending",
					 .cause = "a configuration is on trial and goes back unless it is confirmed",
					 .since_us = a->state == APPLY_WAITING ? a->in_force_us : now_us,
					 .arguments = {{"who", a->who}, {"confirm_s", left}}});
}

struct apply *apply_new(struct control *control, struct error *err)
{
	struct apply *a = calloc(1, sizeof(*a));

	if (!a) {
		(void)error_set(err, FC_ENOMEM, "control: no memory");
		return NULL;
	}
	a->control = control;
	a->timer = (struct loop_timer){.fn = on_timer, .user = a};
	/* Looks end with the loop, before this is freed. */
	if (control->sources.alarms && alarms_add_source(control->sources.alarms, see, a)) {
		free(a);
		(void)error_set(err, FC_ENOMEM, "control: no memory");
		return NULL;
	}
	if (control->sources.config.was_put_back) {
		a->outcome = "restarted";
		a->outcome_wall = clock_wall();
		(void)snprintf(a->outcome_text, sizeof(a->outcome_text),
			       "the gateway started anew before the change was confirmed: the configuration before is "
			       "back");
	}
	return a;
}

void apply_free(struct apply *a)
{
	if (!a)
		return;
	loop_timer_cancel(a->control->sources.config.loop, &a->timer);
	a->control = NULL;
	if (a->work)
		a->work->apply = NULL;
	/* Its end comes still. */
	if (!a->is_loading)
		free(a);
}

int apply_is_idle(const struct apply *a)
{
	return a->state == APPLY_IDLE;
}

static void set_timer(struct apply *a, int64_t delay_us)
{
	if (loop_timer_set(a->control->sources.config.loop, &a->timer, delay_us))
		log_error("control: configuration: no memory for a timer");
}

static void note_outcome(struct apply *a, const char *outcome, const char *text)
{
	a->outcome = outcome;
	a->outcome_wall = clock_wall();
	(void)snprintf(a->outcome_text, sizeof(a->outcome_text), "%s", text);
}

/* What the gateway does by itself is in the audit, too. */
static void audit_own(struct apply *a, const char *result)
{
	struct audit_entry entry = {.at_wall = clock_wall()};

	(void)snprintf(entry.who, sizeof(entry.who), "gateway");
	(void)snprintf(entry.command, sizeof(entry.command), "config_revert");
	(void)snprintf(entry.arguments, sizeof(entry.arguments), "{}");
	(void)snprintf(entry.before, sizeof(entry.before), "%.12s", a->after);
	(void)snprintf(entry.after, sizeof(entry.after), "%.12s", a->before);
	(void)snprintf(entry.result, sizeof(entry.result), "%.*s", AUDIT_TEXT - 1, result);
	(void)audit_add(a->control->sources.store, &entry, NULL, NULL);
}

/* The answer --------------------------------------------------------------------------------------------------------------- */

static const char *state_name(enum apply_state state)
{
	switch (state) {
	case APPLY_IDLE:
		return "idle";
	case APPLY_WRITING:
		return "writing";
	case APPLY_LOADING:
		return "loading";
	case APPLY_WAITING:
		return "waiting";
	case APPLY_RETURNING:
		return "returning";
	}
	return "idle";
}

static int left_s(const struct apply *a)
{
	int64_t left = a->until_us - clock_mono_us();

	return left > 0 ? (int)((left + 999999) / 1000000) : 0;
}

void apply_put(const struct apply *a, struct maker *m, struct value *object)
{
	if (!a)
		return;
	if (a->state != APPLY_IDLE) {
		struct value *o = value_object(m->arena);

		maker_text(m, o, "state", state_name(a->state));
		maker_int(m, o, "confirm_s", a->confirm_s);
		if (a->state == APPLY_WAITING)
			maker_int(m, o, "left_s", left_s(a));
		maker_int(m, o, "since", a->since_wall);
		maker_text(m, o, "who", a->who);
		maker_optional(m, o, "place", a->place);
		maker_text(m, o, "changes", a->changes);
		maker_put(m, object, "pending", o);
	}
	if (a->outcome) {
		struct value *o = value_object(m->arena);

		maker_text(m, o, "outcome", a->outcome);
		maker_text(m, o, "text", a->outcome_text);
		maker_int(m, o, "at", a->outcome_wall);
		maker_put(m, object, "last", o);
	}
}

static void answer(struct apply *a, int code, const char *text)
{
	struct control_reply *reply = a->reply;
	struct maker m = {0};

	a->reply = NULL;
	if (!reply)
		return;
	if (!code) {
		m.arena = &reply->arena;
		struct value *root = value_object(m.arena);

		apply_put(a, &m, root);
		maker_text(&m, root, "hash", a->after);
		reply->result = m.failed ? NULL : root;
	}
	control_finish(reply, code, text);
}

/* Going back ------------------------------------------------------------------------------------------------------------- */

static void on_returned(void *user, int code, const char *error)
{
	struct apply *a = user;

	a->is_loading = 0;
	if (!a->control) {
		free(a);
		return;
	}
	if (code) {
		log_error("control: configuration: the one before is not in force again: %s", error);
		set_timer(a, AGAIN_US);
		return;
	}
	a->state = APPLY_IDLE;
	log_notice("control: configuration: the one before is in force again");
	answer(a, FC_OK, "");
}

static void go_back(struct apply *a)
{
	struct error err = {0};
	int result = trial_revert(a->control->sources.path, &err);

	a->state = APPLY_RETURNING;
	/* FC_ENOENT: the files are back already. */
	if (result && result != FC_ENOENT) {
		log_error("control: configuration: going back: %s", err.text);
		set_timer(a, AGAIN_US);
		return;
	}
	a->is_loading = 1;
	a->control->sources.config.load(a->control->sources.config.user, on_returned, a);
}

static void expire(struct apply *a)
{
	char text[ERROR_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "nobody confirmed it within %d s: the configuration before came back",
		       a->confirm_s);
	log_warning("control: configuration: %s (%s)", text, a->changes);
	note_outcome(a, "expired", text);
	audit_own(a, text);
	go_back(a);
}

/* Loading ------------------------------------------------------------------------------------------------------------------ */

static void refuse(struct apply *a, int code, const char *error)
{
	struct error err = {0};

	note_outcome(a, "refused", error);
	if (trial_revert(a->control->sources.path, &err)) {
		log_error("control: configuration: refused, and going back: %s", err.text);
		a->state = APPLY_RETURNING;
		set_timer(a, AGAIN_US);
	} else {
		a->state = APPLY_IDLE;
	}
	if (!a->reply)
		log_error("control: configuration: refused, the one before stays: %s", error);
	answer(a, code, error);
}

static void on_loaded(void *user, int code, const char *error)
{
	struct apply *a = user;

	a->is_loading = 0;
	if (!a->control) {
		free(a);
		return;
	}
	if (code) {
		refuse(a, code, error);
		return;
	}
	a->state = APPLY_WAITING;
	a->in_force_us = clock_mono_us();
	a->until_us = a->in_force_us + (int64_t)a->confirm_s * 1000000;
	set_timer(a, (int64_t)a->confirm_s * 1000000);
	log_notice("control: configuration: in force for %d s, until it is confirmed: %s", a->confirm_s, a->changes);
	answer(a, FC_OK, "");
}

static void load(struct apply *a)
{
	a->is_loading = 1;
	a->control->sources.config.load(a->control->sources.config.user, on_loaded, a);
}

static void on_timer(void *user)
{
	struct apply *a = user;

	switch (a->state) {
	case APPLY_LOADING:
		load(a);
		return;
	case APPLY_WAITING:
		expire(a);
		return;
	case APPLY_RETURNING:
		go_back(a);
		return;
	case APPLY_IDLE:
	case APPLY_WRITING:
		return;
	}
}

/* Writing: beside the loop --------------------------------------------------------------------------------------------------- */

static void free_work(struct work *w)
{
	config_scripts_fini(&w->scripts);
	apply_plan_free(w->plan);
	free(w);
}

static int step(void *user)
{
	struct work *w = user;

	if (config_scripts_step(&w->scripts))
		return 1;
	if (w->scripts.refused_count)
		w->result = error_set(&w->err, FC_EINVAL, "%s", w->scripts.refused[0].why.text);
	else
		w->result = trial_begin(w->config_path, w->plan->files, w->plan->file_count, &w->err);
	return 0;
}

static void on_written(void *user, int finished)
{
	struct work *w = user;
	struct apply *a = w->apply;

	if (!a || !finished) {
		/* The gateway ends. What was written goes back at the next start. */
		if (a)
			a->work = NULL;
		free_work(w);
		return;
	}
	a->work = NULL;
	if (w->result) {
		a->state = APPLY_IDLE;
		note_outcome(a, "refused", w->err.text);
		answer(a, w->result, w->err.text);
	} else {
		a->state = APPLY_LOADING;
		if (a->is_early) {
			answer(a, FC_OK, "");
			set_timer(a, EARLY_US);
		} else {
			load(a);
		}
	}
	free_work(w);
}

static void on_cancel(void *user)
{
	((struct apply *)user)->reply = NULL;
}

static void add_change(void *user, const struct config_change *change)
{
	struct apply *a = user;
	size_t n = strlen(a->changes);

	(void)snprintf(a->changes + n, sizeof(a->changes) - n, "%s%s %s %s", n ? ", " : "", change->type, change->name,
		       config_action_name(change->action));
	if (!strcmp(change->type, "admin"))
		a->is_early = 1;
}

static void describe(struct apply *a, struct control_reply *reply, const struct apply_plan *plan)
{
	const struct config *running = a->control->sources.config.running(a->control->sources.config.user);

	a->since_wall = clock_wall();
	a->confirm_s = plan->confirm_s;
	a->is_early = strcmp(running->gateway.control_socket, plan->config->gateway.control_socket) != 0;
	a->changes[0] = '\0';
	(void)config_compare(running, plan->config, add_change, a);
	(void)snprintf(a->who, sizeof(a->who), "%s", reply->who);
	(void)snprintf(a->place, sizeof(a->place), "%s", reply->place);
	(void)snprintf(a->origin, sizeof(a->origin), "%s", plan->origin);
	sources_digest(plan->text, plan->len, a->after);
	(void)snprintf(reply->before, sizeof(reply->before), "%.12s", a->before);
	(void)snprintf(reply->after, sizeof(reply->after), "%.12s: %.220s", a->after, a->changes);
	a->confirmed = plan->confirmed;
	a->confirmed_user = plan->confirmed_user;
}

int apply_start(struct apply *a, struct control_reply *reply, struct apply_plan *plan, struct error *err)
{
	const struct script_host *host = a->control->sources.lua.host;
	struct work *w = calloc(1, sizeof(*w));
	char *text = NULL;
	size_t len;

	if (!w) {
		apply_plan_free(plan);
		return error_set(err, FC_ENOMEM, "no memory");
	}
	int result = FC_OK;
	if (a->state != APPLY_IDLE)
		result = error_set(err, FC_EBUSY, "a change by %s waits for its confirmation", a->who);
	if (!result && !host->shelf)
		result = error_set(err, FC_EIO, "there is nobody to load scripts");
	/* What is in force now may have been changed by hand: then it is in the history before it goes. */
	if (!result)
		result = config_file_read(a->control, &text, &len, a->before, err);
	free(text);
	if (!result && config_versions_note(a->control, "file", "", "", err))
		log_warning("control: configuration: its history: %s", err->text);
	if (!result && config_scripts_init(&w->scripts, plan->config, host->lua_dir, plan->instead))
		result = error_set(err, FC_ENOMEM, "no memory");
	if (result) {
		free(w);
		apply_plan_free(plan);
		return result;
	}
	w->apply = a;
	w->plan = plan;
	(void)snprintf(w->config_path, sizeof(w->config_path), "%s", a->control->sources.path);
	describe(a, reply, plan);
	result = shelf_run(host->shelf, step, on_written, w);
	if (result) {
		free_work(w);
		return error_set(err, result, "no memory");
	}
	a->work = w;
	a->state = APPLY_WRITING;
	a->reply = reply;
	reply->cancel = on_cancel;
	reply->cancel_user = a;
	return CONTROL_LATER;
}

/* Confirm, take back --------------------------------------------------------------------------------------------------------- */

static int check_waiting(const struct apply *a, struct error *err)
{
	if (a->state == APPLY_WAITING)
		return FC_OK;
	if (a->state == APPLY_IDLE)
		return error_set(err, FC_ENOENT, "no change waits for a confirmation%s%s", a->outcome ? ": " : "",
				 a->outcome ? a->outcome_text : "");
	return error_set(err, FC_EBUSY, "the change is not in force yet, or going back");
}

int apply_confirm(struct apply *a, struct control_reply *reply, struct error *err)
{
	struct error why = {0};
	int result = check_waiting(a, err);

	if (result)
		return result;
	/* One from before proves nothing: whether a new one can be made is the question. */
	if (reply->connected_us && reply->connected_us <= a->in_force_us) {
		reply->key = CONTROL_KEY_NEW_CONNECTION;
		return error_set(err, FC_EBUSY, "a confirmation wants a new connection, to the gateway as it is now");
	}
	result = trial_confirm(a->control->sources.path, err);
	if (result)
		return result;
	loop_timer_cancel(a->control->sources.config.loop, &a->timer);
	a->state = APPLY_IDLE;
	note_outcome(a, "confirmed", "confirmed");
	log_notice("control: configuration: confirmed by %s", reply->who);
	if (config_versions_note(a->control, a->origin, a->who, a->place, &why))
		log_warning("control: configuration: its history: %s", why.text);
	if (a->confirmed)
		a->confirmed(a->confirmed_user);
	return FC_OK;
}

int apply_revert(struct apply *a, const struct control_reply *reply, struct error *err)
{
	int result = check_waiting(a, err);

	if (result)
		return result;
	note_outcome(a, "reverted", "taken back on demand");
	log_notice("control: configuration: taken back by %s", reply->who);
	loop_timer_cancel(a->control->sources.config.loop, &a->timer);
	go_back(a);
	return FC_OK;
}

/* For other rooms ------------------------------------------------------------------------------------------------------------ */

int control_config_pending(const struct control *control, struct control_pending *pending)
{
	const struct apply *a = control->apply;

	if (!a || a->state == APPLY_IDLE)
		return 0;
	if (pending)
		*pending = (struct control_pending){.state = state_name(a->state),
						    .since_wall = a->since_wall,
						    .left_s = a->state == APPLY_WAITING ? left_s(a) : 0,
						    .who = a->who,
						    .place = a->place};
	return 1;
}

void control_config_loaded(struct control *control, const char *origin)
{
	struct error err = {0};

	/* That of a trial is noted when it is confirmed. */
	if (!control->apply || control->apply->state != APPLY_IDLE)
		return;
	if (control->apply->outcome && !strcmp(control->apply->outcome, "restarted") && !strcmp(origin, "start"))
		audit_own(control->apply, control->apply->outcome_text);
	if (config_versions_note(control, origin, "", "", &err))
		log_warning("control: configuration: its history: %s", err.text);
}
