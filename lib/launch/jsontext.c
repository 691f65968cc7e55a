#include "launch/jsontext.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

/* Bytes of the well-formed character at `s`, 0 when there is none. */
static size_t
character(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char lead_min, lead_max, next_min, next_max, size;
	} rows[] = { { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		     { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 } };

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (s[0] < rows[i].lead_min || s[0] > rows[i].lead_max)
			continue;
		if (len < rows[i].size || s[1] < rows[i].next_min || s[1] > rows[i].next_max)
			return 0;
		for (size_t k = 2; k < rows[i].size; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].size;
	}
	return 0;
}

static void
add_escaped(struct fg_buf *out, unsigned char c)
{
	switch (c) {
	case '"': fg_buf_add(out, "\\\"", 2); break;
	case '\\': fg_buf_add(out, "\\\\", 2); break;
	case '\n': fg_buf_add(out, "\\n", 2); break;
	case '\t': fg_buf_add(out, "\\t", 2); break;
	case '\r': fg_buf_add(out, "\\r", 2); break;
	default: fg_buf_printf(out, "\\u%04x", c);
	}
}

static void
add_text(struct fg_buf *out, const char *bytes, size_t len, bool quoted)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t               plain = 0; /* of the run of characters that stand for themselves */

	for (size_t i = 0; i < len;) {
		const size_t size = character(s + i, len - i);
		const bool   special = size == 0 || s[i] == 0 || (quoted && (s[i] < 32 || s[i] == '"' || s[i] == '\\' || s[i] == 127));

		if (!special) {
			plain += size;
			i += size;
			continue;
		}
		fg_buf_add(out, s + i - plain, plain);
		plain = 0;
		if (size == 0)
			fg_buf_add(out, "\xef\xbf\xbd", 3);
		else if (s[i] != 0)
			add_escaped(out, s[i]);
		i++;
	}
	fg_buf_add(out, s + len - plain, plain);
}

void
fg_json_quote(struct fg_buf *out, const char *bytes, size_t len)
{
	fg_buf_char(out, '"');
	add_text(out, bytes, len, true);
	fg_buf_char(out, '"');
}

void
fg_utf8_repair(struct fg_buf *out, const char *bytes, size_t len)
{
	add_text(out, bytes, len, false);
}

struct json_object *
fg_json_number(double number)
{
	char text[40];

	if (!isfinite(number))
		return NULL;
	if (fabs(number) < 1e15 && number == (double)(int64_t)number)
		return json_object_new_int64((int64_t)number);
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	return json_object_new_double_s(number, text);
}

void
fg_html_text(struct fg_buf *out, const char *text, size_t len)
{
	for (size_t at = 0, run; at < len; at += run) {
		for (run = 0; at + run < len && text[at + run] != '&' && text[at + run] != '<'; run++)
			;
		fg_buf_add(out, text + at, run);
		if (run == 0) {
			fg_buf_str(out, text[at] == '&' ? "&amp;" : "&lt;");
			run = 1;
		}
	}
}
