#include "farm/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "farm/ask.h"

static const int64_t DAY_MS = 24 * 60 * 60 * 1000, MINUTE_MS = 60000;

static void
take_row(struct fg_worker *w, const struct fg_rows *rows)
{
	int c = 0;

#define INT(field) w->field = fg_rows_int(rows, c++)
#define NUMBER(field) w->field = (int)fg_rows_int(rows, c++)
#define FLAG(field) w->field = fg_rows_int(rows, c++) != 0
#define TEXT(field) fg_rows_copy(rows, c, w->field, sizeof(w->field)), c++
	INT(id), TEXT(name), INT(owner), TEXT(user), TEXT(os), TEXT(bits), TEXT(cpu), NUMBER(cores), INT(ram_kib), TEXT(gpu), TEXT(version), TEXT(tags);
	FLAG(disabled), INT(aside_until_ms), TEXT(aside), INT(aside_by), NUMBER(sleep.from), NUMBER(sleep.to), TEXT(sleep.zone);
	INT(frames), INT(render_s), INT(points), INT(seen_ms), INT(failures);
	w->own = fg_rows_int(rows, c++) == 1;
	FLAG(here), INT(next_ms);
#undef INT
#undef NUMBER
#undef FLAG
#undef TEXT
}

enum fg_err
fg_worker_list(struct fg_db *db, const struct fg_settings *settings, const struct fg_worker_query *query, int64_t now_ms,
               bool (*each)(void *ctx, const struct fg_worker *worker), void *ctx)
{
	struct fg_worker worker;
	struct fg_rows   rows;
	enum fg_err      err;

	for (err = fg_rows_first(&rows, db, FG_SQL_WORKER_LIST,
	                         FG_BINDS(FG_I("after", query->after), FG_I("since_ms", query->since_ms), FG_I("here", query->here), FG_I("limit", query->limit),
	                                  FG_I("day_ms", now_ms - DAY_MS), FG_I("stock_ms", now_ms - settings->lease_stock_seconds * 1000),
	                                  FG_I("own_ms", now_ms - settings->lease_own_seconds * 1000 - MINUTE_MS), FG_I("overdue_ms", now_ms - FG_ASK_OVERDUE_MS)));
	     err == FG_OK; err = fg_rows_next(&rows)) {
		take_row(&worker, &rows);
		if (!each(ctx, &worker))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static bool
keep(void *ctx, const struct fg_worker *worker)
{
	*(struct fg_worker *)ctx = *worker;
	return false;
}

enum fg_err
fg_worker_get(struct fg_worker *out, struct fg_db *db, const struct fg_settings *settings, int64_t id, int64_t now_ms)
{
	const struct fg_worker_query query = { .after = id - 1, .since_ms = -1, .limit = 1 };
	enum fg_err                  err;

	out->id = 0;
	err = fg_worker_list(db, settings, &query, now_ms, keep, out);
	return err == FG_OK && out->id != id ? fg_fail(FG_ENOTFOUND, "there is no worker %" PRId64, id) : err;
}

const char *
fg_worker_state(const struct fg_worker *worker, int jobs, int64_t now_ms)
{
	if (worker->disabled)
		return "disabled";
	if (worker->aside_until_ms > now_ms)
		return "aside";
	if (!worker->here)
		return "offline";
	return jobs > 0 ? "rendering" : fg_sleep_at(&worker->sleep, now_ms) ? "asleep" : "idle";
}

/* One statement on one worker, a transaction of its own. */
static enum fg_err
write_one(struct fg_db *db, enum fg_db_sync sync, enum fg_sql sql, const struct fg_bind *binds, int64_t worker)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, sync);

	if (err != FG_OK)
		return err;
	err = fg_db_end(db, fg_db_run(db, sql, binds, &changes));
	return err == FG_OK && changes == 0 ? fg_fail(FG_ENOTFOUND, "there is no worker %" PRId64, worker) : err;
}

