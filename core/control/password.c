#include <wolfssl/options.h>

#include "control/password.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/pwdbased.h>
#include <wolfssl/wolfcrypt/random.h>

#include "control/bytes.h"
#include "control/scrypt.h"

enum { HASH_BYTES = 32, SALT_BYTES = 16, SALT_MAX = 64 };
/* Of a text that comes from a file: at most 32 MB, and no more work than ten times ours. */
enum { COST = 14, BLOCK = 8, PARALLEL = 5, COST_MIN = 10, COST_MAX = 15, BLOCK_MAX = 8, PARALLEL_MAX = 16 };

struct parts {
	int rounds; /* PBKDF2; 0 = scrypt */
	int cost, block, parallel;
	int salt_len;
	unsigned char salt[SALT_MAX], hash[HASH_BYTES];
};

static int random_bytes(unsigned char *out, size_t len)
{
	WC_RNG rng;

	if (wc_InitRng(&rng))
		return FC_EIO;
	int failed = wc_RNG_GenerateBlock(&rng, out, (word32)len);
	wc_FreeRng(&rng);
	return failed ? FC_EIO : FC_OK;
}

/* Bytes read, or -1. */
static int from_hex(const char *text, size_t len, unsigned char *out, size_t size)
{
	if (len % 2 || len / 2 > size)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};

		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
			return -1;
		out[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	return (int)(len / 2);
}

static int same_bytes(const unsigned char *a, const unsigned char *b, size_t len)
{
	unsigned char different = 0;

	for (size_t i = 0; i < len; i++)
		different |= (unsigned char)(a[i] ^ b[i]);
	return !different;
}

/* Reads a number of a text and the '$' behind it: within least to most, or -1. */
static int take_number(const char **at, long least, long most)
{
	char *end;
	long n = isdigit((unsigned char)**at) ? strtol(*at, &end, 10) : -1;

	if (n < least || n > most || *end != '$')
		return -1;
	*at = end + 1;
	return (int)n;
}

static const char *take_scheme(const char *text, struct parts *p)
{
	static const char pbkdf2[] = "pbkdf2-sha256$", scrypt[] = "scrypt$";
	const char *at = text;

	if (!strncmp(text, pbkdf2, sizeof(pbkdf2) - 1)) {
		at += sizeof(pbkdf2) - 1;
		p->rounds = take_number(&at, PASSWORD_ROUNDS_MIN, PASSWORD_ROUNDS_MAX);
		return p->rounds > 0 ? at : NULL;
	}
	if (strncmp(text, scrypt, sizeof(scrypt) - 1) != 0)
		return NULL;
	at += sizeof(scrypt) - 1;
	p->cost = take_number(&at, COST_MIN, COST_MAX);
	p->block = p->cost > 0 ? take_number(&at, 1, BLOCK_MAX) : -1;
	p->parallel = p->block > 0 ? take_number(&at, 1, PARALLEL_MAX) : -1;
	return p->parallel > 0 ? at : NULL;
}

static int parse(const char *text, struct parts *p)
{
	*p = (struct parts){0};
	const char *salt = strlen(text) < PASSWORD_HASH ? take_scheme(text, p) : NULL;
	const char *hash = salt ? strchr(salt, '$') : NULL;

	if (!hash)
		return FC_EINVAL;
	p->salt_len = from_hex(salt, (size_t)(hash - salt), p->salt, sizeof(p->salt));
	if (p->salt_len < 8 || from_hex(hash + 1, strlen(hash + 1), p->hash, sizeof(p->hash)) != HASH_BYTES)
		return FC_EINVAL;
	return FC_OK;
}

static int reckon(const char *password, const struct parts *p, unsigned char out[HASH_BYTES])
{
	const byte *text = (const byte *)password;
	int len = (int)strlen(password);

	if (p->rounds)
		return wc_PBKDF2(out, text, len, p->salt, p->salt_len, p->rounds, HASH_BYTES, WC_HASH_TYPE_SHA256)
			   ? FC_EIO
			   : FC_OK;
	return scrypt_key(password, strlen(password), p->salt, (size_t)p->salt_len, p->cost, p->block, p->parallel, out,
			  HASH_BYTES)
		   ? FC_EIO
		   : FC_OK;
}

int password_hash(const char *password, char hash[PASSWORD_HASH])
{
	struct parts p = {.salt_len = SALT_BYTES, .cost = COST, .block = BLOCK, .parallel = PARALLEL};
	char salt[2 * SALT_BYTES + 1], digest[2 * HASH_BYTES + 1];

	if (random_bytes(p.salt, SALT_BYTES) || reckon(password, &p, p.hash))
		return FC_EIO;
	bytes_to_hex(p.salt, SALT_BYTES, salt);
	bytes_to_hex(p.hash, HASH_BYTES, digest);
	(void)snprintf(hash, PASSWORD_HASH, "scrypt$%d$%d$%d$%s$%s", p.cost, p.block, p.parallel, salt, digest);
	return FC_OK;
}

