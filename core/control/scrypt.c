#include <wolfssl/options.h>

#include "control/scrypt.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/pwdbased.h>

#include "control/bytes.h"

/* A block of Salsa20 is 16 words; a block of the mix is 2 * r of them, 128 * r bytes. */
enum { SALSA_WORDS = 16, MIX_BYTES = 128, MIX_WORDS = MIX_BYTES / 4, INPUT_MAX = 4096, OUT_MAX = 64 };

_Static_assert(MIX_BYTES *SCRYPT_BLOCK_MAX *((1 << SCRYPT_COST_MAX) + SCRYPT_PARALLEL_MAX + 2) <= SCRYPT_MEMORY_MAX,
	       "the bound that the header tells");

static uint32_t left(uint32_t v, int bits)
{
	return v << bits | v >> (32 - bits);
}

static void quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*b ^= left(*a + *d, 7);
	*c ^= left(*b + *a, 9);
	*d ^= left(*c + *b, 13);
	*a ^= left(*d + *c, 18);
}

/* RFC 7914, 3: Salsa20/8 Core. */
static void salsa(uint32_t block[SALSA_WORDS])
{
	uint32_t x[SALSA_WORDS];

	memcpy(x, block, sizeof(x));
	for (int i = 0; i < 4; i++) {
		quarter(&x[0], &x[4], &x[8], &x[12]);
		quarter(&x[5], &x[9], &x[13], &x[1]);
		quarter(&x[10], &x[14], &x[2], &x[6]);
		quarter(&x[15], &x[3], &x[7], &x[11]);
		quarter(&x[0], &x[1], &x[2], &x[3]);
		quarter(&x[5], &x[6], &x[7], &x[4]);
		quarter(&x[10], &x[11], &x[8], &x[9]);
		quarter(&x[15], &x[12], &x[13], &x[14]);
	}
	for (int i = 0; i < SALSA_WORDS; i++)
		block[i] += x[i];
}

/* RFC 7914, 4: scryptBlockMix. in and out are 2 * r blocks and do not overlap. */
static void mix_block(const uint32_t *in, uint32_t *out, int r)
{
	uint32_t x[SALSA_WORDS];

	memcpy(x, in + (2 * r - 1) * SALSA_WORDS, sizeof(x));
	for (int i = 0; i < 2 * r; i++) {
		for (int k = 0; k < SALSA_WORDS; k++)
			x[k] ^= in[i * SALSA_WORDS + k];
		salsa(x);
		/* The even ones first, the odd ones behind them. */
		memcpy(out + (i / 2 + (i % 2) * r) * SALSA_WORDS, x, sizeof(x));
	}
}

/* RFC 7914, 5: scryptROMix of one block of 128 * r bytes in place. table: N blocks; spare: two. */
static void mix(unsigned char *bytes, int r, uint32_t n, uint32_t *table, uint32_t *spare)
{
	size_t words = (size_t)r * MIX_WORDS;
	uint32_t *x = spare, *y = spare + words;

	for (size_t i = 0; i < words; i++)
		x[i] = (uint32_t)bytes[4 * i] | (uint32_t)bytes[4 * i + 1] << 8 | (uint32_t)bytes[4 * i + 2] << 16 |
		       (uint32_t)bytes[4 * i + 3] << 24;
	memcpy(table, x, words * sizeof(*x));
	for (uint32_t i = 1; i < n; i++)
		mix_block(table + (i - 1) * words, table + i * words, r);
	mix_block(table + (n - 1) * words, x, r);
	for (uint32_t i = 0; i < n; i++) {
		/* Integerify: the first word of the last block, of which N, a power of two, takes the low bits. */
		const uint32_t *v = table + (size_t)(x[words - SALSA_WORDS] & (n - 1)) * words;

		for (size_t k = 0; k < words; k++)
			x[k] ^= v[k];
		mix_block(x, y, r);
		uint32_t *swap = x;
		x = y;
		y = swap;
	}
	for (size_t i = 0; i < words; i++)
		for (int k = 0; k < 4; k++)
			bytes[4 * i + (size_t)k] = (unsigned char)(x[i] >> 8 * k);
}

static int derive(const void *password, size_t password_len, const void *salt, size_t salt_len, unsigned char *out,
		  size_t len)
{
	return wc_PBKDF2(out, password, (int)password_len, salt, (int)salt_len, 1, (int)len, WC_HASH_TYPE_SHA256)
		   ? FC_EIO
		   : FC_OK;
}

int scrypt_key(const void *password, size_t password_len, const void *salt, size_t salt_len, int cost, int block,
	       int parallel, unsigned char *out, size_t len)
{
	if (cost < 1 || cost > SCRYPT_COST_MAX || block < 1 || block > SCRYPT_BLOCK_MAX || parallel < 1 ||
	    parallel > SCRYPT_PARALLEL_MAX || password_len > INPUT_MAX || salt_len > INPUT_MAX || !len || len > OUT_MAX)
		return FC_EINVAL;
	uint32_t n = (uint32_t)1 << cost;
	size_t one = (size_t)block * MIX_BYTES, all = one * (size_t)parallel;
	unsigned char *bytes = malloc(all);
	uint32_t *table = calloc(n + 2, one); /* of fresh pages the kernel has zeroed: costs nothing more */
	int result = FC_ENOMEM;

	if (bytes && table) {
		result = derive(password, password_len, salt, salt_len, bytes, all);
		for (int i = 0; !result && i < parallel; i++)
			mix(bytes + (size_t)i * one, block, n, table, table + (size_t)n * one / sizeof(*table));
		if (!result)
			result = derive(password, password_len, bytes, all, out, len);
		bytes_wipe(table, one * (n + 2));
		bytes_wipe(bytes, all);
	}
	free(table);
	free(bytes);
	return result;
}
