#include "compositor_make.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/random.h"
#include "farm/tile.h"
#include "image/stitch.h"
#include "image/thumb.h"

enum { PREVIEW_WIDTH = 512, JPEG_QUALITY = 90 };

void
fg_make_progress(struct fg_make *make, int64_t done, int64_t total)
{
	const int now = total > 0 ? (int)(done * 1000 / total) : 0;

	if (now == make->shown)
		return;
	make->shown = now;
	printf("progress %d\n", now);
	fflush(stdout);
}

enum fg_err
fg_make_open(int *fd, const struct fg_make *make, const char *name)
{
	char path[PATH_MAX];

	fg_spool_path(path, &make->farm->spool, name);
	if ((*fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0)
		return FG_OK;
	if (errno == ENOENT)
		return fg_fail(FG_ENOTFOUND, "the file %s is missing", name);
	return fg_fail(FG_EIO, "could not open %s: %s", name, strerror(errno));
}

enum fg_err
fg_make_create(struct fg_spool_file *out, const struct fg_make *make)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), FG_MAKE_PREFIX "%" PRId64 "-", make->product);
	return fg_spool_create_as(out, &make->farm->spool, prefix);
}

static bool
is_tile(const struct fg_project *project)
{
	return project->rows * project->columns == 1 && strcmp(project->format, "jpeg") != 0;
}

enum fg_err
fg_make_frame_name(char name[FG_SPOOL_NAME], struct fg_make *make, int frame, const char *ext)
{
	struct fg_rows rows;
	enum fg_err    err;

	if (!is_tile(&make->project)) {
		fg_spool_frame(name, make->project.id, frame, ext);
		return FG_OK;
	}
	err = fg_rows_first(&rows, make->farm->db, FG_SQL_TILE_LIST, FG_BINDS(FG_I("project", make->project.id), FG_I("frame", frame)));
	if (err == FG_OK)
		fg_spool_tile(name, make->project.id, frame, 0, 0, fg_rows_int(&rows, 2), fg_rows_text(&rows, 3));
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "frame %d is missing", frame) : err;
}

/* The extension of a whole frame; FG_ENOTFOUND while it is not whole. */
static enum fg_err
frame_ext(char ext[8], struct fg_make *make, int frame)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, make->farm->db, FG_SQL_FRAME_LIST,
	                                   FG_BINDS(FG_I("project", make->project.id), FG_I("after", frame - 1), FG_I("limit", 1)));

	if (err == FG_OK && fg_rows_int(&rows, 0) == frame)
		fg_rows_copy(&rows, 1, ext, 8);
	else if (err == FG_OK || err == FG_ENOTFOUND)
		err = fg_fail(FG_ENOTFOUND, "frame %d is missing", frame);
	fg_rows_end(&rows);
	return err;
}

/* --- preview: frame → JPEG of 512 columns */

static enum fg_err
preview(struct fg_make *make)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	char                 name[FG_SPOOL_NAME], ext[8];
	int                  in = -1;
	enum fg_err          err;

	if ((err = frame_ext(ext, make, make->frame)) == FG_OK &&
	    (err = fg_make_frame_name(name, make, make->frame, ext)) == FG_OK &&
	    (err = fg_make_open(&in, make, name)) == FG_OK &&
	    (err = fg_make_create(&file, make)) == FG_OK &&
	    (err = fg_thumb(file.fd, in, &(struct fg_thumb){ .width = PREVIEW_WIDTH })) == FG_OK) {
		fg_spool_preview(name, make->project.id, make->frame);
		snprintf(make->ext, sizeof(make->ext), "jpg");
		err = fg_spool_commit(&file, &make->farm->spool, name);
	}
	fg_spool_discard(&file);
	if (in >= 0)
		close(in);
	return err;
}

/* --- stitch: tiles → frame */