int password_is_right(const char *password, const char *hash)
{
	struct parts p;
	unsigned char made[HASH_BYTES];

	if (parse(hash, &p)) {
		char unused[PASSWORD_HASH];

		(void)password_hash(password, unused);
		return 0;
	}
	return !reckon(password, &p, made) && same_bytes(made, p.hash, HASH_BYTES);
}

void password_spend(int rounds)
{
	struct parts p = {.rounds = rounds, .salt_len = SALT_BYTES};
	unsigned char unused[HASH_BYTES];

	if (rounds > 0)
		(void)reckon("", &p, unused);
}

int password_hash_is_good(const char *hash)
{
	struct parts p;

	return !parse(hash, &p);
}

int password_rounds(const char *hash)
{
	struct parts p;

	return parse(hash, &p) ? 0 : p.rounds;
}

/* What people type when ten characters are asked for; whole, in any case. */
static const char *const worst[] = {
    "1234567890",   "12345678910",        "123456789a",    "0123456789",       "0987654321",   "9876543210",
    "1234512345",   "1111122222",         "password12",    "password123",      "password1234", "password12345",
    "passw0rd123",  "p@ssw0rd123",        "password01",    "passwordpassword", "qwertyuiop",   "qwerty1234",
    "qwerty12345",  "qwerty123456",       "1qaz2wsx3edc",  "1q2w3e4r5t",       "q1w2e3r4t5",   "asdfghjkl123",
    "asdfghjkl;",   "zxcvbnm123",         "abcdefghij",    "abcd123456",       "abc1234567",   "abc123456789",
    "a123456789",   "aa123456789",        "administrator", "administrator1",   "admin12345",   "admin123456",
    "admin@1234",   "adminadmin",         "admin1234567",  "changeme123",      "changeme1234", "letmein1234",
    "iloveyou123",  "iloveyou1314",       "5201314520",    "woaini1314520",    "woaini123456", "welcome123",
    "welcome1234",  "root123456",         "rootrootroot",  "openwrt123",       "openwrt1234",  "forecourt1",
    "forecourt123", "forecourtforecourt", "chongdian123",  "charging123",      "charger123",   "station123",
    "operator123",  "operator1234",       "test123456",
};

static int few_characters(const char *password)
{
	char seen[256] = {0};
	int n = 0;

	for (; *password; password++)
		if (!seen[(unsigned char)*password]++)
			n++;
	return n < 5;
}

const char *password_refused(const char *password, const char *account)
{
	size_t len = strlen(password), name = strlen(account);

	if (len < PASSWORD_MIN)
		return "the password must have at least 10 characters";
	if (len > PASSWORD_MAX)
		return "the password must not have more than 128 bytes";
	for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++)
		if (!strcasecmp(password, worst[i]))
			return "the password is one of those that are tried first";
	if (few_characters(password))
		return "the password has too few different characters";
	/* The name with no more than four others. */
	if (name && len < name + 5 && strcasestr(password, account))
		return "the password is too much like the name";
	return NULL;
}

int password_generate(char password[PASSWORD_GENERATED])
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
	enum { LETTERS = sizeof(letters) - 1, FAIR = 256 / LETTERS * LETTERS };
	unsigned char bytes[64];
	size_t n = 0;

	while (n < PASSWORD_GENERATED - 1) {
		if (random_bytes(bytes, sizeof(bytes)))
			return FC_EIO;
		for (size_t i = 0; i < sizeof(bytes) && n < PASSWORD_GENERATED - 1; i++)
			if (bytes[i] < FAIR)
				password[n++] = letters[bytes[i] % LETTERS];
	}
	password[n] = '\0';
	return FC_OK;
}

int password_random_hex(size_t len, char *hex)
{
	unsigned char bytes[64];

	if (len > sizeof(bytes) || random_bytes(bytes, len))
		return FC_EIO;
	bytes_to_hex(bytes, len, hex);
	return FC_OK;
}

void password_digest(const char *text, char hex[65])
{
	unsigned char digest[HASH_BYTES] = {0};

	(void)wc_Hash(WC_HASH_TYPE_SHA256, (const byte *)text, (word32)strlen(text), digest, sizeof(digest));
	bytes_to_hex(digest, sizeof(digest), hex);
}

int password_same(const char *a, const char *b)
{
	unsigned char x[HASH_BYTES], y[HASH_BYTES];

	if (wc_Hash(WC_HASH_TYPE_SHA256, (const byte *)a, (word32)strlen(a), x, sizeof(x)) ||
	    wc_Hash(WC_HASH_TYPE_SHA256, (const byte *)b, (word32)strlen(b), y, sizeof(y)))
		return 0;
	return same_bytes(x, y, sizeof(x));
}
