/* pictures: see pictures.h */
#include "pictures.h"

#include <assert.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>

#include "base/buf.h"
#include "base/fs.h"

size_t
picture_bytes(const struct picture *p)
{
	return (size_t)p->width * (size_t)p->height * (size_t)p->channels * (size_t)p->bits / 8;
}

struct picture
picture_make(int width, int height, int channels, int bits, enum pattern pattern)
{
	struct picture p = { width, height, channels, bits, NULL };
	size_t         n = picture_bytes(&p), row = n / (size_t)height;
	uint32_t       seed = 12345;

	p.samples = fg_alloc(n);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p.samples[i] = pattern == NOISE ? (uint8_t)(seed >> 24) : pattern == SMOOTH ? (uint8_t)(i % row / 7 + i / row * 3 + (seed >> 30)) :
			(uint8_t)(i % row / 40 * 40 + i / row / 16);
	}
	return p;
}

struct picture
picture_cut(const struct picture *from, int x, int y, int width, int height)
{
	struct picture p = { width, height, from->channels, from->bits, NULL };
	size_t         pixel = (size_t)p.channels * (size_t)p.bits / 8;

	p.samples = fg_alloc(picture_bytes(&p));
	for (int i = 0; i < height; i++)
		memcpy(p.samples + (size_t)i * (size_t)width * pixel, from->samples + ((size_t)(y + i) * (size_t)from->width + (size_t)x) * pixel,
			(size_t)width * pixel);
	return p;
}

void
picture_free(struct picture *p)
{
	free(p->samples);
	p->samples = NULL;
}

bool
picture_same(const struct picture *a, const struct picture *b)
{
	return a->width == b->width && a->height == b->height && a->channels == b->channels && a->bits == b->bits &&
	       memcmp(a->samples, b->samples, picture_bytes(a)) == 0;
}

void
write_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert(f != NULL);
	if (fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		abort();
}

