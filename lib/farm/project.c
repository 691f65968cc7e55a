#include "farm/project.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/log.h"
#include "farm/count.h"
#include "farm/event.h"
#include "farm/lease.h"
#include "farm/product.h"

enum { SPLIT_AT_ONCE = 5000, SIZE_MAX_PIXELS = 65536 };

const struct fg_project_format fg_project_formats[] = {
	{ "png", "png", "png", "PNG", NULL, false },
	{ "png16", "png", "png", "PNG", NULL, false },
	{ "jpeg", "png", "jpg", "PNG", NULL, false },
	{ "exr", "exr", "exr", "OPEN_EXR", NULL, false },
	{ "exr-multilayer", "exr", "exr", "OPEN_EXR_MULTILAYER", NULL, false },
	{ "tga", "tga", "tga", "TARGA", NULL, false },
	{ "bmp", "bmp", "bmp", "BMP", NULL, false },
	{ "tiff", "tif", "tif", "TIFF", .rare = true },
	{ "hdr", "hdr", "hdr", "HDR", .rare = true },
	{ "dpx", "dpx", "dpx", "DPX", .rare = true },
	{ "cineon", "cin", "cin", "CINEON", .rare = true },
	{ "iris", "rgb", "rgb", "IRIS", .rare = true },
	{ "avi-raw", "png", "png", "PNG", .film = "avi" },
	{ "avi-jpeg", "png", "png", "PNG", .film = "avi" },
	{ "mpeg", "png", "png", "PNG", .film = "mpg" },
	{ "quicktime", "png", "png", "PNG", .film = "mov" },
	{ .name = NULL },
};

