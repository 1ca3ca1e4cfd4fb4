/* Envelope: the published vectors V1 to V7, the calculated D1 to D5 (protocol.md 1.10), RFC 2202, and what a hostile
 * peer may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/coding.h>

#include "config/config.h"
#include "upstream/envelope.h"

static const char secret[] = "1234567890abcdef";

struct fixture {
	struct envelope_keys keys;
	struct json_reader *reader;
	struct arena arena;
	struct buffer out;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	arena_init(&f->arena, 8u << 20);
	buffer_init(&f->out, 4u << 20);
	f->reader = json_reader_new(0);
	*state = f;
	return !f->reader || envelope_keys_set(&f->keys, secret, secret, secret, &f->err);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	json_reader_free(f->reader);
	buffer_fini(&f->out);
	arena_fini(&f->arena);
	free(f);
	return 0;
}

#define STATUS_TEXT                                                                                             \
	"{\"total\":1,\"stationStatusInfo\":{\"operationID\":\"123456789\",\"stationID\":\"111111111111111\","  \
	"\"connectorStatusInfos\":{\"connectorID\":1,\"equipmentID\":\"10000000000000000000001\",\"status\":4," \
	"\"currentA\":0,\"currentB\":0,\"currentC\":0,\"voltageA\":0,\"voltageB\":0,\"voltageC\":0,\"soc\":10,}}}"
#define STATUS_DATA                                                                                                    \
	"il7B0BSEjFdzpyKzfOFpvg/Se1CP802RItKYFPfSLRxJ3jf0bVl9hvYOEktPAYW2nd7S8MBcyHYyacHKbISq5iTmDzG+ivnR+SZJv3USNTYV" \
	"Mz9rCQVSxd0cLlqsJauko79NnwQJbzDTyLooYoIwz75qBOH2/xOMirpeEqRJrF/EQjWekJmGk9RtboXePu2rka+Xm51syBPhiXJAq0GfbfaF" \
	"u9tNqs/e2Vjja/ltE1M0lqvxfXQ6da6HrThsm5id4ClZFIi0acRfrsPLRixS/IQYtksxghvJwbqOsbIsITail9Ayy4tKcogeEZiOO+4Ed264" \
	"NSKmk7l3wKwJLAFjCFogBx8GE3OBz4pqcAn/ydA="

/* Requests: plain text, Data, TimeStamp, Sig; Seq is always 0001. */
static const struct {
	const char *id, *plain, *data, *timestamp, *sig;
} requests[] = {
    {"V1", STATUS_TEXT, STATUS_DATA, "20160729142400", "745166E8C43C84D37FFEC0F529C4136F"},
    {"V2", "{\"OperatorID\":\"123456789\",\n\"OperatorSecret\":\"1234567890abcdef\"}",
     "mYvffpNoFf4E/ZTC1tOw41TC5OlkEobfAYCm5N8hEusaLUaUIqOrXtdbMrSck0DSmfM7mRuOGMoCQzH0nWPGuw==", "20180120165755",
     "D2D584A14F3F284445DF85D0E8C0697C"},
    {"V4", "{\n\"EquipBizSeq\":\"123456789201805081628123456\",\n\"ConnectorID\":\"3702120244401\"\n}\n",
     "C3z0fu4xW72dJMOsgcVyPrbHOqzQcIwSexeW7b4wPcAV8qQvECycER60lBJpW5v7+Ex6pAYvDgrImQh3fhqEujP4AICBew296s71WAwpOBM=",
     "20180508162919", "92A192D753BBEF609136620FFA7E9069"},
    {"V5", "{\n\"LastQueryTime\":\"2016-1-2 12:12:12\",\n\"PageNo\":2,\n\"PageSize\":1\n}",
     "X9a+F3ql9vfyO5tcQV4srGaZm116ly2hAhG1fc0n+TMshLTw1Ax/8AT0NpZRvEhzXPqLeD1n3cVywfU+WScy7a6M9flwrOkJC5QIsp2RlFE=",
     "20180228173314", "407FED90C92965C8E456535A72B83F80"},
    {"D1", "{\"StationID\":\"000000000001\",\"StationName\":\"北京测试站\"}",
     "8n51d1jetQZqL6qJeOLRWSQn/310zvtRV+VBUTkJw0j9MI8lrZCEqwwG2h1n9oOAqU8oiWBz+nzZOpNoqvkZgA==", "20250101000000",
     "C827BCEFEBEB10621F0C6175C45450D2"},
};

static void test_request_vectors(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		char body[2048], *plain;
		size_t len;
		struct envelope_request request;

		print_message("%s\n", requests[i].id);
		buffer_clear(&f->out);
		assert_int_equal(FC_OK,
				 envelope_encrypt(&f->keys, requests[i].plain, strlen(requests[i].plain), &f->out));
		assert_string_equal(requests[i].data, f->out.data);
		(void)snprintf(body, sizeof(body),
			       "{\"OperatorID\":\"123456789\",\"Data\":\"%s\",\"TimeStamp\":\"%s\",\"Seq\":\"0001\","
			       "\"Sig\":\"%s\"}",
			       requests[i].data, requests[i].timestamp, requests[i].sig);
		assert_int_equal(RET_OK, envelope_open_request(&f->keys, f->reader, body, strlen(body), &f->arena,
							       &request, &plain, &len, &f->err));
		assert_string_equal(requests[i].plain, plain);
		assert_int_equal(strlen(requests[i].plain), len);
		assert_string_equal("123456789", request.operator_id);
		assert_string_equal(requests[i].timestamp, request.timestamp);
	}
	assert_int_equal(269, strlen(STATUS_TEXT));
	assert_int_equal(60, strlen(requests[4].plain));
}

