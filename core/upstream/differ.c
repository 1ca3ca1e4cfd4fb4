#include "upstream/differ.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* Where the walk is; lives on its stack. */
struct place {
	const struct place *up;
	const char *name; /* NULL: an item */
	int index;
};

const char *difference_name(enum difference_kind kind)
{
	switch (kind) {
	case DIFFERENCE_CHANGED:
		return "changed";
	case DIFFERENCE_LOST:
		return "lost";
	case DIFFERENCE_ADDED:
		return "added";
	}
	return "unknown";
}

static size_t place_text(const struct place *p, int with_index, char *out, size_t size)
{
	size_t at = p->up ? place_text(p->up, with_index, out, size) : 0;
	int n = 0;

	if (at >= size)
		return at;
	if (p->name)
		n = snprintf(out + at, size - at, "%s%s", at ? "." : "", p->name);
	else if (p->index && with_index)
		n = snprintf(out + at, size - at, "[%d]", p->index);
	else if (p->index)
		n = snprintf(out + at, size - at, "[]");
	return n < 0 ? at : at + (size_t)n;
}

static void cut_json(const struct value *v, char *out, size_t size)
{
	enum { MOST = 1 << 16 };
	struct buffer text;

	*out = '\0';
	if (!v)
		return;
	buffer_init(&text, MOST);
	(void)json_write(&text, v);
	int n = snprintf(out, size, "%s", text.data ? text.data : "...");
	if (n >= (int)size) {
		size_t at = size - 4;

		/* Not within a character. */
		while (at && ((unsigned char)out[at] & 0xC0) == 0x80)
			at--;
		(void)snprintf(out + at, size - at, "...");
	}
	buffer_fini(&text);
}

static void tell(struct differ *d, const struct place *place, const struct value *before, const struct value *after)
{
	struct difference found = {.kind = !after ? DIFFERENCE_LOST : !before ? DIFFERENCE_ADDED : DIFFERENCE_CHANGED};

	(void)place_text(place, 1, found.path, sizeof(found.path));
	(void)place_text(place, 0, found.field, sizeof(found.field));
	cut_json(before, found.before, sizeof(found.before));
	cut_json(after, found.after, sizeof(found.after));
	d->count++;
	d->fn(d->user, &found);
}

static int is_container(const struct value *v)
{
	return v->type == VALUE_ARRAY || v->type == VALUE_OBJECT || v->type == VALUE_EMPTY;
}

/* As they would be written. */
static int same_text(const struct value *a, const struct value *b, int only_form)
{
	enum { MOST = 1 << 20 };
	struct buffer x, y;

	buffer_init(&x, MOST);
	buffer_init(&y, MOST);
	int same = !json_write(&x, a) && !json_write(&y, b) &&
		   (only_form ? personal_same_form(x.data, y.data) : !strcmp(x.data, y.data));
	buffer_fini(&x);
	buffer_fini(&y);
	return same;
}

static int is_masked(const struct differ *d, enum personal_rule rule, const struct value *v)
{
	struct buffer text;
	size_t begin, found;

	if (!d->masked || rule == PERSONAL_PLAIN)
		return 0;
	if (v->type != VALUE_STRING && v->type != VALUE_INT && v->type != VALUE_FLOAT && v->type != VALUE_DECIMAL)
		return 0;
	if (rule == PERSONAL_WHOLE)
		return 1;
	buffer_init(&text, (size_t)1 << 20);
	int failed = v->type == VALUE_STRING ? buffer_add(&text, v->text, v->len) : json_write(&text, v);
	found = failed || !text.data ? 0 : personal_find(d->ids, text.data, text.len, 0, &begin);
	buffer_fini(&text);
	return found != 0;
}

static void compare(struct differ *d, const struct place *place, const struct schema *schema, enum personal_rule rule,
		    const struct value *before, const struct value *after);

static void compare_objects(struct differ *d, const struct place *place, const struct schema *schema,
			    enum personal_rule rule, const struct value *before, const struct value *after)
{
	value_each (v, before) {
		const struct field *field = schema ? schema_field(schema, v->key) : NULL;
		const struct place at = {place, v->key, 0};

		compare(d, &at, field ? field->child : NULL, personal_rule(field, v->key, rule), v,
			value_get(after, v->key));
	}
	value_each (v, after) {
		const struct place at = {place, v->key, 0};

		if (!value_get(before, v->key))
			tell(d, &at, NULL, v);
	}
}

static void compare_lists(struct differ *d, const struct place *place, const struct schema *schema,
			  enum personal_rule rule, const struct value *before, const struct value *after)
{
	const struct value *x = before->first, *y = after->first;

	for (int i = 1; x || y; i++) {
		const struct place at = {place, NULL, i};

		if (x && y)
			compare(d, &at, schema, rule, x, y);
		else
			tell(d, &at, x, y);
		x = x ? x->next : NULL;
		y = y ? y->next : NULL;
	}
}

static void compare(struct differ *d, const struct place *place, const struct schema *schema, enum personal_rule rule,
		    const struct value *before, const struct value *after)
{
	if (!before || !after) {
		tell(d, place, before, after);
		return;
	}
	if (before->type == VALUE_OBJECT && after->type == VALUE_OBJECT) {
		compare_objects(d, place, schema, rule, before, after);
		return;
	}
	if (before->type == VALUE_ARRAY && after->type == VALUE_ARRAY) {
		compare_lists(d, place, schema, rule, before, after);
		return;
	}
	if (is_container(before) != is_container(after)) {
		tell(d, place, before, after);
		return;
	}
	if (same_text(before, after, 0))
		return;
	if (!is_container(before) && is_masked(d, rule, before) && same_text(before, after, 1)) {
		d->by_form++;
		return;
	}
	tell(d, place, before, after);
}

void differ_run(struct differ *d, const struct value *before, const struct value *after)
{
	const struct place root = {NULL, NULL, 0};

	d->count = d->by_form = 0;
	compare(d, &root, d->schema, PERSONAL_BY_SHAPE, before, after);
}
