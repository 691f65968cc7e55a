/* thumb: previews as JPEG and video frames as PNG, of any format that we read, in one pass and in the memory of a band of rows. */
#ifndef FG_IMAGE_THUMB_H
#define FG_IMAGE_THUMB_H

#include "image/display.h"
#include "image/image.h"

/** How to show a picture. `{0}` is right for most. */
struct fg_thumb {
	int width;                 /**< of the JPEG; 0 or more than the picture's = the picture's. Height follows, at least 1 */
	int quality;               /**< JPEG: 1 to 100, 0 = 80 */
	int threads;               /**< 0 = as many as there are processors, at most 8 */
	const char *layer;         /**< EXR: channels "<layer>.R" …; NULL = no prefix, else the first Combined, else the first layer */
	struct fg_display display; /**< EXR: as it says; other formats: exposure and filmic are applied only when set */
};

/** Any format → JPEG: averaged over exact areas in linear light, over black where there is alpha.
 * EXR: the data window is placed in the display window; R, G, B (or r, red, Red …), or else luminance Y, or else depth Z as grey (near is
 * bright), or else the first channel as grey; whole numbers above 1 as parts of the largest.
 * @return FG_OK, FG_EFORMAT, FG_EINVAL (damaged), FG_EUNSUPPORTED, FG_ENOTFOUND (no such layer), FG_ETOOBIG, FG_ENOSPACE, FG_EIO */
enum fg_err fg_thumb(int out_fd, int in_fd, const struct fg_thumb *how);

/** Any format → 8-bit RGB PNG of the same size (how->width and quality don't count), quickly compressed: what a video is made of. */
enum fg_err fg_display_png(int out_fd, int in_fd, const struct fg_thumb *how);

#endif
