#include "text/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/buf.h"
#include "text/escape.h"

enum { DEPTH = 16 };

static bool
is_ascii(const char *bytes, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)bytes[i];
	return all < 0x80;
}

/* One character of valid UTF-8. */
static uint32_t
next_character(const char **at)
{
	const unsigned char *p = (const unsigned char *)*at;
	const int            more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
	uint32_t             code = more == 0 ? *p : *p & (0x3fu >> more);

	for (int i = 1; i <= more; i++)
		code = code << 6 | (p[i] & 0x3f);
	*at += 1 + more;
	return code;
}

/* As ASCII, since json-c 0.18 takes any other letter for a control character when it is strict: outside of texts there are none. */
static void
spell(struct fg_buf *out, const char *bytes, size_t len)
{
	for (const char *at = bytes; at < bytes + len;) {
		const uint32_t code = next_character(&at);

		if (code < 0x80)
			fg_buf_char(out, (char)code);
		else if (code < 0x10000)
			fg_buf_printf(out, "\\u%04x", code);
		else
			fg_buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
	}
}

/* Where in the text a place of the spelt one is. */
static size_t
unspell(const char *bytes, size_t len, size_t spelt)
{
	const char *at = bytes;

	for (size_t i = 0; i < spelt && at < bytes + len;) {
		const uint32_t code = next_character(&at);

		i += code < 0x80 ? 1 : code < 0x10000 ? 6 : 12;
	}
	return (size_t)(at - bytes);
}

static enum fg_err
parse(struct json_object **out, const char *bytes, size_t len, int depth, struct fg_json_fault *fault)
{
	struct json_tokener *tokener = json_tokener_new_ex(depth);
	enum json_tokener_error why;

	if (tokener == NULL)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	*out = json_tokener_parse_ex(tokener, bytes, (int)len);
	why = json_tokener_get_error(tokener);
	fault->at = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);
	while (why == json_tokener_success && fault->at < len && memchr(" \t\r\n", bytes[fault->at], 4) != NULL)
		fault->at++;
	if (why == json_tokener_success && fault->at < len)
		why = json_tokener_error_parse_unexpected;
	fault->why = json_tokener_error_desc(why);
	return why == json_tokener_success ? FG_OK : FG_EFORMAT;
}

enum fg_err
fg_json_parse(struct json_object **out, const char *bytes, size_t len, int depth, struct fg_json_fault *fault)
{
	struct fg_json_fault here = { .at = 0, .why = "no text, or too much" };
	struct fg_buf        spelt = { 0 };
	enum fg_err          err = FG_EFORMAT;

	*out = NULL;
	if (len > 0 && len <= INT32_MAX / 6) {
		here.why = "invalid UTF-8";
		if (is_ascii(bytes, len)) {
			err = parse(out, bytes, len, depth, &here);
		} else if (fg_utf8_valid(bytes, len)) {
			spell(&spelt, bytes, len);
			err = parse(out, fg_buf_text(&spelt), spelt.len, depth, &here);
			here.at = unspell(bytes, len, here.at);
		}
	}
	fg_buf_free(&spelt);
	if (err != FG_OK) {
		json_object_put(*out);
		*out = NULL;
	}
	if (fault != NULL)
		*fault = here;
	return err == FG_OK ? FG_OK : fg_fail(FG_EFORMAT, "%s", here.why);
}

static enum fg_err
give(struct fg_field_sink sink, const char *name, const char *text, size_t len)
{
	enum fg_err err = sink.begin(sink.ctx, name, NULL);

	if (err == FG_OK && len > 0)
		err = sink.data(sink.ctx, text, len);
	return err == FG_OK ? sink.end(sink.ctx) : err;
}

static enum fg_err
give_member(struct fg_field_sink sink, const char *name, struct json_object *value)
{
	const char *text;

	switch (json_object_get_type(value)) {
	case json_type_string:
		return give(sink, name, json_object_get_string(value), (size_t)json_object_get_string_len(value));
	case json_type_boolean:
		return give(sink, name, json_object_get_boolean(value) ? "1" : "0", 1);
	case json_type_int:
	case json_type_double:
		text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
		return give(sink, name, text, strlen(text));
	default:
		return FG_OK;
	}
}

enum fg_err
fg_json_fields(const char *bytes, size_t len, struct fg_field_sink sink)
{
	struct json_object *json;
	enum fg_err         err = fg_json_parse(&json, bytes, len, DEPTH, NULL);

	if (err != FG_OK || !json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		return fg_fail(FG_EFORMAT, "the body is not a JSON object");
	}
	json_object_object_foreach(json, name, value)
		if (err == FG_OK)
			err = give_member(sink, name, value);
	json_object_put(json);
	return err;
}
