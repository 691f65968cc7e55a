/* exr: OpenEXR files of one part, in scanlines or tiles (their full size alone), through OpenEXRCore; inside lib/image only.
 * A line is as it lies in the file: for each channel, in the order of their names, width samples of 2 or 4 bytes, little-endian. */
#ifndef FG_IMAGE_EXR_H
#define FG_IMAGE_EXR_H

#include <openexr.h>

#include "image/codec.h"

enum { FG_EXR_CHANNELS_MAX = 1024 };

struct fg_exr {
	exr_context_t            context;
	int                      fd;
	exr_attr_box2i_t         data, display; /* windows; max inclusive */
	exr_compression_t        compression;
	const exr_attr_chlist_t *channels;
	int                      width, height; /* of the data window */
	int                      chunk_lines;   /* of tiles: a row of them */
	int                      tile_width;    /* 0: in scanlines */
	size_t                   pixel_bytes;   /* of all channels together */
	uint8_t                  bytes[FG_EXR_CHANNELS_MAX]; /* 2 or 4: of a sample of each channel */
};

/** FG_OK, FG_EFORMAT (not readable), FG_EUNSUPPORTED (deep, several parts, subsampled, DWA), FG_ETOOBIG. Close it in any case. */
enum fg_err fg_exr_open(struct fg_exr *exr, int fd);
void        fg_exr_close(struct fg_exr *exr);

/** A chunk of lines, decoded. One for each thread; `{0}` at the start, fg_exr_chunk_free at the end. */
struct fg_exr_chunk {
	struct fg_buf                   packed, halves, plain; /* none, ZIP and PXR24 */
	struct libdeflate_decompressor *inflater;
	exr_decode_pipeline_t           pipeline;              /* the other compressions, and tiles */
	bool                            begun;
	const uint8_t                  *lines; /* the decoded lines, nlines × width × pixel_bytes */
	int                             y, nlines; /* y: of the first line, 0 is the top of the data window */
};

/** Decode the chunk that holds line y (0 is the top of the data window). FG_OK, FG_EINVAL (damaged) */
enum fg_err fg_exr_chunk_read(struct fg_exr_chunk *chunk, const struct fg_exr *exr, int y);
void        fg_exr_chunk_free(struct fg_exr_chunk *chunk, const struct fg_exr *exr);

enum fg_err fg_exr_rows(struct fg_rows *out, int fd); /**< of scanlines */
bool        fg_exr_alike(const struct fg_rows *one, const struct fg_rows *other); /**< the same channels of the same types */

/** A sink for a frame of info.width × height with the channels and attributes of the file behind `like`; *changed tells that the compression
 * of `like` can't be written (or loses), so that the frame gets ZIP. */
enum fg_err fg_exr_sink(struct fg_sink *out, const struct fg_rows *like, bool *changed);

struct fg_exr *fg_exr_of(const struct fg_rows *rows); /**< the file behind rows of fg_exr_rows; theirs */
const char    *fg_exr_compression_name(const struct fg_rows *rows);

#endif
