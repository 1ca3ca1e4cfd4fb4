/* Put file: a file replaced as a whole, in two steps, so that several can change together or not at all: made beside its place, and
 * put into it. After a power cut there is the old one or the new one. */
#ifndef FC_CONTROL_PUT_FILE_H
#define FC_CONTROL_PUT_FILE_H

#include "base/error.h"
#include "script/sources.h"

/* Makes path.rollback, on the disk, with the mode of what it is to replace. FC_EIO and *err "path: can't be written: why". */
int put_file_make(const char *path, const void *text, size_t len, struct error *err);
/* Puts it in place of path; the folder is on the disk then. FC_EIO: path is as it was. */
int put_file_place(const char *path, struct error *err);
/* Removes what was made and not put in place. */
void put_file_drop(const char *path);
/* SHA-256 of a Lua file as it stands there; "" when there is none, or none that could be loaded. */
void put_file_hash(const char *path, char hash[SOURCE_HASH]);

#endif
