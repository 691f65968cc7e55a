/* json: a small JSON object as fields, so that a JSON body counts like a form. */
#ifndef FG_TEXT_JSON_H
#define FG_TEXT_JSON_H

#include <stddef.h>

#include "text/field.h"

/** Its members in order: texts as they are, numbers and true/false (1, 0) as text, null as absent; lists and objects are nobody's fields.
 * FG_EFORMAT: no JSON object, nested deeper than 16, or with anything behind it. */
enum fg_err fg_json_fields(const char *bytes, size_t len, struct fg_field_sink sink);

#endif
