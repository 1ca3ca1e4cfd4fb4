/* Scrub: the last look at a text before it leaves the gateway for somebody's mailbox: every secret of the configuration and what looks
 * personal is overwritten with stars, whoever wrote it there. For this room only. */
#ifndef FC_CONTROL_SCRUB_H
#define FC_CONTROL_SCRUB_H

#include "base/buffer.h"
#include "config/config.h"

enum { SCRUB_SHORTEST = 4 }; /* a shorter secret is found in everything */

/* In place; the length stays. Identifiers of the configuration (stations, connectors) are nobody's. */
void scrub_text(char *text, size_t len, const struct config *config);
/* The configuration's file, read anew from path: secrets, and options that nobody knows, as ********; comments are left out. */
int scrub_config(const char *path, struct buffer *out);

#endif
