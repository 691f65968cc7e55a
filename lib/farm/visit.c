#include "farm/visit.h"

enum fg_err
fg_visit_add(struct fg_db *db, const struct fg_visit *visit, int64_t now_ms)
{
	int64_t     visits = 0;
	enum fg_err err = fg_db_int(&visits, db, FG_SQL_WORKER_VISIT, FG_BINDS(FG_I("worker", visit->worker)));

	return err != FG_OK ? err
	                    : fg_db_run(db, FG_SQL_VISIT_PUT,
	                                FG_BINDS(FG_I("worker", visit->worker), FG_I("slot", visits % FG_VISITS), FG_I("now_ms", now_ms),
	                                         FG_T("kind", visit->kind), FG_I("answer", visit->answer), FG_I("lease", visit->lease),
	                                         FG_T("detail", visit->detail)),
	                                NULL);
}

int64_t
fg_visit_last(struct fg_db *db, int64_t worker, const char *kind)
{
	int64_t at_ms = 0;

	fg_db_int(&at_ms, db, FG_SQL_VISIT_LAST, FG_BINDS(FG_I("worker", worker), FG_I("size", FG_VISITS), FG_T("kind", kind)));
	return at_ms;
}

enum fg_err
fg_visit_note(struct fg_db *db, const struct fg_visit *visit, int64_t now_ms)
{
	const int64_t last_ms = fg_visit_last(db, visit->worker, visit->kind);
	enum fg_err   err;

	if (now_ms >= last_ms && now_ms - last_ms < 10000)
		return FG_OK;
	if ((err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	return fg_db_end(db, fg_visit_add(db, visit, now_ms));
}

enum fg_err
fg_visit_list(struct fg_db *db, int64_t worker, void (*each)(void *ctx, const struct fg_visit_line *line), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_WORKER_LOG, FG_BINDS(FG_I("worker", worker), FG_I("limit", FG_VISITS))); err == FG_OK;
	     err = fg_rows_next(&rows))
		each(ctx, &(struct fg_visit_line){ fg_rows_int(&rows, 0), fg_rows_int(&rows, 2), fg_rows_int(&rows, 3), fg_rows_int(&rows, 4), fg_rows_text(&rows, 1),
		                                   fg_rows_text(&rows, 5) });
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
