/* door: addresses that somebody has opened for a while by logging in from there. The other farm's programs know neither cookies nor tokens, so that
 * at their listener an address is all there is. A worker's address opens downloads alone. */
#ifndef FG_FARM_DOOR_H
#define FG_FARM_DOOR_H

#include <stdint.h>

#include "farm/user.h"

enum fg_door { FG_DOOR_PERSON, FG_DOOR_WORKER };

/** Open it for this user; who comes last holds it. Those whose time is over go. */
enum fg_err fg_door_open(struct fg_db *db, enum fg_door kind, const char *address, int64_t user, int64_t until_ms, int64_t now_ms);
enum fg_err fg_door_close(struct fg_db *db, enum fg_door kind, const char *address);

/** Whose is it? FG_EAUTH: nobody's, or their account is disabled. */
enum fg_err fg_door_find(struct fg_user *out, struct fg_db *db, enum fg_door kind, const char *address, int64_t now_ms);

#endif
