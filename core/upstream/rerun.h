/* Rerun: a recorded message through a mapping once more, as the codec does it (codec.h): what would come out. For trials, on any
 * thread that has the mapping to itself. */
#ifndef FC_UPSTREAM_RERUN_H
#define FC_UPSTREAM_RERUN_H

#include "upstream/mapping.h"

struct rerun {
	const struct message *message;
	enum message_part part;
	enum mapping_direction direction;
	struct mapping_context context;
	int64_t wall; /* when it passed: the mapping sees this time */
	struct arena *arena;
};

struct rerun_outcome {
	struct value *tree;
	struct error failed;  /* the function did: the message goes on as it was */
	struct error refused; /* what came in is */
};

/* mapping NULL: as one without functions. before is changed. */
void rerun_pass(const struct rerun *rerun, struct mapping *mapping, struct value *before, struct rerun_outcome *out);

#endif
