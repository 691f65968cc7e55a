#include "worker/render.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/time.h"

enum { ARGS_MAX = 512, LOG_MAX = 256 << 10, LOG_HEAD = 64 << 10, TICK_MS = 200, GRACE_MS = 2000 };

/** An argument list that grows; texts are kept in it. */
struct args {
	char *list[ARGS_MAX];
	int   count;
};

static void
add(struct args *args, const char *text)
{
	if (args->count + 1 >= ARGS_MAX)
		abort();
	args->list[args->count++] = fg_strdup(text);
	args->list[args->count] = NULL;
}

static void
add_all(struct args *args, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		add(args, *texts);
}

static void
free_args(struct args *args)
{
	for (int i = 0; i < args->count; i++)
		free(args->list[i]);
}

/* Nothing of the host but /usr and what Blender needs to start: no home, no network, no sockets, no other process. */
static void
add_confinement(struct args *args, const struct fg_render *r)
{
	static const char *const base[] = {
		"bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp",
		"--setenv", "LANG", "C.UTF-8", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
		"--symlink", "usr/lib64", "/lib64", "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind-try", "/etc/fonts", "/etc/fonts",
		"--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", NULL };
	static const char *const gpu[] = { "--dev-bind-try", "/dev/dri", "/dev/dri", "--dev-bind-try", "/dev/nvidia0", "/dev/nvidia0", "--dev-bind-try",
		"/dev/nvidiactl", "/dev/nvidiactl", "--dev-bind-try", "/dev/nvidia-uvm", "/dev/nvidia-uvm", "--dev-bind-try", "/dev/kfd", "/dev/kfd",
		"--ro-bind-try", "/sys", "/sys", NULL };

	add_all(args, base);
	if (r->gpu)
		add_all(args, gpu);
	if (r->renderer != NULL)
		add_all(args, (const char *const[]){ "--ro-bind", r->renderer, "/renderer", NULL });
	if (r->blender != NULL && strncmp(r->blender, "/usr/", 5) != 0) {
		char folder[4096];

		snprintf(folder, sizeof(folder), "%s", r->blender);
		*strrchr(folder, '/') = '\0';
		add_all(args, (const char *const[]){ "--ro-bind", folder, folder, NULL });
	}
	add_all(args, (const char *const[]){ "--bind", r->folder, "/job", "--chdir", "/job", "--", NULL });
}

