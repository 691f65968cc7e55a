#include "image/icon.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "base/buf.h"
#include "base/fs.h"

enum { SIDE_MAX = 1024 };

enum fg_err
fg_icon_write(int fd, const unsigned char *rgba, int width, int height)
{
	png_image        image;
	png_alloc_size_t size = 0;
	void            *bytes;
	enum fg_err      err = FG_EIO;

	if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX)
		return FG_ETOOBIG;
	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	image.width = (png_uint_32)width;
	image.height = (png_uint_32)height;
	image.format = PNG_FORMAT_RGBA;
	if (png_image_write_to_memory(&image, NULL, &size, 0, rgba, -width * 4, NULL) == 0)
		return fg_fail(FG_EIO, "a small picture could not be written: %s", image.message);
	bytes = fg_alloc(size);
	if (png_image_write_to_memory(&image, bytes, &size, 0, rgba, -width * 4, NULL) != 0)
		err = fg_fs_write(fd, bytes, size);
	free(bytes);
	return err;
}
