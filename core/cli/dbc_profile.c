#include "cli/dbc_profile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/guess.h"

enum { MESSAGES_MAX = 32, POINTS_MAX = 64, KEY = 32 };

struct draft {
	const struct dbc *dbc;
	struct buffer *out;
	int messages[MESSAGES_MAX]; /* places in dbc */
	char message_keys[MESSAGES_MAX][KEY];
	int message_count;
	int signals[POINTS_MAX];
	char keys[POINTS_MAX][KEY];
	int guessed[POINTS_MAX]; /* the key is another than the file's name */
	int count;
};

static int place_of(const struct draft *d, int message)
{
	for (int i = 0; i < d->message_count; i++)
		if (d->messages[i] == message)
			return i;
	return -1;
}

static int is_taken(char (*keys)[KEY], int count, const char *key)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(keys[i], key))
			return 1;
	return 0;
}

/* A key that nobody has yet. */
static void choose(char (*keys)[KEY], int count, const char *name, const char *otherwise)
{
	char key[KEY];

	guess_key(name, key);
	if (!*key)
		(void)snprintf(key, sizeof(key), "%s", otherwise);
	(void)snprintf(keys[count], KEY, "%s", key);
	for (unsigned n = 2; is_taken(keys, count, keys[count]); n++)
		(void)snprintf(keys[count], KEY, "%.26s_%u", key, n % 10000);
}

static int is_wanted(const struct dbc_message *m, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], m->name))
			return 1;
	return !count;
}

static int too_many(const struct dbc *dbc, struct error *err)
{
	return error_set(err, FC_ELIMIT,
			 "%d messages with %d signals: a profile holds %d and %d; name the messages that you want "
			 "(--message NAME...)",
			 dbc->message_count, dbc->signal_count, MESSAGES_MAX, POINTS_MAX);
}

static int has_signals(const struct dbc *dbc, int message)
{
	for (int i = 0; i < dbc->signal_count; i++)
		if (dbc->signals[i].message == message)
			return 1;
	return 0;
}

static int pick_messages(struct draft *d, const char *const *names, int count, struct error *err)
{
	const struct dbc *dbc = d->dbc;

	for (int i = 0; i < dbc->message_count; i++) {
		if (!is_wanted(&dbc->messages[i], names, count) || !has_signals(dbc, i))
			continue;
		if (d->message_count == MESSAGES_MAX)
			return too_many(dbc, err);
		choose(d->message_keys, d->message_count, dbc->messages[i].name, "message");
		d->messages[d->message_count++] = i;
	}
	for (int k = 0; k < count; k++) {
		int found = 0;

		for (int i = 0; i < d->message_count; i++)
			found |= !strcmp(dbc->messages[d->messages[i]].name, names[k]);
		if (!found)
			return error_set(err, FC_ENOENT, "no message \"%.60s\" with signals that can be read",
					 names[k]);
	}
	return FC_OK;
}

static int pick_signals(struct draft *d, struct error *err)
{
	for (int i = 0; i < d->dbc->signal_count; i++) {
		const struct dbc_signal *s = &d->dbc->signals[i];
		const char *known = guess_name(s->name, "");

		if (place_of(d, s->message) < 0)
			continue;
		if (d->count == POINTS_MAX)
			return too_many(d->dbc, err);
		if (known && !is_taken(d->keys, d->count, known))
			(void)snprintf(d->keys[d->count], KEY, "%s", known);
		else
			choose(d->keys, d->count, s->name, "signal");
		char own[KEY];
		guess_key(s->name, own);
		d->guessed[d->count] = strcmp(own, d->keys[d->count]) != 0;
		d->signals[d->count++] = i;
	}
	return FC_OK;
}

static void add_quoted(struct buffer *out, const char *text)
{
	(void)buffer_text(out, "\"");
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			(void)buffer_printf(out, "\\%c", *text);
		else
			(void)buffer_add(out, text, 1);
	(void)buffer_text(out, "\"");
}

static void add_bits(struct buffer *out, const struct dbc_signal *s)
{
	(void)buffer_printf(out, "start = %d, length = %d", s->start, s->bits);
	if (s->big)
		(void)buffer_text(out, ", order = \"big\"");
}

static void add_message(struct draft *d, int place)
{
	const struct dbc_message *m = &d->dbc->messages[d->messages[place]];

	(void)buffer_printf(d->out,
			    m->extended ? "      %s = { id = 0x%08X" : "      %s = { id = 0x%03X, extended = false",
			    d->message_keys[place], m->id);
	if (m->mux >= 0) {
		const struct dbc_signal *mux = &d->dbc->signals[m->mux];
		int bytes = mux->bits <= 8 ? 8 : mux->bits <= 16 ? 16 : mux->bits <= 24 ? 24 : 32;

		(void)buffer_printf(d->out, ", mux = { type = \"u%d\", ", bytes);
		add_bits(d->out, mux);
		(void)buffer_text(d->out, " }");
	}
	(void)buffer_printf(d->out, ", period_ms = %d },%s\n", m->period_ms ? m->period_ms : 1000,
			    m->period_ms ? "" : " -- check: how often it comes; or the request that it answers");
}

static void add_type(struct buffer *out, const struct dbc_signal *s)
{
	int width = s->bits <= 8 ? 8 : s->bits <= 16 ? 16 : s->bits <= 32 ? 32 : 64;

	if (s->form != DBC_WHOLE)
		(void)buffer_printf(out, ", type = \"f%d\"", s->bits);
	else
		(void)buffer_printf(out, ", type = \"%c%d\"", s->is_signed ? 's' : 'u', width);
}

static void add_values(struct buffer *out, const struct dbc_signal *s)
{
	for (int i = 0; i < s->value_count; i++)
		(void)buffer_printf(out, "%s %lld %s", i ? "," : " --", (long long)s->values[i].number,
				    s->values[i].text);
}

