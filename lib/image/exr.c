/* exr: reading. OpenEXRCore parses headers and finds chunks; ZIP, by far the usual compression, and PXR24 are undone here with libdeflate,
 * PIZ by piz.h, each twice as fast as the library's own way; the others are the library's. */
#include "image/exr.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/piz.h"

enum {
	CHUNK_BYTES_MAX = 256 << 20,
	ORIGIN_MAX = 1 << 24, /* how far from 0 a window may lie */
};

static int64_t
on_read(exr_const_context_t context, void *user, void *out, uint64_t len, uint64_t at, exr_stream_error_func_ptr_t report)
{
	const struct fg_exr *exr = user;
	uint64_t             done = 0;

	(void)context, (void)report;
	while (done < len) {
		ssize_t got = pread(exr->fd, (uint8_t *)out + done, len - done, (off_t)(at + done));

		if (got <= 0)
			break;
		done += (uint64_t)got;
	}
	return (int64_t)done;
}

static int64_t
on_size(exr_const_context_t context, void *user)
{
	const struct fg_exr *exr = user;

	(void)context;
	return lseek(exr->fd, 0, SEEK_END);
}

static void
on_error(exr_const_context_t context, exr_result_t code, const char *text)
{
	(void)context, (void)code, (void)text;
}

static enum fg_err
channels_right(struct fg_exr *exr)
{
	for (int i = 0; i < exr->channels->num_channels; i++) {
		const exr_attr_chlist_entry_t *channel = &exr->channels->entries[i];

		if (channel->x_sampling != 1 || channel->y_sampling != 1)
			return fg_fail(FG_EUNSUPPORTED, "an EXR with subsampled channels is not read");
		exr->bytes[i] = channel->pixel_type == EXR_PIXEL_HALF ? 2 : 4;
		exr->pixel_bytes += exr->bytes[i];
	}
	return FG_OK;
}

static bool
window_right(const exr_attr_box2i_t *box)
{
	int64_t width = (int64_t)box->max.x - box->min.x + 1, height = (int64_t)box->max.y - box->min.y + 1;

	return width >= 1 && height >= 1 && width <= FG_IMAGE_SIDE_MAX && height <= FG_IMAGE_SIDE_MAX && box->min.x >= -ORIGIN_MAX &&
	       box->min.y >= -ORIGIN_MAX && box->max.x <= ORIGIN_MAX && box->max.y <= ORIGIN_MAX;
}

static bool
find_chunks(struct fg_exr *exr, exr_storage_t storage)
{
	exr_tile_level_mode_t levels;
	exr_tile_round_mode_t rounding;
	uint32_t              width, height;

	if (storage == EXR_STORAGE_SCANLINE)
		return exr_get_scanlines_per_chunk(exr->context, 0, &exr->chunk_lines) == EXR_ERR_SUCCESS;
	if (exr_get_tile_descriptor(exr->context, 0, &width, &height, &levels, &rounding) != EXR_ERR_SUCCESS)
		return false;
	exr->tile_width = width <= FG_IMAGE_SIDE_MAX ? (int)width : 0;
	exr->chunk_lines = height <= FG_IMAGE_SIDE_MAX ? (int)height : 0;
	return exr->tile_width > 0;
}

