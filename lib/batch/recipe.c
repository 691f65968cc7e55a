#include "batch/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "batch/override.h"
#include "text/escape.h"
#include "text/json.h"

enum { DEPTH = 16, FAULTS_MAX = 10, SIDE_MIN = 4, SIDE_MAX = 65536, FRAME_MAX = 1048574, OVERRIDES_MAX = 200, PATH_TEXT = 96 };

/** What is wrong so far. */
struct faults {
	struct fg_buf text;
	int           count;
};

static void
fault(struct faults *f, const char *path, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
fault(struct faults *f, const char *path, const char *format, ...)
{
	va_list args;

	if (f->count++ >= FAULTS_MAX)
		return;
	fg_buf_printf(&f->text, "%s%s ", f->count > 1 ? "; " : "", path);
	va_start(args, format);
	fg_buf_vprintf(&f->text, format, args);
	va_end(args);
}

/** An object of the recipe and where it is. */
struct place {
	json_object   *object; /**< NULL: absent; then everything in it is */
	char           path[PATH_TEXT];
	struct faults *faults;
};

static void
path_of(char out[PATH_TEXT], const struct place *in, const char *name)
{
	snprintf(out, PATH_TEXT, "%.60s%s%.30s", in->path, in->path[0] != '\0' ? "." : "", name);
}

/* A member of the wanted type; NULL when absent or null. */
static json_object *
member(const struct place *in, const char *name, enum json_type type, const char *what)
{
	json_object *value = NULL;
	char         path[PATH_TEXT];

	if (in->object == NULL || !json_object_object_get_ex(in->object, name, &value) || value == NULL)
		return NULL;
	if (json_object_is_type(value, type) || (type == json_type_double && json_object_is_type(value, json_type_int)))
		return value;
	path_of(path, in, name);
	fault(in->faults, path, "must be %s", what);
	return NULL;
}

static struct place
part(const struct place *in, const char *name)
{
	struct place out = { .faults = in->faults };

	out.object = member(in, name, json_type_object, "an object");
	path_of(out.path, in, name);
	return out;
}

static bool
truth(const struct place *in, const char *name, bool fallback)
{
	json_object *value = member(in, name, json_type_boolean, "true or false");

	return value != NULL ? json_object_get_boolean(value) : fallback;
}

static const char *
text(const struct place *in, const char *name, size_t most)
{
	json_object *value = member(in, name, json_type_string, "a text");
	const char  *out = value != NULL ? json_object_get_string(value) : "";
	const size_t len = value != NULL ? (size_t)json_object_get_string_len(value) : 0;
	char         path[PATH_TEXT];

	path_of(path, in, name);
	if (len > most)
		fault(in->faults, path, "is longer than %zu bytes", most);
	else if (strlen(out) != len || !fg_utf8_valid(out, len))
		fault(in->faults, path, "is no UTF-8 text");
	return out;
}

static int
whole(const struct place *in, const char *name, int fallback, int min, int max)
{
	json_object  *value = member(in, name, json_type_int, "a whole number");
	const int64_t number = value != NULL ? json_object_get_int64(value) : fallback;
	char          path[PATH_TEXT];

	if (number >= min && number <= max)
		return (int)number;
	path_of(path, in, name);
	fault(in->faults, path, "must be %d to %d", min, max);
	return fallback;
}

static double
part_of_one(const struct place *in, const char *name, double fallback, double min, double max)
{
	json_object *value = member(in, name, json_type_double, "a number");
	const double number = value != NULL ? json_object_get_double(value) : fallback;
	char         path[PATH_TEXT];

	if (number >= min && number <= max)
		return number;
	path_of(path, in, name);
	fault(in->faults, path, "must be %g to %g", min, max);
	return fallback;
}

/* [width, height]; both 0: the scene's own. */
static void
size(int *width, int *height, const struct place *in, const char *name)
{
	json_object *list = member(in, name, json_type_array, "a list of width and height");
	char         path[PATH_TEXT];
	int          side[2] = { 0, 0 };
	bool         ok = list == NULL || json_object_array_length(list) == 2;

	for (size_t i = 0; ok && list != NULL && i < 2; i++) {
		json_object  *value = json_object_array_get_idx(list, i);
		const int64_t number = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;

		ok = number == 0 || (number >= SIDE_MIN && number <= SIDE_MAX);
		side[i] = ok ? (int)number : 0;
	}
	path_of(path, in, name);
	if (!ok || (side[0] == 0) != (side[1] == 0))
		fault(in->faults, path, "must be two whole numbers, %d to %d, or two zeros for the scene's own", SIDE_MIN, SIDE_MAX);
	*width = side[0];
	*height = side[1];
}

/* A list of {enabled, cmd}. */
static json_object *
hooks(const struct place *in, const char *name)
{
	json_object *list = member(in, name, json_type_array, "a list");

	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
		struct place hook = { .object = json_object_array_get_idx(list, i), .faults = in->faults };

		snprintf(hook.path, sizeof(hook.path), "%.60s.%s[%zu]", in->path, name, i);
		if (!json_object_is_type(hook.object, json_type_object)) {
			fault(in->faults, hook.path, "must be an object with enabled and cmd");
			continue;
		}
		truth(&hook, "enabled", true);
		text(&hook, "cmd", FG_RECIPE_PATH);
	}
	return list;
}

