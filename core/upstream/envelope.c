#include "upstream/envelope.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "config/config.h"

/* protocol.md 1.3 and section 3 (16): a vendor's forms of TimeStamp have 12 or 13 digits, ours 14; 17 leaves room
 * for milliseconds behind the seconds. */
enum { OPERATOR_ID_MAX = 32, TIMESTAMP_MIN = 12, TIMESTAMP_MAX = 17, SEQ_MAX = 10 };

void envelope_sequence_begin(struct envelope_sequence *sequence, int64_t wall_ms)
{
	enum { CALLS_A_MS = 9 };

	*sequence = (struct envelope_sequence){wall_ms / 1000, 1 + (int)(wall_ms % 1000) * CALLS_A_MS};
}

int envelope_sequence_next(struct envelope_sequence *sequence, int64_t wall, char timestamp[15], char seq[5])
{
	int64_t back = sequence->second - wall;

	if (sequence->seq && back > 0 && back < ENVELOPE_HOLD_S)
		wall = sequence->second;
	if (!sequence->seq || wall != sequence->second) {
		sequence->second = wall;
		sequence->seq = 0;
	}
	if (sequence->seq >= ENVELOPE_SEQ_MAX)
		return FC_EBUSY;
	sequence->seq++;
	clock_format_compact(wall, timestamp);
	(void)snprintf(seq, 5, "%04u", (unsigned)sequence->seq % (ENVELOPE_SEQ_MAX + 1));
	return FC_OK;
}

static struct envelope_part part(const char *text)
{
	return (struct envelope_part){text, text ? strlen(text) : 0};
}

static void put_text(struct buffer *out, const char *text)
{
	const struct value v = {.type = VALUE_STRING, .text = text, .len = strlen(text)};

	(void)json_write(out, &v);
}

/* OperatorID + Data + TimeStamp + Seq, protocol.md 1.6. */
static int sign_request(const struct envelope_keys *keys, const char *operator_id, struct envelope_part data,
			const char *timestamp, const char *seq, char sig[ENVELOPE_SIG_SIZE])
{
	const struct envelope_part parts[] = {part(operator_id), data, part(timestamp), part(seq)};

	return envelope_hmac(keys->sig_secret, keys->sig_secret_len, parts, 4, sig);
}

/* Ret + Msg + Data. */
static int sign_response(const struct envelope_keys *keys, const char *ret, const char *msg, struct envelope_part data,
			 char sig[ENVELOPE_SIG_SIZE])
{
	const struct envelope_part parts[] = {part(ret), part(msg), data};

	return envelope_hmac(keys->sig_secret, keys->sig_secret_len, parts, 3, sig);
}

/* The same of an answer of ours. Msg is signed as it will be read: a reason may name what a caller sent, cut in the midst of a character. */
static int sign_answer(const struct envelope_keys *keys, const char *ret, const char *msg, struct envelope_part data,
		       char sig[ENVELOPE_SIG_SIZE])
{
	size_t len = strlen(msg);
	struct buffer read;

	buffer_init(&read, 3 * len + 1);
	int result = json_text(&read, msg, len);
	if (!result)
		result = sign_response(keys, ret, read.data ? read.data : "", data, sig);
	buffer_fini(&read);
	return result;
}

int envelope_seal_request(const struct envelope_keys *keys, const char *operator_id, struct envelope_sequence *sequence,
			  int64_t wall, const char *json, size_t len, struct buffer *out, struct error *err)
{
	char timestamp[CLOCK_COMPACT_SIZE], seq[5], sig[ENVELOPE_SIG_SIZE];

	if (envelope_sequence_next(sequence, wall, timestamp, seq))
		return error_set(err, FC_EBUSY, "upstream: request: Seq: %d requests in this second already",
				 ENVELOPE_SEQ_MAX);
	(void)buffer_text(out, "{\"OperatorID\":");
	put_text(out, operator_id);
	(void)buffer_text(out, ",\"Data\":\"");
	size_t start = out->len;
	int result = envelope_encrypt(keys, json, len, out);
	if (result)
		return error_set(err, result, "upstream: request: Data: %s",
				 result == FC_ELIMIT ? "too large" : "encryption failed");
	result = sign_request(keys, operator_id, (struct envelope_part){out->data + start, out->len - start}, timestamp,
			      seq, sig);
	if (result)
		return error_set(err, result, "upstream: request: Sig: HMAC failed");
	(void)buffer_printf(out, "\",\"TimeStamp\":\"%s\",\"Seq\":\"%s\",\"Sig\":\"%s\"}", timestamp, seq, sig);
	return out->failed ? error_set(err, FC_ELIMIT, "upstream: request: too large") : FC_OK;
}

