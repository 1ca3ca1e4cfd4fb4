/* Privileges: from root to a user of its own, once and for all, before anything is opened. For boxes without a jail.
 *
 * What is kept is CAP_NET_BIND_SERVICE (ports below 1024) and, where asked for, CAP_NET_ADMIN (bit rate and state of CAN interfaces; it
 * could do much else to the box's network); they can't be handed on to another program, and no program that is started gains any
 * (no_new_privs). */
#ifndef FC_BASE_PRIVILEGES_H
#define FC_BASE_PRIVILEGES_H

#include <stdint.h>

#include "base/error.h"

/* Bits 10 and 12, as /proc/self/status shows them. */
#define PRIVILEGES_LOW_PORTS UINT64_C(0x400)
#define PRIVILEGES_CAN       UINT64_C(0x1000)

/* To user, with that user's groups and no right but those of kept. By root: changes over. By that user already (procd, a jail): FC_OK,
 * and the rights are left as they were given. FC_ENOENT: there is no such user; FC_EINVAL: it is root itself, or neither root nor that
 * user asks; FC_EIO: the kernel refuses. On failure the process may be half way: it must end. Before any thread is started. */
int privileges_drop(const char *user, uint64_t kept, struct error *err);

#endif
