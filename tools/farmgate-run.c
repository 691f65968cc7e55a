/* farmgate-run: owns one solver run, so that the launcher may come and go. It is started by the launcher and by nobody else:
 *
 *   farmgate-run --control PREFIX --folder FD --lock FD --head BYTES --tail BYTES --ncpu N [--cores 0,1] [--memory BYTES]
 *                [--cgroup ROOT] [--stop-file NAME --stop-text TEXT] [--polite S] [--term S] -- PROGRAM [ARGUMENT]…
 *
 *   PREFIX.run     written at the start: "PID START SOLVER SOLVER_START MILLISECONDS BOOT"
 *   PREFIX.result  written at the end:   "exit N" or "signal N", then " MILLISECONDS WHY"; WHY is own, stopped, killed, memory or lost
 *   FD --lock      an flock that this process holds while it lives; the solver never gets it
 *
 *   SIGTERM  stop: the solver's stop file, after --polite seconds TERM to all its processes, after --term more KILL
 *   SIGINT   stop without asking: TERM, then KILL       SIGQUIT  KILL at once
 *   SIGUSR1  suspend        SIGUSR2  go on
 *
 * Its output goes to `stdout` and `stdout.1` of the folder (outfile.h); the pipe is always read, whatever the disk says. When the solver has ended,
 * what it left running is ended too. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/time.h"
#include "launch/cgroup.h"
#include "launch/outfile.h"
#include "launch/stopfile.h"
#include "launch/tree.h"

enum { PIPE_BYTES = 1 << 20, READ_BYTES = 1 << 18, WATCH_MS = 1000, PASS_MS = 20, REMAINS_MS = 2000, REST_MS = 50 };
enum stage { GOING, POLITE, TERM, KILL };

struct run {
	const char       *control, *cores, *cgroup_root, *stop_file, *stop_text;
	int               folder, lock, ncpu;
	int64_t           head, tail, memory, polite_s, term_s;
	struct fg_cgroup  cgroup;
	struct fg_outfile out;
	pid_t             solver;
	int               pipe, signals, status; /* status: of wait, once `ended` */
	bool              ended, suspended;
	enum stage        stage;
	int64_t           next_ms;  /* steady time of the next stage; 0: none */
	int64_t           rest_ms;  /* steady time before which its pipe is not read again */
	bool              roomy;    /* the pipe holds PIPE_BYTES */
	int64_t           watch_ms; /* steady time of the next look at the memory */
	const char       *why;
	char              bytes[READ_BYTES];
};

static struct run run = { .folder = -1, .lock = -1, .ncpu = 1, .head = 8 << 20, .tail = 8 << 20, .polite_s = 60, .term_s = 10,
	                  .control = "", .cores = "", .cgroup_root = "", .stop_file = "", .stop_text = "", .why = "own" };

/* --- the solver */

static void
pin(const char *cores)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (const char *at = cores; *at != '\0'; at += strcspn(at, ","), at += *at == ',') {
		const long core = strtol(at, NULL, 10);

		if (core >= 0 && core < CPU_SETSIZE)
			CPU_SET((size_t)core, &set);
	}
	if (CPU_COUNT(&set) > 0)
		sched_setaffinity(0, sizeof(set), &set); /* an admin may have taken cores away: then it runs where it may */
}

static void
become_solver(int out, char **argv)
{
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t  none;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (run.cgroup.path[0] != '\0')
		fg_cgroup_enter(&run.cgroup);
	else
		pin(run.cores);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fchdir(run.folder) == 0)
		execvp(argv[0], argv);
	dprintf(2, "farmgate-run: %s can't be started: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static bool
start(char **argv)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	run.roomy = fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) >= PIPE_BYTES;
	run.solver = fork();
	if (run.solver == 0)
		become_solver(ends[1], argv);
	close(ends[1]);
	run.pipe = ends[0];
	fcntl(run.pipe, F_SETFL, O_NONBLOCK);
	return run.solver > 0;
}

/* --- files for the launcher */

static void
control_file(const char *ending, const char *text)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s.%s", run.control, ending);
	fg_fs_replace(path, text, strlen(text), 0600);
}

