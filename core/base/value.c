#include "base/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/error.h"

static struct value *make(struct arena *a, enum value_type type)
{
	struct value *v = arena_alloc(a, sizeof(*v));

	if (v)
		v->type = type;
	return v;
}

struct value *value_null(struct arena *a)
{
	return make(a, VALUE_NULL);
}

struct value *value_bool(struct arena *a, int b)
{
	struct value *v = make(a, VALUE_BOOL);

	if (v)
		v->i = b != 0;
	return v;
}

struct value *value_int(struct arena *a, int64_t i)
{
	struct value *v = make(a, VALUE_INT);

	if (v)
		v->i = i;
	return v;
}

struct value *value_float(struct arena *a, double f)
{
	if (!isfinite(f))
		return NULL;
	struct value *v = make(a, VALUE_FLOAT);
	if (v)
		v->f = f;
	return v;
}

struct value *value_decimal(struct arena *a, int64_t scaled, int decimals)
{
	struct value *v = make(a, VALUE_DECIMAL);

	if (v) {
		v->i = scaled;
		v->decimals = decimals;
	}
	return v;
}

static struct value *with_text(struct arena *a, enum value_type type, const char *text, size_t len)
{
	struct value *v = make(a, type);

	if (!v)
		return NULL;
	v->text = arena_copy(a, text, len);
	v->len = len;
	return v->text ? v : NULL;
}

struct value *value_number(struct arena *a, const char *text)
{
	return with_text(a, VALUE_NUMBER, text, strlen(text));
}

struct value *value_string(struct arena *a, const char *text)
{
	return with_text(a, VALUE_STRING, text, strlen(text));
}

struct value *value_string_len(struct arena *a, const char *text, size_t len)
{
	return with_text(a, VALUE_STRING, text, len);
}

struct value *value_array(struct arena *a)
{
	return make(a, VALUE_ARRAY);
}

struct value *value_object(struct arena *a)
{
	return make(a, VALUE_OBJECT);
}

struct value *value_empty(struct arena *a)
{
	return make(a, VALUE_EMPTY);
}

