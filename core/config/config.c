#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/convert.h"
#include "config/mistakes.h"
#include "config/rules.h"
#include "config/schema.h"
#include "config/uci.h"

/* More than any configuration of CONFIG_MAX_CONNECTORS connectors takes. */
static const size_t config_memory = (size_t)32 << 20;

static void note_uci(void *user, int line, const char *what)
{
	mistakes_note(user, line, "", what);
}

/* The sections of one type: in the file's order (as the objects are), and by name. */
struct group {
	const char *type;
	struct uci_section **sections;
	int *by_name; /* places in sections */
	int count;
};

/* What a reader works with: the file, what it becomes, and what is wrong with it. */
struct reading {
	struct config *config;
	struct uci_file file;
	struct arena scratch; /* the file's own tree */
	struct mistakes mistakes;
	struct group groups[SCHEMA_SECTIONS]; /* as in schema_sections */
	int no_memory;
};

static int compare_names(const void *a, const void *b, void *group)
{
	struct uci_section *const *sections = ((const struct group *)group)->sections;
	int x = *(const int *)a, y = *(const int *)b, order = strcmp(sections[x]->name, sections[y]->name);

	return order ? order : x - y;
}

static int make_group(struct reading *r, struct group *g, const char *type)
{
	int n = 0;

	*g = (struct group){.type = type};
	for (struct uci_section *s = r->file.sections; s; s = s->next)
		g->count += !strcmp(s->type, type);
	g->sections = arena_alloc(&r->scratch, ((size_t)g->count + 1) * sizeof(struct uci_section *));
	g->by_name = arena_alloc(&r->scratch, ((size_t)g->count + 1) * sizeof(int));
	if (!g->sections || !g->by_name)
		return FC_ENOMEM;
	for (struct uci_section *s = r->file.sections; s; s = s->next)
		if (!strcmp(s->type, type)) {
			g->by_name[n] = n;
			g->sections[n++] = s;
		}
	qsort_r(g->by_name, (size_t)n, sizeof(int), compare_names, g);
	return FC_OK;
}

static struct group *find_group(struct reading *r, const char *type)
{
	struct group *g = r->groups;

	while (strcmp(g->type, type) != 0)
		g++;
	return g;
}