static enum fg_err
header_right(struct fg_exr *exr)
{
	exr_storage_t storage;
	int           parts = 0;

	if (exr_get_count(exr->context, &parts) != EXR_ERR_SUCCESS || exr_get_storage(exr->context, 0, &storage) != EXR_ERR_SUCCESS)
		return fg_fail(FG_EFORMAT, "the header of the EXR file is damaged");
	if (parts != 1 || (storage != EXR_STORAGE_SCANLINE && storage != EXR_STORAGE_TILED))
		return fg_fail(FG_EUNSUPPORTED, "an EXR with depth samples or several parts is not read");
	if (exr_get_data_window(exr->context, 0, &exr->data) != EXR_ERR_SUCCESS || exr_get_display_window(exr->context, 0, &exr->display) != EXR_ERR_SUCCESS ||
	    exr_get_compression(exr->context, 0, &exr->compression) != EXR_ERR_SUCCESS || exr_get_channels(exr->context, 0, &exr->channels) != EXR_ERR_SUCCESS ||
	    !find_chunks(exr, storage))
		return fg_fail(FG_EFORMAT, "the header of the EXR file lacks something");
	if (!window_right(&exr->data) || !window_right(&exr->display))
		return fg_fail(FG_ETOOBIG, "the picture is too big");
	if (exr->channels->num_channels < 1 || exr->channels->num_channels > FG_EXR_CHANNELS_MAX || exr->chunk_lines < 1)
		return fg_fail(FG_ETOOBIG, "the EXR has %d channels", exr->channels->num_channels);
	if (exr->compression > EXR_COMPRESSION_B44A)
		return fg_fail(FG_EUNSUPPORTED, "an EXR with DWA or a newer compression is not read");
	return FG_OK;
}

static enum fg_err
begin(struct fg_exr *exr, int fd)
{
	exr_context_initializer_t how = EXR_DEFAULT_CONTEXT_INITIALIZER;

	*exr = (struct fg_exr){ .fd = fd };
	how.user_data = exr;
	how.read_fn = on_read;
	how.size_fn = on_size;
	how.error_handler_fn = on_error;
	how.flags = EXR_CONTEXT_FLAG_SILENT_HEADER_PARSE | EXR_CONTEXT_FLAG_DISABLE_CHUNK_RECONSTRUCTION;
	if (exr_start_read(&exr->context, "picture", &how) == EXR_ERR_SUCCESS)
		return FG_OK;
	exr->context = NULL;
	return fg_fail(FG_EFORMAT, "the header of the EXR file is damaged");
}

enum fg_err
fg_exr_open(struct fg_exr *exr, int fd)
{
	enum fg_err err;

	if ((err = begin(exr, fd)) != FG_OK || (err = header_right(exr)) != FG_OK || (err = channels_right(exr)) != FG_OK)
		return err;
	exr->width = exr->data.max.x - exr->data.min.x + 1;
	exr->height = exr->data.max.y - exr->data.min.y + 1;
	if ((size_t)exr->width * exr->pixel_bytes * (size_t)exr->chunk_lines > CHUNK_BYTES_MAX)
		return fg_fail(FG_ETOOBIG, "the lines of the EXR are too long");
	return FG_OK;
}

void
fg_exr_close(struct fg_exr *exr)
{
	if (exr->context != NULL)
		exr_finish(&exr->context);
	*exr = (struct fg_exr){ .fd = -1 };
}

/* --- what others make of it */

/* One channel, or R, G, B, A of half floats. */
static bool
is_plain_dwa(const exr_attr_chlist_t *channels)
{
	bool plain = channels->num_channels <= 4;

	for (int i = 0; plain && i < channels->num_channels; i++) {
		const char *name = channels->entries[i].name.str;

		plain = channels->entries[i].pixel_type == EXR_PIXEL_HALF && (channels->num_channels == 1 || (name[0] != '\0' && name[1] == '\0' && strchr("RGBA", name[0]) != NULL));
	}
	return plain;
}

