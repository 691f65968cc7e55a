/* rare: pictures that the farm only hands on: TIFF, Radiance HDR, DPX, Cineon, IRIS. Their headers are read, no pixel ever is. Called in a cage (farm/confined.h). */
#ifndef FG_IMAGE_RARE_H
#define FG_IMAGE_RARE_H

#include "base/err.h"

/** Is the file what its extension (tif, hdr, dpx, cin, rgb) says, of this size, and not cut off before its pixels begin?
 * @return FG_OK; FG_EFORMAT (something else); FG_EINVAL (another size, or cut off); FG_EIO */
enum fg_err fg_rare_check(int fd, const char *ext, int width, int height);

#endif
