#include "upstream/personal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
	KEY_WORD = 32,
	ID_LEAST = 8,
	VIN = 17,
	IDENTITY = 18,
	HEX_LEAST = 32,
	SECRET_LEAST = 40,
	SHORTEST = 6,
	SHORTEST_PART = 4
};

/* Kinds of characters. Every text of every message is looked at. */
enum { DIGIT = 1, LETTER = 2, HEX = 4, SECRET = 8, MAIL = 16, NO_VIN = 32 /* letters that no VIN has */ };
static const unsigned char kinds[256] = {
    ['0' ... '9'] = DIGIT | HEX | SECRET | MAIL,
    ['A' ... 'F'] = LETTER | HEX | SECRET | MAIL,
    ['G' ... 'H'] = LETTER | SECRET | MAIL,
    ['I'] = LETTER | SECRET | MAIL | NO_VIN,
    ['J' ... 'N'] = LETTER | SECRET | MAIL,
    ['O'] = LETTER | SECRET | MAIL | NO_VIN,
    ['P'] = LETTER | SECRET | MAIL,
    ['Q'] = LETTER | SECRET | MAIL | NO_VIN,
    ['R' ... 'Z'] = LETTER | SECRET | MAIL,
    ['a' ... 'f'] = LETTER | HEX | SECRET | MAIL,
    ['g' ... 'h'] = LETTER | SECRET | MAIL,
    ['i'] = LETTER | SECRET | MAIL | NO_VIN,
    ['j' ... 'n'] = LETTER | SECRET | MAIL,
    ['o'] = LETTER | SECRET | MAIL | NO_VIN,
    ['p'] = LETTER | SECRET | MAIL,
    ['q'] = LETTER | SECRET | MAIL | NO_VIN,
    ['r' ... 'z'] = LETTER | SECRET | MAIL,
    ['+'] = SECRET | MAIL,
    ['-'] = SECRET | MAIL,
    ['_'] = SECRET | MAIL,
    ['/'] = SECRET,
    ['='] = SECRET,
    ['.'] = MAIL,
};

static int is(char c, unsigned kind)
{
	return (kinds[(unsigned char)c] & kind) != 0;
}

static int is_digit(char c)
{
	return is(c, DIGIT);
}

static int is_alnum(char c)
{
	return is(c, DIGIT | LETTER);
}

/* Identifiers ---------------------------------------------------------------------------------------------------------- */

/* Named ...ID, ...IDs or ...Seq. */
static int is_identifier(const struct field *field)
{
	size_t n = strlen(field->name);
	const char *end = field->name + n;

	return (field->type == FIELD_TEXT || field->type == FIELD_TEXTS) && n >= 3 &&
	       (!memcmp(end - 2, "ID", 2) || !memcmp(end - 3, "IDs", 3) || !memcmp(end - 3, "Seq", 3));
}

static void learn_text(struct personal_ids *ids, const struct value *v)
{
	const char *text = value_text(v);

	/* Shorter ones look like nothing. */
	if (text && v->len >= ID_LEAST && ids->count < PERSONAL_IDS)
		ids->text[ids->count++] = text;
	value_each (item, v)
		learn_text(ids, item);
}

void personal_learn(struct personal_ids *ids, const struct schema *schema, const struct value *tree)
{
	if (!schema || !tree || ids->count == PERSONAL_IDS)
		return;
	if (tree->type == VALUE_ARRAY)
		value_each (item, tree)
			personal_learn(ids, schema, item);
	if (tree->type != VALUE_OBJECT)
		return;
	value_each (v, tree) {
		const struct field *field = v->key ? schema_field(schema, v->key) : NULL;

		if (field && is_identifier(field))
			learn_text(ids, v);
		else if (field && field->child)
			personal_learn(ids, field->child, v);
	}
}

static int is_known(const struct personal_ids *ids, const char *text, size_t len)
{
	for (int i = 0; ids && i < ids->count; i++)
		if (memmem(ids->text[i], strlen(ids->text[i]), text, len))
			return 1;
	return 0;
}

/* By name -------------------------------------------------------------------------------------------------------------- */

static int in_list(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (**list == *word && !strcmp(word, *list))
			return 1;
	return 0;
}

