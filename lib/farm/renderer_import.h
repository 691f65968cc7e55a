/* renderer_import: an official Blender archive, or a wrapper for the hosts' own Blender, becomes a renderer of this farm: made, probed, kept. */
#ifndef FG_FARM_RENDERER_IMPORT_H
#define FG_FARM_RENDERER_IMPORT_H

#include "farm/farm.h"
#include "farm/renderer.h"

/** What it is made of. */
struct fg_renderer_source {
	const char *archive, *wrap; /**< one of them: an archive's path, or the absolute path of the hosts' Blender (linux) */
	const char *os, *bits;      /**< linux, windows, mac; 64bit, 32bit */
	const char *version;        /**< NULL: what the archive or Blender itself says */
	void      (*tick)(void *ctx, int permille, const char *what); /**< how far it is, often; NULL: nobody asks */
	void       *ctx;
};

/** FG_EINVAL for a platform or version that is none. */
enum fg_err fg_renderer_check(const struct fg_renderer_source *source);

/** The same file for the same platform is one renderer, however often it is added: `out` is then the one that was there, `added` false.
 * Takes minutes. FG_EINVAL, FG_EUNSUPPORTED, FG_EFORMAT, FG_ETOOBIG, FG_ENOTFOUND, FG_ENOSPACE, FG_EIO */
enum fg_err fg_renderer_import(struct fg_renderer *out, bool *added, struct fg_farm *farm, const struct fg_renderer_source *source, int64_t now_ms);

#endif
