#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/time.h"
#include "batch/tool.h"

enum { START_MS = 30000, STOP_MS = 4000, WORDS = 32 };

int
tool_free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t          len = sizeof(at);
	const int          fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int                port = 0;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0)
		port = ntohs(at.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

/* A program of ours in the background; it ends when we do. Its output goes to DIR/NAME.log. */
static pid_t
start(const struct tool_farm *f, const char *log, const char *const *args)
{
	char        path[PATH_MAX + 32];
	const pid_t self = getpid(), pid = fork();
	int         null, out;

	if (pid != 0)
		return pid;
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != self)
		_exit(1);
	snprintf(path, sizeof(path), "%s/%s.log", f->dir, log);
	null = open("/dev/null", O_RDONLY);
	out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	execvp(args[0], (char *const *)args);
	dprintf(STDERR_FILENO, "could not start %s: %s\n", args[0], strerror(errno));
	_exit(127);
}

/* The last line of a log, for a message. */
static void
last_line(char out[300], const struct tool_farm *f, const char *log)
{
	struct fg_buf text = { 0 };
	char          path[PATH_MAX + 32], *end;

	snprintf(path, sizeof(path), "%s/%s.log", f->dir, log);
	out[0] = '\0';
	if (fg_fs_read(&text, path, 1 << 20) == FG_OK && text.len > 0) {
		while (text.len > 0 && text.data[text.len - 1] == '\n')
			text.data[--text.len] = '\0';
		end = strrchr(text.data, '\n');
		snprintf(out, 300, "%s", end != NULL ? end + 1 : text.data);
	}
	fg_buf_free(&text);
}

static enum fg_err
run(const struct tool_farm *f, const char *log, const char *const *args)
{
	char        why[300];
	const pid_t pid = start(f, log, args);
	int         status = -1;

	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR && !tool_stopping)
		;
	if (tool_stopping && pid > 0) {
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return fg_fail(FG_EIO, "stopped");
	}
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return FG_OK;
	last_line(why, f, log);
	return fg_fail(FG_EIO, "%s", why[0] != '\0' ? why : "a program of the farm could not be started");
}

/* A program beside this one. */
static const char *
program(char out[PATH_MAX], const struct tool_farm *f, const char *name)
{
	snprintf(out, PATH_MAX, "%.3900s/%.100s", f->bin, name);
	if (access(out, X_OK) != 0)
		snprintf(out, PATH_MAX, "%.100s", name);
	return out;
}

static enum fg_err
write_settings(const struct tool_farm *f)
{
	char  path[PATH_MAX + 32];
	FILE *conf;

	snprintf(path, sizeof(path), "%s/farmgate.conf", f->dir);
	if ((conf = fopen(path, "a")) == NULL)
		return fg_fail(FG_EIO, "could not write %s", path);
	fprintf(conf, "batch_user = me\nbatch_listen = 127.0.0.1:%d\nbatch_input_folders = /\nbatch_output_folders = /\nbatch_own_machine = 1\nbatch_desktop = 1\n"
	              "farm_name = farmgate-batch\ntask_tries = 1\nproject_errors = 1\nworker_errors = 1000000\nworker_broken = 1000\ndisk_reserve_bytes = 67108864\n", f->port);
	if (f->allow_hooks)
		fprintf(conf, "batch_hooks = *\nbatch_power = 1\n");
	return fclose(conf) == 0 ? FG_OK : fg_fail(FG_EIO, "could not write %s", path);
}

static enum fg_err
configure(const struct tool_farm *f, int port)
{
	const struct passwd *me = getpwuid(getuid());
	char                 spawn[PATH_MAX], number[16], htdocs[PATH_MAX], templates[PATH_MAX];
	const char          *args[WORDS] = { program(spawn, f, "farmgate-spawn"), "--dir", f->dir, "configure", "--port", number, "--tls-port", "0", "--pool-max", "1",
		                             "--web-user", me != NULL ? me->pw_name : "root", NULL };

	snprintf(number, sizeof(number), "%d", port);
	if (f->tree != NULL) { /* not installed: programs beside us, the rest in the tree */
		snprintf(htdocs, sizeof(htdocs), "%.3000s/htdocs", f->tree);
		snprintf(templates, sizeof(templates), "%.3000s/nginx", f->tree);
		for (const char **a = args + 12, *const more[] = { "--programs", f->bin, "--htdocs", htdocs, "--templates", templates, NULL }, *const *m = more; *m != NULL;)
			*a++ = *m++;
	}
	return run(f, "setup", args);
}

static enum fg_err
admin(const struct tool_farm *f, const char *const *words)
{
	char        path[PATH_MAX];
	const char *args[WORDS] = { program(path, f, "farmgate-admin"), "--dir", f->dir };

	for (int i = 0; words[i] != NULL; i++)
		args[3 + i] = words[i];
	return run(f, "setup", args);
}
#define ADMIN(...) admin(f, (const char *const[]){ __VA_ARGS__, NULL })

