/* Listener: a listening TCP socket. For this room only. */
#ifndef FC_LOOP_LISTENER_H
#define FC_LOOP_LISTENER_H

/* The socket (non-blocking), or -1 and errno. address NULL: IPv6, which takes IPv4 too, or IPv4 where there is no IPv6.
 * port 0: any. *bound is the port it got. */
int listener_open(const char *address, int port, int *bound);

#endif
