/* codec: what the formats' files share among themselves; nothing outside lib/image includes it.
 * A picture comes in through `fg_rows` and goes out through `fg_sink`; each format makes its own. EXR has its own ways (exr.h). */
#ifndef FG_IMAGE_CODEC_H
#define FG_IMAGE_CODEC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "image/image.h"

/** A file read forward through a small buffer. */
struct fg_in {
	int     fd;
	off_t   at;        /**< offset of the next byte that is not in the buffer */
	size_t  len, used; /**< bytes in the buffer, and those given out */
	uint8_t bytes[16384];
};

/** Up to `len` bytes from the file; fewer only at its end or after a read error. */
size_t fg_in_read(struct fg_in *in, void *out, size_t len);
int    fg_in_byte(struct fg_in *in);            /**< -1 at the end */
void   fg_in_seek(struct fg_in *in, off_t at);

/** A picture read row by row, from the top. A row is width × channels samples: grey, grey+alpha, R G B or R G B A; 16 bits big-endian.
 * That is one plane. EXR has one for each channel, one after another in the row (exr.h). */
struct fg_rows {
	struct fg_image_info info; /**< channels as they are in the rows */
	int            planes;
	const uint8_t *plane_bytes; /**< of a pixel in each plane */
	size_t         pixel_bytes; /**< of a pixel in all planes: a row is width × this */
	void  *codec;
	enum fg_err (*read)(struct fg_rows *rows, uint8_t *row); /**< the next row; with the last one the file's end is checked; FG_EINVAL */
	void (*close)(struct fg_rows *rows);
};

/** Open any format. Close it also after a failure; `{0}` may be closed. FG_EFORMAT, FG_EINVAL, FG_EUNSUPPORTED, FG_ETOOBIG */
enum fg_err fg_rows_open(struct fg_rows *out, int fd);
void        fg_rows_close(struct fg_rows *rows);

static inline size_t
fg_row_bytes(const struct fg_image_info *info)
{
	return (size_t)info->width * (size_t)info->channels * (size_t)(info->bits / 8);
}

/** A row as 8-bit R G B A, whatever it was: grey is spread, no alpha is 255, 16 bits are rounded. `rgba` holds width × 4. */
void fg_row_rgba(uint8_t *rgba, const uint8_t *row, const struct fg_image_info *info);

/** Are all colour bytes of the row 0? Alpha doesn't count. */
bool fg_row_is_black(const uint8_t *row, const struct fg_image_info *info);

/** Some rows of a picture on their way out. */
struct fg_band {
	int            y;
	const uint8_t *above; /**< the row before; NULL at the top */
	const uint8_t *rows;
	int            nrows;
};

/** A picture written band by band: encode() may run for several bands at once, each with a `slot` of its own; put() follows for each, in
 * order. Formats that can't encode apart do all in put() and have encode NULL. */
struct fg_sink {
	struct fg_image_info info; /**< rows come in this shape */
	int    fd;
	int    rows_multiple; /**< bands are multiples of this high, but for the last */
	void  *codec;
	enum fg_err (*encode)(struct fg_sink *sink, const struct fg_band *band, int slot);
	enum fg_err (*put)(struct fg_sink *sink, const struct fg_band *band, int slot);
	enum fg_err (*end)(struct fg_sink *sink);
	void (*close)(struct fg_sink *sink);
};

enum { FG_SINK_SLOTS = 16 };

/** Any format but EXR (exr.h). `{0}` may be closed. Each begins its file at once. */
enum fg_err fg_sink_open(struct fg_sink *out, int fd, const struct fg_image_info *info, int quality);
void        fg_sink_close(struct fg_sink *sink);

/* The formats. `head` is the file's first bytes. */
enum { FG_HEAD_BYTES = 80 };
enum fg_err fg_png_probe(struct fg_image_info *out, const uint8_t *head, size_t len);
enum fg_err fg_jpeg_probe(struct fg_image_info *out, int fd);
enum fg_err fg_tga_probe(struct fg_image_info *out, int fd);
enum fg_err fg_bmp_probe(struct fg_image_info *out, const uint8_t *head, size_t len);
enum fg_err fg_exr_probe(struct fg_image_info *out, int fd);
enum fg_err fg_png_rows(struct fg_rows *out, int fd);
enum fg_err fg_jpeg_rows(struct fg_rows *out, int fd);
enum fg_err fg_tga_rows(struct fg_rows *out, int fd);
enum fg_err fg_bmp_rows(struct fg_rows *out, int fd);
enum fg_err fg_png_sink(struct fg_sink *out);
enum fg_err fg_jpeg_sink(struct fg_sink *out, int quality);
enum fg_err fg_tga_sink(struct fg_sink *out);
enum fg_err fg_bmp_sink(struct fg_sink *out);

/** The quick way to check an ordinary PNG: CRCs, one inflate, filter types. Sets *done when it has answered; else the rows must be read. */
enum fg_err fg_png_check(bool *black, bool *done, int fd, const struct fg_image_info *info);
enum fg_err fg_exr_check(bool *black, int fd);

static inline uint32_t
fg_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t
fg_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline int
fg_le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline void
fg_put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
}

#endif