/* Sealing at the vectors' times gives the vectors' bodies. */
static void test_seal_request_vectors(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int request;
		int64_t wall; /* of its TimeStamp, Asia/Shanghai */
	} cases[] = {{0, 1469773440}, {1, 1516438675}, {2, 1525768159}, {3, 1519810394}, {4, 1735660800}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct envelope_sequence sequence = {0};
		const char *plain = requests[cases[i].request].plain;
		char expect[2048];

		(void)snprintf(expect, sizeof(expect),
			       "{\"OperatorID\":\"123456789\",\"Data\":\"%s\",\"TimeStamp\":\"%s\",\"Seq\":\"0001\","
			       "\"Sig\":\"%s\"}",
			       requests[cases[i].request].data, requests[cases[i].request].timestamp,
			       requests[cases[i].request].sig);
		buffer_clear(&f->out);
		assert_int_equal(FC_OK, envelope_seal_request(&f->keys, "123456789", &sequence, cases[i].wall, plain,
							      strlen(plain), &f->out, &f->err));
		assert_string_equal(expect, f->out.data);
	}
}

#define TOKEN_ANSWER_DATA                                                                                              \
	"uxeKP0ezR5yL8xSg4/ZCDh/N91/u86NXFxd2DrwZVW8zCPYcpl59Twz/yQZ3RaO4rDDrGmkvQignmNEJ+k4PGxdmIC+4fpJ8rU6osSobY+Ae" \
	"A0uueuQ5+eQiWBL6p6v5XMMm91brtK8yfFELYUWQzVcxABnAwK/+dyxtUhqLIxUpkwTEU/4ktN40df9IzzlLO5uvUknPGYu9yL0pp5w9vdRx" \
	"mA1RiiTDNCysz6klr9bunGV3VJa2qpLcgeZMf/oG"

static void test_v3_response(void **state)
{
	struct fixture *f = *state;
	static const char body[] =
	    "{\"Ret\":0,\"Msg\":\"\",\"Data\":\"" TOKEN_ANSWER_DATA "\",\"Sig\":\"58E52010C7DEE87FE183B0AFA5B2BE30\"}";
	struct envelope_response response;
	struct value *tree;
	int64_t i;

	assert_int_equal(FC_OK, envelope_open_response(&f->keys, f->reader, CONFIG_SIG_STRICT, body, sizeof(body) - 1,
						       &f->arena, &response, &f->err));
	assert_int_equal(0, response.ret);
	assert_true(response.sig_ok);
	assert_non_null(strstr(response.plain, "\r\n"));
	assert_int_equal(FC_OK, json_read(f->reader, response.plain, response.plain_len, &f->arena, &tree, &f->err));
	assert_string_equal("kVnStIRknCCOBdXgJrmu8rb3pcccifKW2NcQrysKKIzb7iQBxkkjeq3WoGdjgrIL",
			    value_text(value_get(tree, "AccessToken")));
	assert_int_equal(FC_OK, value_to_int(value_get(tree, "TokenAvailableTime"), &i));
	assert_int_equal(7200, i);

	/* Sealing its plain text gives the same Data and Sig. */
	assert_int_equal(FC_OK,
			 envelope_seal_response(&f->keys, 0, NULL, response.plain, response.plain_len, NULL, &f->out));
	assert_string_equal(body, f->out.data);
}

static void test_aes_vectors(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *plain, *data;
	} cases[] = {
	    {"hello world!", "cmljobIKHDAcF9uf3mgs/w=="},   /* V6 */
	    {"{\"Status\":0}", "9MVkuXXxCLW2u0cUb7YXOA=="}, /* D3 */
	    {"{\"ConnectorID\":\"12345678901234\"}",        /* D4: a full block of padding */
	     "11F5ry/2y93X0Dg86V2SgD9nAaz85NcE+IfKKsKl1qxeG1DRb+DbXbseH6akyJM/"},
	    {"{}", "T7dr2a+MzfM1eBctV3+sRQ=="}, /* D5 */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *plain;
		size_t len;

		buffer_clear(&f->out);
		assert_int_equal(FC_OK, envelope_encrypt(&f->keys, cases[i].plain, strlen(cases[i].plain), &f->out));
		assert_string_equal(cases[i].data, f->out.data);
		assert_int_equal(FC_OK, envelope_decrypt(&f->keys, cases[i].data, strlen(cases[i].data), &f->arena,
							 &plain, &len, &f->err));
		assert_string_equal(cases[i].plain, plain);
		assert_int_equal(strlen(cases[i].plain), len);
	}
	assert_int_equal(32, strlen(cases[2].plain));
}

static void hmac(const void *key, size_t key_len, const char *text, char sig[ENVELOPE_SIG_SIZE])
{
	const struct envelope_part part = {text, strlen(text)};

	assert_int_equal(FC_OK, envelope_hmac(key, key_len, &part, 1, sig));
}

