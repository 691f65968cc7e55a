/* escape: text between the languages that we speak. */
#ifndef FG_TEXT_ESCAPE_H
#define FG_TEXT_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** Everything but unreserved characters as %XX: a whole URL may become a value. */
void fg_escape_url(struct fg_buf *out, const char *text);

/** %XX and, where `plus`, + decoded in place; broken escapes stand for themselves. Returns the new length. */
size_t fg_unescape_url(char *text, size_t len, bool plus);

/** A JSON string with its quotes. Well-formed UTF-8 goes through as it is. */
void fg_escape_json(struct fg_buf *out, const char *text);

/** Value of a hexadecimal digit, -1 for anything else. */
int fg_hex_digit(char c);

/** Is it well-formed UTF-8 without NUL? */
bool fg_utf8_valid(const char *bytes, size_t len);

#endif
