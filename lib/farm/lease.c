#include "farm/lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "farm/count.h"
#include "farm/engine.h"
#include "farm/event.h"
#include "farm/points.h"
#include "farm/product.h"
#include "farm/project.h"

enum { EXPIRE_AT_ONCE = 20, END_AT_ONCE = 500, PROGRESS_STEP = 20 };

static const int64_t DAY_MS = 24 * 60 * 60 * 1000, ONLINE_MS = 30 * 60 * 1000;

/** A lease with all that its end needs to know. */
struct loan {
	int64_t id, task, project, worker, session, hard_ms, session_ram_kib;
	int64_t since_ms, cores, gpu, user;
	int64_t holder, winner, black, tries, tiles, memory_kib, progress; /**< winner: the lease whose file counts, 0 none */
	int     frame, row, column;
	char    state[16], task_state[16], project_state[16], format[16];
	bool    has_session;
};

static enum fg_err
find_loan(struct loan *out, struct fg_db *db, int64_t lease, int64_t key)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_LEASE_LOAN, FG_BINDS(FG_I("lease", lease), FG_I("key", key)));

	if (err == FG_OK) {
		*out = (struct loan){ .id = lease, .task = fg_rows_int(&rows, 0), .project = fg_rows_int(&rows, 1), .worker = fg_rows_int(&rows, 2),
			              .session = fg_rows_int(&rows, 3), .hard_ms = fg_rows_int(&rows, 4), .holder = fg_rows_int(&rows, 5),
			              .black = fg_rows_int(&rows, 6), .tries = fg_rows_int(&rows, 7), .frame = (int)fg_rows_int(&rows, 8),
			              .row = (int)fg_rows_int(&rows, 9), .column = (int)fg_rows_int(&rows, 10), .tiles = fg_rows_int(&rows, 15),
			              .memory_kib = fg_rows_int(&rows, 16), .session_ram_kib = fg_rows_int(&rows, 17), .progress = fg_rows_int(&rows, 18), .winner = fg_rows_int(&rows, 19),
			              .since_ms = fg_rows_int(&rows, 20), .cores = fg_rows_int(&rows, 21), .gpu = fg_rows_int(&rows, 22), .user = fg_rows_int(&rows, 23) };
		fg_rows_copy(&rows, 11, out->state, sizeof(out->state));
		fg_rows_copy(&rows, 12, out->task_state, sizeof(out->task_state));
		fg_rows_copy(&rows, 13, out->project_state, sizeof(out->project_state));
		fg_rows_copy(&rows, 14, out->format, sizeof(out->format));
	}
	fg_rows_end(&rows);
	return err;
}

static bool
is(const char *state, const char *other)
{
	return strcmp(state, other) == 0;
}

/* Is a picture for this task still wanted? */
static bool
task_open(const struct loan *loan)
{
	return (is(loan->task_state, "waiting") || is(loan->task_state, "leased")) &&
	       (is(loan->project_state, "active") || is(loan->project_state, "paused"));
}

static enum fg_err
end_row(struct fg_db *db, int64_t lease, const char *state, const char *why, int64_t now_ms)
{
	return fg_db_run(db, FG_SQL_LEASE_END, FG_BINDS(FG_I("lease", lease), FG_T("state", state), FG_T("why", why), FG_I("now_ms", now_ms)), NULL);
}

enum fg_err
fg_lease_release(struct fg_db *db, int64_t lease, const char *state, const char *why, int64_t now_ms)
{
	struct fg_rows rows;
	int64_t        task = 0, project = 0;
	enum fg_err    err;

	if ((err = end_row(db, lease, state, why, now_ms)) != FG_OK)
		return err;
	err = fg_rows_first(&rows, db, FG_SQL_TASK_RELEASE, FG_BINDS(FG_I("lease", lease)));
	if (err == FG_OK) {
		task = fg_rows_int(&rows, 0);
		project = fg_rows_int(&rows, 1);
		fg_rows_next(&rows);
	}
	fg_rows_end(&rows);
	if (err != FG_OK)
		return err == FG_ENOTFOUND ? FG_OK : err; /* somebody else holds the task, or has delivered it */
	if ((err = fg_count_tasks(db, project, (struct fg_delta){ .waiting = 1, .running = -1 })) != FG_OK)
		return err;
	return fg_event_add(db, project, "task.returned", task, lease, why, now_ms);
}

