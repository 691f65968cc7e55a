#include "farm/project_json.h"

#include <stdio.h>
#include <string.h>

static void
text(json_object *out, const char *key, const char *value)
{
	json_object_object_add(out, key, json_object_new_string(value));
}

static void
number(json_object *out, const char *key, int64_t value)
{
	json_object_object_add(out, key, json_object_new_int64(value));
}

/* Where the file is, null while it isn't: an absolute path for people at the host, /results/ID/FILE for those who come over the web. */
static void
file(json_object *out, const char *key, bool there, const struct fg_spool *spool, const char *name)
{
	char path[PATH_MAX];

	if (spool != NULL)
		fg_spool_path(path, spool, name);
	else
		snprintf(path, sizeof(path), "/results/%s", strchr(name, '/') + 1);
	json_object_object_add(out, key, there ? json_object_new_string(path) : NULL);
}

json_object *
fg_project_json(const struct fg_project *p, const struct fg_spool *spool)
{
	static const char *const devices[] = { "any", "cpu", "gpu" };
	json_object             *out = json_object_new_object();
	char                     name[FG_SPOOL_NAME];

	number(out, "id", p->id);
	text(out, "state", p->shown);
	text(out, "title", p->title);
	text(out, "owner", p->owner_name);
	text(out, "message", p->message);
	number(out, "frames_total", p->frames_total);
	number(out, "frames_done", p->frames_done);
	number(out, "tasks_total", p->tasks_total);
	number(out, "tasks_done", p->done);
	number(out, "tasks_running", p->running);
	number(out, "tasks_waiting", p->waiting);
	number(out, "tasks_failed", p->errors);
	fg_spool_result(name, p->id, p->result);
	file(out, "result", p->result[0] != '\0', spool, name);
	fg_spool_raw(name, p->id);
	file(out, "raw", p->raw != 0, spool, name);
	text(out, "blend", p->blend);
	text(out, "scene", p->scene);
	text(out, "camera", p->camera);
	json_object_object_add(out, "animation", json_object_new_boolean(p->animation));
	number(out, "frame_start", p->frame_start);
	number(out, "frame_end", p->frame_end);
	number(out, "frame_step", p->frame_step);
	number(out, "rows", p->rows);
	number(out, "columns", p->columns);
	number(out, "overscan", p->overscan);
	number(out, "width", p->width);
	number(out, "height", p->height);
	number(out, "percent", p->percent);
	text(out, "format", p->format);
	text(out, "engine", p->engine);
	number(out, "samples", p->samples);
	text(out, "device", p->device >= 0 && p->device <= FG_DEVICE_GPU ? devices[p->device] : "");
	number(out, "fps_num", p->fps_num);
	number(out, "fps_den", p->fps_den);
	number(out, "priority", p->priority);
	text(out, "renderer", p->renderer);
	json_object_object_add(out, "no_denoise", json_object_new_boolean(p->no_denoise));
	number(out, "archive_size", p->archive_size);
	text(out, "archive_md5", p->archive_md5);
	number(out, "memory_kib", p->memory_kib);
	number(out, "render_s", p->render_s);
	number(out, "points", p->points);
	number(out, "created_ms", p->created_ms);
	number(out, "started_ms", p->started_ms);
	number(out, "finished_ms", p->finished_ms);
	return out;
}
