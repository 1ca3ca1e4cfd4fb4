#include "control/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/guard_inside.h"

/* A token's use is noted this often: each is a write to the flash. */
enum { USE_NOTED_S = 3600, STRANGERS_MAX = HASHER_PIECES / 2 };

const char *guard_source_name(enum guard_source source)
{
	switch (source) {
	case GUARD_PAGE:
		return "page";
	case GUARD_CONFIGURATION:
		return "configuration";
	case GUARD_TOKEN:
		return "token";
	}
	return "unknown";
}

struct guard *guard_new(struct loop *loop, struct store *store, struct error *err)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard) {
		(void)error_set(err, FC_ENOMEM, "control: no memory");
		return NULL;
	}
	guard->store = store;
	guard->hasher = hasher_new(loop, err);
	if (!guard->hasher || guard_load(guard, err)) {
		guard_free(guard);
		return NULL;
	}
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	hasher_free(guard->hasher);
	/* Another one is made at the next start. */
	if (*guard->one_time)
		first_password_drop(guard->one_time_path);
	explicit_bzero(guard, sizeof(*guard));
	free(guard);
}

int guard_check(const struct config *config, struct error *err)
{
	const struct config_admin *c = &config->admin;

	if (!c->enabled || !*c->password_hash || password_hash_is_good(c->password_hash))
		return FC_OK;
	return error_set(
	    err, FC_EINVAL,
	    "admin: password_hash: wants pbkdf2-sha256$ROUNDS$SALT$HASH or scrypt$14$8$5$SALT$HASH, in hex");
}

void guard_apply(struct guard *guard, const struct config *config)
{
	const struct config_admin *c = &config->admin;
	const char *hash = c->enabled ? c->password_hash : "";
	char path[FIRST_PASSWORD_PATH];

	if (guard->is_on != c->enabled || strcmp(guard->user, c->user) != 0 || strcmp(guard->user_hash, hash) != 0) {
		(void)sessions_end_all(&guard->sessions, guard->user, 0);
		(void)sessions_end_all(&guard->sessions, c->user, 0);
		guard->one_time[0] = '\0';
	}
	first_password_path(config->gateway.control_socket, path);
	/* To another place: another one. */
	if (strcmp(guard->one_time_path, path) != 0) {
		first_password_drop(guard->one_time_path);
		memcpy(guard->one_time_path, path, sizeof(path));
		guard->one_time[0] = '\0';
	}
	guard->is_on = c->enabled;
	(void)snprintf(guard->user, sizeof(guard->user), "%s", c->user);
	(void)snprintf(guard->user_hash, sizeof(guard->user_hash), "%s", hash);
	hasher_match(guard->hasher, password_rounds(guard->user_hash));
	guard_one_time(guard);
}

const char *guard_configured(const struct guard *guard)
{
	return *guard->user_hash ? guard->user : NULL;
}

static int is_configured(const struct guard *guard, const char *name)
{
	const char *configured = guard_configured(guard);

	return configured && !strcmp(configured, name);
}

/* Identities --------------------------------------------------------------------------------------------------------- */

/* The right of an account that may log in: FC_OK, or FC_EAUTH. */
static int right_of(struct guard *guard, const struct session *s, enum control_right *right)
{
	const struct account_row *row = guard_find(guard, s->account);

	*right = CONTROL_ADMINISTER;
	if (s->is_configured)
		return is_configured(guard, s->account) ? FC_OK : FC_EAUTH;
	/* Let in by the one-time password: there may be no account yet, and no other thing can be done. */
	if (s->must_change && *guard->one_time && !strcmp(s->account, guard->user))
		return FC_OK;
	return !row || row->disabled || control_right_of(row->role, right) ? FC_EAUTH : FC_OK;
}

static int tell_session(struct guard *guard, const struct session *s, struct guard_who *who)
{
	*who = (struct guard_who){.source = s->is_configured ? GUARD_CONFIGURATION : GUARD_PAGE,
				  .must_change = s->must_change,
				  .session = s->id};
	if (right_of(guard, s, &who->right))
		return FC_EAUTH;
	(void)snprintf(who->name, sizeof(who->name), "%s", s->account);
	memcpy(who->csrf, s->csrf, sizeof(who->csrf));
	return FC_OK;
}

