/* Patch: what changed between two trees, as an RFC 7386 merge patch: members that are there now and were not or were others, null for
 * those that are gone. Lists and everything that is no object are replaced as a whole. A member that is null can't be told from one
 * that is not there: trees that are compared hold none. */
#ifndef FC_BASE_PATCH_H
#define FC_BASE_PATCH_H

#include "base/value.h"

/* *patch: what makes to of from, in arena, sharing nothing with either; NULL when they are equal. Both are objects. Cost: linear where
 * members come in the same order. FC_OK; FC_ENOMEM (arena full): *patch is NULL. */
int patch_make(struct arena *arena, const struct value *from, const struct value *to, struct value **patch);

#endif
