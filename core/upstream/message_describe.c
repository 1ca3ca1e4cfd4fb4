/* The tables of all messages, from the schema: what forecourtd --messages prints, and tests/system/test_conformance.py holds
 * against the standard. */
#include "upstream/message.h"

/* Where a field stands: StationInfos[].EquipmentInfos[].Power. */
struct path {
	const struct path *up;
	const struct field *field;
};

static void print_path(FILE *to, const struct path *path)
{
	if (path->up)
		print_path(to, path->up);
	fprintf(to, "%s%s", path->up ? "." : "", path->field->name);
	if (path->field->type == FIELD_OBJECTS || path->field->type == FIELD_TEXTS)
		fprintf(to, "[]");
}

static void print_form(FILE *to, const struct field *field)
{
	fprintf(to, "%s", field_type_name(field->type));
	if (field->type == FIELD_DECIMAL)
		fprintf(to, " with %d", field->size);
	else if (field->type == FIELD_TEXT && field->size)
		fprintf(to, " up to %d", field->size);
}

static void describe_fields(FILE *to, const char *part, const struct schema *schema, const struct path *up)
{
	for (int i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		const struct path path = {up, field};

		fprintf(to, "| %s | `", part);
		print_path(to, &path);
		fprintf(to, "` | %s | ", field->required ? "yes" : "no");
		print_form(to, field);
		fprintf(to, " |\n");
		if (field->child)
			describe_fields(to, part, field->child, &path);
	}
}

static const char *caller_text(enum message_caller caller)
{
	switch (caller) {
	case MESSAGE_WE_CALL:
		return "the station calls";
	case MESSAGE_WE_ANSWER:
		return "the platform calls";
	case MESSAGE_BOTH:
		return "both call";
	}
	return "unknown";
}

static const char *set_text(enum message_set set)
{
	switch (set) {
	case MESSAGE_BASE:
		return "always on";
	case MESSAGE_STATION_INFO:
		return "option push_station_info";
	case MESSAGE_STATION_STATS:
		return "option push_stats";
	case MESSAGE_ISERV:
		return "option iserv";
	case MESSAGE_CITY:
		return "only where a mapping has it on";
	}
	return "unknown";
}

void message_describe(FILE *to)
{
	const struct message *m;

	for (int i = 0; (m = message_at(i)); i++) {
		fprintf(to, "\n### %s (%s; %s)\n\n", m->method, caller_text(m->caller), set_text(m->set));
		fprintf(to, "| part | field | required | form |\n|---|---|---|---|\n");
		describe_fields(to, message_part_name(MESSAGE_REQUEST), m->request, NULL);
		describe_fields(to, message_part_name(MESSAGE_ANSWER), m->answer, NULL);
	}
}
