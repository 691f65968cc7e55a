#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
fg_alloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);

	if (p == NULL)
		abort();
	return p;
}

void *
fg_realloc(void *old, size_t size)
{
	void *p = realloc(old, size > 0 ? size : 1);

	if (p == NULL)
		abort();
	return p;
}

char *
fg_strdup(const char *text)
{
	const size_t len = strlen(text) + 1;

	return memcpy(fg_alloc(len), text, len);
}

char *
fg_buf_room(struct fg_buf *buf, size_t len)
{
	if (len > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4)
		abort();
	if (buf->len + len + 1 > buf->room) {
		size_t room = buf->room > 0 ? buf->room : 64;

		while (room < buf->len + len + 1)
			room *= 2;
		buf->data = fg_realloc(buf->data, room);
		buf->room = room;
	}
	return buf->data + buf->len;
}

void
fg_buf_add(struct fg_buf *buf, const void *bytes, size_t len)
{
	char *to = fg_buf_room(buf, len);

	if (len > 0)
		memcpy(to, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
fg_buf_str(struct fg_buf *buf, const char *text)
{
	fg_buf_add(buf, text, strlen(text));
}

void
fg_buf_char(struct fg_buf *buf, char c)
{
	fg_buf_add(buf, &c, 1);
}

void
fg_buf_vprintf(struct fg_buf *buf, const char *format, va_list args)
{
	va_list again;
	int     len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		abort();
	vsnprintf(fg_buf_room(buf, (size_t)len), (size_t)len + 1, format, args);
	buf->len += (size_t)len;
}

void
fg_buf_printf(struct fg_buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fg_buf_vprintf(buf, format, args);
	va_end(args);
}

const char *
fg_buf_text(const struct fg_buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

void
fg_buf_clear(struct fg_buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void
fg_buf_free(struct fg_buf *buf)
{
	free(buf->data);
	*buf = (struct fg_buf){ 0 };
}
