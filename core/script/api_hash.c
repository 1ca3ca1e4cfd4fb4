/* Hashes for scripts (wolfCrypt), and chance that repeats: a replay of a call draws the same. */
#include <wolfssl/options.h>

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "base/json.h"
#include "script/api.h"
#include "script/sandbox.h"

enum {
	BYTES_A_STEP = 2,  /* hashed in the time of a VM instruction on a slow core */
	HASH_STEPS = 100,  /* for any hash */
	SEED_MAX = 1 << 20 /* bytes of a call's input that its seed is made of */
};

static void charge(lua_State *L, size_t len)
{
	sandbox_charge(L, HASH_STEPS + len / BYTES_A_STEP);
}

static int push_hex(lua_State *L, const unsigned char *digest, size_t len)
{
	char text[2 * WC_MAX_DIGEST_SIZE + 1];

	for (size_t i = 0; i < len; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	lua_pushlstring(L, text, 2 * len);
	return 1;
}

static int digest(lua_State *L, enum wc_HashType type, size_t size)
{
	unsigned char out[WC_MAX_DIGEST_SIZE];
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	charge(L, len);
	if (wc_Hash(type, (const unsigned char *)text, (word32)len, out, (word32)size))
		return luaL_error(L, "the hash can't be made");
	return push_hex(L, out, size);
}

static int sha256(lua_State *L)
{
	return digest(L, WC_HASH_TYPE_SHA256, WC_SHA256_DIGEST_SIZE);
}

static int md5(lua_State *L)
{
	return digest(L, WC_HASH_TYPE_MD5, WC_MD5_DIGEST_SIZE);
}

static int hmac(lua_State *L, int type, size_t size)
{
	unsigned char out[WC_MAX_DIGEST_SIZE];
	size_t key_len, len;
	const char *key = luaL_checklstring(L, 1, &key_len), *text = luaL_checklstring(L, 2, &len);
	Hmac state;

	charge(L, key_len + len);
	if (wc_HmacInit(&state, NULL, INVALID_DEVID))
		return luaL_error(L, "the hash can't be made");
	int bad = wc_HmacSetKey(&state, type, (const unsigned char *)key, (word32)key_len) ||
		  wc_HmacUpdate(&state, (const unsigned char *)text, (word32)len) || wc_HmacFinal(&state, out);
	wc_HmacFree(&state);
	return bad ? luaL_error(L, "the hash can't be made") : push_hex(L, out, size);
}

static int hmac_md5(lua_State *L)
{
	return hmac(L, WC_MD5, WC_MD5_DIGEST_SIZE);
}

static int hmac_sha256(lua_State *L)
{
	return hmac(L, WC_SHA256, WC_SHA256_DIGEST_SIZE);
}

/* That of zip and Ethernet, four bits at a time. */
static int crc32(lua_State *L)
{
	static const uint32_t table[] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
					 0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
					 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	uint32_t crc = 0xFFFFFFFF;

	charge(L, len);
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)text[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	crc = ~crc;
	return push_hex(L,
			(const unsigned char[]){(unsigned char)(crc >> 24), (unsigned char)(crc >> 16),
						(unsigned char)(crc >> 8), (unsigned char)crc},
			4);
}

/* Of what the call was given: the function, its input, the time. Not of the file's text: a replay of a changed file shows what
 * the change does, and not other chances. */
static uint64_t make_seed(lua_State *L, const struct api *api)
{
	unsigned char out[WC_SHA256_DIGEST_SIZE] = {0};
	struct buffer text;
	uint64_t seed = 0;

	buffer_init(&text, SEED_MAX);
	int bad = buffer_printf(&text, "%s %lld ", api->path, (long long)api->wall);
	/* An input too long for it counts with its beginning. */
	if (!bad && api->input)
		(void)json_write(&text, api->input);
	size_t len = text.len;
	if (!bad)
		bad = wc_Sha256Hash((const unsigned char *)text.data, (word32)len, out);
	buffer_fini(&text);
	if (bad)
		luaL_error(L, "random: can't be seeded");
	charge(L, len);
	for (size_t i = 0; i < sizeof(seed); i++)
		seed = seed << 8 | out[i];
	return seed;
}

/* A counter through a mixer (known as splitmix64): any seed will do, zero too. */
static uint64_t draw(struct api *api)
{
	uint64_t z = api->random += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static int random_integer(lua_State *L)
{
	struct api *api = api_of(L);
	lua_Integer m = luaL_checkinteger(L, 1), n = luaL_checkinteger(L, 2);

	if (m > n)
		return luaL_error(L, "random: %I is more than %I", (LUAI_UACINT)m, (LUAI_UACINT)n);
	if (!api->is_seeded) {
		api->random = make_seed(L, api);
		api->is_seeded = 1;
	}
	uint64_t span = (uint64_t)n - (uint64_t)m + 1, x = draw(api);
	/* What lies beyond the last whole span would favour the small ones. span 0: all of them. */
	if (span) {
		uint64_t beyond = (UINT64_MAX % span + 1) % span;

		while (x > UINT64_MAX - beyond)
			x = draw(api);
		x %= span;
	}
	x += (uint64_t)m;
	lua_pushinteger(L, (lua_Integer)x);
	return 1;
}

static const struct api_entry entries[] = {
    {"forecourt.sha256(text)", "64 hex digits", "SHA-256", sha256},
    {"forecourt.md5(text)", "32 hex digits", "MD5", md5},
    {"forecourt.hmac_sha256(key, text)", "64 hex digits", "HMAC with SHA-256", hmac_sha256},
    {"forecourt.hmac_md5(key, text)", "32 hex digits", "HMAC with MD5", hmac_md5},
    {"forecourt.crc32(text)", "8 hex digits", "the CRC of zip", crc32},
    {"forecourt.random(m, n)", "integer",
     "one of m to n, drawn from the call: its function, its input and its second decide", random_integer},
    {NULL, NULL, NULL, NULL}};

const struct api_subject api_hash_subject = {
    .title = "Hashes and chance",
    .text = "Hex digits are in lower case (`:upper()` for others). Chance repeats: the same call in a replay draws the "
	    "same, in the same order. "
	    "It is for tests and spreading, never for keys or passwords.",
    .entries = entries,
    .example = "assert(forecourt.md5(\"abc\") == \"900150983cd24fb0d6963f7d28e17f72\")\n"
	       "assert(forecourt.crc32(\"123456789\") == \"cbf43926\")\n"
	       "assert(forecourt.hmac_md5(\"key\", \"text\"):upper() == \"D0CA6177C61C975FD2F8C07D8C6528C6\")\n"
	       "local dice = forecourt.random(1, 6)\n"
	       "assert(dice >= 1 and dice <= 6)",
};
