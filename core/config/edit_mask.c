/* Secrets out of a text, and back into it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/edit_lines.h"

/* Where the name of a secret ends in a text, as a word; NULL. Not only where an option may stand: a comment may hold an old line. */
static const char *behind_secret(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	const char *first = NULL;

	for (const struct schema_section *s = schema_sections; s->type; s++)
		for (const struct schema_option *o = s->options; o->name; o++) {
			size_t n = strlen(o->name);

			if (o->kind != SCHEMA_SECRET)
				continue;
			for (const char *at = text; (at = strstr(at, o->name)); at += n) {
				if ((at > text && strchr(letters, at[-1])) || (at[n] && strchr(letters, at[n])))
					continue;
				if (!first || at + n < first)
					first = at + n;
			}
		}
	return first;
}

int edit_is_secret(const char *type, const char *option)
{
	const struct schema_option *o = edit_schema(type, option);

	if (o)
		return o->kind == SCHEMA_SECRET;
	/* In a section of another type, or one whose line is a mistake: the name alone says what it is. */
	const char *behind = behind_secret(option);
	return behind && !*behind;
}

/* A line that is no good option: all behind the name of a secret. */
static int mask_rest(struct edit *e, int at)
{
	const struct line *line = &e->lines[at];
	const char *behind = behind_secret(line->text);
	size_t end = line->len;

	if (!behind)
		return FC_OK;
	while (end && (line->text[end - 1] == '\n' || line->text[end - 1] == '\r'))
		end--;
	size_t begin = (size_t)(behind - line->text);
	if (begin >= end)
		return FC_OK;
	return line_splice(e, at, begin, end, " " EDIT_MASK);
}

static int mask_all(struct edit *e, struct said *said)
{
	char type[UCI_LINE_MAX] = "";
	int result = FC_OK;

	for (int i = 0; i < e->count && !result; i++) {
		line_read(&e->lines[i], said);
		if (said->kind == LINE_CONFIG)
			(void)snprintf(type, sizeof(type), "%s", said->word[1]);
		if (said->kind != LINE_OPTION && said->kind != LINE_LIST) {
			result = mask_rest(e, i);
			continue;
		}
		if (!edit_is_secret(type, said->word[1]) || !*said->word[2]) {
			/* A comment behind it may be an old line, too. */
			if (strchr(e->lines[i].text + said->end[2], '#') &&
			    behind_secret(e->lines[i].text + said->end[2]))
				result = mask_rest(e, i);
			continue;
		}
		/* With what stands behind it: the rest of a value that wants quotes. */
		size_t end = e->lines[i].len;
		while (end > said->end[2] && strchr(" \t\r\n", e->lines[i].text[end - 1]))
			end--;
		result = line_splice(e, i, said->begin[2], end, "'" EDIT_MASK "'");
	}
	return result;
}

char *edit_mask(const char *text, size_t len, size_t *masked_len)
{
	struct edit *e = edit_new(text, len, NULL);
	struct said *said = malloc(sizeof(*said));
	char *masked = NULL;

	if (e && said && !mask_all(e, said))
		masked = edit_text(e, masked_len);
	free(said);
	edit_free(e);
	return masked;
}

/* The way back ----------------------------------------------------------------------------------------------------------- */

struct unmasking {
	const struct edit *old, *old_masked; /* line by line the same */
	char *taken;                         /* which lines of old hold no secret, or were used */
	struct said said, other;
};

/* What old has for the option, into the line. */
static int restore_value(struct edit *e, int at, const char *type, const char *name, struct unmasking *u)
{
	struct range range;

	if (range_find(u->old, type, name, &u->other, &range))
		return FC_ENOENT;
	for (int i = range.config + 1; i <= range.last; i++) {
		line_read(&u->old->lines[i], &u->other);
		if (u->other.kind != LINE_OPTION || strcmp(u->other.word[1], u->said.word[1]) != 0)
			continue;
		char quoted[UCI_LINE_MAX];
		/* With the quotes and the comment that it has there. */
		const struct line *line = &u->old->lines[i];
		size_t end = line->len;
		while (end > u->other.end[2] && strchr(" \t\r\n", line->text[end - 1]))
			end--;
		(void)snprintf(quoted, sizeof(quoted), "%.*s", (int)(end - u->other.begin[2]),
			       line->text + u->other.begin[2]);
		return line_splice(e, at, u->said.begin[2], u->said.end[2], quoted);
	}
	return FC_ENOENT;
}

static int restore_line(struct edit *e, int at, struct unmasking *u)
{
	size_t n = strcspn(e->lines[at].text, "\r\n");

	for (int i = 0; i < u->old->count; i++) {
		const struct line *masked = &u->old_masked->lines[i];

		if (u->taken[i] || strcspn(masked->text, "\r\n") != n ||
		    memcmp(masked->text, e->lines[at].text, n) != 0)
			continue;
		char text[UCI_LINE_MAX];
		size_t whole = strcspn(u->old->lines[i].text, "\r\n");
		if (whole >= sizeof(text))
			continue;
		memcpy(text, u->old->lines[i].text, whole);
		text[whole] = '\0';
		u->taken[i] = 1;
		return line_splice(e, at, 0, n, text);
	}
	return FC_ENOENT;
}

static int unmask_all(struct edit *e, struct unmasking *u, int *line, struct error *err)
{
	char type[UCI_LINE_MAX] = "", name[UCI_LINE_MAX] = "";

	for (int i = 0; i < e->count; i++) {
		int result = FC_OK;

		line_read(&e->lines[i], &u->said);
		if (u->said.kind == LINE_CONFIG) {
			(void)snprintf(type, sizeof(type), "%s", u->said.word[1]);
			(void)snprintf(name, sizeof(name), "%s", u->said.words > 2 ? u->said.word[2] : "");
		}
		*line = i + 1;
		if (u->said.kind == LINE_OPTION && edit_is_secret(type, u->said.word[1])) {
			if (strcmp(u->said.word[2], EDIT_MASK) != 0)
				continue;
			result = restore_value(e, i, type, name, u);
			if (result == FC_ENOENT)
				return error_set(err, FC_EINVAL,
						 "%.40s.%.60s.%.60s: this secret is masked, and there is none to keep: "
						 "type it",
						 type, name, u->said.word[1]);
		} else if (strstr(e->lines[i].text, EDIT_MASK)) {
			result = restore_line(e, i, u);
			/* Stars of the operator's own. */
			if (result == FC_ENOENT)
				result = FC_OK;
		}
		if (result)
			return error_set(err, result, "no memory");
	}
	return FC_OK;
}

int edit_unmask(struct edit *e, const char *old, size_t old_len, int *line, struct error *err)
{
	struct unmasking *u = calloc(1, sizeof(*u));
	struct edit *plain = edit_new(old, old_len, err), *masked = edit_new(old, old_len, err);
	int result = FC_ENOMEM;

	*line = 0;
	if (u && plain && masked)
		u->taken = calloc((size_t)plain->count + 1, 1);
	if (u && u->taken && !mask_all(masked, &u->said)) {
		/* Else a text of nothing but stars would be held against every line there is, on the loop. */
		for (int i = 0; i < plain->count; i++)
			u->taken[i] = plain->lines[i].len == masked->lines[i].len &&
				      !memcmp(plain->lines[i].text, masked->lines[i].text, plain->lines[i].len);
		u->old = plain;
		u->old_masked = masked;
		result = unmask_all(e, u, line, err);
	} else {
		(void)error_set(err, FC_ENOMEM, "no memory");
	}
	if (u)
		free(u->taken);
	free(u);
	edit_free(plain);
	edit_free(masked);
	return result;
}
