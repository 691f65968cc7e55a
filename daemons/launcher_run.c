/* launcher_run: runs from their start to their end, and what is told of them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/time.h"
#include "launch/beneath.h"
#include "launch/clean.h"
#include "launch/jsontext.h"
#include "launch/outfile.h"
#include "launch/stopfile.h"
#include "launch/template.h"
#include "launch/tree.h"
#include "launcher.h"

enum { READ_BYTES = 1 << 20, BEHIND_BYTES = 8 << 20, PARTIAL_MS = 1000, SAVE_MS = 10000 };

/* --- memory */

static struct job *
job_add(struct launcher *l, const struct fg_run *run)
{
	struct job *job = fg_alloc(sizeof(*job));

	memset(job, 0, sizeof(*job));
	job->run = *run;
	job->solver = fg_solver_find(&l->config, run->solver);
	job->life.fd = job->folder = job->head = -1;
	if (l->count == l->room)
		l->jobs = fg_realloc(l->jobs, (size_t)(l->room = l->room * 2 + 64) * sizeof(struct job *));
	return l->jobs[l->count++] = job;
}

static void
job_shut(struct launcher *l, struct job *job)
{
	if (job->life.fd >= 0) {
		loop_remove(l, &job->life);
		close(job->life.fd);
	}
	if (job->head >= 0)
		close(job->head);
	job->life.fd = job->head = -1;
	free(job->reading);
	job->reading = NULL;
}

void
job_drop(struct launcher *l, struct job *job)
{
	job_shut(l, job);
	if (job->folder >= 0)
		close(job->folder);
	fg_buf_free(&job->pending);
	json_object_put(job->charts);
	for (int i = 0; i < l->count; i++)
		if (l->jobs[i] == job)
			l->jobs[i--] = l->jobs[--l->count];
	free(job);
}

struct job *
job_find(const struct launcher *l, int64_t id)
{
	for (int i = 0; i < l->count; i++)
		if (l->jobs[i]->run.id == id)
			return l->jobs[i];
	return NULL;
}

struct job *
job_of_input(const struct launcher *l, const char *input, bool queued)
{
	for (int i = 0; i < l->count; i++) {
		const struct fg_run *run = &l->jobs[i]->run;

		if (run->state != FG_RUN_ENDED && (run->state == FG_RUN_QUEUED) == queued && strcmp(run->input, input) == 0)
			return l->jobs[i];
	}
	return NULL;
}

struct job *
job_of_folder(const struct launcher *l, int folder)
{
	struct stat own, other;

	if (fstat(folder, &own) != 0)
		return NULL;
	for (int i = 0; i < l->count; i++) {
		struct job *job = l->jobs[i];

		if ((job->run.state == FG_RUN_STARTING || job->run.state == FG_RUN_RUNNING) && job->folder >= 0 && fstat(job->folder, &other) == 0 &&
		    own.st_dev == other.st_dev && own.st_ino == other.st_ino)
			return job;
	}
	return NULL;
}

bool
runs_live(const struct launcher *l)
{
	for (int i = 0; i < l->count; i++)
		if (l->jobs[i]->run.state == FG_RUN_STARTING || l->jobs[i]->run.state == FG_RUN_RUNNING)
			return true;
	return false;
}

void
job_save(struct launcher *l, const struct job *job)
{
	const enum fg_err err = fg_run_update(l->db, &job->run);

	if (err != FG_OK)
		fg_log(FG_LOG_ERROR, "run.save", "run=%" PRId64 " why=%s", job->run.id, fg_log_quote(fg_err_text(err)).text);
}

enum fg_err
job_new(struct job **out, struct launcher *l, const struct fg_run *run)
{
	struct fg_run fresh = *run;
	enum fg_err   err = fg_run_add(&fresh, l->db, l->config.host);

	if (err == FG_OK)
		*out = job_add(l, &fresh);
	return err;
}

/* --- telling */

