#include "sim/platform_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { SIG_SIZE = 33, DATA_MAX = 1 << 22 };

int wire_parse_keys(const char *text, struct wire_keys *keys)
{
	return sscanf(text, "%128[^:]:%16[^:]:%16[^:]:%64s", keys->operator_secret, keys->data_secret, keys->iv,
		      keys->sig_secret) == 4 &&
		       strlen(keys->data_secret) == 16 && strlen(keys->iv) == 16
		   ? 0
		   : -1;
}

/* Encrypts text and gives Base64; free it. */
static char *encrypt(const struct wire_keys *keys, const char *text)
{
	size_t len = strlen(text);
	unsigned char *cipher = malloc(len + 32);
	char *out = malloc((len + 32) / 3 * 4 + 8);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, m = 0;

	if (!cipher || !out || !ctx ||
	    !EVP_EncryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, (const unsigned char *)keys->data_secret,
				(const unsigned char *)keys->iv) ||
	    !EVP_EncryptUpdate(ctx, cipher, &n, (const unsigned char *)text, (int)len) ||
	    !EVP_EncryptFinal_ex(ctx, cipher + n, &m)) {
		free(out);
		out = NULL;
	} else {
		EVP_EncodeBlock((unsigned char *)out, cipher, n + m);
	}
	EVP_CIPHER_CTX_free(ctx);
	free(cipher);
	return out;
}

/* The text behind Base64 data; free it. NULL when it can't be. */
static char *decrypt(const struct wire_keys *keys, const char *data)
{
	size_t len = strlen(data);
	unsigned char *cipher = malloc(len + 4);
	char *out = malloc(len + 32);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, m = 0, good = 0;

	if (cipher && out && ctx && len && len < DATA_MAX && len % 4 == 0) {
		int bytes = EVP_DecodeBlock(cipher, (const unsigned char *)data, (int)len);

		bytes -= (data[len - 1] == '=') + (len > 1 && data[len - 2] == '=');
		good = bytes > 0 &&
		       EVP_DecryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, (const unsigned char *)keys->data_secret,
					  (const unsigned char *)keys->iv) &&
		       EVP_DecryptUpdate(ctx, (unsigned char *)out, &n, cipher, bytes) &&
		       EVP_DecryptFinal_ex(ctx, (unsigned char *)out + n, &m);
	}
	if (good) {
		out[n + m] = '\0';
	} else {
		free(out);
		out = NULL;
	}
	EVP_CIPHER_CTX_free(ctx);
	free(cipher);
	return out;
}

/* Signs up to four texts, one behind the other. */
static void sign(const struct wire_keys *keys, const char *const texts[4], char out[SIG_SIZE])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	size_t all = 0;

	for (int i = 0; i < 4; i++)
		all += strlen(texts[i]);
	char *whole = malloc(all + 1);
	if (!whole)
		abort();
	for (int i = 0, at = 0; i < 4; i++) {
		size_t n = strlen(texts[i]);

		memcpy(whole + at, texts[i], n);
		at += (int)n;
	}
	(void)HMAC(EVP_md5(), keys->sig_secret, (int)strlen(keys->sig_secret), (const unsigned char *)whole, all, mac,
		   &len);
	free(whole);
	for (unsigned i = 0; i < 16; i++)
		(void)snprintf(out + 2 * i, 3, "%02X", mac[i]);
}

static char *encrypt_json(const struct wire_keys *keys, const json_t *payload)
{
	char *text = json_dumps(payload, JSON_COMPACT | JSON_ENCODE_ANY);
	char *data = text ? encrypt(keys, text) : NULL;

	free(text);
	return data;
}

char *wire_request(const struct wire_keys *keys, const char *operator_id, const json_t *payload)
{
	static char last[16];
	static unsigned count;
	char stamp[16], seq[12], sig[SIG_SIZE];
	time_t now = time(NULL) + 8 * 3600;
	struct tm tm;

	gmtime_r(&now, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
	count = strcmp(last, stamp) ? 1 : count + 1;
	memcpy(last, stamp, sizeof(stamp));
	(void)snprintf(seq, sizeof(seq), "%04u", count % 10000);
	char *data = encrypt_json(keys, payload);
	if (!data)
		return NULL;
	sign(keys, (const char *const[4]){operator_id, data, stamp, seq}, sig);
	json_t *envelope = json_pack("{ss ss ss ss ss}", "OperatorID", operator_id, "Data", data, "TimeStamp", stamp,
				     "Seq", seq, "Sig", sig);
	char *text = envelope ? json_dumps(envelope, JSON_COMPACT) : NULL;
	json_decref(envelope);
	free(data);
	return text;
}

char *wire_response(const struct wire_keys *keys, int ret, const char *msg, const json_t *payload)
{
	char number[16], sig[SIG_SIZE];
	char *data = payload ? encrypt_json(keys, payload) : strdup("");

	if (!data)
		return NULL;
	(void)snprintf(number, sizeof(number), "%d", ret);
	sign(keys, (const char *const[4]){number, msg, data, ""}, sig);
	json_t *envelope = json_pack("{si ss ss ss}", "Ret", ret, "Msg", msg, "Data", data, "Sig", sig);
	char *text = envelope ? json_dumps(envelope, JSON_COMPACT) : NULL;
	json_decref(envelope);
	free(data);
	return text;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_t *wire_open_request(const struct wire_keys *keys, const char *body, int *ret)
{
	char sig[SIG_SIZE];
	json_t *envelope = json_loads(body, 0, NULL), *payload = NULL;
	const char *data = text_of(envelope, "Data"), *given = text_of(envelope, "Sig");

	*ret = 4003;
	if (*text_of(envelope, "OperatorID") && *data && *given && strlen(text_of(envelope, "TimeStamp")) == 14 &&
	    strlen(text_of(envelope, "Seq")) == 4) {
		sign(keys,
		     (const char *const[4]){text_of(envelope, "OperatorID"), data, text_of(envelope, "TimeStamp"),
					    text_of(envelope, "Seq")},
		     sig);
		*ret = strcmp(sig, given) ? 4001 : 0;
	}
	if (!*ret) {
		char *text = decrypt(keys, data);

		payload = text ? json_loads(text, 0, NULL) : NULL;
		*ret = payload ? 0 : 4004;
		free(text);
	}
	json_decref(envelope);
	return payload;
}

json_t *wire_open_response(const struct wire_keys *keys, const char *body, int *ret)
{
	char number[24], sig[SIG_SIZE];
	json_t *envelope = json_loads(body, 0, NULL), *payload = NULL;
	const char *data = text_of(envelope, "Data");

	*ret = (int)json_integer_value(json_object_get(envelope, "Ret"));
	(void)snprintf(number, sizeof(number), "%d", *ret);
	sign(keys, (const char *const[4]){number, text_of(envelope, "Msg"), data, ""}, sig);
	if (envelope && json_is_integer(json_object_get(envelope, "Ret")) &&
	    !strcasecmp(sig, text_of(envelope, "Sig"))) {
		char *text = *data ? decrypt(keys, data) : strdup("null");

		payload = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
		free(text);
	}
	json_decref(envelope);
	return payload;
}
