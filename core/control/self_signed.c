#include <wolfssl/options.h>

#include "control/self_signed.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "base/disk.h"

enum { DER_MAX = 4096, PEM_MAX = 8192, FILE_MAX = 64 << 10, KEY_BYTES = 32, NAMES_MAX = 1024 };

static const char file_name[] = "self-signed.pem";
/* The first line of a file of ours, and the host name behind it. */
static const char mark[] = "# Made by forecourt for its page; for the host name ";
/* UTCTime (tag, length, text): the last year that it can say is 2049 (RFC 5280 4.1.2.5.1). */
static const char not_before[] = "\x17\x0d"
				 "240101000000Z",
		  not_after[] = "\x17\x0d"
				"491231235959Z";

/* Names ----------------------------------------------------------------------------------------------------------------- */

static int is_host(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return 0;
	return *text && *text != '-';
}

static void add_address(struct self_signed_names *names, const char *text)
{
	for (int i = 0; i < names->address_count; i++)
		if (!strcmp(names->addresses[i], text))
			return;
	if (names->address_count < SELF_SIGNED_ADDRESSES)
		(void)snprintf(names->addresses[names->address_count++], SELF_SIGNED_ADDRESS, "%.45s", text);
}

static void look_at_interface(struct self_signed_names *names, const struct ifaddrs *i)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK || !(i->ifa_flags & IFF_UP) ||
	    names->address_count >= SELF_SIGNED_ADDRESSES - 2)
		return;
	if (i->ifa_addr->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, i->ifa_addr, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
	} else if (i->ifa_addr->sa_family == AF_INET6) {
		struct sockaddr_in6 in;

		memcpy(&in, i->ifa_addr, sizeof(in));
		if (!IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr))
			(void)inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof(text));
	}
	if (*text)
		add_address(names, text);
}

void self_signed_look(struct self_signed_names *names)
{
	struct ifaddrs *list = NULL;
	char host[256] = "";

	*names = (struct self_signed_names){0};
	if (gethostname(host, sizeof(host) - 1))
		host[0] = '\0';
	host[strcspn(host, ".")] = '\0';
	/* A label has 63 characters at most. */
	(void)snprintf(names->host, sizeof(names->host), "%.63s",
		       is_host(host) && strlen(host) < SELF_SIGNED_HOST ? host : "forecourt");
	if (!getifaddrs(&list)) {
		for (const struct ifaddrs *i = list; i; i = i->ifa_next)
			look_at_interface(names, i);
		freeifaddrs(list);
	}
	add_address(names, "127.0.0.1");
	add_address(names, "::1");
}

/* GeneralNames (RFC 5280 4.2.1.6): dNSName [2], iPAddress [7]. */
struct names_der {
	unsigned char bytes[NAMES_MAX];
	size_t len;
};

static void put_name(struct names_der *d, unsigned char tag, const void *value, size_t len)
{
	if (len > 127 || d->len + len + 2 > sizeof(d->bytes))
		return;
	d->bytes[d->len++] = tag;
	d->bytes[d->len++] = (unsigned char)len;
	memcpy(d->bytes + d->len, value, len);
	d->len += len;
}

static void put_address(struct names_der *d, const char *text)
{
	unsigned char binary[16];

	if (inet_pton(AF_INET, text, binary) == 1)
		put_name(d, 0x87, binary, 4);
	else if (inet_pton(AF_INET6, text, binary) == 1)
		put_name(d, 0x87, binary, 16);
}

static void put_names(struct names_der *d, const struct self_signed_names *names)
{
	static const char *const domains[] = {"", ".lan", ".local"};
	char text[SELF_SIGNED_HOST + 8];

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		int n = snprintf(text, sizeof(text), "%s%s", names->host, domains[i]);

		put_name(d, 0x82, text, (size_t)n);
	}
	put_name(d, 0x82, "localhost", strlen("localhost"));
	for (int i = 0; i < names->address_count; i++)
		put_address(d, names->addresses[i]);
}

/* Making ---------------------------------------------------------------------------------------------------------------- */

