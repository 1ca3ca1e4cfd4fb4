/* Mapping: what is different at one operator, from lua/operators/NAME.lua: paths, methods on or off, timing numbers, and
 * functions that reshape messages. The form of the file is in lua/README.md.
 *
 * A mapping never stops the station: a function that fails is logged with file:line and the message goes on as it
 * was. Each platform loads its own (own Lua state): one platform's script can't slow or spoil another's. */
#ifndef FC_UPSTREAM_MAPPING_H
#define FC_UPSTREAM_MAPPING_H

#include "base/error.h"
#include "base/value.h"
#include "config/config.h"
#include "script/shelf.h"
#include "script/sources.h"
#include "upstream/message.h"
#include "upstream/timing.h"

struct mapping;

/* Loads operators/NAME.lua, checks its form, runs its examples. space: the platform's section, see script.h. NULL and *err
 * ("lua/operators/x.lua: methods.query_tokn: no such method"); nothing is kept. Owner frees. */
struct mapping *mapping_load(const struct script_host *host, const char *name, const char *space, struct error *err);
/* The same for a file anywhere; its name without .lua is the mapping's. */
struct mapping *mapping_load_file(const struct script_host *host, const char *path, const char *space,
				  struct error *err);
void mapping_free(struct mapping *mapping);
extern const struct shelf_kind mapping_kind;
/* The file itself, for trying it out (forecourt lua). */
struct script *mapping_script(const struct mapping *mapping);

const char *mapping_name(const struct mapping *mapping);
const char *mapping_file(const struct mapping *mapping); /* path of the file */
const char *mapping_hash(const struct mapping *mapping); /* as script_hash: its version */
struct sources *mapping_sources(const struct mapping *mapping);
/* Function calls that failed since load. */
uint64_t mapping_failures(const struct mapping *mapping);

/* Where a method is called and answered: the last part of the URL, or with a / in front the whole path. */
const char *mapping_path(const struct mapping *mapping, const struct message *message);
/* The method that we answer on this last part of a URL, or on this whole path; NULL when there is none. Whether it is on is not
 * judged. */
const struct message *mapping_find(const struct mapping *mapping, const char *path);
/* Nonzero when the method's bodies are bare JSON in both directions: no envelope, no token (field variation 5). Never so for
 * query_token, nor for calls that we answer and that change something. */
int mapping_plain(const struct mapping *mapping, const struct message *message);
/* Is the method on for this platform? The mapping's word goes first, then the message's set with the platform's options
 * push_station_info and push_stats. */
int mapping_enabled(const struct mapping *mapping, const struct message *message,
		    const struct config_platform *platform);
/* A number of the table timing; when it is not there otherwise, and when that is below 0 the base standard's. */
double mapping_timing(const struct mapping *mapping, enum timing timing, double otherwise);
/* Item index of a list in the table timing; past its end the last one. */
double mapping_timing_item(const struct mapping *mapping, enum timing timing, int index);

/* The ids that a function sees in its second argument (ctx); no secrets. */
struct mapping_context {
	const char *operator_id; /* ours */
	const char *platform_id; /* theirs */
	const char *platform;    /* section name */
};
enum mapping_direction { MAPPING_OUT, MAPPING_IN };
/* Calls the function map.METHOD.PART if there is one. *out is the mapped message in arena, or in itself: when there is no
 * function (FC_OK) and when it failed (FC_ESCRIPT, logged here; *err may be NULL). mapping NULL changes nothing. A
 * result that is no table counts as a failure. */
int mapping_apply(struct mapping *mapping, const struct message *message, enum message_part part,
		  enum mapping_direction direction, struct value *in, const struct mapping_context *context,
		  struct arena *arena, struct value **out, struct error *err);
/* The same for a trial beside the loop: nothing is logged or counted, *err says why it failed. */
int mapping_try(struct mapping *mapping, const struct message *message, enum message_part part,
		enum mapping_direction direction, struct value *in, const struct mapping_context *context,
		struct arena *arena, struct value **out, struct error *err);

#endif
