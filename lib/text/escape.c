#include "text/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fg_escape_url(struct fg_buf *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			fg_buf_char(out, *text);
		else
			fg_buf_printf(out, "%%%02X", (unsigned char)*text);
}

int
fg_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t
fg_unescape_url(char *text, size_t len, bool plus)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		const int high = i + 2 < len && text[i] == '%' ? fg_hex_digit(text[i + 1]) : -1, low = high >= 0 ? fg_hex_digit(text[i + 2]) : -1;

		if (low >= 0) {
			text[to++] = (char)(high * 16 + low);
			i += 2;
		} else {
			text[to++] = plus && text[i] == '+' ? ' ' : text[i];
		}
	}
	text[to] = '\0';
	return to;
}

bool
fg_utf8_valid(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes, *end = p + len;

	while (p < end) {
		unsigned long code;
		int           more;

		if (*p < 0x80) {
			if (*p++ == '\0')
				return false;
			continue;
		}
		if (*p >= 0xc2 && *p <= 0xdf)
			more = 1, code = *p & 0x1f;
		else if (*p >= 0xe0 && *p <= 0xef)
			more = 2, code = *p & 0x0f;
		else if (*p >= 0xf0 && *p <= 0xf4)
			more = 3, code = *p & 0x07;
		else
			return false;
		if (end - p <= more)
			return false;
		for (int i = 1; i <= more; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (p[i] & 0x3f);
		}
		if ((more == 2 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) || (more == 3 && (code < 0x10000 || code > 0x10ffff)))
			return false;
		p += more + 1;
	}
	return true;
}

void
fg_escape_json(struct fg_buf *out, const char *text)
{
	fg_buf_char(out, '"');
	for (; *text != '\0'; text++)
		if (*text == '"' || *text == '\\') {
			fg_buf_char(out, '\\');
			fg_buf_char(out, *text);
		} else if ((unsigned char)*text < 0x20)
			fg_buf_printf(out, "\\u%04x", (unsigned char)*text);
		else
			fg_buf_char(out, *text);
	fg_buf_char(out, '"');
}
