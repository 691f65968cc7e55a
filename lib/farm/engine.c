#include "farm/engine.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "text/escape.h"

enum { WORD = 24, NAME = 3 * 63 };

static const char *const types[] = { "CYCLES", "BLENDER_EEVEE", "BLENDER_RENDER", "NON_COMPATIBLE" };
static const char *const numbers[] = { "frame", "mem", "peak", "elapsed", "remaining", "samples_done", "samples_todo", "tiles_done", "tiles_todo", "part_done", "part_todo" };
static const char *const places[] = { "scene", "layer" };

static const char *
one_of(const char *const *list, size_t count, const char *at, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == len && strncmp(list[i], at, len) == 0)
			return list[i];
	return NULL;
}

/* A name of the scene's, with %XX in it; NULL when it is none. */
static json_object *
name_of(const char *at, size_t len)
{
	char   name[NAME + 1];
	size_t size;

	if (len > NAME)
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)len, at);
	size = fg_unescape_url(name, len, false);
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return NULL;
	return fg_utf8_valid(name, size) ? json_object_new_string_len(name, (int)size) : NULL;
}

/* The value of NAME=VALUE; NULL when this is none that we know. */
static json_object *
value_of(const char **name, const char *word, size_t len)
{
	const char  *equals = memchr(word, '=', len), *value = equals + 1;
	const size_t key = equals != NULL ? (size_t)(equals - word) : 0, size = equals != NULL ? len - key - 1 : 0;

	if (equals == NULL)
		return NULL;
	if ((*name = one_of(places, sizeof(places) / sizeof(*places), word, key)) != NULL)
		return name_of(value, size);
	*name = one_of(numbers, sizeof(numbers) / sizeof(*numbers), word, key);
	if (*name == NULL || size == 0 || size >= WORD || strspn(value, "0123456789.:KMG") < size)
		return NULL;
	return json_object_new_string_len(value, (int)size);
}

/* The words behind the type; false when one of them is wrong. */
static bool
add_words(json_object *data, const char *at)
{
	for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
		const size_t len = strcspn(at, " ");
		const char  *name;
		json_object *value = value_of(&name, at, len);

		if (value == NULL)
			return false;
		json_object_object_add(data, name, value);
		at += len;
	}
	return true;
}

void
fg_engine_json(char out[FG_ENGINE_JSON], const char *told)
{
	const size_t len = strcspn(told, " ");
	const char  *type = one_of(types, sizeof(types) / sizeof(*types), told, len), *text;
	json_object *whole, *data;

	out[0] = '\0';
	if (type == NULL)
		return;
	whole = json_object_new_object();
	data = json_object_new_object();
	json_object_object_add(whole, "type", json_object_new_string(type));
	json_object_object_add(whole, "data", data);
	if (add_words(data, told + len)) {
		if (json_object_object_length(data) == 0)
			json_object_object_add(whole, "data", NULL);
		text = json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		if (strlen(text) < FG_ENGINE_JSON)
			snprintf(out, FG_ENGINE_JSON, "%s", text);
	}
	json_object_put(whole);
}