static int all_digits(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0';
}

static int all_visible(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return 0;
	return 1;
}

/* The standard's name, or the same in other case (field variation 5: ret, msg). */
static const struct value *envelope_field(const struct value *body, const char *name)
{
	const struct value *v = value_get(body, name);

	if (v || !value_is_object(body))
		return v;
	value_each (member, body)
		if (!strcasecmp(member->key, name))
			return member;
	return NULL;
}

/* A field's text without zero bytes inside, or NULL and *err says why. arena: a whole number will do as well (field
 * variation 16: milliseconds since 1970 as a client has them). */
static const char *field_text(const struct value *body, const char *name, struct arena *arena, size_t *len,
			      struct error *err)
{
	const struct value *v = envelope_field(body, name);

	if (arena && v && v->type == VALUE_INT) {
		const char *digits = arena_printf(arena, "%lld", (long long)v->i);

		*len = digits ? strlen(digits) : 0;
		if (!digits)
			(void)error_set(err, FC_ELIMIT, "body: too large");
		return digits;
	}
	if (!v || v->type == VALUE_NULL || (v->type == VALUE_STRING && !v->len)) {
		(void)error_set(err, FC_EINVAL, "%s: missing", name);
		return NULL;
	}
	if (v->type != VALUE_STRING || strlen(v->text) != v->len) {
		(void)error_set(err, FC_EINVAL, "%s: not a text", name);
		return NULL;
	}
	*len = v->len;
	return v->text;
}

int envelope_read_request(struct json_reader *reader, const char *body, size_t len, struct arena *arena,
			  struct envelope_request *out, struct error *err)
{
	struct value *root = NULL;
	size_t id_len, timestamp_len, seq_len, sig_len;

	int result = json_read(reader, body, len, arena, &root, NULL);
	if (result == FC_ELIMIT || result == FC_ENOMEM)
		(void)error_set(err, FC_ELIMIT, "body: too large");
	else if (result || !value_is_object(root))
		(void)error_set(err, FC_EINVAL, "body: not a JSON object");
	if (result || !value_is_object(root))
		return RET_ENVELOPE;

	*out = (struct envelope_request){0};
	out->operator_id = field_text(root, "OperatorID", NULL, &id_len, err);
	if (!out->operator_id)
		return RET_ENVELOPE;
	out->data = field_text(root, "Data", NULL, &out->data_len, err);
	if (!out->data)
		return RET_ENVELOPE;
	out->timestamp = field_text(root, "TimeStamp", arena, &timestamp_len, err);
	if (!out->timestamp)
		return RET_ENVELOPE;
	out->seq = field_text(root, "Seq", arena, &seq_len, err);
	if (!out->seq)
		return RET_ENVELOPE;
	out->sig = field_text(root, "Sig", NULL, &sig_len, err);
	if (!out->sig)
		return RET_ENVELOPE;

	const char *illegal = NULL;
	if (id_len > OPERATOR_ID_MAX || !all_visible(out->operator_id))
		illegal = "OperatorID";
	else if (timestamp_len < TIMESTAMP_MIN || timestamp_len > TIMESTAMP_MAX || !all_digits(out->timestamp))
		illegal = "TimeStamp";
	else if (seq_len > SEQ_MAX || !all_digits(out->seq))
		illegal = "Seq";
	if (!illegal)
		return RET_OK;
	(void)error_set(err, FC_EINVAL, "%s: illegal", illegal);
	return RET_ENVELOPE;
}

static int has_line_breaks(struct envelope_part data)
{
	return data.len && (memchr(data.text, '\n', data.len) || memchr(data.text, '\r', data.len));
}

