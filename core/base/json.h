/* JSON writer: value tree to compact UTF-8 text.
 *
 * Ours because the protocol needs what no library here can give: numbers of a prescribed form (10.000), lists told from objects
 * when empty, integers told from floats. Bytes that are not UTF-8 are replaced by U+FFFD. The reader is tree.h. */
#ifndef FC_BASE_JSON_H
#define FC_BASE_JSON_H

#include "base/buffer.h"
#include "base/value.h"

/* Appends v. VALUE_EMPTY is written {}; a schema turns it into an array first where a list is due.
 * FC_OK, or FC_ELIMIT from the buffer. */
int json_write(struct buffer *out, const struct value *v);
/* The same with every character beyond ASCII as \uXXXX, for a reader that counts characters where it should count bytes. */
int json_write_ascii(struct buffer *out, const struct value *v);
/* Appends before (a brace or a comma), the key and its colon: for a writer that goes through an object itself. A failure stays in out. */
void json_write_key(struct buffer *out, char before, const char *key);
/* Appends a text as whoever reads it back from JSON has it: U+FFFD for bytes that are not UTF-8. As above. */
int json_text(struct buffer *out, const char *text, size_t len);

#endif
