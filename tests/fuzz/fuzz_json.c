/* JSON: what the reader takes is written, read again and written again: the same text, in the usual form and in the one without
 * anything beyond ASCII. */
#include "fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "script/json.h"

enum { MEMORY = 8 << 20 };

static struct json_reader *reader;

typedef int write_fn(struct buffer *out, const struct value *v);

static struct value *again(struct arena *arena, const struct value *v, write_fn *write, struct buffer *text)
{
	struct value *read = NULL;
	struct error err = {0};

	fuzz_check(write(text, v) == FC_OK);
	fuzz_check(json_read(reader, text->data, text->len, arena, &read, &err) == FC_OK);
	return read;
}

/* The first text may be another: names that are no UTF-8 may become the same, and members are in the order of their names. */
static void round_trip(struct arena *arena, const struct value *first, write_fn *write)
{
	struct buffer draft, once, twice;

	buffer_init(&draft, MEMORY);
	buffer_init(&once, MEMORY);
	buffer_init(&twice, MEMORY);
	const struct value *second = again(arena, first, write, &draft);
	const struct value *third = again(arena, second, write, &once);
	(void)again(arena, third, write, &twice);
	fuzz_check(value_equal(second, third));
	fuzz_check(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	buffer_fini(&draft);
	buffer_fini(&once);
	buffer_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct value *value = NULL;
	struct error err = {0};

	if (!reader && !(reader = json_reader_new(0)))
		return -1;
	arena_init(&arena, MEMORY);
	if (json_read(reader, (const char *)data, size, &arena, &value, &err) == FC_OK) {
		round_trip(&arena, value, json_write);
		round_trip(&arena, value, json_write_ascii);
	} else {
		fuzz_check(err.text[0]);
	}
	arena_fini(&arena);
	return 0;
}
