/* image: pictures of 8 and 16 bits are stitched sample by sample, checked to the last byte, and shown as they should be. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "image/codec.h"
#include "image/thumb.h"
#include "pictures.h"

static const struct fg_image_expect anything = { 0 };

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

static enum fg_err
check(struct fg_image_verdict *out, const char *path, const struct fg_image_expect *expect)
{
	int         fd = open(path, O_RDONLY | O_CLOEXEC);
	enum fg_err err = fg_image_check(out, fd, expect);

	close(fd);
	return err;
}

/* What the rows of lib/image give for any format. */
static struct picture
read_rows(const char *path)
{
	struct fg_rows rows = { 0 };
	struct picture p = { 0 };
	int            fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fg_rows_open(&rows, fd), FG_OK);
	p = (struct picture){ rows.info.width, rows.info.height, rows.info.channels, rows.info.bits, NULL };
	p.samples = fg_alloc(picture_bytes(&p));
	for (int y = 0; y < p.height; y++)
		assert_int_equal(rows.read(&rows, p.samples + (size_t)y * picture_bytes(&p) / (size_t)p.height), FG_OK);
	fg_rows_close(&rows);
	close(fd);
	return p;
}

typedef void write_tile(const char *path, const struct picture *tile);

static void
tile_png(const char *path, const struct picture *tile)
{
	write_png(path, tile, false);
}

static void
tile_png_interlaced(const char *path, const struct picture *tile)
{
	write_png(path, tile, true);
}

static void
tile_tga_runs(const char *path, const struct picture *tile)
{
	write_tga(path, tile, true, false);
}

static void
tile_tga_top(const char *path, const struct picture *tile)
{
	write_tga(path, tile, false, true);
}

static void
tile_bmp(const char *path, const struct picture *tile)
{
	write_bmp(path, tile, false);
}

static void
tile_bmp_top(const char *path, const struct picture *tile)
{
	write_bmp(path, tile, true);
}

static enum fg_err
stitch(const char *out, struct tiling *tiling, enum fg_image_format format, int threads)
{
	const struct fg_stitch job = { .tiles = tiling->tiles, .rows = tiling->rows, .columns = tiling->columns, .width = tiling->width,
		.height = tiling->height, .format = format, .quality = 100, .threads = threads };
	int                    fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum fg_err            err = fg_stitch(fd, &job);

	close(fd);
	return err;
}

static void
write_tiles(struct tiling *tiling, const struct picture *frame, write_tile *write)
{
	for (int i = 0; i < tiling->rows * tiling->columns; i++) {
		char           name[16];
		struct picture tile = picture_cut(frame, tiling->files[i].x, tiling->files[i].y, tiling->files[i].width, tiling->files[i].height);

		snprintf(name, sizeof(name), "tile%d", i);
		tiling->tiles[i].path = dir_path(name);
		write(tiling->tiles[i].path, &tile);
		picture_free(&tile);
	}
}

/* Every kind of PNG tile, in sizes that don't divide evenly, with and without overscan: the frame is the picture. */
static void
png_is_exact(void **state)
{
	static const struct { int width, height, rows, columns, overscan; } plans[] = {
		{ 161, 91, 3, 2, 0 }, { 161, 91, 2, 3, 16 }, { 7, 5, 5, 7, 2 }, { 1, 1, 1, 1, 0 }, { 1031, 517, 4, 4, 3 }, { 2000, 3, 1, 8, 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++)
		for (int kind = 0; kind < 24; kind++) {
			int            channels = kind % 4 + 1, bits = kind / 4 % 2 == 0 ? 8 : 16;
			struct picture frame = picture_make(plans[i].width, plans[i].height, channels, bits, (enum pattern)(kind / 8)), got;
			struct tiling  tiling = tiling_make(frame.width, frame.height, plans[i].rows, plans[i].columns, plans[i].overscan);

			write_tiles(&tiling, &frame, kind % 5 == 0 ? tile_png_interlaced : tile_png);
			assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 1 + kind % 3), FG_OK);
			got = read_png(dir_path("frame"));
			assert_true(picture_same(&frame, &got));
			picture_free(&got);
			picture_free(&frame);
		}
}