/* Place of the first section of that name, or -1. */
static int find_named(struct reading *r, const char *type, const char *name)
{
	const struct group *g = find_group(r, type);
	int low = 0, high = g->count;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (strcmp(g->sections[g->by_name[middle]]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == g->count || strcmp(g->sections[g->by_name[low]]->name, name) != 0)
		return -1;
	return g->by_name[low];
}

static int read_reference(struct reading *r, struct uci_section *s, const struct schema_option *o,
			  const struct uci_value *v)
{
	int index = find_named(r, o->ref, v->text);

	if (index < 0)
		mistakes_note_at(&r->mistakes, v->line, s, o->name, "\"%.60s\" is not the name of a section of type %s",
				 v->text, o->ref);
	return index;
}

static void read_references(struct reading *r, struct uci_section *s, const struct schema_option *o,
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

static void read_texts(struct reading *r, struct uci_section *s, const struct schema_option *o,
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
			mistakes_note_at(&r->mistakes, v->line, s, o->name, "%s", what);
	}
	*(const char ***)(void *)(object + o->offset) = list;
	*(int *)(void *)(object + o->count_offset) = n;
}

static void read_given(struct reading *r, struct uci_section *s, const struct schema_option *o,
		       const struct uci_option *given, char *object)
{
	char what[CONVERT_TEXT];
	int wants_list = o->kind == SCHEMA_REFERENCES || o->kind == SCHEMA_TEXTS;

	if (given->is_list != wants_list) {
		mistakes_note_at(&r->mistakes, given->line, s, o->name,
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
		mistakes_note_at(&r->mistakes, given->line, s, o->name, "%s", what);
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

static void read_section(struct reading *r, struct uci_section *s, const struct schema_section *schema, char *object)
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
			mistakes_unknown_option(&r->mistakes, s, schema, given);
	}
	for (const struct schema_option *o = schema->options; o->name; o++)
		if (o->required && !uci_option(s, o->name)) {
			char allowed[CONVERT_TEXT];

			convert_describe(o, allowed);
			mistakes_note_at(&r->mistakes, s->line, s, o->name, "is missing: %s", allowed);
		}
}

/* Each section of a list has a name of its own. */
static void check_names(struct reading *r, const struct group *g)
{
	for (int i = 0; i < g->count; i++) {
		struct uci_section *s = g->sections[g->by_name[i]];
		const struct uci_section *before = i ? g->sections[g->by_name[i - 1]] : NULL;

		if (!*s->name)
			mistakes_note_at(&r->mistakes, s->line, s, "", "wants a name: config %s 'NAME'", s->type);
		else if (before && !strcmp(before->name, s->name))
			mistakes_note_at(&r->mistakes, s->line, s, "", "there is one of that name on line %d already",
					 before->line);
	}
}

/* The one section of its kind. Without it there are its defaults, and no name. */
static void read_single(struct reading *r, const struct schema_section *schema, const struct group *g)
{
	char *object = (char *)r->config + schema->list;

	if (!g->count && schema->required)
		mistakes_note(&r->mistakes, 1, schema->type, "a section of this type is missing");
	if (!g->count)
		set_defaults(r, schema, object);
	for (int i = 0; i < g->count; i++) {
		struct uci_section *s = g->sections[i];

		if (!i)
			read_section(r, s, schema, object);
		else
			mistakes_note_at(&r->mistakes, s->line, s, "", "there may be only one section of this type");
	}
}

static void read_list(struct reading *r, const struct schema_section *schema, const struct group *g)
{
	char *base = (char *)r->config;
	char *objects = arena_alloc(&r->config->arena, ((size_t)g->count + 1) * schema->size);

	if (!objects) {
		r->no_memory = 1;
		return;
	}
	if (g->count > schema->most) {
		struct uci_section *s = g->sections[schema->most];

		mistakes_note_at(&r->mistakes, s->line, s, "", "is one too many: %d sections of this type are allowed",
				 schema->most);
		return;
	}
	*(char **)(void *)(base + schema->list) = objects;
	*(int *)(void *)(base + schema->count) = g->count;
	check_names(r, g);
	for (int i = 0; i < g->count && !r->no_memory; i++)
		read_section(r, g->sections[i], schema, objects + (size_t)i * schema->size);
}

/* rules.c speaks of objects; the place in the file is found here. What is wrong by itself already is not said again. */
static void note_rule(void *user, const char *type, int index, const char *option, const char *what)
{
	struct reading *r = user;
	struct uci_section *s = find_group(r, type)->sections[index];
	const struct uci_option *o = uci_option(s, option);

	if (!o || !o->bad)
		mistakes_note_at(&r->mistakes, o ? o->line : s->line, s, option, "%s", what);
}

static int is_sound(void *user, const char *type, int index, const char *option)
{
	struct reading *r = user;
	const struct uci_option *o = uci_option(find_group(r, type)->sections[index], option);

	return !o || !o->bad;
}

static int is_given(void *user, const char *type, int index, const char *option)
{
	struct reading *r = user;

	return uci_option(find_group(r, type)->sections[index], option) != NULL;
}

static void read_sections(struct reading *r)
{
	int n = 0;

	for (struct uci_section *s = r->file.sections; s; s = s->next)
		if (!schema_find(s->type))
			mistakes_unknown_section(&r->mistakes, s);
	for (const struct schema_section *schema = schema_sections; schema->type; schema++)
		r->no_memory |= make_group(r, &r->groups[n++], schema->type) != FC_OK;
	n = 0;
	for (const struct schema_section *schema = schema_sections; schema->type && !r->no_memory; schema++, n++)
		if (schema->count)
			read_list(r, schema, &r->groups[n]);
		else
			read_single(r, schema, &r->groups[n]);
	/* No page unless it is asked for. */
	if (!find_group(r, "admin")->count)
		r->config->admin.enabled = 0;
	const struct rules_place place = {note_rule, is_sound, is_given, r};
	if (!r->no_memory && rules_apply(r->config, &place))
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

/* mistakes.path and what it tells are set; text NULL: it is read from there. */
static struct config *read_config(struct reading *r, const char *text, size_t len, struct error *err)
{
	const char *path = r->mistakes.path;
	char *own = NULL;
	int result = FC_OK;

	r->config = calloc(1, sizeof(*r->config));
	if (!r->config) {
		(void)error_set(err, FC_ENOMEM, "config: no memory");
		return NULL;
	}
	arena_init(&r->config->arena, config_memory);
	arena_init(&r->scratch, config_memory);
	if (!text) {
		result = slurp(path, &r->scratch, &own, &len, err);
		text = own;
	} else if (len > UCI_FILE_MAX) {
		result = error_set(err, FC_ELIMIT, "config: %s: is larger than 1 MiB", path);
	}
	if (!result) {
		r->config->path = arena_copy(&r->config->arena, path, strlen(path));
		if (uci_parse(text, len, &r->scratch, &r->file, note_uci, &r->mistakes) < 0 || !r->config->path)
			r->no_memory = 1;
		else
			read_sections(r);
		if (r->no_memory)
			result = error_set(err, FC_ENOMEM, "config: %s: no memory", path);
		else if (r->mistakes.count)
			result = error_set(err, FC_EINVAL, "config: %d mistake(s), the first: %s", r->mistakes.count,
					   r->mistakes.first);
	}
	mistakes_close(&r->mistakes);
	arena_fini(&r->scratch);
	if (result) {
		config_free(r->config);
		return NULL;
	}
	return r->config;
}

struct config *config_read(const char *path, FILE *mistakes, struct error *err)
{
	struct reading r = {.mistakes = {.path = path, .to = mistakes}};

	return read_config(&r, NULL, 0, err);
}

struct config *config_parse(const char *path, const char *text, size_t len, config_mistaken each, void *user,
			    struct error *err)
{
	struct reading r = {.mistakes = {.path = path, .each = each, .user = user}};

	return read_config(&r, text, len, err);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_fini(&config->arena);
	free(config);
}
