/* What the files of this room share. */
#ifndef FC_STORE_INTERNAL_H
#define FC_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"

sqlite3 *store_db(struct store *store);
/* FC_EIO "store: what: why". */
int store_failed(struct store *store, struct error *err, const char *what);

#endif
