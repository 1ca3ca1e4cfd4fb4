/* Backup of accounts: the page's accounts with the hashes of their passwords, sealed like every secret of a backup (backup.h). Tokens are not
 * in it: a program gets a new one. What a restore brings is added or replaces its namesake; accounts that the backup does not know stay. */
#ifndef FC_CONTROL_BACKUP_ACCOUNTS_H
#define FC_CONTROL_BACKUP_ACCOUNTS_H

#include "control/backup.h"
#include "control/guard.h"

/* The part for control_backup_add; the guard is borrowed. */
struct control_part backup_accounts(struct guard *guard);

#endif
