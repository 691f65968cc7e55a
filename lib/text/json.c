#include "text/json.h"

#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

enum { DEPTH = 16 };

static struct json_object *
parse(const char *bytes, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object  *json = NULL;

	if (tokener == NULL)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	json = json_tokener_parse_ex(tokener, bytes, (int)len);
	for (size_t i = json_tokener_get_parse_end(tokener); json != NULL && i < len; i++)
		if (memchr(" \t\r\n", bytes[i], 4) == NULL) {
			json_object_put(json);
			json = NULL;
		}
	json_tokener_free(tokener);
	return json;
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
	struct json_object *json = len > 0 && len <= INT32_MAX ? parse(bytes, len) : NULL;
	enum fg_err         err = FG_OK;

	if (!json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		return fg_fail(FG_EFORMAT, "the body is not a JSON object");
	}
	json_object_object_foreach(json, name, value)
		if (err == FG_OK)
			err = give_member(sink, name, value);
	json_object_put(json);
	return err;
}