/* Some workers cut their overscan off themselves: such tiles lie beside others. */
static void
bare_tiles_fit(void **state)
{
	struct picture frame = picture_make(161, 91, 3, 8, NOISE), got;
	struct tiling  bare = tiling_make(161, 91, 3, 3, 0), tiling = tiling_make(161, 91, 3, 3, 7);

	(void)state;
	write_tiles(&tiling, &frame, tile_png);
	for (int i = 0; i < 9; i += 2) {
		struct picture tile = picture_cut(&frame, bare.files[i].x, bare.files[i].y, bare.files[i].width, bare.files[i].height);

		tile_png(tiling.tiles[i].path, &tile);
		picture_free(&tile);
	}
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 2), FG_OK);
	got = read_png(dir_path("frame"));
	assert_true(picture_same(&frame, &got));
	picture_free(&got);
	picture_free(&frame);
}

/* TGA and BMP, both ways up, with and without runs, into themselves and into PNG. */
static void
tga_and_bmp_are_exact(void **state)
{
	static const struct { write_tile *write; enum fg_image_format format; int channels; } kinds[] = {
		{ tile_tga_runs, FG_IMAGE_TGA, 3 }, { tile_tga_runs, FG_IMAGE_TGA, 4 }, { tile_tga_top, FG_IMAGE_TGA, 4 }, { tile_bmp, FG_IMAGE_BMP, 3 },
		{ tile_bmp_top, FG_IMAGE_BMP, 3 }, { tile_tga_runs, FG_IMAGE_PNG, 1 }, { tile_tga_top, FG_IMAGE_PNG, 3 }, { tile_bmp, FG_IMAGE_PNG, 3 },
		{ tile_png, FG_IMAGE_TGA, 4 }, { tile_png, FG_IMAGE_BMP, 4 }, { tile_png_interlaced, FG_IMAGE_BMP, 3 },
	};
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(*kinds); i++) {
		struct picture          frame = picture_make(161, 91, kinds[i / 2].channels, 8, i % 2 == 0 ? NOISE : FLAT), got;
		struct tiling           tiling = tiling_make(161, 91, 3, 2, 5);
		struct fg_image_verdict verdict;

		write_tiles(&tiling, &frame, kinds[i / 2].write);
		assert_int_equal(stitch(dir_path("frame"), &tiling, kinds[i / 2].format, 2), FG_OK);
		got = read_rows(dir_path("frame"));
		assert_true(picture_same(&frame, &got));
		assert_int_equal(check(&verdict, dir_path("frame"), &(struct fg_image_expect){ kinds[i / 2].format, 161, 91 }), FG_OK);
		assert_false(verdict.black);
		picture_free(&got);
		picture_free(&frame);
	}
}

/* Compared with what libjpeg itself makes of the whole picture: the same bytes decoded. */
static void
jpeg_from_png(void **state)
{
	static const int channels[] = { 1, 3 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct picture frame = picture_make(161, 91, channels[i], 8, SMOOTH), got, want;
		struct tiling  tiling = tiling_make(161, 91, 2, 2, 4);

		write_tiles(&tiling, &frame, tile_png);
		assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_JPEG, 2), FG_OK);
		write_jpeg(dir_path("want"), &frame);
		got = read_rows(dir_path("frame"));
		want = read_rows(dir_path("want"));
		assert_true(picture_same(&want, &got));
		picture_free(&frame);
		picture_free(&got);
		picture_free(&want);
	}
}

static void
sixteen_bits_are_rounded(void **state)
{
	struct picture frame = picture_make(40, 30, 3, 16, NOISE), got;
	struct tiling  tiling = tiling_make(40, 30, 2, 2, 0);

	(void)state;
	write_tiles(&tiling, &frame, tile_png);
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_TGA, 1), FG_OK);
	got = read_rows(dir_path("frame"));
	for (size_t i = 0; i < picture_bytes(&got); i++)
		assert_int_equal(got.samples[i], (int)lround((frame.samples[2 * i] * 256 + frame.samples[2 * i + 1]) / 257.0));
	picture_free(&frame);
	picture_free(&got);
}

