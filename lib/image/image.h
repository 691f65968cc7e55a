/* image: what a picture file is, and whether it is whole. Every file is a stranger's: headers are bounded before anything is allocated,
 * and memory grows with a row of the picture, never with the picture or the file.
 * Files are read with pread from offset 0; the descriptor's own position does not matter. Any number of threads, each with its own file. */
#ifndef FG_IMAGE_IMAGE_H
#define FG_IMAGE_IMAGE_H

#include <stdbool.h>

#include "base/err.h"

enum fg_image_format {
	FG_IMAGE_NONE, /**< not an image, or "any format" where one is expected */
	FG_IMAGE_PNG,
	FG_IMAGE_JPEG,
	FG_IMAGE_EXR,
	FG_IMAGE_TGA,
	FG_IMAGE_BMP,
	FG_IMAGE_FORMATS
};

enum { FG_IMAGE_SIDE_MAX = 65536 }; /**< pixels of a side; Blender's own limit */

/** What the header says. Plain values. */
struct fg_image_info {
	enum fg_image_format format;
	int  width, height; /**< EXR: of the display window */
	int  channels;      /**< samples of a pixel as our readers give them: palettes count as 3; EXR: all channels of all layers */
	int  bits;          /**< of a sample: 8, 16 or 32 */
	bool alpha;
	bool is_float;      /**< EXR with half or float samples */
	int  layers;        /**< 1; EXR: names before the last dot, each once ("ViewLayer.Combined" is one) */
};

/** What a task's picture must be. 0 and FG_IMAGE_NONE: anything. */
struct fg_image_expect {
	enum fg_image_format format;
	int width, height;
};

struct fg_image_verdict {
	struct fg_image_info info;
	bool black; /**< every colour sample is 0 (alpha doesn't count); EXR: those of each Combined layer, or of all when none is called so */
};

/** "png", and the extension of its files; "none" for FG_IMAGE_NONE. */
const char *fg_image_format_name(enum fg_image_format format);

/** Read the header only.
 * @return FG_OK, FG_EFORMAT (not an image that we read), FG_ETOOBIG (a side over FG_IMAGE_SIDE_MAX), FG_EIO */
enum fg_err fg_image_probe(struct fg_image_info *out, int fd);

/** Header first, compared with `expect` before a pixel is decoded, then the whole picture.
 * @param out  filled when FG_OK
 * @return FG_OK; FG_EFORMAT (not an image: the protocol's 302); FG_EINVAL (another format or size, or damaged or cut off: 301);
 *         FG_ETOOBIG, FG_EIO */
/** An EXR that isn't read here: FG_OK when ffmpeg shows it rightly (layers, depth and overscan it doesn't), else FG_EUNSUPPORTED or FG_EFORMAT. */
enum fg_err fg_exr_elsewhere(int fd);

enum fg_err fg_image_check(struct fg_image_verdict *out, int fd, const struct fg_image_expect *expect);

#endif