static enum fg_image_format
frame_format(const char *format)
{
	static const struct {
		const char          *name;
		enum fg_image_format format;
	} formats[] = { { "png", FG_IMAGE_PNG }, { "png16", FG_IMAGE_PNG }, { "jpeg", FG_IMAGE_JPEG }, { "exr", FG_IMAGE_EXR },
		        { "exr-multilayer", FG_IMAGE_EXR }, { "tga", FG_IMAGE_TGA }, { "bmp", FG_IMAGE_BMP } };

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strcmp(formats[i].name, format) == 0)
			return formats[i].format;
	return FG_IMAGE_PNG; /* of films */
}

/* Where tile number `i` of its frame lies, and its file. The path is the caller's to free. */
static struct fg_stitch_tile
place_tile(const struct fg_make *make, int i, const char *name)
{
	const struct fg_project *p = &make->project;
	const struct fg_tile_place place = fg_tile_place(p->width, p->height, p->rows, p->columns, i / p->columns, i % p->columns, p->overscan);
	char path[PATH_MAX];

	fg_spool_path(path, &make->farm->spool, name);
	return (struct fg_stitch_tile){ .path = fg_strdup(path), .x = place.kept.x, .y = place.kept.y, .width = place.kept.width, .height = place.kept.height,
		                        .skip_left = place.kept.x - place.rendered.x, .skip_top = place.kept.y - place.rendered.y };
}

static enum fg_err
list_tiles(struct fg_stitch_tile *tiles, struct fg_make *make, int count)
{
	struct fg_rows rows;
	char           name[FG_SPOOL_NAME];
	int            i = 0, columns = make->project.columns;
	enum fg_err    err = fg_rows_first(&rows, make->farm->db, FG_SQL_TILE_LIST,
	                                   FG_BINDS(FG_I("project", make->project.id), FG_I("frame", make->frame)));

	for (; err == FG_OK && i < count && fg_rows_int(&rows, 0) == i / columns && fg_rows_int(&rows, 1) == i % columns; i++) {
		fg_spool_tile(name, make->project.id, make->frame, i / columns, i % columns, fg_rows_int(&rows, 2), fg_rows_text(&rows, 3));
		tiles[i] = place_tile(make, i, name);
		err = fg_rows_next(&rows);
	}
	fg_rows_end(&rows);
	if (i < count && (err == FG_OK || err == FG_ENOTFOUND))
		return fg_fail(FG_ENOTFOUND, "the tile in row %d, column %d of frame %d is missing", i / columns, i % columns, make->frame);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
stitch_tiles(struct fg_make *make, const struct fg_stitch_tile *tiles, struct fg_stitch_said *said)
{
	const struct fg_project *p = &make->project;
	struct fg_spool_file     file = FG_SPOOL_NO_FILE;
	char                     name[FG_SPOOL_NAME];
	enum fg_err              err = fg_make_create(&file, make);

	snprintf(make->ext, sizeof(make->ext), "%s", fg_project_frame_ext(p->format));
	fg_spool_frame(name, p->id, make->frame, make->ext);
	if (err == FG_OK &&
	    (err = fg_stitch(file.fd, &(struct fg_stitch){ .tiles = tiles, .rows = p->rows, .columns = p->columns, .width = p->width, .height = p->height,
	                                                   .format = frame_format(p->format), .quality = JPEG_QUALITY, .said = said })) == FG_OK)
		err = fg_spool_commit(&file, &make->farm->spool, name);
	fg_spool_discard(&file);
	return err;
}

static enum fg_err
stitch(struct fg_make *make)
{
	const int              count = make->project.rows * make->project.columns;
	struct fg_stitch_tile *tiles = fg_alloc((size_t)count * sizeof(*tiles));
	struct fg_stitch_said  said = { "" };
	enum fg_err            err = list_tiles(tiles, make, count);

	if (err == FG_OK)
		err = stitch_tiles(make, tiles, &said);
	snprintf(make->note, sizeof(make->note), "%s", said.text);
	for (int i = 0; i < count; i++)
		free((char *)tiles[i].path);
	free(tiles);
	return err;
}

/* --- result: an animation's video, or a still's frame under another name */

static enum fg_err
copy_file(struct fg_make *make, const char *from, const char *to)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	int64_t              bytes = 0;
	int                  in = -1;
	enum fg_err          err;

	if ((err = fg_make_open(&in, make, from)) == FG_OK && (err = fg_make_create(&file, make)) == FG_OK &&
	    (err = fg_fs_copy(file.fd, in, &bytes)) == FG_OK)
		err = fg_spool_commit(&file, &make->farm->spool, to);
	fg_spool_discard(&file);
	if (in >= 0)
		close(in);
	return err;
}

