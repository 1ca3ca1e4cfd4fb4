/* Conformance form: holds a message against its schema to the letter. message_check is tolerant, so that a station goes on with what
 * the field sends; this says what it was tolerant of. */
#ifndef FC_UPSTREAM_CONFORMANCE_FORM_H
#define FC_UPSTREAM_CONFORMANCE_FORM_H

#include "upstream/message.h"

/* defect: against the standard; else a note: another reader may stumble over it. text: "StationInfo.StationLng: a text where a number is
 * due"; valid during the call. */
typedef void (*form_found)(void *user, int defect, const char *text);

/* tree: as it came, after the mapping, before message_check. At most FORM_FINDINGS are told. Returns how many defects there are. */
enum { FORM_FINDINGS = 16, FORM_ITEMS = 50 };
int form_judge(const struct schema *schema, const struct value *tree, form_found found, void *user);

#endif
