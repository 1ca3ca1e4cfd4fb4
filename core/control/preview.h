/* Preview: what a changed mapping or policy would have made of what the gateway has recorded, beside what the file as it stands
 * makes of it. Filled on the loop with a small batch at a time, worked off on the shelf's thread. For this room only. */
#ifndef FC_CONTROL_PREVIEW_H
#define FC_CONTROL_PREVIEW_H

#include "charge/reprice.h"
#include "control/lua.h"
#include "upstream/differ.h"

enum {
	PREVIEW_LIST_MAX = 100, /* differences told of each kind */
	PREVIEW_MESSAGES_MAX = 2000,
	PREVIEW_ORDERS_MAX = 200,
	PREVIEW_BATCH_BYTES = 64 << 10,
	PREVIEW_TIME_MS = 40000,
};

/* One field of one method that differs in the same way; values are those of the first message. */
struct preview_field {
	struct preview_field *next;
	const char *method, *part, *platform, *kind, *path, *before, *after;
	int64_t at;
	int messages;
	uint64_t last; /* message counted last */
};

/* What becomes of messages. */
struct preview_messages {
	struct arena *arena; /* for what is told */
	int compared, changed, failed, left_out;
	struct preview_field *first, *last;
	int fields;
	int is_changed;           /* the one at hand */
	const struct recorded *m; /* it */
	uint64_t number;
	int is_cut; /* the arena is full: what came later is counted only */
};
/* operator_id: ours; platform_id: theirs. was NULL: as a mapping without functions. */
void preview_message(struct preview_messages *messages, const struct recorded *recorded, const char *operator_id,
		     const char *platform_id, struct mapping *was, struct mapping *is);
/* {compared, changed, failed, list, left_out} */
struct value *preview_put_messages(struct maker *m, const struct preview_messages *messages);

struct preview_order {
	struct preview_order *next;
	char seq[JOURNAL_SEQ], platform[JOURNAL_NAME];
	int64_t at, wh, before_e4, after_e4;
	char failed[ERROR_TEXT_MAX]; /* "" = priced */
};

/* What becomes of orders. */
struct preview_orders {
	struct arena *arena;
	struct json_reader *reader;
	struct order *order;
	struct repriced *was, *is;
	int compared, changed, failed, even, unread, left_out, listed;
	int64_t billed_e4, before_e4, after_e4;
	struct preview_order *first, *last;
};
int preview_orders_init(struct preview_orders *orders, struct arena *arena);
void preview_orders_fini(struct preview_orders *orders);
/* Those that another policy than name has priced are passed over. was NULL: as it was billed. */
void preview_order(struct preview_orders *orders, const struct journal_order *entry, const char *station_id,
		   const char *name, struct policy *was, struct policy *is);
/* {compared, changed, failed, money_billed_e4, money_before_e4, money_after_e4, list, left_out} */
struct value *preview_put_orders(struct maker *m, const struct preview_orders *orders);

#endif
