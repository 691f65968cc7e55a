/* inspect: what lib/blend reads of a scene, as the JSON that people and pages see. */
#ifndef FG_FARM_INSPECT_H
#define FG_FARM_INSPECT_H

#include "blend/scene.h"

struct json_object;

/** Is this file, named relative to the .blend's own folder, among what was uploaded? NULL as callback: nothing is. */
typedef bool fg_inspect_has(void *ctx, const char *path);

/** { blender, active, scenes: [ … ], missing: [ … ] }; put it away with json_object_put. */
struct json_object *fg_inspect_json(const struct fg_blend *blend, fg_inspect_has *has, void *ctx);

/** Missing external files: their paths as the file has them, with why. Counts them; the callback may be NULL. */
int fg_inspect_missing(const struct fg_blend *blend, fg_inspect_has *has, void *ctx, void (*each)(void *each_ctx, const struct fg_blend_file *file), void *each_ctx);

/** Frames per second as a fraction, exact for the usual film and video rates. */
void fg_inspect_fps(int *num, int *den, const struct fg_blend_scene *scene);

#endif
