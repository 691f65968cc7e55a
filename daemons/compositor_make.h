/* compositor_make: how each product is made. Runs in a child of the compositor, which has limits of its own and may die at any moment:
 * what is made gets its name in the spool when it is whole, and not before. */
#ifndef FG_COMPOSITOR_MAKE_H
#define FG_COMPOSITOR_MAKE_H

#include "farm/farm.h"
#include "farm/project.h"

enum { FG_MAKE_NOTE = 512 };

struct fg_make {
	struct fg_farm   *farm;
	struct fg_project project;
	int64_t           product;            /**< its id */
	int               frame;              /**< of a preview or a stitch */
	char              ext[8];             /**< out: extension of the file that was made */
	char              note[FG_MAKE_NOTE]; /**< out: what people should know, "" for nothing */
	int               shown;              /**< progress as last told, in thousandths */
};

/** Make a product of `kind` (preview, stitch, result, zip). FG_EINVAL for another kind; else what went wrong, in words for its owner. */
enum fg_err fg_make(struct fg_make *make, const char *kind);

enum fg_err fg_make_video(struct fg_make *make); /**< compositor_video.c: an animation's result */
enum fg_err fg_make_zip(struct fg_make *make);   /**< compositor_zip.c: the raw tiles */

/** Tell the compositor how far this is. */
void fg_make_progress(struct fg_make *make, int64_t done, int64_t total);

/** The file of a whole frame, relative to the spool: the stitched one, or the tile of a frame that has just one. `ext` is frame.ext. */
enum fg_err fg_make_frame_name(char name[FG_SPOOL_NAME], struct fg_make *make, int frame, const char *ext);

/** A new file in the spool, under a name that tells whose it is: the compositor sweeps what a dead maker leaves (FG_MAKE_PREFIX and the product's id). */
enum fg_err fg_make_create(struct fg_spool_file *out, const struct fg_make *make);
#define FG_MAKE_PREFIX "made-"

/** Open a file of the spool for reading; *fd is -1 unless FG_OK. FG_ENOTFOUND, FG_EIO */
enum fg_err fg_make_open(int *fd, const struct fg_make *make, const char *name);

#endif
