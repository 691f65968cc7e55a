/* farmgate-worker: lends this machine to a farm. Asks for tasks, renders them confined, delivers the pictures. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/fs.h"
#include "base/random.h"
#include "base/time.h"
#include "config.h"
#include "worker/cache.h"
#include "worker/render.h"

enum { BEAT_MS = 5000, IDLE_FIRST_MS = 1000, IDLE_MOST_MS = 30000, ASIDE_MS = 600000, UPLOAD_MS = 600000, SLOTS_MAX = 64, SICK_FIRST_MS = 500, SICK_MOST_MS = 60000 };
enum { NOTHING = 200, NO_RIGHT = 201, SESSION_DEAD = 202, SET_ASIDE = 203, NO_RENDERER = 205, STOP = 400, NOT_STORED = 303, SESSION_GONE = 304 };
enum { TYPE_NO_PICTURE = 8, TYPE_DOWNLOAD = 9, TYPE_CRASHED = 12, TYPE_KILLED = 14, TYPE_MEMORY = 21, TYPE_PYTHON = 24 };

struct options {
	const char *server, *login, *key_file, *blender, *ca_file, *name;
	int         slots, method;
	bool        once, unconfined;
};

struct worker {
	const struct options *options;
	struct fg_client      client;
	struct fg_cache       cache;
	int                   slot, failed, sick; /**< sick: failures one after another */
	bool                  terminal;
	int64_t               seen; /* of the portal's news about work; -1 nothing yet */
};

static volatile sig_atomic_t stopping;

static void
stop(int number)
{
	(void)number;
	stopping = 1;
}

