#include "mutate.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 8192, PIECE = 16384 };

struct token {
	size_t begin, end;
	int depth; /* of the brackets around it */
};

static struct token tokens[TOKENS];
static int count;
static uint32_t state;

static unsigned chance(unsigned below)
{
	state = state * 1664525u + 1013904223u;
	return below ? (state >> 8) % below : 0;
}

static int is_word(int c)
{
	return isalnum(c) || c == '_' || c == '.';
}

static size_t end_of_text(const uint8_t *d, size_t len, size_t at)
{
	uint8_t quote = d[at++];

	while (at < len && d[at] != quote && d[at] != '\n')
		at += d[at] == '\\' && at + 1 < len ? 2u : 1u;
	return at < len ? at + 1 : len;
}

static void find_tokens(const uint8_t *d, size_t len)
{
	int depth = 0;

	count = 0;
	for (size_t at = 0; at < len && count < TOKENS;) {
		size_t begin = at;

		if (isspace(d[at])) {
			at++;
			continue;
		}
		if (d[at] == '#' || (d[at] == '-' && at + 1 < len && d[at + 1] == '-')) {
			while (at < len && d[at] != '\n')
				at++;
			continue;
		}
		if (d[at] == '"' || d[at] == '\'') {
			at = end_of_text(d, len, at);
		} else if (is_word(d[at])) {
			while (at < len && is_word(d[at]))
				at++;
		} else {
			depth -= d[at] == '}' || d[at] == ')';
			at++;
		}
		tokens[count++] = (struct token){begin, at, depth};
		depth += d[begin] == '{' || d[begin] == '(';
	}
}

static int is_one(const uint8_t *d, int token, char c)
{
	return tokens[token].end - tokens[token].begin == 1 && d[tokens[token].begin] == c;
}

static size_t replace(uint8_t *d, size_t len, size_t most, size_t begin, size_t end, const void *with, size_t n)
{
	if (len - (end - begin) + n > most)
		return len;
	memmove(d + begin + n, d + end, len - end);
	if (n)
		memcpy(d + begin, with, n);
	return len - (end - begin) + n;
}

/* An entry from a bracket or comma to the next comma of the same depth, itself included, or to the bracket's end. 0: there is none. */
static int find_entry(const uint8_t *d, size_t *begin, size_t *end)
{
	if (count < 2)
		return 0;
	int first = (int)chance((unsigned)count);
	while (first && !is_one(d, first - 1, ',') && !is_one(d, first - 1, '{'))
		first--;
	int last = first;
	while (last < count && tokens[last].depth >= tokens[first].depth && !is_one(d, last, '}') &&
	       !(is_one(d, last, ',') && tokens[last].depth == tokens[first].depth)) {
		/* Over what is in brackets. */
		if (is_one(d, last, '{'))
			while (last + 1 < count && !(is_one(d, last, '}') && tokens[last].depth == tokens[first].depth))
				last++;
		last++;
	}
	if (last >= count || last == first)
		return 0;
	*begin = tokens[first].begin;
	*end = is_one(d, last, ',') ? tokens[last].end : tokens[last - 1].end;
	return 1;
}

/* Behind a bracket or comma. */
static size_t find_gap(const uint8_t *d)
{
	int at = (int)chance((unsigned)count);

	while (at && !is_one(d, at, ',') && !is_one(d, at, '{'))
		at--;
	return tokens[at].end;
}

