/* exrwrite: an EXR sink. Chunks are packed on any thread and written in order. ZIP and ZIPS are packed here with libdeflate, RLE and PIZ by
 * OpenEXRCore; anything else becomes ZIP. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/exr.h"

enum {
	FAST_LEVEL = 1,
	SEARCH_LEVEL = 5,
	SEARCH_PERCENT = 30, /* chunks that FAST_LEVEL brings below this are packed again */
};

/* The chunks of one band, packed, one after another. */
struct slot {
	struct fg_buf                 packed, halves, again;
	struct libdeflate_compressor *fast, *search;
	size_t                       *sizes;
};

struct writer {
	exr_context_t     context;
	exr_compression_t compression;
	int               fd;
	int               chunk_lines, y;
	size_t            line_bytes;
	struct slot       slots[FG_SINK_SLOTS];
};

static int64_t
on_write(exr_const_context_t context, void *user, const void *bytes, uint64_t len, uint64_t at, exr_stream_error_func_ptr_t report)
{
	const struct writer *w = user;
	uint64_t             done = 0;

	(void)context, (void)report;
	while (done < len) {
		ssize_t n = pwrite(w->fd, (const uint8_t *)bytes + done, len - done, (off_t)(at + done));

		if (n <= 0)
			return -1;
		done += (uint64_t)n;
	}
	return (int64_t)len;
}

static void
on_error(exr_const_context_t context, exr_result_t code, const char *text)
{
	(void)context, (void)code, (void)text;
}

/* --- packing */

/* Low bytes of the samples in front, high bytes behind, then differences: what ZIP deflates. */
static void
predict(uint8_t *out, const uint8_t *raw, size_t len)
{
	const size_t half = (len + 1) / 2, pairs = len / 2;
	uint8_t     *low = out, *high = out + half;

	low[0] = raw[0];
	for (size_t i = 1; i < half; i++)
		low[i] = (uint8_t)(raw[2 * i] - raw[2 * i - 2] + 128);
	if (pairs > 0)
		high[0] = (uint8_t)(raw[1] - raw[2 * half - 2] + 128);
	for (size_t i = 1; i < pairs; i++)
		high[i] = (uint8_t)(raw[2 * i + 1] - raw[2 * i - 1] + 128);
}

static size_t
deflate_with(struct libdeflate_compressor **packer, int level, const struct fg_buf *in, char *out)
{
	if (*packer == NULL && (*packer = libdeflate_alloc_compressor(level)) == NULL)
		abort();
	return libdeflate_zlib_compress(*packer, in->data, in->len, out, in->len); /* 0: not smaller */
}

static enum fg_err
pack_zip(struct slot *slot, const uint8_t *raw, size_t len)
{
	char  *out = fg_buf_room(&slot->packed, len);
	size_t size, smaller;

	fg_buf_clear(&slot->halves);
	predict((uint8_t *)fg_buf_room(&slot->halves, len), raw, len);
	slot->halves.len = len;
	size = deflate_with(&slot->fast, FAST_LEVEL, &slot->halves, out);
	if (size > 0 && size * 100 < len * SEARCH_PERCENT) {
		fg_buf_clear(&slot->again);
		smaller = deflate_with(&slot->search, SEARCH_LEVEL, &slot->halves, fg_buf_room(&slot->again, len));
		if (smaller > 0 && smaller < size) {
			memcpy(out, slot->again.data, smaller);
			size = smaller;
		}
	}
	if (size == 0 || size >= len) {
		memcpy(out, raw, len);
		size = len;
	}
	slot->packed.len += size;
	return FG_OK;
}

/* What the pipeline of OpenEXRCore is to pack, and where the result goes. */
struct errand {
	const uint8_t *raw;
	size_t         len;
	struct fg_buf *out;
};

static exr_result_t
hand_over(exr_encode_pipeline_t *pipeline)
{
	const struct errand *errand = pipeline->encoding_user_data;

	if (pipeline->packed_alloc_size < errand->len)
		return EXR_ERR_OUT_OF_MEMORY;
	memcpy(pipeline->packed_buffer, errand->raw, errand->len);
	pipeline->packed_bytes = errand->len;
	return EXR_ERR_SUCCESS;
}