static double
elapsed_s(const struct job *job)
{
	const struct fg_run *run = &job->run;
	const int64_t        until = run->ended_ms > 0 ? run->ended_ms : job->suspended_ms > 0 ? job->suspended_ms : fg_now_ms();

	return run->started_ms == 0 || until < run->started_ms ? NAN : (double)(until - run->started_ms - run->paused_ms) / 1000;
}

static double
rounded(double number)
{
	return round(number * 1000) / 1000;
}

static void
add_progress(struct json_object *payload, struct job *job)
{
	const double elapsed = elapsed_s(job);
	double       eta = job->reading != NULL ? fg_reading_eta(job->reading, elapsed) : job->run.state == FG_RUN_ENDED ? 0 : -1;

	if (!isnan(job->run.current))
		json_object_object_add(payload, "current", fg_json_number(job->run.current));
	json_object_object_add(payload, "progress", fg_json_number(isnan(job->run.progress) ? 0 : rounded(job->run.progress)));
	job->run.eta = eta < 0 || isnan(eta) || job->run.state == FG_RUN_ENDED ? 0 : floor(eta + 0.5);
	json_object_object_add(payload, "ETA", fg_json_number(job->run.eta));
	if (!isnan(elapsed)) {
		json_object_object_add(payload, "elapsed", fg_json_number(floor(elapsed)));
		fg_track_add(&job->track, elapsed, isnan(job->run.progress) ? 0 : job->run.progress);
	}
}

void
tell_update(struct launcher *l, const struct job *job, struct json_object *payload)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "id", json_object_new_int64(job->run.id));
	json_object_object_add(params, "payload", payload);
	tell(l, "update_data", params);
}

static void
tell_infos(struct launcher *l, const struct job *job)
{
	struct json_object  *row = job_row(&job->run), *params = json_object_new_object();
	static const char *const keys[] = { "id", "input", "status", "started", "current", "end", "progress", "ETA", "elapsed" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct json_object *value = json_object_object_get(row, keys[i]);

		json_object_object_add(params, keys[i], json_object_get(value));
	}
	json_object_put(row);
	tell(l, "update_shell_infos", params);
}

void
tell_status(struct launcher *l, struct job *job)
{
	struct json_object *payload = json_object_new_object();

	json_object_object_add(payload, "status", json_object_new_string(job->run.status));
	if (job->run.state == FG_RUN_ENDED) {
		add_progress(payload, job);
		json_object_object_add(payload, "message", json_object_new_string(job->run.message));
	}
	tell_update(l, job, payload);
	tell_infos(l, job);
}

void
tell_added(struct launcher *l, const struct job *job)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "job", job_order(&job->run));
	tell(l, "addJob", params);
}

static void
tell_started(struct launcher *l, const struct job *job)
{
	struct json_object *payload = json_object_new_object();

	json_object_object_add(payload, "pid", json_object_new_int64(job->run.pid));
	json_object_object_add(payload, "started", json_object_new_int64(job->run.started_ms / 1000));
	tell_update(l, job, payload);
	tell_infos(l, job);
	payload = json_object_new_object();
	json_object_object_add(payload, "allocated_cores", json_object_new_string(job->run.cores));
	tell_update(l, job, payload);
	tell_infos(l, job);
}

/* The lines that viewers have not got; a line that is not finished waits a second for its end. */
static void
tell_output(struct launcher *l, struct job *job, bool all)
{
	const char   *last = job->pending.len > 0 ? memrchr(job->pending.data, '\n', job->pending.len) : NULL;
	size_t        size = last != NULL ? (size_t)(last + 1 - job->pending.data) : 0;
	struct fg_buf text = { 0 }, note = { 0 };

	if (all || job->pending.len > FLUSH_BYTES || fg_steady_ms() - job->read_ms > PARTIAL_MS)
		size = job->pending.len;
	if (size == 0)
		return;
	job->sent_at += (int64_t)size + job->skipped;
	fg_buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"appendToShell\",\"params\":{\"id\":%" PRId64 ",\"payload\":", job->run.id);
	if (job->skipped > 0)
		fg_buf_printf(&note, "[… %" PRId64 " bytes left out …]\n", job->skipped);
	job->skipped = 0;
	fg_buf_add(&note, job->pending.data, size);
	fg_json_quote(&text, note.data, note.len);
	fg_buf_str(&text, "}}");
	net_output(l, text.data, text.len);
	memmove(job->pending.data, job->pending.data + size, job->pending.len - size);
	job->pending.len -= size;
	fg_buf_free(&text);
	fg_buf_free(&note);
}

