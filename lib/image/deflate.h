/* deflate: a quick coder for filtered pictures: runs of a byte and Huffman codes, no search for other matches. Inside lib/image only. */
#ifndef FG_IMAGE_DEFLATE_H
#define FG_IMAGE_DEFLATE_H

#include "base/buf.h"

/** Append `len` bytes as deflate blocks that end at a byte, none of them the last; more blocks may follow. */
void fg_deflate_runs(struct fg_buf *out, const unsigned char *bytes, size_t len);

#endif