enum fg_err
fg_worker_disable(struct fg_db *db, int64_t worker, bool disabled, int64_t now_ms)
{
	return write_one(db, FG_FULL, FG_SQL_WORKER_DISABLE, FG_BINDS(FG_I("worker", worker), FG_I("disabled", disabled), FG_I("now_ms", now_ms)), worker);
}

enum fg_err
fg_worker_aside(struct fg_db *db, int64_t worker, int64_t until_ms, const char *why, int64_t by, int64_t now_ms)
{
	return write_one(db, FG_FULL, FG_SQL_WORKER_ASIDE,
	                 FG_BINDS(FG_I("worker", worker), FG_I("until_ms", until_ms), FG_T("why", why), FG_I("by", by), FG_I("now_ms", now_ms)), worker);
}

enum fg_err
fg_worker_rename(struct fg_db *db, int64_t worker, const char *name)
{
	const size_t len = strlen(name);

	if (len == 0 || len >= FG_WORKER_NAME || strspn(name, " ") == len)
		return fg_fail(FG_EINVAL, "a worker's name has 1 to %d characters", FG_WORKER_NAME - 1);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return fg_fail(FG_EINVAL, "a worker's name is one line of text");
	return write_one(db, FG_FULL, FG_SQL_WORKER_NAME, FG_BINDS(FG_I("worker", worker), FG_T("name", name)), worker);
}

enum fg_err
fg_worker_tag(struct fg_db *db, int64_t worker, const char *tags)
{
	static const char signs[] = " ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	char              kept[FG_WORKER_TAGS] = "";
	size_t            len = 0;

	if (strlen(tags) >= sizeof(kept) || strspn(tags, signs) != strlen(tags))
		return fg_fail(FG_EINVAL, "tags are words of letters, digits, '.', '_' and '-', separated by blanks, %d characters in all", FG_WORKER_TAGS - 1);
	for (const char *at = tags + strspn(tags, " "); *at != '\0'; at += strspn(at, " ")) {
		const size_t word = strcspn(at, " ");

		len += (size_t)snprintf(kept + len, sizeof(kept) - len, "%s%.*s", len > 0 ? " " : "", (int)word, at);
		at += word;
	}
	return write_one(db, FG_FULL, FG_SQL_WORKER_TAGS, FG_BINDS(FG_I("worker", worker), FG_T("tags", kept)), worker);
}

enum fg_err
fg_worker_sleep(struct fg_db *db, int64_t worker, const struct fg_sleep *sleep)
{
	return write_one(db, FG_FULL, FG_SQL_WORKER_SLEEP,
	                 FG_BINDS(FG_I("worker", worker), FG_I("from", sleep->from), FG_I("to", sleep->to), FG_T("zone", sleep->zone)), worker);
}

enum fg_err
fg_worker_gpu(struct fg_db *db, int64_t worker, const char *gpu)
{
	return write_one(db, FG_NORMAL, FG_SQL_WORKER_GPU, FG_BINDS(FG_I("worker", worker), FG_T("gpu", gpu)), worker);
}

enum fg_err
fg_worker_jobs(struct fg_db *db, int64_t worker, const struct fg_user *viewer, void (*each)(void *ctx, const struct fg_worker_job *job), void *ctx)
{
	const int64_t  user = (viewer->roles & FG_ROLE_ADMIN) != 0 ? 0 : viewer->id;
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_WORKER_JOBS, FG_BINDS(FG_I("worker", worker), FG_I("user", user))); err == FG_OK; err = fg_rows_next(&rows))
		each(ctx, &(struct fg_worker_job){ fg_rows_int(&rows, 0), fg_rows_int(&rows, 1), fg_rows_int(&rows, 2), fg_rows_int(&rows, 3), fg_rows_int(&rows, 4),
		                                   fg_rows_int(&rows, 5), fg_rows_int(&rows, 6), fg_rows_int(&rows, 7),
		                                   fg_rows_null(&rows, 8) ? NULL : fg_rows_text(&rows, 8) });
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
