/* Check: goes through every state of a model that its rules can reach, breadth first, so that a trace to what is wrong is the
 * shortest there is.
 *
 * Safety: model_look and the model's own claims hold in each state and at each transition. Liveness: from every state one in which all
 * orders are done with can be reached by what is bound to come alone (model_is_bound_to_come). The graph is finite, so that, whoever gives
 * each of those events its turn, it is reached. */
#ifndef FC_TESTS_MODEL_CHECK_H
#define FC_TESTS_MODEL_CHECK_H

#include <stdint.h>
#include <stdio.h>

#include "model.h"

enum { CHECK_STEPS = 64 }; /* deeper than any that was found */
struct check_result {
	uint64_t states, transitions, cut; /* cut: that went further than the rules look */
	int depth;
	const char *wrong; /* NULL: nothing; all of it was looked at */
	int steps;         /* of the trace to it ... */
	struct model_event way[CHECK_STEPS];
	int full; /* there were more states than asked for: nothing is said of the rest */
};

/* At most so many states. trace may be NULL. Nonzero when there was no memory. */
int check(const struct model_rules *rules, uint64_t most, FILE *trace, struct check_result *result);

#endif
