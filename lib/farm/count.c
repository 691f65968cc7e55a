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
head(struct fg_db *db, int64_t queue)
{
	return fg_db_run(db, FG_SQL_QUEUE_HEAD, FG_BINDS(FG_I("queue", queue)), NULL);
}

/* So many more tasks wait in this queue. */
static enum fg_err
queue_waiting(struct fg_db *db, int64_t queue, int64_t delta, bool head_changed)
{
	int64_t     need = 0;
	enum fg_err err;

	if ((err = fg_db_int(&need, db, FG_SQL_QUEUE_WAITING, FG_BINDS(FG_I("queue", queue), FG_I("delta", delta)))) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_NEED_WAITING, FG_BINDS(FG_I("need", need), FG_I("delta", delta)), NULL)) != FG_OK)
		return err;
	return head_changed ? head(db, queue) : FG_OK;
}

static enum fg_err
owner_running(struct fg_db *db, int64_t owner, int delta)
{
	int64_t     load = 0;
	enum fg_err err = fg_db_int(&load, db, FG_SQL_USER_RUNNING, FG_BINDS(FG_I("owner", owner), FG_I("delta", delta)));

	return err != FG_OK ? err : fg_db_run(db, FG_SQL_QUEUE_LOAD, FG_BINDS(FG_I("owner", owner), FG_I("load", load)), NULL);
}

enum fg_err
fg_count_tasks(struct fg_db *db, int64_t project, struct fg_delta delta)
{
	struct fg_rows rows;
	int64_t        owner, queue, waiting;
	bool           active;
	enum fg_err    err;

	err = fg_rows_first(&rows, db, FG_SQL_PROJECT_COUNT,
	                    FG_BINDS(FG_I("project", project), FG_I("waiting", delta.waiting), FG_I("running", delta.running), FG_I("done", delta.done)));
	if (err != FG_OK) {
		fg_rows_end(&rows);
		return err;
	}
	owner = fg_rows_int(&rows, 0);
	queue = fg_rows_int(&rows, 1);
	active = fg_rows_int(&rows, 2) != 0;
	waiting = fg_rows_int(&rows, 3);
	fg_rows_next(&rows);
	fg_rows_end(&rows);
	err = FG_OK;
	if (delta.running != 0)
		err = owner_running(db, owner, delta.running);
	if (err == FG_OK && delta.waiting != 0 && active)
		err = queue_waiting(db, queue, delta.waiting, waiting == 0 || waiting == delta.waiting);
	return err;
}

enum fg_err
fg_count_dequeue(struct fg_db *db, int64_t project)
{
	struct fg_rows rows;
	int64_t        queue = 0, waiting = 0;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_PROJECT_QUEUED, FG_BINDS(FG_I("project", project)));

	if (err == FG_OK) {
		queue = fg_rows_int(&rows, 0);
		waiting = fg_rows_int(&rows, 1);
	}
	fg_rows_end(&rows);
	if (err != FG_OK)
		return err == FG_ENOTFOUND ? FG_OK : err; /* not queued */
	if ((err = fg_db_run(db, FG_SQL_PROJECT_SET_QUEUE, FG_BINDS(FG_I("project", project), FG_N("queue")), NULL)) != FG_OK)
		return err;
	return queue_waiting(db, queue, -waiting, true);
}

enum fg_err
fg_count_enqueue(struct fg_db *db, int64_t project)
{
	struct fg_rows rows;
	int64_t        owner = 0, device = 0, memory = 0, waiting = 0, need = 0, queue = 0;
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
	}
	fg_rows_end(&rows);
	if (err != FG_OK ||
	    (err = fg_db_int(&need, db, FG_SQL_NEED_TAKE, FG_BINDS(FG_T("version", version), FG_I("device", device), FG_I("memory", memory)))) != FG_OK ||
	    (err = fg_db_int(&queue, db, FG_SQL_QUEUE_TAKE, FG_BINDS(FG_I("owner", owner), FG_I("need", need)))) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_PROJECT_SET_QUEUE, FG_BINDS(FG_I("project", project), FG_I("queue", queue)), NULL)) != FG_OK)
		return err;
	return queue_waiting(db, queue, waiting, true);
}
