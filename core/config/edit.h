/* Edit: changes of a UCI text in place. What an edit does not mean stays as it is, byte by byte: comments, order, blank lines, the way of
 * quoting, also lines that are mistakes. A value takes the quotes of the one that it replaces, where they can hold it.
 *
 * A section is named by its type and its name; "" is one without a name, and of the types that there may be only one of (gateway, admin)
 * any name finds it. Every function returns FC_OK, or: FC_EINVAL (a name or value that no line can hold: a control character, a newline,
 * too long), FC_ENOENT (no such section or option), FC_EEXIST (there is one of that name), FC_ELIMIT (the text would be larger
 * than a file may be), FC_ENOMEM; *err says which, and the text is as it was. */
#ifndef FC_CONFIG_EDIT_H
#define FC_CONFIG_EDIT_H

#include <stddef.h>

#include "base/error.h"
#include "base/value.h"

/* What a secret looks like outside of the file, and how many edits are taken at once. */
#define EDIT_MASK "********"
enum { EDIT_LIST_MAX = 500, EDIT_VALUES_MAX = 256 };

struct edit;
/* The text is copied. NULL: FC_ENOMEM, FC_ELIMIT. */
struct edit *edit_new(const char *text, size_t len, struct error *err);
void edit_free(struct edit *edit);
/* The text as it is now; free() it. NULL: no memory. */
char *edit_text(const struct edit *edit, size_t *len);

/* An option that is not there yet comes behind the section's last one. */
int edit_set(struct edit *edit, const char *type, const char *name, const char *option, const char *value,
	     struct error *err);
/* A list: lines that stay the same are not touched. */
int edit_set_list(struct edit *edit, const char *type, const char *name, const char *option, const char *const *values,
		  int count, struct error *err);
int edit_unset(struct edit *edit, const char *type, const char *name, const char *option, struct error *err);
/* Behind the last section of its type, else at the end. copy_of: a section of that type whose options it gets; NULL = none. */
int edit_add(struct edit *edit, const char *type, const char *name, const char *copy_of, struct error *err);
/* The section's lines up to its last option; comments behind that stay. */
int edit_remove(struct edit *edit, const char *type, const char *name, struct error *err);
/* What refers to it by the schema refers to the new name. */
int edit_rename(struct edit *edit, const char *type, const char *name, const char *new_name, struct error *err);

/* A list of edits, all of them or none:
 * [{"op":"set","type","name","option","value" | "values":[..]},
 *  {"op":"unset","type","name","option"}, {"op":"add","type","name","copy"?}, {"op":"remove","type","name"},
 *  {"op":"rename","type","name","to"}]
 * A secret that is EDIT_MASK keeps what is there. *err names the edit by its place, from 1. */
int edit_apply(struct edit *edit, const struct value *edits, struct error *err);

/* Nonzero for an option that holds a secret, in whatever section. */
int edit_is_secret(const char *type, const char *option);
/* The text with every secret as EDIT_MASK, also those in comments and in lines that are mistakes. free() it; NULL: no memory. */
char *edit_mask(const char *text, size_t len, size_t *masked_len);
/* The way back: a secret that is EDIT_MASK is what the section of that type and name has in old; a masked comment is the one that looks
 * like it there. *edit holds the whole. What has nothing to come from is FC_EINVAL, and *line says where. */
int edit_unmask(struct edit *edit, const char *old, size_t old_len, int *line, struct error *err);

#endif
