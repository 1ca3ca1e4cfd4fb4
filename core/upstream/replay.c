#include "upstream/replay.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/sha256.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* A piece and a zero byte behind, which no field can contain: "ab","c" and "a","bc" differ. */
static int hash_text(wc_Sha256 *sha, const char *text, size_t len)
{
	return wc_Sha256Update(sha, (const byte *)text, (word32)len) || wc_Sha256Update(sha, (const byte *)"", 1);
}

/* Data without line breaks, run by run. */
static int hash_data(wc_Sha256 *sha, const char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t run = strcspn(data + at, "\r\n");

		if (run && wc_Sha256Update(sha, (const byte *)data + at, (word32)run))
			return -1;
		at += run;
		at += strspn(data + at, "\r\n");
	}
	return wc_Sha256Update(sha, (const byte *)"", 1);
}

static int digest_of(const char *method, const struct envelope_request *request, unsigned char out[REPLAY_DIGEST])
{
	wc_Sha256 sha;

	if (wc_InitSha256(&sha))
		return FC_EIO;
	/* The signature covers all but the method; it is left out because its letters may be of either case. */
	int failed = hash_text(&sha, method, strlen(method)) ||
		     hash_text(&sha, request->operator_id, strlen(request->operator_id)) ||
		     hash_text(&sha, request->timestamp, strlen(request->timestamp)) ||
		     hash_text(&sha, request->seq, strlen(request->seq)) ||
		     hash_data(&sha, request->data, request->data_len) || wc_Sha256Final(&sha, out);
	wc_Sha256Free(&sha);
	return failed ? FC_EIO : FC_OK;
}

static const struct replay_entry *look_up(const struct replay *replay, const unsigned char digest[REPLAY_DIGEST])
{
	for (int i = 0; i < REPLAY_ENTRIES; i++)
		if (replay->ring[i].used && !memcmp(replay->ring[i].digest, digest, REPLAY_DIGEST))
			return &replay->ring[i];
	return NULL;
}

int replay_first(struct replay *replay, const char *method, const struct envelope_request *request, int64_t now_ms)
{
	unsigned char digest[REPLAY_DIGEST];

	if (digest_of(method, request, digest))
		return FC_EIO;
	if (look_up(replay, digest))
		return FC_EEXIST;
	struct replay_entry *entry = &replay->ring[replay->next];
	memcpy(entry->digest, digest, REPLAY_DIGEST);
	entry->mono_ms = now_ms;
	entry->used = 1;
	replay->next = (replay->next + 1) % REPLAY_ENTRIES;
	return FC_OK;
}

int64_t replay_age_ms(const struct replay *replay, const char *method, const struct envelope_request *request,
		      int64_t now_ms)
{
	unsigned char digest[REPLAY_DIGEST];

	if (digest_of(method, request, digest))
		return -1;
	const struct replay_entry *entry = look_up(replay, digest);
	return entry ? now_ms - entry->mono_ms : -1;
}

/* Protocol local time of one of the three known forms. */
static int parse_time(const char *text, int64_t *wall)
{
	size_t len = strlen(text);
	char padded[CLOCK_DATETIME_SIZE];
	long long ms;

	if (text[strspn(text, "0123456789")])
		return FC_EINVAL;
	if (len == 13) {
		if (sscanf(text, "%13lld", &ms) != 1)
			return FC_EINVAL;
		*wall = ms / 1000;
		return FC_OK;
	}
	if (len != 12 && len != 14)
		return FC_EINVAL;
	(void)snprintf(padded, sizeof(padded), "%.4s-%.2s-%.2s %.2s:%.2s:%.2s", text, text + 4, text + 6, text + 8,
		       text + 10, len == 14 ? text + 12 : "00");
	return clock_parse_datetime(padded, wall);
}

int replay_time(const char *timestamp, int64_t wall, int wall_trusted, int window_s)
{
	int64_t stamp;

	if (window_s <= 0 || !wall_trusted)
		return FC_OK;
	if (parse_time(timestamp, &stamp))
		return FC_EINVAL;
	int64_t off = stamp > wall ? stamp - wall : wall - stamp;
	return off > window_s ? FC_ELIMIT : FC_OK;
}
