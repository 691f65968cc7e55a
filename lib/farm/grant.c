/* grant: which task a session gets. See lease.h and doc/architecture.md#fairness.
 *
 * One transaction: leases that fell silent end (at most 20), the session's leases count that it asks again (at its third request the first one ends), then
 *   need     those that the session meets: memory, method, a renderer for its system; a few dozen rows at most
 *   turn     for each of them its first rows: queues by their owner's load, then priority, then age. What must shut out whole queues (owner, quota, access)
 *            belongs here or into `need`: a queue without its row in `turn` is never looked at
 *   project  the open ones of a queue by priority and age
 *   task     the waiting ones of a project by sequence, but for those that this worker should not get
 * and then task, lease, project's and owner's counters and the owner's rows in `turn` are written: eight pages. `open`, `queue`, `need` change only when a
 * project's last waiting task goes (lib/farm/count.h), so that no index of theirs is touched by a lease. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "farm/ask.h"
#include "farm/count.h"
#include "farm/lease.h"
#include "farm/project.h"

enum { HEADS_MAX = 64, HEADS_PER_NEED = 4, PROJECTS_PER_QUEUE = 8, PICKY_PROJECTS = 1000, HELD_MAX = 2 };

static const int64_t ONLINE_MS = 30 * 60 * 1000;

/** The front of one queue: whom and what it would lend from. */
struct head {
	int64_t queue, load, priority, project;
};

struct choice {
	struct head    heads[HEADS_MAX];
	int            count;
	bool           last_resort; /**< also tasks that this worker should rather not get, where nobody else can take them */
};

struct claim {
	struct fg_db          *db;
	const struct fg_offer *offer;
	int64_t                now_ms, renderer;
	struct fg_lease        lease;
	int64_t                hard_s;
};

static int
by_turn(const void *left, const void *right)
{
	const struct head *a = left, *b = right;

	if (a->load != b->load)
		return a->load < b->load ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return a->project < b->project ? -1 : a->project > b->project;
}

static enum fg_err
add_heads(struct choice *choice, struct fg_db *db, int64_t need, int limit)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_QUEUE_NEXT, FG_BINDS(FG_I("need", need), FG_I("limit", limit)));
	     err == FG_OK && choice->count < HEADS_MAX; err = fg_rows_next(&rows))
		choice->heads[choice->count++] =
			(struct head){ fg_rows_int(&rows, 0), fg_rows_int(&rows, 1), fg_rows_int(&rows, 2), fg_rows_int(&rows, 3) };
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* The fronts of all queues whose need the session meets, the fairest first. */
static enum fg_err
choose_heads(struct choice *choice, struct claim *claim)
{
	const struct fg_offer *offer = claim->offer;
	int64_t                needs[HEADS_MAX];
	int                    count = 0;
	struct fg_rows         rows;
	enum fg_err            err;

	for (err = fg_rows_first(&rows, claim->db, FG_SQL_NEED_FIT,
	                         FG_BINDS(FG_I("ram", offer->ram_kib), FG_I("method", offer->method), FG_T("os", offer->session->os),
	                                  FG_T("bits", offer->session->bits), FG_I("user", offer->session->user)));
	     err == FG_OK && count < HEADS_MAX; err = fg_rows_next(&rows))
		needs[count++] = fg_rows_int(&rows, 0);
	fg_rows_end(&rows);
	if (err != FG_OK && err != FG_ENOTFOUND)
		return err;
	for (int i = 0; i < count; i++)
		if ((err = add_heads(choice, claim->db, needs[i], offer->accepts != NULL ? HEADS_MAX : HEADS_PER_NEED)) != FG_OK)
			return err;
	qsort(choice->heads, (size_t)choice->count, sizeof(*choice->heads), by_turn);
	return FG_OK;
}