enum fg_err
fg_exr_elsewhere(int fd)
{
	struct fg_exr exr;
	exr_storage_t storage = EXR_STORAGE_SCANLINE;
	enum fg_err   err = begin(&exr, fd);

	if (err == FG_OK && (exr_get_data_window(exr.context, 0, &exr.data) != EXR_ERR_SUCCESS || exr_get_display_window(exr.context, 0, &exr.display) != EXR_ERR_SUCCESS ||
	                     exr_get_compression(exr.context, 0, &exr.compression) != EXR_ERR_SUCCESS || exr_get_channels(exr.context, 0, &exr.channels) != EXR_ERR_SUCCESS ||
	                     exr_get_storage(exr.context, 0, &storage) != EXR_ERR_SUCCESS))
		err = fg_fail(FG_EFORMAT, "the header of the EXR file lacks something");
	if (err == FG_OK && (storage == EXR_STORAGE_DEEP_SCANLINE || storage == EXR_STORAGE_DEEP_TILED))
		err = fg_fail(FG_EUNSUPPORTED, "a deep EXR can't be shown; flatten it");
	else if (err == FG_OK && exr.compression > EXR_COMPRESSION_B44A && !is_plain_dwa(exr.channels))
		err = fg_fail(FG_EUNSUPPORTED, "an EXR with DWA compression can be shown when it holds R, G, B and A as half floats alone; save it with ZIP to see all of it");
	else if (err == FG_OK && (exr.display.min.x != 0 || exr.display.min.y != 0 || exr.data.min.x < 0 || exr.data.min.y < 0))
		err = fg_fail(FG_EUNSUPPORTED, "an EXR of several parts, or with DWA compression, can be shown when its windows begin at 0; save it in one part with ZIP to see it");
	fg_exr_close(&exr);
	return err;
}

/* --- what the header says */

static size_t
layer_len(const char *channel)
{
	const char *dot = strrchr(channel, '.');

	return dot != NULL ? (size_t)(dot - channel) : 0;
}

static bool
same_layer(const char *one, const char *other)
{
	size_t len = layer_len(one);

	return len == layer_len(other) && memcmp(one, other, len) == 0;
}

static int
count_layers(const exr_attr_chlist_t *channels)
{
	int layers = 0;

	for (int i = 0; i < channels->num_channels; i++) {
		int before = 0;

		while (before < i && !same_layer(channels->entries[before].name.str, channels->entries[i].name.str))
			before++;
		layers += before == i;
	}
	return layers;
}

static void
describe(struct fg_image_info *out, const struct fg_exr *exr)
{
	*out = (struct fg_image_info){ .format = FG_IMAGE_EXR, .width = exr->display.max.x - exr->display.min.x + 1,
		.height = exr->display.max.y - exr->display.min.y + 1, .channels = exr->channels->num_channels, .bits = 16,
		.layers = count_layers(exr->channels) };
	for (int i = 0; i < exr->channels->num_channels; i++) {
		const exr_attr_chlist_entry_t *channel = &exr->channels->entries[i];
		const char                    *name = channel->name.str;

		out->bits = channel->pixel_type == EXR_PIXEL_HALF ? out->bits : 32;
		out->is_float = out->is_float || channel->pixel_type != EXR_PIXEL_UINT;
		out->alpha = out->alpha || strcmp(name + layer_len(name) + (layer_len(name) > 0), "A") == 0;
	}
}

enum fg_err
fg_exr_probe(struct fg_image_info *out, int fd)
{
	struct fg_exr exr;
	enum fg_err   err = fg_exr_open(&exr, fd);

	if (err == FG_OK)
		describe(out, &exr);
	fg_exr_close(&exr);
	return err == FG_EUNSUPPORTED ? fg_fail(FG_EFORMAT, "%s", fg_err_text(err)) : err;
}

/* --- chunks */

/* ZIP's two steps after inflating: add up the differences, then bring the two halves, low and high bytes, together again. */
static void
unpredict(uint8_t *out, uint8_t *packed, size_t len)
{
	const uint8_t *low = packed, *high = packed + (len + 1) / 2;
	uint8_t        sum = packed[0];

	for (size_t i = 1; i < len; i++)
		packed[i] = sum = (uint8_t)(sum + packed[i] - 128);
	for (size_t i = 0; i < len / 2; i++) {
		out[2 * i] = low[i];
		out[2 * i + 1] = high[i];
	}
	if (len % 2 == 1)
		out[len - 1] = low[len / 2];
}

