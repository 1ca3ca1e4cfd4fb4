#include "base/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>

/* The C library has no call for it, and libcap would be one more package on the box. */
static int set_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = data[i].permitted = (uint32_t)(kept >> (32 * i));
	return syscall(SYS_capset, &head, data) < 0 ? -1 : 0;
}

/* The rights that there are, as far as they may be kept: a container may have given fewer. */
static int get_permitted(uint64_t *permitted)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	*permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

/* What a program could come by that this one starts; it needs CAP_SETPCAP, so it is done while it is there. */
static void empty_bounding_set(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int refuse(struct error *err, const char *user, const char *what)
{
	return error_set(err, FC_EIO, "user %s: %s: %s", user, what, strerror(errno));
}

int privileges_drop(const char *user, uint64_t kept, struct error *err)
{
	uint64_t permitted;

	errno = 0;
	const struct passwd *p = getpwnam(user);
	if (!p && errno && errno != ENOENT)
		return refuse(err, user, "can't be looked up");
	if (!p)
		return error_set(err, FC_ENOENT, "user %s: there is no such user on this box", user);
	const uid_t uid = p->pw_uid;
	const gid_t gid = p->pw_gid;

	if (!uid)
		return error_set(err, FC_EINVAL, "user %s: is root, who has every right", user);
	if (getuid() == uid && geteuid() == uid)
		return FC_OK;
	if (geteuid())
		return error_set(err, FC_EINVAL, "user %s: only root can become another user", user);
	if (initgroups(user, gid))
		return refuse(err, user, "its groups");
	if (get_permitted(&permitted))
		return refuse(err, user, "capabilities");
	empty_bounding_set();
	/* Else all rights go with root's number. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return refuse(err, user, "capabilities");
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return refuse(err, user, "can't be taken on");
	if (set_capabilities(permitted & kept))
		return refuse(err, user, "capabilities");
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return refuse(err, user, "no_new_privs");
	/* Keys and secrets are in its memory: no core dump, and nobody of the same user looks in. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return refuse(err, user, "core dumps");
	/* It must not be possible to come back. */
	if (!setuid(0) || geteuid() != uid || getegid() != gid)
		return error_set(err, FC_EIO, "user %s: root's rights are still there", user);
	return FC_OK;
}