static enum fg_err
set_up(struct tool_farm *f, const char *blender)
{
	const int   port = f->portal_port = tool_free_port();
	enum fg_err err;

	if ((err = configure(f, port)) != FG_OK || (err = write_settings(f)) != FG_OK || (err = configure(f, port)) != FG_OK || (err = ADMIN("migrate")) != FG_OK ||
	    (err = ADMIN("user", "add", "me", "--role", "submitter", "--role", "worker", "--no-password")) != FG_OK)
		return err;
	return ADMIN("renderer", "add", "--wrap", blender);
}

static bool
answers(const struct tool_farm *f)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)f->port) };
	const int          fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool         there = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	if (fd >= 0)
		close(fd);
	return there;
}

static bool
has_bubblewrap(const struct tool_farm *f)
{
	return run(f, "probe", (const char *const[]){ "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true", NULL }) == FG_OK;
}

/* A key of its own, as farmgate-admin prints it: the last word. */
static enum fg_err
make_key(const struct tool_farm *f, const char *path)
{
	char        admin_path[PATH_MAX], line[300], *word;
	enum fg_err err = run(f, "key", (const char *const[]){ program(admin_path, f, "farmgate-admin"), "--dir", f->dir, "key", "add", "me", "worker", NULL });

	if (err != FG_OK)
		return err;
	last_line(line, f, "key");
	word = strrchr(line, ' ') != NULL ? strrchr(line, ' ') + 1 : line;
	err = fg_fs_replace(path, word, strlen(word), 0600);
	explicit_bzero(line, sizeof(line));
	return err;
}

static enum fg_err
start_worker(struct tool_farm *f)
{
	char        path[PATH_MAX], cache[PATH_MAX], key[PATH_MAX], url[64];
	const char *args[WORDS] = { program(path, f, "farmgate-worker"), "--server", url, "--login", "me", "--key-file", key, "--cache", cache, NULL };
	enum fg_err err;

	snprintf(cache, sizeof(cache), "%.3900s/cache", f->dir);
	snprintf(key, sizeof(key), "%.3900s/key", f->dir);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", f->portal_port);
	if ((err = make_key(f, key)) != FG_OK)
		return err;
	if (!has_bubblewrap(f))
		args[9] = "--unconfined"; /* one's own scenes on one's own machine */
	f->worker = start(f, "worker", args);
	return f->worker > 0 ? FG_OK : fg_fail(FG_EIO, "the worker could not be started");
}

enum fg_err
tool_farm_start(struct tool_farm *f, const char *blender)
{
	const char   *tmp = getenv("TMPDIR");
	const int64_t end_ms = fg_steady_ms() + START_MS;
	char          path[PATH_MAX], why[300];
	enum fg_err   err;

	snprintf(f->dir, sizeof(f->dir), "%.1000s/farmgate-batch-XXXXXX", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	if (mkdtemp(f->dir) == NULL) {
		f->dir[0] = '\0';
		return fg_fail(FG_EIO, "could not make a folder in %s: %s", tmp != NULL ? tmp : "/tmp", strerror(errno));
	}
	if ((err = set_up(f, blender)) != FG_OK)
		return err;
	f->keeper = start(f, "farm", (const char *const[]){ program(path, f, "farmgate-spawn"), "--dir", f->dir, "run", NULL });
	while (!answers(f) && tool_farm_lives(f) && fg_steady_ms() < end_ms)
		fg_sleep_ms(50);
	if (answers(f))
		return start_worker(f);
	last_line(why, f, "farm");
	return fg_fail(FG_EIO, "the farm did not start: %s", why);
}

bool
tool_farm_lives(struct tool_farm *f)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.3900s/run/stop", f->dir);
	return !tool_stopping && f->keeper > 0 && waitpid(f->keeper, NULL, WNOHANG) == 0 && access(path, F_OK) != 0;
}

/* Asked, waited for, and killed with all that it started. */
static void
end(pid_t pid, int64_t until_ms)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, WNOHANG) == 0 && fg_steady_ms() < until_ms)
		fg_sleep_ms(20);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Sessions that programs of the farm made for themselves: their pids stand in keep/NAME.pid. */
static void
kill_rest(const struct tool_farm *f)
{
	char           path[PATH_MAX + 300];
	DIR           *keep;
	struct dirent *entry;
	struct fg_buf  text = { 0 };

	snprintf(path, sizeof(path), "%s/keep", f->dir);
	if ((keep = opendir(path)) == NULL)
		return;
	while ((entry = readdir(keep)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');

		fg_buf_clear(&text);
		if (dot == NULL || strcmp(dot, ".pid") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/keep/%s", f->dir, entry->d_name);
		if (fg_fs_read(&text, path, 100) == FG_OK && strtoll(fg_buf_text(&text), NULL, 10) > 1)
			kill(-(pid_t)strtoll(fg_buf_text(&text), NULL, 10), SIGKILL);
	}
	closedir(keep);
	fg_buf_free(&text);
}

void
tool_farm_stop(struct tool_farm *f)
{
	const int64_t until_ms = fg_steady_ms() + STOP_MS;

	if (f->dir[0] == '\0')
		return;
	end(f->worker, until_ms - STOP_MS / 2);
	end(f->keeper, until_ms);
	kill_rest(f);
	if (!f->no_cleanup)
		fg_fs_remove_tree(f->dir);
	else
		fprintf(stderr, "everything is kept in %s\n", f->dir);
	f->dir[0] = '\0';
}
