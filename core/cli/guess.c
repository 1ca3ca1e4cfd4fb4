#include "cli/guess.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { CELL = 200 };

/* Lower case, without blanks and signs; bytes beyond ASCII stay. */
static void flatten(const char *text, char out[CELL])
{
	size_t n = 0;

	for (; *text && n < CELL - 1; text++)
		if (isalnum((unsigned char)*text) || (unsigned char)*text >= 0x80)
			out[n++] = (char)tolower((unsigned char)*text);
	out[n] = '\0';
}

int guess_column(const char *header)
{
	static const struct {
		const char *word;
		int column;
	} words[] = {
	    {"address", COLUMN_ADDRESS},
	    {"addr", COLUMN_ADDRESS},
	    {"register", COLUMN_ADDRESS},
	    {"reg", COLUMN_ADDRESS},
	    {"registeraddress", COLUMN_ADDRESS},
	    {"regaddress", COLUMN_ADDRESS},
	    {"modbusaddress", COLUMN_ADDRESS},
	    {"startaddress", COLUMN_ADDRESS},
	    {"startingaddress", COLUMN_ADDRESS},
	    {"registernumber", COLUMN_ADDRESS},
	    {"addresshex", COLUMN_ADDRESS},
	    {"addressdec", COLUMN_ADDRESS},
	    {"地址", COLUMN_ADDRESS},
	    {"寄存器", COLUMN_ADDRESS},
	    {"寄存器地址", COLUMN_ADDRESS},
	    {"name", COLUMN_NAME},
	    {"parameter", COLUMN_NAME},
	    {"signal", COLUMN_NAME},
	    {"point", COLUMN_NAME},
	    {"registername", COLUMN_NAME},
	    {"variable", COLUMN_NAME},
	    {"designation", COLUMN_NAME},
	    {"measurement", COLUMN_NAME},
	    {"名称", COLUMN_NAME},
	    {"参数", COLUMN_NAME},
	    {"type", COLUMN_TYPE},
	    {"datatype", COLUMN_TYPE},
	    {"format", COLUMN_TYPE},
	    {"dataformat", COLUMN_TYPE},
	    {"类型", COLUMN_TYPE},
	    {"数据类型", COLUMN_TYPE},
	    {"words", COLUMN_WORDS},
	    {"length", COLUMN_WORDS},
	    {"len", COLUMN_WORDS},
	    {"quantity", COLUMN_WORDS},
	    {"size", COLUMN_WORDS},
	    {"count", COLUMN_WORDS},
	    {"registers", COLUMN_WORDS},
	    {"numberofregisters", COLUMN_WORDS},
	    {"numregisters", COLUMN_WORDS},
	    {"长度", COLUMN_WORDS},
	    {"数量", COLUMN_WORDS},
	    {"scale", COLUMN_SCALE},
	    {"factor", COLUMN_SCALE},
	    {"scalefactor", COLUMN_SCALE},
	    {"scaling", COLUMN_SCALE},
	    {"resolution", COLUMN_SCALE},
	    {"multiplier", COLUMN_SCALE},
	    {"系数", COLUMN_SCALE},
	    {"倍率", COLUMN_SCALE},
	    {"gain", COLUMN_GAIN},
	    {"divisor", COLUMN_GAIN},
	    {"增益", COLUMN_GAIN},
	    {"unit", COLUMN_UNIT},
	    {"units", COLUMN_UNIT},
	    {"单位", COLUMN_UNIT},
	    {"access", COLUMN_ACCESS},
	    {"rw", COLUMN_ACCESS},
	    {"readwrite", COLUMN_ACCESS},
	    {"permission", COLUMN_ACCESS},
	    {"读写", COLUMN_ACCESS},
	    {"fc", COLUMN_FC},
	    {"function", COLUMN_FC},
	    {"functioncode", COLUMN_FC},
	    {"功能码", COLUMN_FC},
	    {"description", COLUMN_DESCRIPTION},
	    {"comment", COLUMN_DESCRIPTION},
	    {"comments", COLUMN_DESCRIPTION},
	    {"note", COLUMN_DESCRIPTION},
	    {"notes", COLUMN_DESCRIPTION},
	    {"remark", COLUMN_DESCRIPTION},
	    {"remarks", COLUMN_DESCRIPTION},
	    {"meaning", COLUMN_DESCRIPTION},
	    {"说明", COLUMN_DESCRIPTION},
	    {"备注", COLUMN_DESCRIPTION},
	    {"描述", COLUMN_DESCRIPTION},
	};
	char flat[CELL];

	flatten(header, flat);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(flat, words[i].word))
			return words[i].column;
	return -1;
}

