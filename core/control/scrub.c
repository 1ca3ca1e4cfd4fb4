#include "control/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "config/schema.h"
#include "config/uci.h"
#include "upstream/personal.h"

enum { SECRET_MAX = 2048 };
static const size_t memory = 8 << 20;

/* Secrets ------------------------------------------------------------------------------------------------------------- */

static void star_out(char *text, size_t len, const char *secret, size_t secret_len)
{
	char *end = text + len, *at = text;

	while (secret_len >= SCRUB_SHORTEST && (at = memmem(at, (size_t)(end - at), secret, secret_len))) {
		memset(at, '*', secret_len);
		at += secret_len;
	}
}

/* As it is, and as JSON has it. */
static void star_secret(char *text, size_t len, const char *secret)
{
	const struct value v = {.type = VALUE_STRING, .text = secret, .len = strlen(secret)};
	struct buffer json;

	star_out(text, len, secret, strlen(secret));
	buffer_init(&json, SECRET_MAX);
	if (!json_write(&json, &v) && json.len > 2)
		star_out(text, len, json.data + 1, json.len - 2);
	if (json.data)
		explicit_bzero(json.data, json.len);
	buffer_fini(&json);
}

static void star_secrets(char *text, size_t len, const struct config *config)
{
	for (const struct schema_section *s = schema_sections; s->type; s++)
		for (int i = 0; i < schema_count(s, config); i++) {
			const char *object = schema_object(s, config, i);

			for (const struct schema_option *o = s->options; object && o->name; o++) {
				const char *secret = NULL;

				if (o->kind != SCHEMA_SECRET)
					continue;
				memcpy(&secret, object + o->offset, sizeof(secret));
				if (secret && *secret)
					star_secret(text, len, secret);
			}
		}
}

/* Persons ------------------------------------------------------------------------------------------------------------- */

/* Stations and connectors: the piece is, or is part of, one of theirs. */
static int is_ours(const struct config *config, const char *piece, size_t len)
{
	for (int i = 0; i < config->connector_count; i++) {
		const char *id = config->connectors[i].connector_id;

		if (memmem(id, strlen(id), piece, len))
			return 1;
	}
	for (int i = 0; i < config->station_count; i++) {
		const char *id = config->stations[i].station_id, *tel = config->stations[i].service_tel;

		if (memmem(id, strlen(id), piece, len) || memmem(tel, strlen(tel), piece, len))
			return 1;
	}
	return 0;
}

/* The hash of a Lua file's version: 64 small hexadecimal digits. */
static int is_hash(const char *piece, size_t len)
{
	enum { HASH = 64 };
	size_t n = 0;

	while (n < len && piece[n] && strchr("0123456789abcdef", piece[n]))
		n++;
	return n == HASH && len == HASH;
}

static void star_persons(char *text, size_t len, const struct config *config)
{
	size_t at = 0, begin, n;

	while (at < len && (n = personal_find(NULL, text, len, at, &begin))) {
		/* A number of JSON must stay one. */
		int is_number = begin && strchr(":[,", text[begin - 1]);
		if (!is_ours(config, text + begin, n) && !is_hash(text + begin, n))
			memset(text + begin, is_number ? '9' : '*', n);
		at = begin + n;
	}
}

void scrub_text(char *text, size_t len, const struct config *config)
{
	if (!text || !len || !config)
		return;
	star_secrets(text, len, config);
	star_persons(text, len, config);
}

/* The configuration --------------------------------------------------------------------------------------------------- */

static void ignore(void *user, int line, const char *what)
{
	(void)user;
	(void)line;
	(void)what;
}

static int may_be_shown(const struct schema_section *section, const char *name)
{
	for (const struct schema_option *o = section ? section->options : NULL; o && o->name; o++)
		if (!strcmp(o->name, name))
			return o->kind != SCHEMA_SECRET;
	return 0;
}

static void put_section(const struct uci_section *s, struct buffer *out)
{
	const struct schema_section *schema = schema_find(s->type);

	(void)buffer_printf(out, "\nconfig %s '%s'\n", s->type, s->name);
	for (const struct uci_option *o = s->options; o; o = o->next)
		for (const struct uci_value *v = o->values; v; v = v->next)
			(void)buffer_printf(out, "\t%s %s '%s'\n", o->is_list ? "list" : "option", o->name,
					    may_be_shown(schema, o->name) ? v->text : "********");
}

int scrub_config(const char *path, struct buffer *out)
{
	char *text = malloc(UCI_FILE_MAX);
	FILE *from = fopen(path, "rbe");
	size_t len = text && from ? fread(text, 1, UCI_FILE_MAX, from) : 0;
	struct uci_file file = {0};
	struct arena arena;
	int result = len ? FC_OK : FC_EIO;

	arena_init(&arena, memory);
	if (!result && uci_parse(text, len, &arena, &file, ignore, NULL) < 0)
		result = FC_ENOMEM;
	for (const struct uci_section *s = result ? NULL : file.sections; s; s = s->next)
		put_section(s, out);
	arena_fini(&arena);
	if (text)
		explicit_bzero(text, UCI_FILE_MAX);
	free(text);
	if (from)
		(void)fclose(from);
	return result;
}
