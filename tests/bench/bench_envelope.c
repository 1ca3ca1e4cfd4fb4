/* What an answer's envelope costs beside the same primitives of wolfCrypt called by themselves over the same bytes: AES-128-CBC with its
 * padding and base64, and HMAC-MD5 over Ret, Msg and Data with its digits.
 *
 *   bench_envelope SIZE SECONDS ROUNDS
 *
 * In turns, so that a busy machine is busy for both; by the processor's time. Prints "OURS_NS BARE_NS", the medians of an envelope. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include "upstream/envelope.h"

enum { SIZE_MAX_KB = 256, ROUNDS_MAX = 64, KEY = 16, BATCH = 16 };

static const char data_secret[KEY + 1] = "1234567890abcdef", data_iv[KEY + 1] = "fedcba0987654321",
				    sig_secret[KEY + 1] = "0123456789abcdef";
static char plain[SIZE_MAX_KB * 1024];
static byte padded[sizeof(plain) + KEY], secret[sizeof(padded)], text[2 * sizeof(padded)];

static double cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void give_up(const char *what)
{
	(void)fprintf(stderr, "bench_envelope: %s\n", what);
	exit(1);
}

/* As wolfCrypt's own benchmark has it: keys are set once, then the primitives run. */
static void seal_bare(Aes *aes, Hmac *hmac, size_t len)
{
	size_t all = len / KEY * KEY + KEY;
	word32 text_len = sizeof(text);
	byte mac[WC_MD5_DIGEST_SIZE], digits[2 * sizeof(mac)];
	word32 digits_len = sizeof(digits) + 1;

	memcpy(padded, plain, len);
	memset(padded + len, (int)(all - len), all - len);
	if (wc_AesSetIV(aes, (const byte *)data_iv) || wc_AesCbcEncrypt(aes, secret, padded, (word32)all) ||
	    Base64_Encode_NoNl(secret, (word32)all, text, &text_len))
		give_up("AES");
	byte sig[sizeof(digits) + 1];
	if (wc_HmacUpdate(hmac, (const byte *)"0", 1) || wc_HmacUpdate(hmac, text, text_len) ||
	    wc_HmacFinal(hmac, mac) || Base16_Encode(mac, sizeof(mac), sig, &digits_len))
		give_up("HMAC");
}

static void seal_ours(const struct envelope_keys *keys, struct buffer *out, size_t len)
{
	buffer_clear(out);
	if (envelope_seal_response(keys, 0, NULL, plain, len, NULL, out))
		give_up("envelope");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	double ours[ROUNDS_MAX], bare[ROUNDS_MAX];
	struct envelope_keys keys;
	struct buffer out;
	Aes aes;
	Hmac hmac;

	if (argc != 4)
		return 2;
	size_t len = strtoul(argv[1], NULL, 10);
	double slice = strtod(argv[2], NULL) * 1e9;
	int rounds = (int)strtol(argv[3], NULL, 10);
	if (!len || len > sizeof(plain) || rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	memset(plain, 'x', len);
	buffer_init(&out, 4 * sizeof(plain));
	if (envelope_keys_set(&keys, data_secret, data_iv, sig_secret, NULL) || wc_AesInit(&aes, NULL, INVALID_DEVID) ||
	    wc_AesSetKey(&aes, (const byte *)data_secret, KEY, (const byte *)data_iv, AES_ENCRYPTION) ||
	    wc_HmacInit(&hmac, NULL, INVALID_DEVID) || wc_HmacSetKey(&hmac, WC_MD5, (const byte *)sig_secret, KEY))
		give_up("keys");
	for (int i = 0; i < rounds; i++) {
		size_t made = 0;
		double begin = cpu_ns();

		for (; cpu_ns() - begin < slice; made += BATCH)
			for (int k = 0; k < BATCH; k++)
				seal_ours(&keys, &out, len);
		ours[i] = (cpu_ns() - begin) / (double)made;
		made = 0;
		begin = cpu_ns();
		for (; cpu_ns() - begin < slice; made += BATCH)
			for (int k = 0; k < BATCH; k++)
				seal_bare(&aes, &hmac, len);
		bare[i] = (cpu_ns() - begin) / (double)made;
	}
	qsort(ours, (size_t)rounds, sizeof(ours[0]), compare);
	qsort(bare, (size_t)rounds, sizeof(bare[0]), compare);
	(void)printf("%.0f %.0f\n", ours[rounds / 2], bare[rounds / 2]);
	buffer_fini(&out);
	return 0;
}
