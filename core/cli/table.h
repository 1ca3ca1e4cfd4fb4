/* Table: cells that come row by row, printed aligned once all are there. */
#ifndef FC_CLI_TABLE_H
#define FC_CLI_TABLE_H

#include <stdio.h>

enum { TABLE_COLUMNS = 12 };

struct table {
	int columns;
	unsigned right; /* bit i: column i is aligned to the right */
	char **cells;   /* count of them, row by row; NULL where there was no memory */
	int count, size;
};

/* columns: at most TABLE_COLUMNS. */
void table_init(struct table *table, int columns, unsigned right);
void table_fini(struct table *table);
/* The next cell; NULL and "" are shown as "-". Made safe for a terminal. */
void table_cell(struct table *table, const char *text);
/* Two cells of a table of two columns. */
void table_pair(struct table *table, const char *name, const char *text);
void table_print(const struct table *table, FILE *to);

#endif
