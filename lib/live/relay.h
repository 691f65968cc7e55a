/* relay: what a farm at home and the public portal say to each other over one WebSocket, for any number of viewers: binary messages of a kind
 * (a letter), a viewer's number (four bytes, the highest first) and what belongs to it.
 *
 *   portal to home   o VIEWER         somebody has come
 *                    m VIEWER wish    they said this (at most FG_WISH_MAX bytes)
 *                    n VIEWER         one piece more may come: one was passed on
 *                    c VIEWER         they have left
 *   home to portal   + VIEWER piece   a part of a message to them (at most FG_RELAY_PIECE bytes), more follows
 *                    m VIEWER piece   the same, its last part
 *                    c VIEWER         they are to leave: they say too much, or there are too many
 *
 * Home sends at most FG_RELAY_WINDOW pieces for a viewer before the portal has passed one on: neither side ever holds more than that for anybody.
 * A number is given once as long as the connection lasts; what comes for one that is gone is dropped.
 * Protocol: doc/protocol.md#relay    Test: tests/unit/live.c, tests/fuzz/relay.c, tests/integration/relay.py */
#ifndef FG_LIVE_RELAY_H
#define FG_LIVE_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FG_RELAY_HEAD = 5, FG_RELAY_PIECE = 32768, FG_RELAY_WINDOW = 4, FG_RELAY_SEATS = 256 }; /**< SEATS: viewers of one home */

enum fg_relay_kind { FG_RELAY_OPEN = 'o', FG_RELAY_SAY = 'm', FG_RELAY_NEXT = 'n', FG_RELAY_CLOSE = 'c', FG_RELAY_PART = '+', FG_RELAY_LAST = 'm' };

struct fg_relay_frame {
	char        kind;
	uint32_t    viewer;
	const char *bytes; /**< in what was read */
	size_t      len;
};

/** Read what the portal (home: what home) sent. False: it isn't anything that they may send. */
bool fg_relay_read(struct fg_relay_frame *out, const char *bytes, size_t len, bool home);

/** The first FG_RELAY_HEAD bytes of a message. */
void fg_relay_head(unsigned char out[FG_RELAY_HEAD], enum fg_relay_kind kind, uint32_t viewer);

/** Among those whom a public portal's setting relay_viewers lets look at what somebody relays: `users`, `public`, or names. */
bool fg_relay_names(const char *words, const char *name);

#endif
