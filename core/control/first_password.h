/* First password: where the one-time password waits for who has the box: in a file beside the control socket, in a folder that lives in
 * memory, which only the daemon's user and root can read. It is in no log: a log is sent elsewhere. forecourt password reads it. */
#ifndef FC_CONTROL_FIRST_PASSWORD_H
#define FC_CONTROL_FIRST_PASSWORD_H

#include "base/error.h"

enum { FIRST_PASSWORD_PATH = 512, FIRST_PASSWORD_WORD = 80 };

/* The file that belongs to a control socket; "" when that is "" or NULL. */
void first_password_path(const char *control_socket, char path[FIRST_PASSWORD_PATH]);
/* "USER PASSWORD" and a newline, 0600; what was there goes. FC_OK, FC_EIO. */
int first_password_put(const char *path, const char *user, const char *password, struct error *err);
/* Reads it back into words of user and password, each FIRST_PASSWORD_WORD. Root may ask in a folder that belongs to the daemon's user: what is
 * not a plain file of the folder's owner or the caller's, for nobody else, is not read (a link to where root alone may look, a pipe to wait for), nor shown
 * what is not two plain words. FC_OK; FC_ENOENT: there is none; FC_EIO: *err says why. */
int first_password_get(const char *path, char user[FIRST_PASSWORD_WORD], char password[FIRST_PASSWORD_WORD],
		       struct error *err);
/* Nothing is there any more; path may be "". */
void first_password_drop(const char *path);

#endif