/* Collects ids first: a statement that is being read must not see its own table change. */
static enum fg_err
release_all(struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds, const char *state, const char *why, int64_t now_ms)
{
	int64_t        leases[END_AT_ONCE];
	struct fg_rows rows;
	enum fg_err    err;
	int            count = 0;

	for (err = fg_rows_first(&rows, db, sql, binds); err == FG_OK && count < END_AT_ONCE; err = fg_rows_next(&rows))
		leases[count++] = fg_rows_int(&rows, 0);
	fg_rows_end(&rows);
	err = err == FG_ENOTFOUND ? FG_OK : err;
	for (int i = 0; err == FG_OK && i < count; i++)
		err = fg_lease_release(db, leases[i], state, why, now_ms);
	if (err == FG_OK && count == END_AT_ONCE)
		return FG_EBUSY; /* there may be more */
	return err;
}

enum fg_err
fg_lease_expire(struct fg_db *db, int64_t now_ms)
{
	return release_all(db, FG_SQL_LEASE_EXPIRED, FG_BINDS(FG_I("now_ms", now_ms), FG_I("limit", EXPIRE_AT_ONCE)), "expired", "the worker fell silent", now_ms);
}

enum fg_err
fg_lease_end_of_session(struct fg_db *db, int64_t session, int64_t now_ms)
{
	enum fg_err err;

	do
		err = release_all(db, FG_SQL_LEASE_OF_SESSION, FG_BINDS(FG_I("session", session)), "returned", "the worker logged out", now_ms);
	while (err == FG_EBUSY);
	return err;
}

enum fg_err
fg_lease_end_of_project(struct fg_db *db, int64_t project, int64_t now_ms)
{
	enum fg_err err;

	do
		err = release_all(db, FG_SQL_LEASE_OF_PROJECT, FG_BINDS(FG_I("project", project)), "cancelled", "the project was stopped", now_ms);
	while (err == FG_EBUSY);
	return err;
}

enum fg_err
fg_lease_return(struct fg_db *db, int64_t lease, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err != FG_OK ? err : fg_db_end(db, fg_lease_release(db, lease, "returned", "the answer did not reach the worker", now_ms));
}

enum fg_err
fg_lease_find(struct fg_lease *out, struct fg_db *db, int64_t lease, int64_t key)
{
	struct fg_rows rows;
	struct loan    loan;
	enum fg_err    err = find_loan(&loan, db, lease, key);

	if (err != FG_OK)
		return err;
	*out = (struct fg_lease){ .id = lease, .task = loan.task, .project = loan.project, .frame = loan.frame, .row = loan.row,
		                  .column = loan.column, .live = is(loan.state, "live"), .open = task_open(&loan) };
	err = fg_rows_first(&rows, db, FG_SQL_LEASE_RENDERER, FG_BINDS(FG_I("lease", lease)));
	if (err == FG_OK) {
		fg_rows_copy(&rows, 0, out->renderer_md5, sizeof(out->renderer_md5));
		out->until_ms = fg_rows_int(&rows, 1);
		out->gpu = fg_rows_int(&rows, 2) != 0;
	}
	fg_rows_end(&rows);
	return err;
}

/* An expired lease whose task still waits goes on as if it had not been silent. */
static enum fg_err
revive(struct fg_db *db, const struct loan *loan, int64_t now_ms)
{
	enum fg_err err;

	if ((err = fg_db_run(db, FG_SQL_LEASE_REVIVE, FG_BINDS(FG_I("lease", loan->id), FG_I("until_ms", now_ms + 120000)), NULL)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_TASK_LEND, FG_BINDS(FG_I("task", loan->task), FG_I("lease", loan->id)), NULL)) != FG_OK)
		return err;
	return fg_count_tasks(db, loan->project, (struct fg_delta){ .waiting = -1, .running = 1, .lent_ms = now_ms });
}

