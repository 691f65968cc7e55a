/* farmgate-batch: render batches from the command line: by a portal, or by a farm of its own on this machine that lasts as long as it does. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "base/fs.h"
#include "base/time.h"
#include "batch/recipe.h"
#include "batch/tool.h"
#include "batch/work.h"
#include "config.h"

enum { POLL_MS = 500, PORT = 7777, JOBS_MAX = 100000 };

volatile sig_atomic_t tool_stopping;

struct options {
	const char *recipe, *server, *token_file, *ca_file, *poll_job, *list_gpus, *tree;
	int         port;
	bool        dry, check, serve, poll, cancel, cancel_job, stop, print_stats, no_cleanup, write_log, debug, allow_hooks;
};

static const char usage_text[] =
	"usage: farmgate-batch [--recipe FILE] [--dry | --check] [--serve] [--port N] [--server URL --token-file FILE [--ca-file FILE]]\n"
	"                      [--poll | --poll-job N | --cancel | --cancel-job | --stop] [--list-gpus BLENDER] [--print-stats] [--no-cleanup]\n"
	"                      [--write-log] [--print-debug] [--allow-hooks] [--version]\n"
	"\n"
	"  --recipe FILE       render this batch and end: on a farm of its own on this machine, or at --server\n"
	"  --dry               only say what would be done, with Blender's command lines\n"
	"  --check             only see whether programs, files, scenes, cameras and folders are there; the exit status tells\n"
	"  --serve             answer the batch API on --port (7777) until Ctrl+C; with --recipe, that batch is started\n"
	"  --poll, --poll-job N, --cancel, --cancel-job, --stop      ask what runs on --port, or at --server\n"
	"  --server URL        a portal instead; --token-file has its API token (account page, or farmgate-admin token add)\n"
	"  --list-gpus BLENDER list the GPUs that this Blender can render on\n"
	"  --print-stats       slowest, fastest and average job at the end\n"
	"  --allow-hooks       on a farm of its own: hooks and power-off of recipes are done\n"
	"  --write-log         a log in server/log of the working directory\n"
	"  --no-cleanup        keep the temporary folder      --print-debug   say more\n";

static void
on_signal(int number)
{
	(void)number;
	tool_stopping = 1;
}

static int
fail(const char *text)
{
	fprintf(stderr, "farmgate-batch: %s\n", text);
	return 1;
}

/* --- the log: one file for each start */

static FILE *log_file;

static void
say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *format, ...)
{
	va_list     args;
	char        at[32];
	time_t      now = time(NULL);
	struct tm   parts;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	if (log_file == NULL)
		return;
	localtime_r(&now, &parts);
	strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S ", &parts);
	fputs(at, log_file);
	va_start(args, format);
	vfprintf(log_file, format, args);
	va_end(args);
	fputc('\n', log_file);
	fflush(log_file);
}

static void
open_log(void)
{
	char      name[128];
	time_t    now = time(NULL);
	struct tm parts;

	localtime_r(&now, &parts);
	strftime(name, sizeof(name), "server/log/renderplus_%d-%m-%Y-%H-%M-%S", &parts);
	if (fg_fs_mkdirs("server/log", 0755) != FG_OK || (log_file = fopen(name, "a")) == NULL)
		fprintf(stderr, "farmgate-batch: could not write %s\n", name);
}

/* --- asking */

static enum fg_err
find_api(struct tool_api *api, const struct options *o)
{
	struct fg_buf token = { 0 };
	enum fg_err   err = FG_OK;

	*api = (struct tool_api){ .ca_file = o->ca_file };
	if (o->server == NULL) {
		snprintf(api->url, sizeof(api->url), "http://127.0.0.1:%d", o->port);
		return FG_OK;
	}
	snprintf(api->url, sizeof(api->url), "%.500s", o->server);
	while (api->url[0] != '\0' && api->url[strlen(api->url) - 1] == '/')
		api->url[strlen(api->url) - 1] = '\0';
	if (o->token_file == NULL)
		return fg_fail(FG_EINVAL, "--server needs --token-file: an API token of your account there");
	if ((err = fg_fs_read(&token, o->token_file, 1000)) == FG_OK)
		snprintf(api->token, sizeof(api->token), "%.*s", (int)strcspn(fg_buf_text(&token), " \r\n"), fg_buf_text(&token));
	fg_buf_free(&token);
	return err == FG_OK ? FG_OK : fg_fail(err, "could not read %s", o->token_file);
}

