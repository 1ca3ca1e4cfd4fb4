#include "cli/skeleton.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv_read.h"
#include "cli/guess.h"

enum { ROWS_MAX = 1000, POINTS_MAX = 64, HEADER_WITHIN = 30, TEXT_WORDS_MAX = 31, KEY = 32, REST = 160 };

/* As it will be written. */
struct draft {
	char key[KEY];
	char name[REST]; /* as in the list */
	const char *unit, *description;
	struct guess_form form;
	enum guess_base base;
	int table, fc, line;
	long number;
	double scale;
	int was_guessed, gained, can_write, can_read;
	int is_point; /* it stands there, and not only in a comment */
};

struct skeleton {
	const char *path;
	struct csv_reader reader;
	int columns[COLUMNS]; /* place, or -1 */
	struct draft *drafts;
	int count, bad;
	void (*bad_row)(void *user, int line, const char *what);
	void *user;
	int five, other; /* addresses such as 40001, and such that are not */
	struct buffer *out;
};

static const char *cell(const struct skeleton *s, const struct csv_row *row, int column)
{
	int at = s->columns[column];

	return at >= 0 && at < row->count ? row->fields[at] : "";
}

static int find_header(struct skeleton *s)
{
	struct csv_row row;

	for (int i = 0; i < HEADER_WITHIN && csv_read_row(&s->reader, &row); i++) {
		for (int c = 0; c < COLUMNS; c++)
			s->columns[c] = -1;
		for (int f = 0; f < row.count; f++) {
			int column = guess_column(row.fields[f]);

			if (column >= 0 && s->columns[column] < 0)
				s->columns[column] = f;
		}
		if (s->columns[COLUMN_ADDRESS] >= 0)
			return FC_OK;
	}
	return FC_EINVAL;
}

static int is_taken(const struct skeleton *s, const char *key)
{
	for (int i = 0; i < s->count; i++)
		if (!strcmp(s->drafts[i].key, key))
			return 1;
	return 0;
}

static void choose_key(struct skeleton *s, struct draft *d, const char *name, const char *description)
{
	const char *known = guess_name(*name ? name : description, description);
	char key[KEY];

	guess_key(*name ? name : description, key);
	if (known && !is_taken(s, known)) {
		d->was_guessed = strcmp(known, key) != 0;
		(void)snprintf(d->key, sizeof(d->key), "%s", known);
		return;
	}
	if (!*key)
		(void)snprintf(key, sizeof(key), "register_%ld", d->number);
	(void)snprintf(d->key, sizeof(d->key), "%s", key);
	for (unsigned n = 2; is_taken(s, d->key) && n <= ROWS_MAX + 1; n++)
		(void)snprintf(d->key, sizeof(d->key), "%.26s_%u", key, n % 10000);
}

static const char *read_row(struct skeleton *s, const struct csv_row *row, struct draft *d)
{
	const char *access = cell(s, row, COLUMN_ACCESS), *fc = cell(s, row, COLUMN_FC);
	const char *gain = cell(s, row, COLUMN_GAIN);
	double divisor;

	if (row->broken)
		return "a quote that does not end, or too many fields";
	if (guess_address(cell(s, row, COLUMN_ADDRESS), &d->base, &d->table, &d->number))
		return "is no address";
	if (guess_form(cell(s, row, COLUMN_TYPE), cell(s, row, COLUMN_WORDS), &d->form))
		return "is no type, or no length, that is known";
	if (guess_scale(cell(s, row, COLUMN_SCALE), &d->scale) || guess_scale(gain, &divisor))
		return "is no scale";
	d->gained = *gain && (divisor < 1 || divisor > 1);
	d->scale /= divisor;
	/* As a profile takes them (compile_double: below 1e12), also when they are written with fewer digits. */
	if (!(fabs(d->scale) <= 9e11) || (d->scale >= 0 && d->scale <= 0))
		return "is no scale";
	d->fc = (int)strtol(fc + strcspn(fc, "0123456789"), NULL, 10);
	if (d->fc > 4 || d->fc < 0)
		d->can_write = 1;
	d->can_read = !*access || strchr(access, 'r') || strchr(access, 'R') || strstr(access, "读");
	d->can_write |= strchr(access, 'w') || strchr(access, 'W') || strstr(access, "写");
	if (d->fc < 1 || d->fc > 4)
		d->fc = d->table == 1 ? 2 : d->table == 3 ? 4 : !strcmp(d->form.type, "bool") && !d->table ? 1 : 3;
	/* A flag in a register is no coil. */
	if (d->fc > 2 && !strcmp(d->form.type, "bool"))
		d->form = (struct guess_form){.type = "u16"};
	if (d->fc <= 2)
		d->form = (struct guess_form){.type = "bool", .is_sure = 1};
	if (d->form.words > TEXT_WORDS_MAX) {
		d->form.words = TEXT_WORDS_MAX;
		d->form.is_sure = 0;
	}
	d->unit = cell(s, row, COLUMN_UNIT);
	d->description = cell(s, row, COLUMN_DESCRIPTION);
	d->line = row->line;
	(void)snprintf(d->name, sizeof(d->name), "%.150s", cell(s, row, COLUMN_NAME));
	choose_key(s, d, cell(s, row, COLUMN_NAME), d->description);
	return NULL;
}

