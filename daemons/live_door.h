/* live_door: connections behind the web server, by libwebsockets on run/live.sock: upgrades are checked before they are made, frames are bounded,
 * what the hub has for a viewer goes out when its socket takes it. At /relay a farm at home may come, whose viewers are served at /relay/NAME. */
#ifndef FG_LIVE_DOOR_H
#define FG_LIVE_DOOR_H

#include "live_hub.h"

struct fg_door;

/** Listen on run/live.sock. */
enum fg_err fg_door_open(struct fg_door **out, struct fg_hub *hub);
void        fg_door_close(struct fg_door *door);

/** Serve until *ending is set or the hub is to begin anew: the hub's rounds, and whatever comes. */
void fg_door_serve(struct fg_door *door, volatile const int *ending);

/** End a wait from a signal handler. */
void fg_door_wake(struct fg_door *door);

/** What is done every few milliseconds, whoever serves the hub's viewers. */
void fg_door_turn(struct fg_hub *hub);

/** libwebsockets' own words, into our log. */
void fg_door_log(int level, const char *line);

#endif
