/* renderer: a Blender build for one OS and architecture, kept as the zip that clients download. Its MD5 is its name. */
#ifndef FG_FARM_RENDERER_H
#define FG_FARM_RENDERER_H

#include <stdint.h>

#include "store/db.h"

enum fg_caps { FG_CAP_CYCLES = 1, FG_CAP_DENOISE = 2, FG_CAP_GPU = 4 };

struct fg_renderer {
	int64_t id, size, created_ms;
	char    md5[33], sha256[65], version[64], os[16], bits[8];
	int     caps; /**< bits of enum fg_caps; -1 where it could not be asked */
	char    path[1024]; /**< of the hosts' own Blender, "" for an archive's; not filled in by fg_renderer_list */
};

/** Keep a renderer whose zip has its name in the spool already. */
enum fg_err fg_renderer_add(int64_t *id, struct fg_db *db, const struct fg_renderer *renderer, int64_t now_ms);
enum fg_err fg_renderer_remove(struct fg_db *db, int64_t id); /**< its file is swept when no live lease needs it */
enum fg_err fg_renderer_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_renderer *renderer), void *ctx);

/** Do all renderers that a project of this version ("" any) may get lack a denoiser? False where it is not known. */
enum fg_err fg_renderer_no_denoise(bool *out, struct fg_db *db, const char *version);

/** The version of the hosts' own Blender at this path. FG_ENOTFOUND */
enum fg_err fg_renderer_of_path(char version[64], struct fg_db *db, const char *path);

/** Is there a renderer of this version at all? "" asks for any. */
enum fg_err fg_renderer_exists(bool *out, struct fg_db *db, const char *version);

#endif
