#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "cli/screen.h"

enum { GAP = 2, CELL_MAX = 4096 };

void table_init(struct table *t, int columns, unsigned right)
{
	*t = (struct table){.columns = columns, .right = right};
}

void table_fini(struct table *t)
{
	for (int i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	table_init(t, t->columns, t->right);
}

static int grow(struct table *t)
{
	int size = t->size ? t->size * 2 : 64;
	char **cells = t->count < t->size ? t->cells : realloc(t->cells, (size_t)size * sizeof(*cells));

	if (!cells)
		return -1;
	if (t->count == t->size)
		t->size = size;
	t->cells = cells;
	return 0;
}

void table_cell(struct table *t, const char *text)
{
	struct buffer safe;

	if (grow(t))
		return;
	buffer_init(&safe, CELL_MAX);
	screen_add(&safe, text && *text ? text : "-");
	t->cells[t->count++] = safe.data; /* taken over */
}

void table_pair(struct table *t, const char *name, const char *text)
{
	table_cell(t, name);
	table_cell(t, text);
}

static void pad(int columns, FILE *to)
{
	for (; columns > 0; columns--)
		(void)fputc(' ', to);
}

void table_print(const struct table *t, FILE *to)
{
	int widths[TABLE_COLUMNS] = {0};

	for (int i = 0; i < t->count; i++) {
		int width = t->cells[i] ? screen_width(t->cells[i]) : 0;

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	for (int i = 0; i < t->count; i++) {
		const char *cell = t->cells[i] ? t->cells[i] : "";
		int column = i % t->columns, is_last = column == t->columns - 1;
		int space = widths[column] - screen_width(cell), is_right = t->right >> column & 1;

		pad(is_right ? space : 0, to);
		(void)fputs(cell, to);
		/* No blanks at the end of a line. */
		pad(is_last ? 0 : GAP + (is_right ? 0 : space), to);
		if (is_last)
			(void)fputc('\n', to);
	}
}