static enum fg_err
write_beat(bool *go_on, struct fg_db *db, const struct fg_beat *beat, int progress, int64_t now_ms)
{
	char        engine[FG_ENGINE_JSON];
	struct loan loan;
	enum fg_err err = find_loan(&loan, db, beat->lease, beat->key); /* again, now that nobody else writes */

	if (err != FG_OK)
		return err == FG_ENOTFOUND ? FG_OK : err; /* lent to another key */
	if (is(loan.state, "live") && now_ms >= loan.hard_ms) {
		*go_on = false;
		return fg_lease_release(db, loan.id, "expired", "it ran for longer than task_max_seconds", now_ms);
	}
	if (is(loan.state, "expired") && task_open(&loan) && is(loan.task_state, "waiting") && now_ms < loan.hard_ms &&
	    (err = revive(db, &loan, now_ms)) != FG_OK)
		return err;
	fg_engine_json(engine, beat->engine);
	return fg_db_run(db, FG_SQL_LEASE_BEAT,
	                 FG_BINDS(FG_I("lease", beat->lease), FG_I("render_s", beat->rendertime_s), FG_I("left_s", beat->remaining_s),
	                          FG_I("progress", progress), FG_T("engine", engine)),
	                 NULL);
}

static int
progress_of(const struct fg_beat *beat)
{
	const int64_t whole_s = beat->rendertime_s + beat->remaining_s;

	if (beat->progress >= 0)
		return beat->progress;
	return beat->remaining_s > 0 && whole_s > 0 ? (int)(beat->rendertime_s * 1000 / whole_s) : 0;
}

enum fg_err
fg_lease_beat(bool *go_on, struct fg_db *db, const struct fg_beat *beat, int64_t now_ms)
{
	const int   progress = progress_of(beat);
	struct loan loan;
	enum fg_err err;

	*go_on = true;
	if (beat->lease == FG_NO_LEASE)
		return FG_OK;
	if ((err = find_loan(&loan, db, beat->lease, 0)) != FG_OK) {
		*go_on = err != FG_ENOTFOUND;
		return err == FG_ENOTFOUND ? FG_OK : err;
	}
	*go_on = task_open(&loan) && (is(loan.state, "live") || (is(loan.state, "expired") && is(loan.task_state, "waiting"))) && now_ms < loan.hard_ms;
	if (is(loan.state, "live") && *go_on && progress - loan.progress < PROGRESS_STEP && beat->engine[0] == '\0')
		return FG_OK;
	if (beat->key == 0 || (!*go_on && !(is(loan.state, "live") && now_ms >= loan.hard_ms)))
		return FG_OK;
	if ((err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	return fg_db_end(db, write_beat(go_on, db, beat, progress, now_ms));
}

/* Whoever holds the task now hears 400 at the next heartbeat. A live lease is always the holder of its task, so there is no other one. */
static enum fg_err
supersede(struct fg_db *db, const struct loan *loan, int64_t now_ms)
{
	if (loan->holder == 0 || loan->holder == loan->id)
		return FG_OK;
	return fg_db_run(db, FG_SQL_LEASE_SUPERSEDE, FG_BINDS(FG_I("holder", loan->holder), FG_I("now_ms", now_ms)), NULL);
}

static enum fg_err
mark_delivered(struct fg_db *db, const struct fg_delivery *delivery, const char *why, int64_t points, int64_t now_ms)
{
	return fg_db_run(db, FG_SQL_LEASE_DELIVERED,
	                 FG_BINDS(FG_I("lease", delivery->lease), FG_I("render_s", delivery->render_s), FG_I("memory_kib", delivery->memory_kib),
	                          FG_T("why", why), FG_I("points", points), FG_I("now_ms", now_ms)),
	                 NULL);
}

/* The first all-black picture of a task waits for a second opinion, by another worker where there is one. */
static enum fg_err
deliver_black(struct fg_db *db, const struct loan *loan, const struct fg_delivery *delivery, int64_t now_ms)
{
	const bool  held = is(loan->task_state, "leased") && loan->holder == loan->id;
	enum fg_err err;

	if ((err = mark_delivered(db, delivery, "black: to be rendered once more", 0, now_ms)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_TASK_BLACK, FG_BINDS(FG_I("task", loan->task), FG_I("lease", loan->id)), NULL)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_SHUN_ADD, FG_BINDS(FG_I("task", loan->task), FG_I("worker", loan->worker)), NULL)) != FG_OK)
		return err;
	if (held && (err = fg_count_tasks(db, loan->project, (struct fg_delta){ .waiting = 1, .running = -1 })) != FG_OK)
		return err;
	return fg_event_add(db, loan->project, "task.black", loan->task, loan->id, "", now_ms);
}

