#include "farm/purge.h"

#include "farm/housekeep.h"
#include "farm/project.h"
#include "farm/upload.h"

static enum fg_err
run(int *changes, struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	return err == FG_OK ? fg_db_end(db, fg_db_run(db, sql, binds, changes)) : err;
}

static enum fg_err
purge_projects(struct fg_farm *farm, void (*tick)(void *ctx, int gone), void *ctx, int64_t now_ms)
{
	int64_t     id = 0;
	int         gone = 0;
	enum fg_err err;

	while ((err = fg_db_int(&id, farm->db, FG_SQL_PURGE_NEXT, FG_BINDS(FG_I("now_ms", now_ms)))) == FG_OK) {
		if ((err = fg_project_delete(farm->db, &farm->spool, id, now_ms)) != FG_OK && err != FG_ENOTFOUND) /* its owner was first */
			return err;
		tick(ctx, ++gone);
	}
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
purge_uploads(struct fg_farm *farm)
{
	struct fg_rows rows;
	char           id[FG_UPLOAD_ID];
	enum fg_err    err;

	for (;;) {
		if ((err = fg_rows_first(&rows, farm->db, FG_SQL_PURGE_UPLOAD, FG_NO_BINDS)) == FG_OK)
			fg_rows_copy(&rows, 0, id, sizeof(id));
		fg_rows_end(&rows);
		if (err != FG_OK || (err = fg_upload_forget(farm, id)) != FG_OK)
			return err == FG_ENOTFOUND ? FG_OK : err;
	}
}

/* What referred to deleted projects first, then they themselves, then machines that nothing refers to any more. */
static enum fg_err
purge_rows(struct fg_farm *farm)
{
	static const enum fg_sql after[] = { FG_SQL_PURGE_LAST, FG_SQL_PURGE_EVENTS, FG_SQL_PURGE_SESSIONS, FG_SQL_PURGE_VISITS, FG_SQL_PURGE_WORKERS };
	int                      some = 1;
	enum fg_err              err = FG_OK;

	while (err == FG_OK && some > 0) {
		some = 0;
		err = fg_housekeep_deleted(&some, farm, INT64_MAX);
	}
	if (err == FG_OK)
		err = run(NULL, farm->db, FG_SQL_PURGE_VIEWERS, FG_NO_BINDS);
	if (err == FG_OK)
		err = run(NULL, farm->db, FG_SQL_PURGE_WORDS, FG_NO_BINDS);
	for (some = 1; err == FG_OK && some > 0;)
		err = run(&some, farm->db, FG_SQL_PURGE_PROJECTS, FG_NO_BINDS);
	for (size_t i = 0; err == FG_OK && i < sizeof(after) / sizeof(*after); i++)
		err = run(NULL, farm->db, after[i], FG_NO_BINDS);
	return err;
}

enum fg_err
fg_purge(struct fg_farm *farm, void (*tick)(void *ctx, int gone), void *ctx, int64_t now_ms)
{
	enum fg_err err;

	if ((err = run(NULL, farm->db, FG_SQL_PURGE_BATCH_JOBS, FG_NO_BINDS)) != FG_OK || (err = run(NULL, farm->db, FG_SQL_PURGE_BATCHES, FG_NO_BINDS)) != FG_OK ||
	    (err = purge_projects(farm, tick, ctx, now_ms)) != FG_OK || (err = purge_uploads(farm)) != FG_OK ||
	    (err = run(NULL, farm->db, FG_SQL_PURGE_END_SESSIONS, FG_BINDS(FG_I("now_ms", now_ms)))) != FG_OK)
		return err;
	return purge_rows(farm);
}