static void test_v7_negative(void **state)
{
	char sig[ENVELOPE_SIG_SIZE];

	(void)state;
	/* As arithmetic it verifies, in upper case. */
	hmac("key", 3, "OperatorId=1&Data=rWw+eGNoGIT9QTHun71Efg==&TimeStamp=20160728231909", sig);
	assert_string_equal("9ABDBBA388A6A862EB74C3ADB91D7352", sig);
	/* But it is not the standard's rule: names and separators make another text. */
	struct envelope_keys keys;
	struct error err;
	assert_int_equal(FC_OK, envelope_keys_set(&keys, secret, secret, "key", &err));
	const struct envelope_request request = {"1", "rWw+eGNoGIT9QTHun71Efg==",        24, "20160728231909",
						 "",  "9abdbba388a6a862eb74c3adb91d7352"};
	assert_int_equal(RET_SIGNATURE, envelope_verify_request(&keys, &request));
}

static void test_response_vectors(void **state)
{
	struct fixture *f = *state;
	struct envelope_response response;

	/* D2: an error with a Chinese Msg and no Data. */
	assert_int_equal(FC_OK, envelope_seal_response(&f->keys, 4001, "签名错误", NULL, 0, NULL, &f->out));
	assert_string_equal(
	    "{\"Ret\":4001,\"Msg\":\"签名错误\",\"Data\":\"\",\"Sig\":\"4A3EE825A34B784861BA28875ACBCEE2\"}",
	    f->out.data);
	assert_int_equal(FC_OK, envelope_open_response(&f->keys, f->reader, CONFIG_SIG_STRICT, f->out.data, f->out.len,
						       &f->arena, &response, &f->err));
	assert_int_equal(4001, response.ret);
	assert_string_equal("签名错误", response.msg);
	assert_null(response.plain);
	/* D3s */
	buffer_clear(&f->out);
	assert_int_equal(FC_OK, envelope_seal_response(&f->keys, 0, "success", "{\"Status\":0}", 12, NULL, &f->out));
	assert_string_equal("{\"Ret\":0,\"Msg\":\"success\",\"Data\":\"9MVkuXXxCLW2u0cUb7YXOA==\",\"Sig\":"
			    "\"A62577A35C7BB6BC4928B570A94D0881\"}",
			    f->out.data);
}

/* The caller signs what it reads: U+FFFD where a reason was cut in the midst of a character. */
static void test_a_msg_that_is_no_utf8_is_signed_as_it_is_read(void **state)
{
	struct fixture *f = *state;
	struct envelope_response response;

	assert_int_equal(FC_OK, envelope_seal_response(&f->keys, 4004, "no \xe5\x8c", NULL, 0, NULL, &f->out));
	assert_int_equal(FC_OK, envelope_open_response(&f->keys, f->reader, CONFIG_SIG_STRICT, f->out.data, f->out.len,
						       &f->arena, &response, &f->err));
	assert_true(response.sig_ok);
	assert_string_equal("no \xef\xbf\xbd\xef\xbf\xbd", response.msg);
}

static void test_rfc2202(void **state)
{
	char sig[ENVELOPE_SIG_SIZE], key[80], text[51];
	(void)state;

	memset(key, 0x0b, 16);
	hmac(key, 16, "Hi There", sig);
	assert_string_equal("9294727A3638BB1C13F48EF8158BFC9D", sig);
	hmac("Jefe", 4, "what do ya want for nothing?", sig);
	assert_string_equal("750C783E6AB0B503EAA86E310A5DB738", sig);
	memset(key, 0xaa, sizeof(key));
	memset(text, 0xdd, 50);
	text[50] = '\0';
	hmac(key, 16, text, sig);
	assert_string_equal("56BE34521D144C88DBB8C733F0E8B3F6", sig);
	for (int i = 0; i < 25; i++)
		key[i] = (char)(i + 1);
	memset(text, 0xcd, 50);
	hmac(key, 25, text, sig);
	assert_string_equal("697EAF0ACA3A3AEA3A75164746FFAA79", sig);
	memset(key, 0x0c, 16);
	hmac(key, 16, "Test With Truncation", sig);
	assert_string_equal("56461EF2342EDC00F9BAB995690EFD4C", sig);
	memset(key, 0xaa, sizeof(key));
	hmac(key, 80, "Test Using Larger Than Block-Size Key - Hash Key First", sig);
	assert_string_equal("6B1AB7FE4BD7BF8F0B62E6CE61B9D0CD", sig);
	hmac(key, 80, "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", sig);
	assert_string_equal("6F630FAD67CDA0EE1FB1F562DB3AA53E", sig);
}

static void test_keys(void **state)
{
	struct envelope_keys keys;
	struct error err;
	char long_secret[66];

	(void)state;
	memset(long_secret, 'x', 65);
	long_secret[65] = '\0';
	assert_int_equal(FC_EINVAL, envelope_keys_set(&keys, "short", secret, secret, &err));
	assert_non_null(strstr(err.text, "data_secret:"));
	assert_null(strstr(err.text, "short"));
	assert_int_equal(FC_EINVAL, envelope_keys_set(&keys, secret, "1234567890abcdefg", secret, &err));
	assert_non_null(strstr(err.text, "data_secret_iv"));
	assert_int_equal(FC_EINVAL, envelope_keys_set(&keys, secret, secret, "", &err));
	assert_int_equal(FC_EINVAL, envelope_keys_set(&keys, secret, secret, long_secret, &err));
	assert_int_equal(FC_EINVAL, envelope_keys_set(&keys, NULL, secret, secret, &err));
	assert_int_equal(FC_OK, envelope_keys_set(&keys, secret, secret, long_secret + 1, &err));
	assert_int_equal(64, keys.sig_secret_len);
	envelope_keys_clear(&keys);
	static const struct envelope_keys zero;
	assert_memory_equal(&zero, &keys, sizeof(keys));
}

