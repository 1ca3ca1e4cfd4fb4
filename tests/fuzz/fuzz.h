/* What the targets share. A target is one LLVMFuzzerTestOneInput: it frees all it takes, keeps nothing between inputs that changes
 * what the next one does, reads no clock, no environment and no network, and says what must hold by fuzz_check. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry; returns 0, or -1 for an input that is of no use (it is then not kept). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, whatever the input is: says what and where, and aborts, which is a finding. */
#define fuzz_check(what) ((what) ? (void)0 : fuzz_failed(#what, __FILE__, __LINE__))
_Noreturn void fuzz_failed(const char *what, const char *file, int line);

/* Nonzero when FUZZ_SHOW is in the environment: a target then says what came of each step of its input. */
int fuzz_shows(void);

/* Log lines of warning and below are not written: a target calls it at its first input. (The code that makes them still runs where it
 * looks at no level.) */
void fuzz_quiet(void);

/* Reads an input from its front, for targets whose input is more than one text. Behind the end all is zero and empty. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};
unsigned fuzz_byte(struct fuzz_input *in);
unsigned fuzz_word(struct fuzz_input *in); /* two bytes, the high one first */
uint64_t fuzz_number(struct fuzz_input *in, int bytes);
/* 0..count-1 by one byte. */
unsigned fuzz_pick(struct fuzz_input *in, unsigned count);
/* Up to `most` bytes; *len says how many. Points into the input: a text that must end with a zero byte is fuzz_text's. */
const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t most, size_t *len);
/* Up to a line feed (which is taken away) or the end, without zero bytes; to be freed. */
char *fuzz_line(struct fuzz_input *in);
/* All that is left, without zero bytes; to be freed. */
char *fuzz_text(struct fuzz_input *in);

#endif
