/* random: bytes from the kernel, and text made of them. */
#ifndef FG_BASE_RANDOM_H
#define FG_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void     fg_random_bytes(void *out, size_t len); /**< aborts when the kernel has none */
uint32_t fg_random_below(uint32_t limit);        /**< even over 0 … limit-1; limit > 0 */

/** `len` random bytes as lower-case hex; `out` holds 2 × len + 1 bytes. */
void fg_random_hex(char *out, size_t len);

/** Bytes as lower-case hex; `out` holds 2 × len + 1 bytes. */
void fg_hex(char *out, const void *bytes, size_t len);

#endif
