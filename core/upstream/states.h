/* States: the state of its running charges, told to one platform every charge_status_s of the mapping's timing (protocol.md 2.11); a
 * lost one is replaced by the next. In the order's life they are counted (life.h). */
#ifndef FC_UPSTREAM_STATES_H
#define FC_UPSTREAM_STATES_H

#include "upstream/peer.h"

struct states;

/* Both borrowed. NULL when there is no memory. */
struct states *states_new(struct platform *platform, struct peer *peer);
/* After the peer was freed: calls under way are dropped. */
void states_free(struct states *states);
/* Starts the calls that are due while the peer is ready, forgets charges that are over. Returns when to come again, in
 * clock_mono_ms(). */
int64_t states_pump(struct states *states, int64_t now_ms);

#endif
