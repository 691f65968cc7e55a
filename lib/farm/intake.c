#include "farm/intake.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "farm/archive.h"
#include "farm/inspect.h"
#include "farm/md5.h"
#include "farm/quota.h"
#include "farm/renderer.h"
#include "farm/tile.h"
#include "image/icon.h"

struct fg_scene_file {
	struct fg_archive *archive;                /**< NULL: a bare .blend */
	struct fg_blend   *blend;
	char               path[PATH_MAX], name[256], entry[FG_BLEND_PATH];
};

static enum fg_err
open_file(int *fd, const char *path)
{
	if ((*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		return fg_fail(FG_ENOTFOUND, "there is no file %s that this program may read", path);
	return FG_OK;
}

static bool
is_zip(int fd)
{
	char head[4];

	return pread(fd, head, 4, 0) == 4 && memcmp(head, "PK", 2) == 0 && (head[2] == 3 || head[2] == 5);
}

static enum fg_err
choose_blend(struct fg_scene_file *f, const char *wanted)
{
	const char *first = fg_archive_blend(f->archive, 0), *found = first;

	if (first == NULL)
		return fg_fail(FG_EFORMAT, "there is no .blend in this zip; zip the folder that holds the scene");
	if (wanted != NULL && strcmp(wanted, FG_SCENE_FIRST) == 0)
		wanted = first;
	if (wanted != NULL && wanted[0] != '\0' && (found = fg_archive_has(f->archive, wanted)) == NULL)
		return fg_fail(FG_EINVAL, "there is no %s in this zip", wanted);
	if ((wanted == NULL || wanted[0] == '\0') && fg_archive_blend(f->archive, 1) != NULL)
		return fg_fail(FG_EINVAL, "there is more than one .blend in this zip; choose one (%s, %s, …)", first, fg_archive_blend(f->archive, 1));
	if (strlen(found) >= sizeof(f->entry))
		return fg_fail(FG_EINVAL, "the path of the .blend in the zip is too long");
	snprintf(f->entry, sizeof(f->entry), "%s", found);
	return FG_OK;
}

/* The .blend of a zip lies in the spool for as long as it is read. */
static enum fg_err
read_from_zip(struct fg_scene_file *f, const struct fg_farm *farm, const char *wanted, const struct fg_tick *tick)
{
	const size_t                   spool = strlen(farm->spool.dir);
	const struct fg_archive_limits limits = { .entries = farm->settings.archive_entries, .inflated_bytes = farm->settings.archive_bytes, .tick = tick,
		                                  .remember = strncmp(f->path, farm->spool.dir, spool) == 0 && f->path[spool] == '/' };
	struct fg_spool_file           file = FG_SPOOL_NO_FILE;
	enum fg_err                    err;

	if ((err = fg_archive_check(&f->archive, f->path, &limits)) == FG_OK && (err = choose_blend(f, wanted)) == FG_OK &&
	    (err = fg_spool_create(&file, &farm->spool)) == FG_OK &&
	    (err = fg_archive_extract_one(f->archive, f->entry, file.fd, farm->settings.archive_bytes)) == FG_OK)
		err = fg_blend_read(&f->blend, file.fd, farm->settings.archive_bytes);
	fg_spool_discard(&file);
	return err;
}

enum fg_err
fg_scene_open(struct fg_scene_file **out, const struct fg_farm *farm, const char *path, const char *name, const char *blend,
              const struct fg_tick *tick)
{
	struct fg_scene_file *f = fg_alloc(sizeof(*f));
	const char           *slash = strrchr(name, '/');
	enum fg_err           err;
	int                   fd;

	*out = f;
	snprintf(f->path, sizeof(f->path), "%s", path);
	snprintf(f->name, sizeof(f->name), "%s", slash != NULL ? slash + 1 : name);
	if ((err = open_file(&fd, path)) != FG_OK)
		return err;
	err = is_zip(fd) ? read_from_zip(f, farm, blend, tick) : fg_blend_read(&f->blend, fd, farm->settings.archive_bytes);
	close(fd);
	return err;
}

void
fg_scene_close(struct fg_scene_file *f)
{
	if (f == NULL)
		return;
	fg_archive_close(f->archive);
	fg_blend_free(f->blend);
	free(f);
}

const struct fg_blend *
fg_scene_blend(const struct fg_scene_file *f)
{
	return f->blend;
}

const char *
fg_scene_name(const struct fg_scene_file *f, int index)
{
	if (f->archive != NULL)
		return fg_archive_blend(f->archive, index);
	return index == 0 ? f->name : NULL;
}

const char *
fg_scene_chosen(const struct fg_scene_file *f)
{
	return f->archive != NULL ? f->entry : f->name;
}

bool
fg_scene_has(void *scene_file, const char *path)
{
	struct fg_scene_file *f = scene_file;
	char                  beside[FG_BLEND_PATH + 4];

	snprintf(beside, sizeof(beside), "//%s", path);
	return f->archive != NULL && fg_archive_has_beside(f->archive, f->entry, beside) != NULL;
}

static int
either(int chosen, int own)
{
	return chosen != FG_INTAKE_OWN ? chosen : own;
}

static const char *
chosen_text(const char *chosen, const char *own)
{
	return chosen != NULL && chosen[0] != '\0' ? chosen : own;
}

/* The farm's name for what a scene is set to write; films and rare formats become lossless stills. */
static const char *
own_format(const struct fg_blend_scene *s)
{
	static const struct {
		const char *blender, *ours;
	} table[] = { { "JPEG", "jpeg" }, { "OPEN_EXR", "exr" }, { "OPEN_EXR_MULTILAYER", "exr-multilayer" }, { "TARGA", "tga" }, { "TARGA_RAW", "tga" },
		      { "BMP", "bmp" }, { "HDR", "exr" }, { "DPX", "exr" }, { "CINEON", "exr" } };

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].blender, s->format) == 0)
			return table[i].ours;
	return s->depth == 16 && (strcmp(s->format, "PNG") == 0 || strcmp(s->format, "TIFF") == 0) ? "png16" : "png";
}