static int is_blank(const struct csv_row *row)
{
	for (int i = 0; i < row->count; i++)
		if (*row->fields[i])
			return 0;
	return 1;
}

static void read_rows(struct skeleton *s)
{
	struct csv_row row;

	while (s->count < ROWS_MAX && csv_read_row(&s->reader, &row)) {
		struct draft d = {0};
		const char *why = is_blank(&row) ? "" : read_row(s, &row, &d);

		if (why) {
			s->bad += *why != '\0';
			if (*why)
				s->bad_row(s->user, row.line, why);
			continue;
		}
		s->five += d.base == BASE_FIVE;
		s->other += d.base == BASE_AS_IS;
		s->drafts[s->count++] = d;
	}
}

/* All of the list's five-digit addresses begin with 1, 3 or 4: then they are numbers of registers, the first being 1. */
static int five_is_modicon(const struct skeleton *s)
{
	return s->five && !s->other;
}

static long address_of(const struct skeleton *s, const struct draft *d)
{
	if (d->base == BASE_MODICON)
		return d->number - 1;
	return d->base == BASE_FIVE && five_is_modicon(s) ? d->number % 10000 - 1 : d->number;
}

static int words_of(const struct draft *d)
{
	const char *width = d->form.type + 1;

	return d->form.words ? d->form.words : !strcmp(width, "32") ? 2 : !strcmp(width, "64") ? 4 : 1;
}

/* A text within quotes; only what can stand there. */
static void add_quoted(struct skeleton *s, const char *text)
{
	(void)buffer_text(s->out, "\"");
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			(void)buffer_printf(s->out, "\\%c", *text);
		else
			(void)buffer_add(s->out, text, 1);
	(void)buffer_text(s->out, "\"");
}

static void add_place(struct skeleton *s)
{
	if (s->columns[COLUMN_ADDRESS] < 0)
		return;
	if (five_is_modicon(s))
		(void)buffer_text(
		    s->out, "  -- check: the list's addresses look like 40001 = first holding register (function 3), "
			    "30001 = first input register\n  -- (function 4): they were made zero-based. If they are "
			    "protocol addresses as they stand, put them back.\n");
	else if (s->other)
		(void)buffer_text(
		    s->out, "  -- check: the addresses stand here as in the list. If its first register is 1, each is "
			    "one too high.\n");
	else
		(void)buffer_text(
		    s->out, "  -- The list's addresses were read as zero-based (hexadecimal) or as 400001 = first "
			    "register; here they are zero-based.\n");
}

static void add_point(struct skeleton *s, const struct draft *d, int commented)
{
	struct buffer *out = s->out;
	int is_text = !strcmp(d->form.type, "text") || !strcmp(d->form.type, "hex");

	(void)buffer_printf(out, "    %s%s = { fc = %d, address = %ld, type = \"%s\"", commented ? "-- " : "", d->key,
			    d->fc, address_of(s, d), d->form.type);
	if (d->form.words)
		(void)buffer_printf(out, ", words = %d",
				    !strcmp(d->form.type, "hex") && d->form.words > 15 ? 15 : d->form.words);
	if (d->form.is_utf16)
		(void)buffer_text(out, ", encoding = \"utf-16\"");
	if (!is_text && d->fc > 2 && (d->scale < 1 || d->scale > 1))
		(void)buffer_printf(out, ", scale = %.9g", d->scale);
	if (*d->unit && strlen(d->unit) < 16) {
		(void)buffer_text(out, ", unit = ");
		add_quoted(s, d->unit);
	}
	if (is_text)
		(void)buffer_text(out, ", period_ms = 60000");
	(void)buffer_text(out, " },");
	if (!d->form.is_sure)
		(void)buffer_text(out, " -- check: type and length");
	else if (words_of(d) > 1 && !is_text)
		(void)buffer_text(out, " -- check: order");
	if (d->gained)
		(void)buffer_text(out, " -- check: gain taken as a divisor");
	(void)buffer_text(out, "\n");
}

