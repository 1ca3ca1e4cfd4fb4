/* Earned: what the orders of some time come to, in sum. */
#ifndef FC_STORE_EARNED_H
#define FC_STORE_EARNED_H

#include "store/store.h"

struct earned {
	int64_t orders, wh, money_e4;
};

/* Of the orders that ended in first..last (seconds since 1970). It reads each of them: for a day, and not each second. FC_OK, FC_EIO. */
int earned_between(struct store *store, int64_t first, int64_t last, struct earned *out);

#endif
