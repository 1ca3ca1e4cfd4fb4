/* Tree: JSON read into values, by a strict reader (RFC 8259), at most 32 deep.
 *
 * It takes no memory but the arena's, in time that grows with the text alone, whoever wrote it. Of a message that was sent it keeps the
 * form of the numbers, which no library here does: 10.0 and 10 are not the same, nor are [] and {}. */
#ifndef FC_BASE_TREE_H
#define FC_BASE_TREE_H

#include "base/arena.h"
#include "base/value.h"

/* More no message has. */
enum { TREE_VALUES_MAX = 100000 };

enum tree_form {
	TREE_AS_MADE, /* as the gateway makes a tree: 10.50 is a decimal, {} an object */
	/* As the gateway reads one (base/json_read.h): 10.50 is a float, 10.0 the integer 10, {} and [] may each be meant to be the other; a
	 * control character may stand in a text, but for the zero byte. */
	TREE_AS_RECEIVED,
};

/* FC_OK and *out in arena; FC_EINVAL, *at: the byte at which it is wrong; FC_ELIMIT: the arena is full, or there are more values than
 * TREE_VALUES_MAX. *out is NULL then. Of two members of one name the last counts; a name with a zero byte in it is wrong. */
int tree_read(const char *text, size_t len, enum tree_form form, struct arena *arena, struct value **out, size_t *at);

#endif
