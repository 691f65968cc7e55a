#include "farm/product.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "farm/event.h"
#include "farm/project.h"

enum rank { RANK_PREVIEW, RANK_STITCH, RANK_RESULT, RANK_ZIP };

static enum fg_err
add(struct fg_db *db, int64_t project, const char *kind, enum rank rank, int frame, int64_t turn)
{
	return fg_db_run(db, FG_SQL_PRODUCT_ADD,
	                 FG_BINDS(FG_I("project", project), FG_T("kind", kind), FG_I("rank", rank), FG_I("frame", frame), FG_I("turn", turn)), NULL);
}

/* What lib/image can't read has no preview. */
static bool
can_preview(const struct fg_project *project)
{
	const struct fg_project_format *format = fg_project_format(project->format);

	return format != NULL && !format->rare;
}

/* A frame of one tile is its tile, unless it must be encoded. */
static bool
must_stitch(const struct fg_project *project)
{
	return project->rows * project->columns > 1 || strcmp(project->format, "jpeg") == 0;
}

/* When the last tile is in and no frame waits to be stitched, the result and the zip can be made. */
static enum fg_err
add_result(struct fg_db *db, const struct fg_settings *settings, const struct fg_project *project, int64_t now_ms)
{
	int64_t     open = 0;
	enum fg_err err;

	if (project->done < project->tasks_total)
		return FG_OK;
	if (strcmp(project->state, "active") == 0 || strcmp(project->state, "paused") == 0) {
		if ((err = fg_project_stop(db, project->id, "composing", "", now_ms)) != FG_OK)
			return err;
	} else if (strcmp(project->state, "composing") != 0) {
		return FG_OK;
	}
	if ((err = fg_db_int(&open, db, FG_SQL_PRODUCT_STITCHING, FG_BINDS(FG_I("project", project->id)))) != FG_OK || open > 0)
		return err;
	if ((err = add(db, project->id, "result", RANK_RESULT, -1, 0)) == FG_OK && project->tile_bytes <= settings->raw_zip_auto_bytes)
		err = add(db, project->id, "zip", RANK_ZIP, -1, 0);
	return err;
}

enum fg_err
fg_product_frame_complete(struct fg_db *db, const struct fg_settings *settings, int64_t id, int frame, const char *ext, int64_t now_ms)
{
	struct fg_project project;
	enum fg_err       err;

	if ((err = fg_db_run(db, FG_SQL_PROJECT_FRAME, FG_BINDS(FG_I("project", id)), NULL)) != FG_OK || (err = fg_project_get(&project, db, id)) != FG_OK)
		return err;
	if (must_stitch(&project))
		err = add(db, id, "stitch", RANK_STITCH, frame, project.frames_done);
	else if ((err = fg_db_run(db, FG_SQL_FRAME_EXT, FG_BINDS(FG_I("project", id), FG_I("frame", frame), FG_T("ext", ext)), NULL)) == FG_OK &&
	         can_preview(&project))
		err = add(db, id, "preview", RANK_PREVIEW, frame, project.frames_done);
	if (err == FG_OK)
		err = fg_event_add(db, id, "frame.done", 0, 0, "", now_ms);
	return err == FG_OK ? add_result(db, settings, &project, now_ms) : err;
}

static enum fg_err
take(struct fg_product *out, struct fg_db *db, int64_t until_ms, int64_t now_ms)
{
	struct fg_rows rows;
	enum fg_err    err;

	if ((err = fg_db_run(db, FG_SQL_PRODUCT_EXPIRE, FG_BINDS(FG_I("now_ms", now_ms)), NULL)) != FG_OK)
		return err;
	err = fg_rows_first(&rows, db, FG_SQL_PRODUCT_TAKE, FG_BINDS(FG_I("until_ms", until_ms)));
	if (err == FG_OK) {
		*out = (struct fg_product){ .id = fg_rows_int(&rows, 0), .project = fg_rows_int(&rows, 1), .frame = (int)fg_rows_int(&rows, 3),
			                    .tries = (int)fg_rows_int(&rows, 4) };
		fg_rows_copy(&rows, 2, out->kind, sizeof(out->kind));
		fg_rows_next(&rows);
	}
	fg_rows_end(&rows);
	return err;
}

enum fg_err
fg_product_take(struct fg_product *out, struct fg_db *db, int64_t until_ms, int64_t now_ms)
{
	bool        none;
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	err = take(out, db, until_ms, now_ms);
	none = err == FG_ENOTFOUND;
	err = fg_db_end(db, none ? FG_OK : err);
	return err == FG_OK && none ? FG_ENOTFOUND : err;
}

/* The project is finished when its result is there, and its zip unless that waits to be asked for. */
static enum fg_err
finish(struct fg_db *db, int64_t project, const char *note, int64_t now_ms)
{
	int64_t     open = 0;
	enum fg_err err;

	if ((err = fg_db_int(&open, db, FG_SQL_PRODUCT_OPEN, FG_BINDS(FG_I("project", project)))) != FG_OK || open > 0)
		return err;
	if ((err = fg_db_run(db, FG_SQL_PROJECT_FINISH, FG_BINDS(FG_I("project", project), FG_T("note", note), FG_I("now_ms", now_ms)), NULL)) != FG_OK)
		return err;
	fg_log(FG_LOG_INFO, "project.finished", "project=%" PRId64, project);
	return fg_event_add(db, project, "project.finished", 0, 0, "", now_ms);
}