/* --- reading the output */

static void
keep_for_viewers(struct job *job, const char *bytes, size_t len)
{
	if (job->pending.len + len > FLUSH_BYTES) { /* more than anybody reads: the newest part */
		const size_t  over = job->pending.len + len - FLUSH_BYTES, old = over < job->pending.len ? over : job->pending.len;
		const size_t  fresh = over - old;

		if (old > 0)
			memmove(job->pending.data, job->pending.data + old, job->pending.len - old);
		job->pending.len -= old;
		job->skipped += (int64_t)over;
		bytes += fresh;
		len -= fresh;
	}
	fg_buf_add(&job->pending, bytes, len);
}

static void
note_numbers(struct job *job)
{
	const struct fg_reading *r = job->reading;
	const double             percent = fg_reading_percent(r);

	if (r->have[FG_RULE_CURRENT])
		job->run.current = r->value[FG_RULE_CURRENT];
	if (r->have[FG_RULE_END])
		job->run.end = r->value[FG_RULE_END];
	if (r->have[FG_RULE_MASS])
		job->run.mass = r->value[FG_RULE_MASS];
	if (r->have[FG_RULE_MASS_PCT])
		job->run.mass_pct = r->value[FG_RULE_MASS_PCT];
	if (percent >= 0)
		job->run.progress = percent;
}

static void
begin_running(struct launcher *l, struct job *job, struct json_object *payload)
{
	job->run.state = FG_RUN_RUNNING;
	snprintf(job->run.status, sizeof(job->run.status), "Running");
	json_object_object_add(payload, "status", json_object_new_string(job->run.status));
	job_save(l, job);
}

static void
tell_numbers(struct launcher *l, struct job *job, const struct fg_run *before)
{
	struct json_object *payload = json_object_new_object();
	const bool          begins = job->run.state == FG_RUN_STARTING && job->reading->started;

	if (begins)
		begin_running(l, job, payload);
	if (!isnan(job->run.end) && (isnan(before->end) || before->end != job->run.end))
		json_object_object_add(payload, "end", fg_json_number(job->run.end));
	if (!isnan(job->run.mass) && (isnan(before->mass) || before->mass != job->run.mass))
		json_object_object_add(payload, "a_mass", fg_json_number(job->run.mass));
	if (!isnan(job->run.mass_pct) && (isnan(before->mass_pct) || before->mass_pct != job->run.mass_pct))
		json_object_object_add(payload, "pct_mass", fg_json_number(job->run.mass_pct));
	if (!isnan(job->run.progress) && (isnan(before->progress) || before->progress != job->run.progress))
		add_progress(payload, job);
	if (!job->told_mass && l->config.mass_warning_pct > 0 && job->run.mass_pct > (double)l->config.mass_warning_pct) {
		job->told_mass = true;
		snprintf(job->run.message, sizeof(job->run.message), "added mass: %g %%", job->run.mass_pct);
		json_object_object_add(payload, "message", json_object_new_string(job->run.message));
		notify_end(l, job);
	}
	if (json_object_object_length(payload) > 0) {
		tell_update(l, job, payload);
		if (begins)
			tell_infos(l, job);
	} else
		json_object_put(payload);
}

/* What farmgate-run writes at most; a solver may have made the files longer. */
static int64_t
most_kept(const struct launcher *l)
{
	return l->config.head_bytes + 2 * l->config.tail_bytes;
}