/* The same without line breaks, in arena; text NULL when it is full. */
static struct envelope_part without_line_breaks(struct envelope_part data, struct arena *arena)
{
	char *text = arena_alloc(arena, data.len + 1);
	size_t n = 0;

	for (size_t i = 0; text && i < data.len; i++)
		if (data.text[i] != '\r' && data.text[i] != '\n')
			text[n++] = data.text[i];
	return (struct envelope_part){text, n};
}

int envelope_verify_request(const struct envelope_keys *keys, const struct envelope_request *request)
{
	const struct envelope_part data = {request->data, request->data_len};
	size_t len = strlen(request->sig);
	char sig[ENVELOPE_SIG_SIZE];
	struct arena scratch;

	if (sign_request(keys, request->operator_id, data, request->timestamp, request->seq, sig))
		return RET_SIGNATURE;
	if (envelope_sig_equal(sig, ENVELOPE_SIG_SIZE - 1, request->sig, len))
		return RET_OK;
	if (!has_line_breaks(data))
		return RET_SIGNATURE;
	/* protocol.md 1.5: some senders wrap Data after signing it. */
	arena_init(&scratch, data.len + 64);
	const struct envelope_part plain = without_line_breaks(data, &scratch);
	int right = plain.text &&
		    !sign_request(keys, request->operator_id, plain, request->timestamp, request->seq, sig) &&
		    envelope_sig_equal(sig, ENVELOPE_SIG_SIZE - 1, request->sig, len);
	arena_fini(&scratch);
	return right ? RET_OK : RET_SIGNATURE;
}

int envelope_open_request(const struct envelope_keys *keys, struct json_reader *reader, const char *body, size_t len,
			  struct arena *arena, struct envelope_request *out, char **plain, size_t *plain_len,
			  struct error *err)
{
	int ret = envelope_read_request(reader, body, len, arena, out, err);

	if (ret)
		return ret;
	if (envelope_verify_request(keys, out)) {
		(void)error_set(err, FC_EAUTH, "%s", ret_text(RET_SIGNATURE));
		return RET_SIGNATURE;
	}
	int result = envelope_decrypt(keys, out->data, out->data_len, arena, plain, plain_len, err);
	if (result == FC_ELIMIT)
		return RET_ENVELOPE;
	return result ? RET_PARAMETER : RET_OK;
}

int envelope_seal_response(const struct envelope_keys *keys, int ret, const char *msg, const char *json, size_t len,
			   const struct envelope_form *form, struct buffer *out)
{
	static const struct envelope_form usual;
	char ret_digits[16], sig[ENVELOPE_SIG_SIZE] = "";
	struct envelope_part data = {0};
	int result = FC_OK;

	if (!form)
		form = &usual;
	if (!msg)
		msg = ret == RET_OK ? "" : ret_text(ret);
	if (!json && keys && form->error_data == CONFIG_DATA_OBJECT) {
		json = "{}";
		len = 2;
	}
	(void)snprintf(ret_digits, sizeof(ret_digits), "%d", ret);
	(void)buffer_printf(out, form->ret_as_text ? "{\"Ret\":\"%s\",\"Msg\":" : "{\"Ret\":%s,\"Msg\":", ret_digits);
	put_text(out, msg);
	if (json && keys) {
		(void)buffer_text(out, ",\"Data\":\"");
		size_t start = out->len;
		result = envelope_encrypt(keys, json, len, out);
		if (result)
			return result;
		data = (struct envelope_part){out->data + start, out->len - start};
		result = sign_answer(keys, ret_digits, msg, data, sig);
		(void)buffer_text(out, "\"");
	} else {
		if (keys)
			result = sign_answer(keys, ret_digits, msg, data, sig);
		if (form->error_data == CONFIG_DATA_NULL)
			(void)buffer_text(out, ",\"Data\":null");
		else if (form->error_data != CONFIG_DATA_ABSENT)
			(void)buffer_text(out, ",\"Data\":\"\"");
	}
	(void)buffer_printf(out, ",\"Sig\":\"%s\"}", sig);
	if (result)
		return result;
	return out->failed ? FC_ELIMIT : FC_OK;
}

