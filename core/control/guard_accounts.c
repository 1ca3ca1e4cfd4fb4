/* The guard's lists: accounts, tokens, sessions, as the store has them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/guard_inside.h"
#include "store/audit.h"

/* In memory and in the store: the same. What does not fit was never put there by us. */
static void load_account(void *user, const struct account_row *row)
{
	struct guard *guard = user;

	if (guard->account_count < GUARD_ACCOUNTS_MAX)
		guard->accounts[guard->account_count++] = *row;
}

static void load_token(void *user, const struct token_row *row)
{
	struct guard *guard = user;

	if (guard->token_count < GUARD_TOKENS_MAX)
		guard->tokens[guard->token_count++] = *row;
}

int guard_load(struct guard *guard, struct error *err)
{
	if (account_each(guard->store, load_account, guard) < 0 || token_each(guard->store, load_token, guard) < 0)
		return error_set(err, FC_EIO, "control: the accounts can't be read");
	return FC_OK;
}

struct account_row *guard_find(struct guard *guard, const char *name)
{
	for (int i = 0; i < guard->account_count; i++)
		if (!strcmp(guard->accounts[i].name, name))
			return &guard->accounts[i];
	return NULL;
}

const struct account_row *guard_account_at(const struct guard *guard, int i)
{
	return i >= 0 && i < guard->account_count ? &guard->accounts[i] : NULL;
}

const struct account_row *guard_account(const struct guard *guard, const char *name)
{
	for (int i = 0; i < guard->account_count; i++)
		if (!strcmp(guard->accounts[i].name, name))
			return &guard->accounts[i];
	return NULL;
}

void guard_note(struct guard *guard, const char *who, const char *place, const char *command, const char *result)
{
	struct audit_entry entry = {.at_wall = clock_wall(), .arguments = "{}"};
	const struct account_row *row = guard_find(guard, who);

	/* That it can't be kept locks nobody out. */
	if (store_begin(guard->store, NULL))
		return;
	(void)snprintf(entry.who, sizeof(entry.who), "%s", who);
	(void)snprintf(entry.place, sizeof(entry.place), "%s", place);
	(void)snprintf(entry.command, sizeof(entry.command), "%s", command);
	(void)snprintf(entry.result, sizeof(entry.result), "%s", result);
	if (row && row->login_wall)
		(void)account_noted_login(guard->store, who, row->login_wall, row->login_place, NULL);
	(void)audit_add(guard->store, &entry, NULL, NULL);
	(void)store_commit(guard->store, NULL);
}

/* The one-time password ---------------------------------------------------------------------------------------------- */

static int is_administrator(const struct account_row *row)
{
	return !row->disabled && !strcmp(row->role, control_role(CONTROL_ADMINISTER));
}

/* Who may administer, but for the account that is named so. */
static int administrators_but(const struct guard *guard, const char *name)
{
	const char *configured = guard_configured(guard);
	int n = configured != NULL;

	for (int i = 0; i < guard->account_count; i++) {
		const struct account_row *row = &guard->accounts[i];

		/* The configuration's account hides one of the same name. */
		if (strcmp(row->name, name) != 0 && (!configured || strcmp(row->name, configured) != 0))
			n += is_administrator(row);
	}
	return n;
}

/* For who stands at the box, never in the log, which may be sent elsewhere: standard error is the log of a service, unless it is a
 * terminal. */
static void show_one_time(const struct guard *guard)
{
	int is_terminal = isatty(STDERR_FILENO);
	struct error err = {0};

	if (is_terminal)
		fprintf(stderr, "admin: one-time password for user %s: %s\n", guard->user, guard->one_time);
	if (*guard->one_time_path && !first_password_put(guard->one_time_path, guard->user, guard->one_time, &err))
		log_notice("admin: a one-time password for user %s waits on the box: forecourt password (%s)",
			   guard->user, guard->one_time_path);
	else if (!is_terminal)
		log_error("admin: nobody can log in for the first time: no place for a one-time password: %s",
			  *err.text ? err.text : "there is no control_socket");
}

void guard_one_time(struct guard *guard)
{
	int wanted = guard->is_on && !administrators_but(guard, "");

	if (!wanted) {
		explicit_bzero(guard->one_time, sizeof(guard->one_time));
		first_password_drop(guard->one_time_path);
		return;
	}
	if (*guard->one_time)
		return;
	if (password_generate(guard->one_time)) {
		guard->one_time[0] = '\0';
		log_error("admin: no randomness for a one-time password: nobody can log in");
		return;
	}
	show_one_time(guard);
}

/* Accounts ----------------------------------------------------------------------------------------------------------- */

