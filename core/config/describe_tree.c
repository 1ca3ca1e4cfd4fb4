#include "config/describe_tree.h"

#include "base/maker.h"
#include "config/convert.h"
#include "config/help.h"

static const char *kind_name(enum schema_kind kind)
{
	switch (kind) {
	case SCHEMA_TEXT:
	case SCHEMA_TEXTS:
		return "text";
	case SCHEMA_ID:
		return "id";
	case SCHEMA_DIGITS:
		return "digits";
	case SCHEMA_OPERATOR:
		return "operator";
	case SCHEMA_SECRET:
		return "secret";
	case SCHEMA_URL:
		return "url";
	case SCHEMA_PREFIX:
		return "prefix";
	case SCHEMA_DATE:
		return "date";
	case SCHEMA_INT:
		return "int";
	case SCHEMA_BOOL:
		return "bool";
	case SCHEMA_WORD:
		return "word";
	case SCHEMA_DEGREES:
		return "degrees";
	case SCHEMA_REFERENCE:
	case SCHEMA_REFERENCES:
		return "reference";
	}
	return "text";
}

static void put_flag(struct maker *m, struct value *object, const char *key, int is_set)
{
	if (is_set)
		maker_flag(m, object, key, 1);
}

static struct value *describe_option(struct maker *m, const struct schema_section *section,
				     const struct schema_option *o)
{
	const struct help *help = help_find(section->type, o->name);
	struct value *v = value_object(m->arena);
	char allowed[CONVERT_TEXT];

	convert_describe(o, allowed);
	maker_text(m, v, "name", o->name);
	maker_text(m, v, "kind", kind_name(o->kind));
	maker_text(m, v, "allowed", allowed);
	if (o->min || o->max) {
		maker_int(m, v, "min", o->min);
		maker_int(m, v, "max", o->max);
	}
	if (o->preset)
		maker_text(m, v, "default", o->preset);
	else if (o->kind == SCHEMA_INT || o->kind == SCHEMA_BOOL)
		maker_text(m, v, "default", "0");
	if (o->words) {
		struct value *words = value_array(m->arena);

		for (const struct schema_word *w = o->words; w->word; w++)
			maker_push(m, words, value_string(m->arena, w->word));
		maker_put(m, v, "words", words);
		if (!o->preset && !o->required)
			maker_text(m, v, "default", o->words[0].word);
	}
	if (o->ref)
		maker_text(m, v, "ref", o->ref);
	put_flag(m, v, "required", o->required);
	put_flag(m, v, "secret", o->kind == SCHEMA_SECRET);
	put_flag(m, v, "list", o->kind == SCHEMA_REFERENCES || o->kind == SCHEMA_TEXTS);
	put_flag(m, v, "restart", o->restart || section->change_restarts);
	put_flag(m, v, "basic", o->required || (help && help->is_basic));
	maker_text(m, v, "help", help ? help->english : o->name);
	maker_text(m, v, "help_zh", help ? help->chinese : o->name);
	return v;
}

struct value *config_schema_tree(struct arena *arena)
{
	struct maker m = {.arena = arena};
	struct value *root = value_object(arena), *sections = value_array(arena);

	for (const struct schema_section *s = schema_sections; s->type; s++) {
		const struct help *help = help_find(s->type, "");
		struct value *v = value_object(arena), *options = value_array(arena);

		maker_text(&m, v, "type", s->type);
		maker_text(&m, v, "title", help ? help->english : s->type);
		maker_text(&m, v, "title_zh", help ? help->chinese : s->type);
		maker_put(&m, v, "many", value_bool(arena, s->count != 0));
		maker_put(&m, v, "required", value_bool(arena, s->required));
		if (s->count)
			maker_int(&m, v, "most", s->most);
		for (const struct schema_option *o = s->options; o->name; o++)
			maker_push(&m, options, describe_option(&m, s, o));
		maker_put(&m, v, "options", options);
		maker_push(&m, sections, v);
	}
	maker_put(&m, root, "sections", sections);
	return m.failed ? NULL : root;
}
