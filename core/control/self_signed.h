/* Self-signed: the certificate that a new box makes for its own page, so that the first log-in already goes over TLS. Nobody vouches for
 * it: whoever opens the page compares the fingerprint that the box tells (forecourt status, the log) with the one that the browser shows.
 *
 * One file, self-signed.pem, holds key (P-256) and certificate, so that a power cut leaves both or none. It is made once and kept: a
 * fingerprint that changes teaches people not to look. So it is for the host name (also .lan and .local) and the addresses that the box
 * has when it is made, and is made anew only when the host name is another, or the file can't be used any more; not for another address.
 * It is good from 2024 (a box without a battery may believe that it is 1970 when it makes it; browsers know better) until the end of
 * 2049, so it does not run out in a box's life. A file of that name that was not made here is not touched. On the loop's thread. */
#ifndef FC_CONTROL_SELF_SIGNED_H
#define FC_CONTROL_SELF_SIGNED_H

#include "base/error.h"

enum {
	SELF_SIGNED_HOST = 64,      /* with its zero byte */
	SELF_SIGNED_ADDRESSES = 16, /* that go into a certificate */
	SELF_SIGNED_ADDRESS = 46,
	SELF_SIGNED_PATH = 256,
	SELF_SIGNED_FINGERPRINT = 96, /* "AB:CD:..." of SHA-256 */
};

/* What a box is called. */
struct self_signed_names {
	char host[SELF_SIGNED_HOST]; /* without domain; "forecourt" when it has no name that a certificate can hold */
	char addresses[SELF_SIGNED_ADDRESSES]
		      [SELF_SIGNED_ADDRESS]; /* but for those that only its own link knows; 127.0.0.1 and ::1 last */
	int address_count;
};
void self_signed_look(struct self_signed_names *names);

/* The file in the first of the folders (NULL behind the last) that has one of ours, for that host name; else it is made in the first
 * that lets us: *is_new. FC_OK and its path; FC_EIO, FC_ENOMEM: there is none. */
int self_signed_have(const char *const *folders, const struct self_signed_names *names, char path[SELF_SIGNED_PATH],
		     int *is_new, struct error *err);
/* Of the first certificate in a PEM file, whoever made it. FC_EIO, FC_EINVAL: there is none. */
int self_signed_fingerprint(const char *path, char text[SELF_SIGNED_FINGERPRINT], struct error *err);

#endif
