/* Orders: asking the daemon for them page by page. */
#ifndef FC_CLI_ORDERS_H
#define FC_CLI_ORDERS_H

#include "cli/cli.h"

struct orders_query {
	int open;         /* those under way, else the closed ones */
	int oldest_first; /* else the newest */
	int details;
	int most; /* told at most; 0 = all */
};

/* Calls fn with each order that fits --from, --to and --platform, as a tree and as its text. Returns how many, or minus an exit
 * code. */
int orders_each(struct cli *cli, const struct orders_query *query,
		void (*fn)(void *user, const struct value *order, struct raw text), void *user);

#endif