/* The names as a SEQUENCE into cert. */
static int take_names(Cert *cert, const struct self_signed_names *names)
{
	struct names_der d = {.len = 0};
	size_t n = 0;

	put_names(&d, names);
	if (d.len + 4 > sizeof(cert->altNames))
		return -1;
	cert->altNames[n++] = 0x30;
	if (d.len > 255) {
		cert->altNames[n++] = 0x82;
		cert->altNames[n++] = (unsigned char)(d.len >> 8);
	} else if (d.len > 127) {
		cert->altNames[n++] = 0x81;
	}
	cert->altNames[n++] = (unsigned char)(d.len & 0xFF);
	memcpy(cert->altNames + n, d.bytes, d.len);
	cert->altNamesSz = (int)(n + d.len);
	return 0;
}

/* Length of the certificate in DER, or negative. */
static int make_certificate(ecc_key *key, WC_RNG *rng, const struct self_signed_names *names,
			    unsigned char der[DER_MAX])
{
	Cert *cert = calloc(1, sizeof(*cert));
	int n = -1;

	if (!cert || wc_InitCert(cert))
		goto out;
	(void)snprintf(cert->subject.commonName, sizeof(cert->subject.commonName), "%s", names->host);
	(void)snprintf(cert->subject.org, sizeof(cert->subject.org), "Forecourt gateway");
	cert->sigType = CTC_SHA256wECDSA;
	cert->isCA = 0;
	memcpy(cert->beforeDate, not_before, sizeof(not_before) - 1);
	cert->beforeDateSz = sizeof(not_before) - 1;
	memcpy(cert->afterDate, not_after, sizeof(not_after) - 1);
	cert->afterDateSz = sizeof(not_after) - 1;
	if (take_names(cert, names) || wc_MakeCert(cert, der, DER_MAX, NULL, key, rng) < 0)
		goto out;
	n = wc_SignCert(cert->bodySz, cert->sigType, der, DER_MAX, NULL, key, rng);
out:
	free(cert);
	return n;
}

/* Mark, key, certificate: the length, or negative. The key first: what reads a chain would take what follows the certificate for more. */
static int put_pem(const struct self_signed_names *names, ecc_key *key, WC_RNG *rng, char pem[PEM_MAX])
{
	unsigned char der[DER_MAX];
	int n = snprintf(pem, PEM_MAX, "%s%s\n", mark, names->host), len = wc_EccKeyToDer(key, der, sizeof(der)), more;

	more = len > 0
		   ? wc_DerToPem(der, (word32)len, (unsigned char *)pem + n, (word32)(PEM_MAX - n), ECC_PRIVATEKEY_TYPE)
		   : -1;
	explicit_bzero(der, sizeof(der));
	if (more <= 0)
		return -1;
	n += more;
	len = make_certificate(key, rng, names, der);
	more = len > 0 ? wc_DerToPem(der, (word32)len, (unsigned char *)pem + n, (word32)(PEM_MAX - n), CERT_TYPE) : -1;
	return more > 0 ? n + more : -1;
}

static int make_pem(const struct self_signed_names *names, char pem[PEM_MAX], struct error *err)
{
	ecc_key key;
	WC_RNG rng;
	int n = -1;

	if (wc_InitRng(&rng))
		return error_set(err, FC_EIO, "no randomness for a key");
	if (!wc_ecc_init(&key)) {
		/* Blinds the signature where wolfCrypt was built so. */
#ifdef ECC_TIMING_RESISTANT
		(void)wc_ecc_set_rng(&key, &rng);
#endif
		if (!wc_ecc_make_key_ex(&rng, KEY_BYTES, &key, ECC_SECP256R1))
			n = put_pem(names, &key, &rng, pem);
		wc_ecc_free(&key);
	}
	wc_FreeRng(&rng);
	return n > 0 ? n : error_set(err, FC_EIO, "wolfCrypt can't make a certificate");
}

/* Files ----------------------------------------------------------------------------------------------------------------- */

/* All of a file, with a zero byte behind; free() it. NULL: errno. */
static char *slurp(const char *path, size_t *len)
{
	FILE *in = fopen(path, "rb");
	char *text = in ? malloc(FILE_MAX + 1) : NULL;

	*len = text ? fread(text, 1, FILE_MAX, in) : 0;
	if (text)
		text[*len] = '\0';
	if (in)
		(void)fclose(in);
	return text;
}

