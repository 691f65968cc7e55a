/* pngwrite: a PNG sink. Bands of rows are filtered and deflated apart, on any thread, each ending at a byte with an empty stored block;
 * put one after another they are the one zlib stream that PNG asks for, its checksum combined from theirs.
 *
 * Each band goes through the fast coder first (runs and Huffman codes: right for noise, which has no matches worth searching). A band that it
 * shrinks well has more to give and is coded again with a search for matches; the smaller result stays. */
#include "image/codec.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/fs.h"

enum {
	SEARCH_PERCENT = 12, /* of its raw size: bands that the fast coder brings below this are coded again */
	SEARCH_LEVEL = 6,
	MEM_LEVEL = 8,
};

struct slot {
	struct fg_buf filtered, packed, again;
	uint32_t      adler;
	size_t        raw;
};

struct writer {
	struct slot slots[FG_SINK_SLOTS];
	uint32_t    adler; /* of all bands put so far */
	bool        begun;
};

static enum fg_err
put_chunk(int fd, const char *kind, const void *body, size_t len)
{
	uint8_t     head[8], tail[4];
	enum fg_err err;

	fg_put_be32(head, (uint32_t)len);
	memcpy(head + 4, kind, 4);
	fg_put_be32(tail, libdeflate_crc32(libdeflate_crc32(0, kind, 4), body, len));
	if ((err = fg_fs_write(fd, head, sizeof(head))) == FG_OK && (err = fg_fs_write(fd, body, len)) == FG_OK)
		err = fg_fs_write(fd, tail, sizeof(tail));
	return err;
}

/* --- filters: Sub, Up and Paeth are tried; the one with the smallest sum of absolute values is taken */

static unsigned
weigh(const uint8_t *row, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += row[i] < 128 ? row[i] : 256u - row[i];
	return sum;
}

static uint8_t
paeth(int left, int up, int corner)
{
	int p = up - corner, q = left - corner, a = abs(p), b = abs(q), c = abs(p + q);

	return (uint8_t)(a <= b && a <= c ? left : b <= c ? up : corner);
}

static void
filter_sub(uint8_t *out, const uint8_t *row, size_t len, size_t pixel)
{
	memcpy(out, row, pixel);
	for (size_t i = pixel; i < len; i++)
		out[i] = (uint8_t)(row[i] - row[i - pixel]);
}

static void
filter_up(uint8_t *out, const uint8_t *row, const uint8_t *above, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(row[i] - above[i]);
}

static void
filter_paeth(uint8_t *out, const uint8_t *row, const uint8_t *above, size_t len, size_t pixel)
{
	for (size_t i = 0; i < pixel; i++)
		out[i] = (uint8_t)(row[i] - above[i]);
	for (size_t i = pixel; i < len; i++)
		out[i] = (uint8_t)(row[i] - paeth(row[i - pixel], above[i], above[i - pixel]));
}

/* Filter one row to out (filter type first); `spare` holds two more rows. */
static void
filter_row(uint8_t *out, uint8_t *spare, const uint8_t *row, const uint8_t *above, size_t len, size_t pixel)
{
	uint8_t *up = spare, *diagonal = spare + len;
	unsigned best, weight;

	out[0] = 1;
	filter_sub(out + 1, row, len, pixel);
	if (above == NULL)
		return;
	best = weigh(out + 1, len);
	filter_up(up, row, above, len);
	if ((weight = weigh(up, len)) < best) {
		best = weight;
		out[0] = 2;
		memcpy(out + 1, up, len);
	}
	filter_paeth(diagonal, row, above, len, pixel);
	if (weigh(diagonal, len) < best) {
		out[0] = 4;
		memcpy(out + 1, diagonal, len);
	}
}

static void
filter_band(struct slot *slot, const struct fg_band *band, const struct fg_image_info *info)
{
	size_t   stride = fg_row_bytes(info), pixel = (size_t)info->channels * (size_t)info->bits / 8;
	uint8_t *out;

	slot->raw = (size_t)band->nrows * (stride + 1);
	fg_buf_clear(&slot->filtered);
	out = (uint8_t *)fg_buf_room(&slot->filtered, slot->raw + 2 * stride);
	for (int y = 0; y < band->nrows; y++) {
		const uint8_t *row = band->rows + (size_t)y * stride;

		filter_row(out + (size_t)y * (stride + 1), out + slot->raw, row, y > 0 ? row - stride : band->above, stride, pixel);
	}
	slot->adler = libdeflate_adler32(1, out, slot->raw);
}