/* The rest is nothing, or the end of a range of registers. */
static int is_end(const char *text)
{
	text += strspn(text, " ");
	return !*text || *text == '-' || *text == '~' || *text == ',' || *text == '/' || *text == '(';
}

int guess_address(const char *text, enum guess_base *base, int *table, long *number)
{
	size_t digits = strspn(text, "0123456789"), hex = strspn(text, "0123456789abcdefABCDEF");
	char *end;

	*table = 0;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		*base = BASE_HEX;
		*number = strtol(text + 2, &end, 16);
		return end > text + 2 && is_end(end) && *number <= 65535 ? FC_OK : FC_EINVAL;
	}
	if (hex && (text[hex] == 'h' || text[hex] == 'H')) {
		*base = BASE_HEX;
		*number = strtol(text, NULL, 16);
		return is_end(text + hex + 1) && hex <= 4 ? FC_OK : FC_EINVAL;
	}
	if (digits == 1 && (text[1] == 'x' || text[1] == 'X') && strchr("134", text[0])) {
		*base = BASE_MODICON;
		*table = text[0] - '0';
		*number = strtol(text + 2, &end, 10);
		return end > text + 2 && is_end(end) && *number >= 1 && *number <= 65536 ? FC_OK : FC_EINVAL;
	}
	*number = strtol(text, &end, 10);
	if (!digits || digits > 6 || !is_end(end))
		return FC_EINVAL;
	if (digits == 6 && strchr("134", text[0])) {
		*base = BASE_MODICON;
		*table = text[0] - '0';
		*number = strtol(text + 1, NULL, 10);
		return *number >= 1 && *number <= 65536 ? FC_OK : FC_EINVAL;
	}
	*base = digits == 5 && strchr("134", text[0]) && *number % 10000 ? BASE_FIVE : BASE_AS_IS;
	*table = *base == BASE_FIVE ? text[0] - '0' : 0;
	return *number <= 65535 ? FC_OK : FC_EINVAL;
}

static const struct {
	const char *word;
	const char *type;
	int words; /* 0 = the length must say */
} types[] = {
    {"uint16", "u16", 1},     {"u16", "u16", 1},        {"word", "u16", 1},       {"unsigned16", "u16", 1},
    {"ushort", "u16", 1},     {"enum", "u16", 1},       {"enum16", "u16", 1},     {"uint8", "u16", 1},
    {"byte", "u16", 1},       {"int16", "s16", 1},      {"s16", "s16", 1},        {"short", "s16", 1},
    {"sint16", "s16", 1},     {"signed16", "s16", 1},   {"i16", "s16", 1},        {"uint32", "u32", 2},
    {"u32", "u32", 2},        {"dword", "u32", 2},      {"unsigned32", "u32", 2}, {"ulong", "u32", 2},
    {"int32", "s32", 2},      {"s32", "s32", 2},        {"long", "s32", 2},       {"signed32", "s32", 2},
    {"sint32", "s32", 2},     {"i32", "s32", 2},        {"uint64", "u64", 4},     {"u64", "u64", 4},
    {"unsigned64", "u64", 4}, {"int64", "s64", 4},      {"s64", "s64", 4},        {"signed64", "s64", 4},
    {"i64", "s64", 4},        {"float", "f32", 2},      {"float32", "f32", 2},    {"f32", "f32", 2},
    {"real", "f32", 2},       {"single", "f32", 2},     {"ieee754", "f32", 2},    {"double", "f64", 4},
    {"float64", "f64", 4},    {"f64", "f64", 4},        {"string", "text", 0},    {"str", "text", 0},
    {"ascii", "text", 0},     {"char", "text", 0},      {"text", "text", 0},      {"utf8", "text", 0},
    {"utf16", "text", 0},     {"bool", "bool", 1},      {"boolean", "bool", 1},   {"bit", "bool", 1},
    {"coil", "bool", 1},      {"bitfield", "u16", 1},   {"bits", "u16", 1},       {"bitmap", "u16", 1},
    {"bitfield16", "u16", 1}, {"bitfield32", "u32", 2}, {"bcd", "bcd", 1},        {"hex", "hex", 0},
    {"字符串", "text", 0},    {"整数", "u16", 1},       {"浮点", "f32", 2},
};