/* The chunk as it is in the file: its lines, where packing didn't make it smaller. NULL: not to be read. */
static uint8_t *
packed_bytes(struct fg_exr_chunk *chunk, const struct fg_exr *exr, const exr_chunk_info_t *info, size_t padding)
{
	uint8_t *in;

	fg_buf_clear(&chunk->packed);
	fg_buf_clear(&chunk->halves);
	fg_buf_clear(&chunk->plain);
	in = (uint8_t *)fg_buf_room(&chunk->packed, info->packed_size + padding);
	memset(in + info->packed_size, 0, padding);
	chunk->lines = in;
	return exr_read_chunk(exr->context, 0, info, in) == EXR_ERR_SUCCESS ? in : NULL;
}

/* None and ZIP. Lines that ZIP doesn't make smaller are stored as they are. */
static bool
read_zip(struct fg_exr_chunk *chunk, const struct fg_exr *exr, const exr_chunk_info_t *info)
{
	const size_t packed = info->packed_size, size = info->unpacked_size;
	uint8_t     *in = packed_bytes(chunk, exr, info, 0), *halves, *out;

	if (in == NULL || packed == size)
		return in != NULL;
	if (exr->compression == EXR_COMPRESSION_NONE || (chunk->inflater == NULL && (chunk->inflater = libdeflate_alloc_decompressor()) == NULL))
		return false;
	halves = (uint8_t *)fg_buf_room(&chunk->halves, size);
	out = (uint8_t *)fg_buf_room(&chunk->plain, size);
	if (libdeflate_zlib_decompress(chunk->inflater, in, packed, halves, size, NULL) != LIBDEFLATE_SUCCESS)
		return false;
	unpredict(out, halves, size);
	chunk->lines = out;
	return true;
}

/* PXR24's planes of a channel's line, highest bytes first, are differences; floats come without their lowest byte. Where the next channel's begin. */
static const uint8_t *
add_planes(uint8_t *out, const uint8_t *in, size_t width, exr_pixel_type_t type)
{
	const uint8_t *a = in, *b = in + width, *c = b + width, *d = c + width;
	uint32_t       sum = 0;

	if (type == EXR_PIXEL_HALF) {
		for (size_t x = 0; x < width; x++) {
			sum += (uint32_t)a[x] << 8 | b[x];
			out[2 * x] = (uint8_t)sum;
			out[2 * x + 1] = (uint8_t)(sum >> 8);
		}
		return c;
	}
	for (size_t x = 0; x < width; x++, out += 4) {
		sum += (uint32_t)a[x] << 24 | (uint32_t)b[x] << 16 | (uint32_t)c[x] << 8 | (type == EXR_PIXEL_UINT ? d[x] : 0u);
		out[0] = (uint8_t)sum;
		out[1] = (uint8_t)(sum >> 8);
		out[2] = (uint8_t)(sum >> 16);
		out[3] = (uint8_t)(sum >> 24);
	}
	return type == EXR_PIXEL_UINT ? d + width : d;
}

static bool
read_pxr24(struct fg_exr_chunk *chunk, const struct fg_exr *exr, const exr_chunk_info_t *info)
{
	const size_t   packed = info->packed_size, size = info->unpacked_size, width = (size_t)exr->width;
	const size_t   lines = size / (width * exr->pixel_bytes);
	size_t         planes = 0;
	uint8_t       *in = packed_bytes(chunk, exr, info, 0), *out;
	const uint8_t *from;

	if (in == NULL || packed == size)
		return in != NULL;
	for (int i = 0; i < exr->channels->num_channels; i++)
		planes += width * lines * (exr->channels->entries[i].pixel_type == EXR_PIXEL_FLOAT ? 3 : exr->bytes[i]);
	if (chunk->inflater == NULL && (chunk->inflater = libdeflate_alloc_decompressor()) == NULL)
		return false;
	from = (uint8_t *)fg_buf_room(&chunk->halves, planes);
	out = (uint8_t *)fg_buf_room(&chunk->plain, size);
	if (libdeflate_zlib_decompress(chunk->inflater, in, packed, chunk->halves.data, planes, NULL) != LIBDEFLATE_SUCCESS)
		return false;
	chunk->lines = out;
	for (size_t line = 0; line < lines; line++)
		for (int i = 0; i < exr->channels->num_channels; out += width * exr->bytes[i++])
			from = add_planes(out, from, width, exr->channels->entries[i].pixel_type);
	return true;
}