int guard_by_session(struct guard *guard, const char *token, struct guard_who *who)
{
	const struct session *s = sessions_find(&guard->sessions, token, clock_mono_us(), 1);

	return s ? tell_session(guard, s, who) : FC_EAUTH;
}

/* One that ends can't be told from one that ended while the clock is not set yet. */
static int is_over(const struct token_row *t, int64_t wall)
{
	return t->expires_wall && (!clock_trusted(wall) || wall >= t->expires_wall);
}

static int tell_token(const struct token_row *t, int64_t wall, struct guard_who *who)
{
	*who = (struct guard_who){.source = GUARD_TOKEN, .token = t->id};
	(void)snprintf(who->name, sizeof(who->name), "token %s", t->name);
	return is_over(t, wall) || control_right_of(t->role, &who->right) ? FC_EAUTH : FC_OK;
}

int guard_by_token(struct guard *guard, const char *token, struct guard_who *who)
{
	struct token_row *found = NULL;
	int64_t wall = clock_wall();
	char digest[TOKEN_DIGEST];

	password_digest(token, digest);
	for (int i = 0; i < guard->token_count; i++)
		if (!strcmp(guard->tokens[i].digest, digest))
			found = &guard->tokens[i];
	if (!found || tell_token(found, wall, who))
		return FC_EAUTH;
	if (wall - found->used_wall >= USE_NOTED_S || wall < found->used_wall) {
		found->used_wall = wall;
		(void)token_noted_use(guard->store, found->id, wall, NULL);
	}
	return FC_OK;
}

void guard_logout(struct guard *guard, const char *token)
{
	struct session *s = sessions_find(&guard->sessions, token, clock_mono_us(), 0);

	if (s)
		sessions_end(s);
}

int guard_is_still(struct guard *guard, const struct guard_who *who, int is_used)
{
	int64_t now = clock_mono_us();
	struct session *s = sessions_of(&guard->sessions, who->session, now);
	struct guard_who found;

	if (who->session) {
		if (!s || tell_session(guard, s, &found) || found.right != who->right)
			return 0;
		if (is_used)
			s->used_us = now;
		return 1;
	}
	for (int i = 0; i < guard->token_count; i++)
		if (guard->tokens[i].id == who->token)
			return !tell_token(&guard->tokens[i], clock_wall(), &found) && found.right == who->right;
	return 0;
}

/* Attempts ----------------------------------------------------------------------------------------------------------- */

static void tell(guard_done done, void *user, int code, const char *key, const char *error, int wait_s)
{
	done(user, &(struct guard_outcome){.code = code, .key = key, .error = error, .wait_s = wait_s});
}

static void end_attempt(struct attempt *a, int code, const char *key, const char *error)
{
	guard_done done = a->done;
	void *user = a->user;

	explicit_bzero(a, sizeof(*a));
	tell(done, user, code, key, error, 0);
}

/* Another one of that address, or a stranger's for that account, or too many strangers: guesses come one after the other, and leave
 * places for those who are known. */
static int is_crowded(const struct guard *guard, const char *name, const char *place)
{
	int strangers = 0, is_known = lockout_is_known(&guard->lockout, name, place);

	for (int i = 0; i < HASHER_PIECES; i++) {
		const struct attempt *a = &guard->attempts[i];

		if (!a->guard)
			continue;
		if (lockout_address(a->place) == lockout_address(place) || (!is_known && !strcmp(a->name, name)))
			return 1;
		strangers += !lockout_is_known(&guard->lockout, a->name, a->place);
	}
	return !is_known && strangers >= STRANGERS_MAX;
}

/* A place for an attempt that may be looked at; NULL: whoever wants it has been told why not. */
static struct attempt *begin(struct guard *guard, const char *name, const char *place, guard_done done, void *user)
{
	static const char wait[] = "too many wrong passwords: wait";
	int wait_s = lockout_wait_s(&guard->lockout, name, place, clock_mono_us());

