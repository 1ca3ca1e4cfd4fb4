#include "upstream/mask.h"

#include <wolfssl/options.h>

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include "base/json.h"

enum { BLOCK = WC_SHA256_DIGEST_SIZE };

int mask_init(struct mask *mask)
{
	return getrandom(mask->key, sizeof(mask->key), 0) == (ssize_t)sizeof(mask->key) ? FC_OK : FC_EIO;
}

/* Bytes that depend on the text and the key, as many as are asked for. */
struct stream {
	unsigned char seed[BLOCK], block[BLOCK];
	uint32_t number;
	size_t used;
};

static int digest(const unsigned char *key, size_t key_len, const void *data, size_t len, unsigned char out[BLOCK])
{
	Hmac hmac;
	int failed = wc_HmacInit(&hmac, NULL, INVALID_DEVID);

	if (failed)
		return -1;
	failed = wc_HmacSetKey(&hmac, WC_SHA256, key, (word32)key_len);
	if (!failed)
		failed = wc_HmacUpdate(&hmac, data, (word32)len);
	if (!failed)
		failed = wc_HmacFinal(&hmac, out);
	wc_HmacFree(&hmac);
	return failed ? -1 : 0;
}

static int stream_begin(const struct mask *mask, struct stream *s, const char *text, size_t len)
{
	s->number = 0;
	s->used = 0;
	if (digest(mask->key, sizeof(mask->key), text, len, s->seed))
		return -1;
	memcpy(s->block, s->seed, sizeof(s->block));
	return 0;
}

static int stream_byte(struct stream *s, unsigned *byte)
{
	if (s->used == sizeof(s->block)) {
		s->number++;
		s->used = 0;
		if (digest(s->seed, sizeof(s->seed), &s->number, sizeof(s->number), s->block))
			return -1;
	}
	*byte = s->block[s->used++];
	return 0;
}

static int all_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdefABCDEF", text[i]) || !text[i])
			return 0;
	return 1;
}

static size_t sequence_length(unsigned char c)
{
	return c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 1;
}

/* A character of another script: one of the same length. */
static void put_wide(struct buffer *out, size_t n, unsigned byte)
{
	static const unsigned char begin[5][3] = {{0}, {0}, {0xC3}, {0xE4, 0xB8}, {0xF0, 0x9F, 0x98}};
	const unsigned char last = (unsigned char)(0x80 | (byte & 0x3F));

	(void)buffer_add(out, begin[n], n - 1);
	(void)buffer_add(out, &last, 1);
}

/* keep: so many characters stay. */
static void mask_piece(const struct mask *mask, const char *text, size_t len, size_t keep, struct buffer *out)
{
	/* Without the letters that no VIN has. */
	static const char upper[] = "ABCDEFGHJKLMNPRSTUVWXYZ", lower[] = "abcdefghjklmnprstuvwxyz";
	int hex = all_hex(text, len);
	struct stream s;
	unsigned b = 0;

	if (keep >= len) {
		(void)buffer_add(out, text, len);
		return;
	}
	if (stream_begin(mask, &s, text, len)) {
		out->failed = 1;
		return;
	}
	(void)buffer_add(out, text, keep);
	for (size_t i = keep; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t n = c & 0x80 ? sequence_length(c) : 1;
		char put = (char)c;

		if (stream_byte(&s, &b)) {
			out->failed = 1;
			return;
		}
		if (n > 1 && i + n <= len) {
			put_wide(out, n, b);
			i += n;
			continue;
		}
		if (c >= '0' && c <= '9')
			put = (char)('0' + b % 10);
		else if (c >= 'A' && c <= 'Z')
			put = hex ? (char)('A' + b % 6) : upper[b % (sizeof(upper) - 1)];
		else if (c >= 'a' && c <= 'z')
			put = hex ? (char)('a' + b % 6) : lower[b % (sizeof(lower) - 1)];
		else if (c & 0x80)
			put = '?';
		(void)buffer_add(out, &put, 1);
		i++;
	}
}

/* What makes a phone number a phone number stays: 1, 861; and of a plate its province. */
static size_t kept_of(const char *text, size_t len)
{
	enum { PROVINCE = 3 };
	size_t begin;

	if ((unsigned char)*text & 0x80)
		return personal_find(NULL, text, len, 0, &begin) == len ? PROVINCE : 0;
	if (len == 11 && text[0] == '1')
		return 1;
	return len == 13 && !memcmp(text, "861", 3) ? 3 : 0;
}

static void mask_text(const struct mask *mask, const struct personal_ids *ids, enum personal_rule rule,
		      const char *text, size_t len, struct buffer *out)
{
	size_t at = 0, begin = 0, n;

	if (rule == PERSONAL_WHOLE) {
		mask_piece(mask, text, len, kept_of(text, len), out);
		return;
	}
	while (rule == PERSONAL_BY_SHAPE && (n = personal_find(ids, text, len, at, &begin))) {
		(void)buffer_add(out, text + at, begin - at);
		mask_piece(mask, text + begin, n, kept_of(text + begin, n), out);
		at = begin + n;
	}
	(void)buffer_add(out, text + at, len - at);
}

static void write_text(const struct mask *mask, const struct personal_ids *ids, enum personal_rule rule,
		       const char *text, size_t len, struct buffer *out)
{
	struct value v = {.type = VALUE_STRING, .text = text, .len = len};
	struct buffer masked;
	size_t begin;

	if (len > out->limit) {
		out->failed = 1;
		return;
	}
	/* Nearly always there is nothing to be done. */
	if (rule == PERSONAL_PLAIN || (rule == PERSONAL_BY_SHAPE && !personal_find(ids, text, len, 0, &begin))) {
		(void)json_write(out, &v);
		return;
	}
	buffer_init(&masked, out->limit);
	mask_text(mask, ids, rule, text, len, &masked);
	v.text = masked.data ? masked.data : "";
	v.len = masked.len;
	if (masked.failed)
		out->failed = 1;
	else
		(void)json_write(out, &v);
	buffer_fini(&masked);
}

