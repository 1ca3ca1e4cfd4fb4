/* Value: a tree of data that passes between rooms: a decoded message, a Lua table that a script returned, a
 * profile before it is compiled. Plain C, no Lua in it (only core/script/ knows Lua).
 *
 * All nodes live in one arena and die with it. Keys keep their order. Text may hold any bytes but is always
 * followed by a zero byte, which len does not count. */
#ifndef FC_BASE_VALUE_H
#define FC_BASE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,     /* i */
	VALUE_FLOAT,   /* f, always finite */
	VALUE_DECIMAL, /* i / 10^decimals, written with exactly that many decimals */
	VALUE_NUMBER,  /* text: a JSON number whose form is prescribed, such as 10.000 */
	VALUE_STRING,  /* text, len */
	VALUE_ARRAY,   /* first: items */
	VALUE_OBJECT,  /* first: members with keys */
	VALUE_EMPTY,   /* an empty list or an empty object: Lua can't tell, nor do all platforms; the schema decides */
};

struct value {
	enum value_type type;
	int decimals;     /* VALUE_DECIMAL: 0..9 */
	int64_t i;        /* VALUE_BOOL, VALUE_INT, VALUE_DECIMAL */
	double f;         /* VALUE_FLOAT */
	const char *text; /* VALUE_STRING, VALUE_NUMBER */
	size_t len;
	const char *key;            /* member of an object; NULL else */
	struct value *first, *last; /* children of an array or object */
	struct value *next;         /* sibling */
	size_t count;               /* children */
};

/* Makers: NULL when the arena is full; every function below takes a NULL value in its stride, so that a chain of
 * makers needs one check at its end (value_put and value_push report it). text is copied. */
struct value *value_null(struct arena *a);
struct value *value_bool(struct arena *a, int b);
struct value *value_int(struct arena *a, int64_t i);
struct value *value_float(struct arena *a, double f);
struct value *value_decimal(struct arena *a, int64_t scaled, int decimals);
struct value *value_number(struct arena *a, const char *text);
struct value *value_string(struct arena *a, const char *text);
struct value *value_string_len(struct arena *a, const char *text, size_t len);
struct value *value_array(struct arena *a);
struct value *value_object(struct arena *a);
struct value *value_empty(struct arena *a);

/* Adds child (which must not be in a tree yet) under key; replaces a member of the same key in place.
 * FC_OK or FC_ENOMEM (any argument NULL). key is copied. */
int value_put(struct arena *a, struct value *object, const char *key, struct value *child);
/* value_put of a key that the object does not hold yet: does not search, so that building stays linear in time. */
int value_add(struct arena *a, struct value *object, const char *key, struct value *child);
int value_push(struct value *array, struct value *child);
/* Adds a child as it is: its key is the caller's, in the arena, and the caller knows that there is no other or drops it. */
void value_append(struct value *parent, struct value *child);
/* Of members with one name the last stays. In time that grows with the object alone, whoever made the names. FC_OK, FC_ENOMEM. */
int value_drop_doubles(struct arena *a, struct value *object);
/* Removes the member; FC_ENOENT when there is none. */
int value_drop(struct value *object, const char *key);
/* The member, or NULL (also when object is NULL or no object). */
struct value *value_get(const struct value *object, const char *key);

/* Nonzero when the child's key is one of known (ends with NULL); an item of a list has no key. */
int value_key_known(const struct value *child, const char *const *known);

/* Readers: 0, or FC_EINVAL when the value is absent (NULL) or can't be that. Tolerant as the field demands
 * (protocol.md section 3, 18 and 20): an int may come as 1, 1.0 or "1"; text may come as a number. */
int value_to_int(const struct value *v, int64_t *out);
int value_to_bool(const struct value *v, int *out);
int value_to_decimal(const struct value *v, int decimals, int64_t *scaled);
int value_to_double(const struct value *v, double *out);
/* The text of a string, or NULL. */
const char *value_text(const struct value *v);
/* 1 for an array and for VALUE_EMPTY; 1 for an object and for VALUE_EMPTY. */
int value_is_array(const struct value *v);
int value_is_object(const struct value *v);
const char *value_type_name(enum value_type type);
/* Deep comparison; numbers by value (1 equals 1.0), members in any order, VALUE_EMPTY equals both empties. */
int value_equal(const struct value *a, const struct value *b);
struct value *value_copy(struct arena *a, const struct value *v);

/* Walks the children; list may be NULL. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared can't stand in parentheses */
#define value_each(item, list) for (struct value *item = (list) ? (list)->first : NULL; item; item = item->next)

#endif
