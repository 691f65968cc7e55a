#include "farm/count.h"

enum { STEPS_PER_OCTAVE = 16 };

int64_t
fg_count_need_kib(int64_t used_kib)
{
	return used_kib + used_kib / 5;
}

/* Down to a sixteenth of the octave: as few needs as that, and never one that shuts out a session that would fit. */
static int64_t
class_of(int64_t need_kib)
{
	int64_t octave = 65536;

	if (need_kib < octave)
		return 0;
	while (octave * 2 <= need_kib)
		octave *= 2;
	return need_kib / (octave / STEPS_PER_OCTAVE) * (octave / STEPS_PER_OCTAVE);
}

static enum fg_err
run(struct fg_db *db, enum fg_sql sql, int64_t queue)
{
	return fg_db_run(db, sql, FG_BINDS(FG_I("queue", queue)), NULL);
}

/* So many more of the queue's projects are open; when its first one opens or its last one closes, its need has a queue more or less. */
static enum fg_err
count_projects(struct fg_db *db, int64_t queue, int delta)
{
	struct fg_rows rows;
	int64_t        need = 0, projects = 0;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_QUEUE_PROJECTS, FG_BINDS(FG_I("queue", queue), FG_I("delta", delta)));

	if (err == FG_OK) {
		need = fg_rows_int(&rows, 0);
		projects = fg_rows_int(&rows, 1);
		fg_rows_next(&rows);
	}
	fg_rows_end(&rows);
	if (err == FG_OK && (projects == 0 || projects == delta))
		err = fg_db_run(db, FG_SQL_NEED_QUEUES, FG_BINDS(FG_I("need", need), FG_I("delta", delta)), NULL);
	return err;
}

/* A project of the queue opens or closes: its counters, its head and its turn follow. */
static enum fg_err
set_open(struct fg_db *db, int64_t project, int64_t queue, bool open)
{
	enum fg_err err;

	if ((err = run(db, FG_SQL_TURN_CLOSE, queue)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_PROJECT_OPEN, FG_BINDS(FG_I("project", project), FG_I("open", open)), NULL)) != FG_OK ||
	    (err = count_projects(db, queue, open ? 1 : -1)) != FG_OK ||
	    (err = run(db, FG_SQL_QUEUE_HEAD, queue)) != FG_OK)
		return err;
	return run(db, FG_SQL_TURN_OPEN, queue);
}

static enum fg_err
owner_running(struct fg_db *db, int64_t owner, int delta)
{
	enum fg_err err = fg_db_run(db, FG_SQL_TURN_LOAD, FG_BINDS(FG_I("owner", owner), FG_I("delta", delta)), NULL);

	return err != FG_OK ? err : fg_db_run(db, FG_SQL_USER_RUNNING, FG_BINDS(FG_I("owner", owner), FG_I("delta", delta)), NULL);
}

enum fg_err
fg_count_tasks(struct fg_db *db, int64_t project, struct fg_delta delta)
{
	struct fg_rows rows;
	int64_t        owner = 0, queue = 0;
	bool           open = false, opens = false;
	enum fg_err    err;

	err = fg_rows_first(&rows, db, FG_SQL_PROJECT_COUNT,
	                    FG_BINDS(FG_I("project", project), FG_I("waiting", delta.waiting), FG_I("running", delta.running), FG_I("done", delta.done),
	                             FG_I("lent_ms", delta.lent_ms)));
	if (err == FG_OK) {
		owner = fg_rows_int(&rows, 0);
		queue = fg_rows_int(&rows, 1);
		open = fg_rows_int(&rows, 2) != 0;
		opens = fg_rows_int(&rows, 3) != 0;
		fg_rows_next(&rows);
	}
	fg_rows_end(&rows);
	if (err == FG_OK && delta.running != 0)
		err = owner_running(db, owner, delta.running);
	return err == FG_OK && open != opens ? set_open(db, project, queue, opens) : err;
}

