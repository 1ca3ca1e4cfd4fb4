/* Hasher: passwords checked and hashed beside the loop, one at a time, in the order in which they came. Each takes as long as any
 * other, so that the time tells nothing about whose password it was. The thread yields to everything else that the box does. */
#ifndef FC_CONTROL_HASHER_H
#define FC_CONTROL_HASHER_H

#include "base/error.h"
#include "control/password.h"
#include "loop/loop.h"

/* As many may wait. */
enum { HASHER_PIECES = 8 };

struct hasher;
/* is_right: of a check. hash: what was made; "" when it could not be. Valid during the call. */
typedef void (*hasher_done)(void *user, int is_right, const char *hash);

struct hasher *hasher_new(struct loop *loop, struct error *err);
/* Who waits is not told any more. */
void hasher_free(struct hasher *hasher);
/* Rounds of a PBKDF2 that all checks should take as long as; 0 = none. */
void hasher_match(struct hasher *hasher, int rounds);
/* Is it that password? hash "": of nobody. The password is copied, and wiped when it was looked at. done comes later, once.
 * FC_OK; FC_EBUSY: too many wait; FC_EINVAL: the password is too long; FC_EIO: no thread. */
int hasher_check(struct hasher *hasher, const char *password, const char *hash, hasher_done done, void *user);
int hasher_make(struct hasher *hasher, const char *password, hasher_done done, void *user);
/* How many wait, with that which is under way. */
int hasher_waiting(const struct hasher *hasher);
/* Those that wait for user are not told any more. */
void hasher_forget(struct hasher *hasher, const void *user);

#endif
