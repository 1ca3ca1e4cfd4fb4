/* Messages: the first byte is the method, the second the part and how to look at it, the third the mapping through which it passes (3 of
 * 4: none); the rest is the JSON text that was decrypted, or says field by field how a message of this schema is to be made.
 *
 * What was taken is of the types that its schema promises; written and read again it is taken again, and then stays as it is. What
 * is recorded of it is JSON, and differs from nothing that it is. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "upstream/codec.h"
#include "upstream/differ.h"
#include "upstream/envelope.h"
#include "upstream/mask.h"
#include "upstream/message_pull.h"

enum { MEMORY = 8 << 20, MAPPINGS_MAX = 64 };

static struct json_reader *reader;
static struct mask mask;
static struct mapping *mappings[MAPPINGS_MAX];
static unsigned mapping_count;
static struct arena arena;

/* All that come with the gateway. */
static void load_mappings(void)
{
	const char *lua = getenv("FORECOURT_LUA");
	struct script_host host = {.lua_dir = lua ? lua : "lua"};
	struct dirent **names;
	char folder[512], name[256];
	struct error err = {0};

	(void)snprintf(folder, sizeof(folder), "%s/operators", host.lua_dir);
	int count = scandir(folder, &names, NULL, alphasort);
	fuzz_check(count > 0);
	for (int i = 0; i < count; i++) {
		const char *end = strstr(names[i]->d_name, ".lua");

		if (end && !end[4] && mapping_count < MAPPINGS_MAX) {
			(void)snprintf(name, sizeof(name), "%.*s", (int)(end - names[i]->d_name), names[i]->d_name);
			mappings[mapping_count] = mapping_load(&host, name, "city", &err);
			if (!mappings[mapping_count])
				fprintf(stderr, "%s\n", err.text);
			fuzz_check(mappings[mapping_count++]);
		}
		free(names[i]);
	}
	free(names);
}

static void check_text(const struct value *v)
{
	fuzz_check(v->type == VALUE_STRING && v->text && strlen(v->text) == v->len);
}

static void check_object(const struct schema *schema, const struct value *object);

static void check_field(const struct field *field, const struct value *v)
{
	int64_t wall;
	double number;

	switch (field->type) {
	case FIELD_TEXT:
		check_text(v);
		return;
	case FIELD_INT:
		fuzz_check(v->type == VALUE_INT);
		return;
	case FIELD_DECIMAL:
		fuzz_check(v->type != VALUE_STRING && value_to_double(v, &number) == FC_OK);
		return;
	case FIELD_DATETIME:
	case FIELD_DATE:
		check_text(v);
		fuzz_check(v->len == (field->type == FIELD_DATE ? CLOCK_DATE_SIZE : CLOCK_DATETIME_SIZE) - 1);
		fuzz_check(clock_parse_datetime(v->text, &wall) == FC_OK);
		return;
	case FIELD_OBJECT:
		check_object(field->child, v);
		return;
	case FIELD_OBJECTS:
	case FIELD_TEXTS:
		fuzz_check(v->type == VALUE_ARRAY);
		value_each (item, v) {
			if (field->child)
				check_object(field->child, item);
			else
				check_text(item);
		}
		return;
	}
}

static void check_object(const struct schema *schema, const struct value *object)
{
	fuzz_check(object->type == VALUE_OBJECT);
	value_each (member, object) {
		const struct field *field = schema_field(schema, member->key);

		fuzz_check(member->type != VALUE_NULL || !field);
		if (field)
			check_field(field, member);
	}
}

/* Writes it and reads it again. */
static struct value *again(const struct codec *codec, const struct message *message, enum message_part part,
			   struct value *tree, struct buffer *text)
{
	struct error err = {0};
	struct value *read = NULL;

	fuzz_check(codec_encode(codec, message, part, tree, &arena, text, &err) == FC_OK);
	int result = codec_decode(codec, message, part, text->data, text->len, &arena, &read, &err);
	if (result)
		fprintf(stderr, "%s: %s\n", err.text, text->data);
	fuzz_check(result == FC_OK);
	check_object(message_schema(message, part), read);
	return read;
}

static void round_trip(const struct codec *codec, const struct message *message, enum message_part part,
		       struct value *tree)
{
	struct buffer first, second, third;

	buffer_init(&first, MEMORY);
	buffer_init(&second, MEMORY);
	buffer_init(&third, MEMORY);
	struct value *read = again(codec, message, part, tree, &first);
	read = again(codec, message, part, read, &second);
	(void)again(codec, message, part, read, &third);
	fuzz_check(second.len == third.len && memcmp(second.data, third.data, second.len) == 0);
	buffer_fini(&first);
	buffer_fini(&second);
	buffer_fini(&third);
}

static void on_difference(void *user, const struct difference *difference)
{
	if (!user)
		fprintf(stderr, "%s: %s: %s, %s\n", difference_name(difference->kind), difference->path,
			difference->before, difference->after);
}

static void record(const struct schema *schema, const struct value *tree)
{
	struct personal_ids ids = {0};
	struct value *masked;
	struct buffer text;
	struct error err = {0};

	buffer_init(&text, MEMORY);
	personal_learn(&ids, schema, tree);
	mask_write(&mask, &ids, schema, tree, &text);
	fuzz_check(!text.failed);
	fuzz_check(json_read(reader, text.data, text.len, &arena, &masked, &err) == FC_OK);
	struct differ same = {.schema = schema, .ids = &ids, .fn = on_difference};
	differ_run(&same, tree, tree);
	fuzz_check(same.count == 0);
	struct differ form = {.schema = schema, .ids = &ids, .masked = 1, .fn = on_difference, .user = &ids};
	differ_run(&form, masked, tree);
	buffer_fini(&text);
}

