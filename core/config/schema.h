/* Schema: every section type and option of /etc/config/forecourt with its type, range and default. The one place:
 * reading, checking, comparing and the table in README.md all walk it. */
#ifndef FC_CONFIG_SCHEMA_H
#define FC_CONFIG_SCHEMA_H

#include <stddef.h>

#include "config/config.h"

enum schema_kind {
	SCHEMA_TEXT,       /* const char *; min..max characters (of UTF-8) */
	SCHEMA_ID,         /* const char *; min..max of letters, digits, _ . and - */
	SCHEMA_DIGITS,     /* const char *; min..max digits */
	SCHEMA_OPERATOR,   /* const char *; 9 or 18 of 0-9 A-Z */
	SCHEMA_SECRET,     /* const char *; min..max printable characters; never shown */
	SCHEMA_URL,        /* const char *; http(s)://host[:port][/prefix] */
	SCHEMA_PREFIX,     /* const char *; a path that begins with / and does not end with it */
	SCHEMA_DATE,       /* const char *; yyyy-MM-dd */
	SCHEMA_INT,        /* int; min..max */
	SCHEMA_BOOL,       /* int 0 or 1 */
	SCHEMA_WORD,       /* int by word; words */
	SCHEMA_DEGREES,    /* int32_t, degrees x 10^6; min..max whole degrees */
	SCHEMA_REFERENCE,  /* int, index of the section of type ref; -1 when not set */
	SCHEMA_REFERENCES, /* const int * and int count at offset and count_offset */
	SCHEMA_TEXTS,      /* const char ** and int count */
};

struct schema_word {
	const char *word;
	int value;
};

struct schema_option {
	const char *name;
	enum schema_kind kind;
	size_t offset, count_offset;
	int min, max;
	const char *preset; /* default as text; NULL = "", 0, or -1 of a reference */
	int required;
	const struct schema_word *words; /* ends with a NULL word; also allowed values of an int beside min..max */
	const char *ref;
	int restart; /* a change of it asks for a restart of its object, else it is applied */
};

struct schema_section {
	const char *type;
	size_t size;                         /* of its struct; the section's name is its first member */
	size_t list, count;                  /* offsets in struct config; count 0 = one struct embedded at list */
	int required;                        /* at least one */
	int most;                            /* of a list: so many sections at most */
	int change_restarts;                 /* any change restarts */
	const struct schema_option *options; /* ends with a NULL name */
};

/* Ends with a NULL type; what is referred to comes before what refers to it. */
enum { SCHEMA_SECTIONS = 9 };
extern const struct schema_section schema_sections[SCHEMA_SECTIONS + 1];
const struct schema_section *schema_find(const char *type);
/* The objects of a type in a configuration: their count and the i-th. */
int schema_count(const struct schema_section *section, const struct config *config);
void *schema_object(const struct schema_section *section, const struct config *config, int i);
/* The section name of an object. */
const char *schema_name(const void *object);

#endif
