/* image_exr: EXR tiles of every compression become one frame, bit for bit; what is damaged is seen. The files are made and read with
 * OpenEXRCore's own routines. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openexr.h>

#include "base/buf.h"
#include "base/fs.h"
#include "image/codec.h"
#include "image/thumb.h"
#include "pictures.h"

enum { CHANNELS_MAX = 8 };

struct channel {
	const char      *name;
	exr_pixel_type_t type;
};

/* Half, float and whole numbers, three layers: what Blender's multilayer files look like. Sorted by name. */
static const struct channel multilayer[] = {
	{ "ViewLayer.Combined.A", EXR_PIXEL_FLOAT }, { "ViewLayer.Combined.B", EXR_PIXEL_FLOAT }, { "ViewLayer.Combined.G", EXR_PIXEL_FLOAT },
	{ "ViewLayer.Combined.R", EXR_PIXEL_FLOAT }, { "ViewLayer.Depth.Z", EXR_PIXEL_FLOAT }, { "ViewLayer.Index.X", EXR_PIXEL_UINT },
	{ "ViewLayer.Mist.Z", EXR_PIXEL_HALF }, { NULL, EXR_PIXEL_HALF },
};
static const struct channel rgb_half[] = { { "B", EXR_PIXEL_HALF }, { "G", EXR_PIXEL_HALF }, { "R", EXR_PIXEL_HALF }, { NULL, EXR_PIXEL_HALF } };
static const struct channel luminance[] = { { "Y", EXR_PIXEL_FLOAT }, { NULL, EXR_PIXEL_HALF } };

/* Planes of a frame, one for each channel, width × height samples. */
struct planes {
	int                   width, height, n;
	const struct channel *channels;
	uint8_t              *data[CHANNELS_MAX];
};

static int
set_up(void **state)
{
	(void)state;
	return dir_make() == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	dir_remove();
	return 0;
}

static size_t
sample_bytes(const struct planes *p, int channel)
{
	return p->channels[channel].type == EXR_PIXEL_HALF ? 2 : 4;
}

static struct planes
planes_new(int width, int height, const struct channel *channels)
{
	struct planes p = { .width = width, .height = height, .channels = channels };

	for (; channels[p.n].name != NULL; p.n++)
		p.data[p.n] = fg_alloc((size_t)width * (size_t)height * sample_bytes(&p, p.n));
	return p;
}

static void
planes_free(struct planes *p)
{
	for (int i = 0; i < p->n; i++)
		free(p->data[i]);
}

/* Half: small positive numbers; float: a gradient; whole numbers: a pattern. */
static struct planes
planes_make(int width, int height, const struct channel *channels, bool noise)
{
	struct planes p = planes_new(width, height, channels);
	uint32_t      seed = 7;

	for (int c = 0; c < p.n; c++)
		for (int i = 0; i < width * height; i++) {
			uint16_t half;
			float    real;
			uint32_t whole = (uint32_t)(i / 50);

			seed = seed * 1664525 + 1013904223;
			half = (uint16_t)(0x3000 + i % width * 2 + (noise ? seed >> 29 : 0));
			real = (float)(i % width) / (float)width + (float)c + (noise ? (float)(seed >> 28) * 0x1p-8f : 0);
			memcpy(p.data[c] + (size_t)i * sample_bytes(&p, c),
				channels[c].type == EXR_PIXEL_HALF ? (void *)&half : channels[c].type == EXR_PIXEL_FLOAT ? (void *)&real : (void *)&whole,
				sample_bytes(&p, c));
		}
	return p;
}

