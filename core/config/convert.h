/* Convert: one option's text to its field, by the schema. */
#ifndef FC_CONFIG_CONVERT_H
#define FC_CONFIG_CONVERT_H

#include "base/arena.h"
#include "config/schema.h"

enum { CONVERT_TEXT = 256 };

/* Reads text as the option's kind into object. FC_OK, or FC_EINVAL with "VALUE is not allowed: WHAT IS" in what (a
 * secret's value is never in it), or FC_ENOMEM. References and lists are not read here. */
int convert_option(const struct schema_option *option, const char *text, void *object, struct arena *arena,
		   char what[CONVERT_TEXT]);
/* What is allowed, in words: "0 to 255", "none, even or odd" ... (for messages and the README's table). */
void convert_describe(const struct schema_option *option, char out[CONVERT_TEXT]);

#endif
