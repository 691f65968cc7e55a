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