static void
override(json_object *out, const struct place *in)
{
	const char  *path = text(in, "path", FG_OVERRIDE_PATH - 1);
	json_object *data = NULL, *steps = NULL, *value = NULL, *one;
	enum fg_err  err;

	if (!truth(in, "enabled", true))
		return;
	if (!json_object_object_get_ex(in->object, "data", &data)) {
		fault(in->faults, in->path, "needs path and data");
		return;
	}
	if ((err = fg_override_path(&steps, path)) == FG_OK && json_object_is_type(data, json_type_string))
		err = fg_override_value(&value, json_object_get_string(data));
	else if (err == FG_OK && !json_object_is_type(data, json_type_object))
		value = json_object_get(data);
	if (err != FG_OK) {
		fault(in->faults, in->path, "(%.100s): %s", path, fg_err_text(err));
		json_object_put(steps);
		return;
	}
	one = json_object_new_array();
	json_object_array_add(one, json_object_new_string(path));
	json_object_array_add(one, steps);
	json_object_array_add(one, value);
	json_object_array_add(out, one);
}

static json_object *
overrides(const struct place *in)
{
	json_object *list = member(in, "custom_overrides", json_type_array, "a list"), *out = NULL;
	char         path[PATH_TEXT];

	if (list == NULL || json_object_array_length(list) == 0)
		return NULL;
	path_of(path, in, "custom_overrides");
	if (json_object_array_length(list) > OVERRIDES_MAX) {
		fault(in->faults, path, "has more than %d entries", OVERRIDES_MAX);
		return NULL;
	}
	out = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct place one = { .object = json_object_array_get_idx(list, i), .faults = in->faults };

		snprintf(one.path, sizeof(one.path), "%.60s[%zu]", path, i);
		if (json_object_is_type(one.object, json_type_object))
			override(out, &one);
		else
			fault(in->faults, one.path, "must be an object with path and data");
	}
	return out;
}

/* blank: as the scene says. MOVIE is what Blender 2.x meant by it: an AVI of JPEGs. */
static const struct {
	const char *recipe, *ours;
} formats[] = { { "", "" }, { "PNG", "png" }, { "JPEG", "jpeg" }, { "EXR", "exr" }, { "OPEN_EXR", "exr" }, { "MULTILAYER", "exr-multilayer" },
	        { "OPEN_EXR_MULTILAYER", "exr-multilayer" }, { "TGA", "tga" }, { "RAWTGA", "tga" }, { "BMP", "bmp" }, { "TIFF", "tiff" }, { "HDR", "hdr" },
	        { "DPX", "dpx" }, { "CINEON", "cineon" }, { "IRIS", "iris" }, { "MOVIE", "avi-jpeg" }, { "AVIRAW", "avi-raw" }, { "AVIJPEG", "avi-jpeg" },
	        { "MPEG", "mpeg" }, { "QUICKTIME", "quicktime" } };