/* One question, its answer on stdout as people read JSON. */
static int
ask(const struct tool_api *api, const char *method, const char *path)
{
	struct fg_buf answer = { 0 };
	const int     status = tool_ask(&answer, api, method, path, NULL, NULL, 0);
	json_object  *json = status == 200 ? json_tokener_parse(fg_buf_text(&answer)) : NULL;
	int           result = 0;

	if (json != NULL)
		puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		result = fail(status == 0 ? fg_err_text(FG_EIO) : tool_said(&answer));
	json_object_put(json);
	fg_buf_free(&answer);
	return result;
}

/* --- rendering a recipe */

static bool
sent(const struct tool_api *api, const char *method, const char *path, const struct fg_buf *body)
{
	struct fg_buf answer = { 0 };
	const int     status = tool_ask(&answer, api, method, path, "application/json", body != NULL ? body->data : NULL, body != NULL ? body->len : 0);

	if (status != 200)
		fail(status == 0 ? fg_err_text(FG_EIO) : tool_said(&answer));
	fg_buf_free(&answer);
	return status == 200;
}

/* A portal gets the scenes that are here; the farm of our own reads them where they are. */
static bool
send_files(const struct tool_api *api, const struct fg_recipe *recipe)
{
	struct fg_buf answer = { 0 };
	bool          ok = true;

	for (int i = 0; ok && i < recipe->count; i++) {
		const char *path = fg_work_scene_path(&recipe->jobs[i]);
		bool        before = false;
		int         status;

		for (int k = 0; k < i; k++)
			before = before || (recipe->jobs[k].enabled && strcmp(fg_work_scene_path(&recipe->jobs[k]), path) == 0);
		if (!recipe->jobs[i].enabled || before || access(path, R_OK) != 0)
			continue;
		say("sending %s", path);
		if ((status = tool_send_file(&answer, api, path)) != 200) {
			fail(status == 0 ? fg_err_text(FG_EIO) : tool_said(&answer));
			ok = false;
		}
	}
	fg_buf_free(&answer);
	return ok;
}

static const char *
text_of(json_object *object, const char *name)
{
	json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) && value != NULL ? json_object_get_string(value) : "";
}

static double
number_of(json_object *object, const char *name)
{
	json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) && value != NULL ? json_object_get_double(value) : 0;
}

static void
bar(json_object *job, int number, int count)
{
	const double progress = number_of(job, "progress");
	const int    full = (int)(progress / 5);

	if (isatty(STDOUT_FILENO)) {
		printf("\r\033[Kjob %d of %d  [%.*s%.*s] %5.1f %%  %s", number + 1, count, full, "####################", 20 - full, "--------------------", progress, text_of(job, "name"));
		fflush(stdout);
	}
}

/** What was said of a batch so far. */
struct watch {
	char *states; /**< a letter for each job */
	int   count, messages;
	bool  over, good;
};

static void
tell_job(struct watch *w, json_object *job, int number)
{
	const char  *state = text_of(job, "status");
	json_object *messages = NULL, *times = NULL;
	double       took;

	if (strcmp(state, "RUNNING") == 0)
		bar(job, number, w->count);
	if (w->states[number] == state[0])
		return;
	w->states[number] = state[0];
	if (isatty(STDOUT_FILENO))
		printf("\r\033[K");
	json_object_object_get_ex(job, "messages", &messages);
	took = json_object_object_get_ex(job, "times", &times) ? number_of(times, "rendertime") : 0;
	if (strcmp(state, "FINISHED") == 0)
		say("%d. %s: FINISHED after %.1f s", number, text_of(job, "name"), took);
	else if (strcmp(state, "QUEUED") != 0 && strcmp(state, "DISABLED") != 0)
		say("%d. %s: %s%s%s", number, text_of(job, "name"), state, json_object_array_length(messages) > 0 ? ": " : "",
		    json_object_array_length(messages) > 0 ? json_object_get_string(json_object_array_get_idx(messages, 0)) : "");
	if (strcmp(state, "FAILED") == 0 || strcmp(state, "CANCELLED") == 0)
		w->good = false;
}

static void
tell(struct watch *w, json_object *poll)
{
	json_object *jobs = NULL, *messages = NULL;

	if (!json_object_object_get_ex(poll, "jobs", &jobs) || !json_object_object_get_ex(poll, "messages", &messages))
		return;
	for (int i = 0; i < w->count && (size_t)i < json_object_array_length(jobs); i++)
		tell_job(w, json_object_array_get_idx(jobs, (size_t)i), i);
	for (; (size_t)w->messages < json_object_array_length(messages); w->messages++)
		say("note: %s", json_object_get_string(json_object_array_get_idx(messages, (size_t)w->messages)));
	w->over = strcmp(text_of(poll, "status"), "RUNNING") != 0;
	w->good = w->good && strcmp(text_of(poll, "status"), "CANCELLED") != 0;
}

