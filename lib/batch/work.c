#include "batch/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/beneath.h"
#include "base/fs.h"
#include "batch/bundle.h"
#include "farm/intake.h"
#include "farm/renderer.h"
#include "farm/upload.h"

const char *
fg_work_scene_path(const struct fg_recipe_job *job)
{
	return job->external ? job->filename : job->blend_file;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *back = strrchr(path, '\\');

	return slash == NULL && back == NULL ? path : (slash > back ? slash : back) + 1;
}

/* A whole upload of this name; FG_ENOTFOUND. */
static enum fg_err
find_sent(struct fg_work_input *out, struct fg_farm *farm, int64_t owner, const char *name)
{
	struct fg_upload upload;
	struct fg_rows   rows;
	char             id[FG_UPLOAD_ID] = "";
	enum fg_err      err = fg_rows_first(&rows, farm->db, FG_SQL_BATCH_FILE, FG_BINDS(FG_I("user", owner), FG_T("name", name)));

	if (err == FG_OK)
		fg_rows_copy(&rows, 0, id, sizeof(id));
	fg_rows_end(&rows);
	if (err != FG_OK || (err = fg_upload_find(&upload, farm, id, owner)) != FG_OK)
		return err;
	if (upload.offset < upload.size)
		return fg_fail(FG_ENOTFOUND, "the file %.200s has not come whole yet", name);
	fg_upload_path(out->path, farm, &upload);
	snprintf(out->name, sizeof(out->name), "%.255s", name);
	return FG_OK;
}

/* scene.blend may have been sent as scene.zip, with what it needs. */
static enum fg_err
find_zip(struct fg_work_input *out, struct fg_farm *farm, int64_t owner, const char *name)
{
	const char *dot = strrchr(name, '.');
	char        zip[256];

	if (dot == NULL || strcmp(dot, ".blend") != 0)
		return FG_ENOTFOUND;
	snprintf(zip, sizeof(zip), "%.*s.zip", (int)(dot - name > 240 ? 240 : dot - name), name);
	return find_sent(out, farm, owner, zip);
}

static enum fg_err
find_on_host(struct fg_work_input *out, const struct fg_farm *farm, const char *path)
{
	enum fg_err err = fg_beneath_read(&out->fd, farm->settings.batch_input_folders, path);

	if (err == FG_OK) {
		snprintf(out->path, sizeof(out->path), "/proc/self/fd/%d", out->fd);
		snprintf(out->name, sizeof(out->name), "%.255s", base_name(path));
	}
	return err;
}

enum fg_err
fg_work_find(struct fg_work_input *out, struct fg_farm *farm, int64_t owner, const struct fg_recipe_job *job)
{
	const char *path = fg_work_scene_path(job), *name = base_name(path);
	enum fg_err err;

	*out = (struct fg_work_input){ .fd = -1 };
	if ((err = find_sent(out, farm, owner, name)) == FG_ENOTFOUND && (err = find_zip(out, farm, owner, name)) == FG_ENOTFOUND)
		err = find_on_host(out, farm, path);
	if (err == FG_ENOTFOUND || err == FG_EFORBIDDEN)
		return fg_fail(FG_ECONFLICT, "the file %.300s of job \"%.100s\" is not here; send it with POST /batch/file", path, job->name);
	return err;
}

void
fg_work_close(struct fg_work_input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	input->fd = -1;
}

/* --- what share/task.py is told beyond the settings of a project */

static json_object *
pair(double a, double b, bool whole)
{
	json_object *out = json_object_new_array();

	json_object_array_add(out, whole ? json_object_new_int((int)a) : json_object_new_double(a));
	json_object_array_add(out, whole ? json_object_new_int((int)b) : json_object_new_double(b));
	return out;
}

static json_object *
region(const struct fg_recipe *recipe, const struct fg_recipe_job *job)
{
	json_object *out;

	if (recipe->ignore_border)
		return NULL;
	if (!job->section)
		return json_object_new_string("own");
	out = pair(job->x, job->y, false);
	json_object_array_add(out, json_object_new_double(job->part_width));
	json_object_array_add(out, json_object_new_double(job->part_height));
	return out;
}

static char *
describe_extra(const struct fg_recipe *recipe, const struct fg_recipe_job *job, const struct fg_intake *in, const struct fg_bundle *bundle)
{
	json_object *extra = json_object_new_object();
	char        *text;

	json_object_object_add(extra, "region", region(recipe, job));
	if (in->width > 0)
		json_object_object_add(extra, "size", pair(in->width, in->height, true));
	if (job->world[0] != '\0')
		json_object_object_add(extra, "world", json_object_new_string(job->world));
	if (job->layer[0] != '\0')
		json_object_object_add(extra, "layer", json_object_new_string(job->layer));
	if (recipe->write_log)
		json_object_object_add(extra, "log", json_object_new_boolean(true));
	if (bundle->blend[0] != '\0') {
		json_object_object_add(extra, "home", json_object_new_string(bundle->home));
		json_object_object_add(extra, "blend", json_object_new_string(bundle->blend));
	}
	if (job->threads > 0)
		json_object_object_add(extra, "threads", json_object_new_int(job->threads));
	if (job->overrides != NULL)
		json_object_object_add(extra, "set", json_object_get(job->overrides));
	text = fg_strdup(json_object_to_json_string_ext(extra, JSON_C_TO_STRING_PLAIN));
	json_object_put(extra);
	return text;
}