const char *
fg_recipe_format(const char *format)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strcmp(formats[i].recipe, format) == 0)
			return formats[i].ours;
	return NULL;
}

static void
read_section(struct fg_recipe_job *job, const struct place *in)
{
	const struct place section = part(in, "section");

	job->section = truth(&section, "enabled", false);
	job->x = part_of_one(&section, "x", 0, 0, 0.99);
	job->y = part_of_one(&section, "y", 0, 0, 0.99);
	job->part_width = part_of_one(&section, "width", 1, 0.01, 1);
	job->part_height = part_of_one(&section, "height", 1, 0.01, 1);
}

static void
read_frames(struct fg_recipe_job *job, const struct place *in)
{
	job->animated = truth(in, "animated", truth(in, "animation", false));
	job->frame_still = whole(in, "frame_still", 1, 0, FRAME_MAX);
	job->frame_start = whole(in, "frame_start", 1, 0, FRAME_MAX);
	job->frame_end = whole(in, "frame_end", job->frame_start, 0, FRAME_MAX);
	if (job->animated && job->frame_end < job->frame_start)
		fault(in->faults, in->path, "has a frame_end before its frame_start");
}

static void
read_device(struct fg_recipe_job *job, const struct place *in)
{
	const struct place cycles = part(in, "cycles");
	char               path[PATH_TEXT];

	job->samples = whole(&cycles, "samples", 0, 0, 10000);
	job->device = text(&cycles, "device", FG_RECIPE_TEXT);
	if (job->device[0] == '\0' || strcmp(job->device, "DEFAULT") == 0 || strcmp(job->device, "CPU") == 0 || strcmp(job->device, "GPU") == 0 ||
	    strspn(job->device, "0123456789") == strlen(job->device) || strncmp(job->device, "CUDA", 4) == 0)
		return;
	path_of(path, &cycles, "device");
	fault(in->faults, path, "must be DEFAULT, CPU, GPU, CUDA_n or a GPU's number");
}

static void
read_job(struct fg_recipe_job *job, const struct place *in, const char *batch_file)
{
	const struct place hook = part(in, "hooks");
	char               path[PATH_TEXT];

	job->enabled = truth(in, "enabled", true);
	job->external = truth(in, "external", false);
	job->name = text(in, "name", FG_RECIPE_TEXT);
	job->output = text(in, "output", FG_RECIPE_PATH);
	job->blend_file = text(in, "blend_file", FG_RECIPE_PATH);
	job->filename = text(in, "filename", FG_RECIPE_PATH);
	job->scene = text(in, "scene", 127);
	job->camera = text(in, "camera", 127);
	job->world = text(in, "world", 127);
	job->layer = text(in, "layer", 127);
	job->engine = text(in, "engine", 63);
	job->format = text(in, "format", 31);
	job->threads = whole(in, "threads", 0, 0, 64);
	size(&job->width, &job->height, in, "size");
	read_frames(job, in);
	read_section(job, in);
	read_device(job, in);
	job->overrides = overrides(in);
	job->pre = hooks(&hook, "PRE_JOB");
	job->post = hooks(&hook, "POST_JOB");
	if (job->blend_file[0] == '\0')
		job->blend_file = batch_file;
	path_of(path, in, "format");
	if (fg_recipe_format(job->format) == NULL)
		fault(in->faults, path, "is %s, which nobody here can make; PNG, JPEG, EXR, MULTILAYER, TGA, RAWTGA, BMP, TIFF, HDR, DPX, CINEON, IRIS, MOVIE, AVIRAW, "
		      "AVIJPEG, MPEG and QUICKTIME can be made", job->format);
	if ((job->external ? job->filename : job->blend_file)[0] == '\0')
		fault(in->faults, in->path, "names no file: %s is missing", job->external ? "filename" : "blend_file");
}

