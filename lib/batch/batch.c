#include "batch/batch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>
#include <sodium.h>

#include "base/log.h"
#include "farm/project.h"

enum { SEALED_MAX = 512 };

/* --- the mail's password, which must lie in the state until the mail is sent */

static size_t
seal(unsigned char out[SEALED_MAX], const struct fg_db *db, const char *pass)
{
	const size_t len = strlen(pass);

	if (len == 0 || len + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES > SEALED_MAX)
		return 0;
	randombytes_buf(out, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, (const unsigned char *)pass, len, out, fg_db_secret(db));
	return len + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
}

static void
unseal(char out[SEALED_MAX], const struct fg_db *db, const unsigned char *sealed, size_t len)
{
	const size_t extra = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;

	out[0] = '\0';
	if (len <= extra || len > SEALED_MAX)
		return;
	if (crypto_secretbox_open_easy((unsigned char *)out, sealed + crypto_secretbox_NONCEBYTES, len - crypto_secretbox_NONCEBYTES, sealed, fg_db_secret(db)) == 0)
		out[len - extra] = '\0';
	else
		out[0] = '\0';
}

/* --- a recipe becomes rows */

static enum fg_err
add_jobs(struct fg_db *db, int64_t batch, const struct fg_recipe *recipe)
{
	enum fg_err err = FG_OK;

	for (int i = 0; err == FG_OK && i < recipe->count; i++)
		err = fg_db_run(db, FG_SQL_BATCH_JOB_ADD,
		                FG_BINDS(FG_I("batch", batch), FG_I("number", i), FG_T("name", recipe->jobs[i].name),
		                         FG_T("state", recipe->jobs[i].enabled ? "QUEUED" : "DISABLED")),
		                NULL);
	return err;
}

static enum fg_err
add(int64_t *id, struct fg_db *db, int64_t owner, bool local, const struct fg_recipe *recipe, const char *text, int64_t now_ms)
{
	unsigned char   sealed[SEALED_MAX];
	const size_t    len = seal(sealed, db, recipe->mail.enabled ? recipe->mail.pass : "");
	struct fg_batch before;
	enum fg_err     err = fg_batch_newest(&before, db, owner);

	if (err == FG_OK && strcmp(before.state, "RUNNING") == 0)
		return fg_fail(FG_ECONFLICT, "a batch is already running; wait for its end or cancel it");
	if (err != FG_OK && err != FG_ENOTFOUND)
		return err;
	if ((err = fg_db_run(db, FG_SQL_BATCH_REPLACE_JOBS, FG_BINDS(FG_I("owner", owner)), NULL)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_BATCH_REPLACE, FG_BINDS(FG_I("owner", owner)), NULL)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_BATCH_ADD,
	                     FG_BINDS(FG_I("owner", owner), FG_T("name", recipe->name), FG_T("recipe", text), FG_B("password", sealed, len),
	                              FG_I("jobs", recipe->count), FG_I("local", local), FG_I("now_ms", now_ms)),
	                     NULL)) != FG_OK)
		return err;
	*id = fg_db_last_id(db);
	return add_jobs(db, *id, recipe);
}

enum fg_err
fg_batch_add(int64_t *id, struct fg_db *db, int64_t owner, bool local, const struct fg_recipe *recipe, int64_t now_ms)
{
	struct fg_buf text = { 0 };
	enum fg_err   err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	fg_recipe_text(&text, recipe);
	err = fg_db_end(db, add(id, db, owner, local, recipe, fg_buf_text(&text), now_ms));
	fg_buf_free(&text);
	return err;
}

enum fg_err
fg_batch_recipe(struct fg_recipe **out, struct fg_db *db, int64_t batch)
{
	struct fg_rows rows;
	char           pass[SEALED_MAX] = "";
	json_object   *notifications = NULL, *mail = NULL;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_BATCH_RECIPE, FG_BINDS(FG_I("batch", batch)));

	*out = NULL;
	if (err == FG_OK) {
		const char  *text = fg_rows_text(&rows, 0);
		size_t       len = 0;
		const void  *sealed = fg_rows_blob(&rows, 1, &len);

		unseal(pass, db, sealed, len);
		err = fg_recipe_read(out, text, strlen(text), INT32_MAX);
	}
	fg_rows_end(&rows);
	if (err == FG_OK && pass[0] != '\0' && json_object_object_get_ex((*out)->root, "notifications", &notifications) &&
	    json_object_object_get_ex(notifications, "mail", &mail)) {
		json_object *text = json_object_new_string(pass);

		json_object_object_add(mail, "pass", text);
		(*out)->mail.pass = json_object_get_string(text);
	}
	sodium_memzero(pass, sizeof(pass));
	return err;
}

/* --- reading */

