/* A list of edits, as the page and programs send it. */
#include <stdlib.h>
#include <string.h>

#include "config/edit_lines.h"

static const char *text_of(const struct value *edit, const char *key)
{
	const struct value *v = value_get(edit, key);
	const char *text = value_text(v);

	/* A zero byte inside would make two texts of one. */
	return text && strlen(text) == v->len ? text : NULL;
}

static int apply_set(struct edit *e, const struct value *edit, const char *type, const char *name, const char *option,
		     struct error *err)
{
	const struct schema_option *schema = edit_schema(type, option);
	const struct value *list = value_get(edit, "values");
	const char *value = text_of(edit, "value"), *values[EDIT_VALUES_MAX];
	int count = 0;

	if (schema && schema->kind == SCHEMA_SECRET && value && !strcmp(value, EDIT_MASK))
		return FC_OK;
	if (!list)
		return value ? edit_set(e, type, name, option, value, err)
			     : error_set(err, FC_EINVAL, "set wants a value or values");
	if (!value_is_array(list) || list->count > EDIT_VALUES_MAX)
		return error_set(err, FC_EINVAL, "values must be a list of at most %d texts", EDIT_VALUES_MAX);
	value_each (item, list) {
		const char *text = value_text(item);

		if (!text || strlen(text) != item->len)
			return error_set(err, FC_EINVAL, "values must be a list of texts");
		values[count++] = text;
	}
	return edit_set_list(e, type, name, option, values, count, err);
}

static int apply_one(struct edit *e, const struct value *edit, struct error *err)
{
	const char *op = text_of(edit, "op"), *type = text_of(edit, "type"), *name = text_of(edit, "name");
	const char *option = text_of(edit, "option"), *to = text_of(edit, "to");

	if (!op || !type || !name)
		return error_set(err, FC_EINVAL, "wants op, type and name");
	if (!strcmp(op, "add"))
		return edit_add(e, type, name, text_of(edit, "copy"), err);
	if (!strcmp(op, "remove"))
		return edit_remove(e, type, name, err);
	if (!strcmp(op, "rename"))
		return to ? edit_rename(e, type, name, to, err) : error_set(err, FC_EINVAL, "rename wants to");
	if (strcmp(op, "set") != 0 && strcmp(op, "unset") != 0)
		return error_set(err, FC_EINVAL, "\"%.20s\" is not set, unset, add, remove or rename", op);
	if (!option)
		return error_set(err, FC_EINVAL, "%s wants an option", op);
	return !strcmp(op, "set") ? apply_set(e, edit, type, name, option, err)
				  : edit_unset(e, type, name, option, err);
}

int edit_apply(struct edit *e, const struct value *edits, struct error *err)
{
	struct error why = {0};
	size_t len;
	int n = 0, result = FC_OK;

	if (!value_is_array(edits) || edits->count > EDIT_LIST_MAX)
		return error_set(err, FC_EINVAL, "edits must be a list of at most %d", EDIT_LIST_MAX);
	char *text = edit_text(e, &len);
	struct edit *next = text ? edit_new(text, len, err) : NULL;
	free(text);
	if (!next)
		return error_set(err, FC_ENOMEM, "no memory");
	value_each (edit, edits) {
		n++;
		result = apply_one(next, edit, &why);
		if (result)
			break;
	}
	if (result)
		(void)error_set(err, result, "edit %d: %s", n, why.text);
	struct edit *gone = next;
	if (!result) {
		struct edit old = *e;

		*e = *next;
		*next = old;
	}
	edit_free(gone);
	return result;
}