/* Something for a field, right or nearly so; NULL: it is left out. */
static struct value *made_object(struct fuzz_input *in, const struct schema *schema, int depth);

static struct value *made_number(struct fuzz_input *in, const struct field *field)
{
	char text[48];
	int64_t i = (int64_t)fuzz_number(in, (int)fuzz_pick(in, 9));

	switch (fuzz_pick(in, 7)) {
	case 0:
		return value_float(&arena, (double)i / 1000);
	case 1:
		return value_float(&arena, (double)i * 1e30);
	case 2:
		(void)snprintf(text, sizeof(text), "%lld.%03u", (long long)i, fuzz_word(in) % 1000);
		return value_string(&arena, text);
	case 3:
		(void)snprintf(text, sizeof(text), "%lld", (long long)i);
		return value_string(&arena, text);
	case 4:
		return value_decimal(&arena, i, field->type == FIELD_DECIMAL ? field->size : 2);
	case 5:
		(void)snprintf(text, sizeof(text), "%llu%llu", (unsigned long long)i, (unsigned long long)i);
		return value_number(&arena, text);
	default:
		return value_int(&arena, i);
	}
}

static struct value *made_time(struct fuzz_input *in)
{
	char text[96];
	unsigned how = fuzz_byte(in), year = fuzz_word(in), month = fuzz_byte(in), day = fuzz_byte(in);

	if (how & 1) {
		year = 1970 + year % 120;
		month = 1 + month % 12;
		day = 1 + day % 31;
	}
	int n = snprintf(text, sizeof(text), how & 2 ? "%u-%u-%u" : "%04u-%02u-%02u", year, month, day);
	if (how & 4)
		(void)snprintf(text + n, sizeof(text) - (size_t)n, " %u:%u:%u", fuzz_byte(in) % 25, fuzz_byte(in) % 61,
			       fuzz_byte(in) % 61);
	return value_string(&arena, text);
}

static struct value *made_text(struct fuzz_input *in)
{
	size_t len;
	const uint8_t *bytes = fuzz_bytes(in, fuzz_byte(in) % 40, &len);

	return value_string_len(&arena, (const char *)bytes, len);
}

static struct value *made_field(struct fuzz_input *in, const struct field *field, int depth)
{
	struct value *list;

	switch (fuzz_byte(in) % 32) {
	case 0:
		return NULL;
	case 1:
		return value_null(&arena);
	case 2:
		return value_string(&arena, "");
	case 3:
		return value_empty(&arena);
	case 4:
		return made_text(in);
	case 5:
		return value_bool(&arena, 1);
	case 6:
		return made_number(in, field);
	default:
		break;
	}
	switch (field->type) {
	case FIELD_TEXT:
		return made_text(in);
	case FIELD_INT:
	case FIELD_DECIMAL:
		return made_number(in, field);
	case FIELD_DATETIME:
	case FIELD_DATE:
		return made_time(in);
	case FIELD_OBJECT:
		return made_object(in, field->child, depth + 1);
	case FIELD_OBJECTS:
	case FIELD_TEXTS:
		list = value_array(&arena);
		for (unsigned left = fuzz_byte(in) % 4; left; left--)
			(void)value_push(list, field->child ? made_object(in, field->child, depth + 1) : made_text(in));
		return list;
	}
	return NULL;
}

static struct value *made_object(struct fuzz_input *in, const struct schema *schema, int depth)
{
	struct value *object = value_object(&arena);

	for (int i = 0; i < schema->count && depth < 8; i++) {
		struct value *v = made_field(in, &schema->fields[i], depth);

		if (v)
			(void)value_add(&arena, object, schema->fields[i].name, v);
	}
	return object;
}

static const struct message *pick(unsigned number)
{
	unsigned count = (unsigned)message_count();

	number %= count + 2;
	return number < count ? message_at((int)number) : number == count ? &message_pull_fetch : &message_pull_answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct codec plain = {.context = {"123456789", "987654321", "city"}};
	struct value *tree = NULL;
	struct error err = {0};
	int64_t verdict;

	if (!reader) {
		/* A script that fails is said in a warning. */
		fuzz_quiet();
		reader = json_reader_new(0);
		fuzz_check(reader && mask_init(&mask) == FC_OK);
		load_mappings();
	}
	const struct message *message = pick(fuzz_byte(&in));
	unsigned how = fuzz_byte(&in), map = fuzz_byte(&in);
	enum message_part part = how & 1 ? MESSAGE_ANSWER : MESSAGE_REQUEST;
	const struct schema *schema = message_schema(message, part);
	arena_init(&arena, MEMORY);
	plain.reader = reader;
	plain.ascii = how >> 1 & 1;
	struct codec mapped = plain;
	if (map % 4 == 3)
		mapped.mapping = mappings[map / 4 % mapping_count];
	const char *text = (const char *)in.data;
	size_t len = in.left;
	struct buffer made;
	buffer_init(&made, MEMORY);
	if (how & 4) {
		fuzz_check(json_write(&made, made_object(&in, schema, 0)) == FC_OK);
		text = made.data;
		len = made.len;
	}
	if (codec_decode(&mapped, message, part, text, len, &arena, &tree, &err)) {
		fuzz_check(err.text[0]);
	} else {
		check_object(schema, tree);
		(void)message_verdict(message, tree, &verdict);
		record(schema, tree);
		round_trip(&plain, message, part, value_copy(&arena, tree));
		if (mapped.mapping) {
			struct buffer out;

			buffer_init(&out, MEMORY);
			(void)codec_encode(&mapped, message, part, tree, &arena, &out, &err);
			buffer_fini(&out);
		}
	}
	buffer_fini(&made);
	arena_fini(&arena);
	return 0;
}