static void test_equal(void **state)
{
	char a[] = "ABCDEF0123456789", b[] = "abcdef0123456789";

	(void)state;
	assert_true(envelope_sig_equal(a, 16, b, 16));
	assert_false(envelope_sig_equal(a, 16, b, 15));
	for (int i = 0; i < 16; i++) {
		char kept = b[i];

		b[i] ^= 1;
		assert_false(envelope_sig_equal(a, 16, b, 16));
		b[i] = kept;
	}
	/* Only letters fold: '[' is not '{', '@' is not '`', and the bit 0x20 elsewhere counts. */
	assert_false(envelope_sig_equal("[", 1, "{", 1));
	assert_false(envelope_sig_equal("@", 1, "`", 1));
	assert_false(envelope_sig_equal("\x01", 1, "!", 1));
	for (int x = 0; x < 256; x++)
		for (int y = 0; y < 256; y++) {
			char cx = (char)x, cy = (char)y;
			int fx = x >= 'a' && x <= 'z' ? x - 32 : x, fy = y >= 'a' && y <= 'z' ? y - 32 : y;

			assert_int_equal(fx == fy, envelope_sig_equal(&cx, 1, &cy, 1));
		}
	assert_true(envelope_secret_equal("secret", 6, "secret", 6));
	assert_false(envelope_secret_equal("secret", 6, "Secret", 6));
	assert_false(envelope_secret_equal("secret", 6, "secre", 5));
	assert_false(envelope_secret_equal("secret", 6, "secretsecret", 12));
	assert_false(envelope_secret_equal("secret", 6, "", 0));
	assert_false(envelope_secret_equal("", 0, "", 0));
	assert_false(envelope_secret_equal("", 0, "x", 1));
}

static void test_line_breaks(void **state)
{
	struct fixture *f = *state;
	/* V2 with Data wrapped: Sig over the text without the breaks. */
	char body[1024], *plain, wrapped[256] = "";
	struct envelope_request request;
	size_t len;

	for (size_t i = 0; i < strlen(requests[1].data); i += 40)
		(void)snprintf(wrapped + strlen(wrapped), sizeof(wrapped) - strlen(wrapped), "%.40s\\r\\n",
			       requests[1].data + i);
	(void)snprintf(
	    body, sizeof(body),
	    "{\"OperatorID\":\"123456789\",\"Data\":\"%s\",\"TimeStamp\":\"%s\",\"Seq\":\"0001\",\"Sig\":\"%s\"}",
	    wrapped, requests[1].timestamp, requests[1].sig);
	assert_int_equal(RET_OK, envelope_open_request(&f->keys, f->reader, body, strlen(body), &f->arena, &request,
						       &plain, &len, &f->err));
	assert_string_equal(requests[1].plain, plain);
	/* The breaks signed along, as transmitted. */
	char sig[ENVELOPE_SIG_SIZE];
	const struct envelope_part parts[] = {{request.operator_id, strlen(request.operator_id)},
					      {request.data, request.data_len},
					      {request.timestamp, strlen(request.timestamp)},
					      {request.seq, strlen(request.seq)}};
	assert_non_null(strstr(request.data, "\r\n"));
	assert_int_equal(FC_OK, envelope_hmac(secret, 16, parts, 4, sig));
	assert_string_not_equal(requests[1].sig, sig);
	for (char *c = sig; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c + 32); /* lower case is taken as well */
	request.sig = sig;
	assert_int_equal(RET_OK, envelope_verify_request(&f->keys, &request));
	/* Responses alike. */
	struct envelope_response response;
	static const char answer[] = "{\"Ret\":0,\"Msg\":\"success\",\"Data\":\"9MVkuXXxCLW2\\nu0cUb7YXOA==\\n\","
				     "\"Sig\":\"A62577A35C7BB6BC4928B570A94D0881\"}";
	assert_int_equal(FC_OK, envelope_open_response(&f->keys, f->reader, CONFIG_SIG_STRICT, answer,
						       sizeof(answer) - 1, &f->arena, &response, &f->err));
	assert_string_equal("{\"Status\":0}", response.plain);
}

/* Signs whatever Data it is given, so that what fails is the decryption. */
static int open_signed(struct fixture *f, const char *data, char *text, size_t size)
{
	char body[4096], sig[ENVELOPE_SIG_SIZE], *plain = NULL;
	const struct envelope_part parts[] = {
	    {"123456789", 9}, {data, strlen(data)}, {"20250101000000", 14}, {"0001", 4}};
	struct envelope_request request;
	struct error err = {0};
	size_t len;

	assert_int_equal(FC_OK, envelope_hmac(secret, 16, parts, 4, sig));
	(void)snprintf(
	    body, sizeof(body),
	    "{\"OperatorID\":\"123456789\",\"Data\":\"%s\",\"TimeStamp\":\"20250101000000\",\"Seq\":\"0001\","
	    "\"Sig\":\"%s\"}",
	    data, sig);
	int ret =
	    envelope_open_request(&f->keys, f->reader, body, strlen(body), &f->arena, &request, &plain, &len, &err);
	(void)snprintf(text, size, "%s", err.text);
	return ret;
}

