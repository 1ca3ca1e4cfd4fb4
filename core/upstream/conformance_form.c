#include "upstream/conformance_form.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { PATH = 120 };

struct judge {
	form_found found;
	void *user;
	int told, defects;
};

static void tell(struct judge *j, int defect, const char *path, const char *what)
{
	char text[PATH + 80];

	j->defects += defect;
	if (j->told++ >= FORM_FINDINGS)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s", path, what);
	j->found(j->user, defect, text);
}

static void judge_object(struct judge *j, const struct schema *schema, const struct value *tree, const char *path);

static int is_number(const struct value *v)
{
	return v->type == VALUE_INT || v->type == VALUE_FLOAT || v->type == VALUE_NUMBER || v->type == VALUE_DECIMAL;
}

/* Characters, not bytes. */
static size_t length_of(const struct value *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->len; i++)
		n += ((unsigned char)v->text[i] & 0xC0) != 0x80;
	return n;
}

static void judge_text(struct judge *j, const struct field *field, const struct value *v, const char *path)
{
	char what[60];

	if (is_number(v)) {
		tell(j, 0, path, "a number where a text is due");
	} else if (v->type != VALUE_STRING) {
		tell(j, 1, path, "not a text");
	} else if (field->size && length_of(v) > (size_t)field->size) {
		(void)snprintf(what, sizeof(what), "longer than %d characters", field->size);
		tell(j, 0, path, what);
	}
}

static void judge_number(struct judge *j, const struct field *field, const struct value *v, const char *path)
{
	int64_t i;
	int is_int = field->type == FIELD_INT;

	if (is_int ? v->type == VALUE_INT : is_number(v))
		return;
	int readable = is_int ? !value_to_int(v, &i) : !value_to_decimal(v, field->size, &i);
	if (!readable)
		tell(j, 1, path, is_int ? "not an integer" : "not a number");
	else
		tell(j, 0, path,
		     v->type == VALUE_STRING ? "a text where a number is due" : "a fraction where an integer is due");
}

static void judge_time(struct judge *j, const struct field *field, const struct value *v, const char *path)
{
	size_t len = field->type == FIELD_DATE ? CLOCK_DATE_SIZE - 1 : CLOCK_DATETIME_SIZE - 1;
	int64_t wall;

	if (v->type != VALUE_STRING || clock_parse_datetime(v->text, &wall))
		tell(j, 1, path,
		     field->type == FIELD_DATE ? "not a date yyyy-MM-dd" : "not a time yyyy-MM-dd HH:mm:ss");
	else if (v->len != len)
		tell(j, 0, path, "a time that is not padded to its form");
}

static void judge_list(struct judge *j, const struct field *field, const struct value *v, const char *path)
{
	char item_path[PATH];
	int n = 0;

	if (!value_is_array(v)) {
		tell(j, 1, path, "not a list");
		return;
	}
	value_each (item, v) {
		if (n >= FORM_ITEMS)
			return;
		(void)snprintf(item_path, sizeof(item_path), "%.*s[%d]", PATH - 16, path, n++);
		if (field->type == FIELD_TEXTS)
			judge_text(j, field, item, item_path);
		else
			judge_object(j, field->child, item, item_path);
	}
}

static void judge_field(struct judge *j, const struct field *field, const struct value *v, const char *path)
{
	switch (field->type) {
	case FIELD_TEXT:
		judge_text(j, field, v, path);
		break;
	case FIELD_INT:
	case FIELD_DECIMAL:
		judge_number(j, field, v, path);
		break;
	case FIELD_DATETIME:
	case FIELD_DATE:
		judge_time(j, field, v, path);
		break;
	case FIELD_OBJECT:
		judge_object(j, field->child, v, path);
		break;
	case FIELD_OBJECTS:
	case FIELD_TEXTS:
		judge_list(j, field, v, path);
		break;
	}
}

/* Some say so that a field is absent, and message_check takes it for that. */
static int is_empty_text(const struct field *field, const struct value *v)
{
	return field->type != FIELD_TEXT && v->type == VALUE_STRING && !v->len;
}

static void path_of(const char *path, const char *name, char out[PATH])
{
	(void)snprintf(out, PATH, "%.70s%s%.40s", path, *path ? "." : "", name);
}

static void judge_object(struct judge *j, const struct schema *schema, const struct value *tree, const char *path)
{
	char field_path[PATH];

	if (!value_is_object(tree)) {
		tell(j, 1, *path ? path : "Data", "not an object");
		return;
	}
	for (int i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		const struct value *v = value_get(tree, field->name);

		path_of(path, field->name, field_path);
		if (v && is_empty_text(field, v))
			tell(j, field->required, field_path, "an empty text where none is due");
		else if (v && v->type != VALUE_NULL)
			judge_field(j, field, v, field_path);
		else if (field->required)
			tell(j, 1, field_path, v ? "null, and required" : "missing, and required");
	}
	value_each (v, tree) {
		if (!v->key || schema_field(schema, v->key))
			continue;
		path_of(path, v->key, field_path);
		tell(j, 0, field_path, "not in the standard");
	}
}

int form_judge(const struct schema *schema, const struct value *tree, form_found found, void *user)
{
	struct judge j = {.found = found, .user = user};

	judge_object(&j, schema, tree, "");
	return j.defects;
}
