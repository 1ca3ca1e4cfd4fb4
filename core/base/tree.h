/* Tree: JSON read with the form of its numbers kept, which lua-cjson can't: of a message that was sent, 10.0 and 10 are not the
 * same, nor are [] and {}. Strict (RFC 8259), at most 32 deep. */
#ifndef FC_BASE_TREE_H
#define FC_BASE_TREE_H

#include "base/arena.h"
#include "base/value.h"

enum tree_form {
	TREE_AS_MADE,     /* as the gateway makes a tree: 10.50 is a decimal, {} an object */
	TREE_AS_RECEIVED, /* as the gateway reads one: 10.5 is a float, {} may be a list too */
};

/* FC_OK and *out in arena; FC_EINVAL, *at: the byte at which it is wrong; FC_ELIMIT: the arena is full. */
int tree_read(const char *text, size_t len, enum tree_form form, struct arena *arena, struct value **out, size_t *at);

#endif
