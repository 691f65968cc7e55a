/* rows: the doors of codec.h: files through a small buffer, rows in and sinks out by format. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/codec.h"

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
	};
	enum fg_err err = fg_image_probe(&out->info, fd);

	if (err != FG_OK)
		return err;
	if (open_rows[out->info.format] == NULL)
		return fg_fail(FG_EUNSUPPORTED, "a picture of format %s does not come in rows of 8 or 16 bits", fg_image_format_name(out->info.format));
	return open_rows[out->info.format](out, fd);
}

void
fg_rows_close(struct fg_rows *rows)
{
	if (rows->codec != NULL)
		rows->close(rows);
	*rows = (struct fg_rows){ 0 };
}

enum fg_err
fg_sink_open(struct fg_sink *out, int fd, const struct fg_image_info *info, int quality)
{
	(void)quality;
	out->info = *info;
	out->fd = fd;
	switch (info->format) {
	case FG_IMAGE_PNG:
		return fg_png_sink(out);
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
