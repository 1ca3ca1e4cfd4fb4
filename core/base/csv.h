/* CSV as of RFC 4180: fields with a comma, a quote or a line end in quotes, lines end with CR LF. */
#ifndef FC_BASE_CSV_H
#define FC_BASE_CSV_H

#include <stdio.h>

struct csv {
	FILE *to;
	int begun; /* a field of this line is written */
};

/* A text that a spreadsheet would take for a formula gets an apostrophe in front. */
void csv_text(struct csv *csv, const char *text);
/* A figure, as it is. */
void csv_figure(struct csv *csv, const char *figure);
void csv_end(struct csv *csv);

#endif