const struct fg_project_format *
fg_project_format(const char *name)
{
	for (const struct fg_project_format *f = fg_project_formats; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

const char *
fg_project_tile_ext(const char *format)
{
	const struct fg_project_format *f = fg_project_format(format);

	return f != NULL ? f->tile : "";
}

const char *
fg_project_frame_ext(const char *format)
{
	const struct fg_project_format *f = fg_project_format(format);

	return f != NULL ? f->frame : "";
}

static enum fg_err
check_range(const struct fg_project *p)
{
	if (p->frame_start < 0 || p->frame_end < 0)
		return fg_fail(FG_EINVAL, "frame numbers must not be negative: Blender counts -f -5 from the end and would render another frame; "
		                          "move the animation to frame 0 or later");
	if (p->frame_end < p->frame_start || p->frame_end > FG_FRAME_MAX)
		return fg_fail(FG_EINVAL, "frames go from a first to a last one, 0 to %d", FG_FRAME_MAX);
	if (p->frame_step < 1)
		return fg_fail(FG_EINVAL, "the frame step must be 1 or more");
	return FG_OK;
}

static enum fg_err
check_format(const struct fg_project *p)
{
	const struct fg_project_format *format = fg_project_format(p->format);

	if (format == NULL)
		return fg_fail(FG_EINVAL, "the format %s is not one of png, png16, jpeg, exr, exr-multilayer, tga, bmp, tiff, hdr, dpx, cineon, iris, avi-raw, "
		                          "avi-jpeg, mpeg, quicktime", p->format);
	if (format->rare && p->rows * p->columns > 1)
		return fg_fail(FG_EINVAL, "frames in the format %s can't be put together from tiles; use 1x1 tiles, or exr or png16", p->format);
	return FG_OK;
}

static enum fg_err
check_picture(const struct fg_project *p)
{
	if (p->rows < 1 || p->rows > FG_TILES_MAX || p->columns < 1 || p->columns > FG_TILES_MAX)
		return fg_fail(FG_EINVAL, "rows and columns must each be 1 to %d", FG_TILES_MAX);
	if (p->overscan < 0 || p->overscan > FG_OVERSCAN_MAX)
		return fg_fail(FG_EINVAL, "overscan must be 0 to %d pixels", FG_OVERSCAN_MAX);
	if (p->width < 1 || p->height < 1 || p->width > SIZE_MAX_PIXELS || p->height > SIZE_MAX_PIXELS)
		return fg_fail(FG_EINVAL, "a frame must be 1 to %d pixels wide and high; this one is %d × %d", SIZE_MAX_PIXELS, p->width, p->height);
	if (p->rows > p->height || p->columns > p->width)
		return fg_fail(FG_EINVAL, "%d × %d tiles don't fit into %d × %d pixels", p->rows, p->columns, p->width, p->height);
	if (p->percent < 1 || p->percent > 10000)
		return fg_fail(FG_EINVAL, "the size must be 1 to 10000 percent");
	return check_format(p);
}

enum fg_err
fg_project_check(struct fg_project *p, const struct fg_settings *settings)
{
	enum fg_err err;

	if ((err = check_range(p)) != FG_OK || (err = check_picture(p)) != FG_OK)
		return err;
	if (p->fps_num < 1 || p->fps_den < 1)
		return fg_fail(FG_EINVAL, "frames per second must be more than 0");
	if (p->samples < 0 || p->samples > 1 << 24)
		return fg_fail(FG_EINVAL, "samples must be 0 (the scene's own) to %d", 1 << 24);
	if (p->priority < -1000 || p->priority > 1000)
		return fg_fail(FG_EINVAL, "the priority must be -1000 to 1000");
	p->frames_total = (p->frame_end - p->frame_start) / p->frame_step + 1;
	p->tasks_total = p->frames_total * p->rows * p->columns;
	if (p->tasks_total > settings->project_tasks)
		return fg_fail(FG_EINVAL, "%" PRId64 " tasks are more than the %" PRId64 " that a project may have; use fewer tiles or a part of the frames",
		               p->tasks_total, settings->project_tasks);
	return FG_OK;
}

enum fg_err
fg_project_add(int64_t *id, struct fg_db *db, const struct fg_project *p, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_PROJECT_ADD,
	                FG_BINDS(FG_I("owner", p->owner), FG_T("title", p->title), FG_I("priority", p->priority), FG_T("archive_md5", p->archive_md5),
	                         FG_I("archive_size", p->archive_size), FG_T("blend", p->blend), FG_T("scene", p->scene), FG_T("camera", p->camera),
	                         FG_I("animation", p->animation), FG_I("frame_start", p->frame_start), FG_I("frame_end", p->frame_end),
	                         FG_I("frame_step", p->frame_step), FG_I("rows", p->rows), FG_I("columns", p->columns), FG_I("overscan", p->overscan),
	                         FG_I("width", p->width), FG_I("height", p->height), FG_I("percent", p->percent), FG_T("format", p->format),
	                         FG_I("samples", p->samples), FG_T("engine", p->engine), FG_I("device", p->device), FG_I("fps_num", p->fps_num),
	                         FG_I("fps_den", p->fps_den), FG_T("renderer", p->renderer), FG_I("no_denoise", p->no_denoise),
	                         FG_I("task_max_s", p->task_max_s), FG_T("extra", p->extra), FG_I("batch_job", p->batch_job), FG_I("frames_total", p->frames_total), FG_I("tasks_total", p->tasks_total),
	                         FG_I("now_ms", now_ms)),
	                NULL);
	*id = fg_db_last_id(db);
	if (err == FG_OK)
		err = fg_event_add(db, *id, "project.added", 0, 0, "", now_ms);
	return fg_db_end(db, err);
}

struct split {
	int64_t project, next, total;
	int     start, step, rows, columns;
};

static enum fg_err
split_some(struct fg_db *db, struct split *split, int64_t now_ms)
{
	const int   tiles = split->rows * split->columns;
	const int64_t end = split->next + SPLIT_AT_ONCE < split->total ? split->next + SPLIT_AT_ONCE : split->total;
	const int64_t from = split->next;
	enum fg_err err = FG_OK;

	for (; err == FG_OK && split->next < end; split->next++) {
		const int place = (int)(split->next % tiles);

		err = fg_db_run(db, FG_SQL_TASK_ADD,
		                FG_BINDS(FG_I("project", split->project), FG_I("seq", split->next),
		                         FG_I("frame", split->start + split->next / tiles * split->step), FG_I("row", place / split->columns),
		                         FG_I("column", place % split->columns)),
		                NULL);
	}
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_PROJECT_SPLIT, FG_BINDS(FG_I("project", split->project), FG_I("split", split->next), FG_I("more", split->next - from)), NULL);
	if (err == FG_OK && split->next == split->total && (err = fg_count_enqueue(db, split->project)) == FG_OK)
		err = fg_event_add(db, split->project, "project.waiting", 0, 0, "", now_ms);
	return err;
}

