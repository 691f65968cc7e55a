/* scene: what a .blend says of itself, read from its own structure without running anything of it (Blender 2.5 to 5.x).
 * Source of the format: the file's own catalogue of structures (SDNA), which each file carries. Everything in it is a stranger's word:
 * lengths, counts and pointers are checked before they are followed, and at most 128 MiB of it are kept in memory. */
#ifndef FG_BLEND_SCENE_H
#define FG_BLEND_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { FG_BLEND_NAME = 260, FG_BLEND_PATH = 1024, FG_BLEND_SCENES = 256, FG_BLEND_FILES = 4096, FG_BLEND_CAMERAS = 1024 };

struct fg_blend_scene {
	char   name[FG_BLEND_NAME], camera[FG_BLEND_NAME]; /**< camera "" when there is none */
	int    frame_start, frame_end, frame_step;
	int    width, height, percent;                     /**< resolution before the percentage */
	int    fps;                                        /**< frames per second are fps / fps_base */
	double fps_base;
	char   engine[64];                                 /**< CYCLES, BLENDER_EEVEE, … */
	char   format[32];                                 /**< PNG, JPEG, OPEN_EXR, OPEN_EXR_MULTILAYER, TARGA, BMP, FFMPEG, … or "imtype N" */
	int    depth;                                      /**< bits of a sample that the format is set to; 0 unknown */
	int    samples;                                    /**< of the scene's engine; 0 unknown */
	bool   denoise;                                    /**< Cycles would denoise its renders */
	bool   compositing, sequencer;                     /**< nodes or strips would change the picture */
};

struct fg_blend_file {
	char path[FG_BLEND_PATH];  /**< as the file has it; "//" begins at the .blend's own folder; a folder ends in a slash, * is the .blend's name less ".blend" */
	char kind[16];             /**< image, library, sound, font, movieclip, cache */
};

struct fg_blend {
	char                   blender[16];   /**< "2.93", "3.4" */
	char                   active[FG_BLEND_NAME];
	struct fg_blend_scene *scenes;
	int                    nscenes;
	char                 (*cameras)[FG_BLEND_NAME];
	int                    ncameras;
	struct fg_blend_file  *files;         /**< external files that are not packed */
	int                    nfiles;
	unsigned char         *thumbnail;     /**< height × width × 4, RGBA, bottom row first as in the file; NULL when there is none */
	int                    thumbnail_width, thumbnail_height;
};

/** Read a .blend: raw, gzip or zstd.
 *
 * @param max_bytes  most that it may unpack to
 * @return FG_OK; FG_EFORMAT (no .blend, or damaged), FG_ETOOBIG (unpacks to more), FG_EIO. Free with fg_blend_free. */
enum fg_err fg_blend_read(struct fg_blend **out, int fd, int64_t max_bytes);
void        fg_blend_free(struct fg_blend *blend);

/** The scene of this name, or the active one for "". NULL when there is none. */
const struct fg_blend_scene *fg_blend_scene(const struct fg_blend *blend, const char *name);

#endif
