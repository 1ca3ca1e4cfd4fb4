/* The primitives of the envelope: cipher, padding, Base64, signature, comparison. All by wolfCrypt. */
#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include <limits.h>
#include <string.h>

#include "upstream/envelope.h"

enum { BLOCK = AES_BLOCK_SIZE };

/* One message's plain text is never near this; it keeps every length inside wolfCrypt's 32-bit counts. */
static const size_t text_max = INT_MAX / 4;

int envelope_keys_set(struct envelope_keys *keys, const char *data_secret, const char *data_secret_iv,
		      const char *sig_secret, struct error *err)
{
	if (!data_secret || strlen(data_secret) != ENVELOPE_KEY_SIZE)
		return error_set(err, FC_EINVAL, "upstream: data_secret: must have exactly 16 characters");
	if (!data_secret_iv || strlen(data_secret_iv) != ENVELOPE_KEY_SIZE)
		return error_set(err, FC_EINVAL, "upstream: data_secret_iv: must have exactly 16 characters");
	size_t len = sig_secret ? strlen(sig_secret) : 0;
	if (len < 1 || len > ENVELOPE_SIG_SECRET_MAX)
		return error_set(err, FC_EINVAL, "upstream: sig_secret: must have 1 to %d characters",
				 ENVELOPE_SIG_SECRET_MAX);
	memcpy(keys->data_secret, data_secret, ENVELOPE_KEY_SIZE);
	memcpy(keys->data_iv, data_secret_iv, ENVELOPE_KEY_SIZE);
	memcpy(keys->sig_secret, sig_secret, len);
	keys->sig_secret_len = len;
	return FC_OK;
}

void envelope_keys_clear(struct envelope_keys *keys)
{
	explicit_bzero(keys, sizeof(*keys));
}

static int cbc(const struct envelope_keys *keys, int direction, unsigned char *bytes, size_t len)
{
	Aes aes;
	int result;

	if (wc_AesInit(&aes, NULL, INVALID_DEVID))
		return FC_EIO;
	result = wc_AesSetKey(&aes, keys->data_secret, ENVELOPE_KEY_SIZE, keys->data_iv, direction);
	if (!result && direction == AES_ENCRYPTION)
		result = wc_AesCbcEncrypt(&aes, bytes, bytes, (word32)len);
	else if (!result)
		result = wc_AesCbcDecrypt(&aes, bytes, bytes, (word32)len);
	wc_AesFree(&aes);
	explicit_bzero(&aes, sizeof(aes));
	return result ? FC_EIO : FC_OK;
}

/* What is encoded is no secret, so that a table may be looked into; wolfCrypt's coder takes care of that for keys, and five times as long. */
static size_t base64_encode(const unsigned char *bytes, size_t len, unsigned char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char *to = out;
	size_t i = 0;

	for (; len - i >= 3; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

		*to++ = (unsigned char)digits[three >> 18];
		*to++ = (unsigned char)digits[three >> 12 & 63];
		*to++ = (unsigned char)digits[three >> 6 & 63];
		*to++ = (unsigned char)digits[three & 63];
	}
	if (i == len)
		return (size_t)(to - out);
	uint32_t rest = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0);
	*to++ = (unsigned char)digits[rest >> 18];
	*to++ = (unsigned char)digits[rest >> 12 & 63];
	*to++ = (unsigned char)(i + 1 < len ? digits[rest >> 6 & 63] : '=');
	*to++ = '=';
	return (size_t)(to - out);
}

int envelope_encrypt(const struct envelope_keys *keys, const char *plain, size_t len, struct buffer *out)
{
	if (len > text_max)
		return FC_ELIMIT;
	size_t pad = BLOCK - len % BLOCK;
	size_t padded = len + pad;
	size_t base64_size = (padded + 2) / 3 * 4;
	struct arena scratch;
	int result = FC_ENOMEM;

	arena_init(&scratch, padded + base64_size + 256);
	unsigned char *bytes = arena_alloc(&scratch, padded);
	unsigned char *base64 = arena_alloc(&scratch, base64_size);
	if (!bytes || !base64)
		goto out;
	if (len)
		memcpy(bytes, plain, len);
	memset(bytes + len, (int)pad, pad);
	result = cbc(keys, AES_ENCRYPTION, bytes, padded);
	if (result)
		goto out;
	result = buffer_add(out, base64, base64_encode(bytes, padded, base64));
out:
	arena_fini(&scratch);
	return result;
}