static const char *const wider[][3] = {
    {"uint", "unsigned", "unsignedint"}, {"int", "integer", "signed"}, {"float", "real", "floatingpoint"}};

/* A type that says no width: by the words. */
static int by_words(const char *flat, int words, struct guess_form *form)
{
	static const char *const names[3][3] = {{"u16", "u32", "u64"}, {"s16", "s32", "s64"}, {"", "f32", "f64"}};
	int place = words == 4 ? 2 : words == 2 ? 1 : words <= 1 ? 0 : -1;

	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 3; i++) {
			if (strcmp(flat, wider[k][i]) != 0)
				continue;
			if (k == 2 && !place && !words)
				place = 1;
			if (place < 0 || !*names[k][place])
				return FC_EINVAL;
			(void)snprintf(form->type, sizeof(form->type), "%s", names[k][place]);
			form->is_sure = words > 0;
			return FC_OK;
		}
	return FC_ENOENT;
}

static void plain(int words, struct guess_form *form)
{
	(void)snprintf(form->type, sizeof(form->type), "%s",
		       words <= 1   ? "u16"
		       : words == 2 ? "u32"
		       : words == 4 ? "u64"
				    : "text");
	form->words = words > 4 || words == 3 ? words : 0;
	form->is_sure = 0;
}

int guess_form(const char *type, const char *length, struct guess_form *form)
{
	char flat[CELL], bare[CELL];
	int words = (int)strtol(length, NULL, 10);

	*form = (struct guess_form){.is_sure = 1};
	flatten(type, flat);
	if (words < 0 || words > 125)
		return FC_EINVAL;
	if (!*flat) {
		plain(words, form);
		return FC_OK;
	}
	int result = by_words(flat, words, form);
	if (result != FC_ENOENT)
		return result;
	/* "string20", "char[16]": so many bytes. */
	(void)snprintf(bare, sizeof(bare), "%s", flat);
	size_t tail = strlen(bare);
	while (tail && isdigit((unsigned char)bare[tail - 1]))
		tail--;
	long bytes = strtol(bare + tail, NULL, 10);
	bare[tail] = '\0';
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int whole = !strcmp(flat, types[i].word);

		if (!whole && (types[i].words || strcmp(bare, types[i].word) != 0))
			continue;
		(void)snprintf(form->type, sizeof(form->type), "%s", types[i].type);
		form->is_utf16 = !strcmp(types[i].word, "utf16");
		if (!types[i].words) {
			form->words = words ? words : whole || !bytes ? 8 : (int)(bytes + 1) / 2;
			form->is_sure = words > 0;
		} else {
			form->is_sure = !words || words == types[i].words;
		}
		return form->words <= 125 ? FC_OK : FC_EINVAL;
	}
	return FC_EINVAL;
}

