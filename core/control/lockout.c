#include "control/lockout.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static const int64_t second_us = 1000000;

/* Two that meet share a delay, no more. */
static uint64_t key_of(const void *data, size_t len)
{
	uint64_t hash = hash_more(HASH_BEGIN, data, len);

	return hash ? hash : 1;
}

static uint64_t account_key(const char *account)
{
	return key_of(account, strlen(account));
}

uint64_t lockout_address(const char *address)
{
	struct in6_addr v6;
	char plain[INET6_ADDRSTRLEN];

	/* Without the interface behind a link-local one. */
	(void)snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(address, "%"), address);
	if (inet_pton(AF_INET6, plain, &v6) != 1)
		return key_of(address, strlen(address));
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		(void)inet_ntop(AF_INET, &v6.s6_addr[12], plain, sizeof(plain));
		return key_of(plain, strlen(plain));
	}
	return key_of(&v6, 8);
}

static int is_stale(const struct lockout_entry *e, int64_t now_us)
{
	return !e->key || now_us - e->failed_us > LOCKOUT_FORGET_S * second_us;
}

static const struct lockout_entry *find(const struct lockout_entry *list, uint64_t key, int64_t now_us)
{
	for (int i = 0; i < LOCKOUT_ENTRIES; i++)
		if (list[i].key == key && !is_stale(&list[i], now_us))
			return &list[i];
	return NULL;
}

/* That of the key, a free or forgotten one, or that with the fewest failures, of those the oldest. */
static struct lockout_entry *place_for(struct lockout_entry *list, uint64_t key, int64_t now_us)
{
	struct lockout_entry *best = &list[0];

	for (int i = 0; i < LOCKOUT_ENTRIES; i++) {
		struct lockout_entry *e = &list[i];

		if (is_stale(e, now_us))
			memset(e, 0, sizeof(*e));
		if (e->key == key)
			return e;
		if (e->failures < best->failures || (e->failures == best->failures && e->failed_us < best->failed_us))
			best = e;
	}
	*best = (struct lockout_entry){.key = key};
	return best;
}

static void fail(struct lockout_entry *list, uint64_t key, int most_s, int64_t now_us)
{
	struct lockout_entry *e = place_for(list, key, now_us);
	int64_t wait_s = (int64_t)1 << (e->failures < 20 ? e->failures : 20);

	e->failures++;
	e->failed_us = now_us;
	e->until_us = now_us + (wait_s < most_s ? wait_s : most_s) * second_us;
}

static int64_t until(const struct lockout_entry *e)
{
	return e ? e->until_us : 0;
}

int lockout_is_known(const struct lockout *l, const char *account, const char *address)
{
	uint64_t a = account_key(account), from = lockout_address(address);

	for (int i = 0; i < LOCKOUT_KNOWN; i++)
		if (l->known[i].account == a && l->known[i].address == from)
			return 1;
	return 0;
}

int lockout_wait_s(const struct lockout *l, const char *account, const char *address, int64_t now_us)
{
	int64_t end = until(find(l->addresses, lockout_address(address), now_us));

	if (!lockout_is_known(l, account, address)) {
		int64_t other = until(find(l->accounts, account_key(account), now_us));

		end = other > end ? other : end;
	}
	return end > now_us ? (int)((end - now_us + second_us - 1) / second_us) : 0;
}

void lockout_failed(struct lockout *l, const char *account, const char *address, int64_t now_us)
{
	fail(l->addresses, lockout_address(address), LOCKOUT_ADDRESS_S, now_us);
	/* What its own people mistype keeps no stranger out, nor in. */
	if (!lockout_is_known(l, account, address))
		fail(l->accounts, account_key(account), LOCKOUT_ACCOUNT_S, now_us);
}

void lockout_succeeded(struct lockout *l, const char *account, const char *address, int64_t now_us)
{
	uint64_t a = account_key(account), from = lockout_address(address);
	struct lockout_known *place = &l->known[0];

	for (int i = 0; i < LOCKOUT_ENTRIES; i++)
		if (l->addresses[i].key == from)
			l->addresses[i] = (struct lockout_entry){0};
	for (int i = 0; i < LOCKOUT_KNOWN; i++) {
		struct lockout_known *k = &l->known[i];

		if (k->account == a && k->address == from) {
			k->at_us = now_us;
			return;
		}
		if (!k->account || (place->account && k->at_us < place->at_us))
			place = k;
	}
	*place = (struct lockout_known){a, from, now_us};
}