static void
read_settings(struct fg_recipe *r, const struct place *root)
{
	const struct place settings = part(root, "settings"), rss = part(&settings, "rss"), percentage = part(&settings, "global_percentage"),
	                   all = part(&settings, "global_size"), hook = part(root, "hooks"), power = part(root, "poweroff");
	const char        *action = text(&power, "action", 31);

	r->write_log = truth(&settings, "write_log", false);
	r->ignore_border = truth(&settings, "ignore_border", false);
	if (truth(&rss, "enabled", false))
		r->rss_path = text(&rss, "path", FG_RECIPE_PATH);
	r->percent = whole(&percentage, "value", 100, 1, 100);
	if (!truth(&percentage, "enabled", false))
		r->percent = 0;
	size(&r->width, &r->height, &all, "value");
	if (!truth(&all, "enabled", false))
		r->width = r->height = 0;
	r->pre = hooks(&hook, "PRE_BATCH");
	r->post = hooks(&hook, "POST_BATCH");
	if (action[0] != '\0' && strcmp(action, "DISABLED") != 0 && strcmp(action, "SLEEP") != 0 && strcmp(action, "OFF") != 0)
		fault(root->faults, "poweroff.action", "must be DISABLED, SLEEP or OFF");
	if (truth(&power, "enabled", false) && action[0] != '\0' && strcmp(action, "DISABLED") != 0)
		r->poweroff = action;
}

