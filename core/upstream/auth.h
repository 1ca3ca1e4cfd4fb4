/* Auth: asks a platform whether someone on site may charge: a card that was presented, a car that began by itself. The base
 * standard has no message for it: query_user_auth is an extension that a mapping switches on and shapes (lua/README.md). */
#ifndef FC_UPSTREAM_AUTH_H
#define FC_UPSTREAM_AUTH_H

#include "upstream/peer.h"

struct auth;

/* grant NULL: refused, or no answer that can be used. wish and grant live during the call. */
typedef void (*auth_done)(void *user, struct platform *platform, const struct charge_wish *wish,
			  const struct charge_grant *grant);

/* peer is borrowed. NULL when there is no memory. */
struct auth *auth_new(struct platform *platform, struct peer *peer, auth_done done, void *user);
/* After the peer was freed. What is being asked is never answered: the wish times out. */
void auth_free(struct auth *auth);
/* FC_OK: done comes later, once. FC_ENOENT: this platform is not asked such things, or not about this connector. FC_EBUSY: it
 * can't be asked now. */
int auth_ask(struct auth *auth, const struct charge_wish *wish);
/* Asks again what met an expired token. */
void auth_pump(struct auth *auth);

#endif
