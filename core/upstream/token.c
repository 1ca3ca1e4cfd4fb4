#include "upstream/token.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/random.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "upstream/envelope.h"

enum {
	LIFETIME_DEFAULT_S = 7200,  /* protocol.md 1.7: the most usual */
	LIFETIME_MAX_S = 7 * 86400, /* at most 7 days */
	REFRESH_EARLY_MS = 10000,   /* clients refresh 10 s early */
};

void token_server_init(struct token_server *server, int lifetime_s, int keep_old)
{
	*server = (struct token_server){.lifetime_s = lifetime_s, .keep_old = keep_old};
}

/* Drops all but the newest. */
static void keep_newest(struct token_server *server)
{
	int newest = 0;

	for (int i = 1; i < TOKEN_LIVE_MAX; i++)
		if (server->live[i].text[0] &&
		    (!server->live[newest].text[0] || server->live[i].issued_ms >= server->live[newest].issued_ms))
			newest = i;
	for (int i = 0; i < TOKEN_LIVE_MAX; i++)
		if (i != newest)
			server->live[i] = (struct token_issued){0};
}

void token_server_options(struct token_server *server, int lifetime_s, int keep_old)
{
	server->lifetime_s = lifetime_s;
	server->keep_old = keep_old;
	if (!keep_old)
		keep_newest(server);
}

/* 64 characters of an alphabet of 62, each equally likely: bytes from 248 on are thrown away. */
static int random_text(char out[TOKEN_SIZE])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char bytes[TOKEN_SIZE];
	WC_RNG rng;
	int n = 0;

	if (wc_InitRng(&rng))
		return FC_EIO;
	while (n < TOKEN_SIZE - 1) {
		if (wc_RNG_GenerateBlock(&rng, bytes, sizeof(bytes)))
			break;
		for (size_t i = 0; i < sizeof(bytes) && n < TOKEN_SIZE - 1; i++)
			if (bytes[i] < 248)
				out[n++] = alphabet[bytes[i] % 62];
	}
	wc_FreeRng(&rng);
	out[n] = '\0';
	return n == TOKEN_SIZE - 1 ? FC_OK : FC_EIO;
}

int token_issue(struct token_server *server, int64_t now_ms, char out[TOKEN_SIZE], struct error *err)
{
	char text[TOKEN_SIZE];
	int at = 0;

	if (random_text(text))
		return error_set(err, FC_EIO, "upstream: token: no random bytes");
	for (int i = 0; i < TOKEN_LIVE_MAX; i++) {
		struct token_issued *token = &server->live[i];

		if (token->text[0] && (!server->keep_old || now_ms >= token->expires_ms))
			*token = (struct token_issued){0};
	}
	/* A free place, else the oldest. */
	for (int i = 1; i < TOKEN_LIVE_MAX && server->live[at].text[0]; i++)
		if (!server->live[i].text[0] || server->live[i].issued_ms < server->live[at].issued_ms)
			at = i;
	server->live[at].issued_ms = now_ms;
	server->live[at].expires_ms = now_ms + (int64_t)server->lifetime_s * 1000;
	memcpy(server->live[at].text, text, sizeof(text));
	memcpy(out, text, sizeof(text));
	return FC_OK;
}

/* As long as given: a token's length is no secret. Whatever the texts are, the same steps, of eight characters each: every place is
 * compared at every call. */
static int same_token(const char token[TOKEN_SIZE], const char *given)
{
	uint64_t differs = 0, a, b;

	_Static_assert((TOKEN_SIZE - 1) % sizeof(a) == 0, "whole steps");
	for (size_t i = 0; i < TOKEN_SIZE - 1; i += sizeof(a)) {
		memcpy(&a, token + i, sizeof(a));
		memcpy(&b, given + i, sizeof(b));
		differs |= a ^ b;
	}
	return !differs;
}

int token_check(const struct token_server *server, const char *authorization, int64_t now_ms)
{
	static const char word[] = "Bearer";
	int found = 0;

	if (!authorization || strncasecmp(authorization, word, sizeof(word) - 1) != 0)
		return FC_ENOENT;
	const char *given = authorization + sizeof(word) - 1;
	size_t blanks = strspn(given, " \t");
	given += blanks;
	size_t len = strcspn(given, " \t");
	if (!blanks || !len)
		return FC_ENOENT;
	if (given[len + strspn(given + len, " \t")])
		return FC_EAUTH;
	if (len != TOKEN_SIZE - 1)
		return FC_EAUTH;
	for (int i = 0; i < TOKEN_LIVE_MAX; i++) {
		const struct token_issued *token = &server->live[i];
		int usable = token->text[0] && now_ms < token->expires_ms;

		/* An empty place is compared as well, so that the time tells nothing about how many live. */
		int same = server->any_case ? envelope_sig_equal(token->text, TOKEN_SIZE - 1, given, len)
					    : same_token(token->text, given);
		found |= same & usable;
	}
	return found ? FC_OK : FC_EAUTH;
}

