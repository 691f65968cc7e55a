#include "farm/worker.h"

#include <inttypes.h>

enum fg_err
fg_worker_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_worker *worker), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_WORKER_LIST, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_worker w = { .id = fg_rows_int(&rows, 0), .cores = (int)fg_rows_int(&rows, 6), .ram_kib = fg_rows_int(&rows, 7),
			               .disabled = fg_rows_int(&rows, 9) != 0, .aside_until_ms = fg_rows_int(&rows, 10), .frames = fg_rows_int(&rows, 12),
			               .render_s = fg_rows_int(&rows, 13), .seen_ms = fg_rows_int(&rows, 14) };

		fg_rows_copy(&rows, 1, w.name, sizeof(w.name));
		fg_rows_copy(&rows, 2, w.user, sizeof(w.user));
		fg_rows_copy(&rows, 3, w.os, sizeof(w.os));
		fg_rows_copy(&rows, 4, w.bits, sizeof(w.bits));
		fg_rows_copy(&rows, 5, w.cpu, sizeof(w.cpu));
		fg_rows_copy(&rows, 8, w.version, sizeof(w.version));
		fg_rows_copy(&rows, 11, w.aside, sizeof(w.aside));
		if (!each(ctx, &w))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_worker_disable(struct fg_db *db, int64_t worker, bool disabled, int64_t now_ms)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_end(db, fg_db_run(db, FG_SQL_WORKER_DISABLE, FG_BINDS(FG_I("worker", worker), FG_I("disabled", disabled), FG_I("now_ms", now_ms)), &changes));
	return err == FG_OK && changes == 0 ? fg_fail(FG_ENOTFOUND, "there is no worker %" PRId64, worker) : err;
}
