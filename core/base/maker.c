#include "base/maker.h"

void maker_put(struct maker *m, struct value *object, const char *key, struct value *child)
{
	if (value_put(m->arena, object, key, child))
		m->failed = 1;
}

void maker_push(struct maker *m, struct value *array, struct value *child)
{
	if (value_push(array, child))
		m->failed = 1;
}

void maker_text(struct maker *m, struct value *object, const char *key, const char *text)
{
	maker_put(m, object, key, value_string(m->arena, text));
}

void maker_optional(struct maker *m, struct value *object, const char *key, const char *text)
{
	if (text[0])
		maker_text(m, object, key, text);
}

void maker_int(struct maker *m, struct value *object, const char *key, int64_t i)
{
	maker_put(m, object, key, value_int(m->arena, i));
}

void maker_flag(struct maker *m, struct value *object, const char *key, int flag)
{
	maker_put(m, object, key, value_bool(m->arena, flag));
}

void maker_decimal(struct maker *m, struct value *object, const char *key, int64_t scaled, int decimals)
{
	maker_put(m, object, key, value_decimal(m->arena, scaled, decimals));
}