void
write_png(const char *path, const struct picture *p, bool interlaced)
{
	static const int kinds[] = { 0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA };
	png_structp      png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop        info = png_create_info_struct(png);
	png_bytepp       rows = fg_alloc((size_t)p->height * sizeof(*rows));
	FILE            *f = fopen(path, "wb");

	for (int y = 0; y < p->height; y++)
		rows[y] = p->samples + (size_t)y * picture_bytes(p) / (size_t)p->height;
	png_init_io(png, f);
	png_set_IHDR(png, info, (png_uint_32)p->width, (png_uint_32)p->height, p->bits, kinds[p->channels],
		interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
	png_set_text(png, info, &(png_text){ .compression = PNG_TEXT_COMPRESSION_NONE, .key = (char[]){ "File" }, .text = (char[]){ "scene.blend" } }, 1);
	png_set_rows(png, info, rows);
	png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
	png_destroy_write_struct(&png, &info);
	fclose(f);
	free(rows);
}

struct picture
read_png(const char *path)
{
	png_structp    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop      info = png_create_info_struct(png);
	FILE          *f = fopen(path, "rb");
	struct picture p = { 0 };

	assert(f != NULL);
	png_init_io(png, f);
	png_read_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
	p.width = (int)png_get_image_width(png, info);
	p.height = (int)png_get_image_height(png, info);
	p.channels = png_get_channels(png, info);
	p.bits = png_get_bit_depth(png, info);
	p.samples = fg_alloc(picture_bytes(&p));
	for (int y = 0; y < p.height; y++)
		memcpy(p.samples + (size_t)y * picture_bytes(&p) / (size_t)p.height, png_get_rows(png, info)[y], picture_bytes(&p) / (size_t)p.height);
	png_destroy_read_struct(&png, &info, NULL);
	fclose(f);
	return p;
}

static void
put16(FILE *f, int v)
{
	fputc(v & 255, f);
	fputc(v >> 8 & 255, f);
}

static void
put_bgr(FILE *f, const uint8_t *pixel, int channels)
{
	if (channels >= 3) {
		fputc(pixel[2], f);
		fputc(pixel[1], f);
	}
	fputc(pixel[0], f);
	if (channels == 4)
		fputc(pixel[3], f);
}

/* Runs cross rows here, as old programs wrote them. */
void
write_tga(const char *path, const struct picture *p, bool runs, bool from_top)
{
	FILE  *f = fopen(path, "wb");
	int    n = p->channels, total = p->width * p->height;
	size_t line = (size_t)p->width * (size_t)n;

	fputs("\4", f), fputc(0, f), fputc((n == 1 ? 3 : 2) + (runs ? 8 : 0), f);
	for (int i = 0; i < 9; i++)
		fputc(0, f);
	put16(f, p->width), put16(f, p->height), fputc(n * 8, f), fputc((from_top ? 0x20 : 0) | (n == 4 ? 8 : 0), f);
	fputs("test", f);
	for (int i = 0; i < total;) {
		const uint8_t *at[129];
		int            run = 1;

		for (int k = 0; k < 129 && i + k < total; k++) {
			int row = (i + k) / p->width;

			at[k] = p->samples + (size_t)(from_top ? row : p->height - 1 - row) * line + (size_t)((i + k) % p->width) * (size_t)n;
		}
		while (runs && run < 128 && i + run < total && memcmp(at[run], at[0], (size_t)n) == 0)
			run++;
		if (runs)
			fputc(run > 1 ? 127 + run : 0, f);
		put_bgr(f, at[0], n);
		i += run;
	}
	fclose(f);
}

void
write_bmp(const char *path, const struct picture *p, bool from_top)
{
	FILE *f = fopen(path, "wb");
	int   stride = (p->width * 3 + 3) / 4 * 4, size = 54 + stride * p->height, height = from_top ? -p->height : p->height;

	fputs("BM", f), put16(f, size), put16(f, size >> 16), put16(f, 0), put16(f, 0), put16(f, 54), put16(f, 0), put16(f, 40), put16(f, 0);
	put16(f, p->width), put16(f, 0), put16(f, height), put16(f, height >> 16), put16(f, 1), put16(f, 24);
	for (int i = 0; i < 24; i++)
		fputc(0, f);
	for (int y = 0; y < p->height; y++) {
		const uint8_t *row = p->samples + (size_t)(from_top ? y : p->height - 1 - y) * (size_t)p->width * 3;

		for (int x = 0; x < p->width; x++)
			put_bgr(f, row + (size_t)x * 3, 3);
		for (int i = p->width * 3; i < stride; i++)
			fputc(0, f);
	}
	fclose(f);
}

void
write_jpeg(const char *path, const struct picture *p)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr       trouble;
	FILE                       *f = fopen(path, "wb");

	jpeg.err = jpeg_std_error(&trouble);
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, f);
	jpeg.image_width = (JDIMENSION)p->width;
	jpeg.image_height = (JDIMENSION)p->height;
	jpeg.input_components = p->channels;
	jpeg.in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 100, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	for (int y = 0; y < p->height; y++) {
		JSAMPROW row = p->samples + (size_t)y * (size_t)p->width * (size_t)p->channels;

		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	fclose(f);
}

static char dir[64];

const char *
dir_make(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/farmgate-image-XXXXXX");
	return mkdtemp(dir);
}

const char *
dir_path(const char *name)
{
	static char paths[64][128];
	static int  next;
	char       *path = paths[next++ % 64];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

void
dir_remove(void)
{
	fg_fs_remove_tree(dir);
}

struct tiling
tiling_make(int width, int height, int rows, int columns, int overscan)
{
	struct tiling t = { .rows = rows, .columns = columns, .width = width, .height = height };

	for (int r = 0; r < rows; r++)
		for (int c = 0; c < columns; c++) {
			int i = r * columns + c, x0 = c * width / columns, x1 = (c + 1) * width / columns, y0 = r * height / rows, y1 = (r + 1) * height / rows;
			int left = x0 < overscan ? x0 : overscan, top = y0 < overscan ? y0 : overscan;
			int right = width - x1 < overscan ? width - x1 : overscan, bottom = height - y1 < overscan ? height - y1 : overscan;

			t.tiles[i] = (struct fg_stitch_tile){ .x = x0, .y = y0, .width = x1 - x0, .height = y1 - y0, .skip_left = left, .skip_top = top };
			t.files[i].x = x0 - left;
			t.files[i].y = y0 - top;
			t.files[i].width = x1 - x0 + left + right;
			t.files[i].height = y1 - y0 + top + bottom;
		}
	return t;
}