static void
stitch_refuses(void **state)
{
	struct picture frame = picture_make(64, 48, 3, 8, NOISE), other = picture_make(32, 24, 4, 8, NOISE);
	struct tiling  tiling = tiling_make(64, 48, 2, 2, 0);

	(void)state;
	write_tiles(&tiling, &frame, tile_png);
	write_png(tiling.tiles[3].path, &other, false); /* alpha where the others have none */
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 2), FG_EINVAL);
	assert_non_null(strstr(fg_err_text(FG_EINVAL), "tile3"));
	unlink(tiling.tiles[3].path);
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 2), FG_ENOTFOUND);
	assert_non_null(strstr(fg_err_text(FG_ENOTFOUND), "tile3"));
	write_bytes(tiling.tiles[3].path, "hello", 5);
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 1), FG_EFORMAT);
	write_tiles(&tiling, &frame, tile_png);
	assert_int_equal(truncate(tiling.tiles[2].path, 1000), 0);
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 2), FG_EINVAL);
	assert_non_null(strstr(fg_err_text(FG_EINVAL), "tile2"));
	write_tiles(&tiling, &frame, tile_png);
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_EXR, 2), FG_EUNSUPPORTED);
	tiling = tiling_make(64, 48, 2, 2, 1);
	write_tiles(&tiling, &frame, tile_png);
	tiling.tiles[1].skip_left = 2; /* more than the file has */
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 2), FG_EINVAL);
	tiling = tiling_make(64, 48, 2, 2, 0);
	tiling.tiles[1].x++; /* a gap */
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 2), FG_EINVAL);
	tiling = tiling_make(64, 48, 2, 2, 0);
	tiling.height++; /* not covered */
	assert_int_equal(stitch(dir_path("frame"), &tiling, FG_IMAGE_PNG, 2), FG_EINVAL);
	picture_free(&frame);
	picture_free(&other);
}

/* --- check */

static const struct { const char *name; write_tile *write; enum fg_image_format format; int channels, bits; } files[] = {
	{ "png", tile_png, FG_IMAGE_PNG, 3, 8 }, { "png interlaced", tile_png_interlaced, FG_IMAGE_PNG, 4, 16 },
	{ "tga runs", tile_tga_runs, FG_IMAGE_TGA, 3, 8 }, { "tga", tile_tga_top, FG_IMAGE_TGA, 4, 8 }, { "bmp", tile_bmp, FG_IMAGE_BMP, 3, 8 },
	{ "jpeg", write_jpeg, FG_IMAGE_JPEG, 3, 8 },
};

static void
check_tells(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct picture          p = picture_make(33, 21, files[i].channels, files[i].bits, SMOOTH);
		struct fg_image_verdict v;
		const char             *path = dir_path("file");

		files[i].write(path, &p);
		assert_int_equal(check(&v, path, &anything), FG_OK);
		assert_int_equal(v.info.format, files[i].format);
		assert_int_equal(v.info.width, 33);
		assert_int_equal(v.info.height, 21);
		assert_int_equal(v.info.channels, files[i].channels);
		assert_int_equal(v.info.bits, files[i].bits);
		assert_int_equal(v.info.alpha, files[i].channels == 4);
		assert_false(v.black);
		assert_int_equal(check(&v, path, &(struct fg_image_expect){ files[i].format, 33, 21 }), FG_OK);
		assert_int_equal(check(&v, path, &(struct fg_image_expect){ files[i].format, 34, 21 }), FG_EINVAL);
		assert_int_equal(check(&v, path, &(struct fg_image_expect){ files[i].format, 33, 20 }), FG_EINVAL);
		assert_int_equal(check(&v, path, &(struct fg_image_expect){ FG_IMAGE_EXR, 33, 21 }), FG_EINVAL);
		picture_free(&p);
	}
}

/* Cut off anywhere, no file passes; nor does a PNG with any one byte changed. */
static void
check_sees_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct picture          p = picture_make(9, 7, files[i].channels, files[i].bits, NOISE);
		struct fg_buf           whole = { 0 };
		struct fg_image_verdict v;
		const char             *path = dir_path("file"), *cut = dir_path("cut");

		files[i].write(path, &p);
		assert_int_equal(fg_fs_read(&whole, path, 1 << 20), FG_OK);
		for (size_t len = 0; len < whole.len; len++) {
			write_bytes(cut, whole.data, len);

			enum fg_err err = check(&v, cut, &anything);

			if (err != FG_EINVAL && err != FG_EFORMAT)
				fail_msg("%s cut to %zu of %zu bytes: %s", files[i].name, len, whole.len, fg_err_name(err));
		}
		for (size_t at = 0; files[i].format == FG_IMAGE_PNG && at < whole.len; at++) {
			whole.data[at] ^= 0x10;
			write_bytes(cut, whole.data, whole.len);
			whole.data[at] ^= 0x10;
			if (check(&v, cut, &anything) == FG_OK)
				fail_msg("%s with byte %zu changed passes", files[i].name, at);
		}
		fg_buf_free(&whole);
		picture_free(&p);
	}
}