static void add_points(struct skeleton *s)
{
	int points = 0;

	(void)buffer_text(s->out, "  points = {\n");
	for (int i = 0; i < s->count; i++) {
		struct draft *d = &s->drafts[i];
		int fits = address_of(s, d) >= 0 && address_of(s, d) + words_of(d) <= 65536;

		if (*d->name || *d->description)
			(void)buffer_printf(s->out, "    -- %s%s%s%s\n", d->name,
					    *d->name && *d->description ? ": " : "", d->description,
					    d->was_guessed ? "   -- check: is it this?" : "");
		if (!d->can_read || !fits || points == POINTS_MAX) {
			(void)buffer_printf(s->out, "    -- check: line %d of the list: %s\n", d->line,
					    !fits          ? "beyond the last register"
					    : !d->can_read ? "can only be written"
							   : "a profile has 64 points at most");
			add_point(s, d, 1);
			continue;
		}
		add_point(s, d, 0);
		d->is_point = 1;
		points++;
	}
	(void)buffer_text(s->out, "  },\n");
}

static void add_status(struct skeleton *s)
{
	int has_state = 0;

	for (int i = 0; i < s->count; i++)
		has_state |= s->drafts[i].is_point && !strcmp(s->drafts[i].key, "state");
	if (has_state)
		(void)buffer_text(
		    s->out,
		    "  -- check: every state: 0 off line, 1 idle, 2 occupied, 3 charging, 4 reserved, 255 fault\n"
		    "  status = { point = \"state\", map = { [0] = 1, [1] = 2, [2] = 3 }, default = 255 },\n");
	else
		(void)buffer_text(
		    s->out,
		    "  -- check: which point says the state? Without it connectors stay off line.\n"
		    "  -- status = { point = \"state\", map = { [0] = 1, [1] = 2, [2] = 3 }, default = 255 },\n");
}

static void add_writes(struct skeleton *s)
{
	int any = 0;

	for (int i = 0; i < s->count; i++)
		any |= s->drafts[i].can_write;
	if (!any)
		return;
	(void)buffer_text(
	    s->out,
	    "  -- check: what can be written, as the list says. None of it is done until it stands in commands,\n"
	    "  -- setpoint or keep_alive:\n");
	for (int i = 0; i < s->count; i++) {
		const struct draft *d = &s->drafts[i];

		if (d->can_write)
			(void)buffer_printf(s->out, "  --   %s: fc = %d, address = %ld\n", d->key,
					    d->fc <= 2        ? 5
					    : words_of(d) > 1 ? 16
							      : 6,
					    address_of(s, d));
	}
	(void)buffer_text(s->out, "  -- commands = { start = { fc = 6, address = 0, value = 1 }, stop = { fc = 6, "
				  "address = 0, value = 2 } },\n");
}

static void profile_name(const char *path, char name[KEY])
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	char stem[100];

	(void)snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(file, "."), file);
	guess_key(stem, name);
	for (char *c = name; *c; c++)
		*c = *c == '_' ? '-' : *c;
	if (!*name)
		(void)snprintf(name, KEY, "draft");
}

static void write_all(struct skeleton *s)
{
	char name[KEY];

	profile_name(s->path, name);
	(void)buffer_text(s->out,
			  "-- A draft from a register list. What was guessed is marked \"check:\"; hold it against the "
			  "manual, then against a charger.\n"
			  "return {\n  forecourt = 1,\n  kind = \"profile\",\n");
	(void)buffer_printf(s->out, "  name = \"%s\",\n", name);
	(void)buffer_text(s->out,
			  "  source = \"\", -- check: manual, edition, page\n"
			  "  -- check: what the device takes in one read, and whether it may be read across gaps\n"
			  "  modbus = { max_words = 60, merge_gap = 0 },\n"
			  "  -- check: connectors = { count = 2, stride = 100 } when registers repeat\n");
	add_place(s);
	add_points(s);
	add_status(s);
	add_writes(s);
	(void)buffer_text(s->out, "  -- check: registers of a real charger, and what they mean; run at every load:\n"
				  "  -- { registers = { [0] = 2 }, expect = { state = 2, status = 3 } }\n"
				  "  examples = {},\n}\n");
}

int skeleton_make(const char *path, char *text, size_t len, void (*bad_row)(void *user, int line, const char *what),
		  void *user, struct buffer *out, struct error *err)
{
	struct skeleton s = {.path = path, .bad_row = bad_row, .user = user, .out = out};

	csv_reader_init(&s.reader, text, len);
	if (find_header(&s))
		return error_set(err, FC_EINVAL, "no row names its columns: address, name, type, ...");
	s.drafts = calloc(ROWS_MAX, sizeof(*s.drafts));
	if (!s.drafts)
		return error_set(err, FC_ENOMEM, "no memory");
	read_rows(&s);
	int points = 0;
	for (int i = 0; i < s.count; i++)
		points += s.drafts[i].can_read && address_of(&s, &s.drafts[i]) >= 0 &&
			  address_of(&s, &s.drafts[i]) + words_of(&s.drafts[i]) <= 65536;
	if (points)
		write_all(&s);
	free(s.drafts);
	if (!points)
		return error_set(err, FC_EINVAL, "there is no row with a register that can be read");
	return out->failed ? error_set(err, FC_ELIMIT, "the list is too long") : s.bad;
}
