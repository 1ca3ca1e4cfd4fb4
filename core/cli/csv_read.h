/* CSV read: rows of a table as spreadsheets write it: comma, semicolon or tab, fields in quotes, a byte order mark. */
#ifndef FC_CLI_CSV_READ_H
#define FC_CLI_CSV_READ_H

#include <stddef.h>

enum { CSV_FIELDS = 64 };

struct csv_reader {
	char *at, *end;
	char separator;
	int line; /* of the next row, from 1 */
};

struct csv_row {
	char *fields[CSV_FIELDS]; /* without blanks at their ends; bytes that are no UTF-8 are '?' */
	int count;
	int line;   /* that it begins in */
	int broken; /* a quote that never ends, or more fields than there is room for */
};

/* text: len bytes and a zero byte behind; is changed while it is read, and must outlive the rows. */
void csv_reader_init(struct csv_reader *reader, char *text, size_t len);
/* 0 at the end. Empty lines are rows of one empty field. */
int csv_read_row(struct csv_reader *reader, struct csv_row *row);

#endif
