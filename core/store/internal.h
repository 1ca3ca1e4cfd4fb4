/* What the files of this room share. */
#ifndef FC_STORE_INTERNAL_H
#define FC_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/journal.h"
#include "store/store.h"

sqlite3 *store_db(struct store *store);
/* FC_EIO "store: what: why". */
int store_failed(struct store *store, struct error *err, const char *what);

/* What a statement must select for these two; a row's record is the statement's own memory, NULL when there was none to have. */
#define JOURNAL_COLUMNS "seq, connector_id, platform, mode, closed, start_wall, end_wall, wh, money_e4, reason, record"
#define OUTBOX_COLUMNS  "id, platform, method, seq, attempts, next_wall, state, answer"
void journal_row(sqlite3_stmt *s, struct journal_order *order);
void outbox_row(sqlite3_stmt *s, struct outbox_entry *entry);

#endif
