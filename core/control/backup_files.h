/* Backup files: the certificates and keys that a configuration names. For this room only. */
#ifndef FC_CONTROL_BACKUP_FILES_H
#define FC_CONTROL_BACKUP_FILES_H

#include "base/value.h"
#include "config/config.h"

enum { BACKUP_PEM_MAX = 128 << 10 };

/* Calls for each of them, each once; "" is none. */
void backup_files_each(const struct config *config, void (*fn)(void *user, const char *path), void *user);
/* Those that can be read and are PEM, as [{"path","text"}]. */
struct value *backup_files_read(const struct config *config, struct arena *arena);
/* The PEM blocks (RFC 7468) of a text, and nothing that stands before, between or behind them: a backup from elsewhere could bring a script
 * with a certificate in it, and a configuration that names /etc/profile.d as its place. To be free()d; NULL: there is none, one is not
 * whole, or there is no memory. */
char *backup_files_pem(const char *text, size_t len, size_t *pem_len);
/* What a backup brings is written only where its configuration names it, only PEM, and only over PEM or nothing: a file of another
 * kind is none of ours. FC_OK, FC_EINVAL. */
int backup_files_check(const struct config *config, const struct value *files, struct error *err);
/* The whole file, if it is PEM of a sensible size: to be free()d; else NULL. */
char *backup_files_text(const char *path, size_t *len);

#endif
