/* jpeg: rows in and rows out through libjpeg. What libjpeg only warns of (cut off, bad data) counts as damage here. */
#include "image/codec.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/fs.h"

enum {
	MEMORY_MAX = 512 << 20, /* progressive files are held whole by libjpeg */
	SCANS_MAX = 100,        /* of a progressive file: more are an attack on the processor */
	OUT_BYTES = 65536,
};

/* libjpeg reports through this; the first member is its own. */
struct trouble {
	struct jpeg_error_mgr mgr;
	jmp_buf               jump;
	char                  why[JMSG_LENGTH_MAX];
};

static void
on_error(j_common_ptr common)
{
	struct trouble *trouble = (struct trouble *)common->err;

	common->err->format_message(common, trouble->why);
	longjmp(trouble->jump, 1);
}

static void
on_message(j_common_ptr common, int level)
{
	if (level < 0)
		on_error(common);
}

static void
watch(struct trouble *trouble)
{
	jpeg_std_error(&trouble->mgr);
	trouble->mgr.error_exit = on_error;
	trouble->mgr.emit_message = on_message;
}

/* --- in */

struct reader {
	struct jpeg_decompress_struct jpeg;
	struct trouble                trouble;
	struct jpeg_source_mgr        source;
	struct jpeg_progress_mgr      progress;
	struct fg_in                  in;
	bool                          begun;
};

static void
source_nothing(j_decompress_ptr jpeg)
{
	(void)jpeg;
}

static boolean
source_fill(j_decompress_ptr jpeg)
{
	struct reader *r = (struct reader *)jpeg;

	if (fg_in_byte(&r->in) < 0) {
		snprintf(r->trouble.why, sizeof(r->trouble.why), "the file ends too soon");
		longjmp(r->trouble.jump, 1);
	}
	r->source.next_input_byte = r->in.bytes;
	r->source.bytes_in_buffer = r->in.len;
	r->in.used = r->in.len;
	return TRUE;
}

static void
source_skip(j_decompress_ptr jpeg, long count)
{
	while (count > (long)jpeg->src->bytes_in_buffer) {
		count -= (long)jpeg->src->bytes_in_buffer;
		source_fill(jpeg);
	}
	if (count > 0) {
		jpeg->src->next_input_byte += count;
		jpeg->src->bytes_in_buffer -= (size_t)count;
	}
}

static void
count_scans(j_common_ptr common)
{
	struct reader *r = (struct reader *)common;

	if (r->jpeg.input_scan_number > SCANS_MAX) {
		snprintf(r->trouble.why, sizeof(r->trouble.why), "too many scans");
		longjmp(r->trouble.jump, 1);
	}
}

static enum fg_err
damaged(const struct reader *r)
{
	return fg_fail(FG_EINVAL, "damaged JPEG: %s", r->trouble.why);
}

static void
begin(struct reader *r)
{
	r->jpeg.err = &r->trouble.mgr;
	jpeg_create_decompress(&r->jpeg);
	r->begun = true;
	r->jpeg.mem->max_memory_to_use = MEMORY_MAX;
	r->source = (struct jpeg_source_mgr){ .init_source = source_nothing, .fill_input_buffer = source_fill, .skip_input_data = source_skip,
		.resync_to_restart = jpeg_resync_to_restart, .term_source = source_nothing };
	r->jpeg.src = &r->source;
	r->progress.progress_monitor = count_scans;
	r->jpeg.progress = &r->progress;
	jpeg_read_header(&r->jpeg, TRUE);
}

static enum fg_err
describe(struct fg_image_info *out, const struct jpeg_decompress_struct *jpeg)
{
	if (jpeg->num_components != 1 && jpeg->num_components != 3)
		return fg_fail(FG_EUNSUPPORTED, "a JPEG of %d colour components is not read", jpeg->num_components);
	*out = (struct fg_image_info){ .format = FG_IMAGE_JPEG, .width = (int)jpeg->image_width, .height = (int)jpeg->image_height,
		.channels = jpeg->num_components, .bits = 8, .layers = 1 };
	return FG_OK;
}

static void
reader_free(struct reader *r)
{
	if (r->begun)
		jpeg_destroy_decompress(&r->jpeg);
	free(r);
}

static struct reader *
reader_new(int fd)
{
	struct reader *r = fg_alloc(sizeof(*r));

	r->in.fd = fd;
	watch(&r->trouble);
	return r;
}

enum fg_err
fg_jpeg_probe(struct fg_image_info *out, int fd)
{
	struct reader *r = reader_new(fd);
	enum fg_err    err;

	if (setjmp(r->trouble.jump) != 0) {
		err = fg_fail(FG_EFORMAT, "the header of the JPEG file is damaged: %s", r->trouble.why);
	} else {
		begin(r);
		err = describe(out, &r->jpeg);
	}
	reader_free(r);
	return err;
}

