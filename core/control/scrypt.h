/* scrypt (RFC 7914): a key from a password that takes memory as well as time. OpenWrt's wolfSSL is built without its own; on PBKDF2,
 * HMAC and SHA-256 of wolfCrypt this needs no more. */
#ifndef FC_CONTROL_SCRYPT_H
#define FC_CONTROL_SCRYPT_H

#include <stddef.h>

#include "base/error.h"

enum {
	SCRYPT_COST_MAX = 16, /* log2 N */
	SCRYPT_BLOCK_MAX = 8, /* r */
	SCRYPT_PARALLEL_MAX = 16,
	SCRYPT_MEMORY_MAX = 65 << 20, /* what the greatest of these take, in bytes */
};

/* out: len bytes, 1 to 64. cost is log2 N, 1 and more. Takes 128 * r * (N + p + 2) bytes (16 MB with 14, 8, 1) and wipes them; blocks for as long
 * as it takes: never on the loop. The password may hold any bytes, also none. FC_OK; FC_EINVAL: beyond the bounds above; FC_ENOMEM; FC_EIO:
 * wolfCrypt. out is worth nothing unless FC_OK. */
int scrypt_key(const void *password, size_t password_len, const void *salt, size_t salt_len, int cost, int block,
	       int parallel, unsigned char *out, size_t len);

#endif
