#include "control/tar.h"

#include <stdio.h>
#include <string.h>

/* POSIX.1-1988, ustar: fields of fixed width, numbers in octal digits. */
enum { BLOCK = 512 };
struct head {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
	    user[32], group[32], major[8], minor[8], prefix[155], fill[12];
};
_Static_assert(sizeof(struct head) == BLOCK, "a header is one block");

/* Eleven digits hold 8 GB, and the year 2242. */
static void put_octal(char *out, size_t size, uint64_t n)
{
	out[--size] = '\0';
	while (size--) {
		out[size] = (char)('0' + (n & 7));
		n >>= 3;
	}
}

void tar_add(struct buffer *out, const char *name, int64_t mtime, const void *data, size_t len)
{
	static const char zeros[BLOCK];
	struct head h;
	unsigned sum = 0;

	memset(&h, 0, sizeof(h));
	(void)snprintf(h.name, sizeof(h.name), "%s", name);
	(void)snprintf(h.mode, sizeof(h.mode), "%07o", 0600);
	(void)snprintf(h.uid, sizeof(h.uid), "%07o", 0);
	(void)snprintf(h.gid, sizeof(h.gid), "%07o", 0);
	put_octal(h.size, sizeof(h.size), (uint64_t)len);
	put_octal(h.mtime, sizeof(h.mtime), mtime > 0 ? (uint64_t)mtime : 0);
	h.type = '0';
	memcpy(h.magic, "ustar", sizeof(h.magic));
	memcpy(h.version, "00", sizeof(h.version));
	/* It is summed with blanks in its place. */
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	(void)snprintf(h.sum, sizeof(h.sum), "%06o", sum & 0777777);
	(void)buffer_add(out, &h, sizeof(h));
	(void)buffer_add(out, data, len);
	(void)buffer_add(out, zeros, (BLOCK - len % BLOCK) % BLOCK);
}

void tar_end(struct buffer *out)
{
	static const char zeros[2 * BLOCK];

	(void)buffer_add(out, zeros, sizeof(zeros));
}
