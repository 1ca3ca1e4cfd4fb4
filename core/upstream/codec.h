/* Codec: between the tree that the rest of the room works with (standard field names, checked types) and the JSON
 * text that is encrypted: mapping first and schema second, in both directions. */
#ifndef FC_UPSTREAM_CODEC_H
#define FC_UPSTREAM_CODEC_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json_read.h"
#include "upstream/mapping.h"
#include "upstream/message.h"
#include "upstream/record.h"

/* What coding needs of a platform; all borrowed. */
struct codec {
	struct mapping *mapping; /* may be NULL */
	struct json_reader *reader;
	struct mapping_context context;
	int ascii;                 /* nothing beyond ASCII in what is written: \uXXXX (protocol.md section 3, 26) */
	struct recorder *recorder; /* of what passes; NULL = nobody wants to know */
	const char
	    *secrets[3]; /* OperatorSecrets, NULL behind them: no script sees one, whatever its field is called */
};

/* Tree to JSON text, appended to out: mapping (out), message_shape, json_write. value may be changed. A failing
 * mapping function is logged and the unmapped message is written. FC_OK, FC_ENOMEM (value is NULL), FC_ELIMIT. */
int codec_encode(const struct codec *codec, const struct message *message, enum message_part part, struct value *value,
		 struct arena *arena, struct buffer *out, struct error *err);
/* JSON text to a checked tree in arena: json_read, mapping (in), message_check; required fields are insisted on in
 * requests only. FC_OK; FC_EINVAL: err->text is the Msg for Ret 4004: ENVELOPE_UNREADABLE when the text is no JSON object
 * (envelope.h says why), else the first bad field; FC_ELIMIT: too large for the arena. */
int codec_decode(const struct codec *codec, const struct message *message, enum message_part part, const char *json,
		 size_t len, struct arena *arena, struct value **out, struct error *err);

#endif
