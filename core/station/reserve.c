#include "station/reserve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { KEY = 80, RECORD = 160, STEP_S = 2 };

static void key_of(const char *connector_id, char out[KEY])
{
	(void)snprintf(out, KEY, "reserve:%s", connector_id);
}

void reserve_begin(struct reservation *r, int64_t seconds, const char *note)
{
	*r = (struct reservation){.held = 1,
				  .until_wall = clock_wall() + seconds,
				  .until_us = clock_mono_us() + seconds * 1000000,
				  .seconds = seconds,
				  .is_dated = clock_wall_trusted()};
	(void)snprintf(r->note, sizeof(r->note), "%s", note ? note : "");
}

/* "until seconds note" */
int reserve_load(struct reservation *r, struct store *store, const char *connector_id)
{
	char key[KEY], text[RECORD], *end;

	*r = (struct reservation){0};
	key_of(connector_id, key);
	int result = store ? store_value_get(store, key, text, sizeof(text)) : FC_ENOENT;
	if (result || !*text)
		return result == FC_EIO ? FC_EIO : FC_OK;
	int64_t until = strtoll(text, &end, 10), seconds = strtoll(end, &end, 10);
	if (*end != ' ' || seconds <= 0 || seconds > STATION_RESERVE_MAX_S)
		return FC_OK;
	int64_t left = clock_wall_trusted() ? until - clock_wall() : seconds;
	/* A clock that was set back meanwhile makes it no longer than it was. */
	left = left < seconds ? left : seconds;
	if (left <= 0)
		return FC_OK;
	*r = (struct reservation){.held = 1,
				  .until_wall = until,
				  .until_us = clock_mono_us() + left * 1000000,
				  .seconds = seconds,
				  .is_dated = clock_wall_trusted()};
	(void)snprintf(r->note, sizeof(r->note), "%s", end + 1);
	return FC_OK;
}

int reserve_save(const struct reservation *r, struct store *store, const char *connector_id, struct error *err)
{
	char key[KEY], text[RECORD];

	if (!store)
		return FC_OK;
	key_of(connector_id, key);
	(void)snprintf(text, sizeof(text), "%lld %lld %s", (long long)r->until_wall, (long long)r->seconds, r->note);
	return store_value_set(store, key, r->held ? text : "", err);
}

int reserve_is_over(struct reservation *r, int *has_moved)
{
	int64_t left_us = r->until_us - clock_mono_us();
	int64_t until = clock_wall() + (left_us + 999999) / 1000000, by_wall = r->until_wall - clock_wall();

	*has_moved = 0;
	if (left_us <= 0)
		return 1;
	if (!clock_wall_trusted())
		return 0;
	if (!r->is_dated) {
		/* It was taken from the store while nobody knew what time it was. */
		r->is_dated = 1;
		if (by_wall <= 0)
			return 1;
		if (by_wall * 1000000 < left_us)
			r->until_us = clock_mono_us() + by_wall * 1000000;
		else if (until != r->until_wall)
			*has_moved = 1;
	} else if (until > r->until_wall + STEP_S || until < r->until_wall - STEP_S) {
		*has_moved = 1;
	}
	if (*has_moved)
		r->until_wall = until;
	return 0;
}
