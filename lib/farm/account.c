#include "farm/account.h"

#include <inttypes.h>
#include <stdio.h>

#include "farm/count.h"
#include "farm/project.h"

static void
take(struct fg_account *out, const struct fg_rows *rows)
{
	*out = (struct fg_account){ .id = fg_rows_int(rows, 0), .roles = (int)fg_rows_int(rows, 2), .disabled = fg_rows_int(rows, 3) != 0,
		                    .quota_bytes = fg_rows_int(rows, 4), .quota_running = fg_rows_int(rows, 5), .running = fg_rows_int(rows, 6),
		                    .points = fg_rows_int(rows, 7), .created_ms = fg_rows_int(rows, 8), .used_bytes = fg_rows_int(rows, 9),
		                    .projects = fg_rows_int(rows, 10), .workers = fg_rows_int(rows, 11), .keys = fg_rows_int(rows, 12),
		                    .tokens = fg_rows_int(rows, 13), .seen_ms = fg_rows_int(rows, 14) };
	fg_rows_copy(rows, 1, out->name, sizeof(out->name));
}

enum fg_err
fg_account_get(struct fg_account *out, struct fg_db *db, int64_t id)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_ACCOUNT_GET, FG_BINDS(FG_I("id", id)));

	if (err == FG_OK)
		take(out, &rows);
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "there is no account %" PRId64, id) : err;
}

enum fg_err
fg_account_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_account *account), void *ctx)
{
	struct fg_account account;
	struct fg_rows    rows;
	enum fg_err       err;

	for (err = fg_rows_first(&rows, db, FG_SQL_ACCOUNT_LIST, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows)) {
		take(&account, &rows);
		if (!each(ctx, &account))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* Inside a transaction, after the change: rolled back when nobody is left. */
static enum fg_err
check_admins(struct fg_db *db)
{
	int64_t     admins = 0;
	enum fg_err err = fg_db_int(&admins, db, FG_SQL_ADMIN_COUNT, FG_NO_BINDS);

	return err == FG_OK && admins == 0 ? fg_fail(FG_ECONFLICT, "this is the farm's last admin; make somebody else admin first") : err;
}

static enum fg_err
change_row(struct fg_db *db, int64_t id, const struct fg_account_change *c)
{
	struct fg_account account;
	enum fg_err       err = fg_account_get(&account, db, id);

	if (err == FG_OK && c->roles >= 0)
		err = fg_db_run(db, FG_SQL_USER_ROLES, FG_BINDS(FG_I("id", id), FG_I("roles", c->roles)), NULL);
	if (err == FG_OK && c->disabled >= 0)
		err = fg_db_run(db, FG_SQL_USER_DISABLE, FG_BINDS(FG_I("id", id), FG_I("disabled", c->disabled)), NULL);
	if (err == FG_OK && c->quota_bytes >= 0)
		err = fg_db_run(db, FG_SQL_USER_QUOTA_BYTES, FG_BINDS(FG_I("id", id), FG_I("quota", c->quota_bytes)), NULL);
	if (err == FG_OK && c->quota_running >= 0)
		err = fg_count_quota(db, id, c->quota_running);
	return err == FG_OK && (c->roles >= 0 || c->disabled >= 0) ? check_admins(db) : err;
}

enum fg_err
fg_account_change(struct fg_db *db, int64_t id, const struct fg_account_change *change)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	return err == FG_OK ? fg_db_end(db, change_row(db, id, change)) : err;
}

static enum fg_err
forget_row(struct fg_db *db, int64_t id, int64_t now_ms)
{
	static const enum fg_sql dated[] = { FG_SQL_ACCOUNT_GONE, FG_SQL_ACCOUNT_REVOKE, FG_SQL_ACCOUNT_INVITATIONS, FG_SQL_ACCOUNT_BATCH_JOBS,
		                               FG_SQL_ACCOUNT_BATCHES };
	struct fg_account        account;
	enum fg_err              err = fg_account_get(&account, db, id);

	for (size_t i = 0; err == FG_OK && i < sizeof(dated) / sizeof(*dated); i++)
		err = fg_db_run(db, dated[i], FG_BINDS(FG_I("id", id), FG_I("now_ms", now_ms)), NULL);
	if (err == FG_OK && (err = fg_db_run(db, FG_SQL_ACCOUNT_WORKERS, FG_BINDS(FG_I("id", id)), NULL)) == FG_OK)
		err = fg_db_run(db, FG_SQL_ACCOUNT_VIEWER, FG_BINDS(FG_I("id", id)), NULL);
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_ACCOUNT_DOORS, FG_BINDS(FG_I("id", id)), NULL);
	return err == FG_OK ? check_admins(db) : err;
}

static enum fg_err
delete_projects(int *count, struct fg_farm *farm, enum fg_sql next, const struct fg_bind *binds, int most, int64_t now_ms)
{
	int64_t     project = 0;
	enum fg_err err = FG_OK;

	for (; *count < most && (err = fg_db_int(&project, farm->db, next, binds)) == FG_OK; ++*count)
		if ((err = fg_project_delete(farm->db, &farm->spool, project, now_ms)) != FG_OK && err != FG_ENOTFOUND) /* an admin was first */
			return err;
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_account_remove(struct fg_farm *farm, int64_t id, int64_t now_ms)
{
	int         count = 0;
	enum fg_err err = fg_db_begin(farm->db, FG_FULL);

	if (err != FG_OK || (err = fg_db_end(farm->db, forget_row(farm->db, id, now_ms))) != FG_OK)
		return err;
	return delete_projects(&count, farm, FG_SQL_ACCOUNT_PROJECT, FG_BINDS(FG_I("id", id)), INT32_MAX, now_ms);
}

enum fg_err
fg_account_sweep(int *count, struct fg_farm *farm, int64_t now_ms)
{
	return delete_projects(count, farm, FG_SQL_GONE_PROJECT, FG_NO_BINDS, 100, now_ms);
}