/* A word of a key, in small letters, followed by zeros. */
static int is_personal_word(const char word[KEY_WORD])
{
	static const char *const words[] = {"tel",      "pwd",    "mail", "sign",    "sig", "ident",
					    "owner",    "qr",     "imei", "iccid",   "key", "person",
					    "customer", "member", "rfid", "contact", NULL};
	static const char *const beginnings[] = {"vin",     "user",   "plate",   "driver", "account",
						 "email",   "wechat", "alipay",  "qrcode", "identi",
						 "telepho", "licen",  "signatu", NULL};
	static const char *const parts[] = {"phone",   "mobile",   "card",     "token",  "secret", "passw",  "openid",
					    "unionid", "nickname", "realname", "idcard", "carno",  "chepai", NULL};

	if (in_list(word, words))
		return 1;
	for (int i = 0; beginnings[i]; i++)
		if (*word == *beginnings[i] && !strncmp(word, beginnings[i], strlen(beginnings[i])))
			return 1;
	for (const char *p = word; word[SHORTEST_PART - 1] && *p; p++)
		for (int i = 0; parts[i]; i++)
			if (*p == *parts[i] && !strncmp(p, parts[i], strlen(parts[i])))
				return 1;
	return 0;
}

/* The sort of card or user says nothing of whose it is, and mappings ask for it. */
static int is_plain_ending(const char *word)
{
	static const char *const words[] = {"type",  "class", "kind",  "status", "stat",    "flag",
					    "level", "count", "time",  "date",   "reason",  "result",
					    "mode",  "model", "state", "days",   "seconds", NULL};

	return in_list(word, words);
}

/* Splits AccessToken, access_token, accessToken2 into words. */
static int key_is_personal(const char *key)
{
	static const char *const chinese[] = {"手机",   "电话", "车牌", "车架", "姓名", "用户", "卡号",
					      "身份证", "密码", "令牌", "邮箱", "车主", "会员", NULL};
	char word[KEY_WORD] = "";
	size_t n = 0;
	int personal = 0;

	for (const char *p = key; *p; p++)
		if ((unsigned char)*p & 0x80) {
			for (int i = 0; chinese[i]; i++)
				if (strstr(key, chinese[i]))
					return 1;
			break;
		}
	for (const char *p = key;; p++) {
		int letter = isascii(*p) && isalpha((unsigned char)*p);
		int begins = letter && isupper((unsigned char)*p) &&
			     (p == key || !isupper((unsigned char)p[-1]) || islower((unsigned char)p[1]));

		if (n && (!letter || begins)) {
			memset(word + n, 0, sizeof(word) - n);
			personal |= is_personal_word(word);
			n = 0;
		}
		if (!*p)
			break;
		if (letter && n + 1 < sizeof(word))
			word[n++] = (char)tolower((unsigned char)*p);
	}
	return personal && !is_plain_ending(word);
}

/* Fields of the standard that hold somebody's. A test shows each text field of it that is not here. */
static int field_is_personal(const struct field *field)
{
	static const char *const names[] = {"OperatorSecret", "AccessToken", "Vin",       "IdentCode",
					    "QRCode",         "UserName",    "UserIdent", NULL};

	return in_list(field->name, names);
}

enum personal_rule personal_rule(const struct field *field, const char *key, enum personal_rule above)
{
	if (field && field_is_personal(field))
		return PERSONAL_WHOLE;
	if (field && is_identifier(field))
		return PERSONAL_PLAIN;
	if (field)
		return PERSONAL_BY_SHAPE;
	/* Items of a list have no key and are what the list is. */
	if (key && key_is_personal(key))
		return PERSONAL_WHOLE;
	return above == PERSONAL_WHOLE ? PERSONAL_WHOLE : PERSONAL_BY_SHAPE;
}

/* By shape ------------------------------------------------------------------------------------------------------------- */

/* Digits that could be a phone (11, perhaps with 86 before), a card or an identity card. */
static int digits_are_personal(const char *digits, size_t n)
{
	if (n == 11 || n == 13 || n == 15)
		if (digits[n - 11] == '1' && (n == 11 || !memcmp(digits + n - 13, "86", 2)))
			return 1;
	return n >= 15 && n <= 19;
}

/* Digits in groups, "6222 0202 0000 1234" or "138-1234-5678": the longest piece from at on that could be a number of those. */
static size_t find_digits(const char *text, size_t len, size_t at)
{
	char digits[20];
	size_t n = 0, found = 0;

	for (size_t i = at; i < len && n < sizeof(digits); i++) {
		if (is_digit(text[i])) {
			digits[n++] = text[i];
			if ((i + 1 == len || !is_digit(text[i + 1])) && digits_are_personal(digits, n))
				found = i + 1 - at;
		} else if ((text[i] != ' ' && text[i] != '-') || i + 1 >= len || !is_digit(text[i + 1])) {
			break;
		}
	}
	return found;
}

struct tally {
	int digits, letters, hex, vin;
};

static struct tally count(const char *text, size_t len)
{
	struct tally t = {0};

