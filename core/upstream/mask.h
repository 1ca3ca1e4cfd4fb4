/* Mask: a stand-in for a personal text, of the same length and form, the same for the same text as long as the program runs: a
 * mapping does with it what it would do with the real one. The key is random and never leaves the program, so nobody finds
 * the real one by trying. */
#ifndef FC_UPSTREAM_MASK_H
#define FC_UPSTREAM_MASK_H

#include "base/buffer.h"
#include "upstream/personal.h"

enum { MASK_KEY = 32 };
struct mask {
	unsigned char key[MASK_KEY];
};

/* FC_OK, FC_EIO when there is no randomness: then nothing may be masked, and so nothing kept. */
int mask_init(struct mask *mask);
/* Appends the tree as JSON, what is personal in it masked. schema: of the tree's own object, as far as its names are the
 * standard's. A failure stays in out (buffer.h). */
void mask_write(const struct mask *mask, const struct personal_ids *ids, const struct schema *schema,
		const struct value *tree, struct buffer *out);

#endif