/* The first task of a project that this session may have. */
static enum fg_err
pick_task(struct claim *claim, int64_t project, bool last_resort)
{
	const struct fg_session *session = claim->offer->session;
	struct fg_rows           rows;
	enum fg_err              err;

	err = last_resort ? fg_rows_first(&rows, claim->db, FG_SQL_TASK_PICK_LAST,
	                                  FG_BINDS(FG_I("project", project), FG_I("worker", session->worker), FG_I("ram", session->ram_kib),
	                                           FG_I("now_ms", claim->now_ms), FG_I("since_ms", claim->now_ms - ONLINE_MS)))
	                  : fg_rows_first(&rows, claim->db, FG_SQL_TASK_PICK,
	                                  FG_BINDS(FG_I("project", project), FG_I("worker", session->worker), FG_I("ram", session->ram_kib)));
	if (err == FG_OK) {
		claim->lease.task = fg_rows_int(&rows, 0);
		claim->lease.frame = (int)fg_rows_int(&rows, 1);
		claim->lease.row = (int)fg_rows_int(&rows, 2);
		claim->lease.column = (int)fg_rows_int(&rows, 3);
		claim->lease.project = project;
	}
	fg_rows_end(&rows);
	return err;
}

struct candidate {
	int64_t project, hard_s;
	char    renderer[64];
	int     device;
};

static bool
accepts(const struct claim *claim, int64_t project)
{
	struct fg_project p;

	return claim->offer->accepts == NULL || (fg_project_get(&p, claim->db, project) == FG_OK && claim->offer->accepts(&p));
}

/* Walk a queue's projects, highest priority first; those a little over the session's memory are in it too and are passed over. */
static enum fg_err
pick_from_queue(struct claim *claim, struct candidate *candidate, int64_t queue, bool last_resort)
{
	struct fg_rows rows;
	enum fg_err    err, picked = FG_ENOTFOUND;

	for (err = fg_rows_first(&rows, claim->db, FG_SQL_PROJECT_NEXT,
	                         FG_BINDS(FG_I("queue", queue), FG_I("limit", claim->offer->accepts != NULL ? PICKY_PROJECTS : PROJECTS_PER_QUEUE)));
	     err == FG_OK && picked == FG_ENOTFOUND; err = fg_rows_next(&rows)) {
		*candidate = (struct candidate){ .project = fg_rows_int(&rows, 0), .hard_s = fg_rows_int(&rows, 2), .device = (int)fg_rows_int(&rows, 3) };
		fg_rows_copy(&rows, 4, candidate->renderer, sizeof(candidate->renderer));
		if (fg_count_need_kib(fg_rows_int(&rows, 1)) <= claim->offer->ram_kib && accepts(claim, candidate->project))
			picked = pick_task(claim, candidate->project, last_resort);
	}
	fg_rows_end(&rows);
	return err != FG_OK && err != FG_ENOTFOUND ? err : picked;
}

static enum fg_err
choose_renderer(struct claim *claim, const struct candidate *candidate)
{
	const struct fg_session *session = claim->offer->session;
	struct fg_rows           rows;
	enum fg_err              err;

	err = fg_rows_first(&rows, claim->db, FG_SQL_RENDERER_FIT,
	                    FG_BINDS(FG_T("os", session->os), FG_T("bits", session->bits), FG_T("version", candidate->renderer)));
	if (err == FG_OK) {
		claim->renderer = fg_rows_int(&rows, 0);
		fg_rows_copy(&rows, 1, claim->lease.renderer_md5, sizeof(claim->lease.renderer_md5));
	}
	fg_rows_end(&rows);
	claim->lease.gpu = claim->offer->method == 2 || (claim->offer->method == 0 && candidate->device == 2);
	claim->hard_s = candidate->hard_s;
	return err;
}

static enum fg_err
pick(struct claim *claim)
{
	struct choice    choice = { .count = 0 };
	struct candidate candidate;
	enum fg_err      err = choose_heads(&choice, claim);

	for (int last_resort = 0; err == FG_OK && last_resort < 2; last_resort++)
		for (int i = 0; i < choice.count; i++) {
			err = pick_from_queue(claim, &candidate, choice.heads[i].queue, last_resort != 0);
			if (err == FG_OK)
				return choose_renderer(claim, &candidate);
			if (err != FG_ENOTFOUND)
				return err;
			err = FG_OK;
		}
	return err == FG_OK ? FG_ENOTFOUND : err;
}

static enum fg_err
has_renderer(struct fg_db *db, const struct fg_session *session)
{
	int64_t     renderer = 0;
	enum fg_err err = fg_db_int(&renderer, db, FG_SQL_RENDERER_FIT, FG_BINDS(FG_T("os", session->os), FG_T("bits", session->bits), FG_T("version", "")));

	return err == FG_ENOTFOUND ? fg_fail(FG_EUNSUPPORTED, "no renderer for %s %s", session->os, session->bits) : err;
}

