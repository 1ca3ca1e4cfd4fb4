/* Good: the last configuration that was in force, as a file of its own, for the start at which the configuration can't be read or is
 * refused: half written, a wrong value, gone. The gateway then goes on with the last good one, and says so: a station with a typing
 * error in a file charges and delivers its orders as before.
 *
 * The copy holds the secrets too, and is the owner's alone (0600). It is written when a configuration has come into force that differs
 * from it, whole or not at all, and not while one is on trial (config/trial.h); its head has a hash, so that a damaged one is none. */
#ifndef FC_MAIN_GOOD_H
#define FC_MAIN_GOOD_H

#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "control/alarms.h"

enum { GOOD_PATH = 600 };

struct good;

/* path: of the configuration, borrowed. copy: of the last good one; NULL = /etc/forecourt/forecourt.good for /etc/config/forecourt,
 * else ".NAME.good" beside path. NULL: no memory, or a path that is too long. */
struct good *good_new(const char *path, const char *copy, struct error *err);
void good_free(struct good *good);

/* Reads the configuration as config_read does, mistakes to stderr, and remembers its text for good_accept. */
struct config *good_read(struct good *good, struct error *err);
/* The last good one. why (of which the words are kept): for which the configuration is not in force. NULL and *err when there is none
 * (FC_ENOENT), it is what was refused (FC_EEXIST), or it is of no use itself. */
struct config *good_instead(struct good *good, const struct error *why, struct error *err);
/* The configuration that was read last is not taken, or is and differs from what is in force: told as an alarm until
 * one is accepted, or the file is again what is in force. */
void good_refuse(struct good *good, const struct error *why);
/* What was read last is in force. */
void good_accept(struct good *good);
/* Nonzero while the last good one is in force instead of the configuration. */
int good_is_instead(const struct good *good);
/* Every few seconds, not on the poll path: writes what has to be written, looks whether a refused file was put right by hand. */
void good_tend(struct good *good);
/* For alarms_add_source. */
void good_see(void *good, struct alarms *alarms, int64_t now_us);

#endif
