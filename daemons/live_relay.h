/* live_relay: the public side of a relay: a farm at home has dialled in, and viewers who come here are its viewers. What they say is passed on,
 * what home answers is passed to them, piece by piece (live/relay.h). Nothing here knows sockets.
 *
 * What is held: of a viewer, at most FG_RELAY_WINDOW pieces that their socket hasn't taken, and 16 KiB that home's hasn't; FG_RELAY_SEATS viewers of
 * a home, FG_RELAYS homes. One thread. */
#ifndef FG_LIVE_RELAY_SIDE_H
#define FG_LIVE_RELAY_SIDE_H

#include "live/bucket.h"
#include "live/relay.h"
#include "live_hub.h"

enum { FG_RELAYS = 16 };

/** One of home's viewers. */
struct fg_seat {
	struct fg_relay *relay; /**< NULL: home is gone, let them go */
	uint32_t         number;
	void            *link; /**< of the viewer; NULL: has left, and home is to hear it */
	bool             told, over, within; /**< told: home knows of them; over: home sends them away; within: the last piece was not a message's last */
	struct fg_bucket bucket;
	struct fg_buf    wishes; /**< each with two bytes of length before it */
	int              passed; /**< pieces that home doesn't know to be passed on */
	int              npieces;
	struct fg_message *pieces[FG_RELAY_WINDOW];
	bool             last[FG_RELAY_WINDOW];
};

struct fg_relay {
	struct fg_relay *next;
	char             name[128]; /**< the account whose token it came with */
	int64_t          user;
	uint32_t         numbers;
	int              turn;
	void            *link;
	struct fg_seat  *seats[FG_RELAY_SEATS];
};

struct fg_relays {
	struct fg_relay *first;
	int              count;
	void (*kick)(void *link); /**< there is something to send, or to close */
};

/** A home comes; an older one of that name makes room. NULL: there are too many. */
struct fg_relay *fg_relay_open(struct fg_relays *relays, const char *name, int64_t user, void *link);
void             fg_relay_close(struct fg_relays *relays, struct fg_relay *relay); /**< its viewers are let go */
struct fg_relay *fg_relay_find(const struct fg_relays *relays, const char *name);
struct fg_relay *fg_relay_of(const struct fg_relays *relays, const void *link); /**< NULL also for one that a newer one has replaced */

/** A message from home. False: not what it may send, close. */
bool fg_relay_hear(struct fg_relays *relays, struct fg_relay *relay, const char *bytes, size_t len);

/** The next message to home; false none. */
bool fg_relay_next(struct fg_buf *out, struct fg_relay *relay);

/** A viewer comes. NULL: no seat is free. */
struct fg_seat *fg_seat_take(struct fg_relay *relay, int64_t rate, void *link);
void            fg_seat_leave(struct fg_relays *relays, struct fg_seat *seat);

/** They said something. False: too much of it, close. */
bool fg_seat_hear(struct fg_relays *relays, struct fg_seat *seat, const char *bytes, size_t len, int64_t rate);

/** The next piece to them, NULL nothing now. Release it. `first` and `last`: of a message. */
struct fg_message *fg_seat_next(struct fg_relays *relays, struct fg_seat *seat, bool *first, bool *last);

#endif
