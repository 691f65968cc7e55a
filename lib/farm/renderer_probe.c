#include "farm/renderer_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/time.h"
#include "farm/archive.h"

enum { LIMIT_MS = 60000, OUTPUT_MAX = 1 << 20, ARGS_MAX = 64 };

/* Printed by Blender before the JSON, so that its chatter doesn't count. */
#define MARK "farmgate-caps "

static const char question[] =
	"import bpy, json\n"
	"caps = {'version': bpy.app.version_string.split(' ')[0], 'engines': []}\n"
	"try:\n"
	"    import _cycles\n"
	"    caps['cycles'] = True\n"
	"    caps['denoise'] = bool(getattr(_cycles, 'with_openimagedenoise', False))\n"
	"    caps['osl'] = bool(getattr(_cycles, 'with_osl', False))\n"
	"    names = ('cuda', 'optix', 'hip', 'metal', 'oneapi') if bpy.app.version >= (3, 0, 0) else ('cuda', 'optix')\n"
	"    caps.update(zip(names, map(bool, _cycles.get_device_types())))\n"
	"except (ImportError, AttributeError):\n"
	"    pass\n"
	"for engine in ('BLENDER_EEVEE', 'BLENDER_EEVEE_NEXT', 'BLENDER_WORKBENCH'):\n"
	"    try:\n"
	"        bpy.context.scene.render.engine = engine\n"
	"        caps['workbench' if engine.endswith('H') else 'eevee'] = True\n"
	"    except TypeError:\n"
	"        pass\n"
	"print('" MARK "' + json.dumps(caps), flush=True)\n";

/* ---- a child with a time limit */

static enum fg_err
collect(struct fg_buf *output, int fd, int64_t until_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	for (;;) {
		const int64_t left = until_ms - fg_steady_ms();
		ssize_t       got;

		if (left <= 0)
			return fg_fail(FG_ETIMEOUT, "Blender gave no answer within %d s", LIMIT_MS / 1000);
		if (poll(&wait, 1, (int)left) <= 0)
			continue;
		if ((got = read(fd, fg_buf_room(output, 4096), 4096)) < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? FG_OK : fg_fail(FG_EIO, "could not read Blender's answer: %s", strerror(errno));
		output->len += (size_t)got;
		if (output->len > OUTPUT_MAX)
			return fg_fail(FG_EUNSUPPORTED, "Blender says too much to be understood");
	}
}

static enum fg_err
start(pid_t *child, int output, const char *const *args)
{
	static const char *const   env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t          how;
	int                        why;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, output, 1);
	posix_spawn_file_actions_adddup2(&files, output, 2);
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&how, 0);
	why = posix_spawnp(child, args[0], &files, &how, (char *const *)(uintptr_t)args, (char *const *)(uintptr_t)env);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return why == 0 ? FG_OK : fg_fail(why == ENOENT ? FG_ENOTFOUND : FG_EUNSUPPORTED, "could not start %s: %s", args[0], strerror(why));
}

