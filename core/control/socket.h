/* Socket: the commands on a UNIX stream socket, for the command line on the box itself. One JSON object a line in, one JSON line
 * out:
 *
 *   {"command":"orders","arguments":{"open":true}}
 *   {"ok":true,"result":{...}}
 *   {"ok":false,"code":"busy","error":"no car is plugged in"}
 *
 * Only root and the daemon's own user are heard. Everything is bounded: lines, answers, connections, and the time that a
 * connection may do nothing; an answer is made when the one before was taken. */
#ifndef FC_CONTROL_SOCKET_H
#define FC_CONTROL_SOCKET_H

#include "config/config.h"
#include "control/control.h"
#include "loop/loop.h"

enum {
	/* With its newline: a configuration or a backup as the text in an argument. */
	CONTROL_LINE_MAX = 2 << 20,
	CONTROL_CONNECTIONS_MAX = 8,
	CONTROL_IDLE_S = 60,
};

struct control_socket;

/* A path where no socket can be made is said in an error line and tried again every ten seconds: a station does not stop charging
 * for want of it. NULL only when there is no memory. control is borrowed. */
struct control_socket *control_socket_new(struct loop *loop, struct control *control, const struct config *config,
					  struct error *err);
void control_socket_free(struct control_socket *socket);
/* Takes another path over. On failure the socket stays where it is. */
int control_socket_apply(struct control_socket *socket, const struct config *config, struct error *err);

#endif
