/* Desk: where people and programs order: who may, the alarms, the commands, and the ways to them, which are the local socket and the
 * page. Above all rooms: it is the last to open and the first to close. */
#ifndef FC_MAIN_DESK_H
#define FC_MAIN_DESK_H

#include "base/error.h"
#include "config/config.h"
#include "control/control.h"

struct desk {
	struct guard *guard;
	struct alarms *alarms;
	struct control *control;
	struct control_socket *socket;
	struct admin *admin; /* NULL: it is not built */
};

/* rooms: but for guard and alarms, which are made here. On failure what was opened stays, for desk_close. */
int desk_open(struct desk *desk, const struct control_sources *rooms, const struct config *config, struct error *err);
/* Takes a changed configuration over; a desk that is not open yet has nothing to take. */
int desk_apply(struct desk *desk, const struct config *config, struct error *err);
/* Also of one that is all zero. */
void desk_close(struct desk *desk);

#endif
