#include "launch/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { SWEEP = 500 };

static const char *const states[] = { "queued", "starting", "running", "ended" };

/* A number as text, which the REAL column takes as a number; nothing for NAN. */
static const char *
real(char out[40], double number)
{
	if (isnan(number))
		return NULL;
	snprintf(out, 40, "%.17g", number);
	return out;
}

enum fg_err
fg_run_add(struct fg_run *run, struct fg_db *db, const char *host)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_LAUNCH_ADD,
	                FG_BINDS(FG_T("host", host), FG_T("state", states[run->state]), FG_T("status", run->status), FG_T("input", run->input),
	                         FG_T("solver", run->solver), FG_T("expr", run->expr), FG_T("command", run->command), FG_T("memory", run->memory),
	                         FG_T("sender", run->sender), FG_I("ncpu", run->ncpu), FG_I("memory_bytes", run->memory_bytes), FG_I("priority", run->priority),
	                         FG_I("position", run->position), FG_I("clean", run->clean), FG_I("now_ms", run->created_ms)),
	                NULL);
	if (err == FG_OK)
		run->id = fg_db_last_id(db);
	return fg_db_end(db, err);
}

enum fg_err
fg_run_update(struct fg_db *db, const struct fg_run *run)
{
	char        current[40], end[40], progress[40], mass[40], pct[40];
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_LAUNCH_UPDATE,
	                FG_BINDS(FG_I("id", run->id), FG_T("state", states[run->state]), FG_T("status", run->status), FG_I("shown", run->shown),
	                         FG_T("command", run->command), FG_I("ncpu", run->ncpu), FG_I("memory_bytes", run->memory_bytes), FG_I("pid", run->pid),
	                         FG_T("cores", run->cores), FG_T("code", run->code), FG_T("message", run->message), FG_T("boot", run->boot),
	                         FG_T("current", real(current, run->current)), FG_T("ends_at", real(end, run->end)),
	                         FG_T("progress", real(progress, run->progress)), FG_T("mass", real(mass, run->mass)), FG_T("mass_pct", real(pct, run->mass_pct)),
	                         FG_I("started_ms", run->started_ms), FG_I("ended_ms", run->ended_ms), FG_I("paused_ms", run->paused_ms)),
	                NULL);
	return fg_db_end(db, err);
}

enum fg_err
fg_run_place(struct fg_db *db, struct fg_run *const *queue, int count)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	for (int i = 0; i < count && err == FG_OK; i++)
		err = fg_db_run(db, FG_SQL_LAUNCH_PLACE, FG_BINDS(FG_I("id", queue[i]->id), FG_I("position", queue[i]->position), FG_I("priority", queue[i]->priority)), NULL);
	return fg_db_end(db, err);
}

static double
get_real(const struct fg_rows *rows, int column)
{
	return fg_rows_null(rows, column) ? NAN : strtod(fg_rows_text(rows, column), NULL);
}

static void
get(struct fg_run *out, const struct fg_rows *rows)
{
	const struct {
		int    column;
		char  *out;
		size_t size;
	} texts[] = { { 3, out->status, sizeof(out->status) },   { 5, out->input, sizeof(out->input) },     { 6, out->solver, sizeof(out->solver) },
		      { 7, out->expr, sizeof(out->expr) },       { 8, out->command, sizeof(out->command) }, { 9, out->memory, sizeof(out->memory) },
		      { 10, out->sender, sizeof(out->sender) },  { 17, out->cores, sizeof(out->cores) },    { 18, out->code, sizeof(out->code) },
		      { 19, out->message, sizeof(out->message) }, { 20, out->boot, sizeof(out->boot) } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		fg_rows_copy(rows, texts[i].column, texts[i].out, texts[i].size);
	out->eta = 0;
	out->id = fg_rows_int(rows, 0);
	for (int i = 0; i < 4; i++)
		if (strcmp(fg_rows_text(rows, 2), states[i]) == 0)
			out->state = (enum fg_run_state)i;
	out->shown = fg_rows_int(rows, 4) != 0;
	out->ncpu = fg_rows_int(rows, 11);
	out->memory_bytes = fg_rows_int(rows, 12);
	out->priority = fg_rows_int(rows, 13);
	out->position = fg_rows_int(rows, 14);
	out->clean = fg_rows_int(rows, 15) != 0;
	out->pid = fg_rows_int(rows, 16);
	out->current = get_real(rows, 21);
	out->end = get_real(rows, 22);
	out->progress = get_real(rows, 23);
	out->mass = get_real(rows, 24);
	out->mass_pct = get_real(rows, 25);
	out->created_ms = fg_rows_int(rows, 26);
	out->started_ms = fg_rows_int(rows, 27);
	out->ended_ms = fg_rows_int(rows, 28);
	out->paused_ms = fg_rows_int(rows, 29);
}

static enum fg_err
each_row(struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds, fg_run_each *each, void *ctx)
{
	struct fg_run *run = fg_alloc(sizeof(*run));
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, sql, binds); err == FG_OK; err = fg_rows_next(&rows)) {
		get(run, &rows);
		if (!each(ctx, run))
			break;
	}
	fg_rows_end(&rows);
	free(run);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_run_open(struct fg_db *db, const char *host, fg_run_each *each, void *ctx)
{
	return each_row(db, FG_SQL_LAUNCH_OPEN, FG_BINDS(FG_T("host", host)), each, ctx);
}

enum fg_err
fg_run_recent(struct fg_db *db, const char *host, int limit, fg_run_each *each, void *ctx)
{
	return each_row(db, FG_SQL_LAUNCH_RECENT, FG_BINDS(FG_T("host", host), FG_I("limit", limit)), each, ctx);
}

enum fg_err
fg_run_get(struct fg_run *out, struct fg_db *db, const char *host, int64_t id)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_LAUNCH_GET, FG_BINDS(FG_I("id", id), FG_T("host", host)));

	if (err == FG_OK)
		get(out, &rows);
	fg_rows_end(&rows);
	return err;
}

enum fg_err
fg_run_history(int64_t *total, struct fg_db *db, const char *host, const char *words, int limit, int64_t offset, fg_run_each *each, void *ctx)
{
	enum fg_err err = fg_db_int(total, db, FG_SQL_LAUNCH_COUNT, FG_BINDS(FG_T("host", host), FG_T("words", words)));

	if (err != FG_OK)
		return err;
	return each_row(db, FG_SQL_LAUNCH_HISTORY, FG_BINDS(FG_T("host", host), FG_T("words", words), FG_I("limit", limit), FG_I("offset", offset)), each, ctx);
}

enum fg_err
fg_run_sweep(int *count, struct fg_db *db, const char *host, int64_t before_ms)
{
	enum fg_err err;

	*count = 0;
	if ((err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	return fg_db_end(db, fg_db_run(db, FG_SQL_LAUNCH_SWEEP, FG_BINDS(FG_T("host", host), FG_I("before_ms", before_ms), FG_I("limit", SWEEP)), count));
}
