#include "config/mistakes.h"

#include <stdarg.h>
#include <string.h>

#include "config/convert.h"

/* More than anyone reads; looking for the nearest word has a price too. */
enum { MISTAKES_SHOWN = 200 };

/* s, option: where it is, NULL and "" for nowhere. */
static void note(struct mistakes *m, int line, const struct uci_section *s, const char *option, const char *object,
		 const char *what)
{
	char text[ERROR_TEXT_MAX * 2];

	(void)snprintf(text, sizeof(text), "%s:%d: %s%s%s", m->path, line, object, *object ? ": " : "", what);
	if (!m->count)
		(void)snprintf(m->first, sizeof(m->first), "%.*s", (int)sizeof(m->first) - 1, text);
	if (m->to && m->count < MISTAKES_SHOWN)
		fprintf(m->to, "%s\n", text);
	if (m->each && m->count < MISTAKES_SHOWN) {
		const struct config_mistake mistake = {line, s ? s->type : "", s ? s->name : "", option, what, text};

		m->each(m->user, &mistake);
	}
	m->count++;
}

void mistakes_note(struct mistakes *m, int line, const char *object, const char *what)
{
	note(m, line, NULL, "", object, what);
}

/* "charger.c1.unit", or "gateway.unit" for a section without a name. */
static void object_text(const struct uci_section *s, const char *option, char *out, size_t size)
{
	(void)snprintf(out, size, "%.40s%s%.60s%s%.60s", s->type, *s->name ? "." : "", s->name, *option ? "." : "",
		       option);
}

void mistakes_note_at(struct mistakes *m, int line, struct uci_section *s, const char *option, const char *fmt, ...)
{
	struct uci_option *o = uci_option(s, option);
	char object[200], what[CONVERT_TEXT + 100];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	object_text(s, option, object, sizeof(object));
	note(m, line, s, option, object, what);
	if (o)
		o->bad = 1;
}

/* Edit distance, for "did you mean"; words are short. */
static int distance(const char *a, const char *b)
{
	enum { MOST = 32 };
	size_t n = strlen(a), k = strlen(b);
	int row[MOST + 1];

	if (n > MOST || k > MOST)
		return MOST;
	for (size_t j = 0; j <= k; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int diagonal = row[0];

		row[0] = (int)i;
		for (size_t j = 1; j <= k; j++) {
			int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			row[j] = best;
		}
	}
	return row[k];
}

static void nearer(const char *word, const char *candidate, const char **best, int *best_distance)
{
	int d = distance(word, candidate);

	if (d < *best_distance) {
		*best = candidate;
		*best_distance = d;
	}
}

void mistakes_unknown_option(struct mistakes *m, struct uci_section *s, const struct schema_section *schema,
			     const struct uci_option *o)
{
	const char *best = NULL;
	int best_distance = 4;

	for (const struct schema_option *c = schema->options; c->name && m->count < MISTAKES_SHOWN; c++)
		nearer(o->name, c->name, &best, &best_distance);
	mistakes_note_at(m, o->line, s, o->name, "there is no such option%s%s%s", best ? ": did you mean " : "",
			 best ? best : "", best ? "?" : "");
}

void mistakes_unknown_section(struct mistakes *m, struct uci_section *s)
{
	const char *best = NULL;
	int best_distance = 4;

	for (const struct schema_section *c = schema_sections; c->type && m->count < MISTAKES_SHOWN; c++)
		nearer(s->type, c->type, &best, &best_distance);
	mistakes_note_at(m, s->line, s, "", "there is no such section type%s%s%s", best ? ": did you mean " : "",
			 best ? best : "", best ? "?" : "");
}

void mistakes_close(const struct mistakes *m)
{
	if (m->to && m->count > MISTAKES_SHOWN)
		fprintf(m->to, "%s: and %d more\n", m->path, m->count - MISTAKES_SHOWN);
}
