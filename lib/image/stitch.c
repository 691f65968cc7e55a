/* stitch: see stitch.h. Two groups of rows are in memory: while the bands of one are encoded, the tiles' columns fill the next. */
#include "image/stitch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/exr.h"
#include "image/parallel.h"

enum {
	BAND_BYTES = 512 << 10, /* of raw rows; what one thread encodes at once */
	GROUP_BANDS = 4,
};

/* One column of tiles: the tile that is being read, and how far. */
struct column {
	struct fg_rows rows;
	uint8_t       *row;    /* one row of that tile, with its overscan */
	int            fd;     /* -1: none open */
	bool           bare;   /* the tile at hand came without its overscan */
	int            tile_row;
};

/* Rows of the frame, with the last one of the group before in front. */
struct group {
	uint8_t *rows;
	int      y, nrows;
};

struct work {
	const struct fg_stitch *job;
	struct column           first; /* the first tile: what all must be like */
	size_t                  stride;
	struct column          *columns;
	struct fg_sink          sink;
	struct group            groups[2], *full, *empty;
	int                     band_rows;
};

static const struct fg_stitch_tile *
tile_at(const struct fg_stitch *job, int row, int column)
{
	return &job->tiles[(size_t)row * (size_t)job->columns + (size_t)column];
}

static const char *
name_of(const struct fg_stitch_tile *tile)
{
	const char *slash = strrchr(tile->path, '/');

	return slash != NULL ? slash + 1 : tile->path;
}

/* The tiles must lie edge to edge, all of a row equally high, all of a column equally wide. */
static enum fg_err
plan_right(const struct fg_stitch *job)
{
	if (job->rows < 1 || job->columns < 1 || job->width < 1 || job->height < 1 || job->width > FG_IMAGE_SIDE_MAX || job->height > FG_IMAGE_SIDE_MAX)
		return fg_fail(FG_EINVAL, "no tiles, or a frame of %d x %d", job->width, job->height);
	for (int r = 0, y = 0; r < job->rows; y += tile_at(job, r++, 0)->height)
		for (int c = 0, x = 0; c < job->columns; x += tile_at(job, r, c++)->width) {
			const struct fg_stitch_tile *tile = tile_at(job, r, c);
			bool last = c == job->columns - 1, low = r == job->rows - 1;

			if (tile->x != x || tile->y != y || tile->width < 1 || tile->height < 1 || tile->height != tile_at(job, r, 0)->height ||
			    tile->width > job->width - x || tile->height > job->height - y || (last && x + tile->width != job->width) ||
			    (low && y + tile->height != job->height) || tile->skip_left < 0 || tile->skip_top < 0)
				return fg_fail(FG_EINVAL, "tile %d-%d does not fit into its frame", r, c);
		}
	return FG_OK;
}

static bool
is_bare(const struct fg_stitch_tile *tile, const struct fg_image_info *info)
{
	return info->width == tile->width && info->height == tile->height;
}

static enum fg_err
tile_right(const struct fg_stitch_tile *tile, const struct fg_rows *rows, const struct fg_rows *like)
{
	const struct fg_image_info *info = &rows->info;

	if (info->format != like->info.format || info->channels != like->info.channels || info->bits != like->info.bits ||
	    (info->format == FG_IMAGE_EXR && !fg_exr_alike(rows, like)))
		return fg_fail(FG_EINVAL, "tile %s is %s with %d channels of %d bits, the first one %s with %d of %d, or with others", name_of(tile),
			fg_image_format_name(info->format), info->channels, info->bits, fg_image_format_name(like->info.format), like->info.channels,
			like->info.bits);
	if (is_bare(tile, info))
		return FG_OK;
	if (tile->skip_left > info->width - tile->width || tile->skip_top > info->height - tile->height)
		return fg_fail(FG_EINVAL, "tile %s is %d x %d, too small for its place", name_of(tile), info->width, info->height);
	return FG_OK;
}

static void
column_close(struct column *column)
{
	fg_rows_close(&column->rows);
	free(column->row);
	column->row = NULL;
	if (column->fd >= 0)
		close(column->fd);
	column->fd = -1;
}

