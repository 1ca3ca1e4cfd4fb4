/* UCI: strict reader of OpenWrt's configuration file format. Every mistake of a file is found in one reading. */
#ifndef FC_CONFIG_UCI_H
#define FC_CONFIG_UCI_H

#include "base/arena.h"
#include "base/error.h"

enum { UCI_FILE_MAX = 1 << 20, UCI_LINE_MAX = 4096, UCI_SECTIONS_MAX = 20000, UCI_OPTIONS_MAX = 200 };

struct uci_value {
	const char *text;
	int line;
	struct uci_value *next;
};

struct uci_option {
	const char *name;
	int is_list;
	int line;                              /* of its first value */
	struct uci_value *values, *last_value; /* at least one, in the file's order */
	int bad;                               /* the reader's: a mistake of it was said */
	struct uci_option *next;
};

struct uci_section {
	const char *type;
	const char *name; /* "" when the section has none */
	int line;
	struct uci_option *options, *last;
	int count; /* options; at most UCI_OPTIONS_MAX */
	struct uci_section *next;
};

struct uci_file {
	struct uci_section *sections, *last;
	int count;
};

/* Where mistakes go: what is one sentence, without the place. */
typedef void (*uci_mistake)(void *user, int line, const char *what);

/* Reads text (len bytes) into arena. The options below a section line that is a mistake are passed over. Returns the number of mistakes; what could be read is in *file either way.
 * FC_ENOMEM (negative) when the arena is full. */
int uci_parse(const char *text, size_t len, struct arena *arena, struct uci_file *file, uci_mistake mistake,
	      void *user);
/* NULL when the section has no such option. */
struct uci_option *uci_option(const struct uci_section *section, const char *name);

/* For those that look at a text line by line (edit.h). */
/* Takes the next word at *at (of a line shorter than UCI_LINE_MAX that ends at a zero byte) into out; *begin: where it begins, quote
 * included. 1 a word, 0 the line's end or a comment; else the quote that is not closed. Quoted parts join: foo'b ar' is "foob ar", as
 * in a shell. */
int uci_word(const char **at, char out[UCI_LINE_MAX], const char **begin);
/* Nonzero for what a type, a section or an option may be called: letters, digits, _ and -. */
int uci_is_name(const char *text);

#endif
