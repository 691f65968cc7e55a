/* deadline: what a Deadline Web Service answers, as values: bytes in, jobs and pages out. Its numbers may be texts; what is missing is nothing.
 * Protocol: doc/protocol.md#deadline    Test: tests/unit/live.c, tests/integration/deadline.py, tests/fuzz/deadline.c */
#ifndef FG_LIVE_DEADLINE_H
#define FG_LIVE_DEADLINE_H

#include "live/room.h"
#include "live/job.h"

#define FG_DEADLINE_MARK "Deadline · " /**< before the names of its jobs */

/** /api/jobs?States=…: each job whose id can be one. `going`: those asked for are active. FG_EFORMAT: not an array. */
enum fg_err fg_deadline_jobs(const char *bytes, size_t len, bool going, void (*each)(void *ctx, const struct fg_live_job *job), void *ctx);

/** /api/jobs?JobID=…&Details=true: the texts of its page, and where its first output goes ("" when it says nothing). FG_ENOTFOUND: not there. */
struct fg_deadline_output {
	char folder[1024], file[512];
};
enum fg_err fg_deadline_details(char fields[FG_ROOM_FIELDS][304], struct fg_deadline_output *output, const char *bytes, size_t len, const char *job);

/** /api/tasks?JobID=…; the tasks are yours to free. */
enum fg_err fg_deadline_tasks(struct fg_room_task **out, int *count, const char *bytes, size_t len);

/** ISO 8601 with its zone (none: local time) → Unix milliseconds; 0 for what isn't one or lies before 1971. */
int64_t fg_deadline_time(const char *text);

/** First frame of "1-10", "-5--1", "3,7"; false for anything else. */
bool fg_deadline_frame(int64_t *out, const char *frames);

/** The path of a frame's picture: folder and file joined, `\` as `/`, the last #### or %04d by the frame, prefixes replaced by `map`
 * ("P:/=/mnt/p;//server/share=/mnt/share", letter case aside). FG_EINVAL when it names no frame or doesn't fit. */
enum fg_err fg_deadline_path(char out[2048], const struct fg_deadline_output *output, int64_t frame, const char *map);

/** The first of a task's reports, as text; what the service says instead when it has none. */
void fg_deadline_report(struct fg_buf *out, const char *bytes, size_t len);

#endif