/* Answers get lost: a session may ask for a second task while it delivers the first, but at its third request the first is lost. */
static enum fg_err
make_room(struct claim *claim)
{
	int64_t        lost[8];
	int            count = 0;
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, claim->db, FG_SQL_LEASE_ASKED, FG_BINDS(FG_I("session", claim->offer->session->id))); err == FG_OK;
	     err = fg_rows_next(&rows))
		if (fg_rows_int(&rows, 1) >= HELD_MAX && count < 8)
			lost[count++] = fg_rows_int(&rows, 0);
	fg_rows_end(&rows);
	err = err == FG_ENOTFOUND ? FG_OK : err;
	for (int i = 0; err == FG_OK && i < count; i++)
		err = fg_lease_release(claim->db, lost[i], "returned", "the same session asked for a third task", claim->now_ms);
	return err;
}

static enum fg_err
write_lease(struct claim *claim, const struct fg_settings *settings)
{
	const struct fg_session *session = claim->offer->session;
	struct fg_lease         *lease = &claim->lease;
	const int64_t            longest_s = claim->hard_s > 0 ? claim->hard_s : settings->task_max_seconds;
	const int64_t            hard_ms = claim->now_ms + longest_s * 1000, until_ms = claim->now_ms + fg_session_lease_ms(settings, session);
	enum fg_err              err;

	lease->until_ms = until_ms < hard_ms ? until_ms : hard_ms;
	if ((err = fg_db_run(claim->db, FG_SQL_TASK_LEND, FG_BINDS(FG_I("task", lease->task), FG_I("lease", lease->id)), NULL)) != FG_OK ||
	    (err = fg_db_run(claim->db, FG_SQL_LEASE_ADD,
	                     FG_BINDS(FG_I("id", lease->id), FG_I("task", lease->task), FG_I("project", lease->project), FG_I("session", session->id),
	                              FG_I("worker", session->worker), FG_I("key", session->key), FG_I("renderer", claim->renderer),
	                              FG_I("gpu", lease->gpu), FG_I("now_ms", claim->now_ms), FG_I("until_ms", lease->until_ms),
	                              FG_I("hard_ms", hard_ms)),
	                     NULL)) != FG_OK)
		return err;
	if ((err = fg_ask_lent(claim->db, session)) != FG_OK)
		return err;
	return fg_count_tasks(claim->db, lease->project, (struct fg_delta){ .waiting = -1, .running = 1, .lent_ms = claim->now_ms });
}

enum fg_err
fg_lease_grant(struct fg_lease *out, struct fg_project *project, struct fg_db *db, const struct fg_settings *settings, const struct fg_offer *offer,
               int64_t now_ms)
{
	struct claim claim = { .db = db, .offer = offer, .now_ms = now_ms, .lease = { .live = true, .open = true } };
	enum fg_err  err;
	bool         none;

	if ((err = fg_db_lease_id(&claim.lease.id, db)) != FG_OK ||
	    (err = fg_db_begin(db, settings->lease_power_safe ? FG_FULL : FG_NORMAL)) != FG_OK)
		return err;
	if ((err = fg_lease_expire(db, now_ms)) == FG_OK && (err = make_room(&claim)) == FG_OK && (err = pick(&claim)) == FG_OK &&
	    (err = write_lease(&claim, settings)) == FG_OK && project != NULL)
		err = fg_project_get(project, db, claim.lease.project);
	none = err == FG_ENOTFOUND; /* what expired is written all the same */
	if ((err = fg_db_end(db, none ? FG_OK : err)) != FG_OK)
		return err;
	if (none)
		return (err = has_renderer(db, offer->session)) == FG_OK ? FG_ENOTFOUND : err;
	fg_log(FG_LOG_INFO, "task.lent", "lease=%" PRId64 " task=%" PRId64 " session=%" PRId64 " worker=%" PRId64 " project=%" PRId64 " frame=%d tile=%d-%d",
	       claim.lease.id, claim.lease.task, offer->session->id, offer->session->worker, claim.lease.project, claim.lease.frame, claim.lease.row,
	       claim.lease.column);
	*out = claim.lease;
	return FG_OK;
}
