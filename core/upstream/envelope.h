/* Envelope: AES-128-CBC, Base64 and HMAC-MD5 around the JSON of a call (protocol.md 1.3 to 1.6). wolfCrypt does the
 * cryptography; nothing here touches the network, tokens or schemas.
 *
 * Order of checks on a request (protocol.md 1.8): Bearer (token.h), five fields (envelope_read_request, 4003), Sig
 * (envelope_verify_request, 4001), decryption (envelope_decrypt, 4004), parameters (codec_decode, 4004).
 *
 * Why 4004 and not 4003 for Data that can't be decrypted: the five fields were there and were signed, so the
 * envelope itself is proven; what can't be had are the business parameters. It also makes wrong Base64, wrong length,
 * wrong padding and a wrong key (which gives rubbish instead of JSON, with right padding once in 256 tries) one case
 * with one code and one text, ENVELOPE_UNREADABLE, so that an answer never tells which of them it was.
 *
 * "operator_id" is always the sender's. struct envelope_keys holds copies of the secrets: clear it when done. */
#ifndef FC_UPSTREAM_ENVELOPE_H
#define FC_UPSTREAM_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json_read.h"
#include "upstream/ret.h"

enum { ENVELOPE_KEY_SIZE = 16, ENVELOPE_SIG_SECRET_MAX = 64, ENVELOPE_SIG_SIZE = 33, ENVELOPE_SEQ_MAX = 9999 };

/* The one Msg for every way in which Data can't be read. */
#define ENVELOPE_UNREADABLE "Data can't be read"

/* One direction's secrets without the OperatorSecret (which token.h handles). */
struct envelope_keys {
	unsigned char data_secret[ENVELOPE_KEY_SIZE];
	unsigned char data_iv[ENVELOPE_KEY_SIZE];
	unsigned char sig_secret[ENVELOPE_SIG_SECRET_MAX];
	size_t sig_secret_len; /* 1..64 */
};
/* From the texts of the configuration (struct config_keys). FC_EINVAL names the wrong one, never shows it. */
int envelope_keys_set(struct envelope_keys *keys, const char *data_secret, const char *data_secret_iv,
		      const char *sig_secret, struct error *err);
/* Overwrites the secrets. */
void envelope_keys_clear(struct envelope_keys *keys);

/* The primitives. ------------------------------------------------------------------------------------------- */

/* Encrypts and appends the Base64 text (one line) to out. FC_OK, FC_ELIMIT, FC_ENOMEM. */
int envelope_encrypt(const struct envelope_keys *keys, const char *plain, size_t len, struct buffer *out);
/* Reads Base64 (CR, LF, blanks and tabs inside are skipped), decrypts, removes the padding. *plain is in arena with a zero
 * byte behind. FC_OK; FC_EINVAL with the text ENVELOPE_UNREADABLE whatever was wrong; FC_ELIMIT: the arena is full. */
int envelope_decrypt(const struct envelope_keys *keys, const char *data, size_t data_len, struct arena *arena,
		     char **plain, size_t *plain_len, struct error *err);

/* A piece of the text that is signed. */
struct envelope_part {
	const char *text; /* NULL counts as empty */
	size_t len;
};
/* HMAC-MD5 with any key length, also over 64 bytes; upper-case hex. FC_OK or FC_EIO (wolfCrypt refused). */
int envelope_hmac(const void *key, size_t key_len, const struct envelope_part *parts, int count,
		  char out[ENVELOPE_SIG_SIZE]);
/* Compares two signatures without regard to case, in a time that depends on the lengths alone. Nonzero when equal. */
int envelope_sig_equal(const char *a, size_t a_len, const char *b, size_t b_len);
/* Compares secrets (tokens, OperatorSecret) byte by byte in a time that depends on given_len alone, not on where
 * they differ nor on the length of what is expected. Nonzero when equal. */
int envelope_secret_equal(const char *expected, size_t expected_len, const char *given, size_t given_len);

/* TimeStamp and Seq. ---------------------------------------------------------------------------------------- */

/* One per platform, zeroed at first. Seq starts at 0001 in every second; a pair of TimeStamp and Seq is never given
 * twice: when the wall clock steps back by less than ENVELOPE_HOLD_S the old second is kept, and goes on counting.
 * (A larger step is a clock being set right: it is followed.) In the second of a start Seq begins later. */
#define ENVELOPE_HOLD_S 60
struct envelope_sequence {
	int64_t second; /* wall second of the last pair */
	int seq;        /* its Seq; 0 = none yet */
};
/* At a start in the midst of a second, of which the run before may have used the first pairs: Seq goes on from where nine calls in
 * each millisecond since the second began would have come to. wall_ms: clock_wall_ms(). */