static enum fg_err
follow(struct fg_db *db, const struct fg_settings *settings, const struct fg_product *product, const char *ext, const char *note, int64_t now_ms)
{
	struct fg_project project;
	enum fg_err       err = fg_project_get(&project, db, product->project);

	if (err != FG_OK)
		return err == FG_ENOTFOUND ? FG_OK : err; /* deleted meanwhile */
	if (strcmp(product->kind, "stitch") == 0) {
		if ((err = fg_db_run(db, FG_SQL_FRAME_EXT, FG_BINDS(FG_I("project", project.id), FG_I("frame", product->frame), FG_T("ext", ext)), NULL)) != FG_OK ||
		    (err = add(db, project.id, "preview", RANK_PREVIEW, product->frame, project.frames_done)) != FG_OK)
			return err;
		return add_result(db, settings, &project, now_ms);
	}
	if (strcmp(product->kind, "preview") == 0)
		return FG_OK;
	if ((err = fg_db_run(db, strcmp(product->kind, "result") == 0 ? FG_SQL_PROJECT_RESULT : FG_SQL_PROJECT_RAW,
	                     strcmp(product->kind, "result") == 0 ? FG_BINDS(FG_I("project", project.id), FG_T("ext", ext))
	                                                          : FG_BINDS(FG_I("project", project.id)),
	                     NULL)) != FG_OK)
		return err;
	return finish(db, project.id, note, now_ms);
}

enum fg_err
fg_product_done(struct fg_db *db, const struct fg_settings *settings, const struct fg_product *product, const char *ext, const char *note, int64_t now_ms)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_PROJECT_MADE, FG_BINDS(FG_I("project", product->project), FG_I("product", product->id), FG_I("bytes", product->bytes)), NULL);
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_PRODUCT_DONE,
		                FG_BINDS(FG_I("product", product->id), FG_I("bytes", product->bytes), FG_T("note", note), FG_I("now_ms", now_ms)), &changes);
	if (err == FG_OK && changes == 0) /* somebody else has it, or nobody wants it any more */
		return fg_db_end(db, FG_ENOTFOUND) == FG_ENOTFOUND ? FG_OK : FG_EIO;
	if (err == FG_OK && (err = fg_event_add(db, product->project, "product.done", 0, 0, product->kind, now_ms)) == FG_OK)
		err = follow(db, settings, product, ext, note, now_ms);
	return fg_db_end(db, err);
}

static enum fg_err
give_up(struct fg_db *db, const struct fg_product *product, const char *why, int64_t now_ms)
{
	char        message[600];
	enum fg_err err = fg_event_add(db, product->project, "product.failed", 0, 0, why, now_ms);

	if (err != FG_OK || strcmp(product->kind, "preview") == 0)
		return err; /* a project is whole without its previews */
	if (product->frame >= 0)
		snprintf(message, sizeof(message), "Frame %d could not be put together: %s", product->frame, why);
	else
		snprintf(message, sizeof(message), "The %s could not be made: %s", strcmp(product->kind, "zip") == 0 ? "raw zip" : "result", why);
	return fg_project_stop(db, product->project, "failed", message, now_ms);
}

enum fg_err
fg_product_failed(struct fg_db *db, const struct fg_product *product, const char *why, int64_t now_ms)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_PRODUCT_FAILED, FG_BINDS(FG_I("product", product->id), FG_T("why", why), FG_I("most", FG_PRODUCT_TRIES)), &changes);
	if (err == FG_OK && changes > 0 && product->tries >= FG_PRODUCT_TRIES)
		err = give_up(db, product, why, now_ms);
	fg_log(FG_LOG_WARN, "product.failed", "product=%" PRId64 " project=%" PRId64 " kind=%s frame=%d try=%d why=%s", product->id, product->project,
	       product->kind, product->frame, product->tries, fg_log_quote(why).text);
	return fg_db_end(db, err);
}

enum fg_err
fg_product_progress(struct fg_db *db, const struct fg_product *product, int progress, int64_t until_ms)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err != FG_OK ? err
	                    : fg_db_end(db, fg_db_run(db, FG_SQL_PRODUCT_PROGRESS,
	                                              FG_BINDS(FG_I("product", product->id), FG_I("progress", progress), FG_I("until_ms", until_ms)), NULL));
}

enum fg_err
fg_product_recover(struct fg_db *db)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err != FG_OK ? err : fg_db_end(db, fg_db_run(db, FG_SQL_PRODUCT_RECOVER, FG_NO_BINDS, NULL));
}

enum fg_err
fg_product_again(struct fg_db *db, const struct fg_settings *settings, int64_t id, int64_t now_ms)
{
	struct fg_project project;
	int               changes = 0;
	enum fg_err       err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	if ((err = fg_project_get(&project, db, id)) == FG_OK && project.done < project.tasks_total)
		err = fg_fail(FG_ECONFLICT, "not all frames of project %" PRId64 " are rendered yet", id);
	if (err == FG_OK && (err = fg_db_run(db, FG_SQL_PRODUCT_AGAIN, FG_BINDS(FG_I("project", id)), &changes)) == FG_OK &&
	    (err = fg_project_stop(db, id, "composing", "", now_ms)) == FG_OK) {
		snprintf(project.state, sizeof(project.state), "composing");
		err = add_result(db, settings, &project, now_ms);
	}
	return fg_db_end(db, err);
}

enum fg_err
fg_product_ask_zip(struct fg_db *db, int64_t id, int64_t now_ms)
{
	struct fg_project project;
	enum fg_err       err = fg_db_begin(db, FG_FULL);

	(void)now_ms;
	if (err != FG_OK)
		return err;
	if ((err = fg_project_get(&project, db, id)) == FG_OK && project.done < project.tasks_total)
		err = fg_fail(FG_ECONFLICT, "not all frames of project %" PRId64 " are rendered yet", id);
	if (err == FG_OK)
		err = add(db, id, "zip", RANK_ZIP, -1, 0);
	return fg_db_end(db, err);
}
