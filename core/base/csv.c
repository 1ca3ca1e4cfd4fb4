#include "base/csv.h"

#include <string.h>

void csv_figure(struct csv *csv, const char *figure)
{
	if (csv->begun)
		(void)fputc(',', csv->to);
	csv->begun = 1;
	if (!strpbrk(figure, ",\"\r\n")) {
		(void)fputs(figure, csv->to);
		return;
	}
	(void)fputc('"', csv->to);
	for (; *figure; figure++) {
		if (*figure == '"')
			(void)fputc('"', csv->to);
		(void)fputc(*figure, csv->to);
	}
	(void)fputc('"', csv->to);
}

void csv_text(struct csv *csv, const char *text)
{
	char guarded[512];

	if (!*text || !strchr("=+-@\t\r", *text)) {
		csv_figure(csv, text);
		return;
	}
	(void)snprintf(guarded, sizeof(guarded), "'%s", text);
	csv_figure(csv, guarded);
}

void csv_end(struct csv *csv)
{
	(void)fputs("\r\n", csv->to);
	csv->begun = 0;
}