static void
read_notifications(struct fg_recipe *r, const struct place *root)
{
	const struct place all = part(root, "notifications"), sound = part(&all, "sound"), mail = part(&all, "mail");

	r->desktop = truth(&all, "desktop", false);
	r->sound = truth(&sound, "enabled", false);
	text(&sound, "file", FG_RECIPE_PATH);
	whole(&sound, "volume", 90, 0, 100);
	r->mail.enabled = truth(&mail, "enabled", false);
	r->mail.ssl = truth(&mail, "ssl", true);
	r->mail.user = text(&mail, "user", FG_RECIPE_TEXT);
	r->mail.pass = text(&mail, "pass", FG_RECIPE_TEXT);
	r->mail.to = text(&mail, "to", FG_RECIPE_TEXT);
	r->mail.server = text(&mail, "server", FG_RECIPE_TEXT);
	if (r->mail.enabled && (strpbrk(r->mail.to, "\r\n<>") != NULL || strchr(r->mail.to, '@') == NULL))
		fault(root->faults, "notifications.mail.to", "must be an e-mail address");
	if (r->mail.enabled && (r->mail.server[0] == '\0' || strspn(r->mail.server, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") !=
	                                                            strlen(r->mail.server)))
		fault(root->faults, "notifications.mail.server", "must be a host name, with :PORT if need be");
}

/* Two jobs with one id, one job's result over another's: said, not guessed. */
static void
check_twins(const struct fg_recipe *r, json_object *jobs, struct faults *faults)
{
	char path[PATH_TEXT];

	for (int i = 0; i < r->count; i++) {
		json_object *id = NULL, *other = NULL;

		json_object_object_get_ex(json_object_array_get_idx(jobs, (size_t)i), "id", &id);
		for (int k = 0; k < i && faults->count < FAULTS_MAX; k++) {
			json_object_object_get_ex(json_object_array_get_idx(jobs, (size_t)k), "id", &other);
			if (id != NULL && other != NULL && json_object_equal(id, other)) {
				snprintf(path, sizeof(path), "jobs[%d].id", i);
				fault(faults, path, "is %s, as jobs[%d] has it", json_object_to_json_string_ext(id, JSON_C_TO_STRING_PLAIN), k);
			}
			if (r->jobs[i].enabled && r->jobs[k].enabled && r->jobs[i].output[0] != '\0' && strcmp(r->jobs[i].output, r->jobs[k].output) == 0) {
				snprintf(path, sizeof(path), "jobs[%d].output", i);
				fault(faults, path, "is where jobs[%d] writes already", k);
			}
			other = NULL;
		}
	}
}

static void
read_jobs(struct fg_recipe *r, const struct place *root, int max_jobs)
{
	json_object *jobs = member(root, "jobs", json_type_array, "a list");
	const size_t count = jobs != NULL ? json_object_array_length(jobs) : 0;

	if (jobs == NULL || count == 0) {
		fault(root->faults, "jobs", "is missing or empty");
		return;
	}
	if (count > (size_t)max_jobs) {
		fault(root->faults, "jobs", "has %zu entries; a batch may have %d (setting batch_jobs)", count, max_jobs);
		return;
	}
	r->jobs = fg_alloc(count * sizeof(*r->jobs));
	r->count = (int)count;
	for (size_t i = 0; i < count; i++) {
		struct place job = { .object = json_object_array_get_idx(jobs, i), .faults = root->faults };

		snprintf(job.path, sizeof(job.path), "jobs[%zu]", i);
		if (!json_object_is_type(job.object, json_type_object)) {
			fault(root->faults, job.path, "must be an object");
			job.object = NULL;
		}
		read_job(&r->jobs[i], &job, r->name);
	}
	if (root->faults->count == 0)
		check_twins(r, jobs, root->faults);
}

/* With line and column, from 1. */
static enum fg_err
no_json(const char *bytes, const struct fg_json_fault *fault)
{
	int line = 1, column = 1;

	for (size_t i = 0; i < fault->at; i++) {
		column = bytes[i] == '\n' ? 1 : column + 1;
		line += bytes[i] == '\n';
	}
	return fg_fail(FG_EFORMAT, "the recipe is no valid JSON: line %d, column %d: %s (JSON has no comma before a closing bracket and no comments)", line, column,
	               fault->why);
}

static enum fg_err
parse(json_object **out, const char *bytes, size_t len)
{
	struct fg_json_fault fault;

	if (len > FG_RECIPE_BYTES)
		return fg_fail(FG_ETOOBIG, "a recipe may have at most %d bytes", FG_RECIPE_BYTES);
	if (fg_json_parse(out, bytes, len, DEPTH, &fault) != FG_OK)
		return no_json(bytes, &fault);
	return json_object_is_type(*out, json_type_object) ? FG_OK : fg_fail(FG_EINVAL, "a recipe is a JSON object");
}

enum fg_err
fg_recipe_read(struct fg_recipe **out, const char *bytes, size_t len, int max_jobs)
{
	struct fg_recipe *r = fg_alloc(sizeof(*r));
	struct faults     faults = { .count = 0 };
	struct place      root = { .faults = &faults };
	enum fg_err       err;

	*out = r;
	if ((err = parse(&r->root, bytes, len)) != FG_OK)
		return err;
	root.object = r->root;
	r->name = text(&root, "name", FG_RECIPE_PATH);
	r->blender_bin = text(&root, "blender_bin", FG_RECIPE_PATH);
	if (r->name[0] == '\0')
		fault(&faults, "name", "is missing: the path of the batch's .blend");
	read_settings(r, &root);
	read_notifications(r, &root);
	read_jobs(r, &root, max_jobs);
	if (faults.count > 0)
		err = fg_fail(FG_EINVAL, "%.420s%s", fg_buf_text(&faults.text), faults.count > FAULTS_MAX ? "; and more" : "");
	fg_buf_free(&faults.text);
	return err;
}

void
fg_recipe_free(struct fg_recipe *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < r->count; i++)
		json_object_put(r->jobs[i].overrides);
	free(r->jobs);
	json_object_put(r->root);
	free(r);
}

void
fg_recipe_text(struct fg_buf *out, const struct fg_recipe *r)
{
	json_object *notifications = NULL, *mail = NULL, *pass = NULL;

	if (json_object_object_get_ex(r->root, "notifications", &notifications) && json_object_object_get_ex(notifications, "mail", &mail) &&
	    json_object_object_get_ex(mail, "pass", &pass)) {
		json_object_get(pass);
		json_object_object_del(mail, "pass");
	}
	fg_buf_str(out, json_object_to_json_string_ext(r->root, JSON_C_TO_STRING_PLAIN));
	if (pass != NULL)
		json_object_object_add(mail, "pass", pass); /* r->mail.pass points into it */
}
