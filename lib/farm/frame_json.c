#include "farm/frame_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "farm/cause.h"
#include "text/json_put.h"

enum { TILES_AT_ONCE = 20000, CAUSES = 64, SHOWN_LEASES = 5, WORKERS_TOLD = 64 };

/* `kinds` says for each name in turn where it comes from: i a number, s a text, b a flag. */
static json_object *
row_json(const struct fg_rows *rows, const char *const *names, const char *kinds)
{
	json_object *out = json_object_new_object();

	for (int i = 0; kinds[i] != '\0'; i++)
		if (kinds[i] == 'i')
			fg_put_int(out, names[i], fg_rows_int(rows, i));
		else if (kinds[i] == 'b')
			fg_put_bool(out, names[i], fg_rows_int(rows, i) != 0);
		else
			fg_put_text(out, names[i], fg_rows_text(rows, i));
	return out;
}

static const char *
state_of(int64_t tiles, int64_t done, int64_t running, const char *ext)
{
	if (done == tiles)
		return *ext != '\0' ? "done" : "stitching";
	return done > 0 || running > 0 ? "rendering" : "waiting";
}

enum fg_err
fg_frame_page_json(json_object **out, struct fg_db *db, const struct fg_project *p, int64_t after, int limit)
{
	static const char *const names[] = { "frame", "tiles", "done", "running", "failed", "finished_ms", "ext", "preview" };
	const int64_t            tiles = (int64_t)p->rows * p->columns, most = TILES_AT_ONCE / tiles > 0 ? TILES_AT_ONCE / tiles : 1;
	const int64_t            first = after < p->frame_start ? p->frame_start : after + 1;
	const int64_t            count = limit < most ? limit : most, last = first + (count - 1) * p->frame_step;
	json_object             *list = json_object_new_array();
	struct fg_rows           rows;
	enum fg_err              err;

	for (err = fg_rows_first(&rows, db, FG_SQL_FRAME_PAGE, FG_BINDS(FG_I("project", p->id), FG_I("after", after), FG_I("last", last))); err == FG_OK;
	     err = fg_rows_next(&rows)) {
		json_object *frame = row_json(&rows, names, "iiiiiisb");

		fg_put_text(frame, "state", state_of(fg_rows_int(&rows, 1), fg_rows_int(&rows, 2), fg_rows_int(&rows, 3), fg_rows_text(&rows, 6)));
		json_object_array_add(list, frame);
	}
	fg_rows_end(&rows);
	*out = json_object_new_object();
	json_object_object_add(*out, "frames", list);
	json_object_object_add(*out, "next", last < p->frame_end ? json_object_new_int64(last) : NULL);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
list_rows(json_object *out, const char *key, struct fg_db *db, enum fg_sql sql, const struct fg_project *p, int64_t frame, const char *const *names,
          const char *kinds)
{
	json_object   *list = json_object_new_array();
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, sql, FG_BINDS(FG_I("project", p->id), FG_I("frame", frame))); err == FG_OK; err = fg_rows_next(&rows))
		json_object_array_add(list, row_json(&rows, names, kinds));
	fg_rows_end(&rows);
	json_object_object_add(out, key, list);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static int64_t
points_of(struct fg_db *db, const struct fg_project *p, int64_t frame)
{
	int64_t points = 0;

	fg_db_int(&points, db, FG_SQL_FRAME_POINTS, FG_BINDS(FG_I("project", p->id), FG_I("frame", frame)));
	return points;
}

