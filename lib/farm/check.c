#include "farm/check.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "farm/count.h"
#include "farm/event.h"
#include "farm/product.h"
#include "farm/project.h"
#include "farm/renderer.h"

#define YOUNG_MS INT64_C(3600000)

struct check {
	struct fg_checked *out;
	struct fg_farm    *farm;
	struct fg_project  project;
	bool             (*each)(void *ctx, const struct fg_fault *fault);
	void              *ctx;
	bool               mend, tells;
	int64_t            now_ms;
};

static enum fg_err
found(struct check *check, const char *kind, int64_t project, const char *file, const char *what, bool mended)
{
	const struct fg_fault fault = { .kind = kind, .project = project, .file = file, .what = what, .mended = mended };

	check->out->faults++;
	check->out->mended += mended;
	return check->each(check->ctx, &fault) ? FG_OK : fg_fail(FG_EIO, "stopped");
}

/* Is the file there, with this size (-1: any)? */
static bool
is_there(struct check *check, const char *name, int64_t size)
{
	char    path[PATH_MAX];
	int64_t have;

	fg_spool_path(path, &check->farm->spool, name);
	have = fg_fs_size(path);
	check->out->compared++;
	if (check->tells && check->out->compared % 256 == 0)
		check->each(check->ctx, NULL);
	return have >= 0 && (size < 0 || have == size);
}

/* ---- renderers */

enum { RENDERERS = 256 };

struct renderers {
	struct fg_renderer list[RENDERERS];
	int                count;
};

static bool
keep_renderer(void *ctx, const struct fg_renderer *renderer)
{
	struct renderers *all = ctx;

	all->list[all->count++] = *renderer;
	return all->count < RENDERERS;
}

static enum fg_err
check_renderers(struct check *check)
{
	static _Thread_local struct renderers all;
	enum fg_err                           err;

	all.count = 0;
	err = fg_renderer_list(check->farm->db, keep_renderer, &all);
	for (int i = 0; err == FG_OK && i < all.count; i++) {
		char name[FG_SPOOL_NAME];

		fg_spool_renderer(name, all.list[i].md5);
		if (is_there(check, name, all.list[i].size))
			continue;
		if (check->mend && (err = fg_renderer_remove(check->farm->db, all.list[i].id)) != FG_OK)
			break;
		err = found(check, "renderer.missing", 0, name, "workers can't download it; mending removes it, then add it again", check->mend);
	}
	return err;
}

/* ---- a project's files */

static enum fg_err
check_source(struct check *check)
{
	const struct fg_project *p = &check->project;
	const bool               open = strcmp(p->state, "active") == 0 || strcmp(p->state, "paused") == 0 || strcmp(p->state, "splitting") == 0;
	char                     name[FG_SPOOL_NAME];
	enum fg_err              err;

	fg_spool_source(name, p->id);
	if (is_there(check, name, p->archive_size))
		return FG_OK;
	if (check->mend && open) {
		if ((err = fg_db_begin(check->farm->db, FG_FULL)) != FG_OK ||
		    (err = fg_db_end(check->farm->db, fg_project_stop(check->farm->db, p->id, "failed", "its scene file is lost; upload it again", check->now_ms))) != FG_OK)
			return err;
	}
	return found(check, "source.missing", p->id, name, open ? "it can't be rendered; mending stops the project" : "it can't be rendered again", check->mend && open);
}

struct tile {
	int     frame, row, column;
	int64_t lease, size;
	char    ext[16];
};

