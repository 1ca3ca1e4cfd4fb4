/* Long numbers: serials may come as JSON numbers of 20 digits (protocol.md section 3, 28), of which a double, and so the JSON
 * reader, keeps 15. */
#ifndef FC_UPSTREAM_LONG_NUMBER_H
#define FC_UPSTREAM_LONG_NUMBER_H

#include <stddef.h>

#include "base/arena.h"

/* Puts every whole number of more than 15 digits into quotes, so that it is read as text. *json and *len are changed, to a copy in
 * arena, only when there is one; one pass over the text otherwise. Any bytes may stand in it. FC_OK or FC_ELIMIT: the arena is full. */
int long_number_quote(const char **json, size_t *len, struct arena *arena);

#endif