/* Write the part of the planes at x, y as a file of its own, with a window that begins at (left, top) of a display window of its own size. */
static void
write_part(const char *path, const struct planes *p, int x, int y, int width, int height, exr_compression_t compression, int left, int top)
{
	exr_context_t         file;
	exr_encode_pipeline_t pipeline = EXR_ENCODE_PIPELINE_INITIALIZER;
	exr_attr_box2i_t      data = { .min = { .x = left, .y = top }, .max = { .x = left + width - 1, .y = top + height - 1 } };
	exr_chunk_info_t      info;
	int                   part, lines;

	assert_int_equal(exr_start_write(&file, path, EXR_WRITE_FILE_DIRECTLY, NULL), 0);
	exr_set_longname_support(file, 1);
	exr_add_part(file, "part", EXR_STORAGE_SCANLINE, &part);
	exr_initialize_required_attr_simple(file, 0, width, height, compression);
	exr_set_data_window(file, 0, &data);
	exr_attr_set_string(file, 0, "Scene", "Scene one");
	exr_attr_set_float(file, 0, "RenderTime", 1.5f);
	for (int c = 0; c < p->n; c++)
		assert_int_equal(exr_add_channel(file, 0, p->channels[c].name, p->channels[c].type, EXR_PERCEPTUALLY_LOGARITHMIC, 1, 1), 0);
	assert_int_equal(exr_write_header(file), 0);
	exr_get_scanlines_per_chunk(file, 0, &lines);
	for (int line = 0; line < height; line += lines) {
		assert_int_equal(exr_write_scanline_chunk_info(file, 0, top + line, &info), 0);
		assert_int_equal(line == 0 ? exr_encoding_initialize(file, 0, &info, &pipeline) : exr_encoding_update(file, 0, &info, &pipeline), 0);
		for (int c = 0; c < p->n; c++) {
			exr_coding_channel_info_t *to = &pipeline.channels[c];

			to->encode_from_ptr = p->data[c] + ((size_t)(y + line) * (size_t)p->width + (size_t)x) * sample_bytes(p, c);
			to->user_bytes_per_element = to->bytes_per_element;
			to->user_data_type = to->data_type;
			to->user_pixel_stride = to->bytes_per_element;
			to->user_line_stride = p->width * to->bytes_per_element;
		}
		if (line == 0)
			assert_int_equal(exr_encoding_choose_default_routines(file, 0, &pipeline), 0);
		assert_int_equal(exr_encoding_run(file, 0, &pipeline), 0);
	}
	exr_encoding_destroy(file, &pipeline);
	assert_int_equal(exr_finish(&file), 0);
}

static void
write_all(const char *path, const struct planes *p, exr_compression_t compression)
{
	write_part(path, p, 0, 0, p->width, p->height, compression, 0, 0);
}

/* The file's samples, by OpenEXRCore's own unpacking. */
static struct planes
read_all(const char *path, const struct channel *channels, exr_compression_t *compression)
{
	exr_context_t         file;
	exr_decode_pipeline_t pipeline = EXR_DECODE_PIPELINE_INITIALIZER;
	exr_attr_box2i_t      data, display;
	exr_chunk_info_t      info;
	struct planes         p;
	int                   lines;

	assert_int_equal(exr_start_read(&file, path, NULL), 0);
	exr_get_data_window(file, 0, &data);
	exr_get_display_window(file, 0, &display);
	assert_memory_equal(&data, &display, sizeof(data));
	exr_get_compression(file, 0, compression);
	exr_get_scanlines_per_chunk(file, 0, &lines);
	p = planes_new(data.max.x + 1, data.max.y + 1, channels);
	for (int line = 0; line < p.height; line += lines) {
		assert_int_equal(exr_read_scanline_chunk_info(file, 0, line, &info), 0);
		assert_int_equal(line == 0 ? exr_decoding_initialize(file, 0, &info, &pipeline) : exr_decoding_update(file, 0, &info, &pipeline), 0);
		assert_int_equal(pipeline.channel_count, p.n);
		for (int c = 0; c < p.n; c++) {
			exr_coding_channel_info_t *to = &pipeline.channels[c];

			assert_string_equal(to->channel_name, channels[c].name);
			assert_int_equal(to->data_type, channels[c].type);
			to->decode_to_ptr = p.data[c] + (size_t)line * (size_t)p.width * sample_bytes(&p, c);
			to->user_bytes_per_element = to->bytes_per_element;
			to->user_data_type = to->data_type;
			to->user_pixel_stride = to->bytes_per_element;
			to->user_line_stride = p.width * to->bytes_per_element;
		}
		if (line == 0)
			assert_int_equal(exr_decoding_choose_default_routines(file, 0, &pipeline), 0);
		assert_int_equal(exr_decoding_run(file, 0, &pipeline), 0);
	}
	exr_decoding_destroy(file, &pipeline);
	exr_finish(&file);
	return p;
}

static void
same_planes(const struct planes *want, const struct planes *got)
{
	assert_int_equal(want->width, got->width);
	assert_int_equal(want->height, got->height);
	for (int c = 0; c < want->n; c++)
		assert_memory_equal(want->data[c], got->data[c], (size_t)want->width * (size_t)want->height * sample_bytes(want, c));
}

