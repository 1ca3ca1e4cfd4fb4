/* Seal: bytes encrypted with a passphrase: AES-256-GCM, the key by scrypt (RFC 7914). Takes 16 MiB and up to seconds: beside the loop. */
#ifndef FC_CONTROL_SEAL_H
#define FC_CONTROL_SEAL_H

#include <stddef.h>

#include "base/error.h"

enum { SEAL_SALT = 16, SEAL_NONCE = 12, SEAL_TAG = 16, SEAL_N = 16384, SEAL_N_MAX = 65536, SEAL_R = 8, SEAL_P = 1 };

struct seal {
	int n;
	unsigned char salt[SEAL_SALT], nonce[SEAL_NONCE], tag[SEAL_TAG];
};

/* data is encrypted in place; *seal is made anew. FC_OK, FC_EIO. */
int seal_close(struct seal *seal, const char *passphrase, const void *aad, size_t aad_len, unsigned char *data,
	       size_t len, struct error *err);
/* FC_OK; FC_EAUTH: another passphrase, or not what was sealed (data is useless then); FC_EINVAL: n is none that we use. */
int seal_open(const struct seal *seal, const char *passphrase, const void *aad, size_t aad_len, unsigned char *data,
	      size_t len, struct error *err);

#endif