enum fg_err
fg_count_dequeue(struct fg_db *db, int64_t project)
{
	struct fg_rows rows;
	int64_t        queue = 0;
	bool           open = false;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_PROJECT_QUEUED, FG_BINDS(FG_I("project", project)));

	if (err == FG_OK) {
		queue = fg_rows_int(&rows, 0);
		open = fg_rows_int(&rows, 1) != 0;
	}
	fg_rows_end(&rows);
	if (err != FG_OK)
		return err == FG_ENOTFOUND ? FG_OK : err; /* not queued */
	if (open && (err = set_open(db, project, queue, false)) != FG_OK)
		return err;
	return fg_db_run(db, FG_SQL_PROJECT_SET_QUEUE, FG_BINDS(FG_I("project", project), FG_N("queue")), NULL);
}

enum fg_err
fg_count_enqueue(struct fg_db *db, int64_t project)
{
	struct fg_rows rows;
	int64_t        owner = 0, device = 0, memory = 0, waiting = 0, audience = 0, need = 0, queue = 0;
	char           version[64] = "";
	enum fg_err    err;

	if ((err = fg_count_dequeue(db, project)) != FG_OK)
		return err;
	err = fg_rows_first(&rows, db, FG_SQL_PROJECT_NEEDS, FG_BINDS(FG_I("project", project)));
	if (err == FG_OK) {
		owner = fg_rows_int(&rows, 0);
		fg_rows_copy(&rows, 1, version, sizeof(version));
		device = fg_rows_int(&rows, 2);
		memory = class_of(fg_count_need_kib(fg_rows_int(&rows, 3)));
		waiting = fg_rows_int(&rows, 4);
		audience = fg_rows_int(&rows, 5);
	}
	fg_rows_end(&rows);
	if (err != FG_OK ||
	    (err = fg_db_int(&need, db, FG_SQL_NEED_TAKE, FG_BINDS(FG_I("audience", audience), FG_T("version", version), FG_I("device", device), FG_I("memory", memory)))) != FG_OK ||
	    (err = fg_db_int(&queue, db, FG_SQL_QUEUE_TAKE, FG_BINDS(FG_I("owner", owner), FG_I("need", need)))) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_PROJECT_SET_QUEUE, FG_BINDS(FG_I("project", project), FG_I("queue", queue)), NULL)) != FG_OK)
		return err;
	return waiting > 0 ? set_open(db, project, queue, true) : FG_OK;
}

enum fg_err
fg_count_quota(struct fg_db *db, int64_t owner, int64_t quota)
{
	enum fg_err err = fg_db_run(db, FG_SQL_USER_QUOTA_RUNNING, FG_BINDS(FG_I("owner", owner), FG_I("quota", quota)), NULL);

	return err == FG_OK ? owner_running(db, owner, 0) : err; /* its queues take the place that the new quota gives them */
}

enum fg_err
fg_count_again(int64_t *differ, struct fg_db *db, bool mend)
{
	static const enum fg_sql steps[] = { FG_SQL_RECOUNT_PROJECTS, FG_SQL_RECOUNT_OPEN,  FG_SQL_RECOUNT_QUEUES,       FG_SQL_RECOUNT_NEEDS,
		                             FG_SQL_RECOUNT_USERS,    FG_SQL_RECOUNT_LOADS, FG_SQL_RECOUNT_TURNS_FORGET, FG_SQL_RECOUNT_TURNS };
	enum fg_err              err = fg_db_int(differ, db, FG_SQL_RECOUNT_DIFFER, FG_NO_BINDS);

	if (err != FG_OK || !mend || *differ == 0 || (err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	for (size_t i = 0; err == FG_OK && i < sizeof(steps) / sizeof(*steps); i++)
		err = fg_db_run(db, steps[i], FG_NO_BINDS, NULL);
	return fg_db_end(db, err);
}
