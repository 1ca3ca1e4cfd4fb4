/* Raw: pieces of the daemon's JSON as they stand, for --json: what passes through a tree loses the order of its members. */
#ifndef FC_CLI_RAW_H
#define FC_CLI_RAW_H

#include <stddef.h>

struct raw {
	const char *text; /* NULL = not there */
	size_t len;
};

/* The member of an object. Keys are plain. */
struct raw raw_member(struct raw object, const char *key);
/* The item of a list that begins behind *at, which moves on; *at 0 before the first. */
struct raw raw_item(struct raw list, size_t *at);

#endif
