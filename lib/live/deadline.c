#include "live/deadline.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <json-c/json.h>

#include "text/escape.h"

enum { DEPTH = 16, TASKS_MOST = 1000000, JOBS_MOST = 100000, NODES_MOST = 1200000 };

/* Lists and objects, each of which takes most of a kilobyte once it is parsed. */
static bool
is_too_much(const char *bytes, size_t len)
{
	size_t nodes = 0;

	for (size_t i = 0; i < len; i++)
		nodes += bytes[i] == '{' || bytes[i] == '[';
	return nodes > NODES_MOST;
}

static json_object *
parse(const char *bytes, size_t len)
{
	json_tokener *tokener = len < INT32_MAX && !is_too_much(bytes, len) && fg_utf8_valid(bytes, len) ? json_tokener_new_ex(DEPTH) : NULL;
	json_object  *out = NULL;

	if (tokener == NULL)
		return NULL;
	out = json_tokener_parse_ex(tokener, bytes, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(out);
		out = NULL;
	}
	json_tokener_free(tokener);
	return out;
}

static json_object *
member(json_object *object, const char *key)
{
	json_object *value = NULL;

	return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static void
text_of(char *out, size_t size, json_object *object, const char *key)
{
	json_object *value = member(object, key);

	*out = '\0';
	if (value == NULL || json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array))
		return;
	snprintf(out, size, "%s", json_object_get_string(value));
	while (*out != '\0' && !fg_utf8_valid(out, strlen(out)))
		out[strlen(out) - 1] = '\0'; /* cut within a letter */
}

static int64_t
number_of(json_object *object, const char *key)
{
	const int64_t number = json_object_get_int64(member(object, key));

	return number > 0 && number < INT32_MAX ? number : 0;
}

static bool
is_key(const char *text)
{
	return *text != '\0' && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0' && strlen(text) < FG_LIVE_KEY;
}

int64_t
fg_deadline_time(const char *text)
{
	struct tm   tm = { .tm_isdst = -1 };
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int         hours, minutes;
	int64_t     ms = 0, seconds;

	if (at == NULL && (at = strptime(text, "%Y-%m-%d %H:%M:%S", &tm)) == NULL)
		return 0;
	if (*at == '.') {
		ms = (int64_t)(strtod(at, NULL) * 1000);
		at += 1 + strspn(at + 1, "0123456789");
	}
	if (*at == 'Z')
		seconds = timegm(&tm);
	else if (sscanf(at, "%3d:%2d", &hours, &minutes) == 2)
		seconds = timegm(&tm) - (hours * 3600 + (hours < 0 || *at == '-' ? -minutes : minutes) * 60);
	else
		seconds = mktime(&tm);
	return seconds > 31536000 ? seconds * 1000 + ms % 1000 : 0;
}

static void
read_job(struct fg_live_job *out, json_object *object, bool going)
{
	static const char *const names[FG_COUNTS] = { "CompletedChunks", "QueuedChunks", "SuspendedChunks", "RenderingChunks", "FailedChunks", "PendingChunks", "Errs" };
	json_object             *props = member(object, "Props");
	char                     name[260], date[64];

	*out = (struct fg_live_job){ .going = going };
	text_of(out->key, sizeof(out->key), object, "_id");
	text_of(name, sizeof(name), props, "Name");
	snprintf(out->name, sizeof(out->name), FG_DEADLINE_MARK "%s", name);
	text_of(out->user, sizeof(out->user), props, "User");
	text_of(date, sizeof(date), object, "DateStart");
	out->started_ms = out->placed_ms = fg_deadline_time(date);
	text_of(date, sizeof(date), object, "Date");
	if (out->placed_ms == 0)
		out->placed_ms = fg_deadline_time(date);
	for (int i = 0; i < FG_COUNTS; i++)
		out->counts[i] = number_of(object, names[i]);
}

enum fg_err
fg_deadline_jobs(const char *bytes, size_t len, bool going, void (*each)(void *ctx, const struct fg_live_job *job), void *ctx)
{
	json_object       *list = parse(bytes, len);
	struct fg_live_job job;

	if (!json_object_is_type(list, json_type_array)) {
		json_object_put(list);
		return fg_fail(FG_EFORMAT, "Deadline's answer is no list of jobs");
	}
	for (size_t i = 0; i < json_object_array_length(list) && i < JOBS_MOST; i++) {
		read_job(&job, json_object_array_get_idx(list, i), going);
		if (is_key(job.key))
			each(ctx, &job);
	}
	json_object_put(list);
	return FG_OK;
}

