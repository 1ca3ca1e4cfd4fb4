/* The table of all sections and options, from the schema: what README.md shows, and forecourtd --options prints. */
#include "config/config.h"
#include "config/convert.h"
#include "config/schema.h"

static void describe_option(FILE *to, const struct schema_option *o)
{
	char allowed[CONVERT_TEXT];
	int is_list = o->kind == SCHEMA_REFERENCES || o->kind == SCHEMA_TEXTS;

	convert_describe(o, allowed);
	fprintf(to, "| `%s%s` | %s | %s |\n", is_list ? "list " : "", o->name, allowed,
		o->required                                       ? "required"
		: o->preset                                       ? o->preset
		: is_list                                         ? "none"
		: o->words                                        ? o->words[0].word
		: o->kind == SCHEMA_INT || o->kind == SCHEMA_BOOL ? "0"
								  : "");
}

void config_describe(FILE *to)
{
	for (const struct schema_section *s = schema_sections; s->type; s++) {
		if (s->count)
			fprintf(to, "\n### config %s 'NAME' (up to %d)\n\n", s->type, s->most);
		else
			fprintf(to, "\n### config %s 'NAME' (%s)\n\n", s->type,
				s->required ? "exactly one" : "at most one");
		fprintf(to, "| option | allowed | default |\n|---|---|---|\n");
		for (const struct schema_option *o = s->options; o->name; o++)
			describe_option(to, o);
	}
}
