/* TLS: what libwebsockets with wolfSSL leaves undone (DESIGN.md, "A trap that was measured"). For this room only.
 * ctx and ssl are wolfSSL's, as libwebsockets hands them out. */
#ifndef FC_LOOP_TLS_H
#define FC_LOOP_TLS_H

#include <stddef.h>

#include "base/error.h"

/* TLS 1.2 and 1.3 only. */
int tls_set_versions(void *ctx);
/* The server's context serves every server name: none hands the handshake to another context. */
void tls_fix_vhost(void *ctx);
/* The other side must show a certificate that chains to ca (a PEM file; NULL = the system's bundle). */
int tls_require_peer(void *ctx, const char *ca, struct error *err);
/* Makes certificates of ca acceptable; whether one is asked for is the caller's (libwebsockets') setting. */
int tls_trust(void *ctx, const char *ca);
/* After the handshake, before any byte of the request: the chain was good and the certificate is for host (a name or an
 * address). FC_OK, or FC_EAUTH with the reason. */
int tls_check_peer(void *ssl, const char *host, struct error *err);
/* Common name of the peer's certificate, "" when there is none. Always terminated. */
void tls_peer_name(void *ssl, char *out, size_t size);
/* The reason of the last failed handshake in words, for a wolfSSL error code. */
void tls_error_text(int code, char *out, size_t size);

#endif
