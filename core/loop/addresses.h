/* Addresses: those of one host name, kept up with the DNS, and which of them is tried first.
 *
 * A look-up is a minute old at most when it is used, but never waited for while older addresses are there: those of before stay good until
 * the DNS says otherwise, also while it does not answer (RFC 8767 has the reasons; what answers there must show its certificate as ever).
 * After a connection that failed the DNS is asked again first, and given ADDRESSES_PATIENCE_MS. The address that worked last is tried
 * first, so that a name with one dead address (IPv6 without a way out) costs its time-out once. On the loop's thread. */
#ifndef FC_LOOP_ADDRESSES_H
#define FC_LOOP_ADDRESSES_H

#include "base/error.h"
#include "loop/loop.h"

enum { ADDRESSES_PATIENCE_MS = 2000 };

struct addresses;
/* known(user): a look-up has ended, one way or the other, or has been waited for long enough; never after addresses_free. name: for logs,
 * host: a name, or an address, which is never looked up; both are copied. */
struct addresses *addresses_new(struct loop *loop, const char *name, const char *host, void (*known)(void *user),
				void *user, struct error *err);
void addresses_free(struct addresses *addresses);
/* Nonzero: some are known and may be used now. 0: known() comes, and then there are some or addresses_why says why not. */
int addresses_ready(struct addresses *addresses);
int addresses_count(const struct addresses *addresses);
/* Their numbers, in the order in which to try them: the first, then the one after it, count of them in all. */
int addresses_first(const struct addresses *addresses);
int addresses_next(const struct addresses *addresses, int number);
/* Numeric. */
const char *addresses_at(const struct addresses *addresses, int number);
/* A connection to this one stood. */
void addresses_worked(struct addresses *addresses, int number);
/* No connection could be made, or it broke: the name may point elsewhere by now. */
void addresses_doubt(struct addresses *addresses);
/* Why the last look-up failed; "" when it did not. */
const char *addresses_why(const struct addresses *addresses);

#endif