/* Ret as number or text; *text is what was signed. */
static int read_ret(const struct value *root, struct arena *arena, int *ret, const char **text)
{
	const struct value *v = envelope_field(root, "Ret");
	int64_t i;

	if (value_to_int(v, &i) || i < INT32_MIN || i > INT32_MAX)
		return FC_EINVAL;
	*ret = (int)i;
	*text = v->type == VALUE_STRING ? v->text : arena_printf(arena, "%d", *ret);
	return *text ? FC_OK : FC_ELIMIT;
}

static int response_sig_ok(const struct envelope_keys *keys, struct arena *arena, const char *ret, const char *msg,
			   struct envelope_part data, const struct value *given)
{
	char sig[ENVELOPE_SIG_SIZE];

	if (!given || !value_text(given) || sign_response(keys, ret, msg, data, sig))
		return 0;
	if (envelope_sig_equal(sig, ENVELOPE_SIG_SIZE - 1, given->text, given->len))
		return 1;
	if (!has_line_breaks(data))
		return 0;
	data = without_line_breaks(data, arena);
	return data.text && !sign_response(keys, ret, msg, data, sig) &&
	       envelope_sig_equal(sig, ENVELOPE_SIG_SIZE - 1, given->text, given->len);
}

int envelope_open_response(const struct envelope_keys *keys, struct json_reader *reader, int strictness,
			   const char *body, size_t len, struct arena *arena, struct envelope_response *out,
			   struct error *err)
{
	struct value *root = NULL;
	const char *ret;

	*out = (struct envelope_response){.msg = ""};
	int result = json_read(reader, body, len, arena, &root, NULL);
	if (result == FC_ELIMIT || result == FC_ENOMEM)
		return error_set(err, FC_ELIMIT, "upstream: answer: too large");
	if (result || !value_is_object(root))
		return error_set(err, FC_EINVAL, "upstream: answer: not a JSON object");
	result = read_ret(root, arena, &out->ret, &ret);
	if (result)
		return error_set(err, result, "upstream: answer: Ret: missing or no integer");
	const struct value *msg = envelope_field(root, "Msg");
	const struct value *data = envelope_field(root, "Data");
	if (msg && msg->type != VALUE_NULL) {
		if (!value_text(msg) || strlen(msg->text) != msg->len)
			return error_set(err, FC_EINVAL, "upstream: answer: Msg: not a text");
		out->msg = msg->text;
	}
	if (data && data->type != VALUE_NULL && !value_text(data))
		return error_set(err, FC_EINVAL, "upstream: answer: Data: not a text");

	struct envelope_part cipher = {0};
	if (data && value_text(data))
		cipher = (struct envelope_part){data->text, data->len};
	out->sig_ok = response_sig_ok(keys, arena, ret, out->msg, cipher, envelope_field(root, "Sig"));
	int insist = strictness == CONFIG_SIG_STRICT || (strictness == CONFIG_SIG_SUCCESS && out->ret == RET_OK);
	if (insist && !out->sig_ok)
		return error_set(err, FC_EAUTH, "upstream: answer: Sig: missing or wrong (Ret %d)", out->ret);
	if (!cipher.len)
		return FC_OK;
	result = envelope_decrypt(keys, cipher.text, cipher.len, arena, &out->plain, &out->plain_len, err);
	if (result == FC_EINVAL && out->ret != RET_OK) {
		out->plain = NULL; /* protocol.md section 5, 12: what stands there on errors is anybody's guess */
		return FC_OK;
	}
	return result;
}

int envelope_plain_ret(const struct value *body, const char **msg)
{
	const struct value *text = envelope_field(body, "Msg");
	int64_t ret = RET_OK;

	*msg = value_text(text) ? text->text : "";
	if (!envelope_field(body, "Ret"))
		return RET_OK;
	/* A verdict that can't be read is no yes. */
	if (value_to_int(envelope_field(body, "Ret"), &ret) || ret < INT32_MIN || ret > INT32_MAX)
		return RET_SYSTEM;
	return (int)ret;
}
