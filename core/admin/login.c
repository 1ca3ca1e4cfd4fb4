#include <wolfssl/options.h>

#include "admin/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/pwdbased.h>
#include <wolfssl/wolfcrypt/random.h>

enum { HASH_BYTES = 32, SALT_MAX = 64, ITERATIONS_MIN = 1000, ITERATIONS_MAX = 1000000 };

static const int64_t session_life_us = (int64_t)12 * 3600 * 1000000;

static int random_bytes(unsigned char *out, size_t len)
{
	WC_RNG rng;

	if (wc_InitRng(&rng))
		return FC_EIO;
	int failed = wc_RNG_GenerateBlock(&rng, out, (word32)len);
	wc_FreeRng(&rng);
	return failed ? FC_EIO : FC_OK;
}

static void to_hex(const unsigned char *in, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", in[i]);
}

/* Bytes read, or -1. */
static int from_hex(const char *text, size_t len, unsigned char *out, size_t size)
{
	if (len % 2 || len / 2 > size)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'}, *end;

		out[i] = (unsigned char)strtoul(pair, &end, 16);
		if (*end || pair[0] == '-' || pair[0] == '+' || pair[0] == ' ')
			return -1;
	}
	return (int)(len / 2);
}

/* Equal in a time that tells nothing about where they differ. */
static int same(const unsigned char *a, const unsigned char *b, size_t len)
{
	unsigned char different = 0;

	for (size_t i = 0; i < len; i++)
		different |= (unsigned char)(a[i] ^ b[i]);
	return !different;
}

/* Texts of any length are compared by their digests, so that the time tells no length either. */
static int same_text(const char *a, const char *b)
{
	unsigned char x[HASH_BYTES], y[HASH_BYTES];

	if (wc_Hash(WC_HASH_TYPE_SHA256, (const byte *)a, (word32)strlen(a), x, sizeof(x)) ||
	    wc_Hash(WC_HASH_TYPE_SHA256, (const byte *)b, (word32)strlen(b), y, sizeof(y)))
		return 0;
	return same(x, y, sizeof(x));
}

struct stored_hash {
	int iterations, salt_len;
	unsigned char salt[SALT_MAX], hash[HASH_BYTES];
};

static int parse_hash(const char *text, struct stored_hash *h)
{
	static const char scheme[] = "pbkdf2-sha256$";
	char *end;

	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0)
		return FC_EINVAL;
	long iterations = strtol(text + sizeof(scheme) - 1, &end, 10);
	const char *salt = end + 1;
	const char *hash = *end == '$' ? strchr(salt, '$') : NULL;
	if (!hash || iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX)
		return FC_EINVAL;
	h->iterations = (int)iterations;
	h->salt_len = from_hex(salt, (size_t)(hash - salt), h->salt, sizeof(h->salt));
	if (h->salt_len < 8 || from_hex(hash + 1, strlen(hash + 1), h->hash, sizeof(h->hash)) != HASH_BYTES)
		return FC_EINVAL;
	return FC_OK;
}

int login_init(struct login *login, const char *user, const char *hash, struct error *err)
{
	/* Letters and digits that are not taken for one another. */
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
	unsigned char bytes[LOGIN_PASSWORD_SIZE - 1];
	struct stored_hash stored;

	memset(login, 0, sizeof(*login));
	(void)snprintf(login->user, sizeof(login->user), "%s", user);
	if (*hash) {
		if (parse_hash(hash, &stored) || strlen(hash) >= sizeof(login->hash))
			return error_set(err, FC_EINVAL,
					 "admin: password_hash: wants pbkdf2-sha256$ITERATIONS$SALT$HASH in hex");
		(void)snprintf(login->hash, sizeof(login->hash), "%s", hash);
		return FC_OK;
	}
	if (random_bytes(bytes, sizeof(bytes)))
		return error_set(err, FC_EIO, "admin: no randomness for a one-time password");
	for (size_t i = 0; i < 16; i++)
		login->one_time[i] = letters[bytes[i] % (sizeof(letters) - 1)];
	return FC_OK;
}

static int password_right(const struct login *login, const char *password)
{
	struct stored_hash stored;
	unsigned char hash[HASH_BYTES];

	if (!*login->hash)
		return *login->one_time && same_text(password, login->one_time);
	if (parse_hash(login->hash, &stored) ||
	    wc_PBKDF2(hash, (const byte *)password, (int)strlen(password), stored.salt, stored.salt_len,
		      stored.iterations, HASH_BYTES, WC_SHA256))
		return 0;
	return same(hash, stored.hash, HASH_BYTES);
}

static struct login_session *free_session(struct login *login)
{
	struct login_session *oldest = &login->sessions[0];

	for (int i = 0; i < LOGIN_SESSIONS; i++) {
		struct login_session *s = &login->sessions[i];

		if (!*s->token)
			return s;
		if (s->used_us < oldest->used_us)
			oldest = s;
	}
	return oldest;
}

int login_attempt(struct login *login, const char *user, const char *password, int64_t now_us,
		  char token[LOGIN_TOKEN_SIZE])
{
	unsigned char bytes[(LOGIN_TOKEN_SIZE - 1) / 2];

	if (now_us < login->locked_until_us)
		return FC_EBUSY;
	/* Both are looked at always: the time must not tell which of them was wrong. */
	int right = same_text(user, login->user) & password_right(login, password);
	if (!right) {
		unsigned step = login->failures < 6 ? login->failures : 6;
		int64_t wait_s = (int64_t)1 << step;

		login->failures++;
		login->locked_until_us = now_us + (wait_s < 60 ? wait_s : 60) * 1000000;
		return FC_EAUTH;
	}
	login->failures = 0;
	if (random_bytes(bytes, sizeof(bytes)))
		return FC_EIO;
	struct login_session *s = free_session(login);
	to_hex(bytes, sizeof(bytes), s->token);
	s->used_us = now_us;
	memcpy(token, s->token, LOGIN_TOKEN_SIZE);
	return FC_OK;
}

static struct login_session *find(struct login *login, const char *token)
{
	struct login_session *found = NULL;

	if (strlen(token) != LOGIN_TOKEN_SIZE - 1)
		return NULL;
	for (int i = 0; i < LOGIN_SESSIONS; i++)
		if (same((const unsigned char *)token, (const unsigned char *)login->sessions[i].token,
			 LOGIN_TOKEN_SIZE - 1))
			found = &login->sessions[i];
	return found;
}

int login_check(struct login *login, const char *token, int64_t now_us)
{
	struct login_session *s = find(login, token);

	if (!s)
		return 0;
	if (now_us - s->used_us > session_life_us) {
		memset(s, 0, sizeof(*s));
		return 0;
	}
	s->used_us = now_us;
	return 1;
}

void login_end(struct login *login, const char *token)
{
	struct login_session *s = find(login, token);

	if (s)
		memset(s, 0, sizeof(*s));
}