/* --- coders: filtered bytes → deflate blocks that end at a byte */

static enum fg_err
deflate_with(struct fg_buf *out, const uint8_t *raw, size_t len, int level, int strategy)
{
	z_stream z = { 0 };

	if (deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, MEM_LEVEL, strategy) != Z_OK)
		return fg_fail(FG_EIO, "zlib does not start");
	fg_buf_clear(out);
	z.avail_out = (uInt)deflateBound(&z, len) + 64;
	z.next_out = (Bytef *)fg_buf_room(out, z.avail_out);
	z.next_in = (Bytef *)raw;
	z.avail_in = (uInt)len;
	deflate(&z, Z_SYNC_FLUSH);
	out->len = z.total_out;
	deflateEnd(&z);
	return FG_OK;
}

static enum fg_err
encode(struct fg_sink *sink, const struct fg_band *band, int index)
{
	struct slot   *slot = &((struct writer *)sink->codec)->slots[index];
	enum fg_err    err;
	const uint8_t *raw;

	filter_band(slot, band, &sink->info);
	raw = (const uint8_t *)slot->filtered.data;
	err = deflate_with(&slot->packed, raw, slot->raw, 1, Z_RLE);
	if (err != FG_OK || slot->packed.len * 100 > slot->raw * SEARCH_PERCENT)
		return err;
	err = deflate_with(&slot->again, raw, slot->raw, SEARCH_LEVEL, Z_FILTERED);
	if (err == FG_OK && slot->again.len < slot->packed.len) {
		struct fg_buf smaller = slot->again;

		slot->again = slot->packed;
		slot->packed = smaller;
	}
	return err;
}

/* --- the file */

static enum fg_err
put(struct fg_sink *sink, const struct fg_band *band, int index)
{
	struct writer *w = sink->codec;
	struct slot   *slot = &w->slots[index];

	(void)band;
	w->adler = (uint32_t)adler32_combine(w->adler, slot->adler, (z_off_t)slot->raw);
	return put_chunk(sink->fd, "IDAT", slot->packed.data, slot->packed.len);
}

static enum fg_err
end(struct fg_sink *sink)
{
	struct writer *w = sink->codec;
	uint8_t        last[6] = { 0x03, 0x00 }; /* a final block without bytes, then the checksum */
	enum fg_err    err;

	fg_put_be32(last + 2, w->adler);
	err = put_chunk(sink->fd, "IDAT", last, sizeof(last));
	return err == FG_OK ? put_chunk(sink->fd, "IEND", "", 0) : err;
}

static void
close_sink(struct fg_sink *sink)
{
	struct writer *w = sink->codec;

	for (int i = 0; i < FG_SINK_SLOTS; i++) {
		fg_buf_free(&w->slots[i].filtered);
		fg_buf_free(&w->slots[i].packed);
		fg_buf_free(&w->slots[i].again);
	}
	free(w);
}

enum fg_err
fg_png_sink(struct fg_sink *out)
{
	static const uint8_t kinds[5] = { 0, 0, 4, 2, 6 };
	struct writer       *w = fg_alloc(sizeof(*w));
	uint8_t              ihdr[13] = { 0 };
	enum fg_err          err;

	w->adler = 1;
	out->codec = w;
	out->encode = encode;
	out->put = put;
	out->end = end;
	out->close = close_sink;
	fg_put_be32(ihdr, (uint32_t)out->info.width);
	fg_put_be32(ihdr + 4, (uint32_t)out->info.height);
	ihdr[8] = (uint8_t)out->info.bits;
	ihdr[9] = kinds[out->info.channels];
	if ((err = fg_fs_write(out->fd, "\x89PNG\r\n\x1a\n", 8)) != FG_OK || (err = put_chunk(out->fd, "IHDR", ihdr, sizeof(ihdr))) != FG_OK)
		return err;
	return put_chunk(out->fd, "IDAT", "\x78\x01", 2);
}
