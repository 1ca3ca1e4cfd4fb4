/* Digest: of what a script is made, found out without running it: its file and the modules of lib/ that it, and they, name in
 * require("name"). Who requires by anything but a literal text is taken to require all of lib/. A file that can't be read is
 * content like any other, so that its coming counts as a change. On any thread. */
#ifndef FC_SCRIPT_DIGEST_H
#define FC_SCRIPT_DIGEST_H

#include "script/host.h"

struct digest {
	unsigned char bytes[32]; /* SHA-256 */
};

/* FC_OK, FC_ENOMEM, FC_EIO. */
int digest_script(const char *lua_dir, const char *folder, const char *name, struct digest *out);
/* As it would be were these texts in their files. instead: host.h; NULL: as digest_script. */
int digest_instead(const char *lua_dir, const char *folder, const char *name, const struct script_instead *instead,
		   struct digest *out);

#endif