/* Run to the end or the limit; its whole group is gone afterwards. */
static enum fg_err
run(struct fg_buf *output, int *status, const char *const *args)
{
	int         ends[2];
	pid_t       child;
	enum fg_err err;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fg_fail(FG_EIO, "could not make a pipe: %s", strerror(errno));
	err = start(&child, ends[1], args);
	close(ends[1]);
	if (err == FG_OK) {
		err = collect(output, ends[0], fg_steady_ms() + LIMIT_MS);
		kill(-child, SIGKILL);
		while (waitpid(child, status, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	fg_buf_char(output, '\0');
	return err;
}

/* ---- its command line */

/* Append; both lists end with NULL. */
static size_t
append(const char **args, size_t n, const char *const *more)
{
	while (*more != NULL && n < ARGS_MAX - 1)
		args[n++] = *more++;
	args[n] = NULL;
	return n;
}

/* Read-only system, the Blender's own folder, no home, no network. */
static size_t
add_bwrap(const char **args, size_t n, const char *folder)
{
	static const char *const cage[] = { "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin",
		"--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
		"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", NULL };

	n = append(args, n, cage);
	return folder == NULL ? n : append(args, n, (const char *const[]){ "--ro-bind", folder, folder, NULL });
}

static bool
bwrap_runs(const char *folder)
{
	const char   *args[ARGS_MAX];
	struct fg_buf output = { 0 };
	int           status = -1;
	bool          fine;

	append(args, add_bwrap(args, 0, folder), (const char *const[]){ "/bin/true", NULL });
	fine = run(&output, &status, args) == FG_OK && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	fg_buf_free(&output);
	return fine;
}

/* ---- the answer */

static bool
truth(json_object *in, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(in, key, &value) && json_object_get_boolean(value);
}

static enum fg_err
parse(struct fg_renderer_caps *out, const char *output, const char *blender)
{
	const char  *line = strstr(output, MARK);
	json_object *in = line != NULL ? json_tokener_parse(line + sizeof(MARK) - 1) : NULL, *version;

	if (in == NULL || !json_object_object_get_ex(in, "version", &version)) {
		json_object_put(in);
		return fg_fail(FG_EUNSUPPORTED, "%s can't run here, or is no Blender; start it by hand to see why", blender);
	}
	*out = (struct fg_renderer_caps){
		.cycles = truth(in, "cycles"), .denoise = truth(in, "denoise"), .osl = truth(in, "osl"), .cuda = truth(in, "cuda"), .optix = truth(in, "optix"),
		.hip = truth(in, "hip"), .metal = truth(in, "metal"), .oneapi = truth(in, "oneapi"), .eevee = truth(in, "eevee"), .workbench = truth(in, "workbench"),
	};
	snprintf(out->version, sizeof(out->version), "%s", json_object_get_string(version));
	json_object_put(in);
	return FG_OK;
}

/* The folder that a cage must show besides /usr: NULL for none. */
static const char *
own_folder(char out[PATH_MAX], const char *blender)
{
	if (realpath(blender, out) == NULL || strncmp(out, "/usr/", 5) == 0)
		return NULL;
	*strrchr(out, '/') = '\0';
	return out[0] != '\0' ? out : NULL;
}

enum fg_err
fg_renderer_probe(struct fg_renderer_caps *out, const char *blender_path, bool confined_only)
{
	const char   *args[ARGS_MAX], *folder;
	char          room[PATH_MAX], real[PATH_MAX];
	struct fg_buf output = { 0 };
	enum fg_err   err;
	size_t        n = 0;
	int           status;

	if (realpath(blender_path, real) == NULL || access(real, X_OK) != 0)
		return fg_fail(FG_ENOTFOUND, "there is no program %s", blender_path);
	folder = own_folder(room, real);
	if (bwrap_runs(folder))
		n = add_bwrap(args, 0, folder);
	else if (confined_only)
		return fg_fail(FG_EUNSUPPORTED, "%s was not asked what it can do: bubblewrap can't run here", blender_path);
	append(args, n, (const char *const[]){ real, "-noaudio", "-b", "--factory-startup", "--disable-autoexec", "--python-expr", question, NULL });
	if ((err = run(&output, &status, args)) == FG_OK)
		err = parse(out, output.data, blender_path);
	fg_buf_free(&output);
	return err;
}

/* ---- out of a client's zip */

static enum fg_err
unpack_one(struct fg_archive *archive, const char *name, const char *folder)
{
	char        path[PATH_MAX];
	enum fg_err err;
	int         fd;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return fg_fail(FG_EINVAL, "the path %s is too long", name);
	*strrchr(path, '/') = '\0';
	if ((err = fg_fs_mkdirs(path, 0700)) != FG_OK)
		return err;
	path[strlen(path)] = '/';
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700)) < 0)
		return fg_fail(errno == ENOSPC ? FG_ENOSPACE : FG_EIO, "could not create %s: %s", path, strerror(errno));
	err = fg_archive_extract_one(archive, name, fd, INT64_MAX);
	close(fd);
	return err;
}

static enum fg_err
unpack_all(const char *zip_path, const char *folder)
{
	struct fg_archive *archive = NULL;
	enum fg_err        err = fg_archive_check(&archive, zip_path, NULL);
	const char        *name;

	for (size_t i = 0; err == FG_OK && (name = fg_archive_name(archive, i)) != NULL; i++)
		if (name[strlen(name) - 1] != '/')
			err = unpack_one(archive, name, folder);
	fg_archive_close(archive);
	return err;
}

enum fg_err
fg_renderer_probe_zip(struct fg_renderer_caps *out, const char *zip_path)
{
	char        folder[PATH_MAX], blender[PATH_MAX + 16];
	enum fg_err err;

	if (snprintf(folder, sizeof(folder), "%s.probe-XXXXXX", zip_path) >= (int)sizeof(folder))
		return fg_fail(FG_EINVAL, "the path %s is too long", zip_path);
	if (mkdtemp(folder) == NULL)
		return fg_fail(FG_EIO, "could not make a folder beside %s: %s", zip_path, strerror(errno));
	snprintf(blender, sizeof(blender), "%s/blender", folder);
	if ((err = unpack_all(zip_path, folder)) == FG_OK)
		err = fg_renderer_probe(out, blender, true);
	fg_fs_remove_tree(folder);
	return err;
}
