/* Maker: builds trees member by member and remembers a full arena, so that one check at the end of a structure is enough. */
#ifndef FC_BASE_MAKER_H
#define FC_BASE_MAKER_H

#include "base/value.h"

struct maker {
	struct arena *arena;
	int failed;
};

void maker_put(struct maker *m, struct value *object, const char *key, struct value *child);
void maker_push(struct maker *m, struct value *array, struct value *child);
void maker_text(struct maker *m, struct value *object, const char *key, const char *text);
/* Optional fields that are not set are left out (protocol.md 2.0, general data rules). */
void maker_optional(struct maker *m, struct value *object, const char *key, const char *text);
void maker_int(struct maker *m, struct value *object, const char *key, int64_t i);
void maker_flag(struct maker *m, struct value *object, const char *key, int flag);
void maker_decimal(struct maker *m, struct value *object, const char *key, int64_t scaled, int decimals);

#endif
