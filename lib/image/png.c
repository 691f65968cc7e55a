/* png: reading. libpng decodes rows; a quick check for ordinary pictures inflates once and looks at filter types only. */
#include "image/codec.h"

#include <libdeflate.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SIGNATURE = 8,
	QUICK_FILE_MAX = 8 << 20,  /* the quick check holds the file and the inflated picture in memory: only up to these */
	QUICK_RAW_MAX = 32 << 20,
};

static const uint8_t signature[SIGNATURE] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

enum fg_err
fg_png_probe(struct fg_image_info *out, const uint8_t *head, size_t len)
{
	static const uint8_t channels[7] = { [0] = 1, [2] = 3, [3] = 3, [4] = 2, [6] = 4 };

	if (len < 33 || memcmp(head, signature, SIGNATURE) != 0 || fg_be32(head + 8) != 13 || memcmp(head + 12, "IHDR", 4) != 0)
		return fg_fail(FG_EFORMAT, "not a PNG file");

	uint32_t width = fg_be32(head + 16), height = fg_be32(head + 20);
	int      depth = head[24], kind = head[25];

	if (libdeflate_crc32(0, head + 12, 17) != fg_be32(head + 29) || kind > 6 || channels[kind] == 0 || depth == 0 || depth > 16 ||
	    (depth & (depth - 1)) != 0 || width == 0 || height == 0)
		return fg_fail(FG_EFORMAT, "the header of the PNG file is damaged");
	if (width > FG_IMAGE_SIDE_MAX || height > FG_IMAGE_SIDE_MAX)
		return fg_fail(FG_ETOOBIG, "a picture of %u x %u pixels is too big", width, height);
	*out = (struct fg_image_info){ .format = FG_IMAGE_PNG, .width = (int)width, .height = (int)height, .channels = channels[kind],
		.bits = depth == 16 ? 16 : 8, .alpha = kind >= 4, .layers = 1 };
	return FG_OK;
}

/* --- rows: libpng behind fg_rows */

struct reader {
	struct fg_in in;
	png_structp  png;
	png_infop    info;
	int          y;
	uint8_t     *whole; /* an interlaced picture, NULL for others */
	char         why[96];
};

static void
on_error(png_structp png, png_const_charp text)
{
	struct reader *r = png_get_error_ptr(png);

	snprintf(r->why, sizeof(r->why), "%s", text);
	png_longjmp(png, 1);
}

static void
on_warning(png_structp png, png_const_charp text)
{
	(void)png, (void)text;
}

static void
on_read(png_structp png, png_bytep out, size_t len)
{
	struct reader *r = png_get_io_ptr(png);

	if (fg_in_read(&r->in, out, len) != len)
		png_error(png, "the file ends too soon");
}

static enum fg_err
damaged(const struct reader *r)
{
	return fg_fail(FG_EINVAL, "damaged PNG: %s", r->why);
}

/* Texts, profiles and the like are skipped, so that they can't cost memory. */
static void
begin(struct reader *r, struct fg_image_info *info)
{
	png_set_read_fn(r->png, r, on_read);
	png_set_crc_action(r->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
	png_set_user_limits(r->png, FG_IMAGE_SIDE_MAX, FG_IMAGE_SIDE_MAX);
	png_set_chunk_malloc_max(r->png, 1 << 20);
	png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "iTXt\0tEXt\0zTXt\0iCCP\0sPLT\0eXIf\0hIST\0pCAL", 8);
	png_read_info(r->png, r->info);
	png_set_expand(r->png); /* palettes to RGB, 1, 2 and 4 bits to 8, transparent colour to alpha */
	if (png_get_interlace_type(r->png, r->info) != PNG_INTERLACE_NONE)
		png_set_interlace_handling(r->png);
	png_read_update_info(r->png, r->info);
	info->width = (int)png_get_image_width(r->png, r->info);
	info->height = (int)png_get_image_height(r->png, r->info);
	info->channels = png_get_channels(r->png, r->info);
	info->bits = png_get_bit_depth(r->png, r->info);
	info->alpha = info->channels % 2 == 0;
}

/* Interlaced pictures can't come row by row: read them whole (no Blender writes them). */
static void
read_whole(struct reader *r, const struct fg_image_info *info)
{
	size_t stride = fg_row_bytes(info);

	r->whole = calloc((size_t)info->height, stride);
	if (r->whole == NULL)
		png_error(r->png, "no memory for an interlaced picture");
	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
		for (int y = 0; y < info->height; y++)
			png_read_row(r->png, r->whole + (size_t)y * stride, NULL);
}

