#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "batch/recipe.h"
#include "batch/tool.h"
#include "batch/work.h"
#include "blend/scene.h"

/* Blender itself lists its devices; nothing of ours goes into the text. */
static const char gpu_script[] =
	"import bpy, sys\n"
	"p = bpy.context.preferences.addons['cycles'].preferences if 'cycles' in bpy.context.preferences.addons else None\n"
	"found = []\n"
	"for kind in ('CUDA', 'OPTIX', 'HIP', 'ONEAPI', 'METAL', 'OPENCL'):\n"
	"    try:\n"
	"        p.compute_device_type = kind\n"
	"        getattr(p, 'refresh_devices', getattr(p, 'get_devices', None))()\n"
	"        found = [d.name for d in p.devices if d.type == kind]\n"
	"    except Exception:\n"
	"        found = []\n"
	"    if found:\n"
	"        break\n"
	"print('GPUS AVAILABLE FOR RENDERING')\n"
	"print('-' * 80)\n"
	"for number, name in enumerate(found):\n"
	"    print('%s | Number: %d' % (name, number))\n"
	"sys.stdout.flush()\n";

enum fg_err
tool_find_blender(char out[PATH_MAX], const char *wanted)
{
	const char *path = getenv("PATH");

	if (wanted != NULL && strchr(wanted, '/') != NULL && access(wanted, X_OK) == 0) {
		snprintf(out, PATH_MAX, "%s", wanted);
		return FG_OK;
	}
	for (const char *at = path != NULL ? path : ""; *at != '\0';) {
		const size_t len = strcspn(at, ":");

		snprintf(out, PATH_MAX, "%.*s/blender", (int)(len < 3000 ? len : 3000), at);
		if (access(out, X_OK) == 0)
			return FG_OK;
		at += len + (at[len] == ':');
	}
	return fg_fail(FG_ENOTFOUND, "there is no Blender at %s and none in PATH", wanted != NULL && wanted[0] != '\0' ? wanted : "blender_bin");
}

