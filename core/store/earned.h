/* Earned: what the orders of some time come to, in sum. */
#ifndef FC_STORE_EARNED_H
#define FC_STORE_EARNED_H

#include "store/store.h"

struct earned {
	int64_t orders; /* that came to energy or money: a start that was refused or came to nothing is none */
	int64_t wh, money_e4;
	int64_t unseen_wh; /* nobody's: orders of their own (mode 0) for what went by unseen; in wh, not in orders */
};

/* Of the orders that ended in first..last (seconds since 1970). It reads each of them: for a day, and not each second. FC_OK, FC_EIO. */
int earned_between(struct store *store, int64_t first, int64_t last, struct earned *out);

#endif