static void
take_batch(struct fg_batch *out, const struct fg_rows *rows)
{
	*out = (struct fg_batch){ .id = fg_rows_int(rows, 0), .owner = fg_rows_int(rows, 1), .jobs = (int)fg_rows_int(rows, 5),
		                  .ending = (int)fg_rows_int(rows, 6), .local = fg_rows_int(rows, 7) != 0, .created_ms = fg_rows_int(rows, 8),
		                  .started_ms = fg_rows_int(rows, 9), .finished_ms = fg_rows_int(rows, 10) };
	fg_rows_copy(rows, 2, out->owner_name, sizeof(out->owner_name));
	fg_rows_copy(rows, 3, out->name, sizeof(out->name));
	fg_rows_copy(rows, 4, out->state, sizeof(out->state));
}

static enum fg_err
one_batch(struct fg_batch *out, struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, sql, binds);

	if (err == FG_OK)
		take_batch(out, &rows);
	fg_rows_end(&rows);
	return err;
}

enum fg_err
fg_batch_newest(struct fg_batch *out, struct fg_db *db, int64_t owner)
{
	return one_batch(out, db, FG_SQL_BATCH_NEWEST, FG_BINDS(FG_I("owner", owner)));
}

enum fg_err
fg_batch_get(struct fg_batch *out, struct fg_db *db, int64_t id)
{
	return one_batch(out, db, FG_SQL_BATCH_GET, FG_BINDS(FG_I("batch", id)));
}

enum fg_err
fg_batch_list(struct fg_db *db, int64_t owner, int64_t before, int limit, bool (*each)(void *ctx, const struct fg_batch *batch), void *ctx)
{
	const struct fg_bind all[] = { FG_I("before", before), FG_I("limit", limit), { .name = NULL } };
	const struct fg_bind own[] = { FG_I("before", before), FG_I("limit", limit), FG_I("owner", owner), { .name = NULL } };
	struct fg_batch      batch;
	struct fg_rows       rows;
	enum fg_err          err = fg_rows_first(&rows, db, owner > 0 ? FG_SQL_BATCH_LIST_OF : FG_SQL_BATCH_LIST, owner > 0 ? own : all);

	for (; err == FG_OK; err = fg_rows_next(&rows)) {
		take_batch(&batch, &rows);
		if (!each(ctx, &batch))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static void
take_job(struct fg_batch_job *out, const struct fg_rows *rows)
{
	*out = (struct fg_batch_job){ .id = fg_rows_int(rows, 0), .batch = fg_rows_int(rows, 1), .number = (int)fg_rows_int(rows, 2),
		                      .project = fg_rows_int(rows, 5), .progress = (double)fg_rows_int(rows, 6) / 1e6,
		                      .started_ms = fg_rows_int(rows, 9), .finished_ms = fg_rows_int(rows, 10) };
	fg_rows_copy(rows, 3, out->name, sizeof(out->name));
	fg_rows_copy(rows, 4, out->state, sizeof(out->state));
	fg_rows_copy(rows, 7, out->engine, sizeof(out->engine));
	fg_rows_copy(rows, 8, out->message, sizeof(out->message));
}

enum fg_err
fg_batch_jobs(struct fg_db *db, int64_t batch, void (*each)(void *ctx, const struct fg_batch_job *job), void *ctx)
{
	struct fg_batch_job job;
	struct fg_rows      rows;
	enum fg_err         err = fg_rows_first(&rows, db, FG_SQL_BATCH_JOB_LIST, FG_BINDS(FG_I("batch", batch)));

	for (; err == FG_OK; err = fg_rows_next(&rows)) {
		take_job(&job, &rows);
		each(ctx, &job);
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_batch_job(struct fg_batch_job *out, struct fg_db *db, int64_t batch, int number)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_BATCH_JOB_GET, FG_BINDS(FG_I("batch", batch), FG_I("number", number)));

	if (err == FG_OK)
		take_job(out, &rows);
	fg_rows_end(&rows);
	return err;
}

/* --- changes */

/* One statement in a transaction of its own; FG_ECONFLICT when it found nothing to change. */
static enum fg_err
change(struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds, const char *otherwise)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	if ((err = fg_db_run(db, sql, binds, &changes)) == FG_OK && changes == 0 && otherwise != NULL)
		err = fg_fail(FG_ECONFLICT, "%s", otherwise);
	return fg_db_end(db, err);
}

enum fg_err
fg_batch_start(struct fg_db *db, int64_t batch, int64_t now_ms)
{
	enum fg_err err = change(db, FG_SQL_BATCH_START, FG_BINDS(FG_I("batch", batch), FG_I("now_ms", now_ms)),
	                         "this batch was started already; send a recipe for the next one");

	if (err == FG_OK)
		fg_log(FG_LOG_INFO, "batch.started", "batch=%" PRId64, batch);
	return err;
}

/* Its project ends with a running job. FG_ENOTFOUND when none runs. */
static enum fg_err
cancel_running(struct fg_db *db, int64_t batch, int64_t now_ms)
{
	struct fg_batch_job job;
	struct fg_project   project;
	int64_t             number = 0;
	enum fg_err         err = fg_db_int(&number, db, FG_SQL_BATCH_JOB_RUNNING, FG_BINDS(FG_I("batch", batch)));

	if (err != FG_OK || (err = fg_batch_job(&job, db, batch, (int)number)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_BATCH_JOB_END, FG_BINDS(FG_I("job", job.id), FG_T("state", "CANCELLED"), FG_T("message", ""), FG_I("now_ms", now_ms)),
	                     NULL)) != FG_OK ||
	    job.project == 0)
		return err;
	err = fg_project_get(&project, db, job.project);
	if (err == FG_OK && strcmp(project.state, "finished") != 0 && strcmp(project.state, "failed") != 0 && strcmp(project.state, "cancelled") != 0)
		err = fg_project_stop(db, job.project, "cancelled", "cancelled with its batch job", now_ms);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_batch_cancel(struct fg_db *db, int64_t batch, int64_t now_ms)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	if ((err = fg_db_run(db, FG_SQL_BATCH_CANCEL, FG_BINDS(FG_I("batch", batch), FG_I("now_ms", now_ms)), &changes)) == FG_OK && changes == 0)
		err = fg_fail(FG_ECONFLICT, "not running a batch right now");
	if (err == FG_OK && (err = fg_db_run(db, FG_SQL_BATCH_CANCEL_QUEUED, FG_BINDS(FG_I("batch", batch)), NULL)) == FG_OK &&
	    (err = cancel_running(db, batch, now_ms)) == FG_ENOTFOUND)
		err = FG_OK;
	if ((err = fg_db_end(db, err)) == FG_OK)
		fg_log(FG_LOG_INFO, "batch.cancelled", "batch=%" PRId64, batch);
	return err;
}

