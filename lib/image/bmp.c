/* bmp: 24 and 32 bits, uncompressed. The format wants the bottom row first, so rows are read and written at their place. */
#include "image/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 14 + 40, HEADER_ALPHA = 14 + 108, BITFIELDS = 3 };

struct header {
	int   width, height, bytes; /* of a pixel in the file */
	bool  from_top, alpha;
	off_t data, stride;
};

/* Only the usual order of channels is taken; 32 bits without masks have no alpha that means anything. */
static bool
parse(struct header *out, const uint8_t *h, size_t len)
{
	if (len < HEADER || h[0] != 'B' || h[1] != 'M' || fg_le32(h + 14) < 40)
		return false;

	const int32_t  height = (int32_t)fg_le32(h + 22);
	const uint32_t width = fg_le32(h + 18), depth = (uint32_t)fg_le16(h + 28), packing = fg_le32(h + 30);

	if ((depth != 24 && depth != 32) || (packing != 0 && (packing != BITFIELDS || depth != 32)) || width == 0 || width > INT32_MAX ||
	    height == 0 || height == INT32_MIN)
		return false;
	if (packing == BITFIELDS && (len < HEADER + 12 || fg_le32(h + 54) != 0xff0000 || fg_le32(h + 58) != 0xff00 || fg_le32(h + 62) != 0xff))
		return false;
	out->width = (int)width;
	out->height = height < 0 ? -height : height;
	out->bytes = (int)depth / 8;
	out->from_top = height < 0;
	out->alpha = packing == BITFIELDS && fg_le32(h + 14) >= 56 && len >= 70 && fg_le32(h + 66) == 0xff000000;
	out->data = (off_t)fg_le32(h + 10);
	out->stride = ((off_t)out->width * out->bytes + 3) / 4 * 4;
	return true;
}

enum fg_err
fg_bmp_probe(struct fg_image_info *out, const uint8_t *head, size_t len)
{
	struct header h;

	if (!parse(&h, head, len))
		return fg_fail(FG_EFORMAT, "a BMP of a kind that is not read here, or a damaged one");
	if (h.width > FG_IMAGE_SIDE_MAX || h.height > FG_IMAGE_SIDE_MAX)
		return fg_fail(FG_ETOOBIG, "a picture of %d x %d pixels is too big", h.width, h.height);
	*out = (struct fg_image_info){ .format = FG_IMAGE_BMP, .width = h.width, .height = h.height, .channels = h.alpha ? 4 : 3, .bits = 8,
		.alpha = h.alpha, .layers = 1 };
	return FG_OK;
}

struct reader {
	struct fg_in  in;
	struct header header;
	uint8_t      *line;
	int           y;
};

static enum fg_err
read_row(struct fg_rows *rows, uint8_t *row)
{
	struct reader       *r = rows->codec;
	const struct header *h = &r->header;
	const size_t         len = (size_t)h->width * (size_t)h->bytes;

	fg_in_seek(&r->in, h->data + h->stride * (h->from_top ? r->y : h->height - 1 - r->y));
	r->y++;
	if (fg_in_read(&r->in, r->line, len) != len)
		return fg_fail(FG_EINVAL, "damaged BMP: the file ends too soon");
	for (const uint8_t *p = r->line; p < r->line + len; p += h->bytes) {
		*row++ = p[2];
		*row++ = p[1];
		*row++ = p[0];
		if (h->alpha)
			*row++ = p[3];
	}
	return FG_OK;
}

static void
close_rows(struct fg_rows *rows)
{
	struct reader *r = rows->codec;

	free(r->line);
	free(r);
}

