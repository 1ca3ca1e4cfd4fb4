/* The platform simulator's own envelope: AES-128-CBC, HMAC-MD5 and Base64 by OpenSSL, JSON by jansson: other libraries than
 * the daemon's, so that the two sides can't share a mistake. reference/protocol.md, sections 1.3 to 1.6. */
#ifndef FC_SIM_PLATFORM_WIRE_H
#define FC_SIM_PLATFORM_WIRE_H

#include <jansson.h>

struct wire_keys {
	char operator_secret[130], data_secret[17], iv[17], sig_secret[65];
};

/* "OPSECRET:DATASECRET:IV:SIG"; 0, or -1. */
int wire_parse_keys(const char *text, struct wire_keys *keys);
/* A request envelope as text (free it), or NULL. */
char *wire_request(const struct wire_keys *keys, const char *operator_id, const json_t *payload);
/* A response envelope as text (free it); payload NULL = empty Data. */
char *wire_response(const struct wire_keys *keys, int ret, const char *msg, const json_t *payload);
/* Opens a request: the payload (own it), or NULL with the Ret to answer in *ret. */
json_t *wire_open_request(const struct wire_keys *keys, const char *body, int *ret);
/* Opens a response and checks its signature: the payload (own it; JSON null when Data is empty), or NULL. */
json_t *wire_open_response(const struct wire_keys *keys, const char *body, int *ret);

#endif
