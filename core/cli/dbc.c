#include "cli/dbc.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 1000, SIGNALS_MAX = 4000, VALUES_MAX = 256, DATA_BITS = 64 };
#define DBC_EXTENDED 0x80000000u
/* The message in which editors keep signals that belong to none. */
#define DBC_NO_MESSAGE 0xC0000000u

struct reader {
	struct dbc *dbc;
	char *at, *end;
	int line;
	void (*left_out)(void *user, int line, const char *what);
	void *user;
	int skips; /* signals of a message that is left out */
};

static void leave_out(struct reader *r, int line, const char *what)
{
	r->dbc->left_out++;
	r->left_out(r->user, line, what);
}

static int is_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(text, word, n) && (!text[n] || isspace((unsigned char)text[n]) || text[n] == ':');
}

/* One statement, ended by a zero byte: a line, or for what ends with ; as many as it takes. NULL at the end. */
static char *next_statement(struct reader *r, int *line)
{
	/* These are lines; everything else of the format ends with a semicolon. */
	static const char *const lines[] = {"BO_", "SG_", "VERSION", "NS_", "BS_", "BU_", NULL};

	while (r->at < r->end) {
		while (r->at < r->end && isspace((unsigned char)*r->at))
			r->line += *r->at++ == '\n';
		char *text = r->at;
		int by_line = 0, quoted = 0;

		*line = r->line;
		for (int i = 0; lines[i]; i++)
			by_line |= is_word(text, lines[i]);
		/* A lone word: of the list of symbols behind NS_. */
		by_line |= text[strcspn(text, " \t\r\n")] != ' ';
		while (r->at < r->end && (by_line ? *r->at != '\n' : quoted || *r->at != ';')) {
			quoted ^= *r->at == '"';
			r->line += *r->at++ == '\n';
		}
		if (r->at < r->end) {
			r->line += *r->at == '\n';
			*r->at++ = '\0';
		}
		if (*text)
			return text;
	}
	return NULL;
}

/* Readers of what comes next; nonzero when it was there. */
static int take_char(char **at, char c)
{
	*at += strspn(*at, " \t\r\n");
	if (**at != c)
		return 0;
	(*at)++;
	return 1;
}

static int take_double(char **at, double *d)
{
	char *end;

	*d = strtod(*at, &end);
	if (end == *at || !isfinite(*d))
		return 0;
	*at = end;
	return 1;
}

static int take_int(char **at, int64_t *i)
{
	double d;

	if (!take_double(at, &d) || fabs(d) > 9e15)
		return 0;
	*i = (int64_t)d;
	return 1;
}

static int take_name(char **at, char *name, size_t size)
{
	*at += strspn(*at, " \t\r\n");
	size_t n = 0;

	while (isalnum((unsigned char)(*at)[n]) || (*at)[n] == '_')
		n++;
	if (!n)
		return 0;
	(void)snprintf(name, size, "%.*s", (int)(n < size ? n : size - 1), *at);
	*at += n;
	return 1;
}

static int is_utf8(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t more = s[i] < 0x80 ? 0 : s[i] >= 0xC2 && s[i] < 0xE0 ? 1 : (s[i] & 0xF0) == 0xE0 ? 2 : 4;

		if (more == 4 || i + more >= n + (more == 0))
			return 0;
		while (more--)
			if ((s[++i] & 0xC0) != 0x80)
				return 0;
	}
	return 1;
}

/* The file may be of any age: what is no UTF-8 is taken for Latin-1, in which degrees are a byte. */
static void copy_text(const char *from, size_t n, char *to, size_t size)
{
	int plain = is_utf8((const unsigned char *)from, n);
	size_t k = 0;

	for (size_t i = 0; i < n && k + 3 < size; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c < 0x20 || c == 0x7F)
			continue;
		if (c >= 0x80 && !plain)
			to[k++] = (char)(c < 0xC0 ? 0xC2 : 0xC3);
		to[k++] = (char)(c >= 0x80 && !plain ? 0x80 | (c & 0x3F) : c);
	}
	/* Nothing is cut within a letter. */
	while (plain && k && k + 3 >= size && ((unsigned char)to[k - 1] & 0xC0) == 0x80)
		k--;
	if (plain && k && (unsigned char)to[k - 1] >= 0xC0)
		k--;
	to[k] = '\0';
}