/* The task waits again, and what was made of its frame is void. Inside a transaction. */
static enum fg_err
render_again(struct check *check, const struct tile *tile)
{
	struct fg_db *db = check->farm->db;
	const int64_t id = check->project.id;
	int           changes = 0;
	enum fg_err   err;

	if ((err = fg_db_run(db, FG_SQL_TILE_AGAIN, FG_BINDS(FG_I("project", id), FG_I("frame", tile->frame), FG_I("row", tile->row),
	                                                      FG_I("column", tile->column), FG_I("lease", tile->lease)), &changes)) != FG_OK || changes == 0)
		return err;
	if ((err = fg_db_run(db, FG_SQL_PROJECT_AGAIN, FG_BINDS(FG_I("project", id), FG_I("frame", tile->frame)), NULL)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_FRAME_AGAIN, FG_BINDS(FG_I("project", id), FG_I("frame", tile->frame)), NULL)) != FG_OK ||
	    (err = fg_db_run(db, FG_SQL_PRODUCT_VOID, FG_BINDS(FG_I("project", id), FG_I("frame", tile->frame)), NULL)) != FG_OK ||
	    (err = fg_count_tasks(db, id, (struct fg_delta){ .waiting = 1, .done = -1 })) != FG_OK || (err = fg_project_get(&check->project, db, id)) != FG_OK)
		return err;
	if (strcmp(check->project.state, "composing") == 0 || strcmp(check->project.state, "finished") == 0)
		err = fg_count_enqueue(db, id);
	return err == FG_OK ? fg_event_add(db, id, "task.returned", 0, tile->lease, "its picture was lost", check->now_ms) : err;
}

static enum fg_err
check_tile(struct check *check, const struct tile *tile)
{
	char        name[FG_SPOOL_NAME];
	enum fg_err err;

	fg_spool_tile(name, check->project.id, tile->frame, tile->row, tile->column, tile->lease, tile->ext);
	if (is_there(check, name, tile->size))
		return FG_OK;
	if (check->mend) {
		if ((err = fg_db_begin(check->farm->db, FG_FULL)) != FG_OK || (err = fg_db_end(check->farm->db, render_again(check, tile))) != FG_OK)
			return err;
	}
	return found(check, "tile.missing", check->project.id, name, "a delivered picture is lost; mending has it rendered again", check->mend);
}

/* One row at a time: mending writes between them. */
static enum fg_err
next_tile(struct tile *tile, struct check *check)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, check->farm->db, FG_SQL_TASK_LIST_DONE,
	                                   FG_BINDS(FG_I("project", check->project.id), FG_I("frame", tile->frame), FG_I("row", tile->row),
	                                            FG_I("column", tile->column), FG_I("limit", 1)));

	if (err == FG_OK) {
		*tile = (struct tile){ .frame = (int)fg_rows_int(&rows, 0), .row = (int)fg_rows_int(&rows, 1), .column = (int)fg_rows_int(&rows, 2),
			               .lease = fg_rows_int(&rows, 3), .size = fg_rows_int(&rows, 5) };
		fg_rows_copy(&rows, 4, tile->ext, sizeof(tile->ext));
	}
	fg_rows_end(&rows);
	return err;
}

static enum fg_err
check_tiles(struct check *check)
{
	struct tile tile = { .frame = -1 };
	enum fg_err err;

	while ((err = next_tile(&tile, check)) == FG_OK)
		if ((err = check_tile(check, &tile)) != FG_OK)
			return err;
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
next_frame(int *frame, char ext[16], struct check *check)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, check->farm->db, FG_SQL_FRAME_LIST,
	                                   FG_BINDS(FG_I("project", check->project.id), FG_I("after", *frame), FG_I("limit", 1)));

	if (err == FG_OK) {
		*frame = (int)fg_rows_int(&rows, 0);
		fg_rows_copy(&rows, 1, ext, 16);
	}
	fg_rows_end(&rows);
	return err;
}

