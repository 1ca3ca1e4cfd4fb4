/* Message: every method of the protocol as a table of fields (protocol.md section 2). The tables drive reading,
 * writing and documentation; the standard's own misspellings (SevicePrice, BusineHours ...) stand there and nowhere
 * else.
 *
 * A schema is tolerant on input (protocol.md sections 3 and 5): integers as text, absent as null or as empty text,
 * dates without padding, longer text than the table says. On output it decides the form of numbers and of empty
 * lists. */
#ifndef FC_UPSTREAM_MESSAGE_H
#define FC_UPSTREAM_MESSAGE_H

#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"

enum field_type {
	FIELD_TEXT,     /* size: length in the standard, 0 = not fixed; longer text is never refused nor cut */
	FIELD_INT,      /* */
	FIELD_DECIMAL,  /* size: decimals written, 0..9 */
	FIELD_DATETIME, /* text yyyy-MM-dd HH:mm:ss */
	FIELD_DATE,     /* text yyyy-MM-dd */
	FIELD_OBJECT,   /* child */
	FIELD_OBJECTS,  /* array of child */
	FIELD_TEXTS,    /* array of text */
};
const char *field_type_name(enum field_type type);

struct schema;
struct field {
	const char *name;
	enum field_type type;
	int size;
	int required; /* R in the standard */
	const struct schema *child;
};
struct schema {
	const char *name; /* of the structure in the standard, "StationInfo" */
	const struct field *fields;
	int count;
};

enum message_caller {
	MESSAGE_WE_CALL,   /* the platform implements it: request goes out, answer comes in */
	MESSAGE_WE_ANSWER, /* we implement it: request comes in, answer goes out */
	MESSAGE_BOTH,      /* query_token */
};
enum message_set {
	MESSAGE_BASE,          /* on unless a mapping says otherwise */
	MESSAGE_STATION_INFO,  /* on with the platform's option push_station_info */
	MESSAGE_STATION_STATS, /* on with push_stats */
	MESSAGE_ISERV,         /* on with the platform's option iserv */
	MESSAGE_CITY,          /* cities' additions and extensions: off unless a mapping says otherwise */
};
struct message {
	const char *method;
	enum message_caller caller;
	enum message_set set;
	int mutating; /* a repeat would do something twice: replay.h watches it where we answer */
	const struct schema *request, *answer;
};

enum message_part { MESSAGE_REQUEST, MESSAGE_ANSWER };
const char *message_part_name(enum message_part part); /* "request", "answer" */

/* By method name, case-sensitive (protocol.md 1.2); NULL when unknown. By place: NULL past the end. The place of a message. */
const struct message *message_find(const char *method);
const struct message *message_at(int index);
int message_count(void);
int message_index(const struct message *message);
const struct schema *message_schema(const struct message *message, enum message_part part);
/* A structure by the standard's name ("StationInfo"), NULL when unknown. */
const struct schema *schema_by_name(const char *name);
const struct field *schema_field(const struct schema *schema, const char *name);

/* Normalises an incoming tree in place, after which every known field that is there has its schema's type: INT is
 * VALUE_INT, TEXT is VALUE_STRING, DATETIME and DATE are padded VALUE_STRING, OBJECT is VALUE_OBJECT, OBJECTS and TEXTS are
 * VALUE_ARRAY, DECIMAL is one of the number types (read it with value_to_decimal). Known fields that are null, or empty text
 * where no text is due, are dropped. Unknown fields stay as they are. insist: required fields must be there (requests
 * that we answer); 0 for answers, of which the client takes what it finds (protocol.md section 5, 7 and 12).
 * FC_OK; FC_EINVAL with the first bad field: "Data.PageNo: not an integer"; FC_ELIMIT: the arena is full. */
int message_check(const struct schema *schema, struct value *value, int insist, struct arena *arena, struct error *err);
/* Shapes an outgoing tree in place for json_write: DECIMAL fields that hold any number become VALUE_DECIMAL with the
 * schema's decimals (half up), INT fields that hold an integral float become VALUE_INT, VALUE_EMPTY becomes [] or {}
 * (unknown fields: {}). What was prescribed (VALUE_NUMBER, VALUE_STRING, null, another type) stays, and so do unknown
 * fields. */
void message_shape(const struct schema *schema, struct value *value);

/* The verdict of a push's answer, whichever of Status, SuccStat, ConfirmResult carries it (protocol.md section 3, 25);
 * the method's own field is looked at first. FC_OK and *verdict; FC_ENOENT when none is there. */
int message_verdict(const struct message *message, const struct value *answer, int64_t *verdict);

/* Every method with its fields as Markdown tables: forecourtd --messages. */
void message_describe(FILE *to);

#endif
