#include <wolfssl/options.h>

#include "loop/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/usage.h"

static const char system_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

int tls_set_versions(void *ctx)
{
	return wolfSSL_CTX_SetMinVersion(ctx, WOLFSSL_TLSV1_2) == WOLFSSL_SUCCESS ? FC_OK : FC_EIO;
}

void tls_fix_vhost(void *ctx)
{
	wolfSSL_CTX_set_servername_callback(ctx, NULL);
}

static int load_ca(void *ctx, const char *ca, int verify)
{
	wolfSSL_CTX_set_verify(ctx, verify, NULL);
	return wolfSSL_CTX_load_verify_locations(ctx, ca, NULL) == WOLFSSL_SUCCESS ? FC_OK : FC_EINVAL;
}

/* A context that verifies takes no CA that is not valid now. That is one platform's trouble and no reason not to start, which would be
 * everybody's. Before the clock is set it says nothing: what such a CA signed is not valid by that clock either. After that nobody is
 * trusted by it. verify stays as given. */
static int trust(void *ctx, const char *ca, int verify)
{
	int result = FC_OK;

	if (load_ca(ctx, ca, clock_wall_trusted() ? verify : WOLFSSL_VERIFY_NONE)) {
		/* If it is its dates and nothing else. */
		result = load_ca(ctx, ca, WOLFSSL_VERIFY_NONE);
		if (wolfSSL_CTX_UnloadCAs(ctx) != WOLFSSL_SUCCESS)
			result = FC_EINVAL;
		if (!result)
			log_error("tls: %s: no CA certificate in it is valid now: nobody is trusted by it", ca);
	}
	wolfSSL_CTX_set_verify(ctx, verify, NULL);
	return result;
}

static int present(void *ctx, const char *certificate, const char *key)
{
	return wolfSSL_CTX_use_certificate_chain_file(ctx, certificate) == WOLFSSL_SUCCESS &&
		       wolfSSL_CTX_use_PrivateKey_file(ctx, key, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS &&
		       wolfSSL_CTX_check_private_key(ctx) == WOLFSSL_SUCCESS
		   ? FC_OK
		   : FC_EINVAL;
}

static int fill_client(void *ctx, const struct tls_client *client, struct error *err)
{
	const char *ca = client->ca ? client->ca : system_bundle;

	if (tls_set_versions(ctx))
		return error_set(err, FC_EIO, "tls: TLS 1.2 can't be had");
	/* libwebsockets repeats a write that could not go out from another buffer. */
	(void)wolfSSL_CTX_set_mode(ctx, WOLFSSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (client->no_verify)
		wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, NULL);
	else if (trust(ctx, ca, WOLFSSL_VERIFY_PEER))
		return error_set(err, FC_EINVAL, "tls: %s: no usable CA certificate in it", ca);
	if (client->certificate && present(ctx, client->certificate, client->key))
		return error_set(err, FC_EINVAL, "tls: certificate %s and key %s are not usable", client->certificate,
				 client->key);
	return FC_OK;
}

void *tls_client_new(const struct tls_client *client, struct error *err)
{
	WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfSSLv23_client_method());

	if (!ctx) {
		(void)error_set(err, FC_ENOMEM, "tls: no memory");
		return NULL;
	}
	if (fill_client(ctx, client, err)) {
		wolfSSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

void tls_client_free(void *ctx)
{
	if (ctx)
		wolfSSL_CTX_free(ctx);
}

void tls_name_socket(void *ssl, int fd)
{
	if (ssl && fd >= 0 && wolfSSL_get_fd(ssl) < 0)
		(void)wolfSSL_set_read_fd(ssl, fd);
}

int tls_ask_peer(void *ctx, const char *ca, int required)
{
	return ca ? trust(ctx, ca, WOLFSSL_VERIFY_PEER | (required ? WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0))
		  : FC_EINVAL;
}

/* In our own words what an operator can do something about: wolfSSL's own are not in every build of it. */
static const struct reason {
	int code;
	const char *text;
} reasons[] = {
    {ASN_BEFORE_DATE_E, "not valid yet by this clock"},
    {ASN_AFTER_DATE_E, "expired"},
    {ASN_NO_SIGNER_E, "signed by no CA that is trusted here"},
    {ASN_SELF_SIGNED_E, "signed by itself, and not trusted here"},
    {ASN_SIG_CONFIRM_E, "its signature is wrong"},
    {ASN_PATHLEN_INV_E, "signed by a CA that may not sign it"},
    {ASN_PATHLEN_SIZE_E, "signed by a CA that may not sign it"},
    {ASN_PARSE_E, "can't be read"},
    {DOMAIN_NAME_MISMATCH, "for another host"},
    {IPADDR_MISMATCH, "for another host"},
    {NO_PEER_CERT, "none was shown"},
    {CRL_CERT_REVOKED, "revoked"},
    {EXTKEYUSE_AUTH_E, "not made for this side of a connection"},
    {VERSION_ERROR, "no version of TLS in common (1.2 or 1.3)"},
    {MATCH_SUITE_ERROR, "no cipher in common"},
    {UNKNOWN_RECORD_TYPE, "what came is no TLS"},
    {LENGTH_ERROR, "what came is no TLS"},
    {VERIFY_SIGN_ERROR, "its key is not that of its certificate"},
    {SOCKET_PEER_CLOSED_E, "the other side closed the connection"},
    {SOCKET_ERROR_E, "the connection broke"},
};

/* What the other side said when it ended the handshake, by its alert (RFC 8446, 6.2). */
static const struct reason alerts[] = {
    {handshake_failure, "it found nothing in common"},
    {bad_certificate, "it refused our certificate"},
    {unsupported_certificate, "it can't use our kind of certificate"},
    {certificate_revoked, "our certificate is revoked"},
    {certificate_expired, "our certificate has expired, or is not valid yet"},
    {certificate_unknown, "it refused our certificate"},
    {unknown_ca, "it does not trust the CA of our certificate"},
    {wolfssl_alert_protocol_version, "no version of TLS in common (1.2 or 1.3)"},
    {unrecognized_name, "it serves no such name"},
    {certificate_required, "it asks for our certificate"},
};

static const char *lookup(const struct reason *rows, size_t count, int code)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].code == code)
			return rows[i].text;
	return NULL;
}

