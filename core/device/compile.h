/* Compile: from the Lua table of a profile to struct profile; what its files share. Every mistake is named by its place. For
 * this room only. */
#ifndef FC_DEVICE_COMPILE_H
#define FC_DEVICE_COMPILE_H

#include "device/profile.h"

struct compiler {
	const char *path;
	const struct script *script; /* which functions there are */
	struct profile *p;
	const struct value *base; /* of a variant: what it does not say is as here */
	const struct profile_listener *listener;
	struct error *err;
	int mistakes;
	int full; /* the error's text has no more room */
};

void compile_wrong(struct compiler *c, const char *place, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for the place "where.key". */
void compile_wrong_key(struct compiler *c, const char *where, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A misspelt key would be silence where something was meant. */
void compile_keys(struct compiler *c, const struct value *t, const char *where, const char *const *known);

/* Readers of t[key], or of the base's: the preset when it is not there; a mistake and the preset when it is wrong. where: the
 * place of t, "" for the file itself. */
const struct value *compile_look(const struct compiler *c, const struct value *t, const char *key);
const struct value *compile_table(struct compiler *c, const struct value *t, const char *where, const char *key);
int64_t compile_int(struct compiler *c, const struct value *t, const char *where, const char *key, int64_t preset,
		    int64_t min, int64_t max);
double compile_double(struct compiler *c, const struct value *t, const char *where, const char *key, double preset);
int compile_bool(struct compiler *c, const struct value *t, const char *where, const char *key);
/* One of names (ends with NULL): its place; preset when absent. */
int compile_choice(struct compiler *c, const struct value *t, const char *where, const char *key,
		   const char *const *names, int preset);
/* The point that v names, from 0; -1 and a mistake at "where.key" when there is none. */
int compile_point_name(struct compiler *c, const struct value *v, const char *where, const char *key);

/* { state = { 1, "C2" }, plug = { ["not"] = 0 } }: places (from 1) of at most most conditions, into out. */
void compile_matches(struct compiler *c, const struct value *t, const char *where, int *out, int most);
/* The values of t: equals = 3, one_of = { 1, 2 }, ["not"] = 0. The condition's place, or 0 and a mistake. */
int compile_match_of(struct compiler *c, const struct value *t, const char *where);
/* ">=1.2.1" or { ">=1.2", "<2" } at t.firmware: the range's place, 0 when there is none. */
int compile_range(struct compiler *c, const struct value *t, const char *where);

void compile_firmware(struct compiler *c, const struct value *table);
void compile_groups(struct compiler *c, const struct value *groups);
void compile_points(struct compiler *c, const struct value *points);
/* Once all points are known: what they say of each other (decimals_from, scale_from, valid_when). */
void compile_all_links(struct compiler *c, const struct value *points);
int compile_is_number(enum point_type type);
/* Nonzero when the table there has a function hook. */
int compile_has_hook(const struct compiler *c, const char *where);
/* A profile of a DL/T 645 meter: its points, and what does not belong there. */
void compile_dlt645(struct compiler *c, const struct value *table, const struct value *points);
/* A listening profile: its points name signals, and nothing is asked or commanded. */
void compile_listen(struct compiler *c, const struct value *table, const struct value *points);
/* Type, order, scale and offset alone: the form of a number. */
void compile_form(struct compiler *c, const struct value *t, const char *where, struct point *point);
/* scale_from: one point's name, or a list of two. */
void compile_scales(struct compiler *c, const struct value *t, const char *where, struct point *point);
void compile_status(struct compiler *c, const struct value *status);
void compile_commands(struct compiler *c, const struct value *commands);
/* unlock_while_charging, of the file itself. */
void compile_unlock(struct compiler *c, const struct value *table);
void compile_setpoint(struct compiler *c, const struct value *setpoint);
void compile_keep_alive(struct compiler *c, const struct value *keep_alive);
/* What can be said only when all is known: places beyond 65535, denied registers. */
void compile_addresses(struct compiler *c);

#endif