static void
say(const struct worker *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
say(const struct worker *w, const char *format, ...)
{
	va_list args;

	if (w->terminal)
		printf("\r\033[K");
	if (w->options->slots > 1)
		printf("[%d] ", w->slot + 1);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static void
bar(const struct worker *w, const struct fg_task *task, const struct fg_progress *p, int64_t seconds)
{
	const int full = p->permille / 50;

	if (!w->terminal || w->options->slots > 1)
		return;
	printf("\r\033[Kframe %s  [%.*s%.*s] %3d %%  %" PRId64 ":%02" PRId64, task->frame, full, "####################", 20 - full, "--------------------",
	       p->permille / 10, seconds / 60, seconds % 60);
	if (p->remaining_s >= 0)
		printf("  %d:%02d left", p->remaining_s / 60, p->remaining_s % 60);
	fflush(stdout);
}

/* Waits, but not when a signal came. */
static void
rest(int64_t ms)
{
	for (const int64_t end_ms = fg_steady_ms() + ms; !stopping && fg_steady_ms() < end_ms;)
		fg_sleep_ms(ms < 100 ? (int)ms : 100);
}

/* Waits as long, or until the portal says that there may be work. */
static void
rest_until_work(struct worker *w, int64_t ms)
{
	const int64_t end_ms = fg_steady_ms() + ms;
	const bool    first = w->seen < 0;

	if (!fg_client_wait(&w->client, &w->seen, (int)((ms + 999) / 1000)) && !(first && w->seen >= 0))
		rest(end_ms - fg_steady_ms()); /* the first answer only says where the news are: ask once more, then wait from there */
}

/** What a render needs to know to beat its heart. */
struct running {
	struct worker        *worker;
	const struct fg_task *task;
	struct fg_progress    progress;
	int64_t               beat_ms, seconds;
	bool                  cancelled, delivering;
	char                  told[720]; /**< of the engine, last */
};

static void
beat(struct running *run)
{
	const bool news = strcmp(run->told, run->progress.engine) != 0;

	run->beat_ms = fg_steady_ms();
	snprintf(run->told, sizeof(run->told), "%s", run->progress.engine);
	if (fg_client_beat(&run->worker->client, run->task, run->seconds, run->progress.remaining_s, run->progress.permille, news ? run->told : "") == STOP)
		run->cancelled = true;
}

/* The portal's leases are short: whatever a task waits for, its heart beats. */
static bool
alive(void *ctx)
{
	struct running *run = ctx;

	if (fg_steady_ms() - run->beat_ms >= BEAT_MS)
		beat(run);
	return !stopping && (!run->cancelled || run->delivering); /* a picture is offered to the end: its answer may only be on its way */
}

static bool
not_stopping(void *ctx)
{
	(void)ctx;
	return !stopping;
}

static bool
tick(void *ctx, const struct fg_progress *progress, int64_t seconds)
{
	struct running *run = ctx;

	bar(run->worker, run->task, progress, seconds);
	run->progress = *progress;
	run->seconds = seconds;
	return alive(run);
}

static void
evict(void *ctx, const char *md5)
{
	fg_cache_evict(ctx, md5);
}

/* The clients' own numbers for what can go wrong. */
static int
type_of(const struct fg_rendered *r)
{
	if (r->progress.out_of_memory)
		return TYPE_MEMORY;
	if (r->exit_status > 128)
		return r->exit_status == 128 + SIGKILL ? TYPE_MEMORY /* not by us: by the kernel */ : r->exit_status == 128 + SIGTERM ? TYPE_KILLED : TYPE_CRASHED;
	return r->progress.python_error ? TYPE_PYTHON : TYPE_NO_PICTURE;
}

static bool log_in(struct worker *w);

/* A finished picture is not given up while the portal may still want it. */
static bool
deliver(struct worker *w, const struct fg_task *task, const struct fg_rendered *r)
{
	const int64_t end_ms = fg_steady_ms() + UPLOAD_MS;
	int64_t       pause_ms = 1000;
	int           status;
	bool          again = true;

	for (;;) {
		status = fg_client_upload(&w->client, task, r->file, r->seconds + 1, r->memory_kib);
		if (status == SESSION_GONE && again && !stopping) { /* a late picture is taken from any session of this key */
			again = false;
			if (log_in(w))
				continue;
		}
		if ((status != -1 && status != NOT_STORED) || stopping || fg_steady_ms() > end_ms)
			break;
		say(w, "frame %s: not taken yet (%s), trying again", task->frame, status == -1 ? fg_err_text(FG_EIO) : "the portal could not store it");
		rest(pause_ms);
		pause_ms = pause_ms < 30000 ? pause_ms * 2 : 30000;
	}
	if (stopping && status == -1)
		return true;
	if (status == 0)
		say(w, "frame %s of \"%s\": delivered after %" PRId64 " s", task->frame, task->name, r->seconds);
	else
		say(w, "frame %s of \"%s\": refused by the portal (%d)", task->frame, task->name, status);
	return status == 0;
}

static bool
finish(struct worker *w, const struct fg_task *task, struct fg_rendered *r, struct running *run)
{
	if (run->cancelled) {
		say(w, "frame %s of \"%s\": stopped by the portal", task->frame, task->name);
		return true;
	}
	if (r->stopped)
		return true;
	if (r->exit_status == 0 && r->progress.saved && r->file[0] != '\0') {
		run->delivering = true;
		if (strcmp(run->told, r->progress.engine) != 0) {
			run->progress = r->progress;
			beat(run);
		}
		if (task->log)
			fg_client_report(&w->client, task, FG_REPORT_LOG_ALONE, &r->log, r->seconds, r->memory_kib);
		return deliver(w, task, r);
	}
	say(w, "frame %s of \"%s\": failed: %s", task->frame, task->name,
	    r->progress.error[0] != '\0' ? r->progress.error : r->exit_status != 0 ? "Blender ended with an error" : "Blender saved no picture");
	fg_client_report(&w->client, task, type_of(r), &r->log, r->seconds, r->memory_kib);
	return false;
}

static enum fg_err
fetch(struct worker *w, const struct fg_task *task, char *renderer, size_t size, const char *folder)
{
	char        scene[4096];
	enum fg_err err = FG_OK;

	if (w->options->blender == NULL && ((err = fg_cache_fetch(&w->cache, &w->client, task, "binary", task->renderer_md5)) != FG_OK ||
	                                    (err = fg_cache_renderer(renderer, size, &w->cache, task->renderer_md5)) != FG_OK))
		return err;
	if ((err = fg_cache_fetch(&w->cache, &w->client, task, "job", task->archive_md5)) != FG_OK)
		return err;
	fg_fs_remove_tree(folder);
	if ((err = fg_fs_mkdirs(folder, 0700)) != FG_OK)
		return err;
	snprintf(scene, sizeof(scene), "%s/scene", folder);
	return fg_cache_unpack(&w->cache, task->archive_md5, scene);
}

static void
cannot_begin(struct worker *w, const struct fg_task *task, enum fg_err err)
{
	struct fg_buf log = { 0 };

	fg_buf_printf(&log, "Error: %s\n", fg_err_text(err));
	say(w, "frame %s of \"%s\": %s", task->frame, task->name, fg_err_text(err));
	fg_client_report(&w->client, task, TYPE_DOWNLOAD, &log, 0, 0);
	fg_buf_free(&log);
}

static void
count(struct worker *w, bool good)
{
	w->failed += !good;
	w->sick = good ? 0 : w->sick + 1;
}

static void
work(struct worker *w, const struct fg_task *task)
{
	char               folder[3200], renderer[4096] = "";
	struct running     run = { .worker = w, .task = task, .beat_ms = fg_steady_ms() };
	struct fg_rendered result;
	struct fg_render   render = { .task = task, .blender = w->options->blender, .folder = folder, .confined = !w->options->unconfined,
		                      .gpu = task->gpu, .tick = tick, .ctx = &run };
	enum fg_err        err;

	snprintf(folder, sizeof(folder), "%s/jobs/%d", w->cache.dir, (int)getpid());
	fg_progress_init(&run.progress);
	w->client.go_on = alive;
	w->client.go_on_ctx = &run;
	say(w, "frame %s of \"%s\"", task->frame, task->name);
	if ((err = fetch(w, task, renderer, sizeof(renderer), folder)) == FG_OK) {
		render.renderer = w->options->blender == NULL ? renderer : NULL;
		if ((err = fg_render_run(&result, &render)) == FG_OK)
			count(w, finish(w, task, &result, &run));
		fg_buf_free(&result.log);
	}
	w->client.go_on = not_stopping;
	if (err != FG_OK && run.cancelled) {
		say(w, "frame %s of \"%s\": stopped by the portal", task->frame, task->name);
	} else if (err != FG_OK && !stopping) {
		count(w, false);
		cannot_begin(w, task, err);
	}
	fg_cache_release(&w->cache);
	fg_fs_remove_tree(folder);
}

/* The portal's no, in words. Returns whether to go on. */
static bool
log_in(struct worker *w)
{
	static const struct {
		int         status;
		const char *text;
	} words[] = { { 101, "this worker is too old for the portal; update it" }, { 102, "the portal doesn't know this name and key; check --login and the key file" },
		      { 104, "the portal misses something in this worker's login" } };

	for (int64_t pause_ms = 1000; !stopping; pause_ms = pause_ms < 60000 ? pause_ms * 2 : pause_ms) {
		const int status = fg_client_login(&w->client);

		if (status == 0) {
			say(w, "logged in at %s as %s", w->options->server, w->options->login);
			return true;
		}
		if (status > 0) {
			const char *text = "the portal refuses this login";

			for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
				if (words[i].status == status)
					text = words[i].text;
			say(w, "%s (%d)", text, status);
			return false;
		}
		say(w, "%s; trying again in %" PRId64 " s", fg_err_text(FG_EIO), pause_ms / 1000);
		rest(pause_ms);
	}
	return false;
}

/* One round of asking. Returns false when there is no more to do. */
static bool
ask_once(struct worker *w, int64_t *idle_ms)
{
	char           cached[FG_CACHED_MAX][33];
	const int      ncached = fg_cache_list(&w->cache, cached, FG_CACHED_MAX);
	struct fg_task task;
	const int      status = fg_client_request(&w->client, &task, (const char (*)[33])cached, ncached, evict, &w->cache);
	bool           go_on = true;

	switch (status) {
	case 0:
		*idle_ms = IDLE_FIRST_MS;
		work(w, &task);
		if (w->sick > 0) /* a machine that breaks all it touches must not eat the queue */
			rest(w->sick < 8 ? SICK_FIRST_MS << (w->sick - 1) : SICK_MOST_MS);
		break;
	case NOTHING:
		if (w->options->once)
			go_on = false;
		else
			rest_until_work(w, *idle_ms / 2 + fg_random_below((uint32_t)*idle_ms));
		*idle_ms = *idle_ms * 2 < IDLE_MOST_MS ? *idle_ms * 2 : IDLE_MOST_MS;
		break;
	case SESSION_DEAD:
		go_on = log_in(w);
		w->failed += !go_on;
		break;
	case SET_ASIDE:
		say(w, "the portal has set this machine aside because of its failures; its admin can allow it again");
		if (w->options->once) {
			w->failed++;
			go_on = false;
		} else {
			rest(ASIDE_MS);
		}
		break;
	case NO_RIGHT:
	case NO_RENDERER:
		say(w, "%s", status == NO_RIGHT ? "this account may not render; ask the portal's admin for the role worker"
		                                : "the portal has no renderer for this system; its admin can add one");
		w->failed++;
		go_on = false;
		break;
	default:
		say(w, "%s", status == -1 ? fg_err_text(FG_EIO) : "the portal's answer is not understood");
		rest(5000);
	}
	fg_task_free(&task);
	return go_on;
}

static int
run_slot(struct worker *w)
{
	int64_t idle_ms = IDLE_FIRST_MS;

	w->client.go_on = not_stopping;
	if (fg_client_open(&w->client) != FG_OK || !log_in(w))
		return 1;
	while (!stopping && ask_once(w, &idle_ms))
		;
	fg_client_logout(&w->client);
	fg_client_close(&w->client);
	return w->failed > 0;
}

/* Each slot is a process and a session of its own. */
static int
run_slots(struct worker *w)
{
	const pid_t parent = getpid();
	pid_t       children[SLOTS_MAX];
	int         failed = 0;

	if (w->options->slots == 1)
		return run_slot(w);
	for (w->slot = 0; w->slot < w->options->slots; w->slot++)
		if ((children[w->slot] = fork()) == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			_exit(getppid() == parent ? run_slot(w) : 1);
		}
	for (int i = 0; i < w->options->slots; i++) {
		int  status = 0;
		bool told = false;

		while (waitpid(children[i], &status, WNOHANG) == 0) {
			if (stopping && !told)
				told = kill(children[i], SIGTERM) == 0; /* not reaped yet: still this child */
			fg_sleep_ms(100);
		}
		failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	return failed;
}

static void
usage(FILE *to)
{
	fputs("farmgate-worker --server URL --login NAME --key-file FILE [flags]: lend this machine to a farm\n\n"
	      "  --server URL        the portal's address\n"
	      "  --login NAME        account there\n"
	      "  --key-file FILE     file with the account's worker key\n"
	      "  --cache DIR         folder for downloads (~/.cache/farmgate-worker)\n"
	      "  --cache-limit SIZE  most bytes of downloads that are kept: 20G, 500M (20G)\n"
	      "  --ca-file FILE      trust this CA instead of the system's\n"
	      "  --blender PATH      use this Blender instead of downloading the portal's\n"
	      "  --slots N           render so many tasks at once (1)\n"
	      "  --name NAME         what the portal shows for this machine (its host name)\n"
	      "  --compute WHAT      cpu, gpu or both (cpu)\n"
	      "  --once              end when there is nothing to do; exit status 1 if a task failed\n"
	      "  --unconfined        render without bubblewrap: only for scenes that you trust\n"
	      "  --help, --version\n", to);
}

static bool
parse_size(int64_t *out, const char *text)
{
	static const char units[] = "KMGT";
	char             *rest_of;
	const char       *unit;

	*out = strtoll(text, &rest_of, 10);
	if (rest_of == text || *out < 0 || *out > INT64_C(1) << 40)
		return false;
	if (*rest_of == '\0')
		return true;
	unit = strchr(units, *rest_of & ~0x20);
	if (unit == NULL || *unit == '\0' || rest_of[1] != '\0' || *out > INT64_C(1) << 20)
		return false;
	*out <<= 10 * (unit - units + 1);
	return true;
}

static int
wrong(const char *what, const char *value)
{
	fprintf(stderr, "farmgate-worker: %s%s; see --help\n", what, value);
	return 1;
}

static int
parse(struct options *o, struct fg_cache *cache, int argc, char **argv)
{
	static const struct option table[] = {
		{ "server", 1, NULL, 's' }, { "login", 1, NULL, 'l' }, { "key-file", 1, NULL, 'k' }, { "cache", 1, NULL, 'c' }, { "cache-limit", 1, NULL, 'L' },
		{ "ca-file", 1, NULL, 'a' }, { "blender", 1, NULL, 'b' }, { "slots", 1, NULL, 'n' }, { "compute", 1, NULL, 'm' }, { "once", 0, NULL, 'o' },
		{ "unconfined", 0, NULL, 'u' }, { "name", 1, NULL, 'N' }, { "help", 0, NULL, 'h' }, { "version", 0, NULL, 'v' }, { 0 } };
	int flag;

	while ((flag = getopt_long(argc, argv, "", table, NULL)) != -1)
		switch (flag) {
		case 's': o->server = optarg; break;
		case 'l': o->login = optarg; break;
		case 'k': o->key_file = optarg; break;
		case 'c': snprintf(cache->dir, sizeof(cache->dir), "%s", optarg); break;
		case 'L':
			if (!parse_size(&cache->limit_bytes, optarg))
				return wrong("--cache-limit wants a size like 20G, not ", optarg);
			break;
		case 'a': o->ca_file = optarg; break;
		case 'b': o->blender = optarg; break;
		case 'n': o->slots = (int)strtol(optarg, NULL, 10); break;
		case 'm': o->method = strcmp(optarg, "both") == 0 ? 0 : strcmp(optarg, "cpu") == 0 ? 1 : strcmp(optarg, "gpu") == 0 ? 2 : -1; break;
		case 'o': o->once = true; break;
		case 'u': o->unconfined = true; break;
		case 'N': o->name = optarg; break;
		case 'h': usage(stdout); exit(0);
		case 'v': puts("farmgate-worker " PACKAGE_VERSION); exit(0);
		default: return 1;
		}
	if (optind < argc)
		return wrong("nothing is known of ", argv[optind]);
	if (o->server == NULL || o->login == NULL || o->key_file == NULL)
		return wrong("--server, --login and --key-file are needed", "");
	if (o->slots < 1 || o->slots > SLOTS_MAX)
		return wrong("--slots wants 1 to 64", "");
	return o->method < 0 ? wrong("--compute wants cpu, gpu or both", "") : 0;
}

static enum fg_err
read_key(char *out, size_t size, const char *path)
{
	struct fg_buf text = { 0 };
	struct stat   st;
	enum fg_err   err = fg_fs_read(&text, path, size - 1);

	if (err == FG_OK) {
		snprintf(out, size, "%.*s", (int)strcspn(fg_buf_text(&text), "\r\n"), fg_buf_text(&text));
		if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
			fprintf(stderr, "farmgate-worker: others may read %s; chmod 600 it\n", path);
		if (out[0] == '\0')
			err = fg_fail(FG_EINVAL, "there is no key in %s", path);
	}
	fg_buf_free(&text);
	return err;
}

/* Blender's real path. Outside /usr its folder is shown to renders, so it must hold nothing of ours. */
static enum fg_err
find_blender(char out[PATH_MAX], const struct options *o, const struct fg_cache *cache)
{
	char   key[PATH_MAX];
	size_t folder;

	if (realpath(o->blender, out) == NULL || access(out, X_OK) != 0)
		return fg_fail(FG_EINVAL, "there is no program %s", o->blender);
	folder = (size_t)(strrchr(out, '/') - out) + 1;
	if (!o->unconfined && strncmp(out, "/usr/", 5) != 0 && realpath(o->key_file, key) != NULL &&
	    (strncmp(key, out, folder) == 0 || strncmp(cache->dir, out, folder) == 0))
		return fg_fail(FG_EINVAL, "renders could read the worker key or the cache beside %s: move Blender to a folder of its own", out);
	return FG_OK;
}

int
main(int argc, char **argv)
{
	struct options o = { .slots = 1, .method = 1 };
	struct worker  w = { .options = &o, .cache = { .limit_bytes = INT64_C(20) << 30 }, .terminal = isatty(STDOUT_FILENO), .seen = -1 };
	const char    *home = getenv("HOME");
	enum fg_err    err;
	char           server[512], blender[PATH_MAX];

	snprintf(w.cache.dir, sizeof(w.cache.dir), "%s/.cache/farmgate-worker", home != NULL ? home : ".");
	if (parse(&o, &w.cache, argc, argv) != 0)
		return 1;
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	snprintf(server, sizeof(server), "%s", o.server);
	while (server[0] != '\0' && server[strlen(server) - 1] == '/')
		server[strlen(server) - 1] = '\0';
	o.server = server;
	w.client = (struct fg_client){ .server = server, .login = o.login, .ca_file = o.ca_file, .method = o.method, .name = o.name, .slots = o.slots };
	if ((err = read_key(w.client.key, sizeof(w.client.key), o.key_file)) != FG_OK ||
	    (err = fg_cache_open(&w.cache, w.client.hwid)) != FG_OK || (o.blender != NULL && (err = find_blender(blender, &o, &w.cache)) != FG_OK) || (!o.unconfined && (err = fg_render_probe()) != FG_OK)) {
		fprintf(stderr, "farmgate-worker: %s\n", fg_err_text(err));
		return 1;
	}
	o.blender = o.blender != NULL ? blender : NULL;
	return run_slots(&w);
}