static void alert_text(int alert, char *out, size_t size)
{
	const char *known = lookup(alerts, sizeof(alerts) / sizeof(alerts[0]), alert);

	(void)snprintf(out, size, "ended by the other side: %s (alert %d)", known ? known : "for a reason of its own",
		       alert);
}

static void error_text(WOLFSSL *ssl, int code, char *out, size_t size)
{
	const char *known = lookup(reasons, sizeof(reasons) / sizeof(reasons[0]), code);
	WOLFSSL_ALERT_HISTORY history;

	if (known) {
		(void)snprintf(out, size, "%s", known);
	} else if (code == FATAL_ERROR && wolfSSL_get_alert_history(ssl, &history) == WOLFSSL_SUCCESS) {
		alert_text(history.last_rx.code, out, size);
	} else {
#ifdef NO_ERROR_STRINGS
		(void)snprintf(out, size, "wolfSSL's error %d", code);
#else
		char text[WOLFSSL_MAX_ERROR_SZ];

		wolfSSL_ERR_error_string_n((unsigned long)code, text, sizeof(text));
		(void)snprintf(out, size, "%s (wolfSSL's error %d)", text, code);
#endif
	}
}

static int is_about_certificate(int code)
{
	switch (code) {
	case ASN_NO_SIGNER_E:
	case ASN_SELF_SIGNED_E:
	case ASN_NAME_INVALID_E:
	case ASN_PATHLEN_SIZE_E:
	case ASN_PATHLEN_INV_E:
	case DOMAIN_NAME_MISMATCH:
	case IPADDR_MISMATCH:
	case VERIFY_CERT_ERROR:
	case NO_PEER_CERT:
	case CRL_CERT_REVOKED:
	case EXTKEYUSE_AUTH_E:
	case KEYUSE_SIGNATURE_E:
	case KEYUSE_ENCIPHER_E:
		return 1;
	default:
		return code <= ASN_PARSE_E && code >= ASN_NO_PEM_HEADER;
	}
}

