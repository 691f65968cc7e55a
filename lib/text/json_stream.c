#include "text/json_stream.h"

#include <stdio.h>
#include <string.h>

void
fg_json_stream_init(struct fg_json_stream *json, struct fg_field_sink sink)
{
	memset(json, 0, sizeof(*json));
	json->sink = sink;
}

static enum fg_err
bad(void)
{
	return fg_fail(FG_EFORMAT, "the body is not a JSON object");
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Characters of a name or text: names that are too long for any table are cut, which makes them nobody's. */
static enum fg_err
put(struct fg_json_stream *json, const char *bytes, size_t len)
{
	if (json->state == FG_JSON_STRING)
		return json->sink.data(json->sink.ctx, bytes, len);
	for (size_t i = 0; i < len && json->name_len + 1 < sizeof(json->name); i++)
		json->name[json->name_len++] = bytes[i];
	json->name[json->name_len] = '\0';
	return FG_OK;
}

static enum fg_err
put_code(struct fg_json_stream *json, unsigned code)
{
	char   utf8[4];
	size_t len = 0;

	if (code < 0x80) {
		utf8[len++] = (char)code;
	} else if (code < 0x800) {
		utf8[len++] = (char)(0xc0 | code >> 6);
		utf8[len++] = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		utf8[len++] = (char)(0xe0 | code >> 12);
		utf8[len++] = (char)(0x80 | (code >> 6 & 0x3f));
		utf8[len++] = (char)(0x80 | (code & 0x3f));
	} else {
		utf8[len++] = (char)(0xf0 | code >> 18);
		utf8[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		utf8[len++] = (char)(0x80 | (code >> 6 & 0x3f));
		utf8[len++] = (char)(0x80 | (code & 0x3f));
	}
	return put(json, utf8, len);
}

/* A \uXXXX is whole: a character, or half of one. */
static enum fg_err
end_escape(struct fg_json_stream *json)
{
	const unsigned code = json->code, high = json->high;

	json->high = 0;
	if (code == 0 || (code >= 0xdc00 && code < 0xe000) != (high != 0))
		return bad();
	if (high != 0)
		return put_code(json, 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00));
	if (code >= 0xd800 && code < 0xdc00) {
		json->high = code;
		return FG_OK;
	}
	return put_code(json, code);
}

static enum fg_err
take_hex(struct fg_json_stream *json, char c)
{
	const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

	if (digit < 0)
		return bad();
	json->code = json->code << 4 | (unsigned)digit;
	return --json->hex == 0 ? end_escape(json) : FG_OK;
}

static enum fg_err
take_escape(struct fg_json_stream *json, char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char       *at = c != '\0' ? strchr(from, c) : NULL;

	json->after_slash = false;
	if (c == 'u') {
		json->hex = 4;
		json->code = 0;
		return FG_OK;
	}
	if (at == NULL || json->high != 0)
		return bad();
	return put(json, &to[at - from], 1);
}

static enum fg_err
end_string(struct fg_json_stream *json)
{
	const bool text = json->state == FG_JSON_STRING;

	if (json->high != 0)
		return bad();
	json->state = text ? FG_JSON_NEXT : FG_JSON_COLON;
	return text ? json->sink.end(json->sink.ctx) : FG_OK;
}

/* As much of a string as stands in one piece; `*taken` says how much that was. */
static enum fg_err
take_string(struct fg_json_stream *json, const char *bytes, size_t len, size_t *taken)
{
	size_t run = 0;

	*taken = 1;
	if (json->hex > 0)
		return take_hex(json, bytes[0]);
	if (json->after_slash)
		return take_escape(json, bytes[0]);
	if (bytes[0] == '\\') {
		json->after_slash = true;
		return FG_OK;
	}
	if (bytes[0] == '"')
		return end_string(json);
	while (run < len && bytes[run] != '"' && bytes[run] != '\\' && (unsigned char)bytes[run] >= 0x20)
		run++;
	if (run == 0 || json->high != 0)
		return bad();
	*taken = run;
	return put(json, bytes, run);
}

/* Numbers, true, false, null: whole when something else follows. */
static enum fg_err
end_literal(struct fg_json_stream *json)
{
	static const char signs[] = "+-.0123456789eE";
	const char       *text = json->literal;
	enum fg_err       err;

	json->literal[json->literal_len] = '\0';
	json->state = FG_JSON_NEXT;
	if (strcmp(text, "null") == 0)
		return FG_OK;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		text = text[0] == 't' ? "1" : "0";
	else if ((text[0] != '-' && (text[0] < '0' || text[0] > '9')) || strspn(text, signs) != strlen(text))
		return bad();
	if ((err = json->sink.begin(json->sink.ctx, json->name, NULL)) != FG_OK || (err = json->sink.data(json->sink.ctx, text, strlen(text))) != FG_OK)
		return err;
	return json->sink.end(json->sink.ctx);
}

static enum fg_err
take_nested(struct fg_json_stream *json, char c)
{
	if (json->quoted) {
		if (json->escaped)
			json->escaped = false;
		else if (c == '\\')
			json->escaped = true;
		else if (c == '"')
			json->quoted = false;
		return FG_OK;
	}
	if (c == '"') {
		json->quoted = true;
	} else if (c == '{' || c == '[') {
		if (json->depth == FG_JSON_STREAM_DEPTH)
			return bad();
		json->open[json->depth++] = c;
	} else if (c == '}' || c == ']') {
		if (json->open[--json->depth] != (c == '}' ? '{' : '['))
			return bad();
		if (json->depth == 0)
			json->state = FG_JSON_NEXT;
	}
	return FG_OK;
}

static enum fg_err
begin_value(struct fg_json_stream *json, char c)
{
	if (c == '"') {
		json->state = FG_JSON_STRING;
		return json->sink.begin(json->sink.ctx, json->name, NULL);
	}
	if (c == '{' || c == '[') {
		json->state = FG_JSON_NESTED;
		return take_nested(json, c);
	}
	if (c == ',' || c == '}' || c == ']' || c == ':')
		return bad();
	json->literal[0] = c;
	json->literal_len = 1;
	json->state = FG_JSON_LITERAL;
	return FG_OK;
}

/* Between names and values. */
static enum fg_err
take_sign(struct fg_json_stream *json, char c)
{
	if (is_blank(c))
		return FG_OK;
	switch (json->state) {
	case FG_JSON_START:
		json->state = FG_JSON_FIRST;
		return c == '{' ? FG_OK : bad();
	case FG_JSON_FIRST:
	case FG_JSON_NAME_DUE:
		if (c == '}' && json->state == FG_JSON_FIRST) {
			json->state = FG_JSON_DONE;
			return FG_OK;
		}
		json->state = FG_JSON_NAME;
		json->name_len = 0;
		json->name[0] = '\0';
		return c == '"' ? FG_OK : bad();
	case FG_JSON_COLON:
		json->state = FG_JSON_VALUE;
		return c == ':' ? FG_OK : bad();
	case FG_JSON_VALUE:
		return begin_value(json, c);
	case FG_JSON_NEXT:
		json->state = c == ',' ? FG_JSON_NAME_DUE : FG_JSON_DONE;
		return c == ',' || c == '}' ? FG_OK : bad();
	default:
		return bad();
	}
}

static enum fg_err
take_literal(struct fg_json_stream *json, char c)
{
	enum fg_err err;

	if (is_blank(c) || c == ',' || c == '}')
		return (err = end_literal(json)) == FG_OK ? take_sign(json, c) : err;
	if (json->literal_len + 1 == sizeof(json->literal))
		return bad();
	json->literal[json->literal_len++] = c;
	return FG_OK;
}

enum fg_err
fg_json_stream_feed(struct fg_json_stream *json, const char *bytes, size_t len)
{
	enum fg_err err = FG_OK;

	for (size_t at = 0, taken = 1; err == FG_OK && at < len; at += taken, taken = 1) {
		if (json->state == FG_JSON_NAME || json->state == FG_JSON_STRING)
			err = take_string(json, bytes + at, len - at, &taken);
		else if (json->state == FG_JSON_LITERAL)
			err = take_literal(json, bytes[at]);
		else if (json->state == FG_JSON_NESTED)
			err = take_nested(json, bytes[at]);
		else
			err = take_sign(json, bytes[at]);
	}
	return err;
}

enum fg_err
fg_json_stream_end(struct fg_json_stream *json)
{
	return json->state == FG_JSON_DONE ? FG_OK : bad();
}
