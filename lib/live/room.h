/* room: one job as its page shows it: a block of texts and a line for each frame, shared by all who look at it. Filled by whoever knows the job;
 * it keeps the difference to what was there before. */
#ifndef FG_LIVE_ROOM_H
#define FG_LIVE_ROOM_H

#include "farm/project.h"
#include "live/wish.h"

enum fg_room_field { FG_ROOM_NAME, FG_ROOM_USER, FG_ROOM_SUBMITTED, FG_ROOM_COMPLETED, FG_ROOM_FAILED, FG_ROOM_PENDING, FG_ROOM_QUEUED, FG_ROOM_RENDERING,
	FG_ROOM_SUSPENDED, FG_ROOM_ERRORS, FG_ROOM_LEFT, FG_ROOM_AVERAGE, FG_ROOM_FIELDS };

struct fg_room_task {
	int64_t id, errors;
	char    frames[32], progress[12]; /**< "7-7", "37 %" */
};

struct fg_room {
	char                 key[FG_LIVE_KEY];
	char                 fields[FG_ROOM_FIELDS][304];
	struct fg_room_task *tasks;
	int                  ntasks;
	uint64_t             generation; /**< goes up with each change; 0: nothing is known yet */
	bool                 troubled;   /**< in the last change Errors or Failed went from none to some */
	bool                 moves;      /**< something is being rendered: its progress moves without an event */
	struct fg_buf        diff;       /**< the message of the last change, update true */
};

/** Texts and tasks of now (`tasks` is taken over): true when anything differs from before. */
bool fg_room_set(struct fg_room *room, char fields[FG_ROOM_FIELDS][304], struct fg_room_task *tasks, int ntasks);

/** The same of one of our projects. FG_ENOTFOUND when it is gone. */
enum fg_err fg_room_read(bool *changed, struct fg_room *room, struct fg_db *db, int64_t project);

void fg_room_whole(struct fg_buf *out, const struct fg_room *room); /**< {"type":"job_details","update":false,…} */
void fg_room_error(struct fg_buf *out);                             /**< the same for a job that isn't there */
void fg_room_free(struct fg_room *room);                            /**< what it holds, not itself */

/** "00d 00h 03m 10s". */
void fg_room_duration(char out[32], int64_t seconds);

#endif
