#include <wolfssl/options.h>

#include "control/seal.h"

#include <string.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "control/bytes.h"
#include "control/scrypt.h"

enum { KEY = 32, N_MIN = 1024 };

static int log2_of(int n)
{
	int bits = 0;

	while (n > 1 << bits)
		bits++;
	return n == 1 << bits ? bits : -1;
}

static int make_key(const struct seal *s, const char *passphrase, unsigned char key[KEY], struct error *err)
{
	int bits = log2_of(s->n);

	if (s->n < N_MIN || s->n > SEAL_N_MAX || bits < 0)
		return error_set(err, FC_EINVAL, "the backup's key can't be made: n %d", s->n);
	if (scrypt_key(passphrase, strlen(passphrase), s->salt, SEAL_SALT, bits, SEAL_R, SEAL_P, key, KEY))
		return error_set(err, FC_EIO, "no memory for the key of the backup");
	return FC_OK;
}

int seal_close(struct seal *s, const char *passphrase, const void *aad, size_t aad_len, unsigned char *data, size_t len,
	       struct error *err)
{
	unsigned char key[KEY];
	WC_RNG rng;
	Aes aes;

	s->n = SEAL_N;
	if (wc_InitRng(&rng))
		return error_set(err, FC_EIO, "no random numbers");
	int failed = wc_RNG_GenerateBlock(&rng, s->salt, SEAL_SALT) || wc_RNG_GenerateBlock(&rng, s->nonce, SEAL_NONCE);
	wc_FreeRng(&rng);
	if (failed)
		return error_set(err, FC_EIO, "no random numbers");
	int result = make_key(s, passphrase, key, err);
	if (result)
		return result;
	failed = wc_AesInit(&aes, NULL, INVALID_DEVID);
	if (!failed) {
		failed = wc_AesGcmSetKey(&aes, key, KEY) ||
			 wc_AesGcmEncrypt(&aes, data, data, (word32)len, s->nonce, SEAL_NONCE, s->tag, SEAL_TAG, aad,
					  (word32)aad_len);
		wc_AesFree(&aes);
	}
	bytes_wipe(key, sizeof(key));
	return failed ? error_set(err, FC_EIO, "the backup can't be encrypted") : FC_OK;
}

int seal_open(const struct seal *s, const char *passphrase, const void *aad, size_t aad_len, unsigned char *data,
	      size_t len, struct error *err)
{
	unsigned char key[KEY];
	Aes aes;
	int result = make_key(s, passphrase, key, err);

	if (result)
		return result;
	int failed = wc_AesInit(&aes, NULL, INVALID_DEVID);
	if (!failed) {
		failed = wc_AesGcmSetKey(&aes, key, KEY) ||
			 wc_AesGcmDecrypt(&aes, data, data, (word32)len, s->nonce, SEAL_NONCE, s->tag, SEAL_TAG, aad,
					  (word32)aad_len);
		wc_AesFree(&aes);
	}
	bytes_wipe(key, sizeof(key));
	return failed ? error_set(err, FC_EAUTH, "this is not the passphrase of this backup") : FC_OK;
}
