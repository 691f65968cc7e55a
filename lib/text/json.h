/* json: a JSON text as json-c's tree, strictly; and a small JSON object as fields, so that a JSON body counts like a form. */
#ifndef FG_TEXT_JSON_H
#define FG_TEXT_JSON_H

#include <stddef.h>

#include "text/field.h"

struct json_object;

/** What is wrong with a JSON text, and where. */
struct fg_json_fault {
	size_t      at;  /**< byte of the text, or its length */
	const char *why; /**< static */
};

/** Any JSON text by RFC 8259: UTF-8, nothing around it but blanks, no comma before a closing bracket, no comments.
 * @param out   a reference for the caller; NULL for null, and after a failure
 * @param fault filled after a failure; may be NULL
 * @return FG_OK, FG_EFORMAT (as text: the fault's why) */
enum fg_err fg_json_parse(struct json_object **out, const char *bytes, size_t len, int depth, struct fg_json_fault *fault);

/** Its members in order: texts as they are, numbers and true/false (1, 0) as text, null as absent; lists and objects are nobody's fields.
 * FG_EFORMAT: no JSON object, nested deeper than 16, or with anything behind it. */
enum fg_err fg_json_fields(const char *bytes, size_t len, struct fg_field_sink sink);

#endif
