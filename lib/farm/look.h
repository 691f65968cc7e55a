/* look: reading what somebody uploaded may inflate 64 GiB and take minutes, in a program that serves one request at a time. So a user may have two uploads looked at at once, and
 * all of them together three: the pools' other programs (nginx/endpoints.list) stay free for everybody else. Locks of the file state/looks.lock, gone with whoever held them. */
#ifndef FG_FARM_LOOK_H
#define FG_FARM_LOOK_H

#include "farm/farm.h"

enum { FG_LOOKS_USER = 2, FG_LOOKS_ALL = 3 };

/** Take a place; fg_look_end gives it back. A user who has both already is refused at once, others wait three seconds.
 * @return FG_OK, FG_EMANY with a text for the person, FG_EIO */
enum fg_err fg_look_begin(int *look, const struct fg_farm *farm, int64_t user);
void        fg_look_end(int look); /**< -1 is nothing */

/** A body that comes as slowly as its sender likes holds one of a pool's programs (nginx/endpoints.list, streamed). So a user may send to half of a pool at once,
 * and all of them together to all but one: who is one too many is refused at once. Locks of the file state/NAME.lock.
 * @param pool  how many programs there are */
enum fg_err fg_stream_begin(int *stream, const struct fg_farm *farm, const char *name, int64_t user, int pool);

#endif