static void
print_stats(json_object *poll)
{
	json_object *stats = NULL, *value = NULL;

	if (!json_object_object_get_ex(poll, "stats", &stats) || !json_object_object_get_ex(stats, "average_time", &value) || value == NULL)
		return;
	say("average %.1f s, fastest %.1f s (job %.0f), slowest %.1f s (job %.0f)", number_of(stats, "average_time"), number_of(stats, "fastest_time"),
	    number_of(stats, "fastest_index"), number_of(stats, "slowest_time"), number_of(stats, "slowest_index"));
}

/* Until the batch has ended. The exit status. */
static int
watch(const struct tool_api *api, const struct fg_recipe *recipe, const struct options *o, struct tool_farm *farm)
{
	struct watch  w = { .states = fg_alloc((size_t)recipe->count + 1), .count = recipe->count, .good = true };
	struct fg_buf answer = { 0 };
	int           quiet = 0;

	while (!w.over && !tool_stopping && (farm == NULL || tool_farm_lives(farm)) && quiet < 60) {
		json_object *poll = NULL;

		quiet = tool_ask(&answer, api, "GET", "/batch", NULL, NULL, 0) == 200 ? 0 : quiet + 1;
		if (quiet == 0 && (poll = json_tokener_parse(fg_buf_text(&answer))) != NULL)
			tell(&w, poll);
		if (w.over && o->print_stats)
			print_stats(poll);
		json_object_put(poll);
		if (!w.over)
			fg_sleep_ms(POLL_MS);
	}
	if (tool_stopping)
		tool_stopping = 2; /* the next request must get through */
	if (!w.over && farm == NULL)
		fail("the batch goes on at the portal; --cancel ends it");
	free(w.states);
	fg_buf_free(&answer);
	return w.over && w.good ? 0 : 1;
}

static int
render(const struct tool_api *api, const struct fg_recipe *recipe, const struct fg_buf *text, const struct options *o, struct tool_farm *farm)
{
	if (farm == NULL && !send_files(api, recipe))
		return 1;
	if (!sent(api, "POST", "/batch/recipe", text) || !sent(api, "POST", "/batch/start", NULL))
		return 1;
	say("batch %s started", recipe->name);
	return watch(api, recipe, o, farm);
}

/* --- a farm of our own */

static int
embedded(const struct options *o, const struct fg_recipe *recipe, const struct fg_buf *text)
{
	struct tool_farm farm = { .tree = o->tree, .no_cleanup = o->no_cleanup, .allow_hooks = o->allow_hooks, .debug = o->debug };
	struct tool_api  api = { .ca_file = NULL };
	char             self[PATH_MAX] = "", blender[PATH_MAX];
	int              status = 1;
	enum fg_err      err;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return fail("could not find out where this program is");
	snprintf(farm.bin, sizeof(farm.bin), "%s", dirname(self));
	farm.port = o->serve ? o->port : tool_free_port();
	if ((err = tool_find_blender(blender, recipe != NULL ? recipe->blender_bin : NULL)) != FG_OK)
		return fail(fg_err_text(err));
	if (recipe != NULL && recipe->blender_bin[0] != '\0' && strcmp(recipe->blender_bin, blender) != 0)
		say("note: there is no program %s; rendering with %s", recipe->blender_bin, blender);
	if ((err = tool_farm_start(&farm, blender)) != FG_OK) {
		fail(fg_err_text(err));
	} else {
		snprintf(api.url, sizeof(api.url), "http://127.0.0.1:%d", farm.port);
		if (o->debug)
			say("debug: the farm is in %s, its portal at http://127.0.0.1:%d, its batch API at %s; Blender is %s", farm.dir, farm.portal_port, api.url, blender);
		if (o->serve)
			say("the batch API answers at %s; Ctrl+C ends it", api.url);
		status = recipe != NULL ? render(&api, recipe, text, o, &farm) : 0;
		while (o->serve && tool_farm_lives(&farm))
			fg_sleep_ms(100);
	}
	tool_farm_stop(&farm);
	return status;
}

static int
with_recipe(const struct options *o)
{
	struct fg_recipe *recipe = NULL;
	struct fg_buf     text = { 0 };
	struct tool_api   api;
	int               status = 1;
	enum fg_err       err = fg_fs_read(&text, o->recipe, FG_RECIPE_BYTES);

	if (err != FG_OK)
		fprintf(stderr, "farmgate-batch: could not read %s: %s\n", o->recipe, strerror(errno));
	else if ((err = fg_recipe_read(&recipe, fg_buf_text(&text), text.len, JOBS_MAX)) != FG_OK)
		fail(fg_err_text(err));
	else if (o->dry)
		tool_dry(recipe), status = 0;
	else if (o->check)
		status = tool_check(recipe) == 0 ? 0 : 1;
	else if (o->server == NULL)
		status = embedded(o, recipe, &text);
	else if ((err = find_api(&api, o)) != FG_OK)
		fail(fg_err_text(err));
	else
		status = render(&api, recipe, &text, o, NULL);
	fg_recipe_free(recipe);
	fg_buf_free(&text);
	return status;
}