enum fg_err
fg_bmp_rows(struct fg_rows *out, int fd)
{
	struct reader *r = fg_alloc(sizeof(*r));
	uint8_t        head[FG_HEAD_BYTES];
	size_t         len;

	out->codec = r;
	out->read = read_row;
	out->close = close_rows;
	r->in.fd = fd;
	len = fg_in_read(&r->in, head, sizeof(head));
	if (!parse(&r->header, head, len))
		return fg_fail(FG_EINVAL, "damaged BMP: its header");
	if (lseek(fd, 0, SEEK_END) < r->header.data + r->header.stride * r->header.height)
		return fg_fail(FG_EINVAL, "damaged BMP: the file ends too soon");
	r->line = fg_alloc((size_t)r->header.stride);
	return FG_OK;
}

/* --- out */

struct writer {
	uint8_t      *rgba, *line;
	struct header header;
	int           y;
};

static enum fg_err
write_at(int fd, const uint8_t *bytes, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n < 0 && errno != EINTR)
			return errno == ENOSPC || errno == EDQUOT ? fg_fail(FG_ENOSPACE, "no room for the picture") : fg_fail(FG_EIO, "the picture can't be written");
		if (n > 0)
			bytes += n, at += n, len -= (size_t)n;
	}
	return FG_OK;
}

static enum fg_err
put(struct fg_sink *sink, const struct fg_band *band, int slot)
{
	struct writer *w = sink->codec;
	enum fg_err    err = FG_OK;

	(void)slot;
	for (int y = 0; err == FG_OK && y < band->nrows; y++, w->y++) {
		uint8_t *out = w->line;

		fg_row_rgba(w->rgba, band->rows + (size_t)y * fg_row_bytes(&sink->info), &sink->info);
		for (const uint8_t *p = w->rgba; p < w->rgba + (size_t)sink->info.width * 4; p += 4, out += w->header.bytes) {
			out[0] = p[2], out[1] = p[1], out[2] = p[0];
			if (w->header.alpha)
				out[3] = p[3];
		}
		err = write_at(sink->fd, w->line, (size_t)w->header.stride, w->header.data + w->header.stride * (w->header.height - 1 - w->y));
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
	free(w->line);
	free(w);
}

static void
put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8), p[2] = (uint8_t)(v >> 16), p[3] = (uint8_t)(v >> 24);
}

static enum fg_err
write_header(int fd, const struct header *h)
{
	uint8_t head[HEADER_ALPHA] = { 'B', 'M', [26] = 1, [28] = (uint8_t)(h->bytes * 8) };

	put_le32(head + 2, (uint32_t)(h->data + h->stride * h->height));
	put_le32(head + 10, (uint32_t)h->data);
	put_le32(head + 14, (uint32_t)h->data - 14);
	put_le32(head + 18, (uint32_t)h->width);
	put_le32(head + 22, (uint32_t)h->height);
	put_le32(head + 34, (uint32_t)(h->stride * h->height));
	if (h->alpha) {
		head[30] = BITFIELDS;
		put_le32(head + 54, 0xff0000);
		put_le32(head + 58, 0xff00);
		put_le32(head + 62, 0xff);
		put_le32(head + 66, 0xff000000);
		memcpy(head + 70, "BGRs", 4); /* the colour space is sRGB */
	}
	return write_at(fd, head, (size_t)h->data, 0);
}

enum fg_err
fg_bmp_sink(struct fg_sink *out)
{
	struct writer *w = fg_alloc(sizeof(*w));
	struct header *h = &w->header;

	out->codec = w;
	out->put = put;
	out->end = end;
	out->close = close_sink;
	h->width = out->info.width;
	h->height = out->info.height;
	h->alpha = out->info.channels % 2 == 0;
	h->bytes = h->alpha ? 4 : 3;
	h->data = h->alpha ? HEADER_ALPHA : HEADER;
	h->stride = ((off_t)h->width * h->bytes + 3) / 4 * 4;
	if (h->data + h->stride * h->height > UINT32_MAX)
		return fg_fail(FG_EUNSUPPORTED, "a BMP file holds at most 4 GiB");
	w->rgba = fg_alloc((size_t)h->width * 4);
	w->line = fg_alloc((size_t)h->stride);
	return write_header(out->fd, h);
}