/* FG_ENOTFOUND: the project has its tasks, or nobody wants them any more. */
static enum fg_err
read_split(struct split *out, struct fg_db *db, int64_t project)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_PROJECT_TO_SPLIT, FG_BINDS(FG_I("project", project)));

	*out = (struct split){ .project = project };
	if (err == FG_OK) {
		out->next = fg_rows_int(&rows, 0);
		out->total = fg_rows_int(&rows, 1);
		out->start = (int)fg_rows_int(&rows, 2);
		out->step = (int)fg_rows_int(&rows, 3);
		out->rows = (int)fg_rows_int(&rows, 4);
		out->columns = (int)fg_rows_int(&rows, 5);
	}
	fg_rows_end(&rows);
	return err;
}

/* Each transaction looks anew where the last one ended: somebody else may split the same project, or have cancelled it. */
enum fg_err
fg_project_split(struct fg_db *db, int64_t project, int64_t now_ms)
{
	struct split split;
	bool         begun = false, over = false;
	enum fg_err  err = FG_OK;

	for (; err == FG_OK && !over; begun = true) {
		if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
			return err;
		err = read_split(&split, db, project);
		over = err == FG_ENOTFOUND;
		if (err == FG_OK)
			err = split_some(db, &split, now_ms);
		err = fg_db_end(db, over ? FG_OK : err);
		if (over && !begun)
			return fg_fail(FG_ECONFLICT, "project %" PRId64 " has its tasks already", project);
	}
	return err;
}

bool
fg_project_wants_logs(const struct fg_project *p)
{
	json_object *extra = p->extra[0] != '\0' ? json_tokener_parse(p->extra) : NULL, *log = NULL;
	const bool   wants = extra != NULL && json_object_object_get_ex(extra, "log", &log) && json_object_get_boolean(log);

	json_object_put(extra);
	return wants;
}

static void
take_row(struct fg_project *p, const struct fg_rows *r)
{
	int c = 0;

#define INT(field) p->field = fg_rows_int(r, c++)
#define NUMBER(field) p->field = (int)fg_rows_int(r, c++)
#define TEXT(field) fg_rows_copy(r, c, p->field, sizeof(p->field)), c++
	INT(id), INT(owner), TEXT(owner_name), TEXT(state), TEXT(message), TEXT(title), NUMBER(priority), TEXT(archive_md5), INT(archive_size);
	TEXT(blend), TEXT(scene), TEXT(camera), NUMBER(animation), NUMBER(frame_start), NUMBER(frame_end), NUMBER(frame_step);
	NUMBER(rows), NUMBER(columns), NUMBER(overscan), NUMBER(width), NUMBER(height), NUMBER(percent), TEXT(format), NUMBER(samples);
	TEXT(engine), NUMBER(device), NUMBER(fps_num), NUMBER(fps_den), TEXT(renderer), NUMBER(no_denoise), INT(task_max_s);
	INT(frames_total), INT(frames_done), INT(tasks_total), INT(waiting), INT(running), INT(done), INT(errors), INT(memory_kib);
	INT(render_s), INT(tile_bytes), TEXT(result), NUMBER(raw), INT(created_ms), INT(started_ms), INT(finished_ms), TEXT(access), TEXT(link);
	INT(made_bytes), INT(audience), TEXT(shown), INT(points), TEXT(extra);
#undef INT
#undef NUMBER
#undef TEXT
}

enum fg_err
fg_project_get(struct fg_project *out, struct fg_db *db, int64_t id)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_PROJECT_GET, FG_BINDS(FG_I("project", id)));

	if (err == FG_OK)
		take_row(out, &rows);
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "there is no project %" PRId64, id) : err;
}

/* A text as LIKE finds it anywhere in another: its own signs mean themselves. */
static void
like(char out[FG_PROJECT_WORDS * 2 + 3], const char *words)
{
	size_t len = 0;

	if (*words != '\0')
		out[len++] = '%';
	for (; *words != '\0' && len < FG_PROJECT_WORDS * 2; words++) {
		if (*words == '%' || *words == '_' || *words == '!')
			out[len++] = '!';
		out[len++] = *words;
	}
	if (len > 0)
		out[len++] = '%';
	out[len] = '\0';
}

static enum fg_sql
statement_for(const struct fg_project_query *query)
{
	if (query->state[0] != '\0' || query->owner[0] != '\0' || query->words[0] != '\0')
		return FG_SQL_PROJECT_SEARCH;
	return query->user > 0 ? FG_SQL_PROJECT_LIST_SEEN : FG_SQL_PROJECT_LIST;
}

