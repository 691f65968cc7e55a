#include "compositor_child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/time.h"

enum { NICER = 10 };

static void
limit(int resource, int64_t value)
{
	setrlimit((__rlimit_resource_t)resource, &(struct rlimit){ .rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value });
}

/* Memory, processor time, no core dumps; and the kernel, short of memory, takes this one before the compositor. */
static void
set_limits(const struct fg_settings *settings)
{
	static const char sacrifice[] = "500";
	const int64_t     cores = sysconf(_SC_NPROCESSORS_ONLN);
	const int         fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, sacrifice, sizeof(sacrifice) - 1);
		close(fd);
	}
#ifndef __SANITIZE_ADDRESS__ /* its shadow is larger than any limit */
	limit(RLIMIT_DATA, settings->compositor_memory_bytes);
#endif
	limit(RLIMIT_CPU, settings->compositor_seconds * (cores > 0 ? cores : 1));
	limit(RLIMIT_CORE, 0);
	(void)!nice(NICER);
}

static void
become_maker(const struct fg_product *product, const struct fg_settings *settings, const char *config, int out, int err, pid_t parent)
{
	char     id[24], project[24], frame[16];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* it died before we asked to be told */
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	set_limits(settings);
	snprintf(id, sizeof(id), "%" PRId64, product->id);
	snprintf(project, sizeof(project), "%" PRId64, product->project);
	snprintf(frame, sizeof(frame), "%d", product->frame);
	execl("/proc/self/exe", "compositor", "--config", config, "--make", "--", id, product->kind, project, frame, (char *)NULL);
	dprintf(STDERR_FILENO, "could not start the maker: %s\n", strerror(errno));
	_exit(127);
}

static enum fg_err
pipes(int out[2], int err[2])
{
	if (pipe2(out, O_CLOEXEC) != 0)
		return fg_fail(FG_EIO, "could not make a pipe: %s", strerror(errno));
	if (pipe2(err, O_CLOEXEC) != 0) {
		close(out[0]);
		close(out[1]);
		return fg_fail(FG_EIO, "could not make a pipe: %s", strerror(errno));
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	return FG_OK;
}

enum fg_err
fg_child_start(struct fg_child *out, const struct fg_product *product, const struct fg_settings *settings, const char *config)
{
	const pid_t self = getpid();
	int         o[2], e[2];
	enum fg_err err = pipes(o, e);

	if (err != FG_OK)
		return err;
	*out = (struct fg_child){ .product = *product, .out = o[0], .err = e[0], .started_ms = fg_steady_ms(), .renewed_ms = fg_steady_ms() };
	if ((out->pid = fork()) == 0)
		become_maker(product, settings, config, o[1], e[1], self);
	close(o[1]);
	close(e[1]);
	if (out->pid > 0) {
		setpgid(out->pid, out->pid); /* whoever of the two is first */
		return FG_OK;
	}
	close(o[0]);
	close(e[0]);
	out->pid = 0;
	return fg_fail(FG_EIO, "could not start a process: %s", strerror(errno));
}

static bool
value_of(const char *line, const char *word, char *out, size_t size)
{
	const size_t len = strlen(word);

	if (strncmp(line, word, len) != 0 || line[len] != ' ')
		return false;
	snprintf(out, size, "%s", line + len + 1);
	return true;
}

static void
take_answer(struct fg_child *child, const char *line)
{
	char number[16];

	if (value_of(line, "progress", number, sizeof(number)))
		child->progress = (int)strtol(number, NULL, 10);
	else if (!value_of(line, "ext", child->ext, sizeof(child->ext)) && !value_of(line, "note", child->note, sizeof(child->note)))
		value_of(line, "why", child->why, sizeof(child->why));
}

static void
take_complaint(struct fg_child *child, const char *line)
{
	if (strncmp(line, "time=", 5) != 0 && line[0] != '\0')
		snprintf(child->last, sizeof(child->last), "%.390s", line);
	fg_fs_write(STDERR_FILENO, line, strlen(line));
	fg_fs_write(STDERR_FILENO, "\n", 1);
}

/* What the pipe holds, cut into lines; one that is too long loses its end. Closes it at its end. */
static void
read_lines(struct fg_child *child, int *fd, char *line, size_t size, size_t *len, void (*take)(struct fg_child *child, const char *line))
{
	char    bytes[4096];
	ssize_t got;

	while (*fd >= 0 && ((got = read(*fd, bytes, sizeof(bytes))) > 0 || (got < 0 && errno == EINTR)))
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] != '\n' && *len < size - 1) {
				line[(*len)++] = bytes[i];
			} else if (bytes[i] == '\n') {
				line[*len] = '\0';
				take(child, line);
				*len = 0;
			}
		}
	if (*fd >= 0 && (got == 0 || (errno != EAGAIN && errno != EINTR))) {
		close(*fd);
		*fd = -1;
	}
}

void
fg_child_read(struct fg_child *child)
{
	read_lines(child, &child->out, child->out_line, sizeof(child->out_line), &child->out_len, take_answer);
	read_lines(child, &child->err, child->err_line, sizeof(child->err_line), &child->err_len, take_complaint);
}

void
fg_child_kill(struct fg_child *child)
{
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL); /* should it not lead its group yet */
}

/* In words for the project's owner. */
static void
explain(struct fg_child *child, int status, const struct fg_settings *settings)
{
	char own[sizeof(child->why)];

	snprintf(own, sizeof(own), "%s", child->why);
	if (child->overdue || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		snprintf(child->why, sizeof(child->why), "it took longer than %" PRId64 " seconds (compositor_seconds)", settings->compositor_seconds);
	else if (WIFSIGNALED(status))
		snprintf(child->why, sizeof(child->why), "its maker died of signal %d (%s)%s%.200s", WTERMSIG(status), strsignal(WTERMSIG(status)),
		         child->last[0] != '\0' ? ": " : "", child->last);
	else if (own[0] == '\0')
		snprintf(child->why, sizeof(child->why), "its maker ended with status %d%s%.200s", WEXITSTATUS(status), child->last[0] != '\0' ? ": " : "",
		         child->last);
	else if (child->last[0] != '\0')
		snprintf(child->why, sizeof(child->why), "%.190s: %.200s", own, child->last);
}

bool
fg_child_ended(struct fg_child *child, bool *ok, const struct fg_settings *settings)
{
	siginfo_t ended = { .si_pid = 0 };
	int       status = 0;

	if (waitid(P_PID, (id_t)child->pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != child->pid)
		return false;
	kill(-child->pid, SIGKILL); /* whatever it started ends with it, while the number is still its own */
	waitpid(child->pid, &status, 0);
	fg_child_read(child);
	if (child->out >= 0)
		close(child->out);
	if (child->err >= 0)
		close(child->err);
	child->out = child->err = -1;
	*ok = WIFEXITED(status) && WEXITSTATUS(status) == 0 && child->ext[0] != '\0';
	if (!*ok)
		explain(child, status, settings);
	child->pid = 0;
	return true;
}

pid_t
fg_child_self(const char *config, const char *option, int64_t id)
{
	const pid_t self = getpid(), pid = fork();
	char        number[24];

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != self)
		_exit(1);
	snprintf(number, sizeof(number), "%" PRId64, id);
	execl("/proc/self/exe", "compositor", "--config", config, option, number, (char *)NULL);
	_exit(127);
}
