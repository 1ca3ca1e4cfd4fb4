#include "upstream/stand_in.h"

#include <stdio.h>
#include <string.h>

#include "upstream/personal.h"

enum { SECRET_MIN = 4 }; /* characters: what is shorter is a flag or a code, which a mapping asks for */

/* The one message that carries them: it is the one that either side may call. */
static int carries_secrets(const struct message *message)
{
	return message->caller == MESSAGE_BOTH;
}

static int is_one_of(const struct value *v, const char *const *secrets)
{
	for (; secrets && *secrets; secrets++)
		if (strlen(*secrets) == v->len && !memcmp(*secrets, v->text, v->len))
			return 1;
	return 0;
}

static int replace(struct stand_ins *s, struct value *v, struct arena *arena)
{
	if (s->count == STAND_INS_MAX)
		return FC_ELIMIT;
	/* Whoever checks the message sees the stand-in. */
	if (memchr(v->text, 0, v->len))
		return FC_EINVAL;
	(void)snprintf(s->of[s->count].text, STAND_IN_TEXT, "secret-%d", s->count + 1);
	const struct value *text = value_string(arena, s->of[s->count].text);
	if (!text)
		return FC_ENOMEM;
	s->of[s->count].secret = v->text;
	s->of[s->count++].len = v->len;
	v->text = text->text;
	v->len = text->len;
	return FC_OK;
}

/* As deep as the reader of JSON lets a tree be. schema: of this object, NULL where the standard knows none. */
static int take(struct stand_ins *s, const struct schema *schema, enum personal_rule above, const char *const *secrets,
		struct value *tree, struct arena *arena)
{
	int result = FC_OK;

	for (struct value *v = tree->first; v && !result; v = v->next) {
		const struct field *field = schema && v->key ? schema_field(schema, v->key) : NULL;
		enum personal_rule rule = personal_rule(field, v->key, above);

		if (v->type == VALUE_OBJECT || v->type == VALUE_ARRAY)
			result = take(s, field ? field->child : NULL, rule, secrets, v, arena);
		else if (v->type == VALUE_STRING && v->len >= SECRET_MIN &&
			 (rule == PERSONAL_WHOLE || is_one_of(v, secrets)))
			result = replace(s, v, arena);
	}
	return result;
}

int stand_ins_take(struct stand_ins *s, const struct message *message, enum message_part part,
		   const char *const *secrets, struct value *tree, struct arena *arena)
{
	s->count = 0;
	if (!carries_secrets(message))
		return FC_OK;
	return take(s, message_schema(message, part), PERSONAL_BY_SHAPE, secrets, tree, arena);
}

static void put_back(const struct stand_ins *s, struct value *v)
{
	for (int i = 0; i < s->count; i++)
		if (!strcmp(v->text, s->of[i].text)) {
			v->text = s->of[i].secret;
			v->len = s->of[i].len;
			return;
		}
}

static void give_back(const struct stand_ins *s, const struct schema *schema, enum mapping_direction direction,
		      struct value *tree)
{
	for (struct value *v = tree->first; v; v = v->next) {
		const struct field *field = schema && v->key ? schema_field(schema, v->key) : NULL;

		if (v->type == VALUE_OBJECT || v->type == VALUE_ARRAY)
			give_back(s, field ? field->child : NULL, direction, v);
		else if (v->type == VALUE_STRING &&
			 (direction == MAPPING_OUT ||
			  (field && personal_rule(field, v->key, PERSONAL_BY_SHAPE) == PERSONAL_WHOLE)))
			put_back(s, v);
	}
}

void stand_ins_give_back(const struct stand_ins *s, const struct message *message, enum message_part part,
			 enum mapping_direction direction, struct value *tree)
{
	if (s->count)
		give_back(s, message_schema(message, part), direction, tree);
}
