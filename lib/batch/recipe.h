/* recipe: what a batch is to do, as JSON of the batch API (doc/protocol.md#batch). Parsed once, checked whole: what is wrong is said by its path. */
#ifndef FG_BATCH_RECIPE_H
#define FG_BATCH_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json_object;

enum { FG_RECIPE_BYTES = 8 << 20, FG_RECIPE_TEXT = 255, FG_RECIPE_PATH = 1023 };

struct fg_recipe_job {
	bool        enabled, external, animated;
	const char *name, *output, *blend_file, *filename, *scene, *camera, *world, *layer, *format, *engine, *device;
	int         frame_still, frame_start, frame_end;
	int         width, height, threads, samples; /**< 0: the scene's own */
	bool        section;
	double      x, y, part_width, part_height;   /**< of a section: parts of the frame, from the lower left */
	struct json_object *overrides;               /**< [[path, steps, value], …], see override.h; NULL none */
	struct json_object *pre, *post;              /**< hooks: lists of {enabled, cmd}, or NULL */
};

/** All texts live as long as the recipe. */
struct fg_recipe {
	const char *name, *blender_bin;
	bool        write_log, ignore_border, desktop, sound;
	int         percent, width, height;          /**< for all jobs; 0: not set */
	const char *rss_path;                        /**< NULL: no feed */
	const char *poweroff;                        /**< SLEEP or OFF; NULL: none */
	struct {
		bool        enabled, ssl;
		const char *user, *pass, *to, *server;
	} mail;
	struct json_object   *pre, *post;            /**< hooks */
	struct fg_recipe_job *jobs;
	int                   count;
	struct json_object   *root;
};

/** Read a recipe.
 *
 * @param out      free with fg_recipe_free, also after a failure
 * @param max_jobs more are refused
 * @return FG_OK; FG_EFORMAT: no JSON, with line and column; FG_EINVAL: the text lists what is wrong, at most ten places, each with its path */
enum fg_err fg_recipe_read(struct fg_recipe **out, const char *bytes, size_t len, int max_jobs);
void        fg_recipe_free(struct fg_recipe *recipe);

/** The same as text, without passwords. */
void fg_recipe_text(struct fg_buf *out, const struct fg_recipe *recipe);

/** The farm's name for a format of the recipe ("PNG" → "png"; "" → ""); NULL for one that nobody can make. */
const char *fg_recipe_format(const char *format);

#endif
