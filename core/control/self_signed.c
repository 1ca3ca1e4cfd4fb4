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

enum { DER_MAX = 2048, PEM_MAX = 6144, FILE_MAX = 64 << 10 };
enum { KEY_BYTES = 32, POINT_BYTES = 65, SERIAL_BYTES = 16, SIGNATURE_MAX = 80 };

static const char file_name[] = "self-signed.pem";
/* The first line of a file of ours, and the host name behind it. */
static const char mark[] = "# Made by forecourt for its page; for the host name ";
/* UTCTime: the last year that it can say is 2049 (RFC 5280 4.1.2.5.1). */
static const char not_before[] = "240101000000Z", not_after[] = "491231235959Z";

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

/* The certificate as DER (X.690), by hand: a wolfSSL's own maker of certificates knows names and dates only where it was built so
 * (WOLFSSL_ALT_NAMES). Written from the end to the beginning, so that each length is known when it is put before its content. ------------------------------------------- */

struct der {
	unsigned char bytes[DER_MAX];
	size_t at; /* it begins here, and ends with the array */
	int is_full;
};

static void put(struct der *d, const void *bytes, size_t len)
{
	if (len > d->at) {
		d->is_full = 1;
		return;
	}
	d->at -= len;
	memcpy(d->bytes + d->at, bytes, len);
}

/* Tag and length before all that was put since d->at was end. */
static void wrap(struct der *d, unsigned char tag, size_t end)
{
	size_t len = end - d->at;
	const unsigned char low = (unsigned char)(len & 0xFF), high = (unsigned char)(len >> 8), one = 0x81, two = 0x82;

	/* The shortest form: DER has no other. */
	put(d, &low, 1);
	if (high) {
		put(d, &high, 1);
		put(d, &two, 1);
	} else if (len > 127) {
		put(d, &one, 1);
	}
	put(d, &tag, 1);
}

static void put_wrapped(struct der *d, unsigned char tag, const void *bytes, size_t len)
{
	size_t end = d->at;

	put(d, bytes, len);
	wrap(d, tag, end);
}

enum {
	TAG_INTEGER = 0x02,
	TAG_BITS = 0x03,
	TAG_OCTETS = 0x04,
	TAG_UTF8 = 0x0C,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_TIME = 0x17
};
enum { TAG_DNS = 0x82, TAG_IP = 0x87, TAG_EXTENSIONS = 0xA3 };

/* With their tags and lengths: version 3; ecdsa-with-SHA256 as an algorithm (RFC 5758 3.2); id-ecPublicKey on prime256v1 (RFC 5480
 * 2.1.1); organizationName, commonName; subjectAltName; extKeyUsage of serverAuth as a whole. */
static const unsigned char version[] = {0xA0, 3, 2, 1, 2},
			   ecdsa[] = {0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2},
			   curve[] = {0x30, 0x13, 6,    7,    0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1,
				      6,    8,    0x2A, 0x86, 0x48, 0xCE, 0x3D, 3,    1,    7},
			   organization[] = {6, 3, 0x55, 4, 10}, common_name[] = {6, 3, 0x55, 4, 3},
			   alternatives[] = {6, 3, 0x55, 0x1D, 0x11},
			   server_use[] = {0x30, 0x13, 6,    3, 0x55, 0x1D, 0x25, 4, 12, 0x30, 10,
					   6,    8,    0x2B, 6, 1,    5,    5,    7, 3,  1};

static void put_address(struct der *d, const char *text)
{
	unsigned char binary[16];

	if (inet_pton(AF_INET, text, binary) == 1)
		put_wrapped(d, TAG_IP, binary, 4);
	else if (inet_pton(AF_INET6, text, binary) == 1)
		put_wrapped(d, TAG_IP, binary, 16);
}

/* RFC 5280 4.2.1.6 */
static void put_alternatives(struct der *d, const struct self_signed_names *names)
{
	static const char *const domains[] = {".local", ".lan", ""};
	char text[SELF_SIGNED_HOST + 8];
	size_t end = d->at;

	for (int i = names->address_count - 1; i >= 0; i--)
		put_address(d, names->addresses[i]);
	put_wrapped(d, TAG_DNS, "localhost", strlen("localhost"));
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		int n = snprintf(text, sizeof(text), "%s%s", names->host, domains[i]);

		put_wrapped(d, TAG_DNS, text, (size_t)n);
	}
	wrap(d, TAG_SEQUENCE, end);
	wrap(d, TAG_OCTETS, end);
	put(d, alternatives, sizeof(alternatives));
	wrap(d, TAG_SEQUENCE, end);
}

static void put_name_part(struct der *d, const unsigned char *type, size_t type_len, const char *text)
{
	size_t end = d->at;

	put_wrapped(d, TAG_UTF8, text, strlen(text));
	put(d, type, type_len);
	wrap(d, TAG_SEQUENCE, end);
	wrap(d, TAG_SET, end);
}