static void
tell_start(void)
{
	struct fg_process self = { 0 }, solver = { 0 };
	char              text[200], boot[40];

	fg_process_get(&self, getpid());
	fg_process_get(&solver, run.solver);
	fg_boot_id(boot);
	snprintf(text, sizeof(text), "%d %" PRIu64 " %d %" PRIu64 " %" PRId64 " %s\n", (int)getpid(), self.start, (int)run.solver, solver.start, fg_now_ms(), boot);
	control_file("run", text);
}

static void
tell_end(void)
{
	char       text[100];
	const bool signalled = WIFSIGNALED(run.status);

	if (fg_cgroup_starved(&run.cgroup))
		run.why = "memory";
	snprintf(text, sizeof(text), "%s %d %" PRId64 " %s\n", signalled ? "signal" : "exit", signalled ? WTERMSIG(run.status) : WEXITSTATUS(run.status),
	         fg_now_ms(), run.why);
	control_file("result", text);
}

/* --- stopping */

static void
go_on(void)
{
	if (run.suspended && !fg_cgroup_freeze(&run.cgroup, false))
		fg_tree_signal(getpid(), SIGCONT);
	run.suspended = false;
}

static void
enter(enum stage stage)
{
	const int64_t now_ms = fg_steady_ms();

	if (stage == POLITE && (run.stop_file[0] == '\0' || run.polite_s == 0))
		stage = TERM;
	run.stage = stage;
	go_on();
	if (stage == POLITE) {
		const bool asked = fg_stopfile_write(run.folder, run.stop_file, run.stop_text) == FG_OK;

		run.next_ms = now_ms + (asked ? run.polite_s * 1000 : 0);
	} else if (stage == TERM) {
		fg_tree_signal(getpid(), SIGTERM);
		run.next_ms = now_ms + (run.ended ? REMAINS_MS : run.term_s * 1000);
	} else {
		fg_cgroup_kill(&run.cgroup);
		fg_tree_kill(getpid());
		run.next_ms = now_ms + PASS_MS; /* again, until nobody is left */
	}
}

static void
stop(enum stage stage, const char *why)
{
	if (stage <= run.stage)
		return;
	if (run.stage == GOING)
		run.why = why;
	enter(stage);
}

static void
take_signal(void)
{
	struct signalfd_siginfo info;

	while (read(run.signals, &info, sizeof(info)) == sizeof(info))
		switch (info.ssi_signo) {
		case SIGTERM: stop(POLITE, "stopped"); break;
		case SIGINT: stop(TERM, "stopped"); break;
		case SIGQUIT: stop(KILL, "killed"); break;
		case SIGUSR1:
			if (run.stage == GOING && !run.suspended && (run.suspended = true) && !fg_cgroup_freeze(&run.cgroup, true))
				fg_tree_suspend(getpid());
			break;
		case SIGUSR2: go_on(); break;
		}
}

/* --- looking after it */

/* True while anybody is left. */
static bool
reap(void)
{
	int   status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == run.solver) {
			run.ended = true;
			run.status = status;
		}
	return pid == 0 || errno != ECHILD;
}

/* All that is there. A solver that says little is read REST_MS later again, not at each of its lines: its pipe holds far more than that. */
static bool
drain(void)
{
	ssize_t n;
	size_t  all = 0;

	while ((n = read(run.pipe, run.bytes, sizeof(run.bytes))) > 0) {
		fg_outfile_write(&run.out, run.bytes, (size_t)n);
		all += (size_t)n;
	}
	run.rest_ms = run.roomy && all < PIPE_BYTES / 16 ? fg_steady_ms() + REST_MS : 0;
	return n != 0;
}

static void
watch_memory(int64_t now_ms)
{
	if (run.memory == 0 || run.cgroup.path[0] != '\0' || now_ms < run.watch_ms)
		return;
	run.watch_ms = now_ms + WATCH_MS;
	if (fg_tree_memory(getpid()) > run.memory)
		stop(KILL, "memory");
}

static int
wait_ms(int64_t now_ms)
{
	int64_t until = run.next_ms > 0 ? run.next_ms : INT64_MAX;

	if (run.memory > 0 && run.cgroup.path[0] == '\0' && run.watch_ms < until)
		until = run.watch_ms;
	if (run.rest_ms > now_ms && run.rest_ms < until)
		until = run.rest_ms;
	return until == INT64_MAX ? -1 : until <= now_ms ? 0 : (int)(until - now_ms < 1000000 ? until - now_ms : 1000000);
}

