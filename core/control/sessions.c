#include "control/sessions.h"

#include <string.h>

#include "base/clock.h"
#include "control/password.h"

static const int64_t second_us = 1000000;

void sessions_end(struct session *session)
{
	explicit_bzero(session, sizeof(*session));
}

static int is_over(const struct session *s, int64_t now_us)
{
	return now_us - s->used_us > SESSION_IDLE_S * second_us || now_us - s->begun_us > SESSION_LIFE_S * second_us;
}

void sessions_sweep(struct sessions *s, int64_t now_us)
{
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (s->list[i].id && is_over(&s->list[i], now_us))
			sessions_end(&s->list[i]);
}

/* The longest unused of an account; NULL = of all. */
static struct session *oldest(struct sessions *s, const char *account)
{
	struct session *found = NULL;

	for (int i = 0; i < SESSIONS_MAX; i++) {
		struct session *one = &s->list[i];

		if (one->id && (!account || !strcmp(one->account, account)) &&
		    (!found || one->used_us < found->used_us))
			found = one;
	}
	return found;
}

static struct session *room_for(struct sessions *s, const char *account)
{
	struct session *empty = NULL;
	int own = 0;

	for (int i = 0; i < SESSIONS_MAX; i++) {
		struct session *one = &s->list[i];

		own += one->id && !strcmp(one->account, account);
		if (!one->id)
			empty = one;
	}
	if (own >= SESSIONS_ACCOUNT_MAX)
		return oldest(s, account);
	return empty ? empty : oldest(s, NULL);
}

int sessions_begin(struct sessions *s, const struct session *like, int64_t now_us, char token[SESSION_TOKEN],
		   struct session **out)
{
	char csrf[SESSION_CSRF];

	if (password_random_hex((SESSION_TOKEN - 1) / 2, token) || password_random_hex((SESSION_CSRF - 1) / 2, csrf))
		return FC_EIO;
	sessions_sweep(s, now_us);
	struct session *one = room_for(s, like->account);
	*one = *like;
	one->id = ++s->last_id;
	password_digest(token, one->digest);
	memcpy(one->csrf, csrf, sizeof(csrf));
	one->begun_wall = clock_wall();
	one->begun_us = one->used_us = now_us;
	*out = one;
	return FC_OK;
}

struct session *sessions_find(struct sessions *s, const char *token, int64_t now_us, int used)
{
	struct session *found = NULL;
	char digest[65];

	if (strlen(token) != SESSION_TOKEN - 1)
		return NULL;
	/* Digests: where two of them differ says nothing about the token. */
	password_digest(token, digest);
	for (int i = 0; i < SESSIONS_MAX; i++)
		if (s->list[i].id && !strcmp(s->list[i].digest, digest))
			found = &s->list[i];
	if (found && is_over(found, now_us)) {
		sessions_end(found);
		return NULL;
	}
	if (found && used)
		found->used_us = now_us;
	return found;
}

struct session *sessions_of(struct sessions *s, uint32_t id, int64_t now_us)
{
	for (int i = 0; id && i < SESSIONS_MAX; i++)
		if (s->list[i].id == id && !is_over(&s->list[i], now_us))
			return &s->list[i];
	return NULL;
}

int sessions_end_all(struct sessions *s, const char *account, uint32_t except)
{
	int n = 0;

	for (int i = 0; i < SESSIONS_MAX; i++)
		if (s->list[i].id && s->list[i].id != except && !strcmp(s->list[i].account, account)) {
			sessions_end(&s->list[i]);
			n++;
		}
	return n;
}
