/* bundle: a scene of this host, and the files beside it that it needs, as one zip. */
#ifndef FG_BATCH_BUNDLE_H
#define FG_BATCH_BUNDLE_H

#include <limits.h>

#include "blend/scene.h"
#include "farm/farm.h"

struct fg_bundle {
	struct fg_spool_file zip;
	char                 home[PATH_MAX];       /**< the folder of this host that the zip's top is */
	char                 blend[FG_BLEND_PATH]; /**< the scene in it */
};
#define FG_BUNDLE_NONE ((struct fg_bundle){ .zip = FG_SPOOL_NO_FILE })

/** Gather what the .blend at `path` (open as `fd`) names and what its libraries name, as far as it lies below batch_input_folders; textures of many
 * tiles with all of them. Links don't lead out. `note` gets a line for what is left behind.
 * @return FG_OK; FG_ENOTFOUND: it needs no other file, or none is there; FG_EINVAL: too many; what fg_blend_read says; FG_ENOSPACE, FG_EIO */
enum fg_err fg_bundle_make(struct fg_bundle *out, const struct fg_farm *farm, const char *path, int fd, struct fg_buf *note);
void        fg_bundle_discard(struct fg_bundle *bundle);

#endif
