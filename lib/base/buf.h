/* buf: the one string buffer. `{0}` is an empty one; data is always NUL-terminated once anything was appended; a failed allocation aborts. */
#ifndef FG_BASE_BUF_H
#define FG_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct fg_buf {
	char  *data; /**< NULL while empty; free with fg_buf_free */
	size_t len;  /**< bytes, without the closing NUL */
	size_t room; /**< bytes allocated */
};

void fg_buf_add(struct fg_buf *buf, const void *bytes, size_t len);
void fg_buf_str(struct fg_buf *buf, const char *text);
void fg_buf_char(struct fg_buf *buf, char c);
void fg_buf_printf(struct fg_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fg_buf_vprintf(struct fg_buf *buf, const char *format, va_list args);

/** Room for `len` more bytes after the present ones; returns where they go. Raise buf->len yourself. */
char *fg_buf_room(struct fg_buf *buf, size_t len);

/** The text, "" while empty; belongs to the buffer. */
const char *fg_buf_text(const struct fg_buf *buf);

void fg_buf_clear(struct fg_buf *buf); /**< length 0, memory kept */
void fg_buf_free(struct fg_buf *buf);  /**< back to {0} */

/** Memory or death: what calloc, realloc and strdup would return if they could not fail. */
void *fg_alloc(size_t size);
void *fg_realloc(void *old, size_t size);
char *fg_strdup(const char *text);

#endif
