/* pngwrite: a PNG sink. Bands of rows are filtered and deflated apart, on any thread, each ending at a byte with an empty stored block;
 * put one after another they are the one zlib stream that PNG asks for, its checksum combined from theirs.
 *
 * Each band goes through the fast coder first (deflate.h: right for noise, which has no matches worth searching). A band that it shrinks well
 * has more to give: matches are searched in it, filtered and as it is, and the smallest result stays. Flat pictures, where the unfiltered
 * way wins band after band, go that way at once for some bands. */
#include "image/codec.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/fs.h"
#include "image/deflate.h"

enum {
	SEARCH_PERCENT = 12, /* of its raw size: bands that the fast coder brings below this are coded again */
	SEARCH_LEVEL = 4,
	FLAT_BANDS = 8,      /* so many go the flat way before all are tried again */
};

/* Raw bytes in one shape, with their checksum, and what they were packed to. */
struct packed {
	struct fg_buf raw, bytes;
	uint32_t      adler;
};

struct slot {
	struct packed                 filtered, plain, *best;
	struct fg_buf                 again;
	struct libdeflate_compressor *packer;
	int                           flat; /* bands that may still go the flat way */
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
		sum += (unsigned)abs((int8_t)row[i]);
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
filter_band(struct packed *p, const struct fg_band *band, const struct fg_image_info *info)
{
	const size_t stride = fg_row_bytes(info), pixel = (size_t)info->channels * (size_t)info->bits / 8, len = (size_t)band->nrows * (stride + 1);
	uint8_t     *out;

	fg_buf_clear(&p->raw);
	out = (uint8_t *)fg_buf_room(&p->raw, len + 2 * stride);
	for (int y = 0; y < band->nrows; y++) {
		const uint8_t *row = band->rows + (size_t)y * stride;

		filter_row(out + (size_t)y * (stride + 1), out + len, row, y > 0 ? row - stride : band->above, stride, pixel);
	}
	p->raw.len = len;
	p->adler = libdeflate_adler32(1, out, len);
}

/* Filter type 0: the rows as they are. */
static void
plain_band(struct packed *p, const struct fg_band *band, const struct fg_image_info *info)
{
	const size_t stride = fg_row_bytes(info);

	fg_buf_clear(&p->raw);
	for (int y = 0; y < band->nrows; y++) {
		fg_buf_char(&p->raw, 0);
		fg_buf_add(&p->raw, band->rows + (size_t)y * stride, stride);
	}
	p->adler = libdeflate_adler32(1, p->raw.data, p->raw.len);
}

/* --- the slow coder: libdeflate searches for matches */

/* libdeflate's last block says that it is the last: find where it begins and ends, in bits, by walking over the blocks. */
static bool
last_block(const struct fg_buf *packed, size_t raw_len, struct fg_buf *spare, size_t *begin, size_t *end)
{
	z_stream z = { .next_in = (Bytef *)packed->data, .avail_in = (uInt)packed->len };
	bool     found = false;

	fg_buf_clear(spare);
	z.next_out = (Bytef *)fg_buf_room(spare, raw_len + 1);
	z.avail_out = (uInt)raw_len + 1;
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return false;
	*begin = *end = 0;
	while (!found && inflate(&z, Z_BLOCK) == Z_OK) {
		if ((z.data_type & 128) == 0)
			continue;
		*begin = *end;
		*end = z.total_in * 8 - (size_t)(z.data_type & 7);
		found = (z.data_type & 64) != 0; /* at Z_STREAM_END the bits behind it would be gone */
	}
	inflateEnd(&z);
	return found;
}

/* Deflate p->raw to p->bytes, ending at a byte without a last block. False: it did not get smaller. */
static bool
search(struct slot *slot, struct packed *p)
{
	const size_t len = p->raw.len;
	size_t       begin, end;
	uint8_t     *out;

	if (slot->packer == NULL && (slot->packer = libdeflate_alloc_compressor(SEARCH_LEVEL)) == NULL)
		abort();
	fg_buf_clear(&p->bytes);
	out = (uint8_t *)fg_buf_room(&p->bytes, len + 8);
	p->bytes.len = libdeflate_deflate_compress(slot->packer, p->raw.data, len, out, len);
	if (p->bytes.len == 0 || !last_block(&p->bytes, len, &slot->again, &begin, &end))
		return false;
	out[begin / 8] &= (uint8_t)~(1u << begin % 8);
	p->bytes.len = end / 8 + (end % 8 != 0);
	if (end % 8 != 0)
		out[end / 8] &= (uint8_t)((1u << end % 8) - 1);
	if (end % 8 == 0 || end % 8 > 5) /* no room in this byte for three zero bits: a stored block … */
		out[p->bytes.len++] = 0;
	memcpy(out + p->bytes.len, "\0\0\xff\xff", 4); /* … without bytes */
	p->bytes.len += 4;
	return true;
}

static bool
flat(const struct packed *p)
{
	return p->bytes.len * 100 <= p->raw.len * SEARCH_PERCENT;
}

/* Both shapes searched; slot->best becomes the smallest. */
static void
search_both(struct slot *slot, const struct fg_band *band, const struct fg_image_info *info)
{
	struct fg_buf fast = slot->filtered.bytes;

	slot->filtered.bytes = (struct fg_buf){ 0 };
	if (!search(slot, &slot->filtered) || slot->filtered.bytes.len >= fast.len) {
		struct fg_buf larger = slot->filtered.bytes;

		slot->filtered.bytes = fast;
		fast = larger;
	}
	fg_buf_free(&fast);
	plain_band(&slot->plain, band, info);
	if (search(slot, &slot->plain) && slot->plain.bytes.len < slot->filtered.bytes.len) {
		slot->best = &slot->plain;
		slot->flat = FLAT_BANDS;
	}
}

static enum fg_err
encode(struct fg_sink *sink, const struct fg_band *band, int index)
{
	struct slot *slot = &((struct writer *)sink->codec)->slots[index];

	if (slot->flat > 0) {
		slot->flat--;
		plain_band(&slot->plain, band, &sink->info);
		slot->best = &slot->plain;
		if (search(slot, &slot->plain) && flat(&slot->plain))
			return FG_OK;
	}
	slot->best = &slot->filtered;
	filter_band(&slot->filtered, band, &sink->info);
	fg_buf_clear(&slot->filtered.bytes);
	fg_deflate_runs(&slot->filtered.bytes, (const unsigned char *)slot->filtered.raw.data, slot->filtered.raw.len);
	if (flat(&slot->filtered))
		search_both(slot, band, &sink->info);
	return FG_OK;
}

/* --- the file */

static enum fg_err
put(struct fg_sink *sink, const struct fg_band *band, int index)
{
	struct writer *w = sink->codec;
	struct slot   *slot = &w->slots[index];

	(void)band;
	w->adler = (uint32_t)adler32_combine(w->adler, slot->best->adler, (z_off_t)slot->best->raw.len);
	return put_chunk(sink->fd, "IDAT", slot->best->bytes.data, slot->best->bytes.len);
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
		struct slot *slot = &w->slots[i];

		fg_buf_free(&slot->filtered.raw);
		fg_buf_free(&slot->filtered.bytes);
		fg_buf_free(&slot->plain.raw);
		fg_buf_free(&slot->plain.bytes);
		fg_buf_free(&slot->again);
		if (slot->packer != NULL)
			libdeflate_free_compressor(slot->packer);
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