static void put_name(struct der *d, const char *host)
{
	size_t end = d->at;

	put_name_part(d, common_name, sizeof(common_name), host);
	put_name_part(d, organization, sizeof(organization), "Forecourt gateway");
	wrap(d, TAG_SEQUENCE, end);
}

/* TBSCertificate: RFC 5280 4.1. point: the public key, 4 X Y. */
static void put_body(struct der *d, const struct self_signed_names *names, const unsigned char *serial,
		     const unsigned char *point)
{
	static const unsigned char no_unused_bits = 0;
	size_t end = d->at, inner;

	put(d, server_use, sizeof(server_use));
	put_alternatives(d, names);
	wrap(d, TAG_SEQUENCE, end);
	wrap(d, TAG_EXTENSIONS, end);
	inner = d->at;
	put(d, point, POINT_BYTES);
	put(d, &no_unused_bits, 1);
	wrap(d, TAG_BITS, inner);
	put(d, curve, sizeof(curve));
	wrap(d, TAG_SEQUENCE, inner);
	put_name(d, names->host);
	inner = d->at;
	put_wrapped(d, TAG_TIME, not_after, sizeof(not_after) - 1);
	put_wrapped(d, TAG_TIME, not_before, sizeof(not_before) - 1);
	wrap(d, TAG_SEQUENCE, inner);
	put_name(d, names->host);
	put(d, ecdsa, sizeof(ecdsa));
	put_wrapped(d, TAG_INTEGER, serial, SERIAL_BYTES);
	put(d, version, sizeof(version));
	wrap(d, TAG_SEQUENCE, end);
}

static int make_body(struct der *d, const struct self_signed_names *names, ecc_key *key, WC_RNG *rng)
{
	unsigned char serial[SERIAL_BYTES], point[POINT_BYTES];
	word32 len = sizeof(point);

	if (wc_RNG_GenerateBlock(rng, serial, sizeof(serial)) || wc_ecc_export_x963(key, point, &len) ||
	    len != sizeof(point))
		return -1;
	/* Positive, and with no zero before it. */
	serial[0] = (unsigned char)((serial[0] & 0x7F) | 0x40);
	*d = (struct der){.at = DER_MAX};
	put_body(d, names, serial, point);
	return -d->is_full;
}

/* RFC 5280 4.1: the body, the algorithm, the signature. */
static int make_certificate(ecc_key *key, WC_RNG *rng, const struct self_signed_names *names, struct der *d)
{
	struct der body;
	unsigned char digest[WC_SHA256_DIGEST_SIZE], signature[SIGNATURE_MAX + 1] = {0};
	word32 len = SIGNATURE_MAX;
	size_t end;

	if (make_body(&body, names, key, rng) ||
	    wc_Sha256Hash(body.bytes + body.at, (word32)(DER_MAX - body.at), digest) ||
	    wc_ecc_sign_hash(digest, sizeof(digest), signature + 1, &len, rng, key))
		return -1;
	*d = (struct der){.at = DER_MAX};
	end = d->at;
	/* Behind a byte that says that no bits are unused. */
	put_wrapped(d, TAG_BITS, signature, len + 1);
	put(d, ecdsa, sizeof(ecdsa));
	put(d, body.bytes + body.at, DER_MAX - body.at);
	wrap(d, TAG_SEQUENCE, end);
	return -d->is_full;
}

/* PEM ------------------------------------------------------------------------------------------------------------------------- */

static int put_block(char pem[PEM_MAX], int at, const unsigned char *der, size_t len, int type)
{
	int n = wc_DerToPem(der, (word32)len, (unsigned char *)pem + at, (word32)(PEM_MAX - at), type);

	return n > 0 ? at + n : -1;
}

/* Mark, key, certificate: the length, or negative. The key first: what reads a chain would take what follows the certificate for more. */
static int put_pem(const struct self_signed_names *names, ecc_key *key, WC_RNG *rng, char pem[PEM_MAX])
{
	unsigned char secret[256];
	struct der d;
	int len = wc_EccKeyToDer(key, secret, sizeof(secret)), n = snprintf(pem, PEM_MAX, "%s%s\n", mark, names->host);

	n = len > 0 ? put_block(pem, n, secret, (size_t)len, ECC_PRIVATEKEY_TYPE) : -1;
	explicit_bzero(secret, sizeof(secret));
	if (n < 0 || make_certificate(key, rng, names, &d))
		return -1;
	return put_block(pem, n, d.bytes + d.at, DER_MAX - d.at, CERT_TYPE);
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
	return n > 0 ? n : error_set(err, FC_EIO, "wolfCrypt can't make a key, or sign with it");
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
