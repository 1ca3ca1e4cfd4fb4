#include "upstream/message.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "upstream/message_tables.h"

static const struct message_table *const tables[] = {&message_icomm, &message_iserv};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

const char *field_type_name(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return "text";
	case FIELD_INT:
		return "integer";
	case FIELD_DECIMAL:
		return "decimal";
	case FIELD_DATETIME:
		return "date-time";
	case FIELD_DATE:
		return "date";
	case FIELD_OBJECT:
		return "object";
	case FIELD_OBJECTS:
		return "list of objects";
	case FIELD_TEXTS:
		return "list of texts";
	}
	return "unknown";
}

const char *message_part_name(enum message_part part)
{
	return part == MESSAGE_REQUEST ? "request" : "answer";
}

int message_count(void)
{
	int count = 0;

	for (int t = 0; t < TABLES; t++)
		count += tables[t]->message_count;
	return count;
}

const struct message *message_at(int index)
{
	if (index < 0)
		return NULL;
	for (int t = 0; t < TABLES; t++) {
		if (index < tables[t]->message_count)
			return &tables[t]->messages[index];
		index -= tables[t]->message_count;
	}
	return NULL;
}

const struct message *message_find(const char *method)
{
	const struct message *m;

	for (int i = 0; method && (m = message_at(i)); i++)
		if (!strcmp(m->method, method))
			return m;
	return NULL;
}

int message_index(const struct message *message)
{
	int before = 0;

	/* By where it stands: this is asked several times a call. */
	for (int t = 0; t < TABLES; before += tables[t++]->message_count) {
		size_t at = ((uintptr_t)message - (uintptr_t)tables[t]->messages) / sizeof(*message);

		if (at < (size_t)tables[t]->message_count && &tables[t]->messages[at] == message)
			return before + (int)at;
	}
	return -1;
}

const struct schema *message_schema(const struct message *message, enum message_part part)
{
	return part == MESSAGE_REQUEST ? message->request : message->answer;
}

const struct schema *schema_by_name(const char *name)
{
	for (int t = 0; t < TABLES; t++)
		for (int i = 0; i < tables[t]->structure_count; i++)
			if (!strcmp(tables[t]->structures[i]->name, name))
				return tables[t]->structures[i];
	return NULL;
}

const struct field *schema_field(const struct schema *schema, const char *name)
{
	/* The first byte tells most of them apart without a call. */
	for (int i = 0; i < schema->count; i++)
		if (*schema->fields[i].name == *name && !strcmp(schema->fields[i].name, name))
			return &schema->fields[i];
	return NULL;
}

/* Where a value stands, for the message about it; lives on the stack of the walk. */
struct place {
	const struct place *up;
	const char *name; /* of a member; NULL for an item */
	size_t index;     /* of an item */
};

struct check {
	struct arena *arena;
	struct error *err;
	int insist;
};

static size_t place_text(const struct place *place, char *out, size_t size)
{
	size_t at = place->up ? place_text(place->up, out, size) : 0;
	int n;

	if (at >= size)
		return at;
	if (place->name)
		n = snprintf(out + at, size - at, "%s%s", place->up ? "." : "", place->name);
	else
		n = snprintf(out + at, size - at, "[%zu]", place->index);
	return n < 0 ? at : at + (size_t)n;
}

static int bad(const struct check *check, const struct place *place, const char *what)
{
	char where[ERROR_TEXT_MAX / 2];

	(void)place_text(place, where, sizeof(where));
	return error_set(check->err, FC_EINVAL, "%s: %s", where, what);
}

static int full(const struct check *check)
{
	return error_set(check->err, FC_ELIMIT, "upstream: message: too large");
}

static void become_text(struct value *v, const char *text, size_t len)
{
	v->type = VALUE_STRING;
	v->text = text;
	v->len = len;
}

/* A number where text is due (protocol.md section 3, 20 and 22) becomes the text it would be written as. */
static int check_text(const struct check *check, const struct place *place, struct value *v)
{
	if (v->type == VALUE_STRING)
		return strlen(v->text) == v->len ? FC_OK : bad(check, place, "not a text");
	if (v->type == VALUE_NUMBER) {
		v->type = VALUE_STRING;
		return FC_OK;
	}
	if (v->type != VALUE_INT && v->type != VALUE_FLOAT && v->type != VALUE_DECIMAL)
		return bad(check, place, "not a text");
	struct buffer b;
	buffer_init(&b, 64);
	const char *text = json_write(&b, v) ? NULL : arena_copy(check->arena, b.data, b.len);
	size_t len = b.len;
	buffer_fini(&b);
	if (!text)
		return full(check);
	become_text(v, text, len);
	return FC_OK;
}

static int check_int(const struct check *check, const struct place *place, struct value *v)
{
	int64_t i;

	if (value_to_int(v, &i))
		return bad(check, place, "not an integer");
	v->type = VALUE_INT;
	v->i = i;
	return FC_OK;
}

static int check_decimal(const struct check *check, const struct place *place, struct value *v, int decimals)
{
	enum { KEPT_DECIMALS = 6 }; /* no field of the standard has more */
	int64_t scaled;

	if (value_to_decimal(v, decimals, &scaled))
		return bad(check, place, "not a number");
	if (v->type != VALUE_STRING)
		return FC_OK;
	int kept = value_to_decimal(v, KEPT_DECIMALS, &v->i) ? decimals : KEPT_DECIMALS;
	if (kept == decimals)
		v->i = scaled;
	v->type = VALUE_DECIMAL;
	v->decimals = kept;
	return FC_OK;
}