static void
check_sees_black(void **state)
{
	static const struct { int channels, bits, at; bool black; } cases[] = {
		{ 1, 8, -1, true }, { 2, 8, -1, true }, { 3, 8, -1, true }, { 4, 8, -1, true }, { 3, 16, -1, true }, { 4, 16, -1, true },
		{ 1, 8, 5, false }, { 2, 8, 6, false }, { 2, 8, 7, true /* alpha */ }, { 3, 8, 0, false }, { 3, 8, 1 + 9 * 3, false },
		{ 4, 8, 2, false }, { 4, 8, 3, true /* alpha */ }, { 4, 16, 7, true /* alpha */ }, { 4, 16, 5, false }, { 3, 16, 9 * 7 * 6 - 1, false },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		struct picture          p = { 9, 7, cases[i / 2].channels, cases[i / 2].bits, NULL };
		struct fg_image_verdict v;

		p.samples = fg_alloc(picture_bytes(&p));
		if (cases[i / 2].at >= 0)
			p.samples[cases[i / 2].at] = 1;
		write_png(dir_path("file"), &p, i % 2 == 1);
		assert_int_equal(check(&v, dir_path("file"), &anything), FG_OK);
		assert_int_equal(v.black, cases[i / 2].black);
		picture_free(&p);
	}
}