static void test_unreadable_data_is_one_case(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
	    "!!!!",                             /* no Base64 */
	    "AAAA",                             /* 3 bytes: no whole block */
	    "9MVkuXXxCLW2u0cUb7YXOA=",          /* a padding character short */
	    "9MVkuXXxCLW2u0cUb7YXOA==AAAA",     /* something behind the padding */
	    "9MVkuXXxCLW2u0cUb7YXO===",         /* too much of it */
	    "====",                             /* nothing but */
	    "9MVkuXXxCLW2u0cUb7YXOAAAAAAAAAAA", /* 24 bytes */
	    "AAAAAAAAAAAAAAAAAAAAAA==",         /* a block that was never encrypted: wrong padding */
	    "il7B0BSEjFdzpyKzfOFpvg==",         /* V1's first block alone: right key, padding cut off */
	    "\\u4e2d\\u6587",                   /* no ASCII */
	};
	char text[ERROR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		/* The JSON escapes are not what is signed: that one case is refused by its signature. */
		int expect = bad[i][0] == '\\' ? RET_SIGNATURE : RET_PARAMETER;

		assert_int_equal(expect, open_signed(f, bad[i], text, sizeof(text)));
		assert_string_equal(expect == RET_PARAMETER ? ENVELOPE_UNREADABLE : ret_text(RET_SIGNATURE), text);
	}
	assert_int_equal(RET_OK, open_signed(f, "9MVkuXXxCLW2u0cUb7YXOA==", text, sizeof(text)));
}

/* Our Base64 beside wolfCrypt's, for one to twelve blocks, which end with two, one and no padding characters. */
static void test_base64_beside_wolfcrypt(void **state)
{
	struct fixture *f = *state;
	unsigned char bytes[256], again[512];
	char text[192], wrapped[512];

	for (size_t n = 0; n < sizeof(text); n++) {
		word32 bytes_len = sizeof(bytes), again_len = sizeof(again);
		char *plain;
		size_t len, w = 0;

		for (size_t i = 0; i < n; i++)
			text[i] = (char)(i * 7 + n);
		buffer_clear(&f->out);
		assert_int_equal(FC_OK, envelope_encrypt(&f->keys, text, n, &f->out));
		assert_int_equal(0, Base64_Decode((const byte *)f->out.data, (word32)f->out.len, bytes, &bytes_len));
		assert_int_equal((n / 16 + 1) * 16, bytes_len);
		assert_int_equal(0, Base64_Encode_NoNl(bytes, bytes_len, again, &again_len));
		assert_int_equal(f->out.len, again_len);
		assert_memory_equal(f->out.data, again, again_len);
		/* Blanks anywhere, the padding included. */
		for (size_t i = 0; i < f->out.len; i++) {
			wrapped[w++] = f->out.data[i];
			if (i % 19 == 18 || i + 2 >= f->out.len)
				wrapped[w++] = " \t\r\n"[i % 4];
		}
		assert_int_equal(FC_OK, envelope_decrypt(&f->keys, wrapped, w, &f->arena, &plain, &len, NULL));
		assert_int_equal(n, len);
		assert_memory_equal(text, plain, n);
		assert_int_equal('\0', plain[n]);
	}
}

/* One character that is none of Base64, at each place of a block's text. */
static void test_base64_has_64_characters(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n \t";
	static const char good[] = "9MVkuXXxCLW2u0cUb7YXOA==";
	struct fixture *f = *state;
	char data[sizeof(good)], *plain;
	size_t len;

	for (int c = 0; c < 256; c++) {
		if (c && strchr(digits, c))
			continue;
		for (size_t at = 0; at < sizeof(good) - 1; at++) {
			memcpy(data, good, sizeof(good));
			data[at] = (char)c;
			assert_int_equal(FC_EINVAL, envelope_decrypt(&f->keys, data, sizeof(good) - 1, &f->arena,
								     &plain, &len, NULL));
		}
	}
}

/* Every last byte of a one-block plain text, right and wrong: encrypt without padding by cutting the padding block. */
static void test_padding(void **state)
{
	struct fixture *f = *state;
	unsigned char block[16];
	char *plain;
	size_t len;
	int right = 0;

	for (int pad = 0; pad < 256; pad++)
		for (int spoil = 0; spoil <= 16; spoil++) {
			memset(block, 'x', sizeof(block));
			for (int i = 0; i < pad && i < 16; i++)
				block[15 - i] = (unsigned char)pad;
			block[15] = (unsigned char)pad;
			/* Spoils one byte of the padding (counted from the end); 0 spoils none. */
			int spoiled = spoil > 1 && spoil <= pad && pad <= 16;
			if (spoiled)
				block[16 - spoil] ^= 0x40;
			else if (spoil)
				continue;
			buffer_clear(&f->out);
			assert_int_equal(FC_OK, envelope_encrypt(&f->keys, (const char *)block, 16, &f->out));
			/* 32 bytes are 44 characters; the first 16 bytes are 22 of them, the last with 4 bits too many. */
			char data[32];
			memcpy(data, f->out.data, 22);
			static const char alphabet[] =
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
			data[21] = alphabet[(strchr(alphabet, data[21]) - alphabet) & 0x30];
			memcpy(data + 22, "==", 3);
			int result = envelope_decrypt(&f->keys, data, 24, &f->arena, &plain, &len, &f->err);
			int good = pad >= 1 && pad <= 16 && !spoiled;
			assert_int_equal(good ? FC_OK : FC_EINVAL, result);
			if (good) {
				assert_int_equal(16 - pad, len);
				right++;
			} else {
				assert_string_equal(ENVELOPE_UNREADABLE, f->err.text);
			}
		}
	assert_int_equal(16, right);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	char text[200], *plain;
	size_t len;

	for (size_t n = 0; n < sizeof(text); n++) {
		for (size_t i = 0; i < n; i++)
			text[i] = (char)(i * 7 + n);
		buffer_clear(&f->out);
		assert_int_equal(FC_OK, envelope_encrypt(&f->keys, text, n, &f->out));
		assert_int_equal((n / 16 + 1) * 16, f->out.len / 4 * 3 - (f->out.data[f->out.len - 1] == '=') -
							(f->out.data[f->out.len - 2] == '='));
		assert_int_equal(FC_OK,
				 envelope_decrypt(&f->keys, f->out.data, f->out.len, &f->arena, &plain, &len, &f->err));
		assert_int_equal(n, len);
		assert_memory_equal(text, plain, n);
	}
}

