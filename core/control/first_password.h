/* First password: where the one-time password waits for who has the box: in a file beside the control socket, in a folder that lives in
 * memory, which only the daemon's user and root can read. It is in no log: a log is sent elsewhere. forecourt password reads it. */
#ifndef FC_CONTROL_FIRST_PASSWORD_H
#define FC_CONTROL_FIRST_PASSWORD_H

#include "base/error.h"

enum { FIRST_PASSWORD_PATH = 512 };

/* The file that belongs to a control socket; "" when that is "" or NULL. */
void first_password_path(const char *control_socket, char path[FIRST_PASSWORD_PATH]);
/* "USER PASSWORD" and a newline, 0600; what was there goes. FC_OK, FC_EIO. */
int first_password_put(const char *path, const char *user, const char *password, struct error *err);
/* Nothing is there any more; path may be "". */
void first_password_drop(const char *path);

#endif