enum fg_err
fg_frame_json(json_object **out, struct fg_db *db, const struct fg_project *p, int64_t frame)
{
	static const char *const tiles[] = { "row", "column", "state", "tries", "size", "lease", "worker_id", "worker", "since_ms", "progress", "render_s",
		                             "memory_kib" };
	static const char *const leases[] = { "id", "row", "column", "worker_id", "worker", "state", "since_ms", "ended_ms", "render_s", "memory_kib",
		                              "outcome", "log", "points" };
	enum fg_err err;

	*out = NULL;
	if (frame < p->frame_start || frame > p->frame_end || (frame - p->frame_start) % p->frame_step != 0)
		return fg_fail(FG_ENOTFOUND, "project %" PRId64 " has no frame %" PRId64, p->id, frame);
	*out = json_object_new_object();
	fg_put_int(*out, "frame", frame);
	fg_put_int(*out, "rows", p->rows);
	fg_put_int(*out, "columns", p->columns);
	fg_put_int(*out, "points", points_of(db, p, frame));
	err = list_rows(*out, "tiles", db, FG_SQL_FRAME_TILES, p, frame, tiles, "iisiiiisiiii");
	return err == FG_OK ? list_rows(*out, "leases", db, FG_SQL_FRAME_LEASES, p, frame, leases, "iiiissiiiisbi") : err;
}

/** Failures of one cause. */
struct group {
	const struct fg_cause *cause;
	json_object           *leases;
	int64_t                count, workers[WORKERS_TOLD], first_ms, last_ms;
	int                    nworkers;
	char                   example[300];
};

static struct group *
group_of(struct group *groups, int *count, const char *outcome)
{
	const struct fg_cause *cause = fg_cause_of(outcome);

	for (int i = 0; i < *count; i++)
		if (groups[i].cause == cause)
			return &groups[i];
	if (*count == CAUSES)
		return &groups[CAUSES - 1];
	groups[*count] = (struct group){ .cause = cause, .leases = json_object_new_array() };
	return &groups[(*count)++];
}

/* One more failure; they come newest first. */
static void
count_in(struct group *group, const struct fg_rows *rows)
{
	const int64_t ended_ms = fg_rows_int(rows, 2), worker = fg_rows_int(rows, 3);
	int           i = 0;

	if (group->count++ == 0) {
		group->last_ms = ended_ms;
		fg_rows_copy(rows, 1, group->example, sizeof(group->example));
	}
	group->first_ms = ended_ms;
	while (i < group->nworkers && group->workers[i] != worker)
		i++;
	if (i == group->nworkers && i < WORKERS_TOLD)
		group->workers[group->nworkers++] = worker;
	if (json_object_array_length(group->leases) < SHOWN_LEASES) {
		static const char *const names[] = { "id", "outcome", "ended_ms", "worker_id", "frame", "log" };

		json_object_array_add(group->leases, row_json(rows, names, "isiiib"));
	}
}

static int
most_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

static json_object *
group_json(const struct group *group)
{
	json_object *out = json_object_new_object();

	fg_put_text(out, "cause", group->cause->name);
	fg_put_text(out, "sentence", group->cause->sentence);
	fg_put_text(out, "example", group->example);
	fg_put_int(out, "count", group->count);
	fg_put_int(out, "workers", group->nworkers);
	fg_put_int(out, "first_ms", group->first_ms);
	fg_put_int(out, "last_ms", group->last_ms);
	json_object_object_add(out, "leases", group->leases);
	return out;
}

enum fg_err
fg_failures_json(json_object **out, struct fg_db *db, int64_t project)
{
	struct group   groups[CAUSES];
	json_object   *list = json_object_new_array();
	struct fg_rows rows;
	int            count = 0;
	int64_t        total = 0;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_PROJECT_FAILURES, FG_BINDS(FG_I("project", project))); err == FG_OK; err = fg_rows_next(&rows), total++)
		count_in(group_of(groups, &count, fg_rows_text(&rows, 1)), &rows);
	fg_rows_end(&rows);
	qsort(groups, (size_t)count, sizeof(*groups), most_first);
	for (int i = 0; i < count; i++)
		json_object_array_add(list, group_json(&groups[i]));
	*out = json_object_new_object();
	json_object_object_add(*out, "groups", list);
	fg_put_int(*out, "total", total);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