static enum fg_err
named(enum fg_err err, const struct fg_stitch_tile *tile)
{
	char why[256];

	snprintf(why, sizeof(why), "%s", fg_err_text(err));
	return fg_fail(err, "tile %s: %s", name_of(tile), why);
}

static enum fg_err
column_open(struct column *column, const struct fg_stitch_tile *tile, int which)
{
	enum fg_err err;

	column_close(column);
	column->fd = tile->fds[which] > 0 ? tile->fds[which] : open(tile->path, O_RDONLY | O_CLOEXEC);
	if (column->fd < 0)
		return fg_fail(FG_ENOTFOUND, "tile %s is missing", name_of(tile));
	if ((err = fg_rows_open(&column->rows, column->fd)) != FG_OK)
		return named(err, tile);
	column->row = fg_alloc((size_t)column->rows.info.width * column->rows.pixel_bytes);
	return FG_OK;
}

/* Begin the tile of this column in the next row of tiles, up to the first row that is kept. */
static enum fg_err
column_next(struct work *work, struct column *column, int c)
{
	const struct fg_stitch_tile *tile = tile_at(work->job, ++column->tile_row, c);
	enum fg_err                  err = column_open(column, tile, 0);

	if (err == FG_OK)
		err = tile_right(tile, &column->rows, &work->first.rows);
	column->bare = err == FG_OK && is_bare(tile, &column->rows.info);
	for (int y = 0; err == FG_OK && !column->bare && y < tile->skip_top; y++)
		if ((err = column->rows.read(&column->rows, column->row)) != FG_OK)
			err = named(err, tile);
	return err;
}

/* Copy the part of a tile's row that is kept to its place in the frame's row, plane by plane. */
static void
place_row(uint8_t *frame, const struct work *work, const struct column *column, const struct fg_stitch_tile *tile)
{
	const uint8_t *from = column->row;
	const int      skip_left = column->bare ? 0 : tile->skip_left;

	for (int i = 0; i < column->rows.planes; i++) {
		const size_t pixel = column->rows.plane_bytes[i];

		memcpy(frame + (size_t)tile->x * pixel, from + (size_t)skip_left * pixel, (size_t)tile->width * pixel);
		frame += (size_t)work->job->width * pixel;
		from += (size_t)column->rows.info.width * pixel;
	}
}

static enum fg_err
column_fill(struct work *work, int c)
{
	struct column *column = &work->columns[c];
	struct group  *group = work->empty;
	enum fg_err    err = FG_OK;

	for (int y = group->y; err == FG_OK && y < group->y + group->nrows; y++) {
		const struct fg_stitch_tile *tile = tile_at(work->job, column->tile_row < 0 ? 0 : column->tile_row, c);

		if (column->tile_row < 0 || y == tile->y + tile->height) {
			if ((err = column_next(work, column, c)) != FG_OK)
				break;
			tile = tile_at(work->job, column->tile_row, c);
		}
		if ((err = column->rows.read(&column->rows, column->row)) != FG_OK)
			return named(err, tile);
		place_row(group->rows + (size_t)(y - group->y + 1) * work->stride, work, column, tile);
	}
	return err;
}

/* Band `index` of the full group. */
static struct fg_band
band_of(const struct work *work, int index)
{
	const struct group *group = work->full;
	int                 first = index * work->band_rows, left = group->nrows - first;
	const uint8_t      *before = group->rows + (size_t)first * work->stride;

	return (struct fg_band){ .y = group->y + first, .above = group->y + first > 0 ? before : NULL, .rows = before + work->stride,
		.nrows = left < work->band_rows ? left : work->band_rows };
}

static enum fg_err
fill_or_encode(void *with, int item)
{
	struct work *work = with;

	if (item < work->job->columns)
		return column_fill(work, item);

	struct fg_band band = band_of(work, item - work->job->columns);

	return work->sink.encode == NULL ? FG_OK : work->sink.encode(&work->sink, &band, item - work->job->columns);
}

