/* renderer_pack: the zips that clients download to render with. File work only; the row of a renderer is farm/renderer.
 * On Linux `rend.exe` is a shell script (share/wrapper/rend.exe.in) that puts right what stock clients do to a render and becomes Blender by exec.
 * Windows has no sh: there rend.exe is blender.exe itself, and generations that need the script need a newer client. */
#ifndef FG_FARM_RENDERER_PACK_H
#define FG_FARM_RENDERER_PACK_H

#include <stddef.h>

#include "base/err.h"

/** A wrapper archive for hosts that have Blender at an absolute path: one entry, rend.exe, mode 0755.
 * @return FG_OK, FG_EINVAL (not an absolute path of plain characters), FG_EIO, FG_ENOSPACE */
enum fg_err fg_renderer_wrap(const char *zip_out, const char *blender_path);

#endif
