#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/convert.h"
#include "config/rules.h"
#include "config/schema.h"
#include "config/uci.h"

/* More than any configuration of CONFIG_MAX_CONNECTORS connectors takes. */
static const size_t config_memory = (size_t)32 << 20;
enum { MISTAKES_SHOWN = 200 };

struct mistakes {
	const char *path;
	FILE *to;
	int count;
	char first[ERROR_TEXT_MAX];
};

static void note(struct mistakes *m, int line, const char *object, const char *what)
{
	char text[ERROR_TEXT_MAX * 2];

	(void)snprintf(text, sizeof(text), "%s:%d: %s%s%s", m->path, line, object, *object ? ": " : "", what);
	if (!m->count)
		(void)snprintf(m->first, sizeof(m->first), "%.*s", (int)sizeof(m->first) - 1, text);
	if (m->to && m->count < MISTAKES_SHOWN)
		fprintf(m->to, "%s\n", text);
	m->count++;
}

static void note_uci(void *user, int line, const char *what)
{
	note(user, line, "", what);
}

/* "charger.c1.unit", or "gateway.unit" for a section without a name. */
static void object_text(const struct uci_section *s, const char *option, char *out, size_t size)
{
	(void)snprintf(out, size, "%.40s%s%.60s%s%.60s", s->type, *s->name ? "." : "", s->name, *option ? "." : "",
		       option);
}

