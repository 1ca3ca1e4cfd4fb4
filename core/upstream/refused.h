/* Refused: orders that a platform was told and did not take, each until its own time (order_retry_s). Those behind it go on: one order
 * that a platform can't digest must not keep from it what the others earned. In memory, by a clock that does not jump; after a restart
 * each is tried at once. No allocation: of more than REFUSED_MOST the rest wait as one. */
#ifndef FC_UPSTREAM_REFUSED_H
#define FC_UPSTREAM_REFUSED_H

#include "store/journal.h"

enum { REFUSED_MOST = 64, REFUSED_PAUSE_MS = 1000, REFUSED_PAUSE_MOST_MS = 300000 };

/* All 0 at first. */
struct refused {
	struct {
		int64_t id, due_ms;
		uint64_t text; /* why, as told last; 0 = not told */
		int in_row;
	} list[REFUSED_MOST];
	int count;
	int64_t rest_due_ms; /* of those that have no place */
	int row;             /* how many different ones since one was taken */
};

/* Not taken, and not to be told before due_ms. Returns how long all others wait, in ms: not at all after one order, whose fault it may be;
 * more and more after several different ones in a row, since that is the platform's, but never longer than this one itself (pause_ms). */
int64_t refused_note(struct refused *refused, int64_t id, int64_t due_ms, int64_t pause_ms);
/* Nonzero: it has been told, and was not taken. */
int refused_was(const struct refused *refused, const struct outbox_entry *entry);
/* Nonzero: it has been told lately, and is to wait, until *due_ms. */
int refused_waits(const struct refused *refused, const struct outbox_entry *entry, int64_t now_ms, int64_t *due_ms);
/* Nonzero the first time, and when the text is another than the last of it. */
int refused_is_news(struct refused *refused, int64_t id, const char *text);
/* Taken: where it had not been before, the others are worth a try at once. */
void refused_taken(struct refused *refused, const struct outbox_entry *entry);
/* It waits no longer. */
void refused_drop(struct refused *refused, int64_t id);
/* All are tried at once. */
void refused_forget(struct refused *refused);

#endif