/* Too short to be anybody's: nearly every number. */
static int is_small(const struct value *v)
{
	static const int64_t small = 10000000000;

	switch (v->type) {
	case VALUE_INT:
	case VALUE_DECIMAL:
		return v->i > -small && v->i < small;
	case VALUE_FLOAT:
		return v->f > -1e10 && v->f < 1e10;
	default:
		return 0;
	}
}

/* A phone number may come as a number: the digits before the point, and the first of them does not become 0. */
static void write_number(const struct mask *mask, const struct personal_ids *ids, enum personal_rule rule,
			 const struct value *v, struct buffer *out)
{
	enum { NUMBER_MAX = 400 };
	struct buffer text;
	size_t begin;

	if (rule == PERSONAL_PLAIN || (rule == PERSONAL_BY_SHAPE && is_small(v))) {
		(void)json_write(out, v);
		return;
	}
	buffer_init(&text, NUMBER_MAX);
	if (json_write(&text, v)) {
		out->failed = 1;
		buffer_fini(&text);
		return;
	}
	char *digits = text.data + (*text.data == '-');
	size_t n = strspn(digits, "0123456789");
	if (rule == PERSONAL_WHOLE || (rule == PERSONAL_BY_SHAPE && personal_find(ids, digits, n, 0, &begin))) {
		struct buffer masked;

		buffer_init(&masked, NUMBER_MAX);
		mask_piece(mask, digits, n, kept_of(digits, n), &masked);
		if (masked.failed || masked.len != n)
			out->failed = 1;
		else
			memcpy(digits, masked.data, n);
		if (n > 1 && *digits == '0')
			*digits = '1';
		buffer_fini(&masked);
	}
	(void)buffer_add(out, text.data, text.len);
	buffer_fini(&text);
}

/* One message. Rows of a list have the same keys: what was found out about one is kept. */
enum { KEYS = 32 };
struct walk {
	const struct mask *mask;
	const struct personal_ids *ids;
	struct buffer *out;
	struct {
		const char *key; /* of the tree */
		int whole;
	} keys[KEYS];
};

static enum personal_rule rule_of(struct walk *w, const struct field *field, const char *key, enum personal_rule above)
{
	unsigned hash = 0;

	if (field || above == PERSONAL_WHOLE)
		return personal_rule(field, key, above);
	for (const char *p = key; *p; p++)
		hash = hash * 31 + (unsigned char)*p;
	hash %= KEYS;
	if (!w->keys[hash].key || strcmp(w->keys[hash].key, key) != 0) {
		w->keys[hash].key = key;
		w->keys[hash].whole = personal_rule(NULL, key, PERSONAL_BY_SHAPE) == PERSONAL_WHOLE;
	}
	return w->keys[hash].whole ? PERSONAL_WHOLE : PERSONAL_BY_SHAPE;
}

static void write_value(struct walk *w, const struct schema *schema, enum personal_rule rule, const struct value *v);

/* There are tables whose keys are the cars. */
static void write_key(struct walk *w, const struct field *field, char before, const char *key)
{
	size_t len = strlen(key), begin;

	if (field || !personal_find(w->ids, key, len, 0, &begin)) {
		json_write_key(w->out, before, key);
		return;
	}
	(void)buffer_add(w->out, &before, 1);
	write_text(w->mask, w->ids, PERSONAL_BY_SHAPE, key, len, w->out);
	(void)buffer_add(w->out, ":", 1);
}

static void write_object(struct walk *w, const struct schema *schema, enum personal_rule rule, const struct value *v)
{
	char before = '{';

	value_each (member, v) {
		const struct field *field = schema ? schema_field(schema, member->key) : NULL;

		write_key(w, field, before, member->key);
		write_value(w, field ? field->child : NULL, rule_of(w, field, member->key, rule), member);
		before = ',';
	}
	(void)buffer_text(w->out, v->first ? "}" : "{}");
}

static void write_list(struct walk *w, const struct schema *schema, enum personal_rule rule, const struct value *v)
{
	const char *comma = "[";

	value_each (item, v) {
		(void)buffer_text(w->out, comma);
		write_value(w, schema, rule, item);
		comma = ",";
	}
	(void)buffer_text(w->out, v->first ? "]" : "[]");
}

static void write_value(struct walk *w, const struct schema *schema, enum personal_rule rule, const struct value *v)
{
	if (w->out->failed)
		return;
	switch (v->type) {
	case VALUE_STRING:
		write_text(w->mask, w->ids, rule, v->text, v->len, w->out);
		return;
	case VALUE_INT:
	case VALUE_FLOAT:
	case VALUE_DECIMAL:
	case VALUE_NUMBER:
		write_number(w->mask, w->ids, rule, v, w->out);
		return;
	case VALUE_ARRAY:
		write_list(w, schema, rule, v);
		return;
	case VALUE_OBJECT:
		write_object(w, schema, rule, v);
		return;
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_EMPTY:
		(void)json_write(w->out, v);
		return;
	}
}

void mask_write(const struct mask *mask, const struct personal_ids *ids, const struct schema *schema,
		const struct value *tree, struct buffer *out)
{
	struct walk w = {.mask = mask, .ids = ids, .out = out};

	write_value(&w, schema, PERSONAL_BY_SHAPE, tree);
}
