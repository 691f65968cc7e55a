/* stitch: see stitch.h. Two groups of rows are in memory: while the bands of one are encoded, the tiles' columns fill the next. */
#include "image/stitch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/codec.h"
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
	int            tile_row;
};

/* Rows of the frame, with the last one of the group before in front. */
struct group {
	uint8_t *rows;
	int      y, nrows;
};

struct work {
	const struct fg_stitch *job;
	struct fg_image_info    info; /* of the tiles, with the size of the frame */
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

static enum fg_err
tile_right(const struct fg_stitch_tile *tile, const struct fg_image_info *info, const struct fg_image_info *like)
{
	if (info->channels != like->channels || info->bits != like->bits)
		return fg_fail(FG_EINVAL, "tile %s has %d samples of %d bits a pixel, the first one %d of %d", name_of(tile), info->channels, info->bits,
			like->channels, like->bits);
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
column_open(struct column *column, const struct fg_stitch_tile *tile)
{
	enum fg_err err;

	column_close(column);
	column->fd = open(tile->path, O_RDONLY | O_CLOEXEC);
	if (column->fd < 0)
		return fg_fail(FG_ENOTFOUND, "tile %s is missing", name_of(tile));
	if ((err = fg_rows_open(&column->rows, column->fd)) != FG_OK)
		return named(err, tile);
	column->row = fg_alloc(fg_row_bytes(&column->rows.info));
	return FG_OK;
}

/* Begin the tile of this column in the next row of tiles, up to the first row that is kept. */
static enum fg_err
column_next(struct work *work, struct column *column, int c)
{
	const struct fg_stitch_tile *tile = tile_at(work->job, ++column->tile_row, c);
	enum fg_err                  err = column_open(column, tile);

	if (err == FG_OK)
		err = tile_right(tile, &column->rows.info, &work->info);
	for (int y = 0; err == FG_OK && y < tile->skip_top; y++)
		if ((err = column->rows.read(&column->rows, column->row)) != FG_OK)
			err = named(err, tile);
	return err;
}

static enum fg_err
column_fill(struct work *work, int c)
{
	struct column *column = &work->columns[c];
	struct group  *group = work->empty;
	size_t         stride = fg_row_bytes(&work->info), pixel = stride / (size_t)work->info.width;
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
		memcpy(group->rows + (size_t)(y - group->y + 1) * stride + (size_t)tile->x * pixel,
			column->row + (size_t)tile->skip_left * pixel, (size_t)tile->width * pixel);
	}
	return err;
}

/* Band `index` of the full group. */
static struct fg_band
band_of(const struct work *work, int index)
{
	const struct group *group = work->full;
	size_t              stride = fg_row_bytes(&work->info);
	int                 first = index * work->band_rows, left = group->nrows - first;
	const uint8_t      *before = group->rows + (size_t)first * stride;

	return (struct fg_band){ group->y + first > 0 ? before : NULL, before + stride, left < work->band_rows ? left : work->band_rows };
}

static enum fg_err
fill_or_encode(void *with, int item)
{
	struct work *work = with;

	if (item < work->job->columns)
		return column_fill(work, item);

	struct fg_band band = band_of(work, item - work->job->columns);

	return work->sink.encode(&work->sink, &band, item - work->job->columns);
}

/* The next group: what the empty one will hold once filled. */
static void
advance(struct work *work)
{
	struct group *filled = work->empty;
	size_t        stride = fg_row_bytes(&work->info);
	int           left;

	work->empty = work->full;
	work->full = filled;
	memcpy(work->empty->rows, filled->rows + (size_t)filled->nrows * stride, stride);
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
learn(struct work *work)
{
	struct column column = { .fd = -1 };
	enum fg_err   err = column_open(&column, tile_at(work->job, 0, 0));

	work->info = column.rows.info;
	work->info.format = work->job->format;
	work->info.width = work->job->width;
	work->info.height = work->job->height;
	column_close(&column);
	return err;
}

static void
prepare(struct work *work)
{
	size_t stride = fg_row_bytes(&work->info);
	int    group_rows, rows = (int)(BAND_BYTES / stride);

	work->band_rows = rows < 1 ? 1 : rows;
	group_rows = GROUP_BANDS * work->band_rows;
	work->columns = fg_alloc((size_t)work->job->columns * sizeof(*work->columns));
	for (int c = 0; c < work->job->columns; c++)
		work->columns[c] = (struct column){ .fd = -1, .tile_row = -1 };
	for (int i = 0; i < 2; i++)
		work->groups[i].rows = fg_alloc((size_t)(group_rows + 1) * stride);
	work->full = &work->groups[0];
	work->empty = &work->groups[1];
	work->empty->nrows = group_rows < work->job->height ? group_rows : work->job->height;
}

static void
finish(struct work *work)
{
	for (int c = 0; work->columns != NULL && c < work->job->columns; c++)
		column_close(&work->columns[c]);
	free(work->columns);
	free(work->groups[0].rows);
	free(work->groups[1].rows);
	fg_sink_close(&work->sink);
}

static enum fg_err
stitch_rows(int out_fd, const struct fg_stitch *job)
{
	struct work work = { .job = job };
	enum fg_err err;

	if ((err = learn(&work)) == FG_OK && (err = fg_sink_open(&work.sink, out_fd, &work.info, job->quality)) == FG_OK) {
		prepare(&work);
		err = run(&work);
	}
	finish(&work);
	return err;
}

enum fg_err
fg_stitch(int out_fd, const struct fg_stitch *job)
{
	enum fg_err err = plan_right(job);

	if (job->said != NULL)
		job->said->text[0] = '\0';
	return err == FG_OK ? stitch_rows(out_fd, job) : err;
}