static enum fg_err
choose_scene(const struct fg_blend_scene **out, const struct fg_blend *blend, const struct fg_intake *in)
{
	bool known = in->camera == NULL || in->camera[0] == '\0';

	if ((*out = fg_blend_scene(blend, chosen_text(in->scene, ""))) == NULL)
		return fg_fail(FG_EINVAL, "there is no scene %s in this file", chosen_text(in->scene, ""));
	for (int i = 0; i < blend->ncameras; i++)
		known = known || strcmp(blend->cameras[i], in->camera) == 0;
	if (!known)
		return fg_fail(FG_EINVAL, "there is no camera %s in this file", in->camera);
	if ((in->camera == NULL || in->camera[0] == '\0') && (*out)->camera[0] == '\0')
		return fg_fail(FG_EINVAL, "the scene %s has no camera; choose one, or another scene", (*out)->name);
	return FG_OK;
}

static void
fill_range(struct fg_project *p, const struct fg_intake *in, const struct fg_blend_scene *s)
{
	p->frame_start = either(in->frame_start, s->frame_start);
	p->frame_end = in->still ? p->frame_start : either(in->frame_end, in->frame_start != FG_INTAKE_OWN ? in->frame_start : s->frame_end);
	p->frame_step = either(in->frame_step, in->frame_start != FG_INTAKE_OWN ? 1 : s->frame_step > 0 ? s->frame_step : 1);
	if (p->frame_step == 0)
		p->frame_step = s->frame_step > 0 ? s->frame_step : 1;
	p->animation = p->frame_end > p->frame_start;
	fg_inspect_fps(&p->fps_num, &p->fps_den, s);
	if (in->fps_num != FG_INTAKE_OWN) {
		p->fps_num = in->fps_num;
		p->fps_den = in->fps_den;
	}
}

static enum fg_err
copy_text(char *out, size_t size, const char *text, const char *what)
{
	if (strlen(text) >= size)
		return fg_fail(FG_EINVAL, "the %s is longer than %zu bytes", what, size - 1);
	snprintf(out, size, "%s", text);
	return FG_OK;
}

static enum fg_err
fill_texts(struct fg_project *p, const struct fg_intake *in, const struct fg_scene_file *f, const struct fg_blend_scene *s)
{
	const char *dot = strrchr(f->name, '.');
	char        title[256];
	enum fg_err err;

	snprintf(title, sizeof(title), "%.*s", (int)(dot != NULL && dot > f->name ? dot - f->name : (ptrdiff_t)strlen(f->name)), f->name);
	if ((err = copy_text(p->title, sizeof(p->title), chosen_text(in->title, title), "title")) != FG_OK ||
	    (err = copy_text(p->scene, sizeof(p->scene), chosen_text(in->scene, ""), "scene's name")) != FG_OK ||
	    (err = copy_text(p->camera, sizeof(p->camera), chosen_text(in->camera, ""), "camera's name")) != FG_OK ||
	    (err = copy_text(p->format, sizeof(p->format), chosen_text(in->format, own_format(s)), "format")) != FG_OK ||
	    (err = copy_text(p->engine, sizeof(p->engine), chosen_text(in->engine, ""), "engine")) != FG_OK)
		return err;
	if ((err = copy_text(p->extra, sizeof(p->extra), chosen_text(in->extra, ""), "list of overrides")) != FG_OK)
		return err;
	return copy_text(p->renderer, sizeof(p->renderer), chosen_text(in->renderer, ""), "renderer");
}