static enum fg_err
read_row(struct fg_rows *rows, uint8_t *row)
{
	struct reader *r = rows->codec;
	size_t         stride = fg_row_bytes(&rows->info);

	if (setjmp(png_jmpbuf(r->png)) != 0)
		return damaged(r);
	if (png_get_interlace_type(r->png, r->info) != PNG_INTERLACE_NONE) {
		if (r->whole == NULL)
			read_whole(r, &rows->info);
		memcpy(row, r->whole + (size_t)r->y * stride, stride);
	} else {
		png_read_row(r->png, row, NULL);
	}
	if (++r->y == rows->info.height)
		png_read_end(r->png, NULL);
	return FG_OK;
}

static void
close_rows(struct fg_rows *rows)
{
	struct reader *r = rows->codec;

	png_destroy_read_struct(&r->png, &r->info, NULL);
	free(r->whole);
	free(r);
}

enum fg_err
fg_png_rows(struct fg_rows *out, int fd)
{
	struct reader *r = fg_alloc(sizeof(*r));

	r->in.fd = fd;
	out->codec = r;
	out->read = read_row;
	out->close = close_rows;
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
	r->info = r->png != NULL ? png_create_info_struct(r->png) : NULL;
	if (r->info == NULL)
		return fg_fail(FG_EIO, "libpng does not start");
	if (setjmp(png_jmpbuf(r->png)) != 0)
		return damaged(r);
	begin(r, &out->info);
	if (png_get_interlace_type(r->png, r->info) != PNG_INTERLACE_NONE &&
	    (size_t)out->info.height * fg_row_bytes(&out->info) > QUICK_RAW_MAX)
		return fg_fail(FG_EUNSUPPORTED, "an interlaced PNG of this size is not read");
	return FG_OK;
}

/* --- the quick check */

/* Walk all chunks, check their CRCs, and move the bodies of IDAT together to the front of the file's bytes. -1: damaged. */
static ptrdiff_t
gather_idat(uint8_t *file, size_t len)
{
	size_t at = SIGNATURE, out = 0;
	bool   idat_over = false;

	while (len - at >= 12) {
		size_t         body = fg_be32(file + at);
		const uint8_t *kind = file + at + 4;
		bool           idat = memcmp(kind, "IDAT", 4) == 0, end = memcmp(kind, "IEND", 4) == 0;

		if (body > len - at - 12 || libdeflate_crc32(0, kind, body + 4) != fg_be32(kind + 4 + body))
			return -1;
		if (end)
			return body == 0 ? (ptrdiff_t)out : -1;
		if ((idat && idat_over) || (at > SIGNATURE && memcmp(kind, "IHDR", 4) == 0) || (!idat && (kind[0] & 0x20) == 0 && at > SIGNATURE && memcmp(kind, "PLTE", 4) != 0))
			return -1;
		at += 12 + body;
		if (idat) {
			memmove(file + out, kind + 4, body);
			out += body;
		} else {
			idat_over = out > 0;
		}
	}
	return -1;
}

/* Filters predict a byte from the same channel of neighbours, so a channel is 0 everywhere exactly when its filtered bytes are: nothing has
 * to be unfiltered. */
static bool
filters_right(bool *black, const uint8_t *raw, const struct fg_image_info *info)
{
	size_t stride = fg_row_bytes(info);

	*black = true;
	for (int y = 0; y < info->height; y++, raw += stride + 1) {
		if (raw[0] > 4)
			return false;
		*black = *black && fg_row_is_black(raw + 1, info);
	}
	return true;
}

static bool
inflates_right(bool *black, uint8_t *file, size_t len, const struct fg_image_info *info)
{
	ptrdiff_t                       packed = gather_idat(file, len);
	size_t                          size = (size_t)info->height * (fg_row_bytes(info) + 1);
	uint8_t                        *raw = malloc(size);
	struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
	bool                            right = packed > 0 && raw != NULL && inflater != NULL &&
		     libdeflate_zlib_decompress(inflater, file, (size_t)packed, raw, size, NULL) == LIBDEFLATE_SUCCESS &&
		     filters_right(black, raw, info);

	if (inflater != NULL)
		libdeflate_free_decompressor(inflater);
	free(raw);
	return right;
}

enum fg_err
fg_png_check(bool *black, bool *done, int fd, const struct fg_image_info *info)
{
	uint8_t head[29];
	off_t   size = lseek(fd, 0, SEEK_END);

	*done = false;
	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) || head[24] < 8 || head[25] == 3 || head[28] != 0 || size < 0 ||
	    size > QUICK_FILE_MAX || (size_t)info->height * (fg_row_bytes(info) + 1) > QUICK_RAW_MAX)
		return FG_OK;
	*done = true;

	uint8_t *file = malloc((size_t)size);
	bool     right = file != NULL && pread(fd, file, (size_t)size, 0) == (ssize_t)size && inflates_right(black, file, (size_t)size, info);

	free(file);
	return right ? FG_OK : fg_fail(FG_EINVAL, "damaged PNG: its pixels can't be decoded");
}
