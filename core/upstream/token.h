/* Token: what query_token gives and takes, on both sides (protocol.md 1.7). Times are clock_mono_ms(): a token neither
 * dies nor lives on because the wall clock jumps. */
#ifndef FC_UPSTREAM_TOKEN_H
#define FC_UPSTREAM_TOKEN_H

#include <stdint.h>

#include "base/error.h"
#include "base/value.h"

enum { TOKEN_SIZE = 65, TOKEN_LIVE_MAX = 8, TOKEN_PEER_MAX = 2048 };

/* Server side: what we issued to one platform. ------------------------------------------------------------- */

struct token_server {
	int lifetime_s;
	int keep_old; /* 1: up to TOKEN_LIVE_MAX live tokens, the oldest goes first; 0: only the newest */
	struct token_issued {
		char text[TOKEN_SIZE]; /* "" = free place */
		int64_t issued_ms, expires_ms;
	} live[TOKEN_LIVE_MAX];
	int any_case; /* 1: a token may come back in other case (protocol.md section 3, 12); set by the owner */
};

void token_server_init(struct token_server *server, int lifetime_s, int keep_old);
/* New options after a reload; tokens that live keep their life (with keep_old 0 all but the newest go). */
void token_server_options(struct token_server *server, int lifetime_s, int keep_old);
/* 64 random characters A-Z a-z 0-9 from wolfCrypt's generator. FC_OK, FC_EIO (no randomness). */
int token_issue(struct token_server *server, int64_t now_ms, char out[TOKEN_SIZE], struct error *err);
/* authorization: the header's value, "Bearer <token>" (the word in any case, more than one blank allowed).
 * FC_OK; FC_ENOENT: no bearer token in the header (Ret 4002 or, by option, 4003); FC_EAUTH: unknown or expired. All live
 * tokens are compared in constant time. */
int token_check(const struct token_server *server, const char *authorization, int64_t now_ms);
/* Answers query_token. request: checked by message_check. operator_id and secret: what the caller must show
 * (the platform's id, our OperatorSecret for it). The answer echoes the caller's OperatorID; FailReason 1 = no such
 * operator, 2 = secret wrong. Secrets are compared in constant time, also for an unknown operator. FC_OK and
 * *answer in arena (also for a refusal), FC_ENOMEM, FC_EIO. */
int token_answer(struct token_server *server, const char *operator_id, const char *secret, const struct value *request,
		 int64_t now_ms, struct arena *arena, struct value **answer, struct error *err);

/* Client side: what one platform issued to us. -------------------------------------------------------------- */

struct token_client {
	char text[TOKEN_PEER_MAX]; /* "" = none */
	int64_t refresh_ms; /* fetch the next one from here on: 90 % of its life, and at least 10 s before its end */
	int64_t expires_ms;
};

/* The request to send: {OperatorID, OperatorSecret}. NULL when the arena is full. */
struct value *token_request(struct arena *arena, const char *operator_id, const char *secret);
/* Takes the answer of query_token over. asked_ms: when the request was sent (the life is counted from then). The
 * lifetime may be an integer, a float or text; missing or not positive counts as 7200 s (a 4002 puts it right), and
 * no more than 7 days are believed. FC_OK; FC_EAUTH: SuccStat 1, text names the FailReason; FC_EINVAL: no usable token.
 * On failure the old token stays as it was. */
int token_client_take(struct token_client *client, const struct value *answer, int64_t asked_ms, struct error *err);
/* The token, or NULL when there is none that still lives. */
const char *token_client_get(const struct token_client *client, int64_t now_ms);
/* Nonzero when the next one should be fetched now (none, or in its last tenth). */
int token_client_due(const struct token_client *client, int64_t now_ms);
/* After a 4002 on a call that carried token (a newer one that arrived meanwhile stays). NULL drops any. */
void token_client_drop(struct token_client *client, const char *token);

#endif