static exr_result_t
take_back(exr_encode_pipeline_t *pipeline)
{
	const struct errand *errand = pipeline->encoding_user_data;

	if (pipeline->compressed_buffer != NULL && pipeline->compressed_bytes < errand->len)
		fg_buf_add(errand->out, pipeline->compressed_buffer, pipeline->compressed_bytes);
	else
		fg_buf_add(errand->out, errand->raw, errand->len);
	return EXR_ERR_SUCCESS;
}

static enum fg_err
pack_by_core(struct writer *w, struct slot *slot, const uint8_t *raw, size_t len, int y)
{
	exr_encode_pipeline_t pipeline = EXR_ENCODE_PIPELINE_INITIALIZER;
	exr_chunk_info_t      info;
	struct errand         errand = { raw, len, &slot->packed };
	bool                  right;

	if (exr_write_scanline_chunk_info(w->context, 0, y, &info) != EXR_ERR_SUCCESS ||
	    exr_encoding_initialize(w->context, 0, &info, &pipeline) != EXR_ERR_SUCCESS)
		return fg_fail(FG_EIO, "OpenEXR does not begin line %d", y);
	for (int i = 0; i < pipeline.channel_count; i++) {
		pipeline.channels[i].encode_from_ptr = raw;
		pipeline.channels[i].user_bytes_per_element = pipeline.channels[i].bytes_per_element;
		pipeline.channels[i].user_data_type = pipeline.channels[i].data_type;
		pipeline.channels[i].user_pixel_stride = pipeline.channels[i].bytes_per_element;
		pipeline.channels[i].user_line_stride = 0;
	}
	pipeline.encoding_user_data = &errand;
	right = exr_encoding_choose_default_routines(w->context, 0, &pipeline) == EXR_ERR_SUCCESS;
	pipeline.convert_and_pack_fn = hand_over;
	pipeline.yield_until_ready_fn = NULL; /* bands are put in order later */
	pipeline.write_fn = take_back;
	right = right && exr_encoding_run(w->context, 0, &pipeline) == EXR_ERR_SUCCESS;
	exr_encoding_destroy(w->context, &pipeline);
	return right ? FG_OK : fg_fail(FG_EIO, "OpenEXR can't pack the lines from %d on", y);
}

static enum fg_err
pack(struct writer *w, struct slot *slot, const uint8_t *raw, size_t len, int y)
{
	switch (w->compression) {
	case EXR_COMPRESSION_NONE:
		fg_buf_add(&slot->packed, raw, len);
		return FG_OK;
	case EXR_COMPRESSION_ZIP:
	case EXR_COMPRESSION_ZIPS:
		return pack_zip(slot, raw, len);
	default:
		return pack_by_core(w, slot, raw, len, y);
	}
}

static enum fg_err
encode(struct fg_sink *sink, const struct fg_band *band, int index)
{
	struct writer *w = sink->codec;
	struct slot   *slot = &w->slots[index];
	enum fg_err    err = FG_OK;

	fg_buf_clear(&slot->packed);
	slot->sizes = fg_realloc(slot->sizes, (size_t)(band->nrows / w->chunk_lines + 1) * sizeof(*slot->sizes));
	for (int y = 0, i = 0; err == FG_OK && y < band->nrows; y += w->chunk_lines, i++) {
		int    lines = band->nrows - y < w->chunk_lines ? band->nrows - y : w->chunk_lines;
		size_t before = slot->packed.len;

		err = pack(w, slot, band->rows + (size_t)y * w->line_bytes, (size_t)lines * w->line_bytes, band->y + y);
		slot->sizes[i] = slot->packed.len - before;
	}
	return err;
}