static void add_point(struct draft *d, int place)
{
	const struct dbc_signal *s = &d->dbc->signals[d->signals[place]];
	struct buffer *out = d->out;

	(void)buffer_printf(out, "    %s = { message = \"%s\", ", d->keys[place],
			    d->message_keys[place_of(d, s->message)]);
	if (s->kind == DBC_MUXED)
		(void)buffer_printf(out, "mux = %u, ", s->mux);
	add_bits(out, s);
	add_type(out, s);
	if (s->scale < 1 || s->scale > 1)
		(void)buffer_printf(out, ", scale = %.15g", s->scale);
	if (s->offset < 0 || s->offset > 0)
		(void)buffer_printf(out, ", offset = %.15g", s->offset);
	if (s->min < s->max && fabs(s->min) < 9e11 && fabs(s->max) < 9e11)
		(void)buffer_printf(out, ", min = %.15g, max = %.15g", s->min, s->max);
	if (*s->unit) {
		(void)buffer_text(out, ", unit = ");
		add_quoted(out, s->unit);
	}
	(void)buffer_text(out, " },");
	if (d->guessed[place])
		(void)buffer_printf(out, " -- check: is it this? %s", s->name);
	add_values(out, s);
	(void)buffer_text(out, "\n");
}

/* The standard's status that a word of a value table may mean. */
static int guess_status(const char *text)
{
	static const struct {
		const char *word;
		int status;
	} words[] = {{"not charg", 2}, {"charg", 3},  {"fault", 255},   {"err", 255},   {"fail", 255},  {"alarm", 255},
		     {"reserv", 4},    {"sna", 0},    {"not avail", 0}, {"invalid", 0}, {"offline", 0}, {"plug", 2},
		     {"connect", 2},   {"prepar", 2}, {"occup", 2},     {"paus", 2},    {"finish", 2},  {"idle", 1},
		     {"stand", 1},     {"ready", 1},  {"avail", 1},     {"off", 1},     {"run", 3},     {"on", 3}};
	char low[DBC_NAME];
	size_t n = 0;

	for (; text[n] && n + 1 < sizeof(low); n++)
		low[n] = (char)(text[n] >= 'A' && text[n] <= 'Z' ? text[n] + 32 : text[n] == '_' ? ' ' : text[n]);
	low[n] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(low, words[i].word))
			return words[i].status;
	return 255;
}

/* The signal named state, else the one with most names. */
static int find_state(const struct draft *d)
{
	int best = -1;

	for (int i = 0; i < d->count; i++) {
		const struct dbc_signal *s = &d->dbc->signals[d->signals[i]];

		if (!s->value_count)
			continue;
		if (!strcmp(d->keys[i], "state"))
			return i;
		if (best < 0 || s->value_count > d->dbc->signals[d->signals[best]].value_count)
			best = i;
	}
	return best;
}

static void add_status(const struct draft *d)
{
	int state = find_state(d);

	if (state < 0) {
		(void)buffer_text(d->out,
				  "  -- check: no signal has names for its values: which one tells the state?\n"
				  "  -- status = { point = \"state\", map = { [0] = 1, [1] = 2, [2] = 3 } },\n");
		return;
	}
	const struct dbc_signal *s = &d->dbc->signals[d->signals[state]];
	(void)buffer_printf(d->out,
			    "  -- check: to 0 off line, 1 idle, 2 occupied, 3 charging, 4 reserved, 255 fault\n"
			    "  status = {\n    point = \"%s\",\n    map = {\n",
			    d->keys[state]);
	for (int i = 0; i < s->value_count && i < 64; i++)
		(void)buffer_printf(d->out, "      [%lld] = %d, -- %s\n", (long long)s->values[i].number,
				    guess_status(s->values[i].text), s->values[i].text);
	(void)buffer_text(d->out, "    },\n    default = 255,\n  },\n");
}

static void add_head(struct draft *d, const char *path)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	char stem[100], name[KEY];

	(void)snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(file, "."), file);
	guess_key(stem, name);
	for (char *c = name; *c; c++)
		*c = *c == '_' ? '-' : *c;
	(void)buffer_printf(
	    d->out,
	    "-- A draft from a DBC file. What is marked \"check:\" is to be decided; hold the rest against "
	    "the manual, then against a device.\n"
	    "return {\n  forecourt = 1,\n  kind = \"profile\",\n  name = \"%s\",\n"
	    "  source = \"\", -- check: the file, its edition, who made it\n",
	    *name ? name : "draft");
}

int dbc_profile_make(const char *path, const struct dbc *dbc, const char *const *names, int count, struct buffer *out,
		     struct error *err)
{
	struct draft d = {.dbc = dbc, .out = out};
	int result = pick_messages(&d, names, count, err);

	if (!result)
		result = pick_signals(&d, err);
	if (result)
		return result;
	add_head(&d, path);
	(void)buffer_text(out,
			  "  can = {\n    -- check: bitrate = 250000, and who is asked: a DBC file tells no requests\n"
			  "    messages = {\n");
	for (int i = 0; i < d.message_count; i++)
		add_message(&d, i);
	(void)buffer_text(out, "    },\n  },\n  points = {\n");
	for (int i = 0; i < d.count; i++)
		add_point(&d, i);
	(void)buffer_text(out, "  },\n");
	add_status(&d);
	(void)buffer_text(out,
			  "  -- check: frames of a real device, and what they mean; run at every load:\n"
			  "  -- { frames = { \"18FF50E5#0102030405060708\" }, expect = { state = 2, status = 3 } }\n"
			  "  examples = {},\n}\n");
	return out->failed ? error_set(err, FC_ELIMIT, "it is too long") : FC_OK;
}
