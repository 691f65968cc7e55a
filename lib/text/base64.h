/* base64: its letters in pieces, bytes out. Line breaks are passed over; anything behind the padding is an error. */
#ifndef FG_TEXT_BASE64_H
#define FG_TEXT_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fg_base64 {
	uint32_t bits;
	int      count, padding; /**< letters of the group at hand; '=' seen */
};

/** Decode `len` letters into `out`, which has room for len / 4 * 3 + 3 bytes. `*made` is how many. FG_EFORMAT */
enum fg_err fg_base64_feed(struct fg_base64 *base64, uint8_t *out, size_t *made, const char *letters, size_t len);
enum fg_err fg_base64_end(const struct fg_base64 *base64); /**< FG_EFORMAT: it was cut off */

#endif
