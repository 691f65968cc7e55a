/* jsontext: JSON going out by hand: quoted texts and numbers that read as they were meant. */
#ifndef FG_LAUNCH_JSONTEXT_H
#define FG_LAUNCH_JSONTEXT_H

#include "base/buf.h"

struct json_object;

/** `bytes` as a JSON text with its quotes. Bytes that are no UTF-8 become U+FFFD, control characters are escaped, NUL is left out. */
void fg_json_quote(struct fg_buf *out, const char *bytes, size_t len);

/** As text in HTML: & and < as entities. A JSON text stays the same text with its strings so written. */
void fg_html_text(struct fg_buf *out, const char *text, size_t len);

/** Only the repair of fg_json_quote: well-formed UTF-8 without NUL. */
void fg_utf8_repair(struct fg_buf *out, const char *bytes, size_t len);

/** A number with as few digits as bring it back (0.1, not 0.10000000000000001); NULL (JSON's null) for what is not finite. */
struct json_object *fg_json_number(double number);

#endif
