/* json_put: members of an object that is being written. */
#ifndef FG_TEXT_JSON_PUT_H
#define FG_TEXT_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

static inline void
fg_put_int(json_object *out, const char *key, int64_t value)
{
	json_object_object_add(out, key, json_object_new_int64(value));
}

/** A number, or null where there is none. */
static inline void
fg_put_int_if(json_object *out, const char *key, bool there, int64_t value)
{
	json_object_object_add(out, key, there ? json_object_new_int64(value) : NULL);
}

/** NULL: null. */
static inline void
fg_put_text(json_object *out, const char *key, const char *value)
{
	json_object_object_add(out, key, value != NULL ? json_object_new_string(value) : NULL);
}

static inline void
fg_put_bool(json_object *out, const char *key, bool value)
{
	json_object_object_add(out, key, json_object_new_boolean(value));
}

#endif