/* The next group: what the empty one will hold once filled. */
static void
advance(struct work *work)
{
	struct group *filled = work->empty;
	int           left;

	work->empty = work->full;
	work->full = filled;
	memcpy(work->empty->rows, filled->rows + (size_t)filled->nrows * work->stride, work->stride);
	work->empty->y = filled->y + filled->nrows;
	left = work->job->height - work->empty->y;
	work->empty->nrows = left < GROUP_BANDS * work->band_rows ? left : GROUP_BANDS * work->band_rows;
}

static enum fg_err
run(struct work *work)
{
	const int   threads = fg_parallel_threads(work->job->threads);
	enum fg_err err = fg_parallel(threads, work->job->columns, fill_or_encode, work);

	while (err == FG_OK && work->empty->nrows > 0) {
		advance(work);

		int nbands = (work->full->nrows + work->band_rows - 1) / work->band_rows;

		err = fg_parallel(threads, work->job->columns + nbands, fill_or_encode, work);
		for (int i = 0; err == FG_OK && i < nbands; i++) {
			struct fg_band band = band_of(work, i);

			err = work->sink.put(&work->sink, &band, i);
		}
	}
	return err == FG_OK ? work->sink.end(&work->sink) : err;
}

/* The first tile says what all are. */
static enum fg_err
open_sink(struct work *work, int out_fd)
{
	const struct fg_stitch *job = work->job;
	const struct fg_rows   *like = &work->first.rows;
	struct fg_image_info    info = like->info;
	bool                    changed = false;
	enum fg_err             err;

	info.format = job->format;
	info.width = job->width;
	info.height = job->height;
	if ((like->info.format == FG_IMAGE_EXR) != (job->format == FG_IMAGE_EXR))
		return fg_fail(FG_EUNSUPPORTED, "tiles of format %s don't make a frame of format %s", fg_image_format_name(like->info.format),
			fg_image_format_name(job->format));
	if (job->format != FG_IMAGE_EXR)
		return fg_sink_open(&work->sink, out_fd, &info, job->quality > 0 ? job->quality : 90);
	work->sink = (struct fg_sink){ .info = info, .fd = out_fd };
	err = fg_exr_sink(&work->sink, like, &changed);
	if (changed && job->said != NULL)
		snprintf(job->said->text, sizeof(job->said->text), "the frame is packed with ZIP, since %s can't be written without loss",
			fg_exr_compression_name(like));
	return err;
}

static void
prepare(struct work *work)
{
	const int multiple = work->sink.rows_multiple;
	int       group_rows, rows;

	work->stride = (size_t)work->job->width * work->first.rows.pixel_bytes;
	rows = (int)(BAND_BYTES / work->stride) / multiple * multiple;
	work->band_rows = rows < multiple ? multiple : rows;
	group_rows = GROUP_BANDS * work->band_rows;
	for (int i = 0; i < 2; i++)
		work->groups[i].rows = fg_alloc((size_t)(group_rows + 1) * work->stride);
	work->full = &work->groups[0];
	work->empty = &work->groups[1];
	work->empty->nrows = group_rows < work->job->height ? group_rows : work->job->height;
}

static void
finish(struct work *work)
{
	for (int c = 0; c < work->job->columns; c++)
		column_close(&work->columns[c]);
	column_close(&work->first);
	free(work->columns);
	free(work->groups[0].rows);
	free(work->groups[1].rows);
	fg_sink_close(&work->sink);
}

enum fg_err
fg_stitch(int out_fd, const struct fg_stitch *job)
{
	struct work work = { .job = job, .first.fd = -1 };
	enum fg_err err = plan_right(job);

	if (job->said != NULL)
		job->said->text[0] = '\0';
	if (err != FG_OK)
		return err;
	work.columns = fg_alloc((size_t)job->columns * sizeof(*work.columns));
	for (int c = 0; c < job->columns; c++)
		work.columns[c] = (struct column){ .fd = -1, .tile_row = -1 };
	if ((err = column_open(&work.first, tile_at(job, 0, 0), 1)) == FG_OK && (err = open_sink(&work, out_fd)) == FG_OK) {
		prepare(&work);
		err = run(&work);
	}
	finish(&work);
	return err;
}