enum fg_err
fg_deadline_details(char fields[FG_ROOM_FIELDS][304], struct fg_deadline_output *output, const char *bytes, size_t len, const char *key)
{
	static const struct {
		const char *part, *name;
	} from[FG_ROOM_FIELDS] = { { "Job", "Name" }, { "Job", "User" }, { "Job", "Submit Date" }, { "Task States", "Completed" }, { "Task States", "Failed" },
		                   { "Task States", "Pending" }, { "Task States", "Queued" }, { "Task States", "Rendering" }, { "Task States", "Suspended" },
		                   { "Job", "Errors" }, { "Statistics", "Estimated Time Remaining" }, { "Statistics", "Average Task Time" } };
	json_object *whole = parse(bytes, len), *job = member(whole, key);
	char         name[260];

	if (!json_object_is_type(job, json_type_object)) {
		json_object_put(whole);
		return fg_fail(FG_ENOTFOUND, "Deadline has no such job");
	}
	for (int i = 0; i < FG_ROOM_FIELDS; i++) {
		text_of(fields[i], sizeof(fields[i]), member(job, from[i].part), from[i].name);
		if (i >= FG_ROOM_COMPLETED && i <= FG_ROOM_ERRORS && fields[i][0] == '\0')
			snprintf(fields[i], sizeof(fields[i]), "0");
	}
	snprintf(name, sizeof(name), "%.255s", fields[FG_ROOM_NAME]);
	snprintf(fields[FG_ROOM_NAME], sizeof(fields[0]), FG_DEADLINE_MARK "%s", name);
	text_of(output->folder, sizeof(output->folder), member(job, "Output Directories"), "Output Path 1");
	text_of(output->file, sizeof(output->file), member(job, "Output Filenames"), "Output File 1");
	json_object_put(whole);
	return FG_OK;
}

enum fg_err
fg_deadline_tasks(struct fg_room_task **out, int *count, const char *bytes, size_t len)
{
	json_object *whole = parse(bytes, len), *list = member(whole, "Tasks");
	size_t       n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	if (list == NULL || n > TASKS_MOST) {
		json_object_put(whole);
		return fg_fail(FG_EFORMAT, "Deadline's answer is no list of tasks");
	}
	*out = fg_alloc((n + 1) * sizeof(**out));
	*count = (int)n;
	for (size_t i = 0; i < n; i++) {
		json_object *task = json_object_array_get_idx(list, i);

		(*out)[i] = (struct fg_room_task){ .id = number_of(task, "TaskID"), .errors = number_of(task, "Errs") };
		text_of((*out)[i].frames, sizeof((*out)[i].frames), task, "Frames");
		text_of((*out)[i].progress, sizeof((*out)[i].progress), task, "Prog");
		if ((*out)[i].progress[0] == '\0')
			snprintf((*out)[i].progress, sizeof((*out)[i].progress), "0 %%");
	}
	json_object_put(whole);
	return FG_OK;
}

void
fg_deadline_report(struct fg_buf *out, const char *bytes, size_t len)
{
	json_object *whole = parse(bytes, len), *first = json_object_is_type(whole, json_type_array) ? json_object_array_get_idx(whole, 0) : whole;

	if (json_object_is_type(first, json_type_string))
		fg_buf_str(out, json_object_get_string(first));
	json_object_put(whole);
}

bool
fg_deadline_frame(int64_t *out, const char *frames)
{
	const size_t digits = strspn(frames + (*frames == '-'), "0123456789");
	const char   after = frames[(*frames == '-') + digits];

	if (digits == 0 || digits > 9 || (after != '\0' && after != '-' && after != ',' && after != ' '))
		return false;
	*out = strtoll(frames, NULL, 10);
	return true;
}

/* --- paths */

/* The last run of # or %0Nd in `file`: where it begins and ends, and how many digits it stands for. */
static bool
place_of_frame(size_t *begin, size_t *end, int *digits, const char *file)
{
	const size_t len = strlen(file);
	bool         found = false;

	for (size_t i = 0; i < len; i++) {
		const size_t hashes = strspn(file + i, "#"), width = file[i] == '%' ? strspn(file + i + 1, "0123456789") : 0;

		if (hashes > 0) {
			*begin = i, *end = i + hashes, *digits = (int)hashes, found = true;
			i += hashes - 1;
		} else if (file[i] == '%' && width < 3 && file[i + 1 + width] == 'd') {
			*begin = i, *end = i + width + 2, *digits = (int)strtol(file + i + 1, NULL, 10), found = true;
		}
	}
	return found && *digits <= 12;
}

/* The longest prefix that `map` names is replaced. */
static enum fg_err
apply_map(char out[2048], const char *path, const char *map)
{
	const char *best = NULL, *to = NULL;
	size_t      best_len = 0, to_len = 0;

	for (const char *at = map; *at != '\0'; at += *at == ';') {
		const size_t one = strcspn(at, ";"), from = strcspn(at, "=");

		if (from < one && from > best_len && strncasecmp(path, at, from) == 0)
			best = at, best_len = from, to = at + from + 1, to_len = one - from - 1;
		at += one;
	}
	if (best == NULL)
		return snprintf(out, 2048, "%s", path) < 2048 ? FG_OK : FG_EINVAL;
	return snprintf(out, 2048, "%.*s/%s", (int)to_len, to, path + best_len) < 2048 ? FG_OK : FG_EINVAL;
}

enum fg_err
fg_deadline_path(char out[2048], const struct fg_deadline_output *output, int64_t frame, const char *map)
{
	char   path[1800];
	size_t begin = 0, end = 0, len = strlen(output->folder);
	int    digits = 0;

	if (output->file[0] == '\0' || !place_of_frame(&begin, &end, &digits, output->file) || frame < 0)
		return fg_fail(FG_EINVAL, "Could not find the output folder on deadline.");
	snprintf(path, sizeof(path), "%s%s%.*s%0*" PRId64 "%s", output->folder, len > 0 && strchr("/\\", output->folder[len - 1]) == NULL ? "/" : "", (int)begin,
	         output->file, digits, frame, output->file + end);
	for (char *at = path; *at != '\0'; at++)
		if (*at == '\\')
			*at = '/';
	return apply_map(out, path, map) == FG_OK ? FG_OK : fg_fail(FG_EINVAL, "The path of the picture is too long.");
}