/* Stitched frames; one of a single tile is that tile. */
static enum fg_err
check_frames(struct check *check)
{
	const struct fg_project *p = &check->project;
	char                     ext[16], name[FG_SPOOL_NAME];
	enum fg_err              err = FG_OK;

	if (p->rows * p->columns == 1 && strcmp(p->format, "jpeg") != 0)
		return FG_OK;
	for (int frame = -1; err == FG_OK && (err = next_frame(&frame, ext, check)) == FG_OK;) {
		fg_spool_frame(name, p->id, frame, ext);
		if (is_there(check, name, -1))
			continue;
		if (check->mend && ((err = fg_db_begin(check->farm->db, FG_FULL)) != FG_OK ||
		                    (err = fg_db_end(check->farm->db, fg_db_run(check->farm->db, FG_SQL_PRODUCT_REMAKE,
		                                                                FG_BINDS(FG_I("project", p->id), FG_T("kind", "stitch"), FG_I("frame", frame)), NULL))) != FG_OK))
			return err;
		err = found(check, "frame.missing", p->id, name, "a stitched frame is lost; mending has it stitched again", check->mend);
	}
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
check_products(struct check *check)
{
	const struct fg_project *p = &check->project;
	char                     name[FG_SPOOL_NAME];
	bool                     lost_result = false, lost_raw = false;
	enum fg_err              err = FG_OK;

	if (p->result[0] != '\0') {
		fg_spool_result(name, p->id, p->result);
		lost_result = !is_there(check, name, -1);
	}
	if (p->raw) {
		fg_spool_raw(name, p->id);
		lost_raw = !is_there(check, name, -1);
	}
	if ((lost_result || lost_raw) && check->mend && (err = fg_product_again(check->farm->db, &check->farm->settings, p->id, check->now_ms)) != FG_OK)
		return err;
	if (lost_raw)
		err = found(check, "raw.missing", p->id, name, "the zip of raw frames is lost; mending has it made again", check->mend);
	fg_spool_result(name, p->id, p->result);
	return err == FG_OK && lost_result ? found(check, "result.missing", p->id, name, "the result is lost; mending has it made again", check->mend) : err;
}

static bool
keep_project(void *ctx, const struct fg_project *project)
{
	*(struct fg_project *)ctx = *project;
	return false;
}

static enum fg_err
check_projects(struct check *check)
{
	struct fg_project_query query = FG_PROJECT_ALL;
	enum fg_err             err = FG_OK;

	for (; err == FG_OK; query.before = check->project.id) {
		check->project.id = 0;
		if ((err = fg_project_list(check->farm->db, &query, keep_project, &check->project)) != FG_OK || check->project.id == 0)
			return err;
		if (strcmp(check->project.state, "splitting") == 0 && check->now_ms - check->project.created_ms < YOUNG_MS)
			continue; /* its archive may not have its name yet */
		if ((err = check_source(check)) == FG_OK && (err = check_tiles(check)) == FG_OK && (err = check_frames(check)) == FG_OK)
			err = check_products(check);
	}
	return err;
}

/* ---- files without rows */

typedef enum fg_err visit_file(struct check *check, const char *name, const char *base);

/* Every entry of a folder that is older than an hour. A folder that isn't there has none. */
static enum fg_err
walk(struct check *check, const char *folder, visit_file *visit)
{
	char           path[PATH_MAX], whole[PATH_MAX + NAME_MAX + 2], name[FG_SPOOL_NAME];
	struct dirent *entry;
	enum fg_err    err = FG_OK;
	DIR           *dir;

	fg_spool_path(path, &check->farm->spool, folder);
	if ((dir = opendir(path)) == NULL)
		return FG_OK;
	while (err == FG_OK && (entry = readdir(dir)) != NULL) {
		struct stat st;

		snprintf(whole, sizeof(whole), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] == '.' || snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name) >= (int)sizeof(name) || lstat(whole, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode) || check->now_ms - st.st_mtim.tv_sec * 1000 > YOUNG_MS)
			err = visit(check, name, entry->d_name);
	}
	closedir(dir);
	return err;
}

static enum fg_err
stray(struct check *check, const char *name)
{
	enum fg_err err;

	if (check->mend && (err = fg_spool_trash(&check->farm->spool, name)) != FG_OK)
		return err;
	return found(check, "stray", check->project.id, name, "no row knows this file; mending moves it to the trash", check->mend);
}

