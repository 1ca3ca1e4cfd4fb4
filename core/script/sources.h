/* Sources: what a loaded script was made of: its file and the modules of lib/ that it required, each with its text and the text's
 * SHA-256. They make its version: a changed module is a new version of all that use it. */
#ifndef FC_SCRIPT_SOURCES_H
#define FC_SCRIPT_SOURCES_H

#include <stddef.h>

enum {
	SOURCE_ITEM = 80,
	SOURCE_HASH = 65,            /* 64 hex characters */
	SOURCES_MAX = 64,            /* the file and its modules */
	SOURCES_BYTES_MAX = 1 << 20, /* of all texts */
};

struct script_source {
	const char *item; /* "operators/x", "lib/y": folder and name */
	const char *hash;
	const char *text; /* NULL once it was forgotten */
	size_t len;
};

struct sources;

/* NULL when there is no memory. */
struct sources *sources_new(void);
void sources_free(struct sources *sources);
/* The file itself comes first, its modules in any order; one that is there already is passed over. sources may be NULL: nobody
 * remembers. FC_OK; FC_ENOMEM, FC_ELIMIT, which sources_failed also tells. */
int sources_add(struct sources *sources, const char *item, const char *text, size_t len);
int sources_failed(const struct sources *sources);
/* What is required from now on belongs to it no more: a version must not change while it is in force. */
void sources_close(struct sources *sources);
/* The hash of the file when it requires nothing, else one over the names and hashes of all. "" while there is no file. */
const char *sources_hash(const struct sources *sources);
/* The file is the first; the modules follow by name. NULL past the end. */
int sources_count(const struct sources *sources);
const struct script_source *sources_at(const struct sources *sources, int index);
/* Drops the texts; names and hashes stay. */
void sources_forget(struct sources *sources);

/* As sandbox_load_file wants it: adds what is read as item. */
struct source_reading {
	struct sources *sources;
	const char *item;
};
void sources_read(void *reading, const char *text, size_t len);
/* "operators/x" of "/any/where/operators/x.lua". */
void sources_item_of(const char *path, char item[SOURCE_ITEM]);
/* SHA-256 of a text as hex; "" when that can't be done. */
void sources_digest(const void *text, size_t len, char hash[SOURCE_HASH]);

#endif