enum fg_err
fg_project_list(struct fg_db *db, const struct fg_project_query *query, bool (*each)(void *ctx, const struct fg_project *project), void *ctx)
{
	char                 words[FG_PROJECT_WORDS * 2 + 3];
	const int64_t        before = query->before > 0 ? query->before : INT64_MAX;
	const enum fg_sql    sql = statement_for(query);
	const struct fg_bind all[] = { FG_I("before", before), FG_I("limit", query->limit), { .name = NULL } };
	const struct fg_bind seen[] = { FG_I("before", before), FG_I("limit", query->limit), FG_I("user", query->user), { .name = NULL } };
	const struct fg_bind search[] = { FG_I("before", before), FG_I("limit", query->limit), FG_I("user", query->user), FG_T("owner", query->owner),
		                          FG_T("state", query->state), FG_T("words", words), FG_I("number", strtoll(query->words, NULL, 10)), { .name = NULL } };
	struct fg_project    project;
	struct fg_rows       rows;
	enum fg_err          err;

	like(words, query->words);
	err = fg_rows_first(&rows, db, sql, sql == FG_SQL_PROJECT_SEARCH ? search : sql == FG_SQL_PROJECT_LIST ? all : seen);
	for (; err == FG_OK; err = fg_rows_next(&rows)) {
		take_row(&project, &rows);
		if (!each(ctx, &project))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_project_counts(struct fg_db *db, int64_t user, void (*each)(void *ctx, const char *state, int64_t count), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_PROJECT_COUNTS, FG_BINDS(FG_I("user", user))); err == FG_OK; err = fg_rows_next(&rows))
		each(ctx, fg_rows_text(&rows, 0), fg_rows_int(&rows, 1));
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
set_state(struct fg_db *db, int64_t project, const char *state, const char *message, int64_t now_ms)
{
	char        kind[32];
	enum fg_err err;

	if ((err = fg_db_run(db, FG_SQL_PROJECT_STATE,
	                     FG_BINDS(FG_I("project", project), FG_T("state", state), FG_T("message", message), FG_I("now_ms", now_ms)), NULL)) != FG_OK)
		return err;
	snprintf(kind, sizeof(kind), "project.%s", state);
	fg_log(FG_LOG_INFO, kind, "project=%" PRId64 " why=%s", project, fg_log_quote(message).text);
	return fg_event_add(db, project, kind, 0, 0, message, now_ms);
}

enum fg_err
fg_project_stop(struct fg_db *db, int64_t project, const char *state, const char *message, int64_t now_ms)
{
	enum fg_err err;

	if ((err = fg_count_dequeue(db, project)) != FG_OK || (err = set_state(db, project, state, message, now_ms)) != FG_OK)
		return err;
	return fg_lease_end_of_project(db, project, now_ms);
}

/* One of these states, or FG_ECONFLICT that names what it is. */
static enum fg_err
begin_in(struct fg_project *p, struct fg_db *db, int64_t project, const char *states, const char *what)
{
	enum fg_err err;

	if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	if ((err = fg_project_get(p, db, project)) == FG_OK && strstr(states, p->state) == NULL)
		err = fg_fail(FG_ECONFLICT, "project %" PRId64 " is %s; it can't be %s", project, p->shown, what);
	return err == FG_OK ? FG_OK : fg_db_end(db, err);
}

enum fg_err
fg_project_cancel(struct fg_db *db, int64_t project, int64_t now_ms)
{
	struct fg_project p;
	enum fg_err       err = begin_in(&p, db, project, "active paused splitting composing", "cancelled");

	return err != FG_OK ? err : fg_db_end(db, fg_project_stop(db, project, "cancelled", "cancelled", now_ms));
}

enum fg_err
fg_project_pause(struct fg_db *db, int64_t project, int64_t now_ms)
{
	struct fg_project p;
	enum fg_err       err = begin_in(&p, db, project, "active", "paused");

	if (err != FG_OK)
		return err;
	if ((err = fg_count_dequeue(db, project)) == FG_OK)
		err = set_state(db, project, "paused", "", now_ms);
	return fg_db_end(db, err);
}

enum fg_err
fg_project_resume(struct fg_db *db, int64_t project, int64_t now_ms)
{
	struct fg_project p;
	enum fg_err       err = begin_in(&p, db, project, "paused", "resumed");

	if (err != FG_OK)
		return err;
	if ((err = fg_count_enqueue(db, project)) == FG_OK)
		err = set_state(db, project, "active", "", now_ms);
	return fg_db_end(db, err);
}

enum fg_err
fg_project_retry(struct fg_db *db, int64_t project, int64_t now_ms)
{
	struct fg_project p;
	enum fg_err       err = begin_in(&p, db, project, "failed cancelled", "tried again");

	if (err != FG_OK)
		return err;
	if (p.done == p.tasks_total)
		err = fg_fail(FG_ECONFLICT, "all frames of project %" PRId64 " are rendered; recomposite it instead", project);
	if (err == FG_OK && (err = fg_db_run(db, FG_SQL_TASK_FORGIVE, FG_BINDS(FG_I("project", project)), NULL)) == FG_OK &&
	    (err = fg_db_run(db, FG_SQL_SHUN_FORGIVE, FG_BINDS(FG_I("project", project)), NULL)) == FG_OK &&
	    (err = fg_db_run(db, FG_SQL_PROJECT_FORGIVE, FG_BINDS(FG_I("project", project)), NULL)) == FG_OK)
		err = p.waiting + p.running + p.done < p.tasks_total ? FG_OK : fg_count_enqueue(db, project);
	if (err == FG_OK)
		err = fg_event_add(db, project, "project.retried", 0, 0, "", now_ms);
	if ((err = fg_db_end(db, err)) == FG_OK && p.waiting + p.running + p.done < p.tasks_total)
		err = fg_project_split(db, project, now_ms); /* it was stopped before it had all its tasks */
	return err;
}

enum fg_err
fg_project_priority(struct fg_db *db, int64_t project, int priority, int64_t now_ms)
{
	struct fg_project p;
	enum fg_err       err = begin_in(&p, db, project, "active paused splitting composing finished failed cancelled", "changed");

	if (err != FG_OK)
		return err;
	if (priority < -1000 || priority > 1000)
		err = fg_fail(FG_EINVAL, "the priority must be -1000 to 1000");
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_PROJECT_PRIORITY, FG_BINDS(FG_I("project", project), FG_I("priority", priority)), NULL);
	if (err == FG_OK && strcmp(p.state, "active") == 0)
		err = fg_count_enqueue(db, project);
	if (err == FG_OK)
		err = fg_event_add(db, project, "project.priority", 0, 0, "", now_ms);
	return fg_db_end(db, err);
}

