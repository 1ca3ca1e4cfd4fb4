/* A DBC file to the first draft of a profile, which loads; what is to be decided by a person is marked "-- check:". */
#ifndef FC_CLI_DBC_PROFILE_H
#define FC_CLI_DBC_PROFILE_H

#include "base/buffer.h"
#include "cli/dbc.h"

/* Appends the Lua text to out. names: of the messages wanted (count 0: all). FC_OK; FC_ENOENT: no message of that name; FC_ELIMIT: more than a
 * profile holds, and what to do. */
int dbc_profile_make(const char *path, const struct dbc *dbc, const char *const *names, int count, struct buffer *out,
		     struct error *err);

#endif