static bool
read_piz(struct fg_exr_chunk *chunk, const struct fg_exr *exr, const exr_chunk_info_t *info)
{
	const size_t        packed = info->packed_size, size = info->unpacked_size;
	struct fg_piz_shape shape = { .width = exr->width, .channels = exr->channels->num_channels, .bytes = exr->bytes };
	uint8_t            *in = packed_bytes(chunk, exr, info, FG_PIZ_PADDING), *out;

	if (in == NULL || packed == size)
		return in != NULL;
	shape.lines = (int)(size / ((size_t)exr->width * exr->pixel_bytes));
	out = (uint8_t *)fg_buf_room(&chunk->plain, size);
	chunk->lines = out;
	return fg_piz_undo(out, in, packed, (uint16_t *)(void *)fg_buf_room(&chunk->halves, size), &shape);
}

/* The pipeline stops once the lines are decoded: we take them as they lie. */
static exr_result_t
keep_lines(exr_decode_pipeline_t *pipeline)
{
	(void)pipeline;
	return EXR_ERR_SUCCESS;
}

static bool
read_other(struct fg_exr_chunk *chunk, const struct fg_exr *exr, const exr_chunk_info_t *info)
{
	exr_decode_pipeline_t *pipeline = &chunk->pipeline;

	if (chunk->begun) {
		if (exr_decoding_update(exr->context, 0, info, pipeline) != EXR_ERR_SUCCESS)
			return false;
	} else {
		if (exr_decoding_initialize(exr->context, 0, info, pipeline) != EXR_ERR_SUCCESS)
			return false;
		chunk->begun = true;
		if (exr_decoding_choose_default_routines(exr->context, 0, pipeline) != EXR_ERR_SUCCESS)
			return false;
		pipeline->unpack_and_convert_fn = keep_lines;
	}
	if (exr_decoding_run(exr->context, 0, pipeline) != EXR_ERR_SUCCESS)
		return false;
	chunk->lines = pipeline->unpacked_buffer != NULL ? pipeline->unpacked_buffer : pipeline->packed_buffer;
	return chunk->lines != NULL;
}

/* A tile's lines to their place in those of the row of tiles. */
static void
place_tile(uint8_t *out, const uint8_t *tile, const struct fg_exr *exr, int x, int width, int lines)
{
	for (int line = 0; line < lines; line++)
		for (int i = 0; i < exr->channels->num_channels; i++) {
			const size_t bytes = exr->bytes[i], len = bytes * (size_t)width;

			memcpy(out + (size_t)x * bytes, tile, len);
			tile += len;
			out += (size_t)exr->width * bytes;
		}
}

static bool
read_tiles(struct fg_exr_chunk *chunk, const struct fg_exr *exr, int first, int lines)
{
	uint8_t *out;

	fg_buf_clear(&chunk->plain);
	out = (uint8_t *)fg_buf_room(&chunk->plain, (size_t)exr->width * exr->pixel_bytes * (size_t)lines);
	for (int x = 0, tile = 0; x < exr->width; x += exr->tile_width, tile++) {
		const int        width = exr->width - x < exr->tile_width ? exr->width - x : exr->tile_width;
		const size_t     size = (size_t)width * exr->pixel_bytes * (size_t)lines;
		exr_chunk_info_t info;

		if (exr_read_tile_chunk_info(exr->context, 0, tile, first / exr->chunk_lines, 0, 0, &info) != EXR_ERR_SUCCESS || info.unpacked_size != size ||
		    info.packed_size > size || !read_other(chunk, exr, &info))
			return false;
		place_tile(out, chunk->lines, exr, x, width, lines);
	}
	chunk->lines = out;
	return true;
}

