#include "farm/renderer.h"

#include <inttypes.h>

enum fg_err
fg_renderer_add(int64_t *id, struct fg_db *db, const struct fg_renderer *r, int64_t now_ms)
{
	const struct fg_bind caps = r->caps >= 0 ? (struct fg_bind)FG_I("caps", r->caps) : (struct fg_bind)FG_N("caps");
	enum fg_err          err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_RENDERER_ADD,
	                FG_BINDS(FG_T("md5", r->md5), FG_T("sha256", r->sha256), FG_T("version", r->version), FG_T("os", r->os), FG_T("bits", r->bits), caps,
	                         FG_I("size", r->size), FG_T("path", r->path), FG_I("now_ms", now_ms)),
	                NULL);
	*id = fg_db_last_id(db);
	return fg_db_end(db, err);
}

enum fg_err
fg_renderer_remove(struct fg_db *db, int64_t id)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_end(db, fg_db_run(db, FG_SQL_RENDERER_REMOVE, FG_BINDS(FG_I("id", id)), &changes));
	return err == FG_OK && changes == 0 ? fg_fail(FG_ENOTFOUND, "there is no renderer %" PRId64, id) : err;
}

enum fg_err
fg_renderer_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_renderer *renderer), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_RENDERER_LIST, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_renderer r = { .id = fg_rows_int(&rows, 0), .caps = fg_rows_null(&rows, 6) ? -1 : (int)fg_rows_int(&rows, 6),
			                 .size = fg_rows_int(&rows, 7), .created_ms = fg_rows_int(&rows, 8) };

		fg_rows_copy(&rows, 1, r.md5, sizeof(r.md5));
		fg_rows_copy(&rows, 2, r.sha256, sizeof(r.sha256));
		fg_rows_copy(&rows, 3, r.version, sizeof(r.version));
		fg_rows_copy(&rows, 4, r.os, sizeof(r.os));
		fg_rows_copy(&rows, 5, r.bits, sizeof(r.bits));
		if (!each(ctx, &r))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_renderer_no_denoise(bool *out, struct fg_db *db, const char *version)
{
	int64_t     all = 0, without = 0;
	enum fg_err err;

	if ((err = fg_db_int(&all, db, FG_SQL_RENDERER_COUNT, FG_BINDS(FG_T("version", version)))) != FG_OK ||
	    (err = fg_db_int(&without, db, FG_SQL_RENDERER_COUNT_WITHOUT, FG_BINDS(FG_T("version", version), FG_I("cap", FG_CAP_DENOISE)))) != FG_OK)
		return err;
	*out = all > 0 && all == without;
	return FG_OK;
}

enum fg_err
fg_renderer_exists(bool *out, struct fg_db *db, const char *version)
{
	int64_t     all = 0;
	enum fg_err err = fg_db_int(&all, db, FG_SQL_RENDERER_COUNT, FG_BINDS(FG_T("version", version)));

	*out = all > 0;
	return err;
}

enum fg_err
fg_renderer_of_path(char version[64], struct fg_db *db, const char *path)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_RENDERER_OF_PATH, FG_BINDS(FG_T("path", path)));

	if (err == FG_OK)
		fg_rows_copy(&rows, 0, version, 64);
	fg_rows_end(&rows);
	return err;
}
