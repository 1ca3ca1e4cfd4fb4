/* Arena: memory that lives as long as one message, freed at once.
 *
 * Grows by blocks up to a limit that the owner sets, so that hostile input cannot take the box's memory. */
#ifndef FC_BASE_ARENA_H
#define FC_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *blocks;
	size_t used;  /* bytes handed out */
	size_t limit; /* no more than this is handed out */
};

void arena_init(struct arena *arena, size_t limit);
/* Frees everything; the arena can be used again. */
void arena_fini(struct arena *arena);
/* Zeroed, aligned for any type; NULL when the limit or the memory is reached. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/* Copy of len bytes with a zero byte behind; NULL as above. */
char *arena_copy(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