static size_t change_number(const uint8_t *d, const struct token *t, char *out, size_t size)
{
	static const char *const values[] = {"0",
					     "1",
					     "2",
					     "7",
					     "8",
					     "16",
					     "64",
					     "255",
					     "256",
					     "65535",
					     "65536",
					     "100",
					     "4294967295",
					     "2147483648",
					     "9007199254740993",
					     "1e300",
					     "1e-300",
					     "0.1",
					     "0.001",
					     "1e15",
					     "-1",
					     "-0.5",
					     "true",
					     "false",
					     "{}",
					     "\"\"",
					     "0x7fffffffffffffff",
					     "-9223372036854775808",
					     "1e999",
					     "3",
					     "4",
					     "17"};
	char text[64];
	size_t n = t->end - t->begin < sizeof(text) - 1 ? t->end - t->begin : sizeof(text) - 1;

	memcpy(text, d + t->begin, n);
	text[n] = '\0';
	long long number = strtoll(text, NULL, 0);
	switch (chance(5)) {
	case 0:
		return (size_t)snprintf(out, size, "%lld", (long long)((unsigned long long)number + 1));
	case 1:
		return (size_t)snprintf(out, size, "%lld", (long long)((unsigned long long)number - 1));
	case 2:
		return (size_t)snprintf(out, size, "%lld", (long long)((unsigned long long)number << chance(9)));
	default:
		return (size_t)snprintf(out, size, "%s", values[chance(sizeof(values) / sizeof(values[0]))]);
	}
}

static size_t change_token(uint8_t *d, size_t len, size_t most, const char *const *words)
{
	const struct token t = tokens[chance((unsigned)count)], other = tokens[chance((unsigned)count)];
	uint8_t piece[PIECE];
	size_t n = other.end - other.begin;
	int known = 0;

	while (words[known])
		known++;
	if (isdigit(d[t.begin]))
		n = change_number(d, &t, (char *)piece, sizeof(piece));
	else if (chance(2) && known)
		n = (size_t)snprintf((char *)piece, sizeof(piece), d[t.begin] == '"' ? "\"%s\"" : "%s",
				     words[chance((unsigned)known)]);
	else if (n <= sizeof(piece))
		memcpy(piece, d + other.begin, n);
	else
		return len;
	return replace(d, len, most, t.begin, t.end, piece, n);
}

static size_t copy_entry(uint8_t *d, size_t len, size_t most)
{
	uint8_t piece[PIECE];
	size_t begin, end, gap = find_gap(d);

	if (!find_entry(d, &begin, &end) || end - begin + 2 > sizeof(piece))
		return len;
	size_t n = end - begin;
	memcpy(piece, d + begin, n);
	if (piece[n - 1] != ',')
		piece[n++] = ',';
	return replace(d, len, most, gap, gap, piece, n);
}

static size_t new_entry(uint8_t *d, size_t len, size_t most, const char *const *words)
{
	const struct token t = tokens[chance((unsigned)count)];
	char piece[300], value[64];
	size_t gap = find_gap(d);
	int known = 0;

	while (words[known])
		known++;
	if (!known)
		return len;
	(void)change_number(d, &t, value, sizeof(value));
	int n = snprintf(piece, sizeof(piece), " %s = %s,", words[chance((unsigned)known)], value);
	return n < 0 || (size_t)n >= sizeof(piece) ? len : replace(d, len, most, gap, gap, piece, (size_t)n);
}

static size_t change_text(uint8_t *d, size_t len, size_t most)
{
	const struct token t = tokens[chance((unsigned)count)];
	uint8_t piece[512];
	size_t n = t.end - t.begin;

	if (n < 2 || n > sizeof(piece) / 2 || (d[t.begin] != '"' && d[t.begin] != '\''))
		return len;
	memcpy(piece, d + t.begin + 1, n - 2);
	n = LLVMFuzzerMutate(piece, n - 2, sizeof(piece));
	return replace(d, len, most, t.begin + 1, t.end - 1, piece, n);
}

size_t mutate_table(uint8_t *data, size_t size, size_t most, unsigned seed, const char *const *words)
{
	size_t begin, end;

	state = seed;
	if (!chance(4))
		return LLVMFuzzerMutate(data, size, most);
	for (unsigned i = 1 + chance(4); i; i--) {
		find_tokens(data, size);
		if (!count)
			return LLVMFuzzerMutate(data, size, most);
		switch (chance(8)) {
		case 0:
		case 1:
		case 2:
			size = change_token(data, size, most, words);
			break;
		case 3:
			size = copy_entry(data, size, most);
			break;
		case 4:
		case 5:
			size = new_entry(data, size, most, words);
			break;
		case 6:
			if (find_entry(data, &begin, &end))
				size = replace(data, size, most, begin, end, NULL, 0);
			break;
		default:
			size = change_text(data, size, most);
			break;
		}
	}
	return size;
}

