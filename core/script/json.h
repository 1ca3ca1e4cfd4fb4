/* JSON reader: lua-cjson in a private state with a memory limit. Depth at most 32. Duplicate keys: the last wins.
 * An empty list and an empty object both read as VALUE_EMPTY (lua-cjson can't tell); integral numbers up to 2^53
 * read as VALUE_INT. Not for numbers beyond 2^53: the protocol's serials are text. */
#ifndef FC_SCRIPT_JSON_H
#define FC_SCRIPT_JSON_H

#include "base/error.h"
#include "base/value.h"

struct json_reader;
/* memory: the state's limit in bytes, default 8 MiB when 0. NULL when there is no memory. */
struct json_reader *json_reader_new(size_t memory);
void json_reader_free(struct json_reader *reader);
/* FC_OK and *out in arena; FC_EINVAL "json: ..."; FC_ELIMIT when the text is longer than a quarter of the memory or holds more
 * values than fit into it, or the arena is full; FC_ENOMEM. The reader stays usable. */
int json_read(struct json_reader *reader, const char *text, size_t len, struct arena *arena, struct value **out,
	      struct error *err);

#endif
