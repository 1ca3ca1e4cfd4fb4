/* Personal: what in a message says who somebody is, or lets someone in: names of fields (a user, a card, a token) and shapes of
 * texts (a VIN, a phone number, a bank card, a number plate, an identity card, an e-mail address, a key). Knows no secret and
 * changes nothing: mask.h does.
 *
 * A text that was masked has the same shape, so it is found again: whoever compares messages that were masked knows which
 * places can only be compared by their form. */
#ifndef FC_UPSTREAM_PERSONAL_H
#define FC_UPSTREAM_PERSONAL_H

#include "upstream/message.h"

enum { PERSONAL_IDS = 128 };

/* The numbers of stations, connectors and orders in a message, by its schema: they look like a card's at times, and are
 * nobody's. */
struct personal_ids {
	int count;
	const char *text[PERSONAL_IDS]; /* borrowed from the trees */
};
void personal_learn(struct personal_ids *ids, const struct schema *schema, const struct value *tree);

/* How a field is to be looked at. */
enum personal_rule {
	PERSONAL_BY_SHAPE, /* only what looks personal, wherever it stands in the text */
	PERSONAL_WHOLE,    /* all of it */
	PERSONAL_PLAIN,    /* nothing: an identifier of the standard */
};
/* field: of the schema, NULL when the standard does not know it. above: the rule of the object or list that it is in. */
enum personal_rule personal_rule(const struct field *field, const char *key, enum personal_rule above);
/* The next piece of text that looks personal from at on; its length, or 0. *begin: where. ids may be NULL. */
size_t personal_find(const struct personal_ids *ids, const char *text, size_t len, size_t at, size_t *begin);
/* Nonzero when each character is of the same kind: a digit for a digit, a capital for a capital, others the same. */
int personal_same_form(const char *a, const char *b);

#endif