size_t mutate_cross_table(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t most,
			  unsigned seed)
{
	uint8_t piece[PIECE];
	size_t begin, end, n, gap;

	state = seed;
	find_tokens(b, b_len);
	if (a_len > most || !find_entry(b, &begin, &end) || end - begin + 1 > sizeof(piece))
		return 0;
	n = end - begin;
	memcpy(piece, b + begin, n);
	if (piece[n - 1] != ',')
		piece[n++] = ',';
	memcpy(out, a, a_len);
	find_tokens(a, a_len);
	if (!count)
		return 0;
	gap = find_gap(a);
	return replace(out, a_len, most, gap, gap, piece, n);
}

/* Lines ------------------------------------------------------------------------------------------------------------- */

static size_t line_start(const uint8_t *d, size_t len, size_t at)
{
	at = at < len ? at : len;
	while (at && d[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const uint8_t *d, size_t len, size_t at)
{
	while (at < len && d[at] != '\n')
		at++;
	return at < len ? at + 1 : len;
}

static size_t some_line(const uint8_t *d, size_t len)
{
	return line_start(d, len, len ? chance((unsigned)len) : 0);
}

/* A line, or with whole a section: from its line `config` to the next one. */
static size_t some_lines(const uint8_t *d, size_t len, int whole, size_t *end)
{
	size_t begin = some_line(d, len);

	while (whole && begin && (len - begin < 7 || memcmp(d + begin, "config ", 7) != 0))
		begin = line_start(d, len, begin - 1);
	*end = line_end(d, len, begin);
	while (whole && *end < len && (len - *end < 7 || memcmp(d + *end, "config ", 7) != 0))
		*end = line_end(d, len, *end);
	return begin;
}

static size_t change_word(uint8_t *d, size_t len, size_t most, const char *const *words)
{
	char piece[80];
	int known = 0, n;

	find_tokens(d, len);
	if (!count)
		return len;
	while (words[known])
		known++;
	const struct token t = tokens[chance((unsigned)count)];
	if (chance(3) && known)
		n = snprintf(piece, sizeof(piece), "%s", words[chance((unsigned)known)]);
	else if (chance(2))
		n = (int)change_number(d, &t, piece, sizeof(piece));
	else {
		const struct token other = tokens[chance((unsigned)count)];

		n = snprintf(piece, sizeof(piece), "%.*s", (int)(other.end - other.begin),
			     (const char *)d + other.begin);
	}
	n = n < (int)sizeof(piece) ? n : (int)sizeof(piece) - 1;
	/* Within its quotes, as a rule. */
	int quoted = (d[t.begin] == '\'' || d[t.begin] == '"') && t.end - t.begin >= 2 && piece[0] != d[t.begin];
	return replace(d, len, most, t.begin + (size_t)quoted, t.end - (size_t)quoted, piece, (size_t)n);
}

size_t mutate_lines(uint8_t *data, size_t size, size_t most, unsigned seed, const char *const *words)
{
	state = seed;
	if (!size || !chance(4))
		return LLVMFuzzerMutate(data, size, most);
	for (unsigned i = 1 + chance(4); i; i--) {
		uint8_t piece[PIECE];
		size_t end, begin = some_lines(data, size, !chance(3), &end), n = end - begin, to;

		switch (chance(5)) {
		case 0:
			size = replace(data, size, most, begin, end, NULL, 0);
			break;
		case 1:
			if (n > sizeof(piece))
				break;
			memcpy(piece, data + begin, n);
			to = some_line(data, size);
			size = replace(data, size, most, to, to, piece, n);
			break;
		default:
			size = change_word(data, size, most, words);
			break;
		}
	}
	return size;
}

size_t mutate_cross_lines(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t most,
			  unsigned seed)
{
	state = seed;
	if (!a_len || !b_len || a_len > most)
		return 0;
	size_t end, begin = some_lines(b, b_len, chance(2) != 0, &end), to = some_line(a, a_len);
	memcpy(out, a, a_len);
	return replace(out, a_len, most, to, to, b + begin, end - begin);
}
