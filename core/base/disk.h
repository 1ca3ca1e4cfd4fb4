/* Disk: bytes and names that a power cut must not take back. errno says why one fails. */
#ifndef FC_BASE_DISK_H
#define FC_BASE_DISK_H

#include <stddef.h>

/* All of it, and on the disk when it returns. 0, -1. */
int disk_write(int fd, const void *data, size_t len);
/* What another wrote into a file is on the disk when it returns. 0, -1. */
int disk_sync_file(const char *path);
/* What was made, renamed or removed in the folder that holds path is on the disk when it returns. 0; -1 also for a path that is too
 * long. */
int disk_sync_folder(const char *path);
/* This process alone has the folder to itself until it closes what comes back, or ends; of those who ask so. -1 and errno: EWOULDBLOCK,
 * another one has it; else it can't be opened or locked at all. Nothing is written. */
int disk_lock_folder(const char *folder);

#endif
