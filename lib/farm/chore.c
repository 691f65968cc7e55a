#include "farm/chore.h"

#include <string.h>

static enum fg_err
add_row(int64_t *id, struct fg_db *db, const char *kind, int64_t user, const char *name, const char *what, int64_t now_ms)
{
	int64_t     open = 0;
	enum fg_err err = fg_db_int(&open, db, FG_SQL_CHORE_OPEN, FG_BINDS(FG_T("kind", kind)));

	if (err == FG_OK && open > 0 && strcmp(kind, "import") != 0)
		err = fg_fail(FG_ECONFLICT, "a %s is on its way already", kind);
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_CHORE_ADD, FG_BINDS(FG_T("kind", kind), FG_I("user", user), FG_T("name", name), FG_T("what", what), FG_I("now_ms", now_ms)), NULL);
	*id = fg_db_last_id(db);
	return err;
}

enum fg_err
fg_chore_add(int64_t *id, struct fg_db *db, const char *kind, int64_t user, const char *name, const char *what, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	return err == FG_OK ? fg_db_end(db, add_row(id, db, kind, user, name, what, now_ms)) : err;
}

static enum fg_err
run(struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err == FG_OK ? fg_db_end(db, fg_db_run(db, sql, binds, NULL)) : err;
}

enum fg_err
fg_chore_take(int64_t *id, struct fg_db *db)
{
	enum fg_err err = fg_db_int(id, db, FG_SQL_CHORE_WAITS, FG_NO_BINDS); /* who only looks holds up nobody */

	if (err != FG_OK || (err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	return fg_db_end(db, fg_db_int(id, db, FG_SQL_CHORE_TAKE, FG_NO_BINDS));
}

static void
take(struct fg_chore *out, const struct fg_rows *rows)
{
	*out = (struct fg_chore){ .id = fg_rows_int(rows, 0), .user = fg_rows_int(rows, 2), .done = fg_rows_int(rows, 6), .total = fg_rows_int(rows, 7),
		                  .mended = fg_rows_int(rows, 8), .created_ms = fg_rows_int(rows, 10), .ended_ms = fg_rows_int(rows, 11) };
	fg_rows_copy(rows, 1, out->kind, sizeof(out->kind));
	fg_rows_copy(rows, 3, out->name, sizeof(out->name));
	fg_rows_copy(rows, 4, out->what, sizeof(out->what));
	fg_rows_copy(rows, 5, out->state, sizeof(out->state));
	fg_rows_copy(rows, 9, out->message, sizeof(out->message));
}

enum fg_err
fg_chore_get(struct fg_chore *out, struct fg_db *db, int64_t id)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_CHORE_GET, FG_BINDS(FG_I("id", id)));

	if (err == FG_OK)
		take(out, &rows);
	fg_rows_end(&rows);
	return err;
}

enum fg_err
fg_chore_progress(struct fg_db *db, const struct fg_chore *c, const char *report)
{
	return run(db, FG_SQL_CHORE_PROGRESS, FG_BINDS(FG_I("id", c->id), FG_I("done", c->done), FG_I("total", c->total), FG_I("mended", c->mended),
	                                               FG_T("message", c->message), FG_T("report", report)));
}

enum fg_err
fg_chore_end(struct fg_db *db, int64_t id, bool good, const char *message, int64_t now_ms)
{
	return run(db, FG_SQL_CHORE_END, FG_BINDS(FG_I("id", id), FG_T("state", good ? "done" : "failed"), FG_T("message", message), FG_I("now_ms", now_ms)));
}

enum fg_err
fg_chore_recover(struct fg_db *db)
{
	return run(db, FG_SQL_CHORE_RECOVER, FG_NO_BINDS);
}

enum fg_err
fg_chore_list(struct fg_db *db, const char *kind, int limit, bool (*each)(void *ctx, const struct fg_chore *chore, const char *report), void *ctx)
{
	struct fg_chore chore;
	struct fg_rows  rows;
	enum fg_err     err;

	err = fg_rows_first(&rows, db, FG_SQL_CHORE_LIST, FG_BINDS(FG_T("kind", kind), FG_I("limit", limit)));
	for (; err == FG_OK; err = fg_rows_next(&rows)) {
		take(&chore, &rows);
		if (!each(ctx, &chore, fg_rows_text(&rows, 12)))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
