/* preview: a small picture of a project, a frame, a tile, or of an upload.
 *
 *   GET|HEAD /api/preview/ID                   the project's cover: its first frame, else the picture saved in the .blend, else a plain one
 *   GET|HEAD /api/preview/ID/FRAME             the JPEG that the compositor made of a whole frame
 *   GET|HEAD /api/preview/ID/FRAME/ROW/COLUMN  a delivered tile without its overscan; made by a confined process when first asked for, kept by its lease
 *   …/FRAME and …/FRAME/ROW/COLUMN with w= (pixels, at least as wide), layer= (EXR: its channels), ev= (stops, -10 to 10): the picture itself shown
 *   so, made by confined processes when first asked for and kept by content, which is its ETag; 415 or 422 says why one can't be shown
 *   GET|HEAD /api/preview/upload/UPLOAD        the picture saved in the .blend (blend= chooses in a zip)
 *   404 while there is none, or of what the viewer may not see; link=SECRET as for the project
 *   Protocol: doc/protocol.md#preview    Test: tests/integration/portal.py
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "farm/confined.h"
#include "farm/frame.h"
#include "farm/intake.h"
#include "farm/look.h"
#include "farm/picture.h"
#include "farm/tile.h"
#include "farm/upload.h"
#include "http/endpoint.h"
#include "http/visible.h"
#include "image/icon.h"
#include "image/stitch.h"
#include "image/thumb.h"

enum { LINK, BLEND, LEASE, WIDTH, LAYER, EV };
enum { MOSAIC_WIDTH = 960, TILE_LEAST = 32, ICON_MOST = 1 << 24, VIEW_MOST = 1 << 26 };

static const struct fg_param params[] = {
	[LINK]  = { "link",  FG_PARAM_TEXT, .optional = true, .max = 64 },
	[BLEND] = { "blend", FG_PARAM_TEXT, .optional = true, .max = FG_BLEND_PATH - 1 },
	[WIDTH] = { "w",     FG_PARAM_INT, .optional = true, .min = 1, .max = FG_IMAGE_SIDE_MAX },
	[LAYER] = { "layer", FG_PARAM_TEXT, .optional = true, .max = 200 },
	[EV]    = { "ev",    FG_PARAM_TEXT, .optional = true, .max = 8 },
	[LEASE] = { "lease", FG_PARAM_INT, .optional = true, .loose = true, .min = 0, .max = INT32_MAX },
};

static const char plain[] = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 160 90\"><rect width=\"160\" height=\"90\" fill=\"#8a7f92\" opacity=\".18\"/>"
                            "<path d=\"M56 74V48a24 24 0 0 1 48 0v26M66 74V49a14 14 0 0 1 28 0v25\" fill=\"none\" stroke=\"#b4541b\" stroke-width=\"3.5\" "
                            "opacity=\".55\"/></svg>";

static enum fg_err
whole_frame(struct fg_req *req, const struct fg_project *project, int64_t frame)
{
	char name[FG_SPOOL_NAME];

	fg_spool_preview(name, project->id, (int)frame);
	return fg_http_send_file(req, name, "image/jpeg", NULL);
}

static enum fg_err
cover(struct fg_req *req, const struct fg_project *project)
{
	char        name[FG_SPOOL_NAME];
	int         frame;
	enum fg_err err = fg_frame_cover(&frame, req->db, project->id);

	if (err == FG_OK)
		return whole_frame(req, project, frame);
	fg_spool_cover(name, project->id);
	if (err == FG_ENOTFOUND && (err = fg_http_send_file(req, name, "image/png", NULL)) == FG_ENOTFOUND) {
		fg_buf_clear(&req->headers);
		err = fg_http_send(req, 200, "image/svg+xml", plain, sizeof(plain) - 1);
	}
	return err;
}

/* A delivered tile, the files that come of it, and where it lies in its frame. */
struct cutting {
	int                  tile_fds[2], piece_fd, small_fd, width;
	struct fg_tile_place place;
};

/* The tile without its overscan, as a file of its own kind, and that one small. Done in the cage: it is what a worker sent. */
static enum fg_err
cut(void *ctx)
{
	const struct cutting       *c = ctx;
	const struct fg_stitch_tile piece = { .path = "tile", .fds = { c->tile_fds[0], c->tile_fds[1] }, .width = c->place.kept.width, .height = c->place.kept.height,
		                              .skip_left = c->place.kept.x - c->place.rendered.x, .skip_top = c->place.kept.y - c->place.rendered.y };
	struct fg_stitch_said       said = { "" };
	struct fg_image_info        info;
	enum fg_err                 err;

	if ((err = fg_image_probe(&info, c->tile_fds[0])) == FG_OK &&
	    (err = fg_stitch(c->piece_fd, &(struct fg_stitch){ .tiles = &piece, .rows = 1, .columns = 1, .width = piece.width, .height = piece.height,
	                                                       .format = info.format, .quality = 90, .threads = 1, .said = &said })) == FG_OK)
		err = fg_thumb(c->small_fd, c->piece_fd, &(struct fg_thumb){ .width = c->width, .threads = 1 });
	return err;
}