enum fg_err
fg_render_probe(void)
{
	const pid_t child = fork();
	int         status = -1;

	if (child == 0) {
		const int null = open("/dev/null", O_RDWR);

		dup2(null, STDERR_FILENO);
		execlp("bwrap", "bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc",
		       "/proc", "--dev", "/dev", "/usr/bin/true", (char *)NULL);
		_exit(127);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return FG_OK;
	return fg_fail(FG_EUNSUPPORTED, WIFEXITED(status) && WEXITSTATUS(status) == 127
	                                    ? "bubblewrap is missing, and without it scenes would not be confined: install the package bubblewrap, or say --unconfined"
	                                    : "bubblewrap can't run here, and without it scenes would not be confined: allow user namespaces, or say --unconfined");
}

/* The portal's command line, its tokens replaced as every client does: .e renderer, .c scene and script, .o output, .f frame. */
static void
add_command(struct args *args, const struct fg_render *r)
{
	const char *home = r->confined ? "/job" : r->folder;
	char        command[sizeof(r->task->command)], text[4500], *rest, *word;

	snprintf(command, sizeof(command), "%s", r->task->command);
	for (word = strtok_r(command, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		if (strcmp(word, ".e") == 0) {
			snprintf(text, sizeof(text), "%s/rend.exe", r->confined ? "/renderer" : r->renderer != NULL ? r->renderer : "");
			add(args, r->blender != NULL ? r->blender : text);
		} else if (strcmp(word, ".c") == 0) {
			snprintf(text, sizeof(text), "%s/scene/%s", home, r->task->path);
			add(args, text);
			add(args, "-P");
			snprintf(text, sizeof(text), "%s/task.py", home);
			add(args, text);
		} else if (strcmp(word, ".o") == 0) {
			snprintf(text, sizeof(text), "%s/out/%" PRId64 "_", home, r->task->id);
			add(args, text);
		} else {
			add(args, strcmp(word, ".f") == 0 ? r->task->frame : word);
		}
	}
}

/* What a killed Blender leaves behind goes with the job's folder. Confined ones have a /tmp of their own. */
static void
own_tmp(const char *folder)
{
	char tmp[4200];

	snprintf(tmp, sizeof(tmp), "%s/tmp", folder);
	mkdir(tmp, 0700);
	setenv("TMPDIR", tmp, 1);
	setenv("TMP", tmp, 1);
}

static pid_t
start(struct args *args, const char *folder, int out)
{
	const pid_t parent = getpid(), child = fork();

	if (child != 0)
		return child;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setpriority(PRIO_PROCESS, 0, 10);
	if (chdir(folder) != 0)
		_exit(127);
	own_tmp(folder);
	dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(args->list[0], args->list);
	dprintf(STDERR_FILENO, "Error: could not start %s: %s\n", args->list[0], strerror(errno));
	_exit(127);
}

/* Head and tail are kept, the middle goes. */
static void
keep_log(struct fg_buf *log, const char *bytes, size_t len)
{
	fg_buf_add(log, bytes, len);
	if (log->len > LOG_MAX) {
		const size_t drop = (LOG_MAX - LOG_HEAD) / 2;

		memmove(log->data + LOG_HEAD, log->data + LOG_HEAD + drop, log->len - LOG_HEAD - drop + 1);
		log->len -= drop;
	}
}

struct reading {
	char   line[2048];
	size_t len;
};

static void
read_lines(struct fg_rendered *out, struct reading *reading, const char *bytes, size_t len)
{
	keep_log(&out->log, bytes, len);
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\n' && bytes[i] != '\r') {
			if (reading->len + 1 < sizeof(reading->line))
				reading->line[reading->len++] = bytes[i];
			continue;
		}
		reading->line[reading->len] = '\0';
		fg_progress_line(&out->progress, reading->line);
		reading->len = 0;
	}
}

static void
kill_group(pid_t child, int64_t *term_ms)
{
	const int64_t now_ms = fg_steady_ms();

	if (*term_ms == 0) {
		*term_ms = now_ms;
		kill(-child, SIGTERM);
	} else if (now_ms - *term_ms > GRACE_MS) {
		kill(-child, SIGKILL);
	}
}

/* The most memory that any process below this one ever had: bubblewrap stands between us and Blender, so its own says nothing. */
static int64_t
peak_kib(pid_t process, int depth)
{
	char          path[64];
	struct fg_buf text = { 0 };
	const char   *at;
	char         *next;
	int64_t       most = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)process);
	if (depth < 8 && access(path, R_OK) == 0 && fg_fs_read(&text, path, 65536) == FG_OK && (at = strstr(fg_buf_text(&text), "VmHWM:")) != NULL)
		most = strtoll(at + 6, NULL, 10);
	fg_buf_clear(&text);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)process, (int)process);
	if (depth < 8 && access(path, R_OK) == 0 && fg_fs_read(&text, path, 65536) == FG_OK)
		for (char *p = text.data; p != NULL && *p != '\0'; p = *next == ' ' ? next + 1 : next) {
			const pid_t   child = (pid_t)strtol(p, &next, 10);
			const int64_t its = next != p ? peak_kib(child, depth + 1) : 0;

			if (next == p)
				break;
			most = its > most ? its : most;
		}
	fg_buf_free(&text);
	return most;
}

