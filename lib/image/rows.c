/* rows: the doors of codec.h: files through a small buffer, rows in and sinks out by format. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/exr.h"

static bool
refill(struct fg_in *in)
{
	ssize_t got = pread(in->fd, in->bytes, sizeof(in->bytes), in->at);

	in->used = 0;
	in->len = got > 0 ? (size_t)got : 0;
	in->at += (off_t)in->len;
	return in->len > 0;
}

size_t
fg_in_read(struct fg_in *in, void *out, size_t len)
{
	size_t done = 0;

	while (done < len && (in->used < in->len || refill(in))) {
		size_t n = in->len - in->used < len - done ? in->len - in->used : len - done;

		memcpy((uint8_t *)out + done, in->bytes + in->used, n);
		in->used += n;
		done += n;
	}
	return done;
}

int
fg_in_byte(struct fg_in *in)
{
	return in->used < in->len || refill(in) ? in->bytes[in->used++] : -1;
}

void
fg_in_seek(struct fg_in *in, off_t at)
{
	in->at = at;
	in->len = in->used = 0;
}

enum fg_err
fg_rows_open(struct fg_rows *out, int fd)
{
	static enum fg_err (*const open_rows[FG_IMAGE_FORMATS])(struct fg_rows *, int) = {
		[FG_IMAGE_PNG] = fg_png_rows,
		[FG_IMAGE_JPEG] = fg_jpeg_rows,
		[FG_IMAGE_EXR] = fg_exr_rows,
		[FG_IMAGE_TGA] = fg_tga_rows,
		[FG_IMAGE_BMP] = fg_bmp_rows,
	};
	static const uint8_t of_pixel[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	enum fg_err          err = fg_image_probe(&out->info, fd);

	if (err == FG_OK)
		err = open_rows[out->info.format](out, fd);
	if (err == FG_OK && out->planes == 0) {
		out->planes = 1;
		out->pixel_bytes = (size_t)out->info.channels * (size_t)out->info.bits / 8;
		out->plane_bytes = &of_pixel[out->pixel_bytes];
	}
	return err;
}

void
fg_rows_close(struct fg_rows *rows)
{
	if (rows->codec != NULL)
		rows->close(rows);
	*rows = (struct fg_rows){ 0 };
}

static uint8_t
sample8(const uint8_t *row, size_t index, int bits)
{
	return bits == 8 ? row[index] : (uint8_t)(((row[2 * index] << 8 | row[2 * index + 1]) * 255 + 32895) >> 16);
}

void
fg_row_rgba(uint8_t *rgba, const uint8_t *row, const struct fg_image_info *info)
{
	const size_t n = (size_t)info->channels, green = n > 2 ? 1 : 0, blue = n > 2 ? 2 : 0;
	const bool   alpha = n % 2 == 0;

	for (size_t x = 0; x < (size_t)info->width; x++, rgba += 4) {
		rgba[0] = sample8(row, x * n, info->bits);
		rgba[1] = sample8(row, x * n + green, info->bits);
		rgba[2] = sample8(row, x * n + blue, info->bits);
		rgba[3] = alpha ? sample8(row, x * n + n - 1, info->bits) : 255;
	}
}

bool
fg_row_is_black(const uint8_t *row, const struct fg_image_info *info)
{
	size_t sample = (size_t)info->bits / 8, pixel = sample * (size_t)info->channels, colour = info->alpha ? pixel - sample : pixel;

	for (int x = 0; x < info->width; x++, row += pixel)
		for (size_t i = 0; i < colour; i++)
			if (row[i] != 0)
				return false;
	return true;
}

enum fg_err
fg_sink_open(struct fg_sink *out, int fd, const struct fg_image_info *info, int quality)
{
	out->info = *info;
	out->fd = fd;
	out->rows_multiple = 1;
	switch (info->format) {
	case FG_IMAGE_PNG:
		return fg_png_sink(out);
	case FG_IMAGE_JPEG:
		return fg_jpeg_sink(out, quality);
	case FG_IMAGE_TGA:
		return fg_tga_sink(out);
	case FG_IMAGE_BMP:
		return fg_bmp_sink(out);
	default:
		return fg_fail(FG_EUNSUPPORTED, "pictures of format %s are not written", fg_image_format_name(info->format));
	}
}

void
fg_sink_close(struct fg_sink *sink)
{
	if (sink->codec != NULL)
		sink->close(sink);
	*sink = (struct fg_sink){ 0 };
}
