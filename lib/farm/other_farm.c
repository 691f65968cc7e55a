#include "farm/other_farm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "farm/tile.h"

enum { OVERSCAN_OFF = 8 };

/* Does Blender begin or end at this pixel when it is told `border`? It keeps it in single precision, multiplies in that too, and cuts off: of 1920 columns
 * 26 come out one too low, of 1080 rows 22, of 161 eight, of 160 none. */
static bool
hits(double border, int size, int pixel)
{
	const volatile float stored = (float)border, product = stored * (float)size; /* no wider register may keep more of it */

	return (int)product == pixel;
}

/* One side of a chunk: part `i` of `n`, widened by the overscan at inner edges, from pixel `from` to `to`. What they cut off they cut off whole, so there
 * must be as much. */
static bool
side_fits(int size, int n, int i, int overscan, int from, int to)
{
	const double wider = (double)overscan / size, part = 1.0 / n;

	if (i > 0 && (from < overscan || !hits(part * i - wider, size, from - overscan)))
		return false;
	return i == n - 1 || (to + overscan <= size && hits(part * (i + 1) + wider, size, to + overscan));
}

static bool
all_fit(const struct fg_project *p, int overscan)
{
	const int n = p->rows;

	for (int i = 0; i < n; i++) {
		const struct fg_rect x = fg_tile_place(p->width, p->height, n, n, 0, i, 0).kept, y = fg_tile_place(p->width, p->height, n, n, n - 1 - i, 0, 0).kept;
		const int            bottom = p->height - y.y - y.height;

		if (!side_fits(p->width, n, i, overscan, x.x, x.x + x.width) || !side_fits(p->height, n, i, overscan, bottom, bottom + y.height))
			return false;
	}
	return true;
}

int
fg_other_overscan(const struct fg_project *p)
{
	const int room = (p->width < p->height ? p->width : p->height) / p->rows; /* more than the neighbour they can't cut off */
	const int wanted = p->overscan < room ? p->overscan : room, most = wanted > 0 ? OVERSCAN_OFF : 0;

	for (int off = 0; off <= most; off++) {
		if (all_fit(p, wanted + off))
			return wanted + off;
		if (wanted - off > 0 && all_fit(p, wanted - off))
			return wanted - off;
	}
	return -1;
}

const char *
fg_other_why(const struct fg_project *p)
{
	if (p->rows != p->columns)
		return "has not as many rows of tiles as columns";
	if (p->percent != 100 || p->samples != 0 || p->no_denoise || p->device == FG_DEVICE_GPU || p->scene[0] != '\0' || p->camera[0] != '\0' || p->engine[0] != '\0' ||
	    p->extra[0] != '\0' || p->renderer[0] != '\0')
		return "chooses what they can't set: size in percent, samples, denoising, GPU, scene, camera, engine or renderer";
	if (strcmp(p->format, "png") != 0 && strcmp(p->format, "jpeg") != 0)
		return "is neither PNG nor JPEG";
	return fg_other_overscan(p) >= 0 ? NULL : "has a size that they can't cut into these tiles to the pixel; another number of tiles, or other pixels, may do";
}

bool
fg_other_accepts(const struct fg_project *p)
{
	return fg_other_why(p) == NULL;
}

void
fg_other_tile(struct fg_other_tile *out, const struct fg_project *p, const struct fg_lease *lease)
{
	out->row = lease->column;
	out->column = p->rows - 1 - lease->row;
	snprintf(out->chunk, sizeof(out->chunk), "%" PRId64 "_%d_%d_%d", lease->project, lease->frame, out->row, out->column);
}

enum fg_err
fg_other_lease(int64_t *lease, struct fg_db *db, int64_t session)
{
	enum fg_err err = fg_db_int(lease, db, FG_SQL_LEASE_OF_SESSION, FG_BINDS(FG_I("session", session)));

	if (err == FG_ENOTFOUND)
		*lease = FG_NO_LEASE;
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* Four numbers with `_` between them. */
static bool
parse_chunk(int64_t numbers[4], const char *chunk)
{
	for (int i = 0; i < 4; i++) {
		const size_t digits = strspn(chunk, "0123456789");

		if (digits == 0 || digits > 15 || chunk[digits] != (i < 3 ? '_' : '\0'))
			return false;
		numbers[i] = strtoll(chunk, NULL, 10);
		chunk += digits + 1;
	}
	return true;
}

enum fg_err
fg_other_find(struct fg_other_loan *out, struct fg_db *db, int64_t session, const char *chunk, int64_t now_ms)
{
	struct fg_project p;
	int64_t           at[4], since_ms = 0;
	enum fg_err       err;

	*out = (struct fg_other_loan){ .lease = FG_NO_LEASE };
	if (!parse_chunk(at, chunk) || fg_project_get(&p, db, at[0]) != FG_OK || at[1] > FG_FRAME_MAX || at[2] >= p.columns || at[3] >= p.rows)
		return fg_fail(FG_ENOTFOUND, "there is no such chunk");
	out->frame = (int)at[1];
	if ((err = fg_db_int(&out->lease, db, FG_SQL_LEASE_OF_TILE,
	                     FG_BINDS(FG_I("project", at[0]), FG_I("frame", at[1]), FG_I("row", p.rows - 1 - at[3]), FG_I("column", at[2]),
	                              FG_I("session", session)))) != FG_OK)
		return err;
	if (out->lease == FG_NO_LEASE)
		return fg_fail(FG_ENOTFOUND, "this worker has no such chunk");
	err = fg_db_int(&since_ms, db, FG_SQL_LEASE_SINCE, FG_BINDS(FG_I("lease", out->lease)));
	out->for_ms = now_ms > since_ms ? now_ms - since_ms : 0;
	return err;
}

enum fg_err
fg_other_renders(bool *out, struct fg_db *db, int64_t user, int64_t project)
{
	int64_t     there = 0;
	enum fg_err err = fg_db_int(&there, db, FG_SQL_DOOR_PROJECT, FG_BINDS(FG_I("project", project), FG_I("user", user)));

	*out = there != 0;
	return err;
}

enum fg_err
fg_other_projects(struct fg_db *db, int64_t user, int limit, void (*each)(void *ctx, int64_t project), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_DOOR_PROJECTS, FG_BINDS(FG_I("user", user), FG_I("limit", limit))); err == FG_OK; err = fg_rows_next(&rows))
		each(ctx, fg_rows_int(&rows, 0));
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_other_renderer(char md5[33], struct fg_db *db)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_RENDERER_FIT, FG_BINDS(FG_T("os", "linux"), FG_T("bits", "64bit"), FG_T("version", "")));

	if (err == FG_OK)
		fg_rows_copy(&rows, 1, md5, 33);
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "this farm has no Blender for Linux yet") : err;
}

enum fg_err
fg_other_cover(char name[FG_SPOOL_NAME], const char **type, struct fg_farm *farm, int64_t project)
{
	char        path[PATH_MAX];
	int64_t     frame = 0;
	enum fg_err err = fg_db_int(&frame, farm->db, FG_SQL_FRAME_PREVIEW, FG_BINDS(FG_I("project", project)));

	if (err != FG_OK && err != FG_ENOTFOUND)
		return err;
	*type = err == FG_OK ? "image/jpeg" : "image/png";
	if (err == FG_OK)
		fg_spool_preview(name, project, (int)frame);
	else
		fg_spool_cover(name, project);
	fg_spool_path(path, &farm->spool, name);
	return access(path, R_OK) == 0 ? FG_OK : fg_fail(FG_ENOTFOUND, "project %" PRId64 " has no picture yet", project);
}