static enum fg_err
fill(struct fg_project *p, const struct fg_intake *in, const struct fg_scene_file *f, const struct fg_blend_scene *s, const struct fg_settings *settings)
{
	enum fg_err err = fill_texts(p, in, f, s);

	if (err != FG_OK)
		return err;
	fill_range(p, in, s);
	p->owner = in->owner;
	p->rows = in->rows;
	p->columns = in->columns;
	p->overscan = in->overscan;
	p->percent = either(in->percent, s->percent);
	p->width = fg_frame_side(in->width > 0 ? in->width : s->width, p->percent);
	p->height = fg_frame_side(in->height > 0 ? in->height : s->height, p->percent);
	p->batch_job = in->batch_job;
	p->samples = either(in->samples, 0);
	p->device = either(in->device, FG_DEVICE_ANY);
	p->priority = in->priority;
	p->no_denoise = in->no_denoise;
	return fg_project_check(p, settings);
}

/* What no renderer of the farm can do is said now, with both ways out. */
static enum fg_err
check_renderers(const struct fg_farm *farm, const struct fg_project *p, const struct fg_blend_scene *s)
{
	const char *engine = p->engine[0] != '\0' ? p->engine : s->engine;
	bool        there = false, no_denoise = false;
	enum fg_err err;

	if ((err = fg_renderer_exists(&there, farm->db, p->renderer)) != FG_OK)
		return err;
	if (!there && p->renderer[0] != '\0')
		return fg_fail(FG_EINVAL, "there is no renderer of version %s on this farm", p->renderer);
	if (!s->denoise || p->no_denoise || strcmp(engine, "CYCLES") != 0)
		return FG_OK;
	if ((err = fg_renderer_no_denoise(&no_denoise, farm->db, p->renderer)) != FG_OK || !no_denoise)
		return err;
	return fg_fail(FG_EINVAL, "this scene is denoised and no renderer of this farm has a denoiser: switch denoising off (--no-denoise), "
	                          "or add an official Blender as a renderer");
}

struct warning {
	struct fg_buf              *lines;
	const struct fg_scene_file *file;
	const char                 *home;
};

static bool
came_along(const struct warning *w, const char *path)
{
	const size_t len = w->home != NULL ? strlen(w->home) : 0;

	return w->home != NULL && w->file->archive != NULL && strncmp(path, w->home, len) == 0 && path[len] == '/' && fg_archive_has(w->file->archive, path + len + 1) != NULL;
}

static void
warn_missing(void *ctx, const struct fg_blend_file *file)
{
	const struct warning *w = ctx;

	if (came_along(w, file->path))
		return;
	fg_buf_printf(w->lines, "missing %s: %s%s\n", file->kind, file->path,
	              strncmp(file->path, "//", 2) != 0 ? " (an absolute path; in Blender: File, External Data, Make All Paths Relative, or pack it)" : "");
}

static void
warn(struct fg_buf *warnings, const struct fg_intake *in, struct fg_scene_file *f, const struct fg_project *p, const struct fg_blend_scene *s)
{
	if (warnings == NULL)
		return;
	fg_inspect_missing(f->blend, fg_scene_has, f, warn_missing, &(struct warning){ .lines = warnings, .file = f, .home = in->home });
	if (p->rows * p->columns > 1 && s->compositing)
		fg_buf_str(warnings, "compositing nodes work on each tile alone: blur, glare and the like will show seams\n");
	if (p->rows * p->columns > 1 && s->sequencer)
		fg_buf_str(warnings, "the sequencer's strips are rendered whole into each tile; render without tiles, or switch Sequencer off\n");
}

/* The zip that workers download, in the spool's incoming folder. */
static enum fg_err
make_source(struct fg_spool_file *out, char blend[FG_BLEND_PATH], const struct fg_farm *farm, struct fg_scene_file *f, const struct fg_tick *tick)
{
	char        entry[FG_ARCHIVE_NAME];
	enum fg_err err;
	int         from;

	if ((err = fg_spool_create(out, &farm->spool)) != FG_OK || (err = open_file(&from, f->path)) != FG_OK)
		return err;
	if (f->archive == NULL) {
		err = fg_archive_from_blend(entry, out->path, from, f->name, tick);
		snprintf(blend, FG_BLEND_PATH, "%s", entry);
	} else {
		if (fg_archive_needs_repack(f->archive))
			err = fg_archive_repack(out->path, f->archive, tick);
		else if (fg_spool_share(out, &farm->spool, f->path) != FG_OK)
			err = fg_fs_copy(out->fd, from, NULL);
		snprintf(blend, FG_BLEND_PATH, "%s", f->entry);
	}
	close(from);
	if (err != FG_OK)
		return err;
	close(out->fd); /* a zip writer may have put another file in its place */
	out->fd = open(out->path, O_RDWR | O_CLOEXEC);
	out->size = fg_fs_size(out->path);
	return out->fd >= 0 && fchmod(out->fd, 0640) == 0 ? FG_OK : fg_fail(FG_EIO, "the scene's archive could not be opened again");
}