/* A second name costs no room; it replaces an older result at once. */
static enum fg_err
link_file(struct fg_make *make, const char *from, const char *to)
{
	char        source[PATH_MAX], target[PATH_MAX], name[FG_SPOOL_NAME], between[PATH_MAX], hex[33];
	enum fg_err err;

	fg_random_hex(hex, 16);
	snprintf(name, sizeof(name), "incoming/" FG_MAKE_PREFIX "%" PRId64 "-%s", make->product, hex);
	fg_spool_path(source, &make->farm->spool, from);
	fg_spool_path(target, &make->farm->spool, to);
	fg_spool_path(between, &make->farm->spool, name);
	if (link(source, between) != 0)
		return errno == ENOENT ? fg_fail(FG_ENOTFOUND, "the file %s is missing", from) : copy_file(make, from, to);
	err = fg_fs_rename(-1, between, target);
	unlink(between); /* rename leaves it when both are one file already */
	return err;
}

static enum fg_err
still(struct fg_make *make)
{
	char        from[FG_SPOOL_NAME], to[FG_SPOOL_NAME];
	const int   frame = make->project.frame_start;
	enum fg_err err;

	if ((err = frame_ext(make->ext, make, frame)) != FG_OK || (err = fg_make_frame_name(from, make, frame, make->ext)) != FG_OK)
		return err;
	fg_spool_result(to, make->project.id, make->ext);
	return link_file(make, from, to);
}

/* An animation of pictures that nobody here can read: its frames in a zip. */
static enum fg_err
frames_in_a_zip(struct fg_make *make)
{
	char        raw[FG_SPOOL_NAME], result[FG_SPOOL_NAME];
	enum fg_err err = fg_make_zip(make);

	if (err != FG_OK)
		return err;
	fg_spool_raw(raw, make->project.id);
	fg_spool_result(result, make->project.id, "zip");
	snprintf(make->ext, sizeof(make->ext), "zip");
	return link_file(make, raw, result);
}

static enum fg_err
result(struct fg_make *make)
{
	const struct fg_project_format *format = fg_project_format(make->project.format);

	if (format != NULL && format->rare && make->project.animation)
		return frames_in_a_zip(make);
	return make->project.animation || (format != NULL && format->film != NULL) ? fg_make_video(make) : still(make);
}

/* What stitching did differently is said once, with the project's result. */
static void
collect_notes(struct fg_make *make)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, make->farm->db, FG_SQL_PRODUCT_STITCH_NOTES, FG_BINDS(FG_I("project", make->project.id)));

	for (size_t used = 0; err == FG_OK && used < sizeof(make->note); err = fg_rows_next(&rows))
		used += (size_t)snprintf(make->note + used, sizeof(make->note) - used, "%s%s", used > 0 ? "; " : "", fg_rows_text(&rows, 0));
	fg_rows_end(&rows);
}

enum fg_err
fg_make(struct fg_make *make, const char *kind)
{
	static const struct {
		const char *kind;
		enum fg_err (*make)(struct fg_make *make);
		bool last; /* of its project: carries the notes */
	} makers[] = { { "preview", preview, false }, { "stitch", stitch, false }, { "result", result, true }, { "zip", fg_make_zip, true } };

	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++)
		if (strcmp(makers[i].kind, kind) == 0) {
			const enum fg_err err = makers[i].make(make);

			if (err == FG_OK && makers[i].last)
				collect_notes(make);
			return err;
		}
	return fg_fail(FG_EINVAL, "nobody knows how to make a %s", kind);
}