static void
write_tiles(struct tiling *tiling, const struct planes *frame, exr_compression_t compression)
{
	for (int i = 0; i < tiling->rows * tiling->columns; i++) {
		char name[16];

		snprintf(name, sizeof(name), "tile%d", i);
		tiling->tiles[i].path = dir_path(name);
		write_part(tiling->tiles[i].path, frame, tiling->files[i].x, tiling->files[i].y, tiling->files[i].width, tiling->files[i].height,
			compression, 0, 0);
	}
}

static enum fg_err
stitch(const char *out, struct tiling *tiling, int threads, struct fg_stitch_said *said)
{
	const struct fg_stitch job = { .tiles = tiling->tiles, .rows = tiling->rows, .columns = tiling->columns, .width = tiling->width,
		.height = tiling->height, .format = FG_IMAGE_EXR, .threads = threads, .said = said };
	int                    fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum fg_err            err = fg_stitch(fd, &job);

	close(fd);
	return err;
}

static const exr_compression_t compressions[] = { EXR_COMPRESSION_NONE, EXR_COMPRESSION_RLE, EXR_COMPRESSION_ZIPS, EXR_COMPRESSION_ZIP,
	EXR_COMPRESSION_PIZ };

/* The noise is a weak one: OpenEXRCore 3.1 writes wrong files when ZIP makes tiny chunks no smaller. */
static void
exr_is_exact(void **state)
{
	static const struct { int width, height, rows, columns, overscan; } plans[] = { { 161, 91, 3, 2, 0 }, { 161, 91, 2, 3, 16 }, { 9, 8, 4, 5, 2 }, { 300, 200, 1, 1, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++)
		for (int kind = 0; kind < 20; kind++) {
			struct planes         frame = planes_make(plans[i].width, plans[i].height, kind % 2 == 0 ? multilayer : rgb_half, kind >= 10), got;
			struct tiling         tiling = tiling_make(frame.width, frame.height, plans[i].rows, plans[i].columns, plans[i].overscan);
			struct fg_stitch_said said;
			exr_compression_t     compression;

			write_tiles(&tiling, &frame, compressions[kind / 2 % 5]);
			if (stitch(dir_path("frame"), &tiling, 1 + kind % 3, &said) != FG_OK) fail_msg("plan %zu kind %d: %s", i, kind, fg_err_text(FG_EIO));
			assert_string_equal(said.text, "");
			got = read_all(dir_path("frame"), frame.channels, &compression);
			assert_int_equal(compression, compressions[kind / 2 % 5]);
			same_planes(&frame, &got);
			planes_free(&got);
			planes_free(&frame);
		}
}

/* Words that ask all of PIZ: any there are (which it leaves as they are), rare ones (long codes), runs, and so many values that its other
 * wavelet is taken. */
static void
make_wild(struct planes *p, int kind)
{
	uint32_t seed = 11 + (uint32_t)kind;

	for (int c = 0; c < p->n; c++)
		for (size_t i = 0, n = (size_t)p->width * (size_t)p->height * sample_bytes(p, c) / 2; i < n; i++) {
			uint16_t word;

			seed = seed * 1664525 + 1013904223;
			word = (uint16_t)(seed >> 16);
			if (kind == 1)
				word = (uint16_t)(word >> __builtin_ctz(seed >> 8 | 0x8000));
			else if (kind == 2)
				word = i / 700 % 3 == 0 ? 0x3c00 : (uint16_t)(0x3c00 + (word & 7));
			else if (kind == 3)
				word = word < 3 ? word : 0x4248;
			else if (kind == 4)
				word = (uint16_t)(i * 3 + (word & 1));
			memcpy(p->data[c] + 2 * i, &word, 2);
		}
}

static void
piz_is_exact(void **state)
{
	static const struct { int width, height; } sizes[] = { { 640, 97 }, { 65, 33 }, { 33, 200 }, { 128, 64 }, { 40, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (int kind = 0; kind < 10; kind++) {
			struct planes     frame = planes_new(sizes[i].width, sizes[i].height, kind % 2 == 0 ? multilayer : rgb_half), got;
			struct tiling     tiling = tiling_make(frame.width, frame.height, 1, 1, 0);
			exr_compression_t compression;

			make_wild(&frame, kind / 2);
			write_tiles(&tiling, &frame, EXR_COMPRESSION_PIZ);
			if (stitch(dir_path("frame"), &tiling, 2, NULL) != FG_OK)
				fail_msg("%d x %d kind %d: %s", frame.width, frame.height, kind, fg_err_text(FG_EIO));
			got = read_all(dir_path("frame"), frame.channels, &compression);
			same_planes(&frame, &got);
			planes_free(&got);
			planes_free(&frame);
		}
}

/* B44 and PXR24 are not written: the frame is ZIP, holds what the tiles decode to, and the answer says so. */
static void
lossy_becomes_zip(void **state)
{
	static const exr_compression_t lossy[] = { EXR_COMPRESSION_B44, EXR_COMPRESSION_PXR24 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct planes         frame = planes_make(64, 64, rgb_half, false), got, tile;
		struct tiling         tiling = tiling_make(64, 64, 1, 1, 0);
		struct fg_stitch_said said;
		exr_compression_t     compression;

		write_tiles(&tiling, &frame, lossy[i]);
		assert_int_equal(stitch(dir_path("frame"), &tiling, 2, &said), FG_OK);
		assert_non_null(strstr(said.text, "ZIP"));
		got = read_all(dir_path("frame"), rgb_half, &compression);
		assert_int_equal(compression, EXR_COMPRESSION_ZIP);
		tile = read_all(tiling.tiles[0].path, rgb_half, &compression);
		same_planes(&tile, &got);
		planes_free(&tile);
		planes_free(&got);
		planes_free(&frame);
	}
}

static void
attributes_stay(void **state)
{
	struct planes frame = planes_make(40, 40, multilayer, false);
	struct tiling tiling = tiling_make(40, 40, 2, 2, 0);
	exr_context_t file;
	int32_t       len;
	const char   *text;
	float         time;

	(void)state;
	write_tiles(&tiling, &frame, EXR_COMPRESSION_ZIP);
	assert_int_equal(stitch(dir_path("frame"), &tiling, 2, NULL), FG_OK);
	assert_int_equal(exr_start_read(&file, dir_path("frame"), NULL), 0);
	assert_int_equal(exr_attr_get_string(file, 0, "Scene", &len, &text), 0);
	assert_string_equal(text, "Scene one");
	assert_int_equal(exr_attr_get_float(file, 0, "RenderTime", &time), 0);
	assert_true(time == 1.5f);
	exr_finish(&file);
	planes_free(&frame);
}

static void
stitch_refuses(void **state)
{
	struct planes frame = planes_make(40, 40, multilayer, false), other = planes_make(20, 20, rgb_half, false);
	struct tiling tiling = tiling_make(40, 40, 2, 2, 0);

	(void)state;
	write_tiles(&tiling, &frame, EXR_COMPRESSION_ZIP);
	write_all(tiling.tiles[2].path, &other, EXR_COMPRESSION_ZIP);
	assert_int_equal(stitch(dir_path("frame"), &tiling, 2, NULL), FG_EINVAL);
	assert_non_null(strstr(fg_err_text(FG_EINVAL), "tile2"));
	write_tiles(&tiling, &frame, EXR_COMPRESSION_ZIP);
	assert_int_equal(truncate(tiling.tiles[3].path, 900), 0);
	assert_int_not_equal(stitch(dir_path("frame"), &tiling, 2, NULL), FG_OK);
	planes_free(&frame);
	planes_free(&other);
}

static enum fg_err
check(struct fg_image_verdict *out, const char *path, int width, int height)
{
	int         fd = open(path, O_RDONLY | O_CLOEXEC);
	enum fg_err err = fg_image_check(out, fd, &(struct fg_image_expect){ FG_IMAGE_EXR, width, height });

	close(fd);
	return err;
}

static void
check_tells(void **state)
{
	struct planes           frame = planes_make(33, 21, multilayer, true);
	struct fg_image_verdict v;
	const char             *path = dir_path("file");

	(void)state;
	write_all(path, &frame, EXR_COMPRESSION_ZIP);
	assert_int_equal(check(&v, path, 33, 21), FG_OK);
	assert_int_equal(v.info.channels, 7);
	assert_int_equal(v.info.layers, 4);
	assert_int_equal(v.info.bits, 32);
	assert_true(v.info.alpha && v.info.is_float && !v.black);
	assert_int_equal(check(&v, path, 33, 22), FG_EINVAL);
	for (int c = 1; c <= 3; c++) /* R, G and B of Combined; depth and the rest may have values */
		memset(frame.data[c], 0, (size_t)(33 * 21 * 4));
	write_all(path, &frame, EXR_COMPRESSION_PIZ);
	assert_int_equal(check(&v, path, 33, 21), FG_OK);
	assert_true(v.black);
	frame.data[3][33 * 21 * 4 - 4] = 1; /* the last sample of R */
	write_all(path, &frame, EXR_COMPRESSION_ZIP);
	assert_int_equal(check(&v, path, 33, 21), FG_OK);
	assert_false(v.black);
	planes_free(&frame);
}

/* Cut off anywhere: never right. A byte changed anywhere: no crash, and never more than the header says. */
static void
check_survives_damage(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(compressions) / sizeof(*compressions); k++) {
		struct planes           frame = planes_make(19, 18, k % 2 == 0 ? rgb_half : multilayer, true);
		struct fg_buf           file = { 0 };
		struct fg_image_verdict v;
		const char             *path = dir_path("file");

		write_all(path, &frame, compressions[k]);
		assert_int_equal(fg_fs_read(&file, path, 1 << 20), FG_OK);
		for (size_t len = 0; len < file.len; len++) {
			write_bytes(path, file.data, len);
			if (check(&v, path, 19, 18) == FG_OK)
				fail_msg("compression %d cut to %zu of %zu bytes passes", (int)compressions[k], len, file.len);
		}
		for (size_t at = 0; at < file.len; at++) {
			char was = file.data[at];

			file.data[at] = (char)(at % 3 == 0 ? 0xff : at % 3 == 1 ? was + 1 : was ^ 0x80);
			write_bytes(path, file.data, file.len);
			file.data[at] = was;
			if (check(&v, path, 19, 18) == FG_OK)
				assert_true(v.info.width == 19 && v.info.height == 18);
		}
		fg_buf_free(&file);
		planes_free(&frame);
	}
}

static enum fg_err
show(struct picture *out, const char *in, const char *layer)
{
	int         from = open(in, O_RDONLY | O_CLOEXEC), to = open(dir_path("shown"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum fg_err err = fg_display_png(to, from, &(struct fg_thumb){ .layer = layer, .threads = 2 });

	close(from);
	close(to);
	if (err == FG_OK)
		*out = read_png(dir_path("shown"));
	return err;
}

/* Colour of the right layer; depth with the near bright; grey of a luminance; the data window at its place. */
static void
display_chooses(void **state)
{
	struct planes  frame = planes_make(40, 30, multilayer, false), grey = planes_make(40, 30, luminance, false);
	struct picture got;
	const char    *path = dir_path("file");

	(void)state;
	write_all(path, &frame, EXR_COMPRESSION_ZIP);
	assert_int_equal(show(&got, path, NULL), FG_OK);
	for (int x = 0; x < 40; x++) { /* B is channel 1, all above 1; see planes_make */
		assert_int_equal(got.samples[3 * x], 255);
		assert_int_equal(got.samples[3 * x + 2], 255);
	}
	picture_free(&got);
	assert_int_equal(show(&got, path, "ViewLayer.Depth"), FG_OK);
	assert_int_equal(got.samples[0], 255);
	assert_int_equal(got.samples[3 * 39], 0);
	assert_true(got.samples[3 * 10] > got.samples[3 * 20] && got.samples[3 * 10] == got.samples[3 * 10 + 1]);
	picture_free(&got);
	assert_int_equal(show(&got, path, "ViewLayer.None"), FG_ENOTFOUND);
	write_all(path, &grey, EXR_COMPRESSION_PIZ);
	assert_int_equal(show(&got, path, NULL), FG_OK);
	for (int x = 0; x < 40; x++)
		for (int c = 0; c < 3; c++)
			assert_true(abs(got.samples[3 * x + c] - fg_display_byte(&(struct fg_display){ 0 }, (float)x / 40)) <= 1);
	picture_free(&got);
	write_part(path, &grey, 0, 0, 40, 30, EXR_COMPRESSION_ZIP, 10, -7); /* in a display window of 40 × 30 from 0 on */
	assert_int_equal(show(&got, path, NULL), FG_OK);
	assert_int_equal(got.width, 40);
	assert_int_equal(got.samples[3 * 9], 0);
	assert_int_equal(got.samples[3 * (9 + 40 * 5)], 0);
	assert_true(got.samples[3 * (39 + 40 * 22)] > 200);
	assert_int_equal(got.samples[3 * (39 + 40 * 23)], 0);
	picture_free(&got);
	planes_free(&frame);
	planes_free(&grey);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exr_is_exact), cmocka_unit_test(piz_is_exact), cmocka_unit_test(lossy_becomes_zip), cmocka_unit_test(attributes_stay), cmocka_unit_test(stitch_refuses),
		cmocka_unit_test(check_tells), cmocka_unit_test(check_survives_damage), cmocka_unit_test(display_chooses),
	};

	return cmocka_run_group_tests_name("image_exr", tests, set_up, tear_down);
}