static bool
read_lines(struct fg_exr_chunk *chunk, const struct fg_exr *exr, int first, int lines)
{
	exr_chunk_info_t info;
	const size_t     size = (size_t)exr->width * exr->pixel_bytes * (size_t)lines;
	static bool (*const ways[])(struct fg_exr_chunk *, const struct fg_exr *, const exr_chunk_info_t *) = {
		[EXR_COMPRESSION_NONE] = read_zip, [EXR_COMPRESSION_RLE] = read_other, [EXR_COMPRESSION_ZIPS] = read_zip, [EXR_COMPRESSION_ZIP] = read_zip,
		[EXR_COMPRESSION_PIZ] = read_piz, [EXR_COMPRESSION_PXR24] = read_pxr24, [EXR_COMPRESSION_B44] = read_other, [EXR_COMPRESSION_B44A] = read_other,
	};

	return exr_read_scanline_chunk_info(exr->context, 0, exr->data.min.y + first, &info) == EXR_ERR_SUCCESS && info.unpacked_size == size &&
	       info.packed_size <= size && ways[exr->compression](chunk, exr, &info);
}

enum fg_err
fg_exr_chunk_read(struct fg_exr_chunk *chunk, const struct fg_exr *exr, int y)
{
	const int first = y / exr->chunk_lines * exr->chunk_lines, left = exr->height - first, lines = left < exr->chunk_lines ? left : exr->chunk_lines;

	chunk->nlines = 0;
	if (exr->tile_width > 0 ? !read_tiles(chunk, exr, first, lines) : !read_lines(chunk, exr, first, lines))
		return fg_fail(FG_EINVAL, "damaged EXR: the lines from %d on are missing or can't be decoded", first);
	chunk->y = first;
	chunk->nlines = lines;
	return FG_OK;
}

void
fg_exr_chunk_free(struct fg_exr_chunk *chunk, const struct fg_exr *exr)
{
	if (chunk->begun)
		exr_decoding_destroy(exr->context, &chunk->pipeline);
	if (chunk->inflater != NULL)
		libdeflate_free_decompressor(chunk->inflater);
	fg_buf_free(&chunk->packed);
	fg_buf_free(&chunk->halves);
	fg_buf_free(&chunk->plain);
	*chunk = (struct fg_exr_chunk){ 0 };
}

/* --- the whole picture, for the check */

/* Colour: R, G, B (or Y, V of a grey one) of the layers called Combined; of all layers when none is. */
static bool
is_colour(const char *channel, bool combined)
{
	size_t      layer = layer_len(channel);
	const char *last = channel + layer + (layer > 0);

	if (combined && (layer < 8 || memcmp(channel + layer - 8, "Combined", 8) != 0))
		return false;
	return last[0] != '\0' && last[1] == '\0' && strchr("RGBY", last[0]) != NULL;
}

static bool
has_combined(const exr_attr_chlist_t *channels)
{
	for (int i = 0; i < channels->num_channels; i++)
		if (is_colour(channels->entries[i].name.str, true))
			return true;
	return false;
}

static bool
all_zero(const uint8_t *samples, size_t n, int bytes)
{
	for (size_t i = 0; i < n; i++, samples += bytes) {
		if (bytes == 2 ? (samples[0] | (samples[1] & 0x7f)) != 0 : (samples[0] | samples[1] | samples[2] | (samples[3] & 0x7f)) != 0)
			return false;
	}
	return true;
}

static bool
chunk_is_black(const struct fg_exr_chunk *chunk, const struct fg_exr *exr, bool combined)
{
	const uint8_t *at = chunk->lines;

	for (int y = 0; y < chunk->nlines; y++)
		for (int i = 0; i < exr->channels->num_channels; at += (size_t)exr->width * exr->bytes[i], i++)
			if (is_colour(exr->channels->entries[i].name.str, combined) && !all_zero(at, (size_t)exr->width, exr->bytes[i]))
				return false;
	return true;
}

