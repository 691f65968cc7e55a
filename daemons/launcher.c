/* launcher: starts, queues, follows and stops solver runs of this host; speaks Socket.IO v5 and JSON-RPC 2.0 (doc/protocol.md#the-launcher).
 *
 *   launcher [--config FILE | --dir DIR]      as a part of a farm: settings in launcher.conf beside farmgate.conf, socket run/launcher.sock.
 *                                             Without that file it does nothing but wait for it.
 *   farmgate-launcher --settings FILE         alone, without portal and web server: the same file, with `listen` and `state_dir`
 *
 * Runs belong to farmgate-run processes, not to it: killed and started again it takes them up where they are. One works for a host and a state at a
 * time: flock(state/launcher-HOST.lock). SIGTERM ends it and leaves the runs alone; SIGHUP reads nothing: restart it to change settings. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/time.h"
#include "farm/program.h"
#include "launch/tree.h"
#include "launcher.h"

enum { EVENTS = 64, QUEUE_TIMER_MS = 30000, IDLE_MS = 1000, SWEEP_MS = 600000, AWAIT_MS = 2000 };

static volatile sig_atomic_t ending;

static void
on_term(int signal_number)
{
	(void)signal_number;
	ending = 1;
}

/* --- the loop */

void
loop_add(struct launcher *l, struct source *source, uint32_t events)
{
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, source->fd, &(struct epoll_event){ .events = events, .data.ptr = source }) != 0)
		fg_log(FG_LOG_ERROR, "loop.add", "why=%s", fg_log_quote(strerror(errno)).text);
}

void
loop_change(struct launcher *l, struct source *source, uint32_t events)
{
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, source->fd, &(struct epoll_event){ .events = events, .data.ptr = source });
}

void
loop_remove(struct launcher *l, struct source *source)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, source->fd, NULL);
}

/* Runs that ended long ago leave the terminals, then the history. */
static void
forget_old_runs(struct launcher *l)
{
	const int64_t before_ms = fg_now_ms() - l->config.history_days * 86400000;
	int           count = 0;

	if (l->config.history_days == 0)
		return;
	for (int i = l->count - 1; i >= 0; i--)
		if (l->jobs[i]->run.state == FG_RUN_ENDED && l->jobs[i]->run.ended_ms < before_ms)
			job_hide(l, l->jobs[i]);
	if (fg_run_sweep(&count, l->db, l->config.host, before_ms) == FG_OK && count > 0)
		fg_log(FG_LOG_INFO, "history.swept", "runs=%d", count);
}

/* What happens at the clock: output four times a second while anything runs. */
static void
tick(struct launcher *l, int64_t now_ms)
{
	runs_tick(l);
	cpu_tick(l);
	licences_tick(l);
	if (now_ms - l->swept_ms >= SWEEP_MS) {
		l->swept_ms = now_ms;
		forget_old_runs(l);
	}
	if (now_ms - l->timer_ms >= QUEUE_TIMER_MS) {
		l->timer_ms = now_ms;
		net_event(l, "[\"start_queue_timer\"]");
		l->look = true;
	}
}

static void
loop(struct launcher *l)
{
	struct epoll_event events[EVENTS];
	int64_t            ticked_ms = 0;

	while (!ending) {
		const int     pace_ms = runs_live(l) || net_clients(l) > 0 ? TICK_MS : IDLE_MS;
		int64_t       now_ms = fg_steady_ms();
		int           count, wait_ms = (int)(ticked_ms + pace_ms - now_ms);
		bool          beat;

		count = epoll_wait(l->epoll, events, 1, wait_ms < 0 ? 0 : wait_ms); /* one: what it does may free another's source */
		for (int i = 0; i < count; i++) {
			struct source *source = events[i].data.ptr;

			source->ready(l, source, events[i].events);
		}
		now_ms = fg_steady_ms();
		beat = now_ms - ticked_ms >= pace_ms;
		if (beat) {
			ticked_ms = now_ms;
			tick(l, now_ms);
		}
		if (l->look) {
			l->look = false;
			queue_look(l);
		}
		if (beat) /* and what a request changed goes out before its answer: else nobody is woken more often */
			net_flush(l);
		net_tick(l);
	}
}

/* --- the beginning */

static enum fg_err
lock_state(const struct launcher *l, const char *state_dir)
{
	char path[800];
	int  fd;

	snprintf(path, sizeof(path), "%s/launcher-%s.lock", state_dir, l->config.host);
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return fg_fail(FG_EIO, "could not open %s: %s", path, strerror(errno));
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ? FG_OK : fg_fail(FG_EBUSY, "another launcher works for %s", l->config.host);
}

/* Where farmgate-run and the rules are: beside this program, or as installed. */
static void
find_own(char out[512], const char *const *tries, size_t count)
{
	char    self[400];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2; up++) {
		if (strrchr(self, '/') != NULL)
			*strrchr(self, '/') = '\0';
		for (size_t i = 0; i < count; i++) {
			snprintf(out, 512, "%s%s%s", tries[i][0] == '/' ? "" : self, tries[i][0] == '/' ? "" : "/", tries[i]);
			if (access(out, F_OK) == 0)
				return;
		}
	}
}

