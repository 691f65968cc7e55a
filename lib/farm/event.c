#include "farm/event.h"

enum { SPAN = 5000 }; /* events looked at in one call */

enum fg_err
fg_event_add(struct fg_db *db, int64_t project, const char *kind, int64_t task, int64_t lease, const char *detail, int64_t now_ms)
{
	return fg_db_run(db, FG_SQL_EVENT_ADD,
	                 FG_BINDS(FG_I("project", project), FG_T("kind", kind), FG_I("task", task), FG_I("lease", lease), FG_T("detail", detail),
	                          FG_I("now_ms", now_ms)),
	                 NULL);
}

enum fg_err
fg_event_last(int64_t *out, struct fg_db *db)
{
	return fg_db_int(out, db, FG_SQL_EVENT_LAST, FG_NO_BINDS);
}

enum fg_err
fg_event_lent(int64_t *out, struct fg_db *db)
{
	return fg_db_int(out, db, FG_SQL_LEASE_LAST, FG_NO_BINDS);
}

/* Ids of what is kept begin here; one beyond the last when nothing is. */
static enum fg_err
oldest(int64_t *out, struct fg_db *db, int64_t last)
{
	enum fg_err err = fg_db_int(out, db, FG_SQL_EVENT_OLDEST, FG_NO_BINDS);

	if (err != FG_ENOTFOUND)
		return err;
	*out = last + 1;
	return FG_OK;
}

enum fg_err
fg_event_list(int64_t *last, bool *reset, struct fg_db *db, int64_t after, int64_t user, int64_t project, int limit,
              void (*each)(void *ctx, const struct fg_event *event), void *ctx)
{
	struct fg_rows rows;
	int64_t        first;
	int            count = 0;
	enum fg_err    err;

	if ((err = fg_event_last(last, db)) != FG_OK || (err = oldest(&first, db, *last)) != FG_OK)
		return err;
	*reset = after > *last || after + 1 < first;
	if (*reset || after == *last)
		return FG_OK;
	if (*last > after + SPAN)
		*last = after + SPAN;
	for (err = fg_rows_first(&rows, db, FG_SQL_EVENT_LIST,
	                         FG_BINDS(FG_I("after", after), FG_I("last", *last), FG_I("user", user), FG_I("project", project), FG_I("limit", limit)));
	     err == FG_OK; err = fg_rows_next(&rows)) {
		const struct fg_event event = { .id = fg_rows_int(&rows, 0), .at_ms = fg_rows_int(&rows, 1), .project = fg_rows_int(&rows, 2),
			                        .task = fg_rows_int(&rows, 4), .lease = fg_rows_int(&rows, 5), .kind = fg_rows_text(&rows, 3),
			                        .detail = fg_rows_text(&rows, 6) };

		each(ctx, &event);
		if (++count == limit)
			*last = event.id; /* there may be more up to the end of the span */
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
