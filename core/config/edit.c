#include "config/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/edit_lines.h"

void edit_free(struct edit *edit)
{
	if (!edit)
		return;
	for (int i = 0; i < edit->count; i++)
		free(edit->lines[i].text);
	free(edit->lines);
	free(edit);
}

static int add_line(struct edit *e, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy && e->count == e->room) {
		int room = e->room * 2 + 64;
		struct line *lines = realloc(e->lines, (size_t)room * sizeof(*lines));

		if (!lines) {
			free(copy);
			return FC_ENOMEM;
		}
		e->lines = lines;
		e->room = room;
	}
	if (!copy)
		return FC_ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	e->lines[e->count].text = copy;
	e->lines[e->count++].len = len;
	e->bytes += len;
	return FC_OK;
}

struct edit *edit_new(const char *text, size_t len, struct error *err)
{
	struct edit *e = len <= UCI_FILE_MAX ? calloc(1, sizeof(*e)) : NULL;
	const char *end = text + len;

	if (!e) {
		(void)error_set(err, len > UCI_FILE_MAX ? FC_ELIMIT : FC_ENOMEM, "config: %s",
				len > UCI_FILE_MAX ? "the text is larger than 1 MiB" : "no memory");
		return NULL;
	}
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = stop ? (size_t)(stop + 1 - text) : (size_t)(end - text);

		if (add_line(e, text, n)) {
			(void)error_set(err, FC_ENOMEM, "config: no memory");
			edit_free(e);
			return NULL;
		}
		text += n;
	}
	return e;
}

char *edit_text(const struct edit *e, size_t *len)
{
	char *text = malloc(e->bytes + 1);
	size_t n = 0;

	for (int i = 0; text && i < e->count; i++) {
		memcpy(text + n, e->lines[i].text, e->lines[i].len);
		n += e->lines[i].len;
	}
	if (text)
		text[n] = '\0';
	*len = n;
	return text;
}

static int said_why(int code, struct error *err)
{
	if (!code)
		return FC_OK;
	(void)error_set(err, code, code == FC_ELIMIT ? "the text would be too large" : "no memory");
	return code;
}

/* Finding ------------------------------------------------------------------------------------------------------------- */

static int check_name(const char *what, const char *name, int may_be_empty, struct error *err)
{
	if ((!*name && may_be_empty) || (strlen(name) <= 60 && uci_is_name(name)))
		return FC_OK;
	(void)error_set(err, FC_EINVAL, "%s must be 1 to 60 letters, digits, _ and -", what);
	return FC_EINVAL;
}

static int find(const struct edit *e, const char *type, const char *name, struct said *said, struct range *range,
		struct error *err)
{
	if (!range_find(e, type, name, said, range))
		return FC_OK;
	(void)error_set(err, FC_ENOENT, "there is no %.40s %.60s", type, name);
	return FC_ENOENT;
}

/* The next line at or behind at, before end, that gives the option; -1. */
static int next_given(const struct edit *e, int at, int end, const char *option, struct said *said)
{
	for (; at < end; at++) {
		line_read(&e->lines[at], said);
		if ((said->kind == LINE_OPTION || said->kind == LINE_LIST) && !strcmp(said->word[1], option))
			return at;
	}
	return -1;
}

/* Options -------------------------------------------------------------------------------------------------------------- */

/* A new line behind the section's last option, indented as that is. */
static int append(struct edit *e, const struct range *range, int at, const char *keyword, const char *option,
		  const char *value, struct error *err)
{
	char quoted[UCI_LINE_MAX], text[UCI_LINE_MAX * 2];
	const struct line *last = &e->lines[at];
	size_t indent = at > range->config ? strspn(last->text, " \t") : 0;
	int result = edit_quote(value, "'", quoted, err);

	if (result)
		return result;
	if (indent > 40)
		indent = 0;
	(void)snprintf(text, sizeof(text), "%.*s%s %s %s", indent ? (int)indent : 1, indent ? last->text : "\t",
		       keyword, option, quoted);
	return said_why(line_insert(e, at + 1, text), err);
}