/* New output since the last look; at most READ_BYTES, unless `all`. */
static void
job_read(struct launcher *l, struct job *job, bool all, bool quiet)
{
	const struct fg_run before = job->run;
	struct fg_buf       bytes = { 0 };
	struct stat         st;
	int64_t             skipped;
	const int64_t       from = job->read_at;
	bool                changed = false;

	if (job->head < 0)
		job->head = openat(job->folder, "stdout", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (job->head < 0 || fstat(job->head, &st) != 0 || (st.st_size <= job->read_at && st.st_size < l->config.head_bytes))
		return;
	while (fg_outfile_read(&bytes, job->folder, &job->read_at, &skipped, READ_BYTES) > 0) {
		job->read_ms = fg_steady_ms();
		job->skipped += skipped;
		changed |= fg_reading_feed(job->reading, &job->solver->rules, bytes.data, bytes.len);
		if (!quiet)
			keep_for_viewers(job, bytes.data, bytes.len);
		fg_buf_clear(&bytes);
		if (!all || job->read_at - skipped - from > most_kept(l))
			break;
	}
	fg_buf_free(&bytes);
	if (all)
		changed |= fg_reading_end(job->reading, &job->solver->rules);
	if (quiet) {
		job->sent_at = job->read_at;
		job->skipped = 0;
	}
	if (!changed)
		return;
	note_numbers(job);
	if (!quiet) {
		tell_output(l, job, all);
		tell_numbers(l, job, &before);
	} else if (job->run.state == FG_RUN_STARTING && job->reading->started)
		job->run.state = FG_RUN_RUNNING;
}

/* --- the end */

static void
control_path(char out[700], const struct launcher *l, const struct job *job, const char *ending)
{
	snprintf(out, 700, "%s/%" PRId64 ".%s", l->control, job->run.id, ending);
}

struct result {
	bool    there, signalled;
	int     number;
	int64_t at_ms;
	char    why[16];
};

static void
read_result(struct result *out, const struct launcher *l, const struct job *job)
{
	struct fg_buf text = { 0 };
	char          path[700], how[16] = "";

	memset(out, 0, sizeof(*out));
	control_path(path, l, job, "result");
	out->there = access(path, F_OK) == 0 && fg_fs_read(&text, path, 4096) == FG_OK &&
	             sscanf(fg_buf_text(&text), "%15s %d %" SCNd64 " %15s", how, &out->number, &out->at_ms, out->why) == 4;
	out->signalled = strcmp(how, "signal") == 0;
	fg_buf_free(&text);
}

static bool
says_normal(const struct fg_rules *rules)
{
	for (int i = 0; i < rules->count; i++)
		if (rules->rule[i].kind == FG_RULE_NORMAL)
			return true;
	return false;
}

static void
set_end(struct job *job, const char *status, const char *message)
{
	snprintf(job->run.status, sizeof(job->run.status), "%s", status);
	if (*message != '\0' || strcmp(status, "Error") == 0)
		snprintf(job->run.message, sizeof(job->run.message), "%s", message);
}

/* What the way it ended and its output say together. */
static void
judge(struct job *job, const struct result *result)
{
	const bool normal = job->reading != NULL && job->reading->normal, error = job->reading != NULL && job->reading->error;
	char       how[64];

	snprintf(how, sizeof(how), result->signalled ? "ended by signal %d" : "ended with exit status %d", result->number);
	if (!result->there)
		set_end(job, "Stopped", "its farmgate-run vanished");
	else if (strcmp(result->why, "memory") == 0)
		set_end(job, "Error", "used more memory than it asked for");
	else if (strcmp(result->why, "lost") == 0)
		set_end(job, "Error", "could not be started");
	else if (error)
		set_end(job, "Error", "the solver says that it ended with an error");
	else if (normal)
		set_end(job, strcmp(job->run.code, "sw1") == 0 ? "sw1" : "Finished", "");
	else if (strcmp(result->why, "own") != 0)
		set_end(job, "Stopped", strcmp(result->why, "killed") == 0 ? "killed" : "stopped");
	else if (result->signalled || result->number != 0)
		set_end(job, "Error", how);
	else if (job->solver != NULL && says_normal(&job->solver->rules))
		set_end(job, "Error", "ended without saying that its end is normal");
	else
		set_end(job, "Finished", "");
	if (strcmp(job->run.status, "Finished") == 0) {
		job->run.progress = 100;
		job->run.current = isnan(job->run.end) ? job->run.current : job->run.end;
	}
}

static void
free_cores(struct launcher *l, const struct job *job)
{
	for (const char *at = job->run.cores; (at = strpbrk(at, "0123456789")) != NULL; at += strspn(at, "0123456789")) {
		const long core = strtol(at, NULL, 10);

		if (core < l->config.cores)
			l->cores[core] = 0;
	}
}

static void
remove_control(const struct launcher *l, const struct job *job)
{
	static const char *const endings[] = { "run", "result", "lock" };
	char                     path[700];

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		control_path(path, l, job, endings[i]);
		unlink(path);
	}
}

