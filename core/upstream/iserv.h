/* Iserv: Part 3 of the protocol, business information (protocol.md 2.6 to 2.16): answers the platform's questions and commands
 * from the charge room. Trees with the standard's field names, as in icomm.h. */
#ifndef FC_UPSTREAM_ISERV_H
#define FC_UPSTREAM_ISERV_H

#include "charge/charge.h"
#include "upstream/platform_state.h"

/* Nonzero when the method is one that iserv_answer knows. */
int iserv_answers(const struct message *message);
/* As icomm_answer. RET_SYSTEM also when the platform has no charges (platform->charges NULL). */
int iserv_answer(const struct platform *platform, const struct message *message, const struct value *request,
		 struct arena *arena, struct value **answer, struct error *err);
/* Nonzero when the answer is that of a command under way: its result will follow. */
int iserv_awaits_result(const struct message *message, const struct value *answer);

#endif