	if (wait_s) {
		tell(done, user, FC_EBUSY, "login.wait", wait, wait_s);
		return NULL;
	}
	for (int i = 0; i < HASHER_PIECES && !is_crowded(guard, name, place); i++) {
		struct attempt *a = &guard->attempts[i];

		if (a->guard)
			continue;
		*a = (struct attempt){.guard = guard, .done = done, .user = user};
		(void)snprintf(a->name, sizeof(a->name), "%s", name);
		(void)snprintf(a->place, sizeof(a->place), "%s", place);
		return a;
	}
	tell(done, user, FC_EBUSY, "login.wait", "others log in: try again", 1);
	return NULL;
}

/* The hash that an account has now, "" = it can't log in. */
static const char *hash_of(struct guard *guard, const char *name)
{
	const struct account_row *row = guard_find(guard, name);

	if (is_configured(guard, name))
		return guard->user_hash;
	return row && !row->disabled ? row->hash : "";
}

static int is_one_time(const struct guard *guard, const char *name, const char *password)
{
	return (password_same(name, guard->user) & password_same(password, guard->one_time)) && *guard->one_time;
}

static void wrong(struct attempt *a)
{
	struct guard *guard = a->guard;
	int is_there = *hash_of(guard, a->name) || !strcmp(a->name, guard->user);

	lockout_failed(&guard->lockout, a->name, a->place, clock_mono_us());
	/* A name that is none may be a password in the wrong field. */
	log_warning("admin: %s%s%s refused from %s", a->is_change ? "change of a password" : "log-in",
		    is_there ? " as " : "", is_there ? a->name : "", a->place);
	if (a->is_change)
		end_attempt(a, FC_EAUTH, "password.wrong", "the old password is wrong");
	else
		end_attempt(a, FC_EAUTH, "login.wrong", "user or password wrong");
}

static void let_in(struct attempt *a, int must_change)
{
	struct guard *guard = a->guard;
	struct session like = {.must_change = must_change, .is_configured = is_configured(guard, a->name)};
	char token[SESSION_TOKEN];
	struct guard_who who;
	struct session *s;

	(void)snprintf(like.account, sizeof(like.account), "%s", a->name);
	(void)snprintf(like.place, sizeof(like.place), "%s", a->place);
	if (sessions_begin(&guard->sessions, &like, clock_mono_us(), token, &s) || tell_session(guard, s, &who)) {
		end_attempt(a, FC_EIO, "", "no session can be made");
		return;
	}
	guard_done done = a->done;
	void *user = a->user;
	explicit_bzero(a, sizeof(*a));
	done(user, &(struct guard_outcome){.error = "", .key = "", .who = &who, .token = token});
	explicit_bzero(token, sizeof(token));
}

static void logged_in(void *user, int is_right, const char *hash)
{
	struct attempt *a = user;
	struct guard *guard = a->guard;
	struct account_row *row = is_configured(guard, a->name) ? NULL : guard_find(guard, a->name);

	(void)hash;
	/* Changed, disabled or gone meanwhile: not this password any more. */
	if (is_right && strcmp(hash_of(guard, a->name), a->hash) != 0)
		is_right = 0;
	if (!is_right && !(a->is_one_time && *guard->one_time)) {
		wrong(a);
		return;
	}
	lockout_succeeded(&guard->lockout, a->name, a->place, clock_mono_us());
	if (row && is_right) {
		row->login_wall = clock_wall();
		(void)snprintf(row->login_place, sizeof(row->login_place), "%s", a->place);
	}
	guard_note(guard, a->name, a->place, "login", "done");
	log_notice("admin: log-in as %s from %s", a->name, a->place);
	let_in(a, !is_right || (row && row->must_change));
}

