#include "batch/poll.h"

#include <string.h>

#include <json-c/json.h>

#include "farm/project.h"

static void
add(json_object *object, const char *name, json_object *value)
{
	json_object_object_add(object, name, value);
}

static json_object *
seconds(int64_t ms)
{
	return ms > 0 ? json_object_new_double((double)ms / 1000) : NULL;
}

static json_object *
times(int64_t started_ms, int64_t finished_ms)
{
	json_object *out = json_object_new_object();

	add(out, "started", seconds(started_ms));
	add(out, "finished", seconds(finished_ms));
	add(out, "rendertime", started_ms > 0 && finished_ms > 0 ? json_object_new_double((double)(finished_ms - started_ms) / 1000) : NULL);
	return out;
}

static json_object *
text_list(const char *lines)
{
	json_object *out = json_object_new_array();

	for (const char *at = lines; *at != '\0';) {
		const size_t len = strcspn(at, "\n");

		if (len > 0)
			json_object_array_add(out, json_object_new_string_len(at, (int)len));
		at += len + (at[len] == '\n');
	}
	return out;
}

/* {"type": …, "data": {…}} as our own worker told it; nulls before. */
static json_object *
engine(const char *told)
{
	json_object *out = told[0] != '\0' ? json_tokener_parse(told) : NULL;

	if (json_object_is_type(out, json_type_object))
		return out;
	json_object_put(out);
	out = json_object_new_object();
	add(out, "type", NULL);
	add(out, "data", NULL);
	return out;
}

/* What its project has reached meanwhile; kept with the job. */
static void
catch_up(struct fg_batch_job *job, struct fg_db *db)
{
	struct fg_project project;
	struct fg_rows    rows;
	double            now;
	bool              news = false;

	if (strcmp(job->state, "RUNNING") != 0 || job->project == 0 || fg_project_get(&project, db, job->project) != FG_OK || project.tasks_total == 0)
		return;
	now = (double)project.done;
	if (fg_rows_first(&rows, db, FG_SQL_BATCH_LIVE, FG_BINDS(FG_I("project", job->project))) == FG_OK) {
		now += (double)fg_rows_int(&rows, 0) / 1000;
		if (fg_rows_text(&rows, 2)[0] != '\0' && (news = strcmp(fg_rows_text(&rows, 2), job->engine) != 0))
			fg_rows_copy(&rows, 2, job->engine, sizeof(job->engine));
	}
	fg_rows_end(&rows);
	now = now * 100 / (double)project.tasks_total;
	if (now <= job->progress + 0.05 && !news)
		return;
	job->progress = now > job->progress ? now < 100 ? now : 100 : job->progress;
	if (fg_db_begin(db, FG_NORMAL) == FG_OK)
		fg_db_end(db, fg_db_run(db, FG_SQL_BATCH_JOB_PROGRESS,
		                        FG_BINDS(FG_I("job", job->id), FG_I("progress", (int64_t)(job->progress * 1e6)), FG_T("engine", job->engine)), NULL));
}

static json_object *
describe(const struct fg_batch_job *job)
{
	json_object *out = json_object_new_object();

	add(out, "id", json_object_new_int(job->number));
	add(out, "status", json_object_new_string(job->state));
	add(out, "times", times(job->started_ms, job->finished_ms));
	add(out, "messages", text_list(job->message));
	add(out, "progress", json_object_new_double(job->progress));
	add(out, "engine", engine(job->engine));
	add(out, "name", json_object_new_string(job->name));
	add(out, "project", job->project > 0 ? json_object_new_int64(job->project) : NULL);
	return out;
}

/** The jobs of a batch on their way out, and what is said of them together. */
struct view {
	json_object *list;
	int          current, slowest, fastest, finished;
	int64_t      slowest_ms, fastest_ms, sum_ms;
};

static void
judge(struct view *view, const struct fg_batch_job *job)
{
	const int64_t took_ms = job->finished_ms - job->started_ms;

	if (strcmp(job->state, "RUNNING") == 0)
		view->current = job->number;
	if (strcmp(job->state, "FINISHED") != 0)
		return;
	if (view->finished == 0 || took_ms > view->slowest_ms)
		view->slowest = job->number, view->slowest_ms = took_ms;
	if (view->finished == 0 || took_ms < view->fastest_ms)
		view->fastest = job->number, view->fastest_ms = took_ms;
	view->finished++;
	view->sum_ms += took_ms;
}

static json_object *
stats(const struct view *view, bool there)
{
	json_object *out = json_object_new_object();

	there = there && view->finished > 0;
	add(out, "slowest_index", there ? json_object_new_int(view->slowest) : NULL);
	add(out, "slowest_time", there ? json_object_new_double((double)view->slowest_ms / 1000) : NULL);
	add(out, "fastest_index", there ? json_object_new_int(view->fastest) : NULL);
	add(out, "fastest_time", there ? json_object_new_double((double)view->fastest_ms / 1000) : NULL);
	add(out, "average_time", there ? json_object_new_double((double)view->sum_ms / 1000 / view->finished) : NULL);
	return out;
}

enum fg_err
fg_batch_poll_job(struct json_object **out, struct fg_db *db, const struct fg_batch *batch, int number)
{
	struct fg_batch_job job;
	enum fg_err         err = fg_batch_job(&job, db, batch->id, number);

	if (err == FG_ENOTFOUND)
		return fg_fail(FG_EINVAL, "this batch has no job %d; its jobs are 0 to %d", number, batch->jobs - 1);
	if (err != FG_OK)
		return err;
	catch_up(&job, db);
	*out = describe(&job);
	return FG_OK;
}

static json_object *
messages(struct fg_db *db, int64_t batch)
{
	struct fg_rows rows;
	json_object   *out = NULL;

	if (fg_rows_first(&rows, db, FG_SQL_BATCH_MESSAGES, FG_BINDS(FG_I("batch", batch))) == FG_OK)
		out = text_list(fg_rows_text(&rows, 0));
	fg_rows_end(&rows);
	return out != NULL ? out : json_object_new_array();
}

enum fg_err
fg_batch_poll(struct json_object **out, struct fg_db *db, const struct fg_batch *batch)
{
	struct view view = { .list = json_object_new_array(), .current = -1 };
	enum fg_err err = FG_OK;

	for (int i = 0; err == FG_OK && i < batch->jobs; i++) {
		struct fg_batch_job job;

		if ((err = fg_batch_job(&job, db, batch->id, i)) != FG_OK)
			break;
		catch_up(&job, db);
		judge(&view, &job);
		json_object_array_add(view.list, describe(&job));
	}
	if (err != FG_OK) {
		json_object_put(view.list);
		return err;
	}
	*out = json_object_new_object();
	add(*out, "status", json_object_new_string(batch->state));
	add(*out, "times", times(batch->started_ms, batch->finished_ms));
	add(*out, "stats", stats(&view, strcmp(batch->state, "FINISHED") == 0));
	add(*out, "messages", messages(db, batch->id));
	add(*out, "jobs", view.list);
	add(*out, "current_job", view.current >= 0 ? json_object_new_int(view.current) : NULL);
	return FG_OK;
}