static enum fg_err blame_worker(struct fg_db *db, const struct fg_settings *settings, int64_t worker, bool picture, int64_t now_ms);

/* Black the first time and not the second: the first one was broken. */
static enum fg_err
blame_black(struct fg_db *db, const struct fg_settings *settings, int64_t lease, int64_t now_ms)
{
	int64_t     worker = 0;
	enum fg_err err = fg_db_int(&worker, db, FG_SQL_LEASE_WAS_BLACK, FG_BINDS(FG_I("lease", lease)));

	return err != FG_OK ? (err == FG_ENOTFOUND ? FG_OK : err) : blame_worker(db, settings, worker, true, now_ms);
}

static enum fg_err
raise_memory(struct fg_db *db, int64_t project, int64_t memory_kib)
{
	int         changes = 0;
	enum fg_err err = fg_db_run(db, FG_SQL_PROJECT_MEMORY, FG_BINDS(FG_I("project", project), FG_I("memory_kib", memory_kib)), &changes);
	int64_t     queued = 0;

	if (err != FG_OK || changes == 0 || fg_db_int(&queued, db, FG_SQL_PROJECT_QUEUED, FG_BINDS(FG_I("project", project))) != FG_OK)
		return err;
	return fg_count_enqueue(db, project);
}

/* Whoever rendered it is thanked: worker, session and their user. */
static enum fg_err
credit(struct fg_db *db, const struct loan *loan, int64_t render_s, int64_t points)
{
	enum fg_err err;

	if ((err = fg_db_run(db, FG_SQL_WORKER_DELIVERED, FG_BINDS(FG_I("worker", loan->worker), FG_I("render_s", render_s), FG_I("points", points)), NULL)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_SESSION_DELIVERED, FG_BINDS(FG_I("session", loan->session), FG_I("points", points)), NULL)) != FG_OK || points == 0)
		return err;
	return fg_db_run(db, FG_SQL_USER_DELIVERED, FG_BINDS(FG_I("user", loan->user), FG_I("points", points)), NULL);
}

static enum fg_err
deliver_done(struct fg_db *db, const struct fg_settings *settings, const struct loan *loan, const struct fg_delivery *delivery, int64_t now_ms)
{
	const bool    waiting = is(loan->task_state, "waiting");
	const int64_t points = fg_points(settings, &(struct fg_effort){ delivery->render_s, now_ms - loan->since_ms, (int)loan->cores, loan->gpu != 0 });
	int64_t       tiles = 0;
	enum fg_err   err;

	if ((err = mark_delivered(db, delivery, "", points, now_ms)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_TASK_DELIVER,
	                     FG_BINDS(FG_I("task", loan->task), FG_I("lease", loan->id), FG_T("ext", delivery->ext), FG_I("size", delivery->size),
	                              FG_I("now_ms", now_ms)),
	                     NULL)) != FG_OK ||
	    (err = supersede(db, loan, now_ms)) != FG_OK ||
	    (err = fg_count_tasks(db, loan->project, (struct fg_delta){ .waiting = waiting ? -1 : 0, .running = waiting ? 0 : -1, .done = 1 })) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_PROJECT_DELIVERED,
	                     FG_BINDS(FG_I("project", loan->project), FG_I("size", delivery->size), FG_I("render_s", delivery->render_s), FG_I("points", points)), NULL)) != FG_OK ||
	    (err = credit(db, loan, delivery->render_s, points)) != FG_OK ||
	    (err = raise_memory(db, loan->project, delivery->memory_kib)) != FG_OK ||
	    (err = fg_event_add(db, loan->project, "task.delivered", loan->task, loan->id, "", now_ms)) != FG_OK ||
	    (err = fg_db_int(&tiles, db, FG_SQL_FRAME_TILE, FG_BINDS(FG_I("project", loan->project), FG_I("frame", loan->frame)))) != FG_OK)
		return err;
	if (loan->black != 0 && !delivery->black && (err = blame_black(db, settings, loan->black, now_ms)) != FG_OK)
		return err;
	return tiles == loan->tiles ? fg_product_frame_complete(db, settings, loan->project, loan->frame, delivery->ext, now_ms) : FG_OK;
}