static void
end_as_judged(struct launcher *l, struct job *job, int64_t ended_ms)
{
	job->run.state = FG_RUN_ENDED;
	job->run.ended_ms = ended_ms > 0 ? ended_ms : fg_now_ms();
	if (job->suspended_ms > 0)
		job->run.paused_ms += job->run.ended_ms - job->suspended_ms;
	job->suspended_ms = 0;
	free_cores(l, job);
	job_save(l, job);
	job_shut(l, job);
	remove_control(l, job);
	tell_status(l, job);
	notify_end(l, job);
	licences_refresh(l);
	l->look = true;
	fg_log(FG_LOG_INFO, "run.ended", "run=%" PRId64 " status=%s why=%s", job->run.id, job->run.status, fg_log_quote(job->run.message).text);
}

static void
job_ended(struct launcher *l, struct job *job, bool quiet)
{
	struct result result;

	if (job->reading != NULL && job->folder >= 0) {
		job_read(l, job, true, quiet);
		if (!quiet)
			tell_output(l, job, true);
	}
	read_result(&result, l, job);
	if (!result.there && job->run.pid > 0)
		fg_session_kill((pid_t)job->run.pid, (uint64_t)job->solver_start);
	judge(job, &result);
	end_as_judged(l, job, result.at_ms);
}

static void
life_ready(struct launcher *l, struct source *source, uint32_t events)
{
	(void)events;
	for (int i = 0; i < l->count; i++)
		if (&l->jobs[i]->life == source) {
			job_ended(l, l->jobs[i], false);
			return;
		}
}

/* --- the start */

static void
watch(struct launcher *l, struct job *job, int pidfd)
{
	job->life = (struct source){ life_ready, pidfd };
	loop_add(l, &job->life, EPOLLIN);
}

