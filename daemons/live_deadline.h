/* live_deadline: another farm's jobs beside ours: one poll of a Deadline Web Service for all viewers, and only while there are any. A thread asks, so
 * that a slow service keeps nobody waiting; another one makes pictures. The hub's thread takes what they brought.
 *
 * Lists: active every 3 s, the others every 60 s, at once when an active job has ended. A page that somebody looks at: every second. Failures wait
 * longer and longer, up to a minute, and a line in the list of active jobs says that the service can't be reached. Read-only: nothing but GET. */
#ifndef FG_LIVE_DEADLINE_SOURCE_H
#define FG_LIVE_DEADLINE_SOURCE_H

#include "live_hub.h"

struct fg_deadline;

/** Begin asking `url` ("http://host:8082"). */
enum fg_err fg_deadline_start(struct fg_deadline **out, struct fg_hub *hub, const char *url);
void        fg_deadline_stop(struct fg_deadline *deadline); /**< NULL is none */

/** In the hub's thread: take over what was brought, and say what is wanted next. */
void fg_deadline_round(struct fg_deadline *deadline);

/** A viewer wants a picture; the answer comes by fg_viewer_answer. False: too many are waiting. */
bool fg_deadline_want(struct fg_deadline *deadline, uint64_t viewer, const struct fg_wish *wish);

#endif
