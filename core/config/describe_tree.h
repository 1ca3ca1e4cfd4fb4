/* Describe tree: the schema as a tree of values, for forms (command config_schema):
 *
 * {"sections":[{"type","title","title_zh","many":bool,"required":bool,"most"?,
 *   "options":[{"name","kind","min"?,"max"?,"default"?,"words":[..]?,"ref"?,"allowed" (in words),
 *               "required"?,"secret"?,"list"?,"restart"?,"basic"?,"help","help_zh"}]}]}
 *
 * kind: text, id, digits, operator, secret, url, prefix, date, int, bool, word, degrees, reference; of a list that of its items. Flags
 * are there when they are true. min and max: characters of texts, bounds of numbers. */
#ifndef FC_CONFIG_DESCRIBE_TREE_H
#define FC_CONFIG_DESCRIBE_TREE_H

#include "base/value.h"

/* NULL: the arena is full; 512 kB are enough. */
struct value *config_schema_tree(struct arena *arena);

#endif