/* The picture that Blender saved with the scene stands for the project until it has one of its own. A project without it is whole too. */
static void
keep_cover(const struct fg_farm *farm, const struct fg_blend *blend, int64_t project)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	char                 name[FG_SPOOL_NAME];

	if (blend->thumbnail == NULL)
		return;
	fg_spool_cover(name, project);
	if (fg_spool_create(&file, &farm->spool) == FG_OK &&
	    fg_icon_write(file.fd, blend->thumbnail, blend->thumbnail_width, blend->thumbnail_height) == FG_OK)
		fg_spool_commit(&file, &farm->spool, name);
	fg_spool_discard(&file);
}

/* Deleted by somebody before it was whole: what was placed since goes the same way. */
static enum fg_err
withdraw(struct fg_farm *farm, int64_t id, enum fg_err why)
{
	char              folder[FG_SPOOL_NAME];
	struct fg_project p;

	if (fg_project_get(&p, farm->db, id) != FG_ENOTFOUND)
		return why;
	fg_spool_project(folder, id);
	fg_spool_trash(&farm->spool, folder);
	return fg_fail(FG_ECONFLICT, "project %" PRId64 " was deleted while it was being added", id);
}

static enum fg_err
place(int64_t *project, struct fg_farm *farm, struct fg_project *p, struct fg_scene_file *f, const struct fg_tick *tick, int64_t now_ms)
{
	struct fg_spool_file source = FG_SPOOL_NO_FILE;
	const struct fg_tick packing = fg_tick_part(tick, 0, 700), summing = fg_tick_part(tick, 700, 1000);
	char                 name[FG_SPOOL_NAME];
	enum fg_err          err;

	if ((err = make_source(&source, p->blend, farm, f, &packing)) == FG_OK && (err = fg_md5_file(p->archive_md5, source.fd, &summing)) == FG_OK) {
		p->archive_size = source.size;
		err = fg_project_add(project, farm->db, p, now_ms);
	}
	if (err == FG_OK) {
		keep_cover(farm, f->blend, *project);
		fg_spool_source(name, *project);
		if ((err = fg_spool_commit(&source, &farm->spool, name)) == FG_OK)
			err = fg_project_split(farm->db, *project, now_ms);
		else if (fg_project_delete(farm->db, &farm->spool, *project, now_ms) == FG_OK)
			goto out; /* the reason is the commit's, not that it is gone */
		if (err != FG_OK)
			err = withdraw(farm, *project, err);
	}
out:
	fg_spool_discard(&source);
	return err;
}

enum fg_err
fg_intake(int64_t *project, struct fg_farm *farm, const struct fg_intake *in, struct fg_buf *warnings, int64_t now_ms)
{
	const struct fg_blend_scene *scene = NULL;
	struct fg_scene_file        *file;
	const struct fg_tick         reading = fg_tick_part(&in->tick, 0, 300), making = fg_tick_part(&in->tick, 300, 1000);
	struct fg_project            p = { .id = 0 };
	enum fg_err                  err;

	if (fg_farm_full(farm))
		return fg_fail(FG_ENOSPACE, "the farm's disk is nearly full (less than disk_reserve_bytes is free); try again when there is room");
	if ((err = fg_quota_storage(farm->db, in->owner, 0)) != FG_OK)
		return err;
	if ((err = fg_scene_open(&file, farm, in->path, in->name, in->blend, &reading)) == FG_OK &&
	    (err = choose_scene(&scene, file->blend, in)) == FG_OK && (err = fill(&p, in, file, scene, &farm->settings)) == FG_OK &&
	    (err = check_renderers(farm, &p, scene)) == FG_OK) {
		warn(warnings, in, file, &p, scene);
		err = place(project, farm, &p, file, &making, now_ms);
	}
	fg_scene_close(file);
	if (err == FG_OK)
		fg_log(FG_LOG_INFO, "project.added", "project=%" PRId64 " owner=%" PRId64 " tasks=%" PRId64 " size=%" PRId64, *project, in->owner, p.tasks_total, p.archive_size);
	return err;
}