int tls_failure(void *ssl, const char *host, struct error *err)
{
	char why[128];
	int code = ssl ? wolfSSL_get_error(ssl, 0) : 0;

	if (code >= 0)
		return FC_OK;
	error_text(ssl, code, why, sizeof(why));
	if (is_about_certificate(code))
		return error_set(err, FC_EAUTH, "tls: certificate of %s: %s", host, why);
	return error_set(err, FC_EIO, "tls: handshake with %s: %s", host, why);
}

int tls_ended(void *ssl, const char *host, struct error *err)
{
	WOLFSSL_ALERT_HISTORY history;
	char why[128], byte;

	if (!ssl)
		return FC_OK;
	/* It may have come, and nobody has read it: a write had failed first. */
	(void)wolfSSL_peek(ssl, &byte, 1);
	if (wolfSSL_get_alert_history(ssl, &history) != WOLFSSL_SUCCESS || history.last_rx.level != alert_fatal)
		return FC_OK;
	alert_text(history.last_rx.code, why, sizeof(why));
	return error_set(err, FC_EIO, "tls: connection to %s: %s", host, why);
}

void tls_trim(void)
{
#ifdef FP_ECC
	wc_ecc_fp_free();
#endif
}

static int is_address(const char *host)
{
	unsigned char binary[16];

	return inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1;
}

/* wolfSSL 5.5 crashes when it gets no memory for a part of a certificate that it reads. */
enum { CERTIFICATE_ROOM = 64 << 10 };

/* Where a session keeps that its peer was checked; -1: there is no such place. */
static int checked_place(void)
{
#ifdef HAVE_EX_DATA
	static int place = -1;

	if (place < 0)
		place = wolfSSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return place;
#else
	return -1;
#endif
}

int tls_check_peer(void *ssl, const char *host, struct error *err)
{
	static char checked;
	char name[128];

	if (!ssl)
		return error_set(err, FC_EAUTH, "tls: the connection is not encrypted");
	/* Its certificate stays the session's; and a request on it that failed here for want of memory would crash libwebsockets, which
	 * goes on with the connection that it has just closed. */
	if (checked_place() >= 0 && wolfSSL_get_ex_data(ssl, checked_place()) == &checked)
		return FC_OK;
	long verdict = wolfSSL_get_verify_result(ssl);
	if (verdict != X509_V_OK) {
		error_text(ssl, (int)verdict, name, sizeof(name));
		return error_set(err, FC_EAUTH, "tls: certificate of %s: %s", host, name);
	}
	if (!usage_has_room(CERTIFICATE_ROOM))
		return error_set(err, FC_ENOMEM, "tls: no memory for the certificate of %s", host);
	WOLFSSL_X509 *peer = wolfSSL_get_peer_certificate(ssl);
	if (!peer)
		return error_set(err, FC_EAUTH, "tls: %s showed no certificate", host);
	int match = is_address(host) ? wolfSSL_X509_check_ip_asc(peer, host, 0)
				     : wolfSSL_X509_check_host(peer, host, strlen(host), 0, NULL);
	wolfSSL_X509_free(peer);
	if (match != WOLFSSL_SUCCESS)
		return error_set(err, FC_EAUTH, "tls: the certificate is not for %s", host);
	if (checked_place() >= 0)
		(void)wolfSSL_set_ex_data(ssl, checked_place(), &checked);
	return FC_OK;
}

void tls_peer_name(void *ssl, char *out, size_t size)
{
	out[0] = '\0';
	WOLFSSL_X509 *peer = ssl && usage_has_room(CERTIFICATE_ROOM) ? wolfSSL_get_peer_certificate(ssl) : NULL;
	if (!peer)
		return;
	const char *name = wolfSSL_X509_get_subjectCN(peer);
	(void)snprintf(out, size, "%s", name ? name : "");
	wolfSSL_X509_free(peer);
}