static enum fg_err
make_tile(const char *name, struct fg_req *req, const struct fg_project *p, const char *tile, int row, int column)
{
	struct cutting       c = { .place = fg_tile_place(p->width, p->height, p->rows, p->columns, row, column, p->overscan),
		                   .width = MOSAIC_WIDTH / p->columns > TILE_LEAST ? MOSAIC_WIDTH / p->columns : TILE_LEAST };
	struct fg_spool_file piece = FG_SPOOL_NO_FILE, small = FG_SPOOL_NO_FILE;
	char                 path[PATH_MAX];
	enum fg_err          err;

	fg_spool_path(path, &req->farm->spool, tile);
	for (int i = 0; i < 2; i++)
		c.tile_fds[i] = open(path, O_RDONLY | O_CLOEXEC);
	if (c.tile_fds[0] < 0 || c.tile_fds[1] < 0)
		err = fg_fail(FG_ENOTFOUND, "the tile's file is missing");
	else if ((err = fg_spool_create(&piece, &req->farm->spool)) == FG_OK && (err = fg_spool_create(&small, &req->farm->spool)) == FG_OK) {
		c.piece_fd = piece.fd;
		c.small_fd = small.fd;
		err = fg_confined(cut, &c);
	}
	for (int i = 0; i < 2 && c.tile_fds[i] >= 0; i++)
		close(c.tile_fds[i]);
	if (err == FG_OK)
		err = fg_spool_commit(&small, &req->farm->spool, name);
	fg_spool_discard(&piece);
	fg_spool_discard(&small);
	return err;
}

static enum fg_err
one_tile(struct fg_req *req, const struct fg_project *p, int64_t frame, int64_t row, int64_t column)
{
	char        tile[FG_SPOOL_NAME], name[FG_SPOOL_NAME], path[PATH_MAX];
	int64_t     lease;
	enum fg_err err;

	if (row >= p->rows || column >= p->columns)
		return fg_fail(FG_ENOTFOUND, "project %" PRId64 " has %d rows and %d columns of tiles", p->id, p->rows, p->columns);
	if ((err = fg_frame_tile(tile, &lease, req->db, p, (int)frame, (int)row, (int)column)) != FG_OK)
		return err;
	fg_spool_tile_preview(name, p->id, (int)frame, (int)row, (int)column, lease);
	fg_spool_path(path, &req->farm->spool, name);
	if (access(path, R_OK) != 0 && (err = make_tile(name, req, p, tile, (int)row, (int)column)) != FG_OK)
		return err;
	return fg_http_send_file(req, name, "image/jpeg", NULL);
}

/* Half stops, so that few pictures are kept. */
static enum fg_err
exposure(float *out, const char *text)
{
	char        *end;
	const double stops = strtod(text, &end);

	if (end == text || *end != '\0' || !(stops >= -10 && stops <= 10))
		return fg_fail(FG_EINVAL, "ev is a number of stops from -10 to 10");
	*out = (float)((int)(stops * 2 + (stops < 0 ? -0.5 : 0.5)) / 2.0);
	return FG_OK;
}

/* Named by what was shown, so that is its validator: who has it is told so before anything is made or read. */
static enum fg_err
send_view(struct fg_req *req, const char *name)
{
	struct fg_buf bytes = { 0 };
	char          path[PATH_MAX];
	enum fg_err   err;

	fg_spool_path(path, &req->farm->spool, name);
	if ((err = fg_fs_read(&bytes, path, VIEW_MOST)) == FG_OK)
		err = fg_http_send(req, 200, "image/jpeg", bytes.data, bytes.len);
	fg_buf_free(&bytes);
	return err;
}

/* The picture itself, as it is asked for. */
static enum fg_err
view(struct fg_req *req, const struct fg_project *p, const int64_t place[3], int count)
{
	const char     *layer = fg_req_text(req, LAYER, "");
	struct fg_thumb how = { .width = fg_picture_width((int)fg_req_int(req, WIDTH, 960)), .layer = *layer != '\0' ? layer : NULL };
	char            source[FG_SPOOL_NAME], name[FG_SPOOL_NAME], path[PATH_MAX], hash[33], ext[16], etag[40];
	int64_t         lease;
	int             fd;
	enum fg_err     err;

	if ((err = exposure(&how.display.exposure_stops, fg_req_text(req, EV, "0"))) != FG_OK)
		return err;
	err = count == 1 ? fg_frame_file(source, ext, req->db, p, (int)place[0])
	                 : fg_frame_tile(source, &lease, req->db, p, (int)place[0], (int)place[1], (int)place[2]);
	if (err != FG_OK)
		return err;
	fg_spool_path(path, &req->farm->spool, source);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return fg_fail(FG_ENOTFOUND, "the picture's file is missing");
	if ((err = fg_picture_name(hash, fd, &how)) == FG_OK) {
		snprintf(etag, sizeof(etag), "\"%s\"", hash);
		fg_http_header(req, "ETag", etag);
		fg_spool_view(name, p->id, hash);
		if (strstr(fg_req_header(req, "HTTP_IF_NONE_MATCH"), etag) != NULL) {
			close(fd);
			return fg_http_empty(req, 304);
		}
		err = fg_picture_keep(name, &req->farm->spool, fd, &how, req->settings);
	}
	close(fd);
	return err == FG_OK ? send_view(req, name) : err;
}

