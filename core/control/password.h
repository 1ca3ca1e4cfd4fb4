/* Password: what is kept of a password, and which ones are taken.
 *
 * "scrypt$14$8$5$SALT$HASH" (log2 N, r, p; RFC 7914), salt and hash in hex. N = 16384 with r = 8 takes 16 MB while it is reckoned:
 * the box has 128 MB, and one hash is made at a time (hasher.h). p = 5 makes up in time for what the memory is less than usual
 * (OWASP's password storage sheet holds it equal to 128 MB with p = 1). Read are
 * also "pbkdf2-sha256$ROUNDS$SALT$HASH" and other parameters within the bounds below. */
#ifndef FC_CONTROL_PASSWORD_H
#define FC_CONTROL_PASSWORD_H

#include <stddef.h>

#include "base/error.h"

enum {
	PASSWORD_MIN = 10,
	PASSWORD_MAX = 128,
	PASSWORD_HASH = 256,     /* the text with its zero byte */
	PASSWORD_GENERATED = 17, /* the same: 16 characters of 31, 79 bits */
	PASSWORD_ROUNDS_MIN = 1000,
	PASSWORD_ROUNDS_MAX = 2000000,
};

/* Blocks for as long as it takes, a second and more on a small box: never on the loop. FC_EIO: no randomness, no memory. */
int password_hash(const char *password, char hash[PASSWORD_HASH]);
/* The same. Nonzero when it is the password. hash "": never, after the time of a hash. */
int password_is_right(const char *password, const char *hash);
/* Spends the time of a PBKDF2 of so many rounds. */
void password_spend(int rounds);
/* Nonzero when it can be checked here. */
int password_hash_is_good(const char *hash);
/* Its rounds when it is PBKDF2, else 0. */
int password_rounds(const char *hash);
/* Why this password is not taken for this account: an English text; NULL when it is. */
const char *password_refused(const char *password, const char *account);
/* Letters and digits that are not taken for one another. FC_EIO. */
int password_generate(char password[PASSWORD_GENERATED]);

/* len random bytes as hex (2 * len + 1). FC_EIO. */
int password_random_hex(size_t len, char *hex);
/* SHA-256 as hex. */
void password_digest(const char *text, char hex[65]);
/* Equal, in a time that does not tell where they differ, or how long they are. */
int password_same(const char *a, const char *b);

#endif
