/* Packed: a long answer made small for who takes it so. A scrape of a large station is 50 kB of text, 5 kB packed: over a mobile line, four
 * times a minute, that is 30 MB a day instead of 300. Not for answers that hold something secret beside something that a stranger chooses. */
#ifndef FC_ADMIN_PACKED_H
#define FC_ADMIN_PACKED_H

#include "loop/http_server.h"

/* Nonzero when this Accept-Encoding (RFC 9110, 12.5.3) names gzip, and not with weight 0. */
int packed_taken(const char *accept_encoding);
/* Packs the body with gzip and sets the response's headers, if the request takes that and the body is long enough to be worth it; without
 * memory it stays as it is. */
void packed_answer(const struct http_request *request, struct http_response *response);

#endif