static enum fg_err
put(struct fg_sink *sink, const struct fg_band *band, int index)
{
	struct writer *w = sink->codec;
	const char    *at = w->slots[index].packed.data;

	for (int y = 0, i = 0; y < band->nrows; y += w->chunk_lines, at += w->slots[index].sizes[i++])
		if (exr_write_scanline_chunk(w->context, 0, band->y + y, at, w->slots[index].sizes[i]) != EXR_ERR_SUCCESS)
			return fg_fail(FG_EIO, "the EXR can't be written; the disk may be full");
	return FG_OK;
}

static enum fg_err
end(struct fg_sink *sink)
{
	struct writer *w = sink->codec;

	return exr_finish(&w->context) == EXR_ERR_SUCCESS ? FG_OK : fg_fail(FG_EIO, "the EXR can't be written; the disk may be full");
}

static void
close_sink(struct fg_sink *sink)
{
	struct writer *w = sink->codec;

	if (w->context != NULL)
		exr_finish(&w->context);
	for (int i = 0; i < FG_SINK_SLOTS; i++) {
		struct slot *slot = &w->slots[i];

		fg_buf_free(&slot->packed);
		fg_buf_free(&slot->halves);
		fg_buf_free(&slot->again);
		free(slot->sizes);
		if (slot->fast != NULL)
			libdeflate_free_compressor(slot->fast);
		if (slot->search != NULL)
			libdeflate_free_compressor(slot->search);
	}
	free(w);
}

/* --- the header */

static bool
writable(exr_compression_t compression)
{
	return compression == EXR_COMPRESSION_NONE || compression == EXR_COMPRESSION_RLE || compression == EXR_COMPRESSION_ZIPS ||
	       compression == EXR_COMPRESSION_ZIP || compression == EXR_COMPRESSION_PIZ;
}

static bool
write_header(struct writer *w, const struct fg_exr *like, const struct fg_image_info *info)
{
	const exr_attr_box2i_t    frame = { .max = { .x = info->width - 1, .y = info->height - 1 } };
	exr_context_initializer_t how = EXR_DEFAULT_CONTEXT_INITIALIZER;
	int                       part;

	how.user_data = w;
	how.write_fn = on_write;
	how.error_handler_fn = on_error;
	return exr_start_write(&w->context, "frame", EXR_WRITE_FILE_DIRECTLY, &how) == EXR_ERR_SUCCESS &&
	       exr_set_longname_support(w->context, 1) == EXR_ERR_SUCCESS &&
	       exr_add_part(w->context, NULL, EXR_STORAGE_SCANLINE, &part) == EXR_ERR_SUCCESS &&
	       exr_initialize_required_attr_simple(w->context, 0, info->width, info->height, w->compression) == EXR_ERR_SUCCESS &&
	       exr_set_data_window(w->context, 0, &frame) == EXR_ERR_SUCCESS && exr_set_display_window(w->context, 0, &frame) == EXR_ERR_SUCCESS &&
	       exr_set_lineorder(w->context, 0, EXR_LINEORDER_INCREASING_Y) == EXR_ERR_SUCCESS &&
	       exr_copy_unset_attributes(w->context, 0, like->context, 0) == EXR_ERR_SUCCESS &&
	       exr_write_header(w->context) == EXR_ERR_SUCCESS && exr_get_scanlines_per_chunk(w->context, 0, &w->chunk_lines) == EXR_ERR_SUCCESS;
}

enum fg_err
fg_exr_sink(struct fg_sink *out, const struct fg_rows *like, bool *changed)
{
	const struct fg_exr *exr = fg_exr_of(like);
	struct writer       *w = fg_alloc(sizeof(*w));

	out->codec = w;
	out->encode = encode;
	out->put = put;
	out->end = end;
	out->close = close_sink;
	w->fd = out->fd;
	*changed = !writable(exr->compression);
	w->compression = *changed ? EXR_COMPRESSION_ZIP : exr->compression;
	w->line_bytes = (size_t)out->info.width * exr->pixel_bytes;
	if (!write_header(w, exr, &out->info))
		return fg_fail(FG_EIO, "the EXR can't be begun; the disk may be full");
	out->rows_multiple = w->chunk_lines;
	return FG_OK;
}
