#include "farm/audit.h"

enum fg_err
fg_audit_add(struct fg_db *db, int64_t user, const char *action, const char *detail, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	return fg_db_end(db, fg_db_run(db, FG_SQL_AUDIT_ADD,
	                               FG_BINDS(FG_I("user", user), FG_T("action", action), FG_T("detail", detail), FG_I("now_ms", now_ms)), NULL));
}

enum fg_err
fg_audit_list(struct fg_db *db, int64_t before, int limit, bool (*each)(void *ctx, const struct fg_audit *audit), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	err = fg_rows_first(&rows, db, FG_SQL_AUDIT_LIST, FG_BINDS(FG_I("before", before > 0 ? before : INT64_MAX), FG_I("limit", limit)));
	for (; err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_audit one = { .id = fg_rows_int(&rows, 0), .at_ms = fg_rows_int(&rows, 1), .user = fg_rows_int(&rows, 2) };

		fg_rows_copy(&rows, 3, one.name, sizeof(one.name));
		fg_rows_copy(&rows, 4, one.action, sizeof(one.action));
		fg_rows_copy(&rows, 5, one.detail, sizeof(one.detail));
		if (!each(ctx, &one))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