static int take_quoted(char **at, char *text, size_t size)
{
	if (!take_char(at, '"'))
		return 0;
	char *close = strchr(*at, '"');
	if (!close)
		return 0;
	copy_text(*at, (size_t)(close - *at), text, size);
	*at = close + 1;
	return 1;
}

static void *grown(void *list, int count, int most, size_t size)
{
	if (count && (count & (count - 1)))
		return list; /* there is room up to the next power of two */
	if (count >= most)
		return NULL;
	return realloc(list, (size_t)(count ? 2 * count : 1) * size);
}

/* BO_ 2566844926 Charger: 8 Vector__XXX */
static int read_message(struct reader *r, char *at, int line)
{
	struct dbc *dbc = r->dbc;
	struct dbc_message m = {.mux = -1, .line = line};
	int64_t id, bytes;

	r->skips = 1;
	if (!take_int(&at, &id) || !take_name(&at, m.name, sizeof(m.name)) || !take_char(&at, ':') ||
	    !take_int(&at, &bytes) || id < 0 || id > UINT32_MAX || bytes < 0) {
		leave_out(r, line, "a message that can't be read");
		return FC_OK;
	}
	if ((uint32_t)id == DBC_NO_MESSAGE)
		return FC_OK;
	m.extended = ((uint32_t)id & DBC_EXTENDED) != 0;
	m.id = (uint32_t)id & ~DBC_EXTENDED;
	m.bytes = (int)(bytes > 64 ? 64 : bytes);
	if (bytes > 8 || m.id > (m.extended ? 0x1FFFFFFFu : 0x7FFu)) {
		leave_out(r, line,
			  bytes > 8 ? "a message of more than 8 bytes (CAN FD, or put together of several)"
				    : "an identifier that is too large");
		return FC_OK;
	}
	void *list = grown(dbc->messages, dbc->message_count, MESSAGES_MAX, sizeof(m));
	if (!list)
		return FC_ELIMIT;
	dbc->messages = list;
	dbc->messages[dbc->message_count++] = m;
	r->skips = 0;
	return FC_OK;
}

/* M, m3, or nothing before the colon. 0: what it says can't be expressed. */
static int read_kind(char **at, struct dbc_signal *s)
{
	char word[DBC_NAME];
	char *end = word;

	if (take_char(at, ':'))
		return 1;
	if (!take_name(at, word, sizeof(word)) || !take_char(at, ':'))
		return 0;
	if (!strcmp(word, "M")) {
		s->kind = DBC_MUX;
		return 1;
	}
	s->kind = DBC_MUXED;
	unsigned long mux = word[0] == 'm' && isdigit((unsigned char)word[1]) ? strtoul(word + 1, &end, 10) : 0;
	s->mux = (uint32_t)mux;
	return word[0] == 'm' && isdigit((unsigned char)word[1]) && !*end && mux <= UINT32_MAX;
}

static int last_byte(const struct dbc_signal *s)
{
	if (!s->big)
		return (s->start + s->bits - 1) / 8;
	int left = s->bits - (s->start % 8 + 1);
	return s->start / 8 + (left > 0 ? (left + 7) / 8 : 0);
}

