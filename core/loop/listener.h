/* Listener: a listening TCP socket. For this room only. */
#ifndef FC_LOOP_LISTENER_H
#define FC_LOOP_LISTENER_H

/* The socket (non-blocking), or -1 and errno. address NULL: IPv6, which takes IPv4 too, or IPv4 where there is no IPv6.
 * port 0: any. *bound is the port it got. EINVAL: no address. EADDRNOTAVAIL: the box has no such address, unless *absent (may be NULL) can
 * take it: then it listens all the same, hears nothing until the address comes, and *absent is nonzero. */
int listener_open(const char *address, int port, int *bound, int *absent);

#endif
