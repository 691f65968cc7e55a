/* live_dial: the home side of a relay: dials out to a public portal and serves that portal's viewers through the one connection (live/relay.h), as
 * if they had come here. TLS is verified; a connection that is lost, refused or silent is made again after 0.5, 1, 2 … 60 s, each time half as long
 * again or as short by chance, so that many homes don't come at once. Nothing listens. */
#ifndef FG_LIVE_DIAL_H
#define FG_LIVE_DIAL_H

#include "live_hub.h"

struct fg_dial;

/** @param url   wss://HOST[:PORT]/relay; ws:// to this host alone, for a token would go in the open
 * @param token_file  the portal's API token (scope relay); read again for each connection
 * @param ca_file     whom to trust besides the system's; NULL none */
enum fg_err fg_dial_open(struct fg_dial **out, struct fg_hub *hub, const char *url, const char *token_file, const char *ca_file);
void        fg_dial_close(struct fg_dial *dial); /**< NULL is none */
void        fg_dial_serve(struct fg_dial *dial, volatile const int *ending);
void        fg_dial_wake(struct fg_dial *dial); /**< end a wait from a signal handler */

#endif
