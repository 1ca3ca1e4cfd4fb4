/* World: what the functions of a script see around them while an example is run, instead of the gateway. Only files of this room
 * include it. */
#ifndef FC_SCRIPT_WORLD_H
#define FC_SCRIPT_WORLD_H

#include "script/script.h"

struct script_world {
	int64_t wall;               /* "now" */
	const struct value *tables; /* what the lookup tables hold before the call, or NULL */
	const struct value *state;  /* { stations = {...}, connectors = {...} }, or NULL */
};

/* From now on calls see this world (borrowed). FC_OK, or FC_ESCRIPT, FC_ELIMIT when the tables are no tables. */
int script_enter_world(struct script *script, const struct script_world *world, struct error *err);
/* What the lookup tables hold now, in arena. */
int script_world_tables(struct script *script, struct arena *arena, struct value **out, struct error *err);
/* Back to what was before. */
void script_leave_world(struct script *script);

#endif