static enum fg_err
must_be_over(struct fg_db *db, int64_t project, int64_t before_ms)
{
	int64_t     over = 0;
	enum fg_err err = fg_db_int(&over, db, FG_SQL_PROJECT_IS_OVER, FG_BINDS(FG_I("project", project), FG_I("before_ms", before_ms)));

	return err == FG_OK && over == 0 ? fg_fail(FG_ECONFLICT, "project %" PRId64 " has not finished so long ago", project) : err;
}

static enum fg_err
delete_where(struct fg_db *db, const struct fg_spool *spool, int64_t project, int64_t before_ms, int64_t now_ms)
{
	char              folder[FG_SPOOL_NAME];
	struct fg_project p;
	enum fg_err       err;

	if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	if ((err = fg_project_get(&p, db, project)) == FG_OK && (before_ms == INT64_MAX || (err = must_be_over(db, project, before_ms)) == FG_OK) &&
	    (err = fg_db_run(db, FG_SQL_PRODUCT_FORGET, FG_BINDS(FG_I("project", project)), NULL)) == FG_OK)
		err = fg_project_stop(db, project, "deleted", "", now_ms);
	if ((err = fg_db_end(db, err)) != FG_OK)
		return err;
	fg_spool_project(folder, project);
	return fg_spool_trash(spool, folder); /* what a crash leaves here, housekeeping takes away */
}

enum fg_err
fg_project_delete(struct fg_db *db, const struct fg_spool *spool, int64_t project, int64_t now_ms)
{
	return delete_where(db, spool, project, INT64_MAX, now_ms);
}

enum fg_err
fg_project_delete_over(struct fg_db *db, const struct fg_spool *spool, int64_t project, int64_t before_ms, int64_t now_ms)
{
	return delete_where(db, spool, project, before_ms, now_ms);
}
