/* stitch: the tiles of a frame become one picture, pixel for pixel. Memory is a few bands of rows, whatever the size of the frame. */
#ifndef FG_IMAGE_STITCH_H
#define FG_IMAGE_STITCH_H

#include "image/image.h"

/** One tile: a file, and the part of it that is kept. */
struct fg_stitch_tile {
	const char *path;
	int x, y, width, height; /**< place in the frame of the part that is kept; y 0 on top */
	int skip_left, skip_top; /**< overscan: columns and rows of the file before that part; what is beyond it is cut too. A file of just that part has none */
	int fds[2];              /**< the file, opened twice for reading, where `path` can't be opened (farm/confined); closed in the end. 0: open `path` */
};

/** What was done differently from what was asked, as one line for users; "" when nothing. */
struct fg_stitch_said {
	char text[160];
};

struct fg_stitch {
	const struct fg_stitch_tile *tiles; /**< rows × columns of them, row 0 first, column 0 first in each row */
	int rows, columns;
	int width, height;                  /**< of the frame; the tiles must cover it exactly */
	enum fg_image_format format;        /**< of the frame; EXR from EXR tiles, all others from PNG, TGA, BMP or JPEG tiles */
	int quality;                        /**< JPEG: 1 to 100, 0 = 90 */
	int threads;                        /**< 0 = as many as there are processors, at most 8 */
	struct fg_stitch_said *said;        /**< may be NULL */
};

/** Stitch into `out_fd`, a regular file opened for writing, from its offset 0.
 *
 * All tiles of a frame must be of one kind: same channels, same bits. PNG keeps 8 and 16 bits, grey, colour and alpha; JPEG, BMP and TGA get
 * 8 bits (16-bit tiles are rounded for them), JPEG without alpha (over black). EXR keeps all channels of all layers bit for bit and the attributes of the first tile,
 * with both windows set to the frame; tiles in a lossy or unwritable compression make a ZIP frame, and `said` says so.
 * @return FG_OK; FG_EINVAL (tiles don't cover the frame, or one differs from the first or is damaged: the text names its file);
 *         FG_EFORMAT, FG_EUNSUPPORTED, FG_ENOTFOUND (a tile), FG_ENOSPACE, FG_EIO */
enum fg_err fg_stitch(int out_fd, const struct fg_stitch *job);

#endif