int
tool_list_gpus(const char *blender)
{
	const pid_t pid = fork();
	int         status = 0;

	if (pid == 0) {
		execl(blender, blender, "-b", "--python-expr", gpu_script, (char *)NULL);
		fprintf(stderr, "farmgate-batch: could not start %s: %s\n", blender, strerror(errno));
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --- --dry */

/* A word as a shell would want it. */
static void
word(const char *text)
{
	if (*text != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=+-#") == strlen(text)) {
		printf(" %s", text);
		return;
	}
	printf(" '");
	for (; *text != '\0'; text++)
		printf(*text == '\'' ? "'\\''" : "%c", *text);
	printf("'");
}

static void
option(const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	word(name);
	word(value);
}

static void
command(const struct fg_recipe *r, const struct fg_recipe_job *job)
{
	printf("%s", r->blender_bin[0] != '\0' ? r->blender_bin : "blender");
	word("-b");
	word(fg_work_scene_path(job));
	option("-S", job->scene);
	option("-E", job->engine);
	printf(" -t %d -x 1", job->threads);
	option("-F", job->format);
	option("-o", job->output);
	if (job->animated)
		printf(" -s %d -e %d -a\n", job->frame_start, job->frame_end);
	else
		printf(" -f %d\n", job->frame_still);
}

void
tool_dry(const struct fg_recipe *r)
{
	int     enabled = 0, animations = 0;
	int64_t frames = 0;

	for (int i = 0; i < r->count; i++)
		if (r->jobs[i].enabled) {
			enabled++;
			animations += r->jobs[i].animated;
			frames += r->jobs[i].animated ? r->jobs[i].frame_end - r->jobs[i].frame_start + 1 : 1;
		}
	printf("Batch %s: %d jobs, %d enabled (%d stills, %d animations), %lld frames\n", r->name, r->count, enabled, enabled - animations, animations, (long long)frames);
	for (int i = 0; i < r->count; i++) {
		const struct fg_recipe_job *job = &r->jobs[i];

		printf("\n%d. %s%s\n", i, job->name, job->enabled ? "" : " (disabled)");
		if (!job->enabled)
			continue;
		command(r, job);
		for (size_t k = 0; job->overrides != NULL && k < json_object_array_length(job->overrides); k++) {
			json_object *one = json_object_array_get_idx(job->overrides, k);

			printf("   %s = %s\n", json_object_get_string(json_object_array_get_idx(one, 0)),
			       json_object_to_json_string_ext(json_object_array_get_idx(one, 2), JSON_C_TO_STRING_PLAIN));
		}
	}
}

/* --- --check */

static int
wrong(int job, const char *format, const char *a, const char *b)
{
	printf("job %d: ", job);
	printf(format, a, b);
	printf("\n");
	return 1;
}

static int
check_scene(int i, const struct fg_recipe_job *job, const struct fg_blend *blend)
{
	const struct fg_blend_scene *scene = fg_blend_scene(blend, job->scene);
	bool                         camera = job->camera[0] == '\0';

	if (scene == NULL)
		return wrong(i, "there is no scene %s in %s", job->scene, fg_work_scene_path(job));
	for (int k = 0; k < blend->ncameras; k++)
		camera = camera || strcmp(blend->cameras[k], job->camera) == 0;
	if (!camera)
		return wrong(i, "there is no camera %s in %s", job->camera, fg_work_scene_path(job));
	if (job->camera[0] == '\0' && scene->camera[0] == '\0')
		return wrong(i, "the scene %s in %s has no camera", scene->name, fg_work_scene_path(job));
	return 0;
}

static int
check_file(int i, const struct fg_recipe_job *job)
{
	struct fg_blend *blend = NULL;
	const int        fd = open(fg_work_scene_path(job), O_RDONLY | O_CLOEXEC);
	int              bad;

	if (fd < 0)
		return wrong(i, "%s can't be opened: %s", fg_work_scene_path(job), strerror(errno));
	bad = fg_blend_read(&blend, fd, INT64_C(1) << 38) != FG_OK ? wrong(i, "%s is no .blend file: %s", fg_work_scene_path(job), fg_err_text(FG_EFORMAT))
	                                                            : check_scene(i, job, blend);
	fg_blend_free(blend);
	close(fd);
	return bad;
}

/* The nearest folder that is there must let us write. */
static int
check_output(int i, const struct fg_recipe_job *job)
{
	char  path[FG_RECIPE_PATH + 1], *slash;
	struct stat st;

	if (job->output[0] != '/' || job->output[1] == '/')
		return 0; /* beside the .blend, or where the scene says */
	snprintf(path, sizeof(path), "%s", job->output);
	while ((slash = strrchr(path, '/')) != NULL && slash != path) {
		*slash = '\0';
		if (stat(path, &st) == 0)
			break;
	}
	if (slash == path)
		snprintf(path, sizeof(path), "/");
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return wrong(i, "%s is no folder, so %s can't be written", path, job->output);
	return access(path, W_OK) == 0 ? 0 : wrong(i, "Not enough permissions to write in folder: %s%s", path, "");
}

int
tool_check(const struct fg_recipe *r)
{
	char blender[PATH_MAX];
	int  bad = 0;

	if (r->blender_bin[0] != '\0' ? access(r->blender_bin, X_OK) != 0 : tool_find_blender(blender, NULL) != FG_OK) {
		printf("blender_bin: %s is no program that can be started\n", r->blender_bin[0] != '\0' ? r->blender_bin : "blender");
		bad++;
	}
	for (int i = 0; i < r->count; i++)
		if (r->jobs[i].enabled)
			bad += check_file(i, &r->jobs[i]) + check_output(i, &r->jobs[i]);
	printf(bad == 0 ? "Everything is there.\n" : "%d thing%s wrong.\n", bad, bad == 1 ? " is" : "s are");
	return bad;
}