static enum fg_err
of_project(struct fg_req *req, const struct fg_project *p, const char *at)
{
	int64_t place[3] = { 0 };
	int     count = 0;

	for (; *at == '/' && count < 3; count++)
		if (at++, !fg_http_number(&place[count], &at))
			break;
	if (*at != '\0' || count == 2 || place[0] > FG_FRAME_MAX)
		return fg_fail(FG_ENOTFOUND, "a preview is at /api/preview/PROJECT, …/FRAME or …/FRAME/ROW/COLUMN");
	fg_http_header(req, "Cache-Control", count == 3 && fg_req_int(req, LEASE, 0) > 0 ? "private, max-age=86400, immutable" : "private, no-cache");
	if (count > 0 && (fg_req_int(req, WIDTH, 0) > 0 || *fg_req_text(req, LAYER, "") != '\0' || *fg_req_text(req, EV, "") != '\0'))
		return view(req, p, place, count);
	return count == 0 ? cover(req, p) : count == 1 ? whole_frame(req, p, place[0]) : one_tile(req, p, place[0], place[1], place[2]);
}

static enum fg_err
send_icon(struct fg_req *req, const struct fg_blend *blend)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	struct fg_buf        bytes = { 0 };
	enum fg_err          err;

	if (blend->thumbnail == NULL)
		return fg_fail(FG_ENOTFOUND, "Blender saved no picture with this scene");
	if ((err = fg_spool_create(&file, &req->farm->spool)) == FG_OK &&
	    (err = fg_icon_write(file.fd, blend->thumbnail, blend->thumbnail_width, blend->thumbnail_height)) == FG_OK &&
	    (err = fg_fs_read(&bytes, file.path, ICON_MOST)) == FG_OK)
		err = fg_http_send(req, 200, "image/png", bytes.data, bytes.len);
	fg_spool_discard(&file);
	fg_buf_free(&bytes);
	return err;
}

static enum fg_err
of_upload(struct fg_req *req, const char *id)
{
	const char           *blend = fg_req_text(req, BLEND, "");
	struct fg_upload      upload;
	struct fg_scene_file *file = NULL;
	char                  path[PATH_MAX];
	enum fg_err           err;
	int                   look;

	if (req->user == NULL)
		return FG_EAUTH;
	if ((err = fg_upload_find(&upload, req->farm, id, req->user->id)) != FG_OK)
		return err;
	if (upload.offset < upload.size)
		return fg_fail(FG_ENOTFOUND, "the upload is not complete yet");
	fg_upload_path(path, req->farm, &upload);
	if ((err = fg_look_begin(&look, req->farm, req->user->id)) != FG_OK)
		return err;
	fg_http_header(req, "Cache-Control", "private, max-age=3600");
	if ((err = fg_scene_open(&file, req->farm, path, upload.name, *blend != '\0' ? blend : FG_SCENE_FIRST, NULL)) == FG_OK)
		err = send_icon(req, fg_scene_blend(file));
	fg_scene_close(file);
	fg_look_end(look);
	return err;
}

static enum fg_err
preview(struct fg_req *req)
{
	static const char top[] = "/api/preview/";
	const char       *at = req->path;
	struct fg_project project;
	enum fg_access    may;
	int64_t           id;
	enum fg_err       err;

	if (strncmp(at, top, strlen(top)) != 0)
		return fg_fail(FG_ENOTFOUND, "a preview is at /api/preview/PROJECT");
	at += strlen(top);
	if (strncmp(at, "upload/", 7) == 0)
		return of_upload(req, at + 7);
	if (!fg_http_number(&id, &at))
		return fg_fail(FG_ENOTFOUND, "a preview is at /api/preview/PROJECT");
	err = fg_http_project(&project, &may, req, id, fg_req_text(req, LINK, ""), FG_ACCESS_LOOK);
	return err == FG_OK ? of_project(req, &project, at) : err;
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "preview", .methods = FG_GET | FG_HEAD, .needs = FG_USER_OPTIONAL, .reads = FG_SCOPE_READ | FG_SCOPE_SUBMIT,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = preview,
	});
}
