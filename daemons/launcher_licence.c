/* launcher_licence: licence servers' tools, asked beside everything else. What they don't say is unknown, which is not zero and not two. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "launcher.h"

enum { LIMIT_MS = 2000, OUTPUT_MOST = 1 << 20, STANDARD_SECONDS = 5, SETTLE_MS = 15000, WORDS_MAX = 32, KILLS_MAX = 8, SAID_MOST = 65536 };

/* Start a tool: blanks separate its arguments; `last` (may be NULL) is one more. Returns the pipe of its output. */
static int
start(pid_t *pid, const char *command, const char *last)
{
	char  text[512], *argv[WORDS_MAX + 2];
	int   ends[2], count = 0;
	char *save = NULL;

	snprintf(text, sizeof(text), "%s", command);
	for (char *word = strtok_r(text, " \t", &save); word != NULL && count < WORDS_MAX; word = strtok_r(NULL, " \t", &save))
		argv[count++] = word;
	if (last != NULL)
		argv[count++] = (char *)(uintptr_t)last;
	argv[count] = NULL;
	if (count == 0 || pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	*pid = fork();
	if (*pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		dup2(open("/dev/null", O_RDWR), 0);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execv(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	return ends[0];
}

static void kills_tick(struct launcher *l, int64_t now_ms);

/* --- the count and the list */

static void
take_count(struct launcher *l, struct licence_state *state, const struct fg_licence *licence)
{
	double        used, total;
	const int64_t before_used = state->used, before_total = state->total;

	state->used = state->total = -1;
	if (fg_rule_number(&used, &licence->used, fg_buf_text(&state->out)) && fg_rule_number(&total, &licence->total, fg_buf_text(&state->out)) && used >= 0 &&
	    total >= 0 && used < 1e9 && total < 1e9) {
		state->used = (int64_t)used;
		state->total = (int64_t)total;
		state->known_ms = fg_steady_ms();
	} else if (!state->silent)
		fg_log(FG_LOG_WARN, "licence.unknown", "licence=%s", licence->name);
	state->silent = state->used < 0;
	l->look |= state->used != before_used || state->total != before_total;
}

static void
ask(struct launcher *l, int index, bool list);

static void
finish(struct launcher *l, int index)
{
	struct licence_state *state = &l->licence[index];
	const bool            listed = state->listing;

	loop_remove(l, &state->source);
	close(state->source.fd);
	state->source.fd = -1;
	if (state->pid > 0)
		kill(-state->pid, SIGKILL);
	state->pid = 0;
	if (listed) {
		fg_buf_clear(&state->list);
		fg_buf_str(&state->list, fg_buf_text(&state->out));
	} else
		take_count(l, state, &l->config.licence[index]);
	fg_buf_clear(&state->out);
	if (!listed && l->config.licence[index].list_command[0] != '\0' && l->net != NULL && net_clients(l) > 0)
		ask(l, index, true);
}

static void
output_ready(struct launcher *l, struct source *source, uint32_t events)
{
	for (int i = 0; i < l->config.licences; i++) {
		struct licence_state *state = &l->licence[i];
		ssize_t               n;

		(void)events;
		if (&state->source != source)
			continue;
		n = read(source->fd, fg_buf_room(&state->out, 4096), 4096);
		if (n > 0 && state->out.len + (size_t)n < OUTPUT_MOST) {
			state->out.len += (size_t)n;
			fg_buf_char(&state->out, '\0');
			state->out.len--;
		} else
			finish(l, i);
		return;
	}
}

static void
ask(struct launcher *l, int index, bool list)
{
	struct licence_state    *state = &l->licence[index];
	const struct fg_licence *licence = &l->config.licence[index];

	if (state->pid > 0)
		return;
	state->asked_ms = fg_steady_ms();
	state->listing = list;
	fg_buf_clear(&state->out);
	state->source = (struct source){ output_ready, start(&state->pid, list ? licence->list_command : licence->count_command, NULL) };
	if (state->source.fd >= 0)
		loop_add(l, &state->source, EPOLLIN);
}

void
licences_refresh(struct launcher *l)
{
	for (int i = 0; i < l->config.licences; i++)
		ask(l, i, false);
}

void
licences_tick(struct launcher *l)
{
	const int64_t now_ms = fg_steady_ms();

	kills_tick(l, now_ms);
	for (int i = 0; i < l->config.licences; i++) {
		struct licence_state *state = &l->licence[i];
		const int64_t         every_ms = 1000 * (l->config.licence[i].seconds > 0 ? l->config.licence[i].seconds : STANDARD_SECONDS);

		if (state->pid > 0 && now_ms - state->asked_ms > LIMIT_MS) {
			fg_buf_clear(&state->out); /* half an answer is none */
			finish(l, i);
		} else if (state->pid == 0 && (state->asked_ms == 0 || now_ms - state->asked_ms >= every_ms))
			ask(l, i, false);
	}
}

/* --- what follows */

int64_t
licence_need(const struct launcher *l, const struct job *job, int *index)
{
	*index = -1;
	if (job->solver == NULL || job->solver->licence[0] == '\0')
		return 0;
	*index = (int)(fg_licence_find(&l->config, job->solver->licence) - l->config.licence);
	return job->solver->per_core ? job->run.ncpu : 1;
}

bool
licence_free(int64_t *free, const struct launcher *l, int index)
{
	const struct licence_state *state = &l->licence[index];
	int64_t                     young = 0; /* started so lately that the server may not have counted them */

	if (state->used < 0 || state->total < 0)
		return false;
	for (int i = 0; i < l->count; i++) {
		const struct job *job = l->jobs[i];
		int               of;
		const int64_t     need = licence_need(l, job, &of);

		if (of == index && (job->run.state == FG_RUN_STARTING || (job->run.state == FG_RUN_RUNNING && fg_now_ms() - job->run.started_ms < SETTLE_MS)))
			young += need;
	}
	*free = state->total - state->used - young;
	*free = *free < 0 ? 0 : *free;
	return true;
}

/* --- a program is ended at its server */

static struct kill {
	struct source source;
	pid_t         pid;
	int           licence;
	int64_t       asked_ms;
	struct fg_buf said;
	struct late   late;
} kills[KILLS_MAX];

static void
kill_over(struct launcher *l, struct kill *one)
{
	const char *wanted = l->config.licence[one->licence].killed_text;

	loop_remove(l, &one->source);
	close(one->source.fd);
	kill(-one->pid, SIGKILL);
	one->pid = 0;
	rpc_killed(l, &one->late, strstr(fg_buf_text(&one->said), *wanted != '\0' ? wanted : "Program queued for termination") != NULL, &one->said);
	fg_buf_free(&one->said);
	ask(l, one->licence, false);
}

static void
kill_ready(struct launcher *l, struct source *source, uint32_t events)
{
	struct kill  *one = (struct kill *)source;
	const ssize_t n = read(source->fd, fg_buf_room(&one->said, 4096), 4096);

	(void)events;
	if (n > 0)
		one->said.len += (size_t)n;
	if (n <= 0 || one->said.len >= SAID_MOST)
		kill_over(l, one);
}

static void
kills_tick(struct launcher *l, int64_t now_ms)
{
	for (int i = 0; i < KILLS_MAX; i++)
		if (kills[i].pid > 0 && now_ms - kills[i].asked_ms > LIMIT_MS)
			kill_over(l, &kills[i]);
}

/* Is `host` one of the words of what the server lists? */
static bool
lists(const struct licence_state *state, const char *host)
{
	const size_t len = strlen(host);

	for (const char *at = fg_buf_text(&state->list); (at = strstr(at, host)) != NULL; at += len)
		if ((at == state->list.data || strchr(" \t\n", at[-1]) != NULL) && (at[len] == '\0' || strchr(" \t\r\n", at[len]) != NULL))
			return true;
	return false;
}

enum fg_err
licence_kill(struct launcher *l, const char *host, const struct late *late)
{
	struct kill *one = NULL;
	int          index = 0;

	while (index < l->config.licences && (l->config.licence[index].kill_command[0] == '\0' || !lists(&l->licence[index], host)))
		index++;
	if (index == l->config.licences)
		return fg_fail(FG_ENOTFOUND, "no licence server lists this program");
	for (int i = 0; i < KILLS_MAX && one == NULL; i++)
		if (kills[i].pid == 0)
			one = &kills[i];
	if (one == NULL)
		return FG_EBUSY;
	*one = (struct kill){ .licence = index, .asked_ms = fg_steady_ms(), .late = *late };
	one->source = (struct source){ kill_ready, start(&one->pid, l->config.licence[index].kill_command, host) };
	if (one->source.fd < 0 || one->pid < 0) {
		one->pid = 0;
		return FG_EBUSY;
	}
	loop_add(l, &one->source, EPOLLIN);
	return FG_OK;
}

void
licences_close(struct launcher *l)
{
	static const struct fg_buf nothing;

	for (int i = 0; i < FG_LICENCES_MAX; i++) {
		if (l->licence[i].pid > 0)
			kill(-l->licence[i].pid, SIGKILL);
		fg_buf_free(&l->licence[i].out);
		fg_buf_free(&l->licence[i].list);
	}
	for (int i = 0; i < KILLS_MAX; i++)
		if (kills[i].pid > 0) {
			kill(-kills[i].pid, SIGKILL);
			rpc_killed(l, &kills[i].late, false, &nothing);
			fg_buf_free(&kills[i].said);
		}
}