/* White space is passed over. The length, or 0 when it is not Base64 to its last character, padded as it must be. out: as long as the text. */
static size_t base64_decode(const char *data, size_t len, unsigned char *out)
{
	/* Each digit's value plus 1. */
	static const unsigned char values[256] = {
	    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
	    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
	};
	size_t n = 0, digits = 0, pads = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char value = values[(unsigned char)data[i]];

		if (value && !pads) {
			bits = bits << 6 | (value - 1U);
			if (++digits % 4)
				continue;
			out[n++] = (unsigned char)(bits >> 16);
			out[n++] = (unsigned char)(bits >> 8);
			out[n++] = (unsigned char)bits;
		} else if (data[i] == '=') {
			pads++;
		} else if (data[i] != '\r' && data[i] != '\n' && data[i] != ' ' && data[i] != '\t') {
			return 0;
		}
	}
	if (pads > 2 || (digits + pads) % 4)
		return 0;
	if (pads)
		out[n++] = (unsigned char)(bits >> (pads == 1 ? 10 : 4));
	if (pads == 1)
		out[n++] = (unsigned char)(bits >> 2);
	return n;
}

/* Length of the plain text, or SIZE_MAX when the padding is wrong. Looks at the whole last block whatever it finds. */
static size_t unpad(const unsigned char *bytes, size_t len)
{
	unsigned pad = bytes[len - 1];
	unsigned bad = ((pad - 1) >> 31) | ((BLOCK - pad) >> 31); /* 0, or more than a block */

	for (unsigned i = 0; i < BLOCK; i++) {
		unsigned in_padding = 0U - ((i - pad) >> 31); /* all ones while i < pad */

		bad |= in_padding & (bytes[len - 1 - i] ^ pad);
	}
	return bad ? SIZE_MAX : len - pad;
}

int envelope_decrypt(const struct envelope_keys *keys, const char *data, size_t data_len, struct arena *arena,
		     char **plain, size_t *plain_len, struct error *err)
{
	if (data_len > text_max)
		return error_set(err, FC_ELIMIT, "upstream: Data: too large");
	unsigned char *bytes = arena_alloc(arena, data_len + 1);
	if (!bytes)
		return error_set(err, FC_ELIMIT, "upstream: Data: too large");
	size_t len = base64_decode(data, data_len, bytes);
	if (!len || len % BLOCK || cbc(keys, AES_DECRYPTION, bytes, len))
		return error_set(err, FC_EINVAL, "%s", ENVELOPE_UNREADABLE);
	size_t text_len = unpad(bytes, len);
	if (text_len == SIZE_MAX)
		return error_set(err, FC_EINVAL, "%s", ENVELOPE_UNREADABLE);
	bytes[text_len] = '\0';
	*plain = (char *)bytes;
	*plain_len = text_len;
	return FC_OK;
}

int envelope_hmac(const void *key, size_t key_len, const struct envelope_part *parts, int count,
		  char out[ENVELOPE_SIG_SIZE])
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char digest[WC_MD5_DIGEST_SIZE];
	Hmac hmac;
	int result;

	out[0] = '\0';
	if (key_len > text_max || wc_HmacInit(&hmac, NULL, INVALID_DEVID))
		return FC_EIO;
	/* RFC 2104 takes a key of any length. A FIPS build of wolfCrypt refuses less than 14 bytes (and MD5 at
	 * all); neither Debian's nor OpenWrt's is one. */
	result = wc_HmacSetKey(&hmac, WC_MD5, key, (word32)key_len);
	for (int i = 0; i < count && !result; i++) {
		if (!parts[i].text || !parts[i].len)
			continue;
		result =
		    parts[i].len > text_max || wc_HmacUpdate(&hmac, (const byte *)parts[i].text, (word32)parts[i].len);
	}
	if (!result)
		result = wc_HmacFinal(&hmac, digest);
	wc_HmacFree(&hmac);
	explicit_bzero(&hmac, sizeof(hmac));
	if (result)
		return FC_EIO;
	for (size_t i = 0; i < sizeof(digest); i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[2 * sizeof(digest)] = '\0';
	return FC_OK;
}

/* Lower case to upper case without a branch on the character; other characters stay. */
static unsigned fold(unsigned char c)
{
	unsigned u = c;
	unsigned is_lower = (((u - 'a') >> 31) ^ 1U) & ((('z' - u) >> 31) ^ 1U);

	return u - (is_lower << 5);
}

int envelope_sig_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned differs = 0;

	if (a_len != b_len)
		return 0;
	for (size_t i = 0; i < a_len; i++)
		differs |= fold((unsigned char)a[i]) ^ fold((unsigned char)b[i]);
	return !differs;
}

int envelope_secret_equal(const char *expected, size_t expected_len, const char *given, size_t given_len)
{
	unsigned differs = expected_len != given_len;
	size_t at = 0;

	for (size_t i = 0; i < given_len; i++) {
		differs |= (unsigned char)(expected_len ? expected[at] : 0) ^ (unsigned char)given[i];
		/* As i % expected_len, without a division for each character: a router's processor takes long for one. */
		at = at + 1 < expected_len ? at + 1 : 0;
	}
	return !differs && expected_len;
}
