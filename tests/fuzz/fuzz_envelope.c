/* Envelopes, by the first byte: a body as it comes, of a request or of an answer; one whose inside is the input's but whose signature is
 * right; what we seal, opened again; Data that is any ciphertext, signed. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/maker.h"
#include "config/config.h"
#include "upstream/envelope.h"

enum { MEMORY = 8 << 20 };

static struct envelope_keys keys;
static struct json_reader *reader;
static struct arena arena;
static struct buffer body;

static void check_read(const struct envelope_request *r)
{
	fuzz_check(*r->operator_id && strlen(r->operator_id) <= 32);
	fuzz_check(strlen(r->data) == r->data_len && r->data_len);
	fuzz_check(strlen(r->timestamp) >= 12 && strlen(r->timestamp) <= 17);
	fuzz_check(*r->seq && strlen(r->seq) <= 10);
	fuzz_check(*r->sig);
}

static void open_request(const char *text, size_t len)
{
	struct envelope_request request = {0};
	struct error err = {0};
	char *plain = NULL;
	size_t plain_len = 0;

	int ret = envelope_open_request(&keys, reader, text, len, &arena, &request, &plain, &plain_len, &err);
	if (ret == RET_OK) {
		check_read(&request);
		fuzz_check(plain && plain[plain_len] == '\0');
	} else {
		fuzz_check(ret == RET_ENVELOPE || ret == RET_SIGNATURE || ret == RET_PARAMETER);
		fuzz_check(err.text[0]);
	}
}

static void open_response(unsigned strictness, const char *text, size_t len)
{
	struct envelope_response response = {0};
	struct error err = {0};

	int result = envelope_open_response(&keys, reader, (int)(strictness % 3), text, len, &arena, &response, &err);
	if (result) {
		fuzz_check(err.text[0]);
		return;
	}
	fuzz_check(response.msg);
	fuzz_check(!response.plain || response.plain[response.plain_len] == '\0');
	fuzz_check(response.sig_ok || strictness % 3 != CONFIG_SIG_STRICT);
}

static void put(struct maker *m, struct value *object, const char *key, const char *text, unsigned form)
{
	if (form % 4 == 1)
		maker_int(m, object, key, strtoll(text, NULL, 10));
	else if (form % 4 != 2)
		maker_text(m, object, key, text);
}

/* The five fields are lines, Data is the rest; Sig is made. A number's digits are signed as it is written. */
static void open_signed(struct fuzz_input *in)
{
	struct maker m = {.arena = &arena};
	struct value *root = value_object(&arena);
	unsigned forms = fuzz_byte(in);
	char *id = fuzz_line(in), *timestamp = fuzz_line(in), *seq = fuzz_line(in), *data = fuzz_text(in);
	char sig[ENVELOPE_SIG_SIZE];
	const struct envelope_part parts[] = {
	    {id, strlen(id)}, {data, strlen(data)}, {timestamp, strlen(timestamp)}, {seq, strlen(seq)}};

	fuzz_check(envelope_hmac(keys.sig_secret, keys.sig_secret_len, parts, 4, sig) == FC_OK);
	if (forms & 0x40)
		sig[forms % 32]++;
	put(&m, root, forms & 0x80 ? "operatorid" : "OperatorID", id, 0);
	put(&m, root, "Data", data, 0);
	put(&m, root, forms & 0x80 ? "timestamp" : "TimeStamp", timestamp, forms);
	put(&m, root, "Seq", seq, forms >> 2);
	put(&m, root, "Sig", sig, 0);
	if (json_write(&body, root) == FC_OK)
		open_request(body.data, body.len);
	free(id);
	free(timestamp);
	free(seq);
	free(data);
}

/* Any bytes as ciphertext: wrong lengths, wrong padding, and one in 256 right by chance. */
static void open_ciphertext(struct fuzz_input *in)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *plain, *text = malloc(in->left * 2 + 8);
	size_t plain_len, n = 0;
	struct error err = {0};

	if (!text)
		return;
	while (in->left) {
		unsigned left = in->left > 2 ? 3 : (unsigned)in->left;
		uint32_t three = (uint32_t)fuzz_number(in, 3);
		for (unsigned i = 0; i < 4; i++)
			text[n++] = i <= left ? digits[three >> (18 - 6 * i) & 63] : '=';
	}
	int result = envelope_decrypt(&keys, text, n, &arena, &plain, &plain_len, &err);
	fuzz_check(result == FC_OK || strcmp(err.text, ENVELOPE_UNREADABLE) == 0);
	free(text);
}

/* What we send can be opened, and is what we sent. */
static void round_request(struct fuzz_input *in)
{
	struct envelope_sequence sequence = {0};
	struct envelope_request request;
	struct error err = {0};
	char *plain;
	size_t plain_len;

	int64_t wall = 1700000000 + (int64_t)fuzz_number(in, 4);
	fuzz_check(envelope_seal_request(&keys, "123456789", &sequence, wall, (const char *)in->data, in->left, &body,
					 &err) == FC_OK);
	fuzz_check(envelope_open_request(&keys, reader, body.data, body.len, &arena, &request, &plain, &plain_len,
					 &err) == RET_OK);
	check_read(&request);
	fuzz_check(plain_len == in->left && memcmp(plain, in->data, in->left) == 0);
}

static void round_response(struct fuzz_input *in)
{
	static const int rets[] = {RET_OK, RET_SYSTEM, RET_SIGNATURE, RET_TOKEN, RET_ENVELOPE, RET_PARAMETER, 7};
	unsigned how = fuzz_byte(in);
	int ret = rets[fuzz_pick(in, sizeof(rets) / sizeof(rets[0]))], is_object = how & 1;
	const struct envelope_form form = {.error_data = (int)(how >> 1 & 3), .ret_as_text = (int)(how >> 3 & 1)};
	struct envelope_response response;
	struct error err = {0};
	char *msg = fuzz_line(in);

	fuzz_check(envelope_seal_response(&keys, ret, msg, is_object ? (const char *)in->data : NULL, in->left, &form,
					  &body) == FC_OK);
	fuzz_check(envelope_open_response(&keys, reader, CONFIG_SIG_STRICT, body.data, body.len, &arena, &response,
					  &err) == FC_OK);
	fuzz_check(response.ret == ret && response.sig_ok);
	if (is_object)
		fuzz_check(response.plain && response.plain_len == in->left &&
			   memcmp(response.plain, in->data, in->left) == 0);
	free(msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};

	if (!reader) {
		reader = json_reader_new(0);
		fuzz_check(envelope_keys_set(&keys, "1234567890abcdef", "1234567890abcdef", "1234567890abcdef", NULL) ==
			   FC_OK);
		fuzz_quiet();
	}
	arena_init(&arena, MEMORY);
	buffer_init(&body, MEMORY);
	unsigned mode = fuzz_byte(&in);
	switch (mode % 8) {
	case 0:
		open_request((const char *)in.data, in.left);
		break;
	case 1:
	case 2:
		open_response(mode >> 3, (const char *)in.data, in.left);
		break;
	case 3:
	case 4:
		open_signed(&in);
		break;
	case 5:
		open_ciphertext(&in);
		break;
	case 6:
		round_request(&in);
		break;
	default:
		round_response(&in);
		break;
	}
	buffer_fini(&body);
	arena_fini(&arena);
	return 0;
}