#define GOOD_DATA "9MVkuXXxCLW2u0cUb7YXOA=="

static void test_hostile_bodies(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body, *says;
	} cases[] = {
	    {"", "body: not a JSON object"},
	    {"x", "body: not a JSON object"},
	    {"[]x", "body: not a JSON object"},
	    {"[1]", "body: not a JSON object"},
	    {"\"text\"", "body: not a JSON object"},
	    {"null", "body: not a JSON object"},
	    {"{\"OperatorID\":", "body: not a JSON object"},
	    {"{}", "OperatorID: missing"},
	    {"{\"OperatorID\":null}", "OperatorID: missing"},
	    {"{\"OperatorID\":\"\"}", "OperatorID: missing"},
	    {"{\"OperatorID\":123456789}", "OperatorID: not a text"},
	    {"{\"OperatorID\":\"1234\\u000056789\"}", "OperatorID: not a text"},
	    {"{\"OperatorID\":[\"123456789\"]}", "OperatorID: not a text"},
	    {"{\"OperatorID\":\"123456789\"}", "Data: missing"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":{}}", "Data: not a text"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"AA\\u0000AA\"}", "Data: not a text"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"" GOOD_DATA "\"}", "TimeStamp: missing"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"" GOOD_DATA "\",\"TimeStamp\":20250101000000.5}",
	     "TimeStamp: not a text"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"" GOOD_DATA "\",\"TimeStamp\":\"20250101000000\"}",
	     "Seq: missing"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"" GOOD_DATA "\",\"TimeStamp\":\"20250101000000\",\"Seq\":true}",
	     "Seq: not a text"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"" GOOD_DATA
	     "\",\"TimeStamp\":\"20250101000000\",\"Seq\":\"0001\"}",
	     "Sig: missing"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"" GOOD_DATA
	     "\",\"TimeStamp\":\"2025-01-01\",\"Seq\":\"0001\",\"Sig\":\"x\"}",
	     "TimeStamp: illegal"},
	    {"{\"OperatorID\":\"123456789\",\"Data\":\"" GOOD_DATA
	     "\",\"TimeStamp\":\"20250101000000\",\"Seq\":\"one\",\"Sig\":\"x\"}",
	     "Seq: illegal"},
	    {"{\"OperatorID\":\"12\\n34\",\"Data\":\"" GOOD_DATA
	     "\",\"TimeStamp\":\"20250101000000\",\"Seq\":\"0001\",\"Sig\":\"x\"}",
	     "OperatorID: illegal"},
	};
	struct envelope_request request;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->err.text[0] = '\0';
		assert_int_equal(RET_ENVELOPE, envelope_read_request(f->reader, cases[i].body, strlen(cases[i].body),
								     &f->arena, &request, &f->err));
		assert_string_equal(cases[i].says, f->err.text);
	}
	/* Right form, wrong signatures: length, letters, nothing alike. */
	static const char *const sigs[] = {"x", "A62577A35C7BB6BC4928B570A94D088", "A62577A35C7BB6BC4928B570A94D08811",
					   "00000000000000000000000000000000"};
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		const struct envelope_request wrong = {"123456789", GOOD_DATA, 24, "20250101000000", "0001", sigs[i]};

		assert_int_equal(RET_SIGNATURE, envelope_verify_request(&f->keys, &wrong));
	}
	/* A changed field breaks it as well. */
	const struct envelope_request moved = {"123456789",      requests[1].data, strlen(requests[1].data),
					       "20180120165755", "0002",           requests[1].sig};
	assert_int_equal(RET_SIGNATURE, envelope_verify_request(&f->keys, &moved));
}