static int
client(const struct options *o)
{
	struct tool_api api;
	char            path[64];
	enum fg_err     err = find_api(&api, o);

	if (err != FG_OK)
		return fail(fg_err_text(err));
	if (o->cancel)
		return ask(&api, "DELETE", "/batch");
	if (o->cancel_job)
		return ask(&api, "DELETE", "/batch/jobs/current");
	if (o->stop)
		return ask(&api, "DELETE", "/server");
	if (o->poll_job == NULL)
		return ask(&api, "GET", "/batch");
	if (strlen(o->poll_job) > 9 || strspn(o->poll_job, "0123456789") != strlen(o->poll_job))
		return fail("--poll-job takes a job's number");
	snprintf(path, sizeof(path), "/batch/jobs/%s", o->poll_job);
	return ask(&api, "GET", path);
}

static int
run(const struct options *o)
{
	char blender[PATH_MAX];

	if (o->list_gpus != NULL)
		return tool_find_blender(blender, o->list_gpus) == FG_OK && strchr(o->list_gpus, '/') != NULL && strcmp(blender, o->list_gpus) == 0 ? tool_list_gpus(o->list_gpus)
		                                                                                              : fail("--list-gpus needs the path of a Blender program");
	if (o->poll || o->poll_job != NULL || o->cancel || o->cancel_job || o->stop)
		return client(o);
	if (o->recipe != NULL)
		return with_recipe(o);
	if (o->serve && o->server == NULL)
		return embedded(o, NULL, NULL);
	fputs(usage_text, stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "recipe", 1, NULL, 'r' }, { "dry", 0, NULL, 'd' }, { "check", 0, NULL, 'c' }, { "serve", 0, NULL, 's' }, { "port", 1, NULL, 'p' }, { "poll", 0, NULL, 'o' },
		{ "list-gpus", 1, NULL, 'g' }, { "poll-job", 1, NULL, 'j' }, { "poll_job", 1, NULL, 'j' }, { "cancel", 0, NULL, 'x' }, { "cancel-job", 0, NULL, 'y' },
		{ "stop", 0, NULL, 'z' }, { "print-stats", 0, NULL, 't' }, { "no-cleanup", 0, NULL, 'n' }, { "write-log", 0, NULL, 'l' }, { "write-logs", 0, NULL, 'l' },
		{ "print-debug", 0, NULL, 'D' }, { "version", 0, NULL, 'v' }, { "help", 0, NULL, 'h' }, { "server", 1, NULL, 'S' }, { "token-file", 1, NULL, 'T' },
		{ "ca-file", 1, NULL, 'A' }, { "allow-hooks", 0, NULL, 'H' }, { "tree", 1, NULL, 'R' }, { 0 } };
	struct options o = { .port = PORT };
	int            option, status;

	while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1)
		switch (option) {
		case 'r': o.recipe = optarg; break;
		case 'd': o.dry = true; break;
		case 'c': o.check = true; break;
		case 's': o.serve = true; break;
		case 'p': o.port = (int)strtol(optarg, NULL, 10); break;
		case 'o': o.poll = true; break;
		case 'g': o.list_gpus = optarg; break;
		case 'j': o.poll_job = optarg; break;
		case 'x': o.cancel = true; break;
		case 'y': o.cancel_job = true; break;
		case 'z': o.stop = true; break;
		case 't': o.print_stats = true; break;
		case 'n': o.no_cleanup = true; break;
		case 'l': o.write_log = true; break;
		case 'D': o.debug = true; break;
		case 'S': o.server = optarg; break;
		case 'T': o.token_file = optarg; break;
		case 'A': o.ca_file = optarg; break;
		case 'H': o.allow_hooks = true; break;
		case 'R': o.tree = optarg; break; /* for a program that was built and not installed */
		case 'v': puts("farmgate-batch " PACKAGE_VERSION); return 0;
		case 'h': fputs(usage_text, stdout); return 0;
		default: fputs(usage_text, stderr); return 2;
		}
	if (optind < argc || o.port <= 1024 || o.port > 65535) {
		fputs(o.port <= 1024 || o.port > 65535 ? "farmgate-batch: --port is a number from 1025 to 65535\n" : usage_text, stderr);
		return 2;
	}
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (o.write_log)
		open_log();
	status = run(&o);
	if (log_file != NULL)
		fclose(log_file);
	return status;
}
