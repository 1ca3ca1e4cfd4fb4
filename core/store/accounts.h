/* Accounts: who may use the page, and tokens of programs. What is kept of a password or a token can't be turned back into it.
 * Few and rarely changed: whoever needs them often keeps them in memory. Each call that writes is durable when it returns, or with
 * the transaction that it is called in. */
#ifndef FC_STORE_ACCOUNTS_H
#define FC_STORE_ACCOUNTS_H

#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

enum { ACCOUNT_NAME = 33, ACCOUNT_ROLE = 16, ACCOUNT_HASH = 256, ACCOUNT_PLACE = 48, TOKEN_DIGEST = 65 };

struct account_row {
	char name[ACCOUNT_NAME];
	char role[ACCOUNT_ROLE];
	char hash[ACCOUNT_HASH]; /* control/password.h */
	int must_change;         /* the password was given by somebody else: the next log-in must set an own one */
	int disabled;
	int64_t created_wall;
	int64_t login_wall; /* the last one; 0 = never */
	char login_place[ACCOUNT_PLACE];
};

struct token_row {
	int64_t id;                /* given by the store, never twice */
	char name[ACCOUNT_NAME];   /* what it is for */
	char role[ACCOUNT_ROLE];   /* what it may */
	char digest[TOKEN_DIGEST]; /* SHA-256 of the token, hex */
	char by[ACCOUNT_NAME];     /* who made it */
	int64_t created_wall;
	int64_t expires_wall; /* 0 = never */
	int64_t used_wall;    /* 0 = never */
};

/* Adds it, or replaces that of this name. */
int account_put(struct store *store, const struct account_row *row, struct error *err);
int account_noted_login(struct store *store, const char *name, int64_t wall, const char *place, struct error *err);
/* FC_ENOENT, FC_EIO. */
int account_drop(struct store *store, const char *name, struct error *err);
/* By name. How many, or FC_EIO. */
int account_each(struct store *store, void (*fn)(void *user, const struct account_row *row), void *user);

/* row->id is set. */
int token_put(struct store *store, struct token_row *row, struct error *err);
int token_noted_use(struct store *store, int64_t id, int64_t wall, struct error *err);
int token_drop(struct store *store, int64_t id, struct error *err);
int token_each(struct store *store, void (*fn)(void *user, const struct token_row *row), void *user);

#endif
