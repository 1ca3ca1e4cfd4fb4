/* The tables behind message.h: one file a part of the standard. Only message.c includes this. */
#ifndef FC_UPSTREAM_MESSAGE_TABLES_H
#define FC_UPSTREAM_MESSAGE_TABLES_H

#include "upstream/message.h"

struct message_table {
	const struct message *messages;
	int message_count;
	const struct schema *const *structures; /* that have a name in the standard */
	int structure_count;
};

extern const struct message_table message_icomm; /* Part 4 (token) and Part 2, protocol.md 2.1 to 2.5 */
extern const struct message_table message_iserv; /* Part 3, protocol.md 2.6 to 2.16 */

#endif
