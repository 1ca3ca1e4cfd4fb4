#include "upstream/backoff.h"

#include <sys/random.h>

#include "base/clock.h"

enum { TOO_MANY = 429, BAD_GATEWAY = 502, UNAVAILABLE = 503, GATEWAY_TIMEOUT = 504, DOUBLED_MOST = 16 };

void backoff_init(struct backoff *backoff, uint64_t seed)
{
	*backoff = (struct backoff){.dice = seed ? seed : 1};
}

uint64_t backoff_seed(void)
{
	uint64_t seed = 0;

	/* A box that has no randomness yet: its clock is better than nothing. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)clock_mono_us() ^ (uint64_t)(uintptr_t)&seed;
	return seed;
}

/* xorshift64*: no secret hangs on it. */
static uint32_t throw(struct backoff * backoff)
{
	backoff->dice ^= backoff->dice >> 12;
	backoff->dice ^= backoff->dice << 25;
	backoff->dice ^= backoff->dice >> 27;
	return (uint32_t)((backoff->dice * 2685821657736338717u) >> 32);
}

int64_t backoff_spread_ms(struct backoff *backoff, int64_t pause_ms)
{
	if (pause_ms <= 0)
		return 0;
	return pause_ms + (int64_t)(throw(backoff) % ((uint64_t)pause_ms / 2 + 1));
}

int64_t backoff_left_ms(const struct backoff *backoff, int64_t now_ms)
{
	return backoff->until_ms > now_ms ? backoff->until_ms - now_ms : 0;
}

static int64_t rest_ms(const struct backoff *backoff, int64_t retry_ms)
{
	int64_t most = (int64_t)BACKOFF_REST_MOST_S * 1000, ms = retry_ms;

	for (int i = 0; i < backoff->rests && i < DOUBLED_MOST && ms < most; i++)
		ms *= 2;
	return ms < most ? ms : most > retry_ms ? most : retry_ms;
}

int64_t backoff_answered(struct backoff *backoff, int status, int64_t retry_after_s, int64_t retry_ms, int64_t now_ms)
{
	int crowded = status == BAD_GATEWAY || status == UNAVAILABLE || status == GATEWAY_TIMEOUT;
	int64_t asked_ms = retry_after_s > BACKOFF_ASKED_MOST_S ? (int64_t)BACKOFF_ASKED_MOST_S * 1000
			   : retry_after_s > 0                  ? retry_after_s * 1000
								: 0;

	if (!status)
		return 0;
	if (!crowded && status != TOO_MANY) {
		backoff->crowded = 0;
		backoff->rests = 0;
		return 0;
	}
	backoff->crowded++;
	/* Calls that were under way with the one that began it. */
	if (backoff_left_ms(backoff, now_ms) >= asked_ms && backoff_left_ms(backoff, now_ms) > 0)
		return 0;
	if (!asked_ms && status != TOO_MANY && backoff->crowded < BACKOFF_CROWDED)
		return 0;
	int64_t pause = backoff_spread_ms(backoff, asked_ms ? asked_ms : rest_ms(backoff, retry_ms));
	backoff->until_ms = now_ms + pause;
	backoff->rests++;
	return pause;
}
