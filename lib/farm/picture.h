/* picture: a JPEG of a stranger's picture file, made by confined processes: one that decodes what lib/image reads, and ffmpeg (EXR
 * with DWA compression or of several parts, TIFF, DPX, WebP and others) where it does so rightly. A hostile file costs an error message. */
#ifndef FG_FARM_PICTURE_H
#define FG_FARM_PICTURE_H

#include <sys/types.h>

#include "farm/settings.h"
#include "image/thumb.h"
#include "store/spool.h"

enum { FG_PICTURE_WIDTHS = 8 };

/** The width that is made for an asked one: the next of 64, 128, 256, 512, 960, 1920, 3840, 7680; so that few are kept. */
int fg_picture_width(int asked);

/** A name for what comes out of these bytes shown this way, 32 hexadecimal digits: the same for each file that holds them. A file's BLAKE2b is kept
 * with it (an extended attribute, where there are such) and true for its size and time: what was shown once isn't read again. FG_EIO */
enum fg_err fg_picture_name(char out[33], int in_fd, const struct fg_thumb *how);

/** Make it. Takes up to half a minute.
 *
 * @param out_fd  an empty file; holds the JPEG when FG_OK
 * @return FG_OK; FG_EUNSUPPORTED, FG_EFORMAT, FG_EINVAL, FG_ENOTFOUND (no such layer), FG_ETOOBIG, FG_ETIMEOUT, FG_EIO; the text says what is wrong */
enum fg_err fg_picture(int out_fd, int in_fd, const struct fg_thumb *how, const struct fg_settings *settings);

/** Make it as this file of the spool, unless it is there: what fg_picture_name named was made of the same bytes. As fg_picture, and FG_ENOSPACE. */
enum fg_err fg_picture_keep(const char *name, const struct fg_spool *spool, int in_fd, const struct fg_thumb *how, const struct fg_settings *settings);

#endif