static void test_huge_and_deep(void **state)
{
	struct fixture *f = *state;
	struct envelope_request request;
	struct arena small;
	size_t n = 2u << 20;
	char *body = malloc(n + 1);

	assert_non_null(body);
	/* Deep nesting. */
	memset(body, '[', n);
	body[n] = '\0';
	assert_int_equal(RET_ENVELOPE, envelope_read_request(f->reader, body, n, &f->arena, &request, &f->err));
	/* A field larger than the arena. */
	(void)memcpy(body, "{\"OperatorID\":\"", 15);
	memset(body + 15, 'x', n - 17);
	memcpy(body + n - 2, "\"}", 2);
	arena_init(&small, 65536);
	assert_int_equal(RET_ENVELOPE, envelope_read_request(f->reader, body, n, &small, &request, &f->err));
	arena_fini(&small);
	assert_int_equal(RET_ENVELOPE, envelope_read_request(f->reader, body, n, &f->arena, &request, &f->err));
	/* Encryption into a buffer that is too small fails and says so. */
	struct buffer b;
	buffer_init(&b, 1000);
	assert_int_equal(FC_ELIMIT, envelope_encrypt(&f->keys, body, n, &b));
	assert_int_equal(FC_ELIMIT, envelope_seal_response(&f->keys, 0, NULL, body, n, NULL, &b));
	buffer_fini(&b);
	/* Decryption in an arena that is too small. */
	char *plain;
	size_t len;
	arena_init(&small, 64);
	assert_int_equal(FC_ELIMIT, envelope_decrypt(&f->keys, body, n, &small, &plain, &len, &f->err));
	arena_fini(&small);
	free(body);
	/* The reader is usable after all of this. */
	static const char good[] = "{\"OperatorID\":\"1\"}";
	assert_int_equal(RET_ENVELOPE,
			 envelope_read_request(f->reader, good, sizeof(good) - 1, &f->arena, &request, &f->err));
	assert_string_equal("Data: missing", f->err.text);
}

static void test_error_data(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int option;
		const char *part;
	} cases[] = {
	    {CONFIG_DATA_EMPTY, ",\"Data\":\"\","},
	    {CONFIG_DATA_NULL, ",\"Data\":null,"},
	    {CONFIG_DATA_ABSENT, "illegal\",\"Sig\""},
	    {CONFIG_DATA_OBJECT, ",\"Data\":\"T7dr2a+MzfM1eBctV3+sRQ==\","},
	};
	struct envelope_response response;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buffer_clear(&f->out);
		assert_int_equal(FC_OK, envelope_seal_response(&f->keys, RET_PARAMETER, NULL, NULL, 0,
							       &(struct envelope_form){.error_data = cases[i].option},
							       &f->out));
		assert_non_null(strstr(f->out.data, cases[i].part));
		assert_int_equal(FC_OK, envelope_open_response(&f->keys, f->reader, CONFIG_SIG_STRICT, f->out.data,
							       f->out.len, &f->arena, &response, &f->err));
		assert_int_equal(RET_PARAMETER, response.ret);
		if (cases[i].option == CONFIG_DATA_OBJECT)
			assert_string_equal("{}", response.plain);
		else
			assert_null(response.plain);
	}
	/* Nobody to sign for. */
	buffer_clear(&f->out);
	assert_int_equal(FC_OK,
			 envelope_seal_response(NULL, RET_ENVELOPE, "no \"such\" operator", NULL, 0,
						&(struct envelope_form){.error_data = CONFIG_DATA_OBJECT}, &f->out));
	assert_string_equal("{\"Ret\":4003,\"Msg\":\"no \\\"such\\\" operator\",\"Data\":\"\",\"Sig\":\"\"}",
			    f->out.data);
}

static int open_answer(struct fixture *f, int strictness, const char *body, struct envelope_response *response)
{
	return envelope_open_response(&f->keys, f->reader, strictness, body, strlen(body), &f->arena, response,
				      &f->err);
}

