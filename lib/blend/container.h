/* container: the bytes of a .blend, whatever it is packed in, one after another. */
#ifndef FG_BLEND_CONTAINER_H
#define FG_BLEND_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fg_container;

enum fg_err fg_container_open(struct fg_container **out, int fd, int64_t max_bytes); /**< free with fg_container_free */
void        fg_container_free(struct fg_container *container);

/** Exactly `len` bytes; `bytes` NULL skips them. FG_EFORMAT: the file ends before, or its packing is broken. FG_ETOOBIG */
enum fg_err fg_container_read(struct fg_container *container, void *bytes, size_t len);

#endif