static enum fg_err
visit_renderer(struct check *check, const char *name, const char *base)
{
	char        md5[33];
	int64_t     known = 0;
	enum fg_err err;

	snprintf(md5, sizeof(md5), "%.32s", base);
	check->out->compared++;
	err = fg_db_int(&known, check->farm->db, FG_SQL_RENDERER_KNOWN, FG_BINDS(FG_T("md5", md5)));
	return err == FG_OK && known == 0 ? stray(check, name) : err;
}

static enum fg_err
visit_tile(struct check *check, const char *name, const char *base)
{
	const char *frame = strstr(name, "/tiles/");
	int         row, column;
	int64_t     lease, wanted = 0;
	enum fg_err err = FG_OK;

	check->out->compared++;
	if (frame != NULL && sscanf(base, "%d-%d-%" SCNd64 ".", &row, &column, &lease) == 3)
		err = fg_db_int(&wanted, check->farm->db, FG_SQL_TILE_WANTED,
		                FG_BINDS(FG_I("project", check->project.id), FG_I("frame", strtol(frame + 7, NULL, 10)), FG_I("row", row), FG_I("column", column),
		                         FG_I("lease", lease)));
	return err == FG_OK && wanted == 0 ? stray(check, name) : err;
}

static enum fg_err
visit_frame_folder(struct check *check, const char *name, const char *base)
{
	(void)base;
	return walk(check, name, visit_tile);
}

static enum fg_err
visit_project(struct check *check, const char *name, const char *base)
{
	char        tiles[FG_SPOOL_NAME + 8], path[PATH_MAX];
	struct stat st;
	int64_t     id = strtoll(base, NULL, 10);
	enum fg_err err = fg_project_get(&check->project, check->farm->db, id);

	check->out->compared++;
	if (err == FG_ENOTFOUND) {
		fg_spool_path(path, &check->farm->spool, name);
		check->project.id = 0;
		return stat(path, &st) == 0 && check->now_ms - st.st_mtim.tv_sec * 1000 > YOUNG_MS ? stray(check, name) : FG_OK;
	}
	if (err != FG_OK || snprintf(tiles, sizeof(tiles), "%s/tiles", name) >= FG_SPOOL_NAME)
		return err;
	return walk(check, tiles, visit_frame_folder);
}

/* The sums that lending reads. */
static enum fg_err
check_counters(struct check *check)
{
	int64_t     differ = 0;
	char        what[120];
	enum fg_err err = fg_count_again(&differ, check->farm->db, check->mend);

	check->out->compared++;
	if (err != FG_OK || differ == 0)
		return err;
	snprintf(what, sizeof(what), "%" PRId64 " sums of waiting, running and done tasks are wrong; mending counts them again", differ);
	return found(check, "counters", 0, "", what, check->mend);
}

enum fg_err
fg_check_total(int64_t *out, struct fg_db *db)
{
	return fg_db_int(out, db, FG_SQL_CHECK_TOTAL, FG_NO_BINDS);
}

static enum fg_err
check_all(struct check *check)
{
	enum fg_err err;

	*check->out = (struct fg_checked){ 0 };
	if ((err = check_renderers(check)) != FG_OK || (err = check_projects(check)) != FG_OK || (err = check_counters(check)) != FG_OK)
		return err;
	check->project.id = 0;
	if ((err = walk(check, "renderers", visit_renderer)) != FG_OK)
		return err;
	return walk(check, "projects", visit_project);
}

enum fg_err
fg_check(struct fg_checked *out, struct fg_farm *farm, bool mend, bool (*each)(void *ctx, const struct fg_fault *fault), void *ctx, int64_t now_ms)
{
	return check_all(&(struct check){ .out = out, .farm = farm, .each = each, .ctx = ctx, .mend = mend, .now_ms = now_ms });
}

enum fg_err
fg_check_telling(struct fg_checked *out, struct fg_farm *farm, bool mend, bool (*each)(void *ctx, const struct fg_fault *fault), void *ctx, int64_t now_ms)
{
	return check_all(&(struct check){ .out = out, .farm = farm, .each = each, .ctx = ctx, .mend = mend, .tells = true, .now_ms = now_ms });
}
