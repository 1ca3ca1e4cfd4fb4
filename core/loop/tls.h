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
/* A client's context, to be given to libwebsockets as it is. Its own would not do: those of two clients are one and the
 * same when neither has a certificate, so that each would trust the other's CA, and the system's CAs are always in them.
 * ca: PEM file of the only CAs to trust, NULL = the system's bundle; where none of them is valid now that is logged, and nobody is trusted.
 * certificate and key: PEM files, or both NULL.
 * NULL and *err: FC_EINVAL (a file does not hold what it should), FC_ENOMEM. Connections hold on to what they need: may be
 * freed at any time after libwebsockets has let go of the vhost. */
struct tls_client {
	const char *ca, *certificate, *key;
	int no_verify;
};
void *tls_client_new(const struct tls_client *client, struct error *err);
void tls_client_free(void *ctx);
/* Call before a client connection ends: libwebsockets closes the socket that wolfSSL names, and wolfSSL 5.5 names none for
 * what it did not open itself; each connection would leave its socket open. */
void tls_name_socket(void *ssl, int fd);
/* A server asks for a client certificate. A wrong one is always refused, none only when required. Instead of libwebsockets'
 * own option, whose callback takes every certificate for good and crashes on a wrong one. */
int tls_ask_peer(void *ctx, const char *ca, int required);
/* After the handshake, before any byte of the request: the chain was good and the certificate is for host (a name or an
 * address). Asked once of a session: it remembers that it passed. FC_OK, or FC_EAUTH with the reason; FC_ENOMEM. */
int tls_check_peer(void *ssl, const char *host, struct error *err);
/* Common name of the peer's certificate, "" when there is none. Always terminated. */
void tls_peer_name(void *ssl, char *out, size_t size);
/* Gives back what wolfSSL keeps of handshakes that are over: its cache of curve points, 0.8 MB for each of the last 15 keys that were seen
 * twice: the curve's own, a CA's, a platform's. */
void tls_trim(void);
/* Why the handshake failed, in words of our own where an operator can do something about it (the certificate's dates, its CA, its host, the
 * other side's alert), else wolfSSL's number: FC_EAUTH when it was the peer's certificate, FC_EIO when it was anything else of TLS, FC_OK
 * and nothing in *err when TLS knows of no failure. */
int tls_failure(void *ssl, const char *host, struct error *err);
/* Why a connection ended whose handshake had gone well: FC_EIO and the other side's words when it sent a fatal alert (in TLS 1.3 what it thinks
 * of our certificate comes so late), else FC_OK and nothing in *err. */
int tls_ended(void *ssl, const char *host, struct error *err);

#endif
