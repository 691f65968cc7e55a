/* renderer_tar: a renderer's zip as the other farm's workers take it: one folder with `blender` in it, in a tar, known by its SHA-256.
 * Made when the first of them asks, and kept beside the zip. */
#ifndef FG_FARM_RENDERER_TAR_H
#define FG_FARM_RENDERER_TAR_H

#include "farm/farm.h"
#include "farm/md5.h"

/** Its name in the spool and its hash. Whoever comes while it is being made waits. FG_ENOTFOUND: there is no such zip; FG_EFORMAT, FG_ENOSPACE, FG_EIO */
enum fg_err fg_renderer_tar(char name[FG_SPOOL_NAME], char sha256[FG_SHA256_HEX], const struct fg_farm *farm, const char *md5);

/** The tar goes with its zip. */
enum fg_err fg_renderer_tar_forget(const struct fg_spool *spool, const char *md5);

#endif
