/* job: one line of the progress app's lists, in the shape that it expects: chunk counts, errors, who and when. */
#ifndef FG_LIVE_JOB_H
#define FG_LIVE_JOB_H

#include "base/buf.h"
#include "farm/project.h"
#include "live/wish.h"

/** Which list: by state and age. FG_NOWHERE is in none. */
enum fg_list { FG_LIST_ACTIVE, FG_LIST_RECENT, FG_LIST_OLDER, FG_LISTS, FG_NOWHERE = FG_LISTS };

enum fg_count { FG_COMPLETED, FG_QUEUED, FG_SUSPENDED, FG_RENDERING, FG_FAILED, FG_PENDING, FG_ERRS, FG_COUNTS };

enum { FG_RECENT_S = 172800, FG_OLDER_S = 483840 }; /**< 48 h and 134.4 h */

struct fg_live_job {
	char         key[FG_LIVE_KEY]; /**< its id on the wire */
	int64_t      id;               /**< project.id; 0: of another manager */
	int64_t      owner, *viewers;
	int          nviewers;
	bool         everyone;         /**< any user may look */
	char         name[300], user[128];
	bool         going;            /**< it is active */
	int64_t      started_ms, placed_ms; /**< what is shown; what its age counts from */
	int64_t      frames_total;
	int64_t      counts[FG_COUNTS];
	enum fg_list list;
	unsigned     changed; /**< bits of counts that changed in this round */
	bool         fresh;   /**< it came into its list in this round: all of it is news */
	bool         noted;   /**< it stands among the round's changes */
	bool         kept;    /**< its source still has it */
};

/** Counts of chunks (frames) by a project's state. */
void fg_live_counts(int64_t counts[FG_COUNTS], const char *state, int64_t frames_total, int64_t frames_done, int64_t running, int64_t errors);

/** Where it belongs at this time. */
enum fg_list fg_live_list(const struct fg_live_job *job, int64_t now_ms);

/** May this user look? 0: somebody who may look at everything. */
bool fg_live_may_look(const struct fg_live_job *job, int64_t user);

void fg_live_job_whole(struct fg_buf *out, const struct fg_live_job *job);   /**< "key":{all fields} */
void fg_live_job_changes(struct fg_buf *out, const struct fg_live_job *job); /**< "key":{what changed} */

const char *fg_list_type(enum fg_list list); /**< "active_jobs" … */

#endif
