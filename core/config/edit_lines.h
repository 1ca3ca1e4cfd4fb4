/* Lines of a text that is edited, and what each of them says. For edit*.c only. */
#ifndef FC_CONFIG_EDIT_LINES_H
#define FC_CONFIG_EDIT_LINES_H

#include "config/edit.h"
#include "config/schema.h"
#include "config/uci.h"

enum line_kind { LINE_OTHER, LINE_CONFIG, LINE_OPTION, LINE_LIST };

struct line {
	char *text; /* its end of line included; the last one may have none */
	size_t len;
};

struct edit {
	struct line *lines;
	int count, room;
	size_t bytes;
};

/* What one line says; word 1 is the type or the option, word 2 the name or the value. */
struct said {
	enum line_kind kind;
	int words;
	char word[3][UCI_LINE_MAX];
	size_t begin[3], end[3]; /* of each word in the line, quotes included */
};

/* Where a section's lines are: its config line, the last one that is an option of it, and the one behind its range. */
struct range {
	int config, last, end;
};

void line_read(const struct line *line, struct said *said);
/* Replaces bytes begin..end of a line. FC_OK, FC_ENOMEM, FC_ELIMIT: as it was. */
int line_splice(struct edit *edit, int at, size_t begin, size_t end, const char *text);
/* A new line at that place, with the end of line of those around it. */
int line_insert(struct edit *edit, int at, const char *text);
void line_remove(struct edit *edit, int at);
/* FC_OK, FC_ENOENT. said: scratch memory. */
int range_find(const struct edit *edit, const char *type, const char *name, struct said *said, struct range *range);
/* The option of that name in the schema, or NULL. */
const struct schema_option *edit_schema(const char *type, const char *option);
/* value in quotes like those of the word that it replaces (NULL: there is none). FC_OK, FC_EINVAL. */
int edit_quote(const char *value, const char *like, char out[UCI_LINE_MAX], struct error *err);

#endif
