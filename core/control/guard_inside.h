/* What the files of the guard share; for them only. */
#ifndef FC_CONTROL_GUARD_INSIDE_H
#define FC_CONTROL_GUARD_INSIDE_H

#include "control/first_password.h"
#include "control/guard.h"
#include "control/hasher.h"
#include "control/lockout.h"

/* A log-in, or a change of password, that is under way. */
struct attempt {
	struct guard *guard; /* NULL = free */
	guard_done done;
	void *user;
	char name[ACCOUNT_NAME], place[ACCOUNT_PLACE];
	char hash[ACCOUNT_HASH]; /* what it was held against: another one meanwhile is no success */
	int is_one_time;         /* the one-time password was right */
	struct guard_who who;    /* of a change */
	char password[PASSWORD_MAX + 1];
	int is_change;
};

struct guard {
	struct store *store;
	struct hasher *hasher;
	struct account_row accounts[GUARD_ACCOUNTS_MAX];
	struct token_row tokens[GUARD_TOKENS_MAX];
	int account_count, token_count;
	/* The configuration's. */
	int is_on; /* the page is */
	char user[ACCOUNT_NAME], user_hash[ACCOUNT_HASH], one_time[PASSWORD_GENERATED];
	char one_time_path[FIRST_PASSWORD_PATH]; /* where it waits; "" = nowhere */
	struct sessions sessions;
	struct lockout lockout;
	struct attempt attempts[HASHER_PIECES];
};

/* guard_accounts.c */
int guard_load(struct guard *guard, struct error *err);
struct account_row *guard_find(struct guard *guard, const char *name);
/* Makes or ends the one-time password, as there are administrators or not. */
void guard_one_time(struct guard *guard);
void guard_note(struct guard *guard, const char *who, const char *place, const char *command, const char *result);

#endif
