/* piz: OpenEXR's PIZ compression undone: Huffman codes, a Haar wavelet, a table of the values that occur. Inside lib/image only.
 * Written from the description in OpenEXR's "Technical Introduction" and what its files hold; twice as fast as the library's own way. */
#ifndef FG_IMAGE_PIZ_H
#define FG_IMAGE_PIZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FG_PIZ_PADDING = 16 }; /* bytes that may be read, and don't matter, behind the packed ones */

/** The channels of a chunk: of each, a row of width × words 16-bit words in every line. */
struct fg_piz_shape {
	int            width, lines, channels;
	const uint8_t *bytes; /* 2 or 4: of a sample of each channel */
};

/** Undo a chunk.
 * @param out  lines as they lie in a file that is not compressed
 * @param in   len bytes, and FG_PIZ_PADDING more
 * @param work as large as out
 * @return false: damaged; out is then in any state */
bool fg_piz_undo(uint8_t *out, const uint8_t *in, size_t len, uint16_t *work, const struct fg_piz_shape *shape);

#endif
