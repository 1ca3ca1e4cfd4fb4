/* Login: who may see the page. One account now; several with roles come with the web admin work. */
#ifndef FC_ADMIN_LOGIN_H
#define FC_ADMIN_LOGIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { LOGIN_SESSIONS = 32, LOGIN_TOKEN_SIZE = 65, LOGIN_PASSWORD_SIZE = 25 };

struct login_session {
	char token[LOGIN_TOKEN_SIZE]; /* "" = free */
	int64_t used_us;              /* monotonic */
};

struct login {
	char user[64];
	char hash[256];                     /* "pbkdf2-sha256$ITERATIONS$SALT_HEX$HASH_HEX" */
	char one_time[LOGIN_PASSWORD_SIZE]; /* made at start when no hash is configured, else "" */
	struct login_session sessions[LOGIN_SESSIONS];
	unsigned failures;       /* in a row */
	int64_t locked_until_us; /* no attempt is looked at before */
};

/* hash "" makes a one-time password, to be shown to the person at the console. FC_EINVAL when the hash has not the
 * form above, FC_EIO when there is no randomness. */
int login_init(struct login *login, const char *user, const char *hash, struct error *err);
/* FC_OK and a token (a new session; the longest unused makes room); FC_EAUTH; FC_EBUSY while locked out (1 s after
 * the first failure, doubling to 60 s). */
int login_attempt(struct login *login, const char *user, const char *password, int64_t now_us,
		  char token[LOGIN_TOKEN_SIZE]);
/* Nonzero when token is a live session (12 hours since its last use). */
int login_check(struct login *login, const char *token, int64_t now_us);
void login_end(struct login *login, const char *token);

#endif