/* SG_ Voltage m1 : 7|16@0+ (0.1,0) [0|1000] "V" Receiver */
static int read_signal(struct reader *r, char *at, int line)
{
	struct dbc *dbc = r->dbc;
	struct dbc_signal s = {.message = dbc->message_count - 1, .line = line};
	int64_t start, bits, order;

	if (r->skips || !dbc->message_count)
		return FC_OK;
	if (!take_name(&at, s.name, sizeof(s.name))) {
		leave_out(r, line, "a signal that can't be read");
		return FC_OK;
	}
	if (!read_kind(&at, &s)) {
		leave_out(r, line, "a signal whose multiplexing is nested, or can't be read");
		return FC_OK;
	}
	if (!take_int(&at, &start) || !take_char(&at, '|') || !take_int(&at, &bits) || !take_char(&at, '@') ||
	    (*at != '0' && *at != '1') || (at[1] != '+' && at[1] != '-')) {
		leave_out(r, line, "a signal that can't be read");
		return FC_OK;
	}
	order = *at - '0';
	s.is_signed = at[1] == '-';
	at += 2;
	if (!take_char(&at, '(') || !take_double(&at, &s.scale) || !take_char(&at, ',') ||
	    !take_double(&at, &s.offset) || !take_char(&at, ')') || !take_char(&at, '[') || !take_double(&at, &s.min) ||
	    !take_char(&at, '|') || !take_double(&at, &s.max) || !take_char(&at, ']') ||
	    !take_quoted(&at, s.unit, sizeof(s.unit))) {
		leave_out(r, line, "a signal that can't be read");
		return FC_OK;
	}
	/* As a profile takes them (compile_double: below 1e12), also when they are written with 15 digits. */
	if (fabs(s.scale) > 9e11 || fabs(s.offset) > 9e11) {
		leave_out(r, line, "a signal whose scale or offset is larger than a profile may say");
		return FC_OK;
	}
	if (start < 0 || start >= DATA_BITS || bits < 1 || bits > DATA_BITS) {
		leave_out(r, line, "a signal that lies outside its message");
		return FC_OK;
	}
	s.start = (int)start;
	s.bits = (int)bits;
	s.big = !order;
	if (last_byte(&s) >= dbc->messages[s.message].bytes) {
		leave_out(r, line, "a signal that lies outside its message");
		return FC_OK;
	}
	struct dbc_message *m = &dbc->messages[s.message];
	if (s.kind == DBC_MUX && (m->mux >= 0 || s.bits > 32 || s.is_signed)) {
		leave_out(r, line, "a second or odd multiplexer of a message");
		return FC_OK;
	}
	void *list = grown(dbc->signals, dbc->signal_count, SIGNALS_MAX, sizeof(s));
	if (!list)
		return FC_ELIMIT;
	dbc->signals = list;
	if (s.kind == DBC_MUX)
		m->mux = dbc->signal_count;
	dbc->signals[dbc->signal_count++] = s;
	return FC_OK;
}

static int message_of(const struct dbc *dbc, int64_t id)
{
	for (int i = 0; i < dbc->message_count; i++)
		if (dbc->messages[i].id == ((uint32_t)id & ~DBC_EXTENDED) &&
		    dbc->messages[i].extended == (((uint32_t)id & DBC_EXTENDED) != 0))
			return i;
	return -1;
}

/* The signal that "ID NAME" says, or NULL: of one that was left out, or of none. */
static struct dbc_signal *take_signal(struct dbc *dbc, char **at)
{
	char name[DBC_NAME];
	int64_t id;

	if (!take_int(at, &id) || id < 0 || id > UINT32_MAX || !take_name(at, name, sizeof(name)))
		return NULL;
	int message = message_of(dbc, id);
	for (int i = 0; i < dbc->signal_count; i++)
		if (dbc->signals[i].message == message && !strcmp(dbc->signals[i].name, name))
			return &dbc->signals[i];
	return NULL;
}

/* VAL_ 256 State 0 "Idle" 1 "Charging" */
static int read_values(struct dbc *dbc, char *at)
{
	struct dbc_signal *s = take_signal(dbc, &at);
	struct dbc_value v;

	while (s && take_int(&at, &v.number) && take_quoted(&at, v.text, sizeof(v.text))) {
		void *list = grown(s->values, s->value_count, VALUES_MAX, sizeof(v));

		if (!list)
			return s->value_count < VALUES_MAX ? FC_ENOMEM : FC_OK;
		s->values = list;
		s->values[s->value_count++] = v;
	}
	return FC_OK;
}

/* SIG_VALTYPE_ 256 Power : 1 */
static void read_valtype(struct reader *r, char *at, int line)
{
	struct dbc_signal *s = take_signal(r->dbc, &at);
	int64_t form;

	if (!s)
		return;
	(void)take_char(&at, ':');
	if (!take_int(&at, &form) || form < 0 || form > 2 || (form && s->bits != 32 * form)) {
		leave_out(r, line, "a form of a signal that does not fit its length: read as a whole number");
		return;
	}
	s->form = form == 1 ? DBC_FLOAT : form == 2 ? DBC_DOUBLE : DBC_WHOLE;
}

