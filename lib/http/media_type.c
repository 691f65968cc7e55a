#include "http/media_type.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *ext, *type;
} types[] = {
	{ "mp4", "video/mp4" }, { "png", "image/png" }, { "jpg", "image/jpeg" }, { "exr", "image/x-exr" }, { "tga", "image/x-tga" }, { "bmp", "image/bmp" },
	{ "tif", "image/tiff" }, { "hdr", "image/vnd.radiance" },
	{ "dpx", "image/x-dpx" }, { "cin", "image/x-cineon" }, { "rgb", "image/x-rgb" }, { "avi", "video/x-msvideo" }, { "mpg", "video/mpeg" },
	{ "mov", "video/quicktime" }, { "zip", "application/zip" },
};

const char *
fg_http_type_of(const char *ext)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].ext, ext) == 0)
			return types[i].type;
	return "application/octet-stream";
}