void guard_login(struct guard *guard, const char *name, const char *password, const char *place, guard_done done,
		 void *user)
{
	struct attempt *a = begin(guard, strlen(name) < ACCOUNT_NAME ? name : "", place, done, user);

	if (!a)
		return;
	a->is_one_time = is_one_time(guard, name, password);
	(void)snprintf(a->hash, sizeof(a->hash), "%s", hash_of(guard, a->name));
	int result =
	    strlen(name) < ACCOUNT_NAME ? hasher_check(guard->hasher, password, a->hash, logged_in, a) : FC_EINVAL;
	if (result == FC_EINVAL)
		wrong(a);
	else if (result)
		end_attempt(a, FC_EBUSY, "login.wait", "others log in: try again");
}

/* An own password ----------------------------------------------------------------------------------------------------- */

static void new_password(void *user, int is_right, const char *hash)
{
	struct attempt *a = user;
	struct guard *guard = a->guard;
	const struct account_row *old = guard_find(guard, a->name);
	struct account_row row = {.created_wall = clock_wall()};
	struct error err = {0};

	(void)is_right;
	if (old)
		row = *old;
	/* Let in by the one-time password. */
	if (!old || a->is_one_time)
		(void)snprintf(row.role, sizeof(row.role), "%s", control_role(CONTROL_ADMINISTER));
	if (!*hash || !guard_is_still(guard, &a->who, 0)) {
		end_attempt(a, *hash ? FC_EAUTH : FC_EIO, "", *hash ? "log in again" : "the password can't be hashed");
		return;
	}
	(void)snprintf(row.name, sizeof(row.name), "%s", a->name);
	(void)snprintf(row.hash, sizeof(row.hash), "%s", hash);
	row.must_change = row.disabled = 0;
	row.login_wall = clock_wall();
	(void)snprintf(row.login_place, sizeof(row.login_place), "%s", a->place);
	int result = guard_set(guard, &row, &err);
	guard_note(guard, a->name, a->place, "password", result ? err.text : "done");
	if (result)
		end_attempt(a, result, "", err.text);
	else
		let_in(a, 0);
}

static void old_checked(void *user, int is_right, const char *hash)
{
	struct attempt *a = user;
	struct guard *guard = a->guard;

	(void)hash;
	if (!is_right && !(a->is_one_time && *guard->one_time)) {
		guard_note(guard, a->name, a->place, "password", "the old password is wrong");
		wrong(a);
		return;
	}
	if (hasher_make(guard->hasher, a->password, new_password, a))
		end_attempt(a, FC_EBUSY, "login.wait", "others log in: try again");
	else
		explicit_bzero(a->password, sizeof(a->password));
}

void guard_change(struct guard *guard, const struct guard_who *who, const char *old, const char *password,
		  const char *place, guard_done done, void *user)
{
	const char *refused = password_refused(password, who->name);

	if (who->source != GUARD_PAGE) {
		tell(done, user, FC_EBUSY, "account.configured", "this account has no password that is set here", 0);
		return;
	}
	if (refused || !strcmp(old, password)) {
		tell(done, user, FC_EINVAL, refused ? "password.weak" : "password.same",
		     refused ? refused : "the new password is the old one", 0);
		return;
	}
	struct attempt *a = begin(guard, who->name, place, done, user);
	if (!a)
		return;
	a->is_change = 1;
	a->who = *who;
	a->is_one_time = is_one_time(guard, a->name, old);
	(void)snprintf(a->password, sizeof(a->password), "%s", password);
	(void)snprintf(a->hash, sizeof(a->hash), "%s", hash_of(guard, a->name));
	int result = hasher_check(guard->hasher, old, a->hash, old_checked, a);
	if (result == FC_EINVAL)
		wrong(a);
	else if (result)
		end_attempt(a, FC_EBUSY, "login.wait", "others log in: try again");
}

int guard_hash(struct guard *guard, const char *password, void (*done)(void *user, int is_right, const char *hash),
	       void *user)
{
	return hasher_make(guard->hasher, password, done, user);
}

static void ignore(void *user, const struct guard_outcome *outcome)
{
	(void)user, (void)outcome;
}

void guard_forget(struct guard *guard, const void *user)
{
	for (int i = 0; i < HASHER_PIECES; i++)
		if (guard->attempts[i].guard && guard->attempts[i].user == user)
			guard->attempts[i].done = ignore;
	hasher_forget(guard->hasher, user);
}
