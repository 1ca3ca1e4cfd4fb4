/* What a platform answers to our calls, on a whole station (world.h): the first byte is the method, the second how it comes, the third the
 * platform; then the body as it comes, or a line with Ret and Msg and the answer object, sealed and signed.
 *
 *   how & 1   the body as it comes    how & 2   bare    how & 4   Ret is a text    how & 8   another HTTP status
 *   how & 16  a byte of the sealed body is another
 *
 * Whatever it is, the verdict is one of those there are, trouble has words, and an answer that is taken is of its schema's types. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "upstream/peer_judge.h"
#include "world.h"

enum { MEMORY = 8 << 20, RAW = 1, BARE = 2, RET_TEXT = 4, OTHER_STATUS = 8, BROKEN = 16 };

static struct envelope_keys keys;

static void check_types(const struct schema *schema, const struct value *object)
{
	fuzz_check(object->type == VALUE_OBJECT);
	value_each (member, object) {
		const struct field *field = schema_field(schema, member->key);
		int64_t i;

		if (!field)
			continue;
		if (field->type == FIELD_INT)
			fuzz_check(member->type == VALUE_INT);
		else if (field->type == FIELD_OBJECT)
			check_types(field->child, member);
		else if (field->type == FIELD_OBJECTS || field->type == FIELD_TEXTS)
			fuzz_check(member->type == VALUE_ARRAY);
		else if (field->type == FIELD_DECIMAL)
			fuzz_check(value_to_decimal(member, field->size, &i) == FC_OK);
		else
			fuzz_check(value_text(member) && strlen(member->text) == member->len);
	}
}

static void check_verdict(const struct message *message, const struct peer_verdict *verdict)
{
	fuzz_check(verdict->outcome >= PEER_DONE && verdict->outcome <= PEER_REFUSED);
	fuzz_check(verdict->outcome == PEER_DONE || verdict->outcome == PEER_TOKEN || verdict->trouble.text[0]);
	fuzz_check(!verdict->answer || verdict->outcome == PEER_DONE);
	if (fuzz_shows())
		fprintf(stderr, "  %s: %d %s\n", message->method, (int)verdict->outcome, verdict->trouble.text);
	if (verdict->answer)
		check_types(message->answer, verdict->answer);
}

static void seal(struct fuzz_input *in, unsigned how, struct buffer *body)
{
	const struct envelope_form form = {.ret_as_text = (how & RET_TEXT) != 0};
	char *line = fuzz_line(in), *msg;
	long ret = strtol(line, &msg, 10);

	fuzz_check(envelope_seal_response(&keys, (int)ret, msg, in->left ? (const char *)in->data : NULL, in->left,
					  &form, body) == FC_OK);
	if (how & BROKEN && body->len)
		body->data[(size_t)ret % body->len] ^= 1;
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct world *w = world_get();
	struct peer_verdict verdict;
	struct arena arena;
	struct buffer body;
	int64_t said;

	if (!keys.sig_secret_len)
		fuzz_check(envelope_keys_set(&keys, WORLD_SECRET, WORLD_SECRET, WORLD_SECRET, NULL) == FC_OK);
	const struct message *message = message_at((int)fuzz_pick(&in, (unsigned)message_count()));
	unsigned how = fuzz_byte(&in);
	struct platform *platform = w->platforms->platforms[fuzz_pick(&in, (unsigned)w->platforms->count)];
	arena_init(&arena, PLATFORM_MEMORY_MAX);
	buffer_init(&body, MEMORY);
	if (how & (RAW | BARE))
		(void)buffer_add(&body, in.data, in.left);
	else
		seal(&in, how, &body);
	(void)buffer_add(&body, "", 1);
	const struct http_result result = {
	    .status = how & OTHER_STATUS ? 502 : 200, .body = body.data, .body_len = body.len - 1};
	peer_judge(platform, message, (how & BARE) != 0, &result, &arena, &verdict);
	check_verdict(message, &verdict);
	if (verdict.answer)
		(void)message_verdict(message, verdict.answer, &said);
	buffer_fini(&body);
	arena_fini(&arena);
	return 0;
}
