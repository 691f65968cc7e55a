/* pictures: makes and reads small pictures for the tests of lib/image, through other code than lib/image's own. */
#ifndef FG_TESTS_PICTURES_H
#define FG_TESTS_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/stitch.h"

/** Samples: width × height × channels of 8 or 16 bits, 16 big-endian, top row first. */
struct picture {
	int      width, height, channels, bits;
	uint8_t *samples;
};

enum pattern { NOISE, SMOOTH, FLAT };

struct picture picture_make(int width, int height, int channels, int bits, enum pattern pattern);
struct picture picture_cut(const struct picture *from, int x, int y, int width, int height);
void           picture_free(struct picture *picture);
size_t         picture_bytes(const struct picture *picture);
bool           picture_same(const struct picture *one, const struct picture *other);

void           write_png(const char *path, const struct picture *picture, bool interlaced); /**< with libpng */
struct picture read_png(const char *path);                                                 /**< with libpng */
void           write_tga(const char *path, const struct picture *picture, bool runs, bool from_top);
void           write_bmp(const char *path, const struct picture *picture, bool from_top);
void           write_jpeg(const char *path, const struct picture *picture);                /**< with libjpeg, quality 100 */
void           write_bytes(const char *path, const void *bytes, size_t len);

/** A temporary folder, and paths in it. */
const char *dir_make(void);
const char *dir_path(const char *name); /**< one of 64 buffers, used in turn */
void        dir_remove(void);

/** The places of rows × columns tiles, each with `overscan` around it as far as the frame goes. */
struct tiling {
	struct fg_stitch_tile tiles[64];
	struct { int x, y, width, height; } files[64]; /**< what part of the frame each file shows */
	int rows, columns, width, height;
};
struct tiling tiling_make(int width, int height, int rows, int columns, int overscan);

#endif