/* The line's value becomes that one; and its keyword. */
static int replace(struct edit *e, int at, const struct said *said, const char *keyword, const char *value,
		   struct error *err)
{
	char quoted[UCI_LINE_MAX];
	const char *like = e->lines[at].text + said->begin[2];
	int result = FC_OK;

	if (strcmp(said->word[2], value) != 0) {
		result = edit_quote(value, like, quoted, err);
		if (!result)
			result = said_why(line_splice(e, at, said->begin[2], said->end[2], quoted), err);
	}
	if (!result && strcmp(said->word[0], keyword) != 0)
		result = said_why(line_splice(e, at, said->begin[0], said->end[0], keyword), err);
	return result;
}

static int set_all(struct edit *e, const char *type, const char *name, const char *option, const char *keyword,
		   const char *const *values, int count, struct error *err)
{
	struct said *said = malloc(sizeof(*said));
	struct range range = {0};

	if (!said)
		return said_why(FC_ENOMEM, err);
	int n = 0, result = check_name("an option's name", option, 0, err);

	if (!result)
		result = find(e, type, name, said, &range, err);
	int at = range.config + 1, last = range.last;
	for (; !result && (at = next_given(e, at, range.end, option, said)) >= 0;) {
		if (n == count) {
			line_remove(e, at);
			range.end--;
			continue;
		}
		result = replace(e, at, said, keyword, values[n++], err);
		last = at++;
	}
	/* Lists stay together. */
	for (; !result && n < count; n++)
		result = append(e, &range, last++, keyword, option, values[n], err);
	free(said);
	return result;
}

int edit_set(struct edit *e, const char *type, const char *name, const char *option, const char *value,
	     struct error *err)
{
	return set_all(e, type, name, option, "option", &value, 1, err);
}

int edit_set_list(struct edit *e, const char *type, const char *name, const char *option, const char *const *values,
		  int count, struct error *err)
{
	return set_all(e, type, name, option, "list", values, count, err);
}

int edit_unset(struct edit *e, const char *type, const char *name, const char *option, struct error *err)
{
	struct said *said = malloc(sizeof(*said));
	struct range range = {0};

	if (!said)
		return said_why(FC_ENOMEM, err);
	int n = 0, at, result = find(e, type, name, said, &range, err);

	if (!result) {
		while ((at = next_given(e, range.config + 1, range.end, option, said)) >= 0) {
			line_remove(e, at);
			range.end--;
			n++;
		}
		if (!n)
			result = error_set(err, FC_ENOENT, "%.40s %.60s has no option %.60s", type, name, option);
	}
	free(said);
	return result;
}

/* Sections ------------------------------------------------------------------------------------------------------------- */

static int is_blank_line(const struct edit *e, int at)
{
	return at >= 0 && at < e->count && strspn(e->lines[at].text, " \t\r\n") == e->lines[at].len;
}

/* Behind the last section of its type; else at the end. */
static int place_of_new(const struct edit *e, const char *type, struct said *said)
{
	int place = -1, inside = 0;

	for (int i = 0; i < e->count; i++) {
		line_read(&e->lines[i], said);
		if (said->words && !strcmp(said->word[0], "config"))
			inside = said->kind == LINE_CONFIG && !strcmp(said->word[1], type);
		if (inside && said->words)
			place = i + 1;
	}
	return place < 0 ? e->count : place;
}

int edit_add(struct edit *e, const char *type, const char *name, const char *copy_of, struct error *err)
{
	struct said *said = malloc(sizeof(*said));
	struct range from = {0}, there = {0};
	char head[200];

	if (!said)
		return said_why(FC_ENOMEM, err);
	int result = check_name("a section's type", type, 0, err);

	if (!result)
		result = check_name("a section's name", name, 0, err);
	if (!result && !range_find(e, type, name, said, &there))
		result = error_set(err, FC_EEXIST, "there is a %.40s %.60s already", type, name);
	if (!result && copy_of)
		result = find(e, type, copy_of, said, &from, err);
	if (!result) {
		int at = place_of_new(e, type, said);

		(void)snprintf(head, sizeof(head), "config %s '%s'", type, name);
		if (at && !is_blank_line(e, at - 1))
			result = line_insert(e, at++, "");
		if (!result)
			result = line_insert(e, at++, head);
		/* It stands behind what it is copied from: those lines do not move. */
		for (int i = from.config + 1; copy_of && !result && i <= from.last; i++) {
			char text[UCI_LINE_MAX];
			size_t n = strcspn(e->lines[i].text, "\r\n");

			line_read(&e->lines[i], said);
			if (said->kind == LINE_OTHER || n >= sizeof(text))
				continue;
			(void)snprintf(text, sizeof(text), "%.*s", (int)n, e->lines[i].text);
			result = line_insert(e, at++, text);
		}
		if (!result && at < e->count && !is_blank_line(e, at))
			result = line_insert(e, at, "");
		result = said_why(result, err);
	}
	free(said);
	return result;
}