enum fg_err
fg_batch_cancel_job(struct fg_db *db, int64_t batch, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	if ((err = cancel_running(db, batch, now_ms)) == FG_ENOTFOUND)
		err = fg_fail(FG_ECONFLICT, "no job is running right now");
	return fg_db_end(db, err);
}

enum fg_err
fg_batch_say(struct fg_db *db, int64_t batch, const char *format, ...)
{
	char    line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *c = line; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return change(db, FG_SQL_BATCH_SAY, FG_BINDS(FG_I("batch", batch), FG_T("line", line)), NULL);
}

enum fg_err
fg_batch_due(int64_t *id, struct fg_db *db, int64_t now_ms, int64_t until_ms)
{
	struct fg_rows rows;
	int64_t        open;
	bool           none;
	enum fg_err    err = fg_db_int(&open, db, FG_SQL_BATCH_OPEN, FG_BINDS(FG_I("now_ms", now_ms)));

	if (err != FG_OK || (err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	if ((err = fg_rows_first(&rows, db, FG_SQL_BATCH_TAKE, FG_BINDS(FG_I("now_ms", now_ms), FG_I("until_ms", until_ms)))) == FG_OK) {
		*id = fg_rows_int(&rows, 0);
		fg_rows_next(&rows);
	}
	fg_rows_end(&rows);
	none = err == FG_ENOTFOUND;
	err = fg_db_end(db, none ? FG_OK : err);
	return err == FG_OK && none ? FG_ENOTFOUND : err;
}

enum fg_err
fg_batch_rest(struct fg_db *db, int64_t batch, int64_t until_ms)
{
	return change(db, FG_SQL_BATCH_REST, FG_BINDS(FG_I("batch", batch), FG_I("until_ms", until_ms)), NULL);
}

enum fg_err
fg_batch_hold(struct fg_db *db, int64_t batch, int64_t until_ms)
{
	return change(db, FG_SQL_BATCH_HOLD, FG_BINDS(FG_I("batch", batch), FG_I("until_ms", until_ms)), NULL);
}

enum fg_err
fg_batch_job_begin(struct fg_db *db, int64_t job, int64_t now_ms)
{
	return change(db, FG_SQL_BATCH_JOB_BEGIN, FG_BINDS(FG_I("job", job), FG_I("now_ms", now_ms)), "the job does not wait any more");
}

enum fg_err
fg_batch_job_project(struct fg_db *db, int64_t job, int64_t project)
{
	return change(db, FG_SQL_BATCH_JOB_PROJECT, FG_BINDS(FG_I("job", job), FG_I("project", project)), "the job does not run any more");
}

enum fg_err
fg_batch_job_end(struct fg_db *db, int64_t job, const char *state, const char *message, int64_t now_ms)
{
	fg_log(FG_LOG_INFO, "batch.job", "job=%" PRId64 " state=%s why=%s", job, state, fg_log_quote(message).text);
	return change(db, FG_SQL_BATCH_JOB_END, FG_BINDS(FG_I("job", job), FG_T("state", state), FG_T("message", message), FG_I("now_ms", now_ms)), NULL);
}

enum fg_err
fg_batch_end(struct fg_db *db, int64_t batch, int64_t now_ms)
{
	fg_log(FG_LOG_INFO, "batch.finished", "batch=%" PRId64, batch);
	return change(db, FG_SQL_BATCH_FINISH, FG_BINDS(FG_I("batch", batch), FG_I("now_ms", now_ms)), NULL);
}

enum fg_err
fg_batch_ending(struct fg_db *db, int64_t batch, int ending, bool over)
{
	return change(db, FG_SQL_BATCH_ENDING, FG_BINDS(FG_I("batch", batch), FG_I("ending", ending), FG_I("over", over)), NULL);
}
