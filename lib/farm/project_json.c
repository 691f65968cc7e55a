#include "farm/project_json.h"
#include "text/json_put.h"

#include <stdio.h>
#include <string.h>

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

	fg_put_int(out, "id", p->id);
	fg_put_text(out, "state", p->shown);
	fg_put_text(out, "title", p->title);
	fg_put_text(out, "owner", p->owner_name);
	fg_put_text(out, "message", p->message);
	fg_put_int(out, "frames_total", p->frames_total);
	fg_put_int(out, "frames_done", p->frames_done);
	fg_put_int(out, "tasks_total", p->tasks_total);
	fg_put_int(out, "tasks_done", p->done);
	fg_put_int(out, "tasks_running", p->running);
	fg_put_int(out, "tasks_waiting", p->waiting);
	fg_put_int(out, "tasks_failed", p->errors);
	fg_spool_result(name, p->id, p->result);
	file(out, "result", p->result[0] != '\0', spool, name);
	fg_spool_raw(name, p->id);
	file(out, "raw", p->raw != 0, spool, name);
	fg_put_text(out, "blend", p->blend);
	fg_put_text(out, "scene", p->scene);
	fg_put_text(out, "camera", p->camera);
	json_object_object_add(out, "animation", json_object_new_boolean(p->animation));
	fg_put_int(out, "frame_start", p->frame_start);
	fg_put_int(out, "frame_end", p->frame_end);
	fg_put_int(out, "frame_step", p->frame_step);
	fg_put_int(out, "rows", p->rows);
	fg_put_int(out, "columns", p->columns);
	fg_put_int(out, "overscan", p->overscan);
	fg_put_int(out, "width", p->width);
	fg_put_int(out, "height", p->height);
	fg_put_int(out, "percent", p->percent);
	fg_put_text(out, "format", p->format);
	fg_put_text(out, "engine", p->engine);
	fg_put_int(out, "samples", p->samples);
	fg_put_text(out, "device", p->device >= 0 && p->device <= FG_DEVICE_GPU ? devices[p->device] : "");
	fg_put_int(out, "fps_num", p->fps_num);
	fg_put_int(out, "fps_den", p->fps_den);
	fg_put_int(out, "priority", p->priority);
	fg_put_text(out, "renderer", p->renderer);
	json_object_object_add(out, "no_denoise", json_object_new_boolean(p->no_denoise));
	fg_put_int(out, "archive_size", p->archive_size);
	fg_put_text(out, "archive_md5", p->archive_md5);
	fg_put_int(out, "memory_kib", p->memory_kib);
	fg_put_int(out, "render_s", p->render_s);
	fg_put_int(out, "points", p->points);
	fg_put_int(out, "created_ms", p->created_ms);
	fg_put_int(out, "started_ms", p->started_ms);
	fg_put_int(out, "finished_ms", p->finished_ms);
	return out;
}