static enum fg_err
read_row(struct fg_rows *rows, uint8_t *row)
{
	struct reader *r = rows->codec;

	if (setjmp(r->trouble.jump) != 0)
		return damaged(r);
	jpeg_read_scanlines(&r->jpeg, &row, 1);
	if (r->jpeg.output_scanline == r->jpeg.output_height)
		jpeg_finish_decompress(&r->jpeg);
	return FG_OK;
}

static void
close_rows(struct fg_rows *rows)
{
	reader_free(rows->codec);
}

enum fg_err
fg_jpeg_rows(struct fg_rows *out, int fd)
{
	struct reader *r = reader_new(fd);

	out->codec = r;
	out->read = read_row;
	out->close = close_rows;
	if (setjmp(r->trouble.jump) != 0)
		return damaged(r);
	begin(r);
	r->jpeg.out_color_space = r->jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_start_decompress(&r->jpeg);
	return describe(&out->info, &r->jpeg);
}

/* --- out */

struct writer {
	struct jpeg_compress_struct jpeg;
	struct trouble              trouble;
	struct jpeg_destination_mgr destination;
	enum fg_err                 err; /* of writing the file */
	int                         fd;
	uint8_t                    *rgba, *row;
	uint8_t                     bytes[OUT_BYTES];
};

static void
destination_begin(j_compress_ptr jpeg)
{
	struct writer *w = (struct writer *)jpeg;

	w->destination.next_output_byte = w->bytes;
	w->destination.free_in_buffer = OUT_BYTES;
}

static void
destination_flush(struct writer *w, size_t len)
{
	if (w->err == FG_OK)
		w->err = fg_fs_write(w->fd, w->bytes, len);
	if (w->err != FG_OK)
		longjmp(w->trouble.jump, 1);
}

static boolean
destination_full(j_compress_ptr jpeg)
{
	destination_flush((struct writer *)jpeg, OUT_BYTES);
	destination_begin(jpeg);
	return TRUE;
}

static void
destination_end(j_compress_ptr jpeg)
{
	struct writer *w = (struct writer *)jpeg;

	destination_flush(w, OUT_BYTES - w->destination.free_in_buffer);
}

static enum fg_err
unwritten(const struct writer *w)
{
	return w->err != FG_OK ? w->err : fg_fail(FG_EIO, "the JPEG can't be written: %s", w->trouble.why);
}

/* Colour over black: a JPEG has no alpha. */
static void
over_black(uint8_t *rgb, const uint8_t *rgba, int width)
{
	for (int x = 0; x < width; x++, rgb += 3, rgba += 4)
		for (int i = 0; i < 3; i++)
			rgb[i] = (uint8_t)((rgba[i] * rgba[3] + 127) / 255);
}

static enum fg_err
put(struct fg_sink *sink, const struct fg_band *band, int slot)
{
	struct writer *w = sink->codec;
	size_t         stride = fg_row_bytes(&sink->info);

	(void)slot;
	if (setjmp(w->trouble.jump) != 0)
		return unwritten(w);
	for (int y = 0; y < band->nrows; y++) {
		uint8_t *row = w->row;

		fg_row_rgba(w->rgba, band->rows + (size_t)y * stride, &sink->info);
		if (w->jpeg.input_components == 3)
			over_black(row, w->rgba, sink->info.width);
		else
			for (int x = 0; x < sink->info.width; x++)
				row[x] = w->rgba[4 * x];
		jpeg_write_scanlines(&w->jpeg, &row, 1);
	}
	return FG_OK;
}

static enum fg_err
end(struct fg_sink *sink)
{
	struct writer *w = sink->codec;

	if (setjmp(w->trouble.jump) != 0)
		return unwritten(w);
	jpeg_finish_compress(&w->jpeg);
	return FG_OK;
}

static void
close_sink(struct fg_sink *sink)
{
	struct writer *w = sink->codec;

	jpeg_destroy_compress(&w->jpeg);
	free(w->rgba);
	free(w->row);
	free(w);
}

enum fg_err
fg_jpeg_sink(struct fg_sink *out, int quality)
{
	struct writer *w = fg_alloc(sizeof(*w));

	out->codec = w;
	out->put = put;
	out->end = end;
	out->close = close_sink;
	w->fd = out->fd;
	w->rgba = fg_alloc((size_t)out->info.width * 4);
	w->row = fg_alloc((size_t)out->info.width * 3);
	watch(&w->trouble);
	w->jpeg.err = &w->trouble.mgr;
	if (setjmp(w->trouble.jump) != 0)
		return unwritten(w);
	jpeg_create_compress(&w->jpeg);
	w->destination = (struct jpeg_destination_mgr){ .init_destination = destination_begin, .empty_output_buffer = destination_full,
		.term_destination = destination_end };
	w->jpeg.dest = &w->destination;
	w->jpeg.image_width = (JDIMENSION)out->info.width;
	w->jpeg.image_height = (JDIMENSION)out->info.height;
	w->jpeg.input_components = out->info.channels == 1 ? 1 : 3;
	w->jpeg.in_color_space = out->info.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(&w->jpeg);
	jpeg_set_quality(&w->jpeg, quality, TRUE);
	jpeg_start_compress(&w->jpeg, TRUE);
	return FG_OK;
}
