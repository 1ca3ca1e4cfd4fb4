/* Admin: the page for remote operation, over HTTPS. Now: log-in, the overview, static files; accounts and control
 * come with the web admin work.
 *
 * Routes: GET /health (no session: {"status":"ok"}), POST /api/login {"user","password"}, POST /api/logout,
 * GET /api/overview, and the files of the www folder. The session cookie is HttpOnly, Secure (with TLS) and
 * SameSite=Strict; wrong passwords are answered slower and slower. */
#ifndef FC_ADMIN_ADMIN_H
#define FC_ADMIN_ADMIN_H

#include "base/error.h"
#include "base/value.h"
#include "config/config.h"
#include "loop/loop.h"

struct admin;

/* Builds the overview in arena; NULL when it does not fit. */
typedef struct value *(*admin_overview)(void *user, struct arena *arena);

/* With admin off in config it gives an admin that listens nowhere. When no password is configured a one-time
 * password is made and printed on standard error, never logged. */
struct admin *admin_new(struct loop *loop, const struct config *config, admin_overview overview, void *user,
			struct error *err);
/* Takes a changed configuration over; on failure the running page stays. */
int admin_apply(struct admin *admin, const struct config *config, struct error *err);
void admin_free(struct admin *admin);

#endif