static enum fg_err
read_settings(struct launcher *l, const char *path)
{
	static const char *const runs[] = { "farmgate-run", "libexec/farmgate/farmgate-run", FARMGATE_LIBEXEC "/farmgate-run" };
	static const char *const rules[] = { "share/launch", "share/farmgate/launch", FARMGATE_DATA "/launch" };
	char                     rules_dir[512];
	enum fg_err              err;

	find_own(rules_dir, rules, 3);
	if ((err = fg_launch_config_read(&l->config, path, rules_dir)) != FG_OK || (err = fg_launch_config_open(&l->config)) != FG_OK)
		return err;
	if (l->config.run_program[0] == '\0')
		find_own(l->config.run_program, runs, 3);
	if (l->config.host[strcspn(l->config.host, "/")] != '\0' || l->config.host[0] == '\0')
		return fg_fail(FG_EINVAL, "%s: host is a name", path);
	return FG_OK;
}

static enum fg_err
open_alone(struct launcher *l)
{
	struct fg_db *db;
	enum fg_err   err;

	if (l->config.state_dir[0] == '\0')
		return fg_fail(FG_EINVAL, "state_dir is missing in the settings");
	if ((err = fg_fs_mkdirs(l->config.state_dir, 0700)) != FG_OK || (err = lock_state(l, l->config.state_dir)) != FG_OK)
		return err;
	if ((err = fg_db_open(&db, l->config.state_dir, FG_DB_EXCLUSIVE)) == FG_OK) { /* busy: somebody works on it, so it is up to date */
		err = fg_db_migrate(db, NULL);
		fg_db_close(db);
	}
	return err == FG_OK || err == FG_EBUSY ? fg_db_open(&l->db, l->config.state_dir, FG_DB_SHARED) : err;
}

static enum fg_err
open_portal(struct launcher *l, const char *config)
{
	enum fg_err err = fg_farm_open(&l->farm, config, FG_DB_SHARED);
	char        path[PATH_MAX + 32];

	if (err != FG_OK)
		return err;
	l->portal = true;
	l->db = l->farm.db;
	snprintf(path, sizeof(path), "%s", l->farm.config);
	snprintf(strrchr(path, '/'), 32, "/launcher.conf");
	if (access(path, F_OK) != 0)
		fg_log(FG_LOG_INFO, "launcher.off", "settings=%s", fg_log_quote(path).text);
	while (access(path, F_OK) != 0 && !ending) /* off until configured */
		poll(NULL, 0, AWAIT_MS);
	if (ending)
		return FG_OK;
	snprintf(l->unix_path, sizeof(l->unix_path), "%.480s/launcher.sock", l->farm.settings.run_dir);
	snprintf(l->config.state_dir, sizeof(l->config.state_dir), "%s", l->farm.settings.state_dir);
	if ((err = read_settings(l, path)) != FG_OK)
		return err;
	snprintf(l->config.state_dir, sizeof(l->config.state_dir), "%s", l->farm.settings.state_dir);
	return lock_state(l, l->config.state_dir);
}

static enum fg_err
open_all(struct launcher *l)
{
	enum fg_err err;

	l->cores = fg_alloc((size_t)l->config.cores + 1);
	memset(l->cores, 0, (size_t)l->config.cores + 1);
	for (int i = 0; i < FG_LICENCES_MAX; i++)
		l->licence[i].used = l->licence[i].total = l->licence[i].source.fd = -1;
	fg_boot_id(l->boot);
	snprintf(l->control, sizeof(l->control), "%.500s/launcher", l->config.state_dir);
	if ((err = fg_fs_mkdirs(l->control, 0700)) == FG_OK && (err = runs_load(l)) == FG_OK)
		err = net_open(l);
	if (err == FG_OK && l->portal)
		fg_program_note(l->db, "launcher", fg_now_ms());
	l->timer_ms = fg_steady_ms();
	l->look = true;
	return err;
}

static void
close_all(struct launcher *l)
{
	net_close(l);
	while (l->count > 0)
		job_drop(l, l->jobs[l->count - 1]);
	free(l->jobs);
	free(l->cores);
	licences_close(l);
	fg_launch_config_close(&l->config);
	if (l->portal)
		fg_farm_close(&l->farm);
	else if (l->db != NULL)
		fg_db_close(l->db);
}

static int
usage(void)
{
	fputs("usage: launcher [--config FILE | --dir DIR]\n       farmgate-launcher --settings FILE\n", stderr);
	return 2;
}

static void
set_up_process(void)
{
	struct rlimit files;

	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_term }, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* nobody waits for a farmgate-run: its lock and its result say all */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "dir", required_argument, NULL, 'd' },
		                                 { "settings", required_argument, NULL, 's' }, { NULL, 0, NULL, 0 } };
	static struct launcher     l;
	char                       path[PATH_MAX];
	const char                *config = NULL, *settings = NULL;
	enum fg_err                err;
	int                        option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'd')
			config = snprintf(path, sizeof(path), "%s/farmgate.conf", optarg) < (int)sizeof(path) ? path : "";
		else if (option == 'c')
			config = optarg;
		else if (option == 's')
			settings = optarg;
		else
			return usage();
	if (argc != optind)
		return usage();
	fg_log_program("launcher");
	set_up_process();
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (settings != NULL)
		err = (err = read_settings(&l, settings)) == FG_OK ? open_alone(&l) : err;
	else
		err = open_portal(&l, config);
	if (err == FG_OK && !ending && (err = open_all(&l)) == FG_OK) {
		fg_log(FG_LOG_INFO, "launcher.ready", "host=%s runs=%d", l.config.host, l.count);
		loop(&l);
	}
	if (err != FG_OK)
		fprintf(stderr, "launcher: %s\n", fg_err_text(err));
	close_all(&l);
	return err == FG_OK ? 0 : 1;
}
