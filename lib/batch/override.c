#include "batch/override.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "text/escape.h"

enum { DEPTH_MAX = 4, STEPS_MAX = 12, LIST_MAX = 64 };

/* Where a path may begin: what decides how a scene is rendered. */
static const char *const roots[] = { "render", "cycles", "cycles_curves", "eevee", "view_settings", "display_settings", "sequencer_colorspace_settings", "display",
	                             "view_layers", "world", "camera", "gravity", "use_gravity", "use_nodes", "frame_current", "unit_settings", "grease_pencil_settings" };

/* What no path goes through: other files, code, and ways around the scene. */
static const char *const barred[] = { "filepath", "filepath_raw", "animation_data", "driver", "drivers", "expression", "script", "bytecode", "text", "texts", "library",
	                              "id_data", "bl_rna", "rna_type", "original", "override_library", "freestyle_settings", "modules", "sequence_editor" };

static bool
one_of(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

/* --- literals */

static json_object *read_value(const char **at, int depth, bool *ok);

static void
skip_blanks(const char **at)
{
	*at += strspn(*at, " \t");
}

/* A text in either quotes; \\, \', \", \n and \t are the escapes. */
static json_object *
read_text(const char **at, bool *ok)
{
	static const char signs[] = "\\'\"nt", meanings[] = "\\'\"\n\t";
	const char        quote = *(*at)++;
	char              text[FG_OVERRIDE_VALUE];
	size_t            len = 0;

	for (; **at != quote && **at != '\0' && len < sizeof(text) - 1; (*at)++) {
		const char *sign = **at == '\\' && (*at)[1] != '\0' ? strchr(signs, (*at)[1]) : NULL;

		if (**at == '\\' && sign == NULL)
			break;
		text[len++] = sign != NULL ? meanings[sign - signs] : **at;
		*at += sign != NULL;
	}
	*ok = **at == quote;
	*at += *ok;
	return *ok ? json_object_new_string_len(text, (int)len) : NULL;
}

static json_object *
read_number(const char **at, bool *ok)
{
	const size_t len = strspn(*at, "+-0123456789.eE_");
	char         text[64], *end;
	double       real;
	long long    whole;

	*ok = len > 0 && len < sizeof(text) && memchr(*at, '_', len) == NULL;
	if (!*ok)
		return NULL;
	memcpy(text, *at, len);
	text[len] = '\0';
	*at += len;
	errno = 0;
	whole = strtoll(text, &end, 10);
	if (*end == '\0' && errno == 0)
		return json_object_new_int64(whole);
	real = strtod(text, &end);
	*ok = *end == '\0' && isfinite(real);
	return *ok ? json_object_new_double(real) : NULL;
}

static json_object *
read_list(const char **at, int depth, bool *ok)
{
	const char   close = *(*at)++ == '(' ? ')' : ']';
	json_object *list = json_object_new_array();

	*ok = depth < DEPTH_MAX;
	for (skip_blanks(at); *ok && **at != close; skip_blanks(at)) {
		json_object *member = read_value(at, depth + 1, ok);

		json_object_array_add(list, member);
		skip_blanks(at);
		if (**at == ',')
			(*at)++;
		else
			*ok = *ok && **at == close;
		*ok = *ok && json_object_array_length(list) <= LIST_MAX;
	}
	*at += *ok;
	return list;
}

static json_object *
read_word(const char **at, bool *ok)
{
	static const struct {
		const char *word;
		int         value; /* -1: nothing */
	} words[] = { { "True", 1 }, { "False", 0 }, { "None", -1 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const size_t len = strlen(words[i].word);

		if (strncmp(*at, words[i].word, len) == 0 && !isalnum((unsigned char)(*at)[len])) {
			*at += len;
			*ok = true;
			return words[i].value < 0 ? NULL : json_object_new_boolean(words[i].value);
		}
	}
	*ok = false;
	return NULL;
}

static json_object *
read_value(const char **at, int depth, bool *ok)
{
	skip_blanks(at);
	if (**at == '\'' || **at == '"')
		return read_text(at, ok);
	if (**at == '(' || **at == '[')
		return read_list(at, depth, ok);
	return isalpha((unsigned char)**at) ? read_word(at, ok) : read_number(at, ok);
}

enum fg_err
fg_override_value(struct json_object **out, const char *text)
{
	const char *at = text;
	bool        ok = false;

	*out = NULL;
	if (strlen(text) >= FG_OVERRIDE_VALUE || !fg_utf8_valid(text, strlen(text)))
		return fg_fail(FG_EINVAL, "the value is longer than %d bytes, or no UTF-8", FG_OVERRIDE_VALUE - 1);
	*out = read_value(&at, 0, &ok);
	skip_blanks(&at);
	if (ok && *at == '\0')
		return FG_OK;
	json_object_put(*out);
	*out = NULL;
	return fg_fail(FG_EINVAL, "the value is no literal: write a number, a text in quotes, True, False, None, or a list of these");
}

/* --- paths */

static enum fg_err
read_name(json_object *steps, const char **at)
{
	const size_t len = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789_");
	char         name[64];
	const bool   first = json_object_array_length(steps) == 0;

	if (len == 0 || len >= sizeof(name) || !(**at >= 'a' && **at <= 'z'))
		return fg_fail(FG_EINVAL, "the path has something else than names, dots and keys in brackets");
	memcpy(name, *at, len);
	name[len] = '\0';
	*at += len;
	if ((first && !one_of(roots, sizeof(roots) / sizeof(*roots), name)) || one_of(barred, sizeof(barred) / sizeof(*barred), name))
		return fg_fail(FG_EINVAL, "%s may not be set by a recipe; render, cycles, eevee, view_settings, world, camera, view_layers and the like may", name);
	json_object_array_add(steps, json_object_new_string(name));
	return FG_OK;
}

/* ["name"] or [0] */
static enum fg_err
read_key(json_object *steps, const char **at)
{
	json_object *key, *step = json_object_new_object();
	bool         ok = false;

	(*at)++;
	key = **at == '\'' || **at == '"' ? read_text(at, &ok) : isdigit((unsigned char)**at) ? read_number(at, &ok) : NULL;
	json_object_object_add(step, "at", key);
	json_object_array_add(steps, step);
	if (!ok || **at != ']' || (!json_object_is_type(key, json_type_string) && !json_object_is_type(key, json_type_int)))
		return fg_fail(FG_EINVAL, "a key in brackets is a text in quotes or a number");
	(*at)++;
	return FG_OK;
}

enum fg_err
fg_override_path(struct json_object **out, const char *path)
{
	const char *at = path;
	enum fg_err err = FG_OK;

	*out = json_object_new_array();
	if (strlen(path) >= FG_OVERRIDE_PATH || !fg_utf8_valid(path, strlen(path)))
		err = fg_fail(FG_EINVAL, "the path is longer than %d bytes, or no UTF-8", FG_OVERRIDE_PATH - 1);
	if (err == FG_OK)
		err = read_name(*out, &at);
	while (err == FG_OK && *at != '\0')
		if (json_object_array_length(*out) >= STEPS_MAX)
			err = fg_fail(FG_EINVAL, "the path has more than %d steps", STEPS_MAX);
		else if (*at == '[')
			err = read_key(*out, &at);
		else if (*at == '.')
			at++, err = read_name(*out, &at);
		else
			err = fg_fail(FG_EINVAL, "the path has something else than names, dots and keys in brackets");
	if (err == FG_OK)
		return FG_OK;
	json_object_put(*out);
	*out = NULL;
	return err;
}
