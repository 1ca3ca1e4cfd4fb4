/* Guard: who may use the page and what they may. Accounts and tokens as the store has them, the account of the configuration, sessions,
 * log-ins. Whoever serves the page asks here for each request; the account commands change things here.
 *
 * Without any account that may administer a one-time password is made for the configuration's user, to be read on the box
 * (first_password.h): it lets in once an own one is set, and is dead from then on. Passwords are checked beside the loop (hasher.h). On the loop's thread. */
#ifndef FC_CONTROL_GUARD_H
#define FC_CONTROL_GUARD_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "control/control.h"
#include "control/sessions.h"
#include "loop/loop.h"
#include "store/accounts.h"
#include "store/store.h"

enum { GUARD_ACCOUNTS_MAX = 32, GUARD_TOKENS_MAX = 32, GUARD_NAME = ACCOUNT_NAME + 8, GUARD_TOKEN_TEXT = 68 };

enum guard_source { GUARD_PAGE, GUARD_CONFIGURATION, GUARD_TOKEN };
const char *guard_source_name(enum guard_source source);

/* Somebody whose identity is proven. */
struct guard_who {
	char name[GUARD_NAME]; /* the account, or "token NAME" */
	enum control_right right;
	enum guard_source source;
	int must_change;  /* may set an own password, and nothing else */
	uint32_t session; /* 0: a token's */
	int64_t token;    /* 0: a session's */
	char csrf[SESSION_CSRF];
};

struct guard;
struct guard *guard_new(struct loop *loop, struct store *store, struct error *err);
/* Log-ins under way are given up; nobody is told. */
void guard_free(struct guard *guard);
/* FC_EINVAL: the configuration's password hash can't be used here. */
int guard_check(const struct config *config, struct error *err);
/* Takes the configuration's account over; what changed of it ends its sessions. May make a one-time password, and says so on standard
 * error when that is a terminal, never in the log. Call after guard_check. */
void guard_apply(struct guard *guard, const struct config *config);

/* Valid during the call. */
struct guard_outcome {
	int code;                    /* FC_OK, FC_EAUTH, FC_EBUSY (wait), FC_EINVAL, FC_EIO */
	const char *error, *key;     /* in words, and as a stable name for a translation; "" when done */
	int wait_s;                  /* FC_EBUSY: so long, 0 = not known */
	const struct guard_who *who; /* NULL unless done */
	const char *token;           /* of the new session, for the cookie */
};
typedef void (*guard_done)(void *user, const struct guard_outcome *outcome);

/* place: the address. done is called once: during the call, or later. */
void guard_login(struct guard *guard, const char *name, const char *password, const char *place, guard_done done,
		 void *user);
/* An own password in place of the old one. All sessions of the account end, the outcome brings a new one. */
void guard_change(struct guard *guard, const struct guard_who *who, const char *old, const char *password,
		  const char *place, guard_done done, void *user);
/* Who that is; FC_OK, FC_EAUTH. The session is used by it. */
int guard_by_session(struct guard *guard, const char *token, struct guard_who *who);
int guard_by_token(struct guard *guard, const char *token, struct guard_who *who);
void guard_logout(struct guard *guard, const char *token);
/* For what lasts longer than a request: nonzero while the session or token is good, with the same role. is_used: the session
 * is in use by it. */
int guard_is_still(struct guard *guard, const struct guard_who *who, int is_used);

/* For the commands -------------------------------------------------------------------------------------------------- */

/* Of the store, by name; NULL behind the last. */
const struct account_row *guard_account_at(const struct guard *guard, int i);
const struct account_row *guard_account(const struct guard *guard, const char *name);
/* The name of the account of the configuration; NULL: it has none. */
const char *guard_configured(const struct guard *guard);
/* Letters, digits, _ . and -: it stands in logs, audits and on the page. */
int guard_name_is_good(const char *name);
/* Adds or replaces; sessions of the account end where its role, password or state changed. FC_EBUSY: it is the last administrator, or
 * the configuration's; FC_ELIMIT: too many. */
int guard_set(struct guard *guard, const struct account_row *row, struct error *err);
int guard_remove(struct guard *guard, const char *name, struct error *err);

const struct token_row *guard_token_at(const struct guard *guard, int i);
/* Makes the token of row (id, digest and created are filled) and tells it this once. */
int guard_token_add(struct guard *guard, struct token_row *row, char text[GUARD_TOKEN_TEXT], struct error *err);
int guard_token_remove(struct guard *guard, int64_t id, struct error *err);

/* The sessions there are; NULL behind the last. */
const struct session *guard_session_at(struct guard *guard, int i);
int guard_session_end(struct guard *guard, uint32_t id);

/* Hashes beside the loop; is_right is 0, hash "" on failure. FC_EBUSY: too many wait; FC_EIO. */
int guard_hash(struct guard *guard, const char *password, void (*done)(void *user, int is_right, const char *hash),
	       void *user);
/* Nobody is told any more. */
void guard_forget(struct guard *guard, const void *user);

#endif
