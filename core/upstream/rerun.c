#include "upstream/rerun.h"

#include <string.h>

#include "script/script.h"

void rerun_pass(const struct rerun *r, struct mapping *mapping, struct value *before, struct rerun_outcome *out)
{
	const struct schema *schema = message_schema(r->message, r->part);

	memset(out, 0, sizeof(*out));
	/* Its tables hold what earlier messages have put. */
	if (mapping)
		script_pin(mapping_script(mapping), r->wall);
	if (mapping_try(mapping, r->message, r->part, r->direction, before, &r->context, r->arena, &out->tree,
			&out->failed) &&
	    !out->failed.code)
		(void)error_set(&out->failed, FC_ESCRIPT, "%s", "?");
	if (r->direction == MAPPING_OUT)
		message_shape(schema, out->tree);
	else
		(void)message_check(schema, out->tree, r->part == MESSAGE_REQUEST, r->arena, &out->refused);
}
