/* json_stream: the members of a JSON object as they stream in, so that a text among them may be a file of any size. Memory: this struct.
 * Texts, numbers, true and false (1, 0) are fields as in text/json; null, lists and objects are nobody's fields, and are skipped unread but for their brackets. */
#ifndef FG_TEXT_JSON_STREAM_H
#define FG_TEXT_JSON_STREAM_H

#include <stdbool.h>

#include "text/field.h"

enum { FG_JSON_STREAM_NAME = 64, FG_JSON_STREAM_LITERAL = 64, FG_JSON_STREAM_DEPTH = 16 };

struct fg_json_stream {
	struct fg_field_sink sink;
	enum {
		FG_JSON_START, FG_JSON_FIRST, FG_JSON_NAME_DUE, FG_JSON_NAME, FG_JSON_COLON, FG_JSON_VALUE, FG_JSON_STRING, FG_JSON_LITERAL, FG_JSON_NESTED,
		FG_JSON_NEXT, FG_JSON_DONE
	} state;
	char     name[FG_JSON_STREAM_NAME], literal[FG_JSON_STREAM_LITERAL], open[FG_JSON_STREAM_DEPTH];
	size_t   name_len, literal_len;
	int      depth;              /**< brackets open within a value that is skipped */
	bool     quoted, escaped;    /**< in a string of such a value */
	int      hex;                /**< digits of a \u escape still expected */
	bool     after_slash;
	unsigned code, high;         /**< of that escape; the first half of a surrogate pair, 0 none */
};

void        fg_json_stream_init(struct fg_json_stream *json, struct fg_field_sink sink);
enum fg_err fg_json_stream_feed(struct fg_json_stream *json, const char *bytes, size_t len); /**< FG_EFORMAT */
enum fg_err fg_json_stream_end(struct fg_json_stream *json); /**< FG_EFORMAT: it was no object, or not whole */

#endif
