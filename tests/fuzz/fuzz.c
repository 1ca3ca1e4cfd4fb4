#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

_Noreturn void fuzz_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

int fuzz_shows(void)
{
	static int shows = -1;

	if (shows < 0)
		shows = getenv("FUZZ_SHOW") != NULL;
	return shows;
}

void fuzz_quiet(void)
{
	log_set_level(LOG_LEVEL_ERROR);
}

unsigned fuzz_byte(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

unsigned fuzz_word(struct fuzz_input *in)
{
	unsigned high = fuzz_byte(in);
	return high << 8 | fuzz_byte(in);
}

uint64_t fuzz_number(struct fuzz_input *in, int bytes)
{
	uint64_t number = 0;
	while (bytes-- > 0)
		number = number << 8 | fuzz_byte(in);
	return number;
}

unsigned fuzz_pick(struct fuzz_input *in, unsigned count)
{
	return fuzz_byte(in) % count;
}

const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t most, size_t *len)
{
	const uint8_t *bytes = in->data;
	*len = most < in->left ? most : in->left;
	in->data += *len;
	in->left -= *len;
	return bytes;
}

static char *copied(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);
	size_t used = 0;
	if (!text)
		abort();
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			text[used++] = (char)bytes[i];
	text[used] = 0;
	return text;
}

char *fuzz_line(struct fuzz_input *in)
{
	const uint8_t *end = in->left ? memchr(in->data, '\n', in->left) : NULL;
	size_t len = end ? (size_t)(end - in->data) : in->left;
	char *text = copied(in->data, len);
	in->data += end ? len + 1 : len;
	in->left -= end ? len + 1 : len;
	return text;
}

char *fuzz_text(struct fuzz_input *in)
{
	char *text = copied(in->data, in->left);
	in->data += in->left;
	in->left = 0;
	return text;
}
