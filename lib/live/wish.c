#include "live/wish.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "text/json.h"

enum { DEPTH = 4 };

static const struct {
	const char      *body;
	enum fg_wish_kind kind;
} kinds[] = { { "get_active_jobs", FG_WISH_ACTIVE }, { "get_recent_jobs", FG_WISH_RECENT }, { "get_older_jobs", FG_WISH_OLDER },
	      { "get_job_details", FG_WISH_DETAILS }, { "get_image_preview", FG_WISH_PREVIEW } };

static const char id_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* A member's text when it is made of `letters` alone and fits, else "". Numbers count as their digits. */
static void
member(char *out, size_t size, json_object *object, const char *key, const char *letters)
{
	json_object *value = NULL;
	const char  *text;

	*out = '\0';
	if (!json_object_object_get_ex(object, key, &value) ||
	    (!json_object_is_type(value, json_type_string) && !json_object_is_type(value, json_type_int)))
		return;
	text = json_object_get_string(value);
	if (strlen(text) < size && text[strspn(text, letters)] == '\0' && (size_t)json_object_get_string_len(value) <= strlen(text))
		snprintf(out, size, "%s", text);
}

static enum fg_wish_kind
kind_of(json_object *object)
{
	json_object *body = NULL;

	if (json_object_object_get_ex(object, "body", &body) && json_object_is_type(body, json_type_string))
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			if (strcmp(kinds[i].body, json_object_get_string(body)) == 0)
				return kinds[i].kind;
	return FG_WISH_NONE;
}

bool
fg_wish_read(struct fg_wish *out, const char *bytes, size_t len)
{
	json_object *object;

	*out = (struct fg_wish){ .kind = FG_WISH_NONE };
	if (len > FG_WISH_MAX || fg_json_parse(&object, bytes, len, DEPTH, NULL) != FG_OK)
		return false;
	if (json_object_is_type(object, json_type_object)) {
		out->kind = kind_of(object);
		member(out->job, sizeof(out->job), object, "jobId", id_letters);
		member(out->task, sizeof(out->task), object, "taskId", "0123456789");
	}
	if (strcmp(out->job, "undefined") == 0)
		out->kind = FG_WISH_NONE;
	json_object_put(object);
	return out->kind != FG_WISH_NONE;
}
