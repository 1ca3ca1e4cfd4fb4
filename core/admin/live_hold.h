/* Live, what is held back: members of the overview that change all the time keep the value that was told last, until it is their turn.
 * For live.c only. */
#ifndef FC_ADMIN_LIVE_HOLD_H
#define FC_ADMIN_LIVE_HOLD_H

#include "base/value.h"

/* next becomes what is told in second turn (counted from anywhere), after last was. */
void live_hold(const struct value *last, struct value *next, uint64_t turn);

#endif