/* BA_ "GenMsgCycleTime" BO_ 256 100 */
static void read_attribute(struct dbc *dbc, char *at)
{
	char name[DBC_NAME], of[DBC_NAME];
	int64_t id, value;

	if (!take_quoted(&at, name, sizeof(name)) || strcmp(name, "GenMsgCycleTime") != 0 ||
	    !take_name(&at, of, sizeof(of)) || strcmp(of, "BO_") != 0 || !take_int(&at, &id) || !take_int(&at, &value))
		return;
	int message = id < 0 || id > UINT32_MAX ? -1 : message_of(dbc, id);
	if (message >= 0 && value >= 10 && value <= 3600000)
		dbc->messages[message].period_ms = (int)value;
}

static int read_one(struct reader *r, char *text, int line)
{
	/* What says nothing about where values lie. */
	static const char *const others[] = {"VERSION",
					     "NS_",
					     "BS_",
					     "BU_",
					     "CM_",
					     "VAL_TABLE_",
					     "BA_DEF_",
					     "BA_DEF_DEF_",
					     "BA_DEF_REL_",
					     "BA_REL_",
					     "BA_SGTYPE_",
					     "BA_DEF_SGTYPE_",
					     "BO_TX_BU_",
					     "SIG_GROUP_",
					     "EV_",
					     "EV_DATA_",
					     "ENVVAR_DATA_",
					     "SIG_TYPE_REF_",
					     "SGTYPE_",
					     "SGTYPE_VAL_",
					     "BA_DEF_DEF_REL_",
					     "BU_SG_REL_",
					     "BU_EV_REL_",
					     "BU_BO_REL_",
					     "NS_DESC_",
					     "CAT_DEF_",
					     "CAT_",
					     "FILTER",
					     NULL};
	char *rest = text + strcspn(text, " \t:");

	rest += strspn(rest, " \t");
	if (is_word(text, "BO_") && isdigit((unsigned char)*rest))
		return read_message(r, rest, line);
	if (is_word(text, "SG_"))
		return read_signal(r, rest, line);
	if (is_word(text, "VAL_"))
		return read_values(r->dbc, rest);
	if (is_word(text, "SIG_VALTYPE_"))
		read_valtype(r, rest, line);
	else if (is_word(text, "BA_"))
		read_attribute(r->dbc, rest);
	else if (is_word(text, "SG_MUL_VAL_") && *rest)
		leave_out(r, line, "extended multiplexing: ranges of values, or a multiplexer within another");
	else
		for (int i = 0; *rest; i++) {
			if (!others[i]) {
				leave_out(r, line, "a statement that is not known");
				break;
			}
			if (is_word(text, others[i]))
				break;
		}
	return FC_OK;
}

/* Signals that depend on a multiplexer that is not there: their message says nothing certain. */
static void check_mux(struct reader *r)
{
	struct dbc *dbc = r->dbc;
	int kept = 0;

	for (int i = 0; i < dbc->signal_count; i++) {
		struct dbc_signal s = dbc->signals[i];

		if (s.kind == DBC_MUXED && dbc->messages[s.message].mux < 0) {
			leave_out(r, s.line, "a multiplexed signal of a message without a multiplexer");
			free(s.values);
			continue;
		}
		if (s.kind == DBC_MUX)
			dbc->messages[s.message].mux = kept;
		dbc->signals[kept++] = s;
	}
	dbc->signal_count = kept;
}

int dbc_read(struct dbc *dbc, char *text, size_t len, void (*left_out)(void *user, int line, const char *what),
	     void *user, struct error *err)
{
	struct reader r = {.dbc = dbc, .at = text, .end = text + len, .line = 1, .left_out = left_out, .user = user};
	int result = FC_OK, line;
	char *statement;

	*dbc = (struct dbc){0};
	if (len > 2 && !memcmp(text, "\xEF\xBB\xBF", 3))
		r.at += 3;
	while (!result && (statement = next_statement(&r, &line)))
		result = read_one(&r, statement, line);
	check_mux(&r);
	if (result == FC_ELIMIT)
		return error_set(err, result, "it is too long: %d messages, %d signals at most", MESSAGES_MAX,
				 SIGNALS_MAX);
	if (result)
		return error_set(err, result, "no memory");
	return dbc->signal_count ? FC_OK
				 : error_set(err, FC_EINVAL, "there is no message with a signal that can be read");
}

void dbc_fini(struct dbc *dbc)
{
	for (int i = 0; i < dbc->signal_count; i++)
		free(dbc->signals[i].values);
	free(dbc->signals);
	free(dbc->messages);
	*dbc = (struct dbc){0};
}
