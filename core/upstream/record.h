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
/* Appends the oldest message behind *number (0: the oldest of all) as one line of JSON without a newline, and sets *number to its
 * own. FC_OK, FC_ENOENT when there is none, FC_ELIMIT. */
int recorder_line(const struct recorder *recorder, uint64_t *number, struct buffer *out);

#endif