static void
look_after(void)
{
	struct pollfd fds[] = { { .fd = run.signals, .events = POLLIN }, { .fd = run.pipe, .events = POLLIN } };

	while (reap()) {
		const int64_t now_ms = fg_steady_ms();

		if (run.ended && run.stage < TERM)
			enter(TERM); /* what it left behind */
		if (run.next_ms > 0 && now_ms >= run.next_ms)
			enter(run.stage == KILL ? KILL : run.stage + 1);
		watch_memory(now_ms);
		fds[1].events = run.rest_ms > now_ms ? 0 : POLLIN;
		poll(fds, 2, wait_ms(now_ms));
		take_signal();
		if ((fds[1].revents & (POLLIN | POLLHUP)) && !drain())
			fds[1].fd = -1;
	}
	drain();
}

static bool
take_option(int option)
{
	switch (option) {
	case 'c': run.control = optarg; break;
	case 'f': run.folder = (int)strtol(optarg, NULL, 10); break;
	case 'l': run.lock = (int)strtol(optarg, NULL, 10); break;
	case 'h': run.head = strtoll(optarg, NULL, 10); break;
	case 't': run.tail = strtoll(optarg, NULL, 10); break;
	case 'n': run.ncpu = (int)strtol(optarg, NULL, 10); break;
	case 'C': run.cores = optarg; break;
	case 'm': run.memory = strtoll(optarg, NULL, 10); break;
	case 'g': run.cgroup_root = optarg; break;
	case 'F': run.stop_file = optarg; break;
	case 'T': run.stop_text = optarg; break;
	case 'p': run.polite_s = strtoll(optarg, NULL, 10); break;
	case 'k': run.term_s = strtoll(optarg, NULL, 10); break;
	default: return false;
	}
	return true;
}

static void
take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (const int *s = (const int[]){ SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD, SIGHUP, SIGPIPE, 0 }; *s != 0; s++)
		sigaddset(&set, *s);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGCHLD, SIG_DFL); /* the launcher ignores it, and that is inherited */
	run.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", 1, NULL, 'c' }, { "folder", 1, NULL, 'f' }, { "lock", 1, NULL, 'l' },      { "head", 1, NULL, 'h' },      { "tail", 1, NULL, 't' },
		{ "ncpu", 1, NULL, 'n' },    { "cores", 1, NULL, 'C' },  { "memory", 1, NULL, 'm' },    { "cgroup", 1, NULL, 'g' },    { "stop-file", 1, NULL, 'F' },
		{ "stop-text", 1, NULL, 'T' }, { "polite", 1, NULL, 'p' }, { "term", 1, NULL, 'k' },     { NULL, 0, NULL, 0 } };
	char name[64];
	int  option;

	fg_log_program("farmgate-run");
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1)
		if (!take_option(option))
			return 2;
	if (optind >= argc || run.folder < 0 || run.control[0] == '\0') {
		fputs("farmgate-run is started by the launcher\n", stderr);
		return 2;
	}
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fcntl(run.folder, F_SETFD, FD_CLOEXEC);
	if (run.lock >= 0)
		fcntl(run.lock, F_SETFD, FD_CLOEXEC);
	take_signals();
	snprintf(name, sizeof(name), "run-%s", strrchr(run.control, '/') != NULL ? strrchr(run.control, '/') + 1 : run.control);
	if (run.cgroup_root[0] != '\0' && !fg_cgroup_make(&run.cgroup, run.cgroup_root, name, run.ncpu, run.cores, run.memory))
		fg_log(FG_LOG_WARN, "cgroup.refused", "root=%s", fg_log_quote(run.cgroup_root).text);
	if (fg_outfile_open(&run.out, run.folder, run.head, run.tail) != FG_OK || !start(argv + optind)) {
		run.status = 127 << 8;
		run.why = "lost";
		tell_end();
		return 1;
	}
	tell_start();
	look_after();
	fg_outfile_close(&run.out);
	tell_end();
	fg_cgroup_remove(&run.cgroup);
	return 0;
}
