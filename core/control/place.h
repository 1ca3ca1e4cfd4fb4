/* Place: where the local socket stands. A socket file that a crashed daemon left is replaced; that of a daemon that lives is never
 * taken, also when two start at the same moment. For this room only. */
#ifndef FC_CONTROL_PLACE_H
#define FC_CONTROL_PLACE_H

#include <sys/types.h>

#include "base/error.h"

struct place {
	char path[108];
	int fd;   /* listens, non-blocking */
	int lock; /* of PATH.lock, held as long as the socket stands: a lock dies with its process, a file does not */
	dev_t device;
	ino_t inode;
};

/* Makes the socket, mode 0600, and its folder if that is missing. FC_OK; FC_EINVAL for a path that can't be one; FC_EEXIST when
 * it belongs to someone who lives, or is no socket; FC_EIO. */
int place_open(struct place *place, const char *path, struct error *err);
/* Takes the file away, unless someone else has put one there. */
void place_close(struct place *place);

#endif