static int
device(const char *name)
{
	if (name[0] == '\0' || strcmp(name, "DEFAULT") == 0)
		return FG_INTAKE_OWN;
	return strcmp(name, "CPU") == 0 ? FG_DEVICE_CPU : FG_DEVICE_GPU;
}

void
fg_work_renderer(char version[64], struct fg_farm *farm, const char *path)
{
	bool there = path[0] != '\0' && fg_renderer_of_path(version, farm->db, path) == FG_OK;

	if (there)
		return;
	version[0] = '\0';
	for (const char *at = strpbrk(path, "0123456789"); at != NULL && !there; at = strpbrk(at, "0123456789")) {
		const size_t len = strspn(at, "0123456789.");

		if (len >= 3 && len < 32 && memchr(at, '.', len) != NULL) {
			snprintf(version, 64, "%.*s", (int)(at[len - 1] == '.' ? len - 1 : len), at);
			if (fg_renderer_exists(&there, farm->db, version) != FG_OK)
				there = false;
		}
		at += len;
	}
	if (!there)
		version[0] = '\0';
}

static void
fill(struct fg_intake *in, const struct fg_batch *batch, const struct fg_recipe *recipe, const struct fg_recipe_job *job, int64_t id)
{
	*in = (struct fg_intake)FG_INTAKE_DEFAULT;
	in->owner = batch->owner;
	in->batch_job = id;
	in->title = job->name[0] != '\0' ? job->name : NULL;
	in->blend = FG_SCENE_FIRST;
	in->scene = job->scene;
	in->camera = job->camera;
	in->format = fg_recipe_format(job->format);
	in->engine = job->engine;
	in->frame_start = job->animated ? job->frame_start : job->frame_still;
	in->frame_end = job->animated ? job->frame_end : job->frame_still;
	in->frame_step = job->animated ? 0 : 1;
	in->still = !job->animated;
	in->percent = recipe->percent > 0 ? recipe->percent : FG_INTAKE_OWN;
	in->width = recipe->width > 0 ? recipe->width : job->width;
	in->height = recipe->height > 0 ? recipe->height : job->height;
	in->samples = job->samples > 0 ? job->samples : FG_INTAKE_OWN;
	in->device = device(job->device);
}

/* A scene of this host takes along what it names. */
static enum fg_err
gather(struct fg_bundle *bundle, const struct fg_farm *farm, const struct fg_recipe_job *job, struct fg_intake *in, const struct fg_work_input *input, struct fg_buf *note)
{
	const char *dot = strrchr(input->name, '.');
	enum fg_err err = FG_ENOTFOUND;

	in->path = input->path;
	in->name = input->name;
	if (dot == NULL || strcmp(dot, ".blend") != 0)
		return FG_OK;
	in->blend = NULL;
	if (input->fd >= 0 && (err = fg_bundle_make(bundle, farm, fg_work_scene_path(job), input->fd, note)) == FG_OK) {
		in->path = bundle->zip.path;
		in->blend = bundle->blend;
		in->home = bundle->home;
	}
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* Begun before something died: gone on with, or, where its scene had not found its place yet, begun anew (FG_ENOTFOUND). */
static enum fg_err
go_on_with(struct fg_farm *farm, int64_t id, int64_t now_ms)
{
	char              name[FG_SPOOL_NAME], path[PATH_MAX];
	struct fg_project project;
	enum fg_err       err = fg_project_get(&project, farm->db, id);

	if (err != FG_OK || strcmp(project.state, "splitting") != 0)
		return err == FG_ENOTFOUND ? FG_OK : err; /* deleted by somebody: its job will see */
	fg_spool_source(name, id);
	fg_spool_path(path, &farm->spool, name);
	if (fg_fs_size(path) == project.archive_size)
		return (err = fg_project_split(farm->db, id, now_ms)) == FG_ECONFLICT ? FG_OK : err;
	if ((err = fg_db_begin(farm->db, FG_FULL)) != FG_OK ||
	    (err = fg_db_end(farm->db, fg_db_run(farm->db, FG_SQL_BATCH_PROJECT_FORGET, FG_BINDS(FG_I("project", id)), NULL))) != FG_OK ||
	    (err = fg_project_delete(farm->db, &farm->spool, id, now_ms)) != FG_OK)
		return err;
	return FG_ENOTFOUND;
}

enum fg_err
fg_work_begin(int64_t *project, struct fg_farm *farm, const struct fg_batch *batch, const struct fg_recipe *recipe, const struct fg_batch_job *row,
              struct fg_buf *note, int64_t now_ms)
{
	const struct fg_recipe_job *job = &recipe->jobs[row->number];
	struct fg_work_input        input;
	struct fg_bundle            bundle = FG_BUNDLE_NONE;
	struct fg_intake            in;
	char                        version[64], *extra = NULL;
	enum fg_err                 err = fg_db_int(project, farm->db, FG_SQL_BATCH_PROJECT, FG_BINDS(FG_I("job", row->id)));

	if (err == FG_OK)
		err = go_on_with(farm, *project, now_ms);
	if (err != FG_ENOTFOUND)
		return err;
	fill(&in, batch, recipe, job, row->id);
	fg_work_renderer(version, farm, recipe->blender_bin);
	in.renderer = version;
	if ((err = fg_work_find(&input, farm, batch->owner, job)) == FG_OK && (err = gather(&bundle, farm, job, &in, &input, note)) == FG_OK) {
		in.extra = extra = describe_extra(recipe, job, &in, &bundle);
		err = fg_intake(project, farm, &in, note, now_ms);
	}
	fg_bundle_discard(&bundle);
	fg_work_close(&input);
	free(extra);
	return err;
}