static void
cores_text(char *out, size_t size, const int *cores, int count, const char *between)
{
	size_t len = 0;

	*out = '\0';
	for (int i = 0; i < count && len + 16 < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%d", i > 0 ? between : "", cores[i]);
}

static void
set_environment(const char *lines)
{
	char name[128], value[4096];

	for (const char *at = lines, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		const char *equals = strchr(at, '=');

		snprintf(name, sizeof(name), "%.*s", (int)(equals - at), at);
		snprintf(value, sizeof(value), "%.*s", (int)(end - equals - 1), equals + 1);
		setenv(name, value, 1);
	}
}

/* Clears close-on-exec of what farmgate-run gets, and of nothing else. */
static void
become_run(const struct launcher *l, const struct job *job, const char *const *argv, int folder, int lock, const char *cores)
{
	const struct fg_rules *rules = &job->solver->rules;
	char                   text[8][40], control[700];
	const char            *own[32 + 70];
	int                    n = 0, count = 0;
	sigset_t               none;

#define NUMBER(v) (snprintf(text[count], sizeof(text[0]), "%" PRId64, (int64_t)(v)), text[count++])
	snprintf(control, sizeof(control), "%s/%" PRId64, l->control, job->run.id);
	const char *const head[] = { l->config.run_program, "--control", control, "--folder", NUMBER(folder), "--lock", NUMBER(lock), "--head",
		                     NUMBER(l->config.head_bytes), "--tail", NUMBER(l->config.tail_bytes), "--ncpu", NUMBER(job->run.ncpu), "--cores", cores,
		                     "--memory", NUMBER(job->run.memory_bytes > 0 ? job->run.memory_bytes + l->config.memory_slack_bytes : 0), "--cgroup", l->config.cgroup_root, "--stop-file", rules->stop_file, "--stop-text",
		                     rules->stop_text, "--polite", NUMBER(l->config.polite_seconds), "--term", NUMBER(l->config.term_seconds), "--" };
#undef NUMBER
	for (size_t i = 0; i < sizeof(head) / sizeof(*head); i++)
		own[n++] = head[i];
	while (*argv != NULL)
		own[n++] = *argv++;
	own[n] = NULL;
	fcntl(folder, F_SETFD, 0);
	fcntl(lock, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	unsetenv("FARMGATE_CONFIG");
	setenv("OMP_NUM_THREADS", text[4], 1);
	set_environment(l->config.environment);
	dup2(open("/dev/null", O_RDWR), 0);
	execv(l->config.run_program, (char *const *)(uintptr_t)own);
	_exit(127);
}

static int
take_lock(const struct launcher *l, const struct job *job)
{
	char path[700];
	int  fd;

	control_path(path, l, job, "lock");
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static enum fg_err
prepare(struct launcher *l, struct job *job, struct fg_command *command, struct fg_arena *arena, struct fg_buf *moved)
{
	const struct fg_order order = { job->run.input, job->run.solver, job->run.memory, job->run.expr, job->run.expr[0] != '\0' ? "" : job->run.command,
		                        job->run.ncpu };
	const char           *name;
	enum fg_err           err;

	if ((err = fg_template_apply(command, arena, &l->config, &order)) != FG_OK ||
	    (err = fg_beneath_folder(&job->folder, &name, &l->config, job->run.input)) != FG_OK)
		return err;
	job->solver = command->solver;
	job->run.memory_bytes = command->memory_bytes;
	snprintf(job->run.command, sizeof(job->run.command), "%s", command->text);
	return fg_clean(moved, job->folder, name, &l->config, &job->solver->rules, job->run.clean, fg_now_ms());
}

static enum fg_err
spawn(struct launcher *l, struct job *job, const struct fg_command *command, const int *cores, int count)
{
	const int lock = take_lock(l, job);
	char      list[1024];
	pid_t     pid;
	int       pidfd;

	if (lock < 0)
		return fg_fail(FG_EIO, "the run's lock can't be taken in %s", l->control);
	cores_text(list, sizeof(list), cores, count, ",");
	pid = fork();
	if (pid == 0)
		become_run(l, job, command->argv, job->folder, lock, list);
	close(lock);
	if (pid < 0)
		return fg_fail(FG_EIO, "no process could be started: %s", strerror(errno));
	if ((pidfd = (int)syscall(SYS_pidfd_open, pid, 0)) >= 0)
		watch(l, job, pidfd);
	return FG_OK;
}

static void
begin(struct launcher *l, struct job *job, const int *cores, int count)
{
	struct fg_run *run = &job->run;
	char           list[1000];

	run->state = FG_RUN_STARTING;
	snprintf(run->status, sizeof(run->status), "Starting");
	run->message[0] = run->code[0] = '\0';
	run->current = run->end = run->progress = run->mass = run->mass_pct = NAN;
	run->started_ms = run->ended_ms = run->paused_ms = run->pid = 0;
	snprintf(run->boot, sizeof(run->boot), "%s", l->boot);
	cores_text(list, sizeof(list), cores, count, ", ");
	snprintf(run->cores, sizeof(run->cores), "[%s]", list);
	job->reading = fg_alloc(sizeof(*job->reading));
	memset(job->reading, 0, sizeof(*job->reading));
	job_save(l, job);
	tell_added(l, job); /* first: front-ends before 1.0.9 break at news of a run that they don't know */
	tell_status(l, job);
}

/* What cleaning moved, in the run's message as far as it fits: "moved to .farmgate-trash: d3plot d3hsp …". */
static void
say_moved(struct launcher *l, struct job *job, const struct fg_buf *moved)
{
	struct fg_buf text = { 0 };
	size_t        room;

	if (moved->len == 0)
		return;
	fg_buf_printf(&text, "moved to %s:", l->config.trash);
	room = sizeof(job->run.message) - 8;
	for (const char *at = moved->data, *end; at < moved->data + moved->len; at = end + 1) {
		end = memchr(at, '\n', moved->len - (size_t)(at - moved->data));
		if (text.len + (size_t)(end - at) >= room) {
			fg_buf_str(&text, " …");
			break;
		}
		fg_buf_char(&text, ' ');
		fg_utf8_repair(&text, at, (size_t)(end - at));
	}
	snprintf(job->run.message, sizeof(job->run.message), "%s", fg_buf_text(&text));
	fg_buf_free(&text);
	job_save(l, job);
	struct json_object *payload = json_object_new_object();

	json_object_object_add(payload, "message", json_object_new_string(job->run.message));
	tell_update(l, job, payload);
}

enum fg_err
job_start(struct launcher *l, struct job *job, const int *cores, int count)
{
	struct fg_command command;
	struct fg_arena   arena = { 0 };
	struct fg_buf     moved = { 0 };
	enum fg_err       err;

	begin(l, job, cores, count);
	if ((err = prepare(l, job, &command, &arena, &moved)) == FG_OK) {
		say_moved(l, job, &moved);
		err = spawn(l, job, &command, cores, count);
	}
	if (err != FG_OK) {
		set_end(job, "Error", fg_err_text(err));
		end_as_judged(l, job, 0);
	}
	fg_log(FG_LOG_INFO, "run.started", "run=%" PRId64 " cores=%d moved=%s", job->run.id, count, fg_log_quote(fg_buf_text(&moved)).text);
	fg_arena_free(&arena);
	fg_buf_free(&moved);
	return err;
}

/* Who it is, once its farmgate-run has said so. False: not yet. */
static bool
learn(const struct launcher *l, struct job *job)
{
	struct fg_buf text = { 0 };
	char          path[700];
	int64_t       started_ms, solver;
	bool          known;

	control_path(path, l, job, "run");
	known = access(path, F_OK) == 0 && fg_fs_read(&text, path, 4096) == FG_OK &&
	        sscanf(fg_buf_text(&text), "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &job->run_pid, &job->run_start, &solver, &job->solver_start,
	               &started_ms) == 5;
	fg_buf_free(&text);
	if (known) {
		job->run.pid = solver;
		job->run.started_ms = started_ms;
	}
	return known;
}

static bool
has_started_rule(const struct fg_rules *rules)
{
	for (int i = 0; i < rules->count; i++)
		if (rules->rule[i].kind == FG_RULE_STARTED)
			return true;
	return false;
}

/* --- taking up again */

static bool
load_one(void *ctx, const struct fg_run *run)
{
	job_add(ctx, run);
	return true;
}

static void
requeue(struct launcher *l, const struct job *job)
{
	struct fg_run run = job->run;
	struct job   *again;

	run.state = FG_RUN_QUEUED;
	run.position = -1;
	run.created_ms = fg_now_ms();
	snprintf(run.status, sizeof(run.status), "Queued");
	run.cores[0] = run.message[0] = run.code[0] = '\0';
	run.started_ms = run.ended_ms = run.pid = 0;
	job_new(&again, l, &run);
}

static void
take_up(struct launcher *l, struct job *job)
{
	const char *name;
	int         lock;

	job->reading = fg_alloc(sizeof(*job->reading));
	memset(job->reading, 0, sizeof(*job->reading));
	if (fg_beneath_folder(&job->folder, &name, &l->config, job->run.input) != FG_OK || job->solver == NULL) {
		free(job->reading);
		job->reading = NULL;
	}
	learn(l, job);
	if (strcmp(job->run.boot, l->boot) != 0) {
		job_shut(l, job);
		set_end(job, "Stopped", "the host was restarted");
		end_as_judged(l, job, 0);
		if (l->config.requeue)
			requeue(l, job);
		return;
	}
	if ((lock = take_lock(l, job)) >= 0) { /* nobody holds it: it ended while we were away */
		close(lock);
		job_ended(l, job, true);
		return;
	}
	for (const char *at = job->run.cores; (at = strpbrk(at, "0123456789")) != NULL; at += strspn(at, "0123456789"))
		if (strtol(at, NULL, 10) < l->config.cores)
			l->cores[strtol(at, NULL, 10)] = 1;
	if (job->reading != NULL)
		job_read(l, job, false, true);
	for (int64_t before = -1; job->reading != NULL && before != job->read_at && job->read_at - job->skipped <= most_kept(l);) {
		before = job->read_at;
		job_read(l, job, false, true);
	}
}

enum fg_err
runs_load(struct launcher *l)
{
	enum fg_err err = fg_run_open(l->db, l->config.host, load_one, l);
	const int   count = l->count;

	for (int i = 0; i < count && err == FG_OK; i++)
		if (l->jobs[i]->run.state == FG_RUN_STARTING || l->jobs[i]->run.state == FG_RUN_RUNNING)
			take_up(l, l->jobs[i]);
	return err;
}

/* --- time passes */

static void
job_tick(struct launcher *l, struct job *job)
{
	int fd;

	if (job->run.pid == 0 && learn(l, job)) {
		job_save(l, job);
		tell_started(l, job);
		if (job->solver != NULL && !has_started_rule(&job->solver->rules))
			job->reading->started = true;
		if (job->reading != NULL && job->reading->started)
			tell_numbers(l, job, &job->run);
	}
	if (job->life.fd < 0) { /* after a restart of ours, or when it was gone before we looked */
		if (job->run_pid > 0 && (fd = fg_process_open((pid_t)job->run_pid, (uint64_t)job->run_start)) >= 0)
			watch(l, job, fd);
		else if ((fd = take_lock(l, job)) >= 0) {
			close(fd);
			job_ended(l, job, false);
			return;
		}
	}
	if (job->reading == NULL)
		return;
	job_read(l, job, false, false);
	tell_output(l, job, false);
}

void
runs_tick(struct launcher *l)
{
	for (int i = 0; i < l->count; i++)
		if (l->jobs[i]->run.state == FG_RUN_STARTING || l->jobs[i]->run.state == FG_RUN_RUNNING)
			job_tick(l, l->jobs[i]);
}

/* --- what people ask of a run */

enum fg_err
job_signal(struct launcher *l, struct job *job, int signal_number)
{
	int fd;

	if (job->run.state != FG_RUN_STARTING && job->run.state != FG_RUN_RUNNING)
		return fg_fail(FG_ECONFLICT, "Job %" PRId64 " is not running.", job->run.id);
	if (job->run_pid == 0)
		learn(l, job);
	if (job->run_pid == 0 || (fd = fg_process_open((pid_t)job->run_pid, (uint64_t)job->run_start)) < 0)
		return fg_fail(FG_ECONFLICT, "Job %" PRId64 " is just starting or ending; try again.", job->run.id);
	syscall(SYS_pidfd_send_signal, fd, signal_number, NULL, 0);
	close(fd);
	return FG_OK;
}

enum fg_err
job_code(struct launcher *l, struct job *job, const char *code)
{
	const struct fg_rules *rules = job->solver != NULL ? &job->solver->rules : NULL;
	enum fg_err            err;

	if (rules == NULL || rules->stop_file[0] == '\0' || !fg_word_in(rules->codes, code))
		return fg_fail(FG_EINVAL, "this solver knows the codes: %s", rules != NULL ? rules->codes : "none");
	if ((err = fg_stopfile_write(job->folder, rules->stop_file, code)) != FG_OK)
		return err;
	snprintf(job->run.code, sizeof(job->run.code), "%s", code);
	job_save(l, job);
	return FG_OK;
}