/* Somebody was first: perhaps this very lease, whose second upload lies under the same name as its first. */
static enum fg_err
deliver_late(enum fg_taken *taken, struct fg_db *db, const struct loan *loan, int64_t now_ms)
{
	*taken = loan->winner == loan->id || loan->black == loan->id ? FG_TAKEN_BEFORE : FG_DROPPED;
	return end_row(db, loan->id, "late", "somebody was first, or nobody wants it any more", now_ms);
}

static void
log_delivery(enum fg_taken taken, const struct loan *loan, const struct fg_delivery *delivery)
{
	fg_log(FG_LOG_INFO, taken == FG_TAKEN ? "task.delivered" : "task.dropped", "lease=%" PRId64 " task=%" PRId64 " project=%" PRId64 " size=%" PRId64 " black=%d",
	       delivery->lease, loan->task, loan->project, delivery->size, delivery->black);
}

enum fg_err
fg_lease_deliver(enum fg_taken *taken, struct fg_db *db, const struct fg_settings *settings, const struct fg_delivery *delivery, int64_t now_ms)
{
	struct loan loan;
	enum fg_err err;

	*taken = FG_TAKEN;
	if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	if ((err = find_loan(&loan, db, delivery->lease, delivery->key)) != FG_OK)
		return fg_db_end(db, err);
	if (!task_open(&loan) || is(loan.state, "delivered") || is(loan.state, "late"))
		err = deliver_late(taken, db, &loan, now_ms);
	else if (delivery->black && loan.black == 0)
		err = deliver_black(db, &loan, delivery, now_ms);
	else
		err = deliver_done(db, settings, &loan, delivery, now_ms);
	if ((err = fg_db_end(db, err)) == FG_OK)
		log_delivery(*taken, &loan, delivery);
	return err;
}

/* A host that breaks what it touches must not eat the queue. */
static enum fg_err
blame_worker(struct fg_db *db, const struct fg_settings *settings, int64_t worker, bool picture, int64_t now_ms)
{
	int64_t     errors = 0, broken = 0;
	char        why[160] = "";
	enum fg_err err;

	if ((err = fg_db_int(&broken, db, FG_SQL_WORKER_BROKEN, FG_BINDS(FG_I("worker", worker), FG_I("more", picture)))) != FG_OK ||
	    (err = fg_db_int(&errors, db, FG_SQL_WORKER_ERRORS, FG_BINDS(FG_I("worker", worker), FG_I("since_ms", now_ms - DAY_MS), FG_I("online_ms", now_ms - ONLINE_MS)))) != FG_OK)
		return err;
	if (broken >= settings->worker_broken)
		snprintf(why, sizeof(why), "%" PRId64 " broken pictures in a row", broken);
	else if (errors >= settings->worker_errors)
		snprintf(why, sizeof(why), "%" PRId64 " failures within 24 hours", errors);
	else
		return FG_OK;
	fg_log(FG_LOG_WARN, "worker.aside", "worker=%" PRId64 " why=%s", worker, fg_log_quote(why).text);
	return fg_db_run(db, FG_SQL_WORKER_ASIDE,
	                 FG_BINDS(FG_I("worker", worker), FG_I("until_ms", now_ms + settings->worker_aside_seconds * 1000), FG_T("why", why),
	                          FG_I("by", 0), FG_I("now_ms", now_ms)),
	                 NULL);
}