int edit_remove(struct edit *e, const char *type, const char *name, struct error *err)
{
	struct said *said = malloc(sizeof(*said));
	struct range range = {0};

	if (!said)
		return said_why(FC_ENOMEM, err);
	int result = find(e, type, name, said, &range, err);

	if (!result) {
		for (int i = range.last; i >= range.config; i--)
			line_remove(e, i);
		/* One of the two gaps that met. */
		if ((!range.config || is_blank_line(e, range.config - 1)) && is_blank_line(e, range.config))
			line_remove(e, range.config);
	}
	free(said);
	return result;
}

/* "NAME" or, of a connector's meter and bms, "NAME:2". The text behind the name, or NULL when it is another one. */
static const char *behind_name(const char *value, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(value, name, n) && (!value[n] || value[n] == ':') ? value + n : NULL;
}

static int refers(const char *type, const char *option, const char *to)
{
	const struct schema_option *o = edit_schema(type, option);

	if (o && o->ref)
		return !strcmp(o->ref, to);
	/* core/config/rules_bus.c: what stands beside a charger; they share their names. */
	return !strcmp(type, "connector") && (!strcmp(option, "meter") || !strcmp(option, "bms")) &&
	       (!strcmp(to, "device") || !strcmp(to, "charger"));
}

static int rename_references(struct edit *e, const char *type, const char *name, const char *new_name,
			     struct said *said, struct error *err)
{
	char of[UCI_LINE_MAX] = "", value[UCI_LINE_MAX];
	int result = FC_OK;

	for (int i = 0; i < e->count && !result; i++) {
		line_read(&e->lines[i], said);
		if (said->kind == LINE_CONFIG)
			(void)snprintf(of, sizeof(of), "%s", said->word[1]);
		if (said->kind != LINE_OPTION && said->kind != LINE_LIST)
			continue;
		const char *rest = refers(of, said->word[1], type) ? behind_name(said->word[2], name) : NULL;
		if (!rest)
			continue;
		(void)snprintf(value, sizeof(value), "%.60s%.60s", new_name, rest);
		result = replace(e, i, said, said->word[0], value, err);
	}
	return result;
}

int edit_rename(struct edit *e, const char *type, const char *name, const char *new_name, struct error *err)
{
	struct said *said = malloc(sizeof(*said));
	struct range range = {0}, there = {0};
	char quoted[UCI_LINE_MAX];

	if (!said)
		return said_why(FC_ENOMEM, err);
	int result = check_name("a section's name", new_name, 0, err);

	if (!result)
		result = find(e, type, name, said, &range, err);
	if (!result && !range_find(e, type, new_name, said, &there) && there.config != range.config)
		result = error_set(err, FC_EEXIST, "there is a %.40s %.60s already", type, new_name);
	if (!result) {
		int at = range.config;

		line_read(&e->lines[at], said);
		const char *like = said->words > 2 ? e->lines[at].text + said->begin[2] : "'";
		result = edit_quote(new_name, like, quoted, err);
		if (!result && said->words > 2) {
			result = said_why(line_splice(e, at, said->begin[2], said->end[2], quoted), err);
		} else if (!result) {
			char text[UCI_LINE_MAX];

			(void)snprintf(text, sizeof(text), " '%s'", new_name);
			result = said_why(line_splice(e, at, said->end[1], said->end[1], text), err);
		}
	}
	if (!result && *name)
		result = rename_references(e, type, name, new_name, said, err);
	free(said);
	return result;
}
