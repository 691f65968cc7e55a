/* override: one custom override of a recipe: a data-path below the scene and a literal value. Nothing of it is ever run: the path becomes a list of
 * names and keys, the value plain data, and both are checked against what a render may be told. */
#ifndef FG_BATCH_OVERRIDE_H
#define FG_BATCH_OVERRIDE_H

#include "base/err.h"

struct json_object;

enum { FG_OVERRIDE_PATH = 256, FG_OVERRIDE_VALUE = 2048 };

/** `view_settings.look`, `cycles.samples`, `world.color`, `view_layers["Main"].use_pass_z`
 *
 * @param out  a list of names and {"at": key or number}; free with json_object_put
 * @return FG_OK; FG_EINVAL: not such a path, or one that leads out of a scene's render settings (files, drivers, scripts, other data) */
enum fg_err fg_override_path(struct json_object **out, const char *path);

/** A literal as Python writes it: number, 'text', True, False, None, (1, 2) or [1, 2]. FG_EINVAL for anything else. */
enum fg_err fg_override_value(struct json_object **out, const char *text);

#endif