static void test_response_strictness(void **state)
{
	struct fixture *f = *state;
	static const char wrong[] = "{\"Ret\":0,\"Msg\":\"success\",\"Data\":\"9MVkuXXxCLW2u0cUb7YXOA==\","
				    "\"Sig\":\"00000000000000000000000000000000\"}";
	static const char unsigned_error[] = "{\"Ret\":4002,\"Msg\":\"token\",\"Data\":\"not Base64\"}";
	static const char text_ret[] = "{\"Ret\":\"0\",\"Msg\":\"success\",\"Data\":\"9MVkuXXxCLW2u0cUb7YXOA==\","
				       "\"Sig\":\"a62577a35c7bb6bc4928b570a94d0881\"}";
	struct envelope_response r;

	assert_int_equal(FC_EAUTH, open_answer(f, CONFIG_SIG_STRICT, wrong, &r));
	assert_int_equal(FC_EAUTH, open_answer(f, CONFIG_SIG_SUCCESS, wrong, &r));
	assert_int_equal(FC_OK, open_answer(f, CONFIG_SIG_OFF, wrong, &r));
	assert_false(r.sig_ok);
	assert_string_equal("{\"Status\":0}", r.plain);
	assert_int_equal(FC_EAUTH, open_answer(f, CONFIG_SIG_STRICT, unsigned_error, &r));
	assert_int_equal(FC_OK, open_answer(f, CONFIG_SIG_SUCCESS, unsigned_error, &r));
	assert_int_equal(4002, r.ret);
	assert_null(r.plain);
	assert_int_equal(FC_OK, open_answer(f, CONFIG_SIG_STRICT, text_ret, &r));
	assert_int_equal(0, r.ret);
	/* Success whose Data can't be read. */
	assert_int_equal(FC_EINVAL, open_answer(f, CONFIG_SIG_OFF, "{\"Ret\":0,\"Data\":\"AAAA\"}", &r));
	assert_string_equal(ENVELOPE_UNREADABLE, f->err.text);
	/* Missing and null Msg and Data are empty: Sig over "0" alone. */
	char sig[ENVELOPE_SIG_SIZE], body[256];
	hmac(secret, 16, "0", sig);
	(void)snprintf(body, sizeof(body), "{\"Ret\":0,\"Msg\":null,\"Data\":null,\"Sig\":\"%s\"}", sig);
	assert_int_equal(FC_OK, open_answer(f, CONFIG_SIG_STRICT, body, &r));
	assert_string_equal("", r.msg);
	assert_null(r.plain);
	(void)snprintf(body, sizeof(body), "{\"Ret\":0,\"Sig\":\"%s\"}", sig);
	assert_int_equal(FC_OK, open_answer(f, CONFIG_SIG_STRICT, body, &r));

	static const char *const bad[] = {"",
					  "<html>",
					  "[]x",
					  "{}",
					  "{\"Ret\":\"zero\"}",
					  "{\"Ret\":null}",
					  "{\"Ret\":99999999999}",
					  "{\"Ret\":0.5}",
					  "{\"Ret\":0,\"Msg\":{\"a\":1}}",
					  "{\"Ret\":0,\"Data\":[1]}",
					  "{\"Ret\":0,\"Data\":{\"Status\":0}}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(FC_EINVAL, open_answer(f, CONFIG_SIG_OFF, bad[i], &r));
}

static void test_sequence(void **state)
{
	struct envelope_sequence s = {0};
	char timestamp[15], seq[5], last[5];
	int64_t wall = 1735660800; /* 2025-01-01 00:00:00 in Shanghai */

	(void)state;
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall, timestamp, seq));
	assert_string_equal("20250101000000", timestamp);
	assert_string_equal("0001", seq);
	for (int i = 2; i <= 9999; i++) {
		assert_int_equal(FC_OK, envelope_sequence_next(&s, wall, timestamp, seq));
		(void)snprintf(last, sizeof(last), "%04u", (unsigned)i % 10000);
		assert_string_equal(last, seq);
	}
	assert_int_equal(FC_EBUSY, envelope_sequence_next(&s, wall, timestamp, seq));
	assert_int_equal(FC_EBUSY, envelope_sequence_next(&s, wall, timestamp, seq));
	/* A step back inside the hold: the full second stays full. */
	assert_int_equal(FC_EBUSY, envelope_sequence_next(&s, wall - 5, timestamp, seq));
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall + 1, timestamp, seq));
	assert_string_equal("20250101000001", timestamp);
	assert_string_equal("0001", seq);
	/* A small step back goes on counting in the old second. */
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall, timestamp, seq));
	assert_string_equal("20250101000001", timestamp);
	assert_string_equal("0002", seq);
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall + 2, timestamp, seq));
	assert_string_equal("0001", seq);
	/* A clock set right by an hour is followed. */
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall - 3600, timestamp, seq));
	assert_string_equal("20241231230000", timestamp);
	assert_string_equal("0001", seq);
	/* A start 250 ms into a second, of which the run before had used 2250 pairs at the most; the next second begins with 0001. */
	envelope_sequence_begin(&s, wall * 1000 + 250);
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall, timestamp, seq));
	assert_string_equal("20250101000000", timestamp);
	assert_string_equal("2252", seq);
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall + 1, timestamp, seq));
	assert_string_equal("0001", seq);
	/* The last millisecond leaves a thousand. */
	envelope_sequence_begin(&s, wall * 1000 + 999);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(FC_OK, envelope_sequence_next(&s, wall, timestamp, seq));
	/* time() may lag behind by a tick: not a pair of the second before. */
	envelope_sequence_begin(&s, wall * 1000);
	assert_int_equal(FC_OK, envelope_sequence_next(&s, wall - 1, timestamp, seq));
	assert_string_equal("20250101000000", timestamp);
	/* Nothing is written when there is no Seq left. */
	struct fixture *f = *state;
	s = (struct envelope_sequence){wall, ENVELOPE_SEQ_MAX};
	assert_int_equal(FC_EBUSY, envelope_seal_request(&f->keys, "123456789", &s, wall, "{}", 2, &f->out, &f->err));
	assert_int_equal(0, f->out.len);
}

static void test_ret(void **state)
{
	(void)state;
	assert_int_equal(RET_DONE, ret_action(0));
	assert_int_equal(RET_DONE, ret_action(4015));
	assert_int_equal(RET_RETRY, ret_action(-1));
	assert_int_equal(RET_RETRY, ret_action(500));
	assert_int_equal(RET_RETRY, ret_action(12345));
	assert_int_equal(RET_NEW_TOKEN, ret_action(4002));
	assert_int_equal(RET_GIVE_UP, ret_action(4000));
	for (int ret = 4003; ret <= 4010; ret++)
		assert_int_equal(RET_GIVE_UP, ret_action(ret));
	assert_int_equal(RET_GIVE_UP, ret_action(4001));
	for (int ret = -2; ret < 5000; ret++)
		assert_true(ret_text(ret)[0] != '\0');
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_request_vectors),
	    TEST(test_seal_request_vectors),
	    TEST(test_v3_response),
	    TEST(test_aes_vectors),
	    TEST(test_v7_negative),
	    TEST(test_response_vectors),
	    TEST(test_a_msg_that_is_no_utf8_is_signed_as_it_is_read),
	    TEST(test_rfc2202),
	    TEST(test_keys),
	    TEST(test_equal),
	    TEST(test_line_breaks),
	    TEST(test_base64_beside_wolfcrypt),
	    TEST(test_base64_has_64_characters),
	    TEST(test_padding),
	    TEST(test_unreadable_data_is_one_case),
	    TEST(test_round_trip),
	    TEST(test_hostile_bodies),
	    TEST(test_huge_and_deep),
	    TEST(test_error_data),
	    TEST(test_sequence),
	    TEST(test_response_strictness),
	    TEST(test_ret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