static void __attribute__((format(printf, 5, 6)))
note_at(struct mistakes *m, int line, const struct uci_section *s, const char *option, const char *fmt, ...)
{
	char object[200], what[CONVERT_TEXT + 100];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	object_text(s, option, object, sizeof(object));
	note(m, line, object, what);
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

static void unknown_option(struct mistakes *m, const struct uci_section *s, const struct schema_section *schema,
			   const struct uci_option *o)
{
	const char *best = NULL;
	int best_distance = 4;

	for (const struct schema_option *c = schema->options; c->name; c++)
		nearer(o->name, c->name, &best, &best_distance);
	note_at(m, o->line, s, o->name, "there is no such option%s%s%s", best ? ": did you mean " : "",
		best ? best : "", best ? "?" : "");
}

static void unknown_section(struct mistakes *m, const struct uci_section *s)
{
	const char *best = NULL;
	int best_distance = 4;

	for (const struct schema_section *c = schema_sections; c->type; c++)
		nearer(s->type, c->type, &best, &best_distance);
	note_at(m, s->line, s, "", "there is no such section type%s%s%s", best ? ": did you mean " : "",
		best ? best : "", best ? "?" : "");
}

/* What a reader works with: the file, what it becomes, and what is wrong with it. */
struct reading {
	struct config *config;
	struct uci_file file;
	struct arena scratch; /* the file's own tree */
	struct mistakes mistakes;
	int no_memory;
};

static int find_named(struct reading *r, const char *type, const char *name)
{
	int index = 0;

	for (const struct uci_section *s = r->file.sections; s; s = s->next) {
		if (strcmp(s->type, type) != 0)
			continue;
		if (!strcmp(s->name, name))
			return index;
		index++;
	}
	return -1;
}

static int read_reference(struct reading *r, const struct uci_section *s, const struct schema_option *o,
			  const struct uci_value *v)
{
	int index = find_named(r, o->ref, v->text);

	if (index < 0)
		note_at(&r->mistakes, v->line, s, o->name, "\"%.60s\" is not the name of a section of type %s", v->text,
			o->ref);
	return index;
}

static void read_references(struct reading *r, const struct uci_section *s, const struct schema_option *o,
			    const struct uci_option *given, char *object)
{
	int n = 0;

	for (const struct uci_value *v = given->values; v; v = v->next)
		n++;
	int *list = arena_alloc(&r->config->arena, (size_t)n * sizeof(int));
	if (!list) {
		r->no_memory = 1;
		return;
	}
	n = 0;
	for (const struct uci_value *v = given->values; v; v = v->next)
		list[n++] = read_reference(r, s, o, v);
	*(const int **)(void *)(object + o->offset) = list;
	*(int *)(void *)(object + o->count_offset) = n;
}

static void read_texts(struct reading *r, const struct uci_section *s, const struct schema_option *o,
		       const struct uci_option *given, char *object)
{
	char what[CONVERT_TEXT];
	int n = 0;

	for (const struct uci_value *v = given->values; v; v = v->next)
		n++;
	const char **list = arena_alloc(&r->config->arena, (size_t)n * sizeof(char *));
	if (!list) {
		r->no_memory = 1;
		return;
	}
	struct schema_option item = *o;
	item.offset = 0;
	n = 0;
	for (const struct uci_value *v = given->values; v; v = v->next) {
		int result = convert_option(&item, v->text, &list[n++], &r->config->arena, what);

		if (result == FC_ENOMEM)
			r->no_memory = 1;
		else if (result)
			note_at(&r->mistakes, v->line, s, o->name, "%s", what);
	}
	*(const char ***)(void *)(object + o->offset) = list;
	*(int *)(void *)(object + o->count_offset) = n;
}

static void read_given(struct reading *r, const struct uci_section *s, const struct schema_option *o,
		       const struct uci_option *given, char *object)
{
	char what[CONVERT_TEXT];
	int wants_list = o->kind == SCHEMA_REFERENCES || o->kind == SCHEMA_TEXTS;

	if (given->is_list != wants_list) {
		note_at(&r->mistakes, given->line, s, o->name,
			wants_list ? "wants list, not option" : "wants option, not list");
		return;
	}
	if (o->kind == SCHEMA_REFERENCES) {
		read_references(r, s, o, given, object);
		return;
	}
	if (o->kind == SCHEMA_TEXTS) {
		read_texts(r, s, o, given, object);
		return;
	}
	if (o->kind == SCHEMA_REFERENCE) {
		*(int *)(void *)(object + o->offset) = read_reference(r, s, o, given->values);
		return;
	}
	/* An empty optional text is the same as none, as OpenWrt's tools write it. */
	if (!*given->values->text && !o->required && o->min > 0)
		return;
	int result = convert_option(o, given->values->text, object, &r->config->arena, what);
	if (result == FC_ENOMEM)
		r->no_memory = 1;
	else if (result)
		note_at(&r->mistakes, given->line, s, o->name, "%s", what);
}

/* Defaults first, so that every field is sound whatever the file says. */
static void set_defaults(struct reading *r, const struct schema_section *schema, char *object)
{
	char what[CONVERT_TEXT];

	for (const struct schema_option *o = schema->options; o->name; o++) {
		char *field = object + o->offset;

		switch (o->kind) {
		case SCHEMA_INT:
		case SCHEMA_BOOL:
		case SCHEMA_WORD:
		case SCHEMA_DEGREES:
		case SCHEMA_REFERENCES:
		case SCHEMA_TEXTS:
			break; /* zeroed */
		case SCHEMA_REFERENCE:
			*(int *)(void *)field = -1;
			break;
		case SCHEMA_TEXT:
		case SCHEMA_ID:
		case SCHEMA_DIGITS:
		case SCHEMA_OPERATOR:
		case SCHEMA_SECRET:
		case SCHEMA_URL:
		case SCHEMA_PREFIX:
		case SCHEMA_DATE:
			*(const char **)(void *)field = "";
			break;
		}
		if (o->preset && convert_option(o, o->preset, object, &r->config->arena, what))
			r->no_memory = 1;
	}
}

static void read_section(struct reading *r, const struct uci_section *s, const struct schema_section *schema,
			 char *object)
{
	char *name = arena_copy(&r->config->arena, s->name, strlen(s->name));

	if (!name) {
		r->no_memory = 1;
		return;
	}
	*(const char **)(void *)object = name;
	set_defaults(r, schema, object);
	for (const struct uci_option *given = s->options; given; given = given->next) {
		const struct schema_option *o = schema->options;

		while (o->name && strcmp(o->name, given->name) != 0)
			o++;
		if (o->name)
			read_given(r, s, o, given, object);
		else
			unknown_option(&r->mistakes, s, schema, given);
	}
	for (const struct schema_option *o = schema->options; o->name; o++)
		if (o->required && !uci_option(s, o->name)) {
			char allowed[CONVERT_TEXT];

			convert_describe(o, allowed);
			note_at(&r->mistakes, s->line, s, o->name, "is missing: %s", allowed);
		}
}

static void check_name(struct reading *r, const struct uci_section *s, const struct schema_section *schema)
{
	if (!schema->count)
		return;
	if (!*s->name) {
		note_at(&r->mistakes, s->line, s, "", "wants a name: config %s 'NAME'", s->type);
		return;
	}
	for (const struct uci_section *before = r->file.sections; before != s; before = before->next)
		if (!strcmp(before->type, s->type) && !strcmp(before->name, s->name)) {
			note_at(&r->mistakes, s->line, s, "", "there is one of that name on line %d already",
				before->line);
			return;
		}
}

/* All sections of one type, in the file's order. */
static void read_type(struct reading *r, const struct schema_section *schema)
{
	char *base = (char *)r->config;
	int n = 0;

	for (const struct uci_section *s = r->file.sections; s; s = s->next)
		n += !strcmp(s->type, schema->type);
	if (!n && schema->required)
		note(&r->mistakes, 1, schema->type, "a section of this type is missing");
	char *objects = base + schema->list;
	if (schema->count) {
		objects = arena_alloc(&r->config->arena, (size_t)(n + 1) * schema->size);
		if (!objects) {
			r->no_memory = 1;
			return;
		}
		*(char **)(void *)(base + schema->list) = objects;
		*(int *)(void *)(base + schema->count) = n;
	}
	n = 0;
	for (const struct uci_section *s = r->file.sections; s && !r->no_memory; s = s->next) {
		if (strcmp(s->type, schema->type) != 0)
			continue;
		if (!schema->count && n) {
			note_at(&r->mistakes, s->line, s, "", "there may be only one section of this type");
			continue;
		}
		check_name(r, s, schema);
		read_section(r, s, schema, objects + (size_t)n * schema->size);
		n++;
	}
}

/* rules.c speaks of objects; the place in the file is found here. */
static void note_rule(void *user, const char *type, int index, const char *option, const char *what)
{
	struct reading *r = user;
	int i = 0;

	for (const struct uci_section *s = r->file.sections; s; s = s->next) {
		if (strcmp(s->type, type) != 0 || i++ != index)
			continue;
		const struct uci_option *o = uci_option(s, option);
		note_at(&r->mistakes, o ? o->line : s->line, s, option, "%s", what);
		return;
	}
	note(&r->mistakes, 1, type, what);
}

static void read_sections(struct reading *r)
{
	for (const struct uci_section *s = r->file.sections; s; s = s->next)
		if (!schema_find(s->type))
			unknown_section(&r->mistakes, s);
	for (const struct schema_section *schema = schema_sections; schema->type && !r->no_memory; schema++)
		read_type(r, schema);
	/* Rules between objects make sense only when each object does. */
	if (!r->mistakes.count && !r->no_memory && rules_apply(r->config, note_rule, r))
		r->no_memory = 1;
}

/* The whole file in scratch memory. */
static int slurp(const char *path, struct arena *scratch, char **text, size_t *len, struct error *err)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		return error_set(err, FC_EIO, "config: open: %s: %s", path, strerror(errno));
	*text = arena_alloc(scratch, UCI_FILE_MAX + 1);
	*len = *text ? fread(*text, 1, UCI_FILE_MAX + 1, file) : 0;
	int failed = ferror(file) ? errno : 0;
	(void)fclose(file);
	if (!*text)
		return error_set(err, FC_ENOMEM, "config: no memory");
	if (failed)
		return error_set(err, FC_EIO, "config: read: %s: %s", path, strerror(failed));
	if (*len > UCI_FILE_MAX)
		return error_set(err, FC_ELIMIT, "config: %s: is larger than 1 MiB", path);
	return FC_OK;
}