void value_append(struct value *parent, struct value *child)
{
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

int value_push(struct value *array, struct value *child)
{
	if (!array || !child)
		return FC_ENOMEM;
	if (array->type == VALUE_EMPTY)
		array->type = VALUE_ARRAY;
	value_append(array, child);
	return FC_OK;
}

int value_add(struct arena *a, struct value *object, const char *key, struct value *child)
{
	if (!object || !child)
		return FC_ENOMEM;
	child->key = arena_copy(a, key, strlen(key));
	if (!child->key)
		return FC_ENOMEM;
	if (object->type == VALUE_EMPTY)
		object->type = VALUE_OBJECT;
	value_append(object, child);
	return FC_OK;
}

/* The new child takes the place of old, which follows before (NULL: is the first). */
static void replace(struct value *object, struct value *before, const struct value *old, struct value *child)
{
	child->next = old->next;
	if (before)
		before->next = child;
	else
		object->first = child;
	if (object->last == old)
		object->last = child;
}

int value_put(struct arena *a, struct value *object, const char *key, struct value *child)
{
	struct value *before = NULL;

	if (!object || !child)
		return FC_ENOMEM;
	for (struct value *old = object->first; old; before = old, old = old->next) {
		if (*old->key != *key || strcmp(old->key, key) != 0)
			continue;
		child->key = arena_copy(a, key, strlen(key));
		if (!child->key)
			return FC_ENOMEM;
		replace(object, before, old, child);
		return FC_OK;
	}
	return value_add(a, object, key, child);
}

/* A place in 64 that another name rarely shares. */
static uint64_t mark_of(const char *key)
{
	size_t len = strlen(key);
	unsigned sum = (unsigned)len * 7;

	if (len)
		sum += (unsigned char)key[0] * 5U + (unsigned char)key[len / 2] * 3U + (unsigned char)key[len - 1];
	return (uint64_t)1 << sum % 64;
}

/* Exactly for an object with few members, of others perhaps. */
static int may_have_doubles(const struct value *object)
{
	enum { FEW = 32 };
	uint64_t marks = 0;
	int n = 0;

	value_each (member, object) {
		uint64_t mark = mark_of(member->key);

		if (marks & mark) {
			if (n >= FEW)
				return 1;
			for (const struct value *v = object->first; v != member; v = v->next)
				if (!strcmp(v->key, member->key))
					return 1;
		}
		marks |= mark;
		n++;
	}
	return 0;
}

struct ranked {
	struct value *member;
	size_t rank; /* in the object's order */
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = strcmp(x->member->key, y->member->key);

	return order ? order : x->rank < y->rank ? -1 : 1;
}

int value_drop_doubles(struct arena *a, struct value *object)
{
	size_t n = 0;

	if (!may_have_doubles(object))
		return FC_OK;
	struct ranked *all = arena_alloc(a, object->count * sizeof(*all));
	if (!all)
		return FC_ENOMEM;
	value_each (member, object) {
		all[n] = (struct ranked){member, n};
		n++;
	}
	qsort(all, n, sizeof(*all), compare_ranked);
	for (size_t i = 0; i + 1 < n; i++)
		if (!strcmp(all[i].member->key, all[i + 1].member->key))
			all[i].member->key = NULL;
	struct value *next = object->first;
	object->first = object->last = NULL;
	object->count = 0;
	while (next) {
		struct value *member = next;

		next = member->next;
		if (member->key)
			value_append(object, member);
	}
	return FC_OK;
}

int value_drop(struct value *object, const char *key)
{
	struct value *before = NULL;

	if (!object || object->type != VALUE_OBJECT)
		return FC_ENOENT;
	for (struct value *v = object->first; v; before = v, v = v->next) {
		if (strcmp(v->key, key) != 0)
			continue;
		if (before)
			before->next = v->next;
		else
			object->first = v->next;
		if (object->last == v)
			object->last = before;
		object->count--;
		return FC_OK;
	}
	return FC_ENOENT;
}

struct value *value_get(const struct value *object, const char *key)
{
	if (!object || object->type != VALUE_OBJECT)
		return NULL;
	/* The first byte tells nearly all of them apart without a call. */
	value_each (v, object)
		if (*v->key == *key && !strcmp(v->key, key))
			return v;
	return NULL;
}

/* 2^63 as a double: the first value too large for int64_t. */
#define INT64_LIMIT 9223372036854775808.0

int value_key_known(const struct value *child, const char *const *known)
{
	for (; child->key && *known; known++)
		if (!strcmp(*known, child->key))
			return 1;
	return 0;
}

int value_to_int(const struct value *v, int64_t *out)
{
	int64_t scaled;

	if (!v)
		return FC_EINVAL;
	switch (v->type) {
	case VALUE_INT:
		*out = v->i;
		return FC_OK;
	case VALUE_FLOAT:
		if (v->f != floor(v->f) || v->f >= INT64_LIMIT || v->f < -INT64_LIMIT)
			return FC_EINVAL;
		*out = (int64_t)v->f;
		return FC_OK;
	case VALUE_DECIMAL:
		scaled = decimal_rescale(v->i, v->decimals, 0);
		if (decimal_rescale(scaled, 0, v->decimals) != v->i)
			return FC_EINVAL;
		*out = scaled;
		return FC_OK;
	case VALUE_NUMBER:
	case VALUE_STRING:
		/* "12.5" is no integer, "12.0" is: six decimals tell the two apart for every number that is sent. One that has no
		 * room for them may be of digits alone. */
		if (strlen(v->text) != v->len)
			return FC_EINVAL;
		if (decimal_parse(v->text, 6, &scaled))
			return strchr(v->text, '.') || decimal_parse(v->text, 0, out) ? FC_EINVAL : FC_OK;
		if (scaled % 1000000)
			return FC_EINVAL;
		*out = scaled / 1000000;
		return FC_OK;
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
	case VALUE_EMPTY:
		break;
	}
	return FC_EINVAL;
}

int value_to_bool(const struct value *v, int *out)
{
	int64_t i;

	if (v && v->type == VALUE_BOOL) {
		*out = (int)v->i;
		return FC_OK;
	}
	if (value_to_int(v, &i) || (i != 0 && i != 1))
		return FC_EINVAL;
	*out = (int)i;
	return FC_OK;
}

/* What has no room is at the end of the range: too large, not another number. */
static int rescaled(int64_t from, int from_decimals, int decimals, int64_t *scaled)
{
	int64_t to = decimal_rescale(from, from_decimals, decimals);

	if (to == INT64_MIN || to == INT64_MAX)
		return FC_ELIMIT;
	*scaled = to;
	return FC_OK;
}

int value_to_decimal(const struct value *v, int decimals, int64_t *scaled)
{
	char text[64];

	if (!v)
		return FC_EINVAL;
	switch (v->type) {
	case VALUE_INT:
		return rescaled(v->i, 0, decimals, scaled);
	case VALUE_DECIMAL:
		return rescaled(v->i, v->decimals, decimals, scaled);
	case VALUE_FLOAT: {
		/* By way of the shortest text that a person would read: 0.285 is 0.29, although its double is
		 * a hair below the middle. */
		int n = snprintf(text, sizeof(text), "%.*f", decimals + 6, v->f);

		if (n < 0 || (size_t)n >= sizeof(text))
			return FC_ELIMIT;
		return decimal_parse(text, decimals, scaled);
	}
	case VALUE_NUMBER:
	case VALUE_STRING:
		if (strlen(v->text) != v->len)
			return FC_EINVAL;
		return decimal_parse(v->text, decimals, scaled);
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
	case VALUE_EMPTY:
		break;
	}
	return FC_EINVAL;
}

int value_to_double(const struct value *v, double *out)
{
	char *end;

	if (!v)
		return FC_EINVAL;
	switch (v->type) {
	case VALUE_INT:
		*out = (double)v->i;
		return FC_OK;
	case VALUE_FLOAT:
		*out = v->f;
		return FC_OK;
	case VALUE_DECIMAL:
		*out = (double)v->i / pow(10, v->decimals);
		return FC_OK;
	case VALUE_NUMBER:
	case VALUE_STRING: {
		double d = strtod(v->text, &end);

		if (!v->len || end != v->text + v->len || !isfinite(d))
			return FC_EINVAL;
		*out = d;
		return FC_OK;
	}
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
	case VALUE_EMPTY:
		break;
	}
	return FC_EINVAL;
}

const char *value_text(const struct value *v)
{
	return v && v->type == VALUE_STRING ? v->text : NULL;
}

int value_is_array(const struct value *v)
{
	return v && (v->type == VALUE_ARRAY || v->type == VALUE_EMPTY);
}

int value_is_object(const struct value *v)
{
	return v && (v->type == VALUE_OBJECT || v->type == VALUE_EMPTY);
}

const char *value_type_name(enum value_type type)
{
	switch (type) {
	case VALUE_NULL:
		return "null";
	case VALUE_BOOL:
		return "boolean";
	case VALUE_INT:
		return "integer";
	case VALUE_FLOAT:
	case VALUE_DECIMAL:
	case VALUE_NUMBER:
		return "number";
	case VALUE_STRING:
		return "text";
	case VALUE_ARRAY:
		return "list";
	case VALUE_OBJECT:
		return "object";
	case VALUE_EMPTY:
		return "empty list or object";
	}
	return "unknown";
}

static int is_number(const struct value *v)
{
	return v->type == VALUE_INT || v->type == VALUE_FLOAT || v->type == VALUE_DECIMAL || v->type == VALUE_NUMBER;
}

static int equal_members(const struct value *a, const struct value *b)
{
	if (a->count != b->count)
		return 0;
	value_each (v, a)
		if (!value_equal(v, value_get(b, v->key)))
			return 0;
	return 1;
}

static int equal_items(const struct value *a, const struct value *b)
{
	if (a->count != b->count)
		return 0;
	for (const struct value *x = a->first, *y = b->first; x && y; x = x->next, y = y->next)
		if (!value_equal(x, y))
			return 0;
	return 1;
}

int value_equal(const struct value *a, const struct value *b)
{
	double x, y;

	if (!a || !b)
		return a == b;
	if (is_number(a) && is_number(b)) {
		if (a->type == VALUE_INT && b->type == VALUE_INT)
			return a->i == b->i;
		return !value_to_double(a, &x) && !value_to_double(b, &y) &&
		       fabs(x - y) <= 1e-12 * fmax(1, fmax(fabs(x), fabs(y)));
	}
	if (a->type == VALUE_EMPTY || b->type == VALUE_EMPTY)
		return !a->count && !b->count && (value_is_array(a) || value_is_object(a)) &&
		       (value_is_array(b) || value_is_object(b));
	if (a->type != b->type)
		return 0;
	switch (a->type) {
	case VALUE_BOOL:
		return a->i == b->i;
	case VALUE_STRING:
		return a->len == b->len && !memcmp(a->text, b->text, a->len);
	case VALUE_ARRAY:
		return equal_items(a, b);
	case VALUE_OBJECT:
		return equal_members(a, b);
	case VALUE_NULL:
	case VALUE_EMPTY:
		return 1;
	case VALUE_INT:
	case VALUE_FLOAT:
	case VALUE_DECIMAL:
	case VALUE_NUMBER:
		break; /* compared above */
	}
	return 0;
}

struct value *value_copy(struct arena *a, const struct value *v)
{
	if (!v)
		return NULL;
	struct value *copy = make(a, v->type);
	if (!copy)
		return NULL;
	copy->decimals = v->decimals;
	copy->i = v->i;
	copy->f = v->f;
	if (v->text) {
		copy->text = arena_copy(a, v->text, v->len);
		copy->len = v->len;
		if (!copy->text)
			return NULL;
	}
	value_each (child, v) {
		struct value *c = value_copy(a, child);

		if (!c)
			return NULL;
		if (child->key) {
			c->key = arena_copy(a, child->key, strlen(child->key));
			if (!c->key)
				return NULL;
		}
		value_append(copy, c);
	}
	return copy;
}
