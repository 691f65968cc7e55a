/* batch: an ordered list of render jobs of one user, done one after another. The newest batch of a user is the one that the batch API speaks of.
 * Batches wait, run, and are finished or cancelled; jobs are queued, disabled, running, finished, cancelled or failed. */
#ifndef FG_BATCH_BATCH_H
#define FG_BATCH_BATCH_H

#include "batch/recipe.h"
#include "farm/farm.h"

struct fg_batch {
	int64_t id, owner;
	char    owner_name[128], name[FG_RECIPE_PATH + 1], state[16];
	int     jobs, ending; /**< ending: how far it is, see turn.c */
	bool    local;        /**< came without login, by the listener of this machine */
	int64_t created_ms, started_ms, finished_ms;
};

struct fg_batch_job {
	int64_t id, batch, project; /**< project 0: none yet */
	int     number;             /**< its place, from 0 */
	char    name[FG_RECIPE_TEXT + 1], state[16], message[1024], engine[1024];
	double  progress;           /**< percent; never goes back */
	int64_t started_ms, finished_ms;
};

/** Keep a checked recipe as the user's next batch. It takes the place of one that was not started.
 * FG_ECONFLICT while one runs. */
enum fg_err fg_batch_add(int64_t *id, struct fg_db *db, int64_t owner, bool local, const struct fg_recipe *recipe, int64_t now_ms);

enum fg_err fg_batch_newest(struct fg_batch *out, struct fg_db *db, int64_t owner); /**< FG_ENOTFOUND: never a recipe */
enum fg_err fg_batch_get(struct fg_batch *out, struct fg_db *db, int64_t id);       /**< FG_ENOTFOUND */

/** Newest first; owner 0: everybody's. The callback returns false to stop. */
enum fg_err fg_batch_list(struct fg_db *db, int64_t owner, int64_t before, int limit, bool (*each)(void *ctx, const struct fg_batch *batch), void *ctx);
enum fg_err fg_batch_jobs(struct fg_db *db, int64_t batch, void (*each)(void *ctx, const struct fg_batch_job *job), void *ctx);
enum fg_err fg_batch_job(struct fg_batch_job *out, struct fg_db *db, int64_t batch, int number); /**< FG_ENOTFOUND */

/** The recipe that it was made of, its mail's password included. Free `out` also after a failure. */
enum fg_err fg_batch_recipe(struct fg_recipe **out, struct fg_db *db, int64_t batch);

/** WAITING → RUNNING, by exactly one of any number of callers; the others get FG_ECONFLICT. */
enum fg_err fg_batch_start(struct fg_db *db, int64_t batch, int64_t now_ms);

/** RUNNING → CANCELLED, with its running job and those that wait. FG_ECONFLICT when it doesn't run. */
enum fg_err fg_batch_cancel(struct fg_db *db, int64_t batch, int64_t now_ms);

/** The running job alone; the next one follows. FG_ECONFLICT when none runs. */
enum fg_err fg_batch_cancel_job(struct fg_db *db, int64_t batch, int64_t now_ms);

/** One line for whoever polls. Said once however often it is told. */
enum fg_err fg_batch_say(struct fg_db *db, int64_t batch, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* For turn.c, each a transaction: */
enum fg_err fg_batch_due(int64_t *id, struct fg_db *db, int64_t now_ms, int64_t until_ms); /**< take one that has something to do; FG_ENOTFOUND */
enum fg_err fg_batch_rest(struct fg_db *db, int64_t batch, int64_t until_ms);              /**< nobody needs to look before */
enum fg_err fg_batch_hold(struct fg_db *db, int64_t batch, int64_t until_ms);              /**< somebody is still at it */
enum fg_err fg_batch_job_begin(struct fg_db *db, int64_t job, int64_t now_ms);             /**< QUEUED → RUNNING; FG_ECONFLICT */
enum fg_err fg_batch_job_project(struct fg_db *db, int64_t job, int64_t project);          /**< FG_ECONFLICT when it runs no more */
enum fg_err fg_batch_job_end(struct fg_db *db, int64_t job, const char *state, const char *message, int64_t now_ms); /**< of a running one */
enum fg_err fg_batch_end(struct fg_db *db, int64_t batch, int64_t now_ms);                 /**< RUNNING → FINISHED */
enum fg_err fg_batch_ending(struct fg_db *db, int64_t batch, int ending, bool over);       /**< how much of what follows the last job is done */

#endif