struct config *config_read(const char *path, FILE *mistakes, struct error *err)
{
	struct reading r = {.mistakes = {.path = path, .to = mistakes}};
	char *text = NULL;
	size_t len = 0;

	r.config = calloc(1, sizeof(*r.config));
	if (!r.config) {
		(void)error_set(err, FC_ENOMEM, "config: no memory");
		return NULL;
	}
	arena_init(&r.config->arena, config_memory);
	arena_init(&r.scratch, config_memory);
	int result = slurp(path, &r.scratch, &text, &len, err);
	if (!result) {
		r.config->path = arena_copy(&r.config->arena, path, strlen(path));
		if (uci_parse(text, len, &r.scratch, &r.file, note_uci, &r.mistakes) < 0 || !r.config->path)
			r.no_memory = 1;
		else
			read_sections(&r);
		if (r.no_memory)
			result = error_set(err, FC_ENOMEM, "config: %s: no memory", path);
		else if (r.mistakes.count)
			result = error_set(err, FC_EINVAL, "config: %d mistake(s), the first: %s", r.mistakes.count,
					   r.mistakes.first);
	}
	arena_fini(&r.scratch);
	if (result) {
		config_free(r.config);
		return NULL;
	}
	return r.config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_fini(&config->arena);
	free(config);
}