void envelope_sequence_begin(struct envelope_sequence *sequence, int64_t wall_ms);
/* wall: clock_wall(). FC_OK; FC_EBUSY: 9999 pairs were given in this second, try again in the next. */
int envelope_sequence_next(struct envelope_sequence *sequence, int64_t wall, char timestamp[15], char seq[5]);

/* Requests. ------------------------------------------------------------------------------------------------- */

/* The five fields as they came; all in the arena, texts end with a zero byte and have none inside. */
struct envelope_request {
	const char *operator_id;
	const char *data;
	size_t data_len;
	const char *timestamp;
	const char *seq;
	const char *sig;
};

/* Appends the whole body {"OperatorID":..,"Data":..,"TimeStamp":..,"Seq":..,"Sig":..} for the parameter text json.
 * FC_OK, FC_EBUSY (see envelope_sequence_next; nothing appended), FC_ELIMIT, FC_EIO. */
int envelope_seal_request(const struct envelope_keys *keys, const char *operator_id, struct envelope_sequence *sequence,
			  int64_t wall, const char *json, size_t len, struct buffer *out, struct error *err);
/* Takes a body apart. RET_OK, or RET_ENVELOPE and *err says which field ("Seq: missing", "body: not a JSON object",
 * "body: too large"). Judges form only: OperatorID 1..32 visible characters, TimeStamp 12..17 digits (field
 * variation 16), Seq 1..10 digits, Data and Sig not empty. TimeStamp and Seq may be numbers; field names may be of any case
 * (field variation 5), the standard's own goes first. */
int envelope_read_request(struct json_reader *reader, const char *body, size_t len, struct arena *arena,
			  struct envelope_request *out, struct error *err);
/* RET_OK or RET_SIGNATURE. The text is tried as transmitted, then with line breaks taken out of Data. */
int envelope_verify_request(const struct envelope_keys *keys, const struct envelope_request *request);
/* All three steps for a caller that knows the keys beforehand: RET_OK and the parameter text in *plain, or RET_ENVELOPE,
 * RET_SIGNATURE, RET_PARAMETER with the Msg to answer in *err. */
int envelope_open_request(const struct envelope_keys *keys, struct json_reader *reader, const char *body, size_t len,
			  struct arena *arena, struct envelope_request *out, char **plain, size_t *plain_len,
			  struct error *err);

/* Responses. ------------------------------------------------------------------------------------------------ */

/* What platforms differ in; all zero is the usual. */
struct envelope_form {
	int error_data; /* CONFIG_DATA_EMPTY, _NULL, _ABSENT, _OBJECT of config.h: Data when there is no answer object */
	int ret_as_text; /* "Ret":"0" instead of 0; the signature is the same */
};
/* Appends {"Ret":..,"Msg":..,"Data":..,"Sig":..}. json NULL: there is no answer object. form NULL: the usual. keys NULL: the
 * caller is unknown, so nothing can be signed or encrypted: Data and Sig are empty texts. msg NULL: ret_text(ret), or ""
 * for RET_OK. FC_OK, FC_ELIMIT, FC_EIO. */
int envelope_seal_response(const struct envelope_keys *keys, int ret, const char *msg, const char *json, size_t len,
			   const struct envelope_form *form, struct buffer *out);

struct envelope_response {
	int ret;
	const char *msg; /* "" when missing */
	char *plain;     /* the answer object's text, NULL when Data was empty, null or absent */
	size_t plain_len;
	int sig_ok; /* the signature was there and right, whatever the strictness */
};
/* The verdict of a body without envelope (field variation 5): Ret and Msg, or ret and msg; RET_OK when there is no Ret,
 * RET_SYSTEM when it is no integer. *msg is "" when there is none. body may be any tree. */
int envelope_plain_ret(const struct value *body, const char **msg);
/* Opens an answer. strictness: CONFIG_SIG_STRICT (always), CONFIG_SIG_SUCCESS (only when Ret is 0), CONFIG_SIG_OFF.
 * FC_OK (also for Ret other than 0: look at out->ret), FC_EINVAL: not an envelope, FC_EAUTH: signature wrong or missing
 * where it must be right, FC_EINVAL with ENVELOPE_UNREADABLE: Ret 0 but Data can't be decrypted (on other Rets
 * unreadable Data counts as empty: protocol.md section 5, 12), FC_ELIMIT. */
int envelope_open_response(const struct envelope_keys *keys, struct json_reader *reader, int strictness,
			   const char *body, size_t len, struct arena *arena, struct envelope_response *out,
			   struct error *err);

#endif
