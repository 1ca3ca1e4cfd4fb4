/* Sessions: who is logged in by a browser. In memory only: a restart logs out. The token is in the browser's cookie; here is its
 * digest alone. */
#ifndef FC_CONTROL_SESSIONS_H
#define FC_CONTROL_SESSIONS_H

#include <stdint.h>

#include "base/error.h"
#include "store/accounts.h"

enum {
	SESSIONS_MAX = 32,
	SESSIONS_ACCOUNT_MAX = 8, /* of one account: the longest unused makes room */
	SESSION_TOKEN = 65,       /* 32 random bytes as hex */
	SESSION_CSRF = 33,
	SESSION_IDLE_S = 3600,
	SESSION_LIFE_S = 12 * 3600,
};

struct session {
	uint32_t id; /* 0 = free; for lists, never the token */
	char digest[65], csrf[SESSION_CSRF], account[ACCOUNT_NAME], place[ACCOUNT_PLACE];
	int must_change;   /* until an own password is set nothing else may be done */
	int is_configured; /* the account is the configuration's */
	int64_t begun_wall, begun_us, used_us;
};

/* All zero at first. Times in microseconds are monotonic. */
struct sessions {
	struct session list[SESSIONS_MAX];
	uint32_t last_id;
};

/* A new session with a new token, never one that was there before: whoever slipped an old token to somebody gains nothing by his
 * log-in. FC_EIO: no randomness. */
int sessions_begin(struct sessions *s, const struct session *like, int64_t now_us, char token[SESSION_TOKEN],
		   struct session **out);
/* NULL when there is none, or it was too long ago. used: this is a use of it. */
struct session *sessions_find(struct sessions *s, const char *token, int64_t now_us, int used);
struct session *sessions_of(struct sessions *s, uint32_t id, int64_t now_us);
void sessions_end(struct session *session);
/* All of an account but the one with id except (0 = none). How many. */
int sessions_end_all(struct sessions *s, const char *account, uint32_t except);
/* Those that are too old go. */
void sessions_sweep(struct sessions *s, int64_t now_us);

#endif