/* A header that claims a huge picture costs nothing when another size is expected, and little when none is. */
static void
check_survives_bombs(void **state)
{
	struct picture          p = picture_make(9, 7, 3, 8, FLAT);
	struct fg_buf           file = { 0 };
	struct fg_image_verdict v;
	const char             *path = dir_path("file");

	(void)state;
	write_png(path, &p, false);
	assert_int_equal(fg_fs_read(&file, path, 1 << 20), FG_OK);
	memcpy(file.data + 16, "\0\0\xff\xff\0\0\xff\xff\x10\6", 10);

	uint8_t *crc = (uint8_t *)file.data + 29;
	uint32_t c = 0xffffffff;

	for (size_t i = 12; i < 29; i++)
		for (int k = (c ^= (uint8_t)file.data[i], 0); k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
	fg_put_be32(crc, ~c);
	write_bytes(path, file.data, file.len);
	assert_int_equal(check(&v, path, &(struct fg_image_expect){ FG_IMAGE_PNG, 1920, 1080 }), FG_EINVAL);
	assert_int_equal(check(&v, path, &anything), FG_EINVAL);
	memcpy(file.data + 16, "\0\1\0\1", 4); /* 65537 wide; the CRC is wrong now, and that is said first */
	write_bytes(path, file.data, file.len);
	assert_int_equal(check(&v, path, &anything), FG_EFORMAT);
	for (const char *const *text = (const char *const[]){ "", "x", "BM", "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "v/1\1", "GIF89a", NULL }; *text != NULL; text++) {
		write_bytes(path, *text, strlen(*text));
		assert_int_equal(check(&v, path, &anything), FG_EFORMAT);
	}
	fg_buf_free(&file);
	picture_free(&p);
}

/* --- display and thumb */

static void
display_curve(void **state)
{
	static const float stops[] = { 0, -2, 3.5f };

	(void)state;
	for (int i = 0; i < 256; i++)
		assert_int_equal(fg_display_byte(&(struct fg_display){ 0 }, fg_display_linear((float)i / 255)), i);
	assert_int_equal(fg_display_byte(&(struct fg_display){ 0 }, NAN), 0);
	assert_int_equal(fg_display_byte(&(struct fg_display){ 0 }, -1), 0);
	assert_int_equal(fg_display_byte(&(struct fg_display){ 0 }, INFINITY), 255);
	assert_int_equal(fg_display_byte(&(struct fg_display){ .exposure_stops = 1 }, 0.25f), fg_display_byte(&(struct fg_display){ 0 }, 0.5f));
	for (int k = 0; k < 6; k++) {
		const struct fg_display how = { stops[k % 3], k >= 3 };
		struct fg_display_table table;
		int                     last = 0;

		fg_display_table(&table, &how);
		for (float x = 1e-6f; x < 1000; x *= 1.003f) {
			int byte = fg_display_byte(&how, x);

			assert_true(byte >= last);
			assert_true(abs(byte - fg_display_lookup(&table, x)) <= 1);
			last = byte;
		}
	}
}

static enum fg_err
thumb(const char *out, const char *in, int width)
{
	int         from = open(in, O_RDONLY | O_CLOEXEC), to = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum fg_err err = fg_thumb(to, from, &(struct fg_thumb){ .width = width, .quality = 100, .threads = 2 });

	close(from);
	close(to);
	return err;
}

/* What the mean over the exact area of a pixel in linear light would be. */
static double
mean_of(const struct picture *p, int x, int y, int width, int height, int channel)
{
	double sum = 0, x0 = (double)x * p->width / width, x1 = (double)(x + 1) * p->width / width, y0 = (double)y * p->height / height,
	       y1 = (double)(y + 1) * p->height / height;

	for (int v = (int)y0; v < p->height && v < y1; v++)
		for (int u = (int)x0; u < p->width && u < x1; u++) {
			double w = (fmin(x1, u + 1) - fmax(x0, u)) * (fmin(y1, v + 1) - fmax(y0, v));

			sum += w * fg_display_linear((float)p->samples[((size_t)v * (size_t)p->width + (size_t)u) * (size_t)p->channels + (size_t)channel] / 255);
		}
	return sum / ((x1 - x0) * (y1 - y0));
}

static void
thumb_is_the_mean(void **state)
{
	static const int widths[] = { 0, 160, 100, 53, 7, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		struct picture frame = picture_make(161, 91, 1, 8, NOISE), got;
		int            width = widths[i] > 0 ? widths[i] : 161, height = (91 * width + 80) / 161;

		height = height < 1 ? 1 : height;
		write_png(dir_path("file"), &frame, false);
		assert_int_equal(thumb(dir_path("out"), dir_path("file"), widths[i]), FG_OK);
		got = read_rows(dir_path("out"));
		assert_int_equal(got.width, width);
		assert_int_equal(got.height, height);
		for (int y = 0; y < height; y++)
			for (int x = 0; x < width; x++) {
				int want = fg_display_byte(&(struct fg_display){ 0 }, (float)mean_of(&frame, x, y, width, height, 0));

				assert_true(abs(want - got.samples[((size_t)y * (size_t)width + (size_t)x) * 3]) <= 3);
			}
		picture_free(&frame);
		picture_free(&got);
	}
}

/* A video frame of an 8-bit picture is that picture; transparency is over black. */
static void
display_png_keeps(void **state)
{
	(void)state;
	for (int channels = 3; channels <= 4; channels++) {
		struct picture frame = picture_make(161, 91, channels, 8, SMOOTH), got;
		int            in, out;

		for (size_t i = 3; channels == 4 && i < picture_bytes(&frame); i += 4)
			frame.samples[i] = i / 4 % 2 == 0 ? 255 : 0;
		write_png(dir_path("file"), &frame, false);
		in = open(dir_path("file"), O_RDONLY | O_CLOEXEC);
		out = open(dir_path("out"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(fg_display_png(out, in, &(struct fg_thumb){ 0 }), FG_OK);
		close(in);
		close(out);
		got = read_png(dir_path("out"));
		assert_int_equal(got.channels, 3);
		for (int i = 0; i < 161 * 91; i++)
			for (int c = 0; c < 3; c++) {
				int shown = channels == 3 || frame.samples[4 * i + 3] == 255 ? frame.samples[channels * i + c] : 0;

				assert_int_equal(got.samples[3 * i + c], shown);
			}
		picture_free(&frame);
		picture_free(&got);
	}
}

static void
thumb_refuses(void **state)
{
	struct picture frame = picture_make(64, 48, 3, 8, NOISE);

	(void)state;
	write_bytes(dir_path("file"), "hello", 5);
	assert_int_equal(thumb(dir_path("out"), dir_path("file"), 10), FG_EFORMAT);
	write_png(dir_path("file"), &frame, false);
	assert_int_equal(truncate(dir_path("file"), 2000), 0);
	assert_int_equal(thumb(dir_path("out"), dir_path("file"), 10), FG_EINVAL);
	picture_free(&frame);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(png_is_exact), cmocka_unit_test(bare_tiles_fit), cmocka_unit_test(tga_and_bmp_are_exact), cmocka_unit_test(jpeg_from_png),
		cmocka_unit_test(sixteen_bits_are_rounded), cmocka_unit_test(stitch_refuses), cmocka_unit_test(check_tells),
		cmocka_unit_test(check_sees_damage), cmocka_unit_test(check_sees_black), cmocka_unit_test(check_survives_bombs),
		cmocka_unit_test(display_curve), cmocka_unit_test(thumb_is_the_mean), cmocka_unit_test(display_png_keeps),
		cmocka_unit_test(thumb_refuses),
	};

	return cmocka_run_group_tests_name("image", tests, set_up, tear_down);
}
