#include "farm/event.h"

enum fg_err
fg_event_add(struct fg_db *db, int64_t project, const char *kind, int64_t task, int64_t lease, const char *detail, int64_t now_ms)
{
	return fg_db_run(db, FG_SQL_EVENT_ADD,
	                 FG_BINDS(FG_I("project", project), FG_T("kind", kind), FG_I("task", task), FG_I("lease", lease), FG_T("detail", detail),
	                          FG_I("now_ms", now_ms)),
	                 NULL);
}