enum fg_err
fg_exr_check(bool *black, int fd)
{
	struct fg_exr       exr;
	struct fg_exr_chunk chunk = { 0 };
	enum fg_err         err = fg_exr_open(&exr, fd);
	const bool          combined = err == FG_OK && has_combined(exr.channels);

	if (err == FG_OK && exr.tile_width > 0)
		err = fg_fail(FG_EFORMAT, "an EXR in tiles is not read here"); /* it could not be stitched */
	*black = true;
	for (int y = 0; err == FG_OK && y < exr.height; y += chunk.nlines)
		if ((err = fg_exr_chunk_read(&chunk, &exr, y)) == FG_OK && *black)
			*black = chunk_is_black(&chunk, &exr, combined);
	fg_exr_chunk_free(&chunk, &exr);
	fg_exr_close(&exr);
	return err;
}

/* --- rows, for the stitch */

struct reader {
	struct fg_exr       exr;
	struct fg_exr_chunk chunk;
	int                 y;
};

static enum fg_err
read_row(struct fg_rows *rows, uint8_t *row)
{
	struct reader *r = rows->codec;
	const size_t   stride = (size_t)r->exr.width * r->exr.pixel_bytes;
	enum fg_err    err;

	if (r->chunk.nlines == 0 || r->y >= r->chunk.y + r->chunk.nlines)
		if ((err = fg_exr_chunk_read(&r->chunk, &r->exr, r->y)) != FG_OK)
			return err;
	memcpy(row, r->chunk.lines + (size_t)(r->y - r->chunk.y) * stride, stride);
	r->y++;
	return FG_OK;
}

static void
close_rows(struct fg_rows *rows)
{
	struct reader *r = rows->codec;

	fg_exr_chunk_free(&r->chunk, &r->exr);
	fg_exr_close(&r->exr);
	free(r);
}

enum fg_err
fg_exr_rows(struct fg_rows *out, int fd)
{
	struct reader *r = fg_alloc(sizeof(*r));
	enum fg_err    err;

	out->codec = r;
	out->read = read_row;
	out->close = close_rows;
	if ((err = fg_exr_open(&r->exr, fd)) != FG_OK)
		return err;
	if (r->exr.tile_width > 0)
		return fg_fail(FG_EUNSUPPORTED, "an EXR in tiles is not read here");
	if (memcmp(&r->exr.data, &r->exr.display, sizeof(r->exr.data)) != 0)
		return fg_fail(FG_EUNSUPPORTED, "the EXR holds only a part of its picture");
	describe(&out->info, &r->exr);
	out->planes = r->exr.channels->num_channels;
	out->plane_bytes = r->exr.bytes;
	out->pixel_bytes = r->exr.pixel_bytes;
	return FG_OK;
}

bool
fg_exr_alike(const struct fg_rows *one, const struct fg_rows *other)
{
	const exr_attr_chlist_t *a = ((const struct reader *)one->codec)->exr.channels, *b = ((const struct reader *)other->codec)->exr.channels;

	for (int i = 0; a->num_channels == b->num_channels && i < a->num_channels; i++)
		if (a->entries[i].pixel_type != b->entries[i].pixel_type || strcmp(a->entries[i].name.str, b->entries[i].name.str) != 0)
			return false;
	return a->num_channels == b->num_channels;
}

const char *
fg_exr_compression_name(const struct fg_rows *rows)
{
	static const char *const names[] = { "none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB" };
	const unsigned           c = ((const struct reader *)rows->codec)->exr.compression;

	return c < sizeof(names) / sizeof(*names) ? names[c] : "unknown";
}

struct fg_exr *
fg_exr_of(const struct fg_rows *rows)
{
	return &((struct reader *)rows->codec)->exr;
}
