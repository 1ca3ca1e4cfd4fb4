/* Screen: text for a terminal. Names, numbers and errors come from files and platforms: what could move a cursor, change a colour
 * or turn the direction of writing is shown, not done. */
#ifndef FC_CLI_SCREEN_H
#define FC_CLI_SCREEN_H

#include <stdio.h>

#include "base/buffer.h"
#include "cli/raw.h"

/* Appends text with control characters, invisible direction marks and bytes that are not UTF-8 as \xNN or \u{NNNN}. */
void screen_add(struct buffer *out, const char *text);
/* The same, written, with blanks behind it until it takes that many columns (0: none). */
void screen_print(const char *text, int columns, FILE *to);
/* Writes JSON, the same characters escaped as JSON does it, U+FFFD for bytes that are not UTF-8. */
void screen_json(struct raw json, FILE *to);
/* Writes a text as a JSON string. */
void screen_quoted(const char *text, FILE *to);
/* Columns that a safe text takes: Chinese characters take two, combining marks none. */
int screen_width(const char *text);
enum { SCREEN_COLUMNS = 80 };
/* Writes one paragraph of ours and a line's end: broken so that it stays within SCREEN_COLUMNS, at blanks outside of [ ], or behind a
 * Chinese character. It begins at column first; further lines are indented. */
void screen_wrap(const char *text, int first, int indent, FILE *to);

#endif
