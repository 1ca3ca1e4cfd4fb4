/* Mistakes: what is wrong with a configuration file, each said with its place. For this room only. */
#ifndef FC_CONFIG_MISTAKES_H
#define FC_CONFIG_MISTAKES_H

#include <stdio.h>

#include "base/error.h"
#include "config/schema.h"
#include "config/uci.h"

struct mistakes {
	const char *path;
	FILE *to;             /* may be NULL */
	config_mistaken each; /* the same one by one; may be NULL */
	void *user;
	int count;
	char first[ERROR_TEXT_MAX];
};

/* "file:line: object: what" (object may be ""). */
void mistakes_note(struct mistakes *m, int line, const char *object, const char *what);
/* The object is the section, or an option of it ("" = none). The option counts as bad from then on. */
void mistakes_note_at(struct mistakes *m, int line, struct uci_section *s, const char *option, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* No such option or section type, with the nearest one that there is. */
void mistakes_unknown_option(struct mistakes *m, struct uci_section *s, const struct schema_section *schema,
			     const struct uci_option *o);
void mistakes_unknown_section(struct mistakes *m, struct uci_section *s);
/* At the end: says how many were not shown. */
void mistakes_close(const struct mistakes *m);

#endif