	for (size_t i = 0; i < len; i++) {
		t.digits += is(text[i], DIGIT);
		t.letters += is(text[i], LETTER);
		t.hex += is(text[i], HEX);
		t.vin += is_alnum(text[i]) && !is(text[i], NO_VIN);
	}
	return t;
}

/* A whole word of letters and digits. */
static int word_is_personal(const char *word, size_t len)
{
	struct tally t;

	if (len < VIN)
		return 0;
	t = count(word, len);
	if (len == VIN && t.vin == VIN && t.digits && t.letters)
		return 1;
	if (len == IDENTITY && t.digits == IDENTITY - 1 && (word[len - 1] == 'X' || word[len - 1] == 'x'))
		return 1;
	return len >= HEX_LEAST && t.hex == (int)len && t.letters && t.digits;
}

/* Long and mixed: a token, a key, a signature. Only where such a run begins, so that a long text is gone through once. */
static size_t find_secret(const char *text, size_t len, size_t at)
{
	size_t end = at;

	if (at && is(text[at - 1], SECRET))
		return 0;
	while (end < len && is(text[end], SECRET))
		end++;
	if (end - at < SECRET_LEAST)
		return 0;
	struct tally t = count(text + at, end - at);
	return t.digits && t.letters ? end - at : 0;
}

static size_t find_mail(const char *text, size_t len, size_t at)
{
	size_t end = at;

	if (at && is(text[at - 1], MAIL))
		return 0;
	while (end < len && is(text[end], MAIL))
		end++;
	return end > at && end + 1 < len && text[end] == '@' && is_alnum(text[end + 1]) ? end - at : 0;
}

/* 京A12345, 粤B D12345: the province, a letter, five or six letters and digits. */
static size_t find_plate(const char *text, size_t len, size_t at)
{
	static const char provinces[] = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领";
	enum { PROVINCE = 3, LEAST = 6, MOST = 7 };
	size_t i = at + PROVINCE, n = 0;
	char province[PROVINCE + 1] = "";

	if (at + PROVINCE >= len || ((unsigned char)text[at] & 0xF0) != 0xE0)
		return 0;
	memcpy(province, text + at, PROVINCE);
	if (!strstr(provinces, province) || !isupper((unsigned char)text[i]))
		return 0;
	for (; i < len && n <= MOST; i++) {
		if (is_alnum(text[i]))
			n++;
		else if (n != 1 || !strchr(" -", text[i]) || !text[i])
			break;
	}
	return n >= LEAST && n <= MOST ? i - at : 0;
}

/* 116.407395000000012: digits behind a point are no number of anybody's. */
static int is_fraction(const char *text, size_t at)
{
	return at > 1 && text[at - 1] == '.' && is_digit(text[at - 2]);
}

/* What begins at at, which is the beginning of a word. */
static size_t find_at(const char *text, size_t len, size_t at)
{
	size_t found = find_plate(text, len, at);

	if (!found)
		found = find_mail(text, len, at);
	if (!found)
		found = find_secret(text, len, at);
	if (!found && is_digit(text[at]) && !is_fraction(text, at))
		found = find_digits(text, len, at);
	if (found)
		return found;
	size_t end = at;
	while (end < len && is_alnum(text[end]))
		end++;
	return end > at && word_is_personal(text + at, end - at) ? end - at : 0;
}

size_t personal_find(const struct personal_ids *ids, const char *text, size_t len, size_t at, size_t *begin)
{
	size_t sign = at;

	/* Nothing of all that is without a digit, but for an address. */
	while (sign < len && !is_digit(text[sign]) && text[sign] != '@')
		sign++;
	if (sign == len)
		return 0;
	for (; at + SHORTEST <= len; at++) {
		int word = at == 0 || !is_alnum(text[at - 1]);
		int digits = is_digit(text[at]) && (at == 0 || !is_digit(text[at - 1]));
		/* "tel13812345678": digits count wherever they begin. */
		size_t n = word ? find_at(text, len, at) : digits ? find_digits(text, len, at) : 0;

		if (n && !is_known(ids, text + at, n)) {
			*begin = at;
			return n;
		}
	}
	return 0;
}

/* Form ----------------------------------------------------------------------------------------------------------------- */

static int kind_of(char c)
{
	if (is_digit(c))
		return '0';
	if (c >= 'A' && c <= 'Z')
		return 'A';
	if (c >= 'a' && c <= 'z')
		return 'a';
	/* Bytes of other scripts. */
	return (unsigned char)c & 0x80 ? 0x80 : c;
}

int personal_same_form(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (kind_of(*a) != kind_of(*b))
			return 0;
	return *a == *b;
}
