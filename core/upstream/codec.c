#include "upstream/codec.h"

#include "base/json.h"
#include "upstream/envelope.h"
#include "upstream/long_number.h"
#include "upstream/stand_in.h"

/* As it passes; the recorder keeps no tree. */
static void note(const struct codec *codec, const struct message *message, enum message_part part,
		 enum mapping_direction direction, const struct value *before, const struct value *after, int failed,
		 const char *refused)
{
	/* Those beside the tables carry envelopes and tokens (message_pull.h). */
	if (!codec->recorder || message_index(message) < 0)
		return;
	recorder_note(codec->recorder, &(struct record){.platform = codec->context.platform,
							.message = message,
							.part = part,
							.direction = direction,
							.mapping = codec->mapping ? mapping_name(codec->mapping) : "",
							.hash = codec->mapping ? mapping_hash(codec->mapping) : "",
							.before = before,
							.after = after,
							.failed = failed,
							.refused = refused});
}

int codec_encode(const struct codec *codec, const struct message *message, enum message_part part, struct value *value,
		 struct arena *arena, struct buffer *out, struct error *err)
{
	struct stand_ins hidden = {0};
	struct value *mapped;

	if (!value)
		return error_set(err, FC_ENOMEM, "upstream: %s: no memory for the %s", message->method,
				 message_part_name(part));
	if (codec->mapping && stand_ins_take(&hidden, message, part, codec->secrets, value, arena))
		return error_set(err, FC_ELIMIT, "upstream: %s: the %s is too large", message->method,
				 message_part_name(part));
	/* A failure is logged there; the standard's form is what goes out then. */
	int failed =
	    mapping_apply(codec->mapping, message, part, MAPPING_OUT, value, &codec->context, arena, &mapped, NULL);
	/* A tree that no function made anew is about to change. */
	if (mapped == value)
		note(codec, message, part, MAPPING_OUT, value, NULL, failed, NULL);
	message_shape(message_schema(message, part), mapped);
	if (mapped != value)
		note(codec, message, part, MAPPING_OUT, value, mapped, 0, NULL);
	stand_ins_give_back(&hidden, message, part, MAPPING_OUT, mapped);
	if (codec->ascii ? json_write_ascii(out, mapped) : json_write(out, mapped))
		return error_set(err, FC_ELIMIT, "upstream: %s: the %s is too large", message->method,
				 message_part_name(part));
	return FC_OK;
}

int codec_decode(const struct codec *codec, const struct message *message, enum message_part part, const char *json,
		 size_t len, struct arena *arena, struct value **out, struct error *err)
{
	struct stand_ins hidden = {0};
	struct value *raw = NULL;
	struct value *mapped;

	int result = long_number_quote(&json, &len, arena);
	if (!result)
		result = json_read(codec->reader, json, len, arena, &raw, NULL);
	if (result == FC_ELIMIT || result == FC_ENOMEM)
		return error_set(err, FC_ELIMIT, "upstream: %s: the %s is too large", message->method,
				 message_part_name(part));
	/* The same words as for wrong padding: envelope.h says why. */
	if (result || !value_is_object(raw))
		return error_set(err, FC_EINVAL, "%s", ENVELOPE_UNREADABLE);
	result = codec->mapping ? stand_ins_take(&hidden, message, part, codec->secrets, raw, arena) : FC_OK;
	if (result == FC_EINVAL)
		return error_set(err, FC_EINVAL, "upstream: %s: a secret of the %s is not a text", message->method,
				 message_part_name(part));
	if (result)
		return error_set(err, FC_ELIMIT, "upstream: %s: the %s is too large", message->method,
				 message_part_name(part));
	int failed =
	    mapping_apply(codec->mapping, message, part, MAPPING_IN, raw, &codec->context, arena, &mapped, NULL);
	if (mapped == raw)
		note(codec, message, part, MAPPING_IN, raw, NULL, failed, NULL);
	result = message_check(message_schema(message, part), mapped, part == MESSAGE_REQUEST, arena, err);
	if (mapped != raw)
		note(codec, message, part, MAPPING_IN, raw, mapped, 0, result && err ? err->text : NULL);
	if (!result) {
		stand_ins_give_back(&hidden, message, part, MAPPING_IN, mapped);
		*out = mapped;
	}
	return result;
}
