/* Tell: what is told of a charge, as trees with the standard's field names (protocol.md 2.9 to 2.16). NULL when the arena is full. */
#ifndef FC_UPSTREAM_TELL_H
#define FC_UPSTREAM_TELL_H

#include "base/arena.h"
#include "base/value.h"
#include "charge/charge.h"

/* with_vin: the car's, where it is known (protocol.md 2.9). */
struct value *tell_start_result(const struct order *order, int started, int with_vin, struct arena *arena);
struct value *tell_stop_result(const struct order *order, int stopped, struct arena *arena);
struct value *tell_snapshot(const struct order *order, enum session_state state, const struct connector *connector,
			    struct arena *arena);
struct value *tell_order(const struct order *order, struct arena *arena);
/* The order as a city wants it, for every start mode (protocol.md 2.16). platform: who is told. */
struct value *tell_bonus(const struct order *order, const struct connector *connector, const char *platform,
			 struct arena *arena);

#endif
