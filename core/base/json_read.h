/* JSON reader for what others send: base/tree.h as received, with a longest text. Depth at most 32. Duplicate keys: the last wins.
 * An empty list and an empty object both read as VALUE_EMPTY (some write one for the other); integral numbers up to 2^53 read as
 * VALUE_INT. */
#ifndef FC_BASE_JSON_READ_H
#define FC_BASE_JSON_READ_H

#include "base/error.h"
#include "base/value.h"

struct json_reader;
/* memory: a text may be a quarter of it long, in bytes; default 8 MiB when 0. NULL when there is no memory. */
struct json_reader *json_reader_new(size_t memory);
void json_reader_free(struct json_reader *reader);
/* FC_OK and *out in arena; FC_EINVAL "json: ..."; FC_ELIMIT when the text is too long, holds more than TREE_VALUES_MAX values, or the
 * arena is full. */
int json_read(struct json_reader *reader, const char *text, size_t len, struct arena *arena, struct value **out,
	      struct error *err);

#endif
