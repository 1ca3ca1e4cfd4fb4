#include "base/json_read.h"

#include <stdlib.h>

#include "base/tree.h"

static const size_t memory_default = (size_t)8 << 20;

struct json_reader {
	size_t longest; /* text that is read */
};

struct json_reader *json_reader_new(size_t memory)
{
	struct json_reader *reader = calloc(1, sizeof(*reader));

	if (reader)
		reader->longest = (memory ? memory : memory_default) / 4;
	return reader;
}

void json_reader_free(struct json_reader *reader)
{
	free(reader);
}

int json_read(struct json_reader *reader, const char *text, size_t len, struct arena *arena, struct value **out,
	      struct error *err)
{
	size_t at;

	*out = NULL;
	if (len > reader->longest)
		return error_set(err, FC_ELIMIT, "json: too long (%zu bytes)", len);
	int result = tree_read(text, len, TREE_AS_RECEIVED, arena, out, &at);
	if (result == FC_ELIMIT)
		return error_set(err, FC_ELIMIT, "json: too long or too many values (%zu bytes)", len);
	return result ? error_set(err, FC_EINVAL, "json: wrong at byte %zu", at + 1) : FC_OK;
}