/* Both forms are taken for either type (protocol.md section 3, 9); missing zeros are put in (vector V5). */
static int check_time(const struct check *check, const struct place *place, struct value *v, enum field_type type)
{
	char text[CLOCK_DATETIME_SIZE];
	int64_t wall;

	if (v->type != VALUE_STRING || strlen(v->text) != v->len || clock_parse_datetime(v->text, &wall))
		return bad(check, place,
			   type == FIELD_DATE ? "not a date yyyy-MM-dd" : "not a time yyyy-MM-dd HH:mm:ss");
	if (type == FIELD_DATE)
		clock_format_date(wall, text);
	else
		clock_format_datetime(wall, text);
	size_t len = strlen(text);
	const char *copy = arena_copy(check->arena, text, len);
	if (!copy)
		return full(check);
	become_text(v, copy, len);
	return FC_OK;
}

static int check_object(const struct check *check, const struct place *place, const struct schema *schema,
			struct value *v);

static int check_list(const struct check *check, const struct place *place, const struct schema *child, struct value *v)
{
	struct place at = {place, NULL, 0};

	if (!value_is_array(v))
		return bad(check, place, "not a list");
	v->type = VALUE_ARRAY;
	value_each (item, v) {
		int result = child ? check_object(check, &at, child, item) : check_text(check, &at, item);

		if (result)
			return result;
		at.index++;
	}
	return FC_OK;
}

static int check_field(const struct check *check, const struct place *place, const struct field *field, struct value *v)
{
	switch (field->type) {
	case FIELD_TEXT:
		return check_text(check, place, v);
	case FIELD_INT:
		return check_int(check, place, v);
	case FIELD_DECIMAL:
		return check_decimal(check, place, v, field->size);
	case FIELD_DATETIME:
	case FIELD_DATE:
		return check_time(check, place, v, field->type);
	case FIELD_OBJECT:
		return check_object(check, place, field->child, v);
	case FIELD_OBJECTS:
	case FIELD_TEXTS:
		return check_list(check, place, field->child, v);
	}
	return FC_OK;
}

/* null, and empty text where no text is due, mean that there is nothing (protocol.md 2.0). */
static int is_absent(const struct field *field, const struct value *v)
{
	return v->type == VALUE_NULL || (v->type == VALUE_STRING && !v->len && field->type != FIELD_TEXT);
}

static int check_object(const struct check *check, const struct place *place, const struct schema *schema,
			struct value *v)
{
	if (!value_is_object(v))
		return bad(check, place, "not an object");
	v->type = VALUE_OBJECT;
	for (int i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		const struct place at = {place, field->name, 0};
		struct value *member = value_get(v, field->name);

		if (member && is_absent(field, member)) {
			(void)value_drop(v, field->name);
			member = NULL;
		}
		if (!member && field->required && check->insist)
			return bad(check, &at, "missing");
		int result = member ? check_field(check, &at, field, member) : FC_OK;
		if (result)
			return result;
	}
	return FC_OK;
}

int message_check(const struct schema *schema, struct value *value, int insist, struct arena *arena, struct error *err)
{
	const struct check check = {arena, err, insist};
	const struct place root = {NULL, "Data", 0};

	if (!value)
		return bad(&check, &root, "missing");
	return check_object(&check, &root, schema, value);
}

static void shape_number(const struct field *field, struct value *v)
{
	int64_t i;

	if (field->type == FIELD_INT && v->type == VALUE_FLOAT && !value_to_int(v, &i)) {
		v->type = VALUE_INT;
		v->i = i;
		return;
	}
	if (field->type != FIELD_DECIMAL)
		return;
	if (v->type != VALUE_INT && v->type != VALUE_FLOAT && v->type != VALUE_DECIMAL)
		return;
	if (value_to_decimal(v, field->size, &i))
		return; /* too large for a decimal: better as it is than wrong */
	v->type = VALUE_DECIMAL;
	v->i = i;
	v->decimals = field->size;
}

static void shape_members(const struct schema *schema, struct value *object);

/* A script may have put a list where an object is due, or the other way round (protocol.md section 3, 6): what is
 * inside keeps its shape. */
static void shape_child(const struct schema *schema, struct value *v)
{
	if (v->type == VALUE_OBJECT)
		shape_members(schema, v);
	if (v->type != VALUE_ARRAY)
		return;
	value_each (item, v) {
		if (item->type == VALUE_EMPTY)
			item->type = VALUE_OBJECT;
		if (item->type == VALUE_OBJECT)
			shape_members(schema, item);
	}
}

static void shape_members(const struct schema *schema, struct value *object)
{
	value_each (v, object) {
		const struct field *field = schema_field(schema, v->key);

		if (!field)
			continue;
		if (v->type == VALUE_EMPTY && (field->type == FIELD_OBJECTS || field->type == FIELD_TEXTS))
			v->type = VALUE_ARRAY;
		if (v->type == VALUE_EMPTY)
			v->type = VALUE_OBJECT;
		shape_number(field, v);
		if (field->child)
			shape_child(field->child, v);
	}
}

void message_shape(const struct schema *schema, struct value *value)
{
	if (!value)
		return;
	if (value->type == VALUE_EMPTY)
		value->type = VALUE_OBJECT;
	if (value->type == VALUE_OBJECT)
		shape_members(schema, value);
}

int message_verdict(const struct message *message, const struct value *answer, int64_t *verdict)
{
	static const char *const names[] = {"Status", "SuccStat", "ConfirmResult"};
	enum { NAMES = sizeof(names) / sizeof(names[0]) };

	for (int own = 1; own >= 0; own--)
		for (int i = 0; i < NAMES; i++) {
			if ((schema_field(message->answer, names[i]) != NULL) != own)
				continue;
			if (!value_to_int(value_get(answer, names[i]), verdict))
				return FC_OK;
		}
	return FC_ENOENT;
}