int token_answer(struct token_server *server, const char *operator_id, const char *secret, const struct value *request,
		 int64_t now_ms, struct arena *arena, struct value **answer, struct error *err)
{
	enum { NONE = 0, NO_SUCH_OPERATOR = 1, SECRET_WRONG = 2 };
	const struct value *id = value_get(request, "OperatorID");
	const struct value *given = value_get(request, "OperatorSecret");
	char token[TOKEN_SIZE] = "";
	int reason = NONE;

	int id_ok = value_text(id) && id->len == strlen(operator_id) && !memcmp(id->text, operator_id, id->len);
	/* Compared also for an unknown operator: the time must not tell the two refusals apart. */
	int secret_ok = value_text(given) && envelope_secret_equal(secret, strlen(secret), given->text, given->len);
	if (!id_ok)
		reason = NO_SUCH_OPERATOR;
	else if (!secret_ok)
		reason = SECRET_WRONG;
	if (reason == NONE) {
		int result = token_issue(server, now_ms, token, err);
		if (result)
			return result;
	}
	struct value *out = value_object(arena);
	struct value *echo = value_text(id) ? value_string_len(arena, id->text, id->len) : value_string(arena, "");
	if (value_put(arena, out, "OperatorID", echo) ||
	    value_put(arena, out, "SuccStat", value_int(arena, reason != NONE)) ||
	    value_put(arena, out, "AccessToken", value_string(arena, token)) ||
	    value_put(arena, out, "TokenAvailableTime", value_int(arena, reason == NONE ? server->lifetime_s : 0)) ||
	    value_put(arena, out, "FailReason", value_int(arena, reason)))
		return error_set(err, FC_ENOMEM, "upstream: query_token: no memory for the answer");
	*answer = out;
	return FC_OK;
}

struct value *token_request(struct arena *arena, const char *operator_id, const char *secret)
{
	struct value *out = value_object(arena);

	if (value_put(arena, out, "OperatorID", value_string(arena, operator_id)) ||
	    value_put(arena, out, "OperatorSecret", value_string(arena, secret)))
		return NULL;
	return out;
}

static const char *fail_reason(int64_t reason)
{
	switch (reason) {
	case 1:
		return "no such operator";
	case 2:
		return "secret wrong";
	default:
		return "the platform's own reason";
	}
}

/* A token goes into a header line: nothing but visible characters may stand in it. */
static int usable_token(const struct value *v)
{
	if (!value_text(v) || !v->len || v->len >= TOKEN_PEER_MAX)
		return 0;
	for (size_t i = 0; i < v->len; i++)
		if (v->text[i] <= ' ' || v->text[i] > '~')
			return 0;
	return 1;
}

int token_client_take(struct token_client *client, const struct value *answer, int64_t asked_ms, struct error *err)
{
	const struct value *token = value_get(answer, "AccessToken");
	int64_t stat = 0, reason = 0;
	double life_s;

	if (!value_to_int(value_get(answer, "SuccStat"), &stat) && stat != 0) {
		(void)value_to_int(value_get(answer, "FailReason"), &reason);
		return error_set(err, FC_EAUTH, "upstream: query_token: refused: FailReason %lld (%s)",
				 (long long)reason, fail_reason(reason));
	}
	if (!usable_token(token))
		return error_set(err, FC_EINVAL,
				 "upstream: query_token: AccessToken: missing or not usable in a header");
	if (value_to_double(value_get(answer, "TokenAvailableTime"), &life_s) || !(life_s > 0))
		life_s = LIFETIME_DEFAULT_S;
	int64_t life_ms = (int64_t)(fmin(life_s, LIFETIME_MAX_S) * 1000);
	/* At 90 %, at least 10 s before the end; a life too short for both is used for its first half. */
	int64_t use_ms = life_ms / 10 * 9;
	if (life_ms - use_ms < REFRESH_EARLY_MS)
		use_ms = life_ms - REFRESH_EARLY_MS;
	if (use_ms < life_ms / 2)
		use_ms = life_ms / 2;
	memcpy(client->text, token->text, token->len + 1);
	client->refresh_ms = asked_ms + use_ms;
	client->expires_ms = asked_ms + life_ms;
	return FC_OK;
}

const char *token_client_get(const struct token_client *client, int64_t now_ms)
{
	return client->text[0] && now_ms < client->expires_ms ? client->text : NULL;
}

int token_client_due(const struct token_client *client, int64_t now_ms)
{
	return !client->text[0] || now_ms >= client->refresh_ms;
}

void token_client_drop(struct token_client *client, const char *token)
{
	if (token && strcmp(token, client->text) != 0)
		return;
	memset(client, 0, sizeof(*client));
}