/* A bad scene costs its budget of errors, then stops. */
static enum fg_err
blame_project(struct fg_db *db, const struct fg_settings *settings, const struct loan *loan, const char *why, int64_t now_ms)
{
	int64_t     errors = 0, tries = 0;
	char        message[400] = "";
	enum fg_err err;

	if ((err = fg_db_int(&tries, db, FG_SQL_TASK_TRIED, FG_BINDS(FG_I("task", loan->task)))) != FG_OK ||
	    (err = fg_db_int(&errors, db, FG_SQL_PROJECT_ERROR, FG_BINDS(FG_I("project", loan->project)))) != FG_OK)
		return err;
	if (tries >= settings->task_tries && tries == 1)
		snprintf(message, sizeof(message), "Frame %d failed: %s", loan->frame, why);
	else if (tries >= settings->task_tries)
		snprintf(message, sizeof(message), "Frame %d failed %" PRId64 " times; the last time: %s", loan->frame, tries, why);
	else if (errors >= settings->project_errors)
		snprintf(message, sizeof(message), "%" PRId64 " tasks failed; the last one, of frame %d: %s", errors, loan->frame, why);
	else
		return FG_OK;
	return fg_project_stop(db, loan->project, "failed", message, now_ms);
}

static enum fg_err
blame(struct fg_db *db, const struct fg_settings *settings, const struct loan *loan, const struct fg_failure *failure, int64_t now_ms)
{
	enum fg_err err = FG_OK;

	if (failure->blame == FG_BLAME_MEMORY) {
		err = fg_db_run(db, FG_SQL_TASK_MEMORY, FG_BINDS(FG_I("task", loan->task), FG_I("memory_kib", loan->session_ram_kib)), NULL);
	} else {
		if ((err = fg_db_run(db, FG_SQL_SHUN_ADD, FG_BINDS(FG_I("task", loan->task), FG_I("worker", loan->worker)), NULL)) == FG_OK)
			err = blame_worker(db, settings, loan->worker, failure->blame == FG_BLAME_PICTURE, now_ms);
	}
	return err == FG_OK ? blame_project(db, settings, loan, failure->why, now_ms) : err;
}

enum fg_err
fg_lease_keep_log(struct fg_db *db, int64_t lease)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err != FG_OK ? err : fg_db_end(db, fg_db_run(db, FG_SQL_LEASE_LOG, FG_BINDS(FG_I("lease", lease), FG_I("log", 1), FG_I("memory_kib", 0)), NULL));
}

static enum fg_err
fail(struct fg_db *db, const struct fg_settings *settings, const struct loan *loan, const struct fg_failure *failure, int64_t now_ms)
{
	const char *state = failure->blame == FG_BLAME_NOBODY ? "returned" : "failed";
	enum fg_err err;

	if ((err = fg_db_run(db, FG_SQL_LEASE_LOG, FG_BINDS(FG_I("lease", loan->id), FG_I("log", failure->has_log), FG_I("memory_kib", failure->memory_kib)),
	                     NULL)) != FG_OK ||
	    !is(loan->state, "live"))
		return err; /* it ended before: counted then, or not ours to count */
	if ((err = fg_lease_release(db, loan->id, state, failure->why, now_ms)) != FG_OK || failure->blame == FG_BLAME_NOBODY)
		return err;
	if ((err = fg_event_add(db, loan->project, "task.failed", loan->task, loan->id, failure->why, now_ms)) != FG_OK)
		return err;
	return blame(db, settings, loan, failure, now_ms);
}

enum fg_err
fg_lease_fail(struct fg_db *db, const struct fg_settings *settings, const struct fg_failure *failure, int64_t now_ms)
{
	struct loan loan;
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	if ((err = find_loan(&loan, db, failure->lease, failure->key)) == FG_OK)
		err = fail(db, settings, &loan, failure, now_ms);
	if ((err = fg_db_end(db, err)) == FG_OK)
		fg_log(FG_LOG_WARN, "task.failed", "lease=%" PRId64 " task=%" PRId64 " project=%" PRId64 " worker=%" PRId64 " blame=%d why=%s", loan.id, loan.task,
		       loan.project, loan.worker, (int)failure->blame, fg_log_quote(failure->why).text);
	return err;
}
