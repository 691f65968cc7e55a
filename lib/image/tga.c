/* tga: true colour and grey, plain or with runs. Most files, Blender's too, begin with the bottom row: for those with runs, one pass over the
 * file notes where each row begins. We write runs, top row first. */
#include "image/codec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum { HEADER = 18, RUN_MAX = 128, RLE = 8, FROM_TOP = 0x20, FROM_RIGHT = 0x10 };

/* Where a row begins in the file, in the middle of a packet or not. */
struct place {
	off_t   at;
	int     left; /* pixels of the packet that are still to come */
	bool    run;  /* the packet is one pixel, repeated */
	uint8_t pixel[4];
};

struct reader {
	struct fg_in  in;
	struct place  now, *rows; /* rows: in the order of the file; NULL for plain files */
	int           bytes;      /* of a pixel */
	bool          from_top;
	off_t         data;       /* offset of the first pixel */
	int           y;
};

/* The format has no signature: all that must hold is checked, the size of the file too. */
enum fg_err
fg_tga_probe(struct fg_image_info *out, int fd)
{
	uint8_t     h[HEADER];
	const off_t size = lseek(fd, 0, SEEK_END);

	if (size < HEADER || pread(fd, h, HEADER, 0) != HEADER)
		return fg_fail(FG_EFORMAT, "this is not a picture of a format that is read here");

	int   width = fg_le16(h + 12), height = fg_le16(h + 14), kind = h[2] & ~RLE, depth = h[16];
	bool  colour = kind == 2 && (depth == 24 || depth == 32), grey = kind == 3 && depth == 8;
	off_t pixels = (off_t)width * height, least = (h[2] & RLE) != 0 ? (pixels + RUN_MAX - 1) / RUN_MAX * (1 + depth / 8) : pixels * (depth / 8);

	if (h[1] != 0 || (!colour && !grey) || width == 0 || height == 0 || (h[17] & (FROM_RIGHT | 0xc0)) != 0 || fg_le32(h + 4) >> 8 != 0 ||
	    fg_le16(h + 3) != 0)
		return fg_fail(FG_EFORMAT, "this is not a picture of a format that is read here");
	if (size < HEADER + h[0] + least)
		return fg_fail(FG_EINVAL, "damaged TGA: the file ends too soon");
	*out = (struct fg_image_info){ .format = FG_IMAGE_TGA, .width = width, .height = height, .channels = depth / 8, .bits = 8,
		.alpha = depth == 32, .layers = 1 };
	return FG_OK;
}

static enum fg_err
cut_off(void)
{
	return fg_fail(FG_EINVAL, "damaged TGA: the file ends too soon");
}

static enum fg_err
next_packet(struct reader *r)
{
	int head = fg_in_byte(&r->in);

	if (head < 0)
		return cut_off();
	r->now.left = (head & 127) + 1;
	r->now.run = (head & 128) != 0;
	return r->now.run && fg_in_read(&r->in, r->now.pixel, (size_t)r->bytes) != (size_t)r->bytes ? cut_off() : FG_OK;
}

static enum fg_err
read_runs(struct reader *r, uint8_t *out, int pixels)
{
	enum fg_err err;

	while (pixels > 0) {
		if (r->now.left == 0 && (err = next_packet(r)) != FG_OK)
			return err;

		int    n = r->now.left < pixels ? r->now.left : pixels;
		size_t len = (size_t)n * (size_t)r->bytes;

		if (!r->now.run && fg_in_read(&r->in, out, len) != len)
			return cut_off();
		for (int i = 0; r->now.run && i < n; i++)
			memcpy(out + (size_t)i * (size_t)r->bytes, r->now.pixel, (size_t)r->bytes);
		out += len;
		pixels -= n;
		r->now.left -= n;
	}
	return FG_OK;
}

static enum fg_err
note_rows(struct reader *r, const struct fg_image_info *info)
{
	uint8_t    *row = fg_alloc(fg_row_bytes(info));
	enum fg_err err = FG_OK;

	r->rows = fg_alloc((size_t)info->height * sizeof(*r->rows));
	fg_in_seek(&r->in, r->data);
	for (int y = 0; err == FG_OK && y < info->height; y++) {
		r->now.at = r->in.at - (off_t)(r->in.len - r->in.used);
		r->rows[y] = r->now;
		err = read_runs(r, row, info->width);
	}
	free(row);
	return err;
}