int guess_scale(const char *text, double *scale)
{
	char copy[64];
	char *end;
	double divide = 0;

	*scale = 1;
	text += strspn(text, " xX*×");
	if (!*text || !strcmp(text, "-"))
		return FC_OK;
	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *c = copy; *c; c++)
		*c = *c == ',' ? '.' : *c;
	if (!strncmp(copy, "10^", 3)) {
		*scale = pow(10, strtod(copy + 3, &end));
		return end > copy + 3 && !*end && isfinite(*scale) ? FC_OK : FC_EINVAL;
	}
	const char *from = copy;
	if (*from != '/')
		*scale = strtod(from, &end);
	else
		end = copy;
	if (end == from && *from != '/')
		return FC_EINVAL;
	if (*end == '/') {
		from = end + 1;
		divide = strtod(from, &end);
		if (end == from || (divide >= 0 && divide <= 0))
			return FC_EINVAL;
		*scale /= divide;
	}
	end += strspn(end, " ");
	/* A unit behind it, as in "0.1 V", says nothing new. */
	return (!*end || isalpha((unsigned char)*end) || *end == '%' || (unsigned char)*end >= 0x80) &&
		       isfinite(*scale) && fabs(*scale) < 1e12 && (*scale < 0 || *scale > 0)
		   ? FC_OK
		   : FC_EINVAL;
}

static int has(const char *text, const char *word)
{
	return strstr(text, word) != NULL;
}

/* 0, 1, 2 for L1, L2, L3 in any writing; -1: none is said. */
static int phase_of(const char *flat)
{
	static const char *const marks[3][5] = {{"l1", "phase1", "phasea", "p1", "a相"},
						{"l2", "phase2", "phaseb", "p2", "b相"},
						{"l3", "phase3", "phasec", "p3", "c相"}};

	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 5; i++)
			if (has(flat, marks[k][i]))
				return k;
	return -1;
}

const char *guess_name(const char *name, const char *description)
{
	static const char *const voltage[] = {"voltage_a", "voltage_b", "voltage_c"};
	static const char *const current[] = {"current_a", "current_b", "current_c"};
	char flat[CELL];
	int limits, phase;

	(void)description;
	flatten(name, flat);
	phase = phase_of(flat);
	limits = has(flat, "max") || has(flat, "min") || has(flat, "limit") || has(flat, "rated") || has(flat, "set") ||
		 has(flat, "reactive") || has(flat, "apparent") || has(flat, "fail");
	if (has(flat, "soc") || has(flat, "stateofcharge"))
		return "soc";
	if (has(flat, "serial") || has(flat, "序列号"))
		return "serial";
	if (has(flat, "firmware") || has(flat, "softwareversion") || has(flat, "固件"))
		return "firmware";
	if (limits)
		return NULL;
	if (has(flat, "voltage") || has(flat, "电压"))
		return voltage[phase < 0 ? 0 : phase];
	if (has(flat, "current") || has(flat, "电流"))
		return current[phase < 0 ? 0 : phase];
	if ((has(flat, "energy") || has(flat, "电量") || has(flat, "电能")) && phase < 0)
		return has(flat, "session") || has(flat, "本次") ? "session_energy" : "energy";
	if ((has(flat, "power") || has(flat, "功率")) && phase < 0 && !has(flat, "factor"))
		return "power";
	if (has(flat, "temperature") || has(flat, "温度"))
		return "temperature";
	if (has(flat, "errorcode") || has(flat, "faultcode") || has(flat, "故障"))
		return "fault";
	return has(flat, "state") || has(flat, "status") || has(flat, "状态") ? "state" : NULL;
}

void guess_key(const char *name, char key[32])
{
	static const char *const words[] = {"and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
					    "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
					    "repeat",   "return", "then", "true", "until",  "while"};
	size_t n = 0;

	for (; *name && n < 31; name++) {
		char c = (char)tolower((unsigned char)*name);

		if (isalnum((unsigned char)c))
			key[n++] = c;
		else if (n && key[n - 1] != '_')
			key[n++] = '_';
	}
	while (n && key[n - 1] == '_')
		n--;
	key[n] = '\0';
	/* "3phase" and "end" are no names in Lua. */
	int reserved = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		reserved |= !strcmp(key, words[i]);
	if (isdigit((unsigned char)key[0]) || reserved) {
		n = n < 31 ? n : 30;
		memmove(key + 1, key, n);
		key[0] = 'r';
		key[n + 1] = '\0';
	}
}
