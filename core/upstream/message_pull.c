#include "upstream/message_pull.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { O = 0, R = 1 }; /* optional, required */

static const struct field pending_fields[] = {
    {"RequestID", FIELD_TEXT, 64, R, NULL},
    {"Interface", FIELD_TEXT, 120, R, NULL},
    {"Authorization", FIELD_TEXT, 0, O, NULL},
    {"Envelope", FIELD_TEXT, 0, R, NULL},
};
static const struct schema pending = {"PendingRequest", pending_fields, COUNT(pending_fields)};
static const struct field fetch_request_fields[] = {
    {"MaxRequests", FIELD_INT, 0, R, NULL},
    {"MaxBytes", FIELD_INT, 0, R, NULL},
};
static const struct schema fetch_request = {"query_pending_requests request", fetch_request_fields,
					    COUNT(fetch_request_fields)};
static const struct field fetch_answer_fields[] = {
    {"PendingRequests", FIELD_OBJECTS, 0, R, &pending},
};
static const struct schema fetch_answer = {"query_pending_requests answer", fetch_answer_fields,
					   COUNT(fetch_answer_fields)};

static const struct field tell_request_fields[] = {
    {"RequestID", FIELD_TEXT, 64, R, NULL},
    {"Interface", FIELD_TEXT, 120, R, NULL},
    {"HttpStatus", FIELD_INT, 0, R, NULL},
    {"Envelope", FIELD_TEXT, 0, R, NULL},
};
static const struct schema tell_request = {"notification_request_answer request", tell_request_fields,
					   COUNT(tell_request_fields)};
static const struct field tell_answer_fields[] = {
    {"RequestID", FIELD_TEXT, 64, O, NULL},
    {"SuccStat", FIELD_INT, 0, R, NULL},
};
static const struct schema tell_answer = {"notification_request_answer answer", tell_answer_fields,
					  COUNT(tell_answer_fields)};

const struct message message_pull_fetch = {"query_pending_requests", MESSAGE_WE_CALL, MESSAGE_CITY, 0,
					   &fetch_request,           &fetch_answer};
const struct message message_pull_answer = {
    "notification_request_answer", MESSAGE_WE_CALL, MESSAGE_CITY, 1, &tell_request, &tell_answer};
