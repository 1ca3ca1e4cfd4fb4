/* Lock-out: who guesses passwords waits longer and longer: per address, and per account those who are strangers to it. An address
 * from which the account was in use lately is no stranger, so that nobody locks its owner out by guessing. An IPv6 address
 * counts by its first 64 bits: whoever has one has them all. Names that no account has are counted like others. Bounded: under attack the
 * entries with the fewest failures make room. */
#ifndef FC_CONTROL_LOCKOUT_H
#define FC_CONTROL_LOCKOUT_H

#include <stdint.h>

/* 1 s after the first failure, doubled with each up to these; forgotten after LOCKOUT_FORGET_S without one. An account's is short: it is
 * strangers that share it. */
enum {
	LOCKOUT_ENTRIES = 128,
	LOCKOUT_KNOWN = 32,
	LOCKOUT_ADDRESS_S = 900,
	LOCKOUT_ACCOUNT_S = 60,
	LOCKOUT_FORGET_S = 3600,
};

struct lockout_entry {
	uint64_t key; /* 0 = free */
	unsigned failures;
	int64_t failed_us, until_us;
};

struct lockout_known {
	uint64_t account, address; /* account 0 = free */
	int64_t at_us;
};

/* All zero at first. Times are monotonic. */
struct lockout {
	struct lockout_entry addresses[LOCKOUT_ENTRIES], accounts[LOCKOUT_ENTRIES];
	struct lockout_known known[LOCKOUT_KNOWN];
};

/* Seconds that this attempt has to wait still, rounded up; 0: it may be looked at. */
int lockout_wait_s(const struct lockout *l, const char *account, const char *address, int64_t now_us);
int lockout_is_known(const struct lockout *l, const char *account, const char *address);
void lockout_failed(struct lockout *l, const char *account, const char *address, int64_t now_us);
/* The address starts anew, and is known to the account from now on. */
void lockout_succeeded(struct lockout *l, const char *account, const char *address, int64_t now_us);
/* The same for two addresses of one network as above. */
uint64_t lockout_address(const char *address);

#endif
