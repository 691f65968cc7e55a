#include "farm/inspect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

static void
put(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static struct json_object *
text(const char *value)
{
	return json_object_new_string(value);
}

static struct json_object *
cameras_json(const struct fg_blend *blend)
{
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < blend->ncameras; i++)
		json_object_array_add(array, text(blend->cameras[i]));
	return array;
}

static struct json_object *
scene_json(const struct fg_blend *blend, const struct fg_blend_scene *s)
{
	struct json_object *o = json_object_new_object();

	put(o, "name", text(s->name));
	put(o, "frame_start", json_object_new_int(s->frame_start));
	put(o, "frame_end", json_object_new_int(s->frame_end));
	put(o, "frame_step", json_object_new_int(s->frame_step));
	put(o, "width", json_object_new_int(s->width));
	put(o, "height", json_object_new_int(s->height));
	put(o, "percent", json_object_new_int(s->percent));
	put(o, "fps", json_object_new_int(s->fps));
	put(o, "fps_base", json_object_new_double(s->fps_base));
	put(o, "engine", text(s->engine));
	put(o, "format", text(s->format));
	put(o, "depth", json_object_new_int(s->depth));
	put(o, "camera", text(s->camera));
	put(o, "cameras", cameras_json(blend));
	put(o, "samples", json_object_new_int(s->samples));
	put(o, "denoise", json_object_new_boolean(s->denoise));
	put(o, "compositing", json_object_new_boolean(s->compositing));
	put(o, "sequencer", json_object_new_boolean(s->sequencer));
	return o;
}

static void
add_missing(void *ctx, const struct fg_blend_file *file)
{
	json_object_array_add(ctx, text(file->path));
}

/* A texture of many tiles is named once for all of them: it is there when its first tile is. */
static bool
is_there(fg_inspect_has *has, void *ctx, const char *path)
{
	static const char tiles[] = "<UDIM>", first[] = "1001";
	const char       *at = strstr(path, tiles);
	char              name[FG_BLEND_PATH];

	if (at == NULL)
		return has(ctx, path);
	snprintf(name, sizeof(name), "%.*s%s%s", (int)(at - path), path, first, at + sizeof(tiles) - 1);
	return has(ctx, name);
}

int
fg_inspect_missing(const struct fg_blend *blend, fg_inspect_has *has, void *ctx, void (*each)(void *each_ctx, const struct fg_blend_file *file), void *each_ctx)
{
	int count = 0;

	for (int i = 0; i < blend->nfiles; i++) {
		const struct fg_blend_file *file = &blend->files[i];

		if (strncmp(file->path, "//", 2) == 0 && has != NULL && is_there(has, ctx, file->path + 2))
			continue;
		count++;
		if (each != NULL)
			each(each_ctx, file);
	}
	return count;
}

struct json_object *
fg_inspect_json(const struct fg_blend *blend, fg_inspect_has *has, void *ctx)
{
	struct json_object *o = json_object_new_object(), *scenes = json_object_new_array(), *missing = json_object_new_array();

	for (int i = 0; i < blend->nscenes; i++)
		json_object_array_add(scenes, scene_json(blend, &blend->scenes[i]));
	fg_inspect_missing(blend, has, ctx, add_missing, missing);
	put(o, "blender", text(blend->blender));
	put(o, "active", text(blend->active));
	put(o, "scenes", scenes);
	put(o, "missing", missing);
	return o;
}

void
fg_inspect_fps(int *num, int *den, const struct fg_blend_scene *s)
{
	const double base = s->fps_base > 0.0001 && s->fps_base < 10000 ? s->fps_base : 1;

	*num = s->fps > 0 ? s->fps * 1000 : 24000;
	*den = (int)lround(base * 1000); /* 24 / 1.001 is 24000/1001 */
	if (*den < 1)
		*den = 1;
	for (int p = 10; p > 1; p--)
		while (*num % p == 0 && *den % p == 0) {
			*num /= p;
			*den /= p;
		}
}