/* Key and certificate are there, and belong together. */
static int is_usable(const char *path)
{
	WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfSSLv23_server_method());
	int good = ctx && wolfSSL_CTX_use_certificate_chain_file(ctx, path) == WOLFSSL_SUCCESS &&
		   wolfSSL_CTX_use_PrivateKey_file(ctx, path, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS &&
		   wolfSSL_CTX_check_private_key(ctx) == WOLFSSL_SUCCESS;

	if (ctx)
		wolfSSL_CTX_free(ctx);
	return good;
}

enum found { FOUND_NONE, FOUND_GOOD, FOUND_OLD, FOUND_FOREIGN };

static enum found look_at_file(const char *path, const char *host)
{
	char line[sizeof(mark) + SELF_SIGNED_HOST + 2];
	size_t len;
	char *text = slurp(path, &len);
	enum found found = FOUND_FOREIGN;

	if (!text)
		return access(path, F_OK) && errno == ENOENT ? FOUND_NONE : FOUND_FOREIGN;
	(void)snprintf(line, sizeof(line), "%s%s\n", mark, host);
	if (!strncmp(text, line, strlen(line)))
		found = is_usable(path) ? FOUND_GOOD : FOUND_OLD;
	else if (!strncmp(text, mark, sizeof(mark) - 1))
		found = FOUND_OLD;
	explicit_bzero(text, len);
	free(text);
	return found;
}

static int put_in_place(const char *path, const char *pem, size_t len)
{
	char next[SELF_SIGNED_PATH + 8];

	(void)snprintf(next, sizeof(next), "%s.next", path);
	(void)unlink(next);
	int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	int failed = disk_write(fd, pem, len), why = errno;
	if (close(fd) && !failed) {
		failed = -1;
		why = errno;
	}
	if (!failed && !rename(next, path)) {
		(void)disk_sync_folder(path);
		return 0;
	}
	errno = failed ? why : errno;
	why = errno;
	(void)unlink(next);
	errno = why;
	return -1;
}

static int path_in(const char *folder, char path[SELF_SIGNED_PATH])
{
	return (size_t)snprintf(path, SELF_SIGNED_PATH, "%s/%s", folder, file_name) < SELF_SIGNED_PATH ? 0 : -1;
}

static int make_in(const char *const *folders, const struct self_signed_names *names, char path[SELF_SIGNED_PATH],
		   struct error *err)
{
	char pem[PEM_MAX];
	int n = make_pem(names, pem, err), result = FC_EIO;

	if (n < 0)
		return n;
	(void)error_set(err, FC_EIO, "no folder for it");
	for (; *folders && result; folders++) {
		if (path_in(*folders, path) || look_at_file(path, names->host) == FOUND_FOREIGN)
			continue;
		result = put_in_place(path, pem, (size_t)n) ? error_set(err, FC_EIO, "%s: %s", path, strerror(errno))
							    : FC_OK;
	}
	explicit_bzero(pem, sizeof(pem));
	return result;
}

int self_signed_have(const char *const *folders, const struct self_signed_names *names, char path[SELF_SIGNED_PATH],
		     int *is_new, struct error *err)
{
	struct error why = {0};

	*is_new = 0;
	for (const char *const *folder = folders; *folder; folder++)
		if (!path_in(*folder, path) && look_at_file(path, names->host) == FOUND_GOOD)
			return FC_OK;
	int result = make_in(folders, names, path, &why);
	if (result)
		return error_set(err, result, "control: the page's own certificate can't be made: %s", why.text);
	*is_new = 1;
	return FC_OK;
}

int self_signed_fingerprint(const char *path, char text[SELF_SIGNED_FINGERPRINT], struct error *err)
{
	unsigned char *der = malloc(FILE_MAX), digest[WC_SHA256_DIGEST_SIZE];
	size_t len;
	char *pem = slurp(path, &len);
	int n = pem && der ? wc_CertPemToDer((unsigned char *)pem, (int)len, der, FILE_MAX, CERT_TYPE) : -1;

	text[0] = '\0';
	if (n > 0 && !wc_Sha256Hash(der, (word32)n, digest))
		for (size_t i = 0; i < sizeof(digest); i++)
			(void)sprintf(text + 3 * i, i + 1 < sizeof(digest) ? "%02X:" : "%02X", digest[i]);
	if (pem)
		explicit_bzero(pem, len);
	free(pem);
	free(der);
	return *text ? FC_OK : error_set(err, FC_EINVAL, "%s: no certificate in it", path);
}
