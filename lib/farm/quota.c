#include "farm/quota.h"

#include <inttypes.h>

struct quota {
	int64_t bytes, running, used_bytes, now_running;
};

static enum fg_err
read_quota(struct quota *out, struct fg_db *db, int64_t user)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_USER_QUOTA, FG_BINDS(FG_I("user", user)));

	if (err == FG_OK)
		*out = (struct quota){ fg_rows_int(&rows, 0), fg_rows_int(&rows, 1), 0, fg_rows_int(&rows, 2) };
	fg_rows_end(&rows);
	if (err == FG_OK && out->bytes > 0) /* who has no limit needs no sum */
		err = fg_db_int(&out->used_bytes, db, FG_SQL_USER_USED, FG_BINDS(FG_I("user", user)));
	return err;
}

enum fg_err
fg_quota_storage(struct fg_db *db, int64_t user, int64_t more)
{
	struct quota quota = { 0 };
	enum fg_err  err = read_quota(&quota, db, user);

	if (err != FG_OK || quota.bytes == 0 || quota.used_bytes + more <= quota.bytes)
		return err;
	return fg_fail(FG_ETOOBIG, "your storage is used up: %" PRId64 " of %" PRId64 " bytes are taken, uploads that are no project yet among them%s; delete what you no longer need", quota.used_bytes,
	               quota.bytes, quota.used_bytes < quota.bytes ? ", and this would be more" : "");
}

enum fg_err
fg_quota_uploads(struct fg_db *db, int64_t user, int64_t most)
{
	int64_t     count = 0;
	enum fg_err err = fg_db_int(&count, db, FG_SQL_UPLOAD_WAITING, FG_BINDS(FG_I("user", user)));

	if (err != FG_OK || count < most)
		return err;
	return fg_fail(FG_ECONFLICT, "%" PRId64 " of your uploads wait to become projects, and at most %" PRId64 " may (setting upload_waiting); make projects of them, or forget them",
	               count, most);
}

enum fg_err
fg_quota_running(struct fg_db *db, int64_t user)
{
	struct quota quota = { 0 };
	enum fg_err  err = read_quota(&quota, db, user);

	if (err != FG_OK || quota.running == 0 || quota.now_running < quota.running)
		return err;
	return fg_fail(FG_ECONFLICT, "%" PRId64 " of the %" PRId64 " tasks that may run for this account at once are running; wait until some are done", quota.now_running,
	               quota.running);
}
