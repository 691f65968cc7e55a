/* rare: headers of TIFF, HDR, DPX, Cineon and IRIS in both byte orders; cut anywhere they are refused; where tiles lie; textures of many tiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "farm/inspect.h"
#include "farm/tile.h"
#include "image/rare.h"

enum { WIDTH = 48, HEIGHT = 32, LARGEST = 1024 };

static void
put(unsigned char *at, uint32_t value, int bytes, bool little)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * (little ? i : bytes - 1 - i));
}

/* Each returns the length from which on the size is told. */
static size_t
make_tiff(unsigned char *out, bool little)
{
	memcpy(out, little ? "II*\0" : "MM\0*", 4);
	put(out + 4, 8, 4, little);
	put(out + 8, 2, 2, little);
	for (int i = 0; i < 2; i++) { /* a SHORT and a LONG */
		unsigned char *entry = out + 10 + i * 12;

		put(entry, i == 0 ? 256 : 257, 2, little);
		put(entry + 2, i == 0 ? 3 : 4, 2, little);
		put(entry + 4, 1, 4, little);
		put(entry + 8, i == 0 ? WIDTH : HEIGHT, i == 0 ? 2 : 4, little);
	}
	return 10 + 24;
}

static size_t
make_hdr(unsigned char *out, bool little)
{
	(void)little;
	return (size_t)snprintf((char *)out, LARGEST, "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d", HEIGHT, WIDTH);
}

static size_t
make_dpx(unsigned char *out, bool little)
{
	memcpy(out, little ? "XPDS" : "SDPX", 4);
	put(out + 772, WIDTH, 4, little);
	put(out + 776, HEIGHT, 4, little);
	return 780;
}

static size_t
make_cineon(unsigned char *out, bool little)
{
	memcpy(out, little ? "\xd7\x5f\x2a\x80" : "\x80\x2a\x5f\xd7", 4);
	put(out + 200, WIDTH, 4, little);
	put(out + 204, HEIGHT, 4, little);
	return 208;
}

static size_t
make_iris(unsigned char *out, bool little)
{
	(void)little;
	memcpy(out, "\x01\xda", 2);
	put(out + 6, WIDTH, 2, false);
	put(out + 8, HEIGHT, 2, false);
	return 512;
}

static enum fg_err
check(const unsigned char *bytes, size_t len, const char *ext, int width, int height)
{
	const int   fd = memfd_create("rare", MFD_CLOEXEC);
	enum fg_err err;

	assert_true(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	err = fg_rare_check(fd, ext, width, height);
	close(fd);
	return err;
}

static void
headers(void **state)
{
	static const struct {
		const char *ext;
		size_t (*make)(unsigned char *out, bool little);
	} table[] = { { "tif", make_tiff }, { "hdr", make_hdr }, { "dpx", make_dpx }, { "cin", make_cineon }, { "rgb", make_iris } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table) * 2; i++) {
		unsigned char bytes[LARGEST] = { 0 };
		const char   *ext = table[i / 2].ext, *other = table[(i / 2 + 1) % 5].ext;
		const size_t  enough = table[i / 2].make(bytes, i % 2 == 1);

		assert_int_equal(check(bytes, enough, ext, WIDTH, HEIGHT), FG_OK);
		assert_int_equal(check(bytes, LARGEST, ext, WIDTH, HEIGHT), FG_OK);
		assert_int_equal(check(bytes, enough, ext, WIDTH + 1, HEIGHT), FG_EINVAL);
		assert_int_equal(check(bytes, enough, ext, HEIGHT, WIDTH), FG_EINVAL);
		assert_int_equal(check(bytes, enough, other, WIDTH, HEIGHT), FG_EFORMAT);
		for (size_t len = 0; len + 2 < enough; len++) { /* the last number of a text may be shorter and still be one */
			const enum fg_err err = check(bytes, len, ext, WIDTH, HEIGHT);

			assert_true(err == FG_EFORMAT || err == FG_EINVAL);
		}
	}
}

/* Integer edges, top row first; overscan stays inside; every pixel is kept once. */
static void
tiles(void **state)
{
	static const struct {
		int width, height, rows, columns, overscan;
	} table[] = { { 161, 91, 2, 3, 7 }, { 1920, 1080, 2, 2, 32 }, { 5, 5, 5, 5, 256 }, { 64, 1, 1, 64, 3 }, { 100, 100, 1, 1, 0 }, { 7, 3, 3, 2, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		int64_t kept = 0;
		int     y = 0;

		for (int row = 0; row < table[i].rows; row++) {
			int x = 0, high = 0;

			for (int column = 0; column < table[i].columns; column++) {
				const struct fg_tile_place p = fg_tile_place(table[i].width, table[i].height, table[i].rows, table[i].columns, row, column, table[i].overscan);

				assert_int_equal(p.kept.x, x);
				assert_int_equal(p.kept.y, y);
				assert_true(p.kept.width > 0 && p.kept.height > 0);
				assert_true(p.rendered.x >= 0 && p.rendered.y >= 0 && p.rendered.x <= p.kept.x && p.kept.x - p.rendered.x <= table[i].overscan);
				assert_true(p.rendered.x + p.rendered.width <= table[i].width && p.rendered.y + p.rendered.height <= table[i].height);
				assert_true(p.rendered.x + p.rendered.width >= p.kept.x + p.kept.width && p.rendered.y + p.rendered.height >= p.kept.y + p.kept.height);
				x += p.kept.width;
				high = p.kept.height;
				kept += (int64_t)p.kept.width * p.kept.height;
			}
			assert_int_equal(x, table[i].width);
			y += high;
		}
		assert_int_equal(kept, (int64_t)table[i].width * table[i].height);
	}
}

static bool
has(void *ctx, const char *path)
{
	(void)ctx;
	return strcmp(path, "tex/skin.1001.png") == 0 || strcmp(path, "plain.png") == 0;
}

static void
missing(void **state)
{
	struct fg_blend_file files[] = { { "//tex/skin.<UDIM>.png", "image" }, { "//tex/hair.<UDIM>.png", "image" }, { "//plain.png", "image" }, { "/abs.png", "image" } };
	const struct fg_blend blend = { .files = files, .nfiles = 4 };

	(void)state;
	assert_int_equal(fg_inspect_missing(&blend, has, NULL, NULL, NULL), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(headers), cmocka_unit_test(tiles), cmocka_unit_test(missing) };

	return cmocka_run_group_tests_name("rare", tests, NULL, NULL);
}
