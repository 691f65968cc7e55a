#include "farm/script.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <sodium.h>

#include "lib/farm/task_script.h"
#include "farm/tile.h"

static void
add(struct json_object *object, const char *name, struct json_object *value)
{
	json_object_object_add(object, name, value);
}

static struct json_object *
numbers(const int *values, int count)
{
	struct json_object *array = json_object_new_array();

	for (int i = 0; i < count; i++)
		json_object_array_add(array, json_object_new_int(values[i]));
	return array;
}

/* Blender's name for the files that workers send. */
static const char *
blender_format(const struct fg_project *p)
{
	const struct fg_project_format *format = fg_project_format(p->format);

	return format != NULL ? format->blender : "PNG";
}

static const char *
depth(const struct fg_project *p)
{
	if (strcmp(p->format, "png16") == 0)
		return "16";
	return strcmp(blender_format(p), "PNG") == 0 ? "8" : "";
}

static struct json_object *
describe(const struct fg_project *p, const struct fg_lease *lease)
{
	const struct fg_rect tile = fg_tile_place(p->width, p->height, p->rows, p->columns, lease->row, lease->column, p->overscan).rendered;
	struct json_object  *task = json_object_new_object();

	add(task, "scene", json_object_new_string(p->scene));
	add(task, "camera", json_object_new_string(p->camera));
	add(task, "format", json_object_new_string(blender_format(p)));
	add(task, "depth", json_object_new_string(depth(p)));
	add(task, "percent", json_object_new_int(p->percent));
	add(task, "size", numbers((const int[]){ p->width, p->height }, 2));
	add(task, "tile", numbers((const int[]){ tile.x, tile.y, tile.width, tile.height }, 4));
	add(task, "tiled", json_object_new_boolean(p->rows * p->columns > 1));
	add(task, "engine", json_object_new_string(p->engine));
	add(task, "samples", json_object_new_int(p->samples));
	add(task, "no_denoise", json_object_new_boolean(p->no_denoise));
	add(task, "extra", p->extra[0] != '\0' ? json_tokener_parse(p->extra) : NULL);
	return task;
}

void
fg_script_write(struct fg_buf *out, const struct fg_project *project, const struct fg_lease *lease)
{
	static const char   mark[] = "@TASK@";
	struct json_object *task = describe(project, lease);
	size_t              len;
	const char         *json = json_object_to_json_string_length(task, JSON_C_TO_STRING_PLAIN, &len), *at = strstr(fg_task_script, mark);
	const size_t        room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
	char               *base64 = fg_alloc(room);

	sodium_bin2base64(base64, room, (const unsigned char *)json, len, sodium_base64_VARIANT_ORIGINAL);
	fg_buf_add(out, fg_task_script, (size_t)(at - fg_task_script));
	fg_buf_str(out, base64);
	fg_buf_str(out, at + sizeof(mark) - 1);
	free(base64);
	json_object_put(task);
}
