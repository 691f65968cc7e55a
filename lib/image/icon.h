/* icon: a small picture in memory becomes a PNG. */
#ifndef FG_IMAGE_ICON_H
#define FG_IMAGE_ICON_H

#include "base/err.h"

/** @param rgba  height × width × 4, bottom row first, as Blender keeps thumbnails; at most 1024 on a side (FG_ETOOBIG)
 * @return FG_OK, FG_EIO */
enum fg_err fg_icon_write(int fd, const unsigned char *rgba, int width, int height);

#endif
