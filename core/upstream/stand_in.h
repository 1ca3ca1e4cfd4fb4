/* Stand-ins: what a mapping is shown in place of a secret. query_token carries the OperatorSecret one way and the AccessToken the
 * other, and no script sees either (DESIGN.md, rule 8): it could log them, or keep them in a table. It may move a stand-in to a
 * field of another name, which is what an operator's dialect asks for; what it makes of the text itself is lost. */
#ifndef FC_UPSTREAM_STAND_IN_H
#define FC_UPSTREAM_STAND_IN_H

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "upstream/mapping.h"
#include "upstream/message.h"

enum { STAND_INS_MAX = 8, STAND_IN_TEXT = 24 };

struct stand_ins {
	int count;
	struct {
		char text[STAND_IN_TEXT];
		const char *secret; /* borrows from the tree's arena */
		size_t len;
	} of[STAND_INS_MAX];
};

/* Takes the secrets out of a message that carries them, by the names of fields (personal.h) and, whatever the field is called,
 * each text that is one of secrets (NULL-terminated, may be NULL). Texts of less than four characters are none. Messages of other kinds
 * stay as they are. FC_OK; FC_ENOMEM; FC_EINVAL: one has a zero byte in it, so that it is none;
 * FC_ELIMIT: more than STAND_INS_MAX, and nothing may be shown to a script. */
int stand_ins_take(struct stand_ins *stand_ins, const struct message *message, enum message_part part,
		   const char *const *secrets, struct value *tree, struct arena *arena);
/* Puts them back where the script left the stand-ins: on the way out anywhere, since they go to the platform whose they are; on the
 * way in only into the standard's own fields for them, so that none gets where it would be told. */
void stand_ins_give_back(const struct stand_ins *stand_ins, const struct message *message, enum message_part part,
			 enum mapping_direction direction, struct value *tree);

#endif