/* Until its output ends and it is gone. */
static void
follow(struct fg_rendered *out, const struct fg_render *r, pid_t child, int in)
{
	const int64_t  began_ms = fg_steady_ms();
	struct reading reading = { .len = 0 };
	struct rusage  usage = { 0 };
	int64_t        term_ms = 0;
	int            status = 0;
	bool           open_end = true;
	pid_t          gone = 0;

	while (gone == 0) {
		struct pollfd ready = { .fd = open_end ? in : -1, .events = POLLIN };
		char          piece[8192];

		const int has = poll(&ready, 1, open_end ? TICK_MS : 20);

		if (has > 0) {
			const ssize_t got = read(in, piece, sizeof(piece));

			if (got > 0)
				read_lines(out, &reading, piece, (size_t)got);
			open_end = got > 0 || (got < 0 && errno == EINTR);
		}
		out->seconds = (fg_steady_ms() - began_ms) / 1000;
		if (out->stopped || !r->tick(r->ctx, &out->progress, out->seconds)) {
			out->stopped = true;
			kill_group(child, &term_ms);
		}
		if (open_end) {
			const int64_t peak = peak_kib(child, 0);

			out->memory_kib = peak > out->memory_kib ? peak : out->memory_kib;
		}
		if (!open_end || out->stopped || has == 0) /* silent: it may be gone, and its output kept open by a child of its own */
			gone = wait4(child, &status, WNOHANG, &usage);
	}
	kill(-child, SIGKILL); /* what it left behind */
	out->exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	out->memory_kib = usage.ru_maxrss > out->memory_kib ? usage.ru_maxrss : out->memory_kib;
}

/* The picture is the file in out/ that begins with the job's id. */
static void
find_picture(struct fg_rendered *out, const struct fg_render *r)
{
	char           folder[3800], start_with[32];
	DIR           *dir;
	struct dirent *entry;
	struct stat    st;
	int            fd;

	snprintf(folder, sizeof(folder), "%s/out", r->folder);
	snprintf(start_with, sizeof(start_with), "%" PRId64 "_%s", r->task->id, r->task->frame);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); /* the scene could write beside it */
	if (fd < 0 || (dir = fdopendir(fd)) == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, start_with, strlen(start_with)) == 0) {
			snprintf(out->file, sizeof(out->file), "%s/%s", folder, entry->d_name);
			if (lstat(out->file, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
				out->file[0] = '\0';
		}
	closedir(dir);
}

/* The first kind of graphics card that this Blender finds. */
static const char choose_gpu[] =
	"\nfor fg_kind in (\"OPTIX\", \"CUDA\", \"HIP\", \"ONEAPI\"):\n"
	"    try:\n"
	"        fg_cycles = bpy.context.preferences.addons[\"cycles\"].preferences\n"
	"        fg_cycles.compute_device_type = fg_kind\n"
	"        fg_cycles.get_devices()\n"
	"        if any(device.type == fg_kind for device in fg_cycles.devices):\n"
	"            sheepit_set_compute_device(fg_kind, fg_kind, \"\")\n"
	"            break\n"
	"    except Exception:\n"
	"        pass\n";

static enum fg_err
prepare(const struct fg_render *r)
{
	char          path[4200];
	struct fg_buf script = { 0 };
	enum fg_err   err;

	snprintf(path, sizeof(path), "%s/out", r->folder);
	if ((err = fg_fs_mkdirs(path, 0700)) != FG_OK)
		return err;
	snprintf(path, sizeof(path), "%s/task.py", r->folder);
	fg_buf_add(&script, r->task->script.data, r->task->script.len);
	if (r->gpu)
		fg_buf_str(&script, choose_gpu);
	err = fg_fs_replace(path, script.data, script.len, 0600);
	fg_buf_free(&script);
	return err;
}

enum fg_err
fg_render_run(struct fg_rendered *out, const struct fg_render *r)
{
	struct args args = { .count = 0 };
	int         ends[2];
	pid_t       child;
	enum fg_err err;

	*out = (struct fg_rendered){ .exit_status = -1 };
	fg_progress_init(&out->progress);
	if ((err = prepare(r)) != FG_OK)
		return err;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fg_fail(FG_EIO, "no pipe: %s", strerror(errno));
	if (r->confined)
		add_confinement(&args, r);
	add_command(&args, r);
	child = start(&args, r->folder, ends[1]);
	close(ends[1]);
	if (child > 0) {
		setpgid(child, child);
		follow(out, r, child, ends[0]);
		find_picture(out, r);
	} else {
		err = fg_fail(FG_EIO, "no new process: %s", strerror(errno));
	}
	close(ends[0]);
	free_args(&args);
	return err;
}