static enum fg_err
read_row(struct fg_rows *rows, uint8_t *row)
{
	struct reader *r = rows->codec;
	size_t         len = fg_row_bytes(&rows->info);
	int            line = r->from_top ? r->y : rows->info.height - 1 - r->y;

	r->y++;
	if (r->rows != NULL) {
		r->now = r->rows[line];
		fg_in_seek(&r->in, r->now.at);

		enum fg_err err = read_runs(r, row, rows->info.width);

		if (err != FG_OK)
			return err;
	} else {
		fg_in_seek(&r->in, r->data + (off_t)line * (off_t)len);
		if (fg_in_read(&r->in, row, len) != len)
			return cut_off();
	}
	for (size_t i = 0; r->bytes > 1 && i < len; i += (size_t)r->bytes) {
		uint8_t blue = row[i];

		row[i] = row[i + 2];
		row[i + 2] = blue;
	}
	return FG_OK;
}

static void
close_rows(struct fg_rows *rows)
{
	struct reader *r = rows->codec;

	free(r->rows);
	free(r);
}

enum fg_err
fg_tga_rows(struct fg_rows *out, int fd)
{
	struct reader *r = fg_alloc(sizeof(*r));
	uint8_t        head[HEADER];

	out->codec = r;
	out->read = read_row;
	out->close = close_rows;
	r->in.fd = fd;
	r->bytes = out->info.channels;
	if (fg_in_read(&r->in, head, HEADER) != HEADER)
		return cut_off();
	r->from_top = (head[17] & FROM_TOP) != 0;
	r->data = HEADER + head[0];
	return (head[2] & RLE) != 0 ? note_rows(r, &out->info) : FG_OK;
}

/* --- out */

struct writer {
	uint8_t *rgba;
	uint8_t *packed;
	int      bytes; /* of a pixel */
};

static void
put_pixel(uint8_t *out, const uint8_t *rgba, int bytes)
{
	const uint8_t bgra[4] = { rgba[2], rgba[1], rgba[0], rgba[3] };

	memcpy(out, bgra, (size_t)bytes);
}

static bool
same(const uint8_t *row, int x, int y)
{
	return memcmp(row + (size_t)x * 4, row + (size_t)y * 4, 4) == 0;
}

/* One packet from pixel x on; returns how many pixels it holds. */
static int
pack_packet(uint8_t **out, const uint8_t *row, int x, int width, int bytes)
{
	int n = 1;

	if (x + 1 < width && same(row, x, x + 1)) {
		while (n < RUN_MAX && x + n < width && same(row, x, x + n))
			n++;
		*(*out)++ = (uint8_t)(127 + n);
		put_pixel(*out, row + (size_t)x * 4, bytes);
		*out += bytes;
		return n;
	}
	while (n < RUN_MAX && x + n < width && !(x + n + 1 < width && same(row, x + n, x + n + 1)))
		n++;
	*(*out)++ = (uint8_t)(n - 1);
	for (int i = 0; i < n; i++, *out += bytes)
		put_pixel(*out, row + (size_t)(x + i) * 4, bytes);
	return n;
}

static enum fg_err
put(struct fg_sink *sink, const struct fg_band *band, int slot)
{
	struct writer *w = sink->codec;
	enum fg_err    err = FG_OK;

	(void)slot;
	for (int y = 0; err == FG_OK && y < band->nrows; y++) {
		uint8_t *out = w->packed;

		fg_row_rgba(w->rgba, band->rows + (size_t)y * fg_row_bytes(&sink->info), &sink->info);
		for (int x = 0; x < sink->info.width;)
			x += pack_packet(&out, w->rgba, x, sink->info.width, w->bytes);
		err = fg_fs_write(sink->fd, w->packed, (size_t)(out - w->packed));
	}
	return err;
}

static enum fg_err
end(struct fg_sink *sink)
{
	(void)sink;
	return FG_OK;
}

static void
close_sink(struct fg_sink *sink)
{
	struct writer *w = sink->codec;

	free(w->rgba);
	free(w->packed);
	free(w);
}

enum fg_err
fg_tga_sink(struct fg_sink *out)
{
	const bool     alpha = out->info.channels % 2 == 0;
	const int      width = out->info.width, height = out->info.height;
	uint8_t        head[HEADER] = { [2] = 2 | RLE, [16] = alpha ? 32 : 24, [17] = alpha ? FROM_TOP | 8 : FROM_TOP };
	struct writer *w = fg_alloc(sizeof(*w));

	out->codec = w;
	out->put = put;
	out->end = end;
	out->close = close_sink;
	w->bytes = alpha ? 4 : 3;
	w->rgba = fg_alloc((size_t)width * 4);
	w->packed = fg_alloc((size_t)width * 5 + 1);
	if (width > UINT16_MAX || height > UINT16_MAX)
		return fg_fail(FG_EUNSUPPORTED, "a TGA file holds at most 65535 pixels a side");
	head[12] = (uint8_t)width, head[13] = (uint8_t)(width >> 8);
	head[14] = (uint8_t)height, head[15] = (uint8_t)(height >> 8);
	return fg_fs_write(out->fd, head, HEADER);
}