static int is_same(const struct account_row *a, const struct account_row *b)
{
	return !strcmp(a->role, b->role) && !strcmp(a->hash, b->hash) && a->disabled == b->disabled &&
	       a->must_change == b->must_change;
}

static int refuse_configured(const struct guard *guard, const char *name, struct error *err)
{
	const char *configured = guard_configured(guard);

	if (configured && !strcmp(configured, name))
		return error_set(err, FC_EBUSY, "%s is the account of the configuration: it is changed there", name);
	return FC_OK;
}

static int refuse_last(const struct guard *guard, const char *name, struct error *err)
{
	const struct account_row *row = guard_account(guard, name);

	if (row && is_administrator(row) && !administrators_but(guard, name))
		return error_set(err, FC_EBUSY, "%s is the last administrator", name);
	return FC_OK;
}

int guard_name_is_good(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *name && strspn(name, allowed) == strlen(name);
}

int guard_set(struct guard *guard, const struct account_row *row, struct error *err)
{
	struct account_row *old = guard_find(guard, row->name);
	int result = refuse_configured(guard, row->name, err);

	if (!result && !is_administrator(row))
		result = refuse_last(guard, row->name, err);
	if (!result && !old && guard->account_count == GUARD_ACCOUNTS_MAX)
		result = error_set(err, FC_ELIMIT, "no more than %d accounts", GUARD_ACCOUNTS_MAX);
	if (!result)
		result = account_put(guard->store, row, err);
	if (result)
		return result;
	if (!old || !is_same(old, row))
		(void)sessions_end_all(&guard->sessions, row->name, 0);
	if (!old) {
		int i = guard->account_count++;

		for (; i > 0 && strcmp(guard->accounts[i - 1].name, row->name) > 0; i--)
			guard->accounts[i] = guard->accounts[i - 1];
		old = &guard->accounts[i];
	}
	*old = *row;
	guard_one_time(guard);
	return FC_OK;
}

int guard_remove(struct guard *guard, const char *name, struct error *err)
{
	struct account_row *row = guard_find(guard, name);

	if (!row)
		return error_set(err, FC_ENOENT, "there is no account %s", name);
	int result = refuse_last(guard, name, err);
	if (!result)
		result = account_drop(guard->store, name, err);
	if (result)
		return result;
	(void)sessions_end_all(&guard->sessions, name, 0);
	guard->account_count--;
	memmove(row, row + 1, (size_t)(&guard->accounts[guard->account_count] - row) * sizeof(*row));
	guard_one_time(guard);
	return FC_OK;
}

/* Tokens ------------------------------------------------------------------------------------------------------------- */

const struct token_row *guard_token_at(const struct guard *guard, int i)
{
	return i >= 0 && i < guard->token_count ? &guard->tokens[i] : NULL;
}

int guard_token_add(struct guard *guard, struct token_row *row, char text[GUARD_TOKEN_TEXT], struct error *err)
{
	/* A known beginning, so that one that was leaked can be found by those who look for such things. */
	static const char start[] = "fc_";

	if (guard->token_count == GUARD_TOKENS_MAX)
		return error_set(err, FC_ELIMIT, "no more than %d tokens", GUARD_TOKENS_MAX);
	memcpy(text, start, sizeof(start));
	if (password_random_hex(32, text + sizeof(start) - 1))
		return error_set(err, FC_EIO, "no randomness");
	password_digest(text, row->digest);
	row->created_wall = clock_wall();
	int result = token_put(guard->store, row, err);
	if (!result)
		guard->tokens[guard->token_count++] = *row;
	return result;
}

int guard_token_remove(struct guard *guard, int64_t id, struct error *err)
{
	for (int i = 0; i < guard->token_count; i++) {
		struct token_row *row = &guard->tokens[i];

		if (row->id != id)
			continue;
		int result = token_drop(guard->store, id, err);
		if (result)
			return result;
		guard->token_count--;
		memmove(row, row + 1, (size_t)(guard->token_count - i) * sizeof(*row));
		return FC_OK;
	}
	return error_set(err, FC_ENOENT, "there is no token %lld", (long long)id);
}

/* Sessions ----------------------------------------------------------------------------------------------------------- */

const struct session *guard_session_at(struct guard *guard, int i)
{
	if (!i)
		sessions_sweep(&guard->sessions, clock_mono_us());
	for (int k = 0; k < SESSIONS_MAX; k++)
		if (guard->sessions.list[k].id && !i--)
			return &guard->sessions.list[k];
	return NULL;
}

int guard_session_end(struct guard *guard, uint32_t id)
{
	struct session *s = sessions_of(&guard->sessions, id, clock_mono_us());

	if (!s)
		return FC_ENOENT;
	sessions_end(s);
	return FC_OK;
}
