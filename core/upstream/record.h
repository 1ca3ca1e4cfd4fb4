/* Record: the last messages as they went through the mappings, so that a changed mapping can be tried on real traffic before it
 * goes live (forecourt lua record, forecourt lua replay).
 *
 * In memory only, in one block of a fixed size. When it is full, the kind of message (platform, method, request or answer) that
 * takes up most of it loses its oldest: what comes once a day is not pushed out by what comes every second. Personal data and
 * secrets are masked before anything is kept (mask.h). */
#ifndef FC_UPSTREAM_RECORD_H
#define FC_UPSTREAM_RECORD_H

#include <stdint.h>

#include "base/buffer.h"
#include "upstream/mapping.h"

struct recorder;

/* bytes: of the block, taken with the first message. NULL when there is no memory or no randomness to mask with. */
struct recorder *recorder_new(size_t bytes);
void recorder_free(struct recorder *recorder);
size_t recorder_bytes(const struct recorder *recorder);

struct record {
	const char *platform; /* section */
	const struct message *message;
	enum message_part part;
	enum mapping_direction direction;
	const char *mapping, *hash; /* "" = none */
	/* Before the mapping: of what goes out the standard's form, of what comes in the sender's. */
	const struct value *before;
	/* After it, as it was sent or used; NULL when the mapping has no function for it, or that failed. */
	const struct value *after;
	int failed;          /* the function failed */
	const char *refused; /* why what came in was refused; NULL = it was not */
};
/* recorder NULL: does nothing. What is too large for a quarter of the block is counted and not kept. */
void recorder_note(struct recorder *recorder, const struct record *record);

struct recorder_counts {
	uint64_t noted, dropped, too_large;
	int held;
};
struct recorder_counts recorder_counts(const struct recorder *recorder);
/* The number of the newest message; 0 = none was recorded yet. */
uint64_t recorder_newest(const struct recorder *recorder);
/* One message: JSON texts, masked and not terminated; they live until the next recorder_note. */
struct recorded {
	int64_t wall;
	const char *platform, *mapping, *hash;
	const struct message *message;
	enum message_part part;
	enum mapping_direction direction;
	const char *before, *after, *refused; /* as in struct record; length 0 = there is none */
	size_t before_len, after_len, refused_len;
	int failed;
};
/* FC_OK, FC_ENOENT: it gave way, or never was. */
int recorder_get(const struct recorder *recorder, uint64_t number, struct recorded *out);
/* Appends a tree as JSON, masked as what is recorded. schema: of the tree's own object; NULL when it has none. recorder NULL: FC_ENOENT,
 * nothing is appended. */
int recorder_mask(const struct recorder *recorder, const struct schema *schema, const struct value *tree,
		  struct buffer *out);
/* Appends the oldest message behind *number (0: the oldest of all) as one line of JSON without a newline, and sets *number to its
 * own. FC_OK, FC_ENOENT when there is none, FC_ELIMIT. */
int recorder_line(const struct recorder *recorder, uint64_t *number, struct buffer *out);
/* The same as its pieces. FC_OK, FC_ENOENT. */
int recorder_next(const struct recorder *recorder, uint64_t *number, struct recorded *out);

#endif
