/* live: tells people and workers what happens on the farm while it happens, over WebSockets behind the web server.
 *
 *   live [--config FILE | --dir DIR] [--env FILE]     FARMGATE_CONFIG names the settings file otherwise
 *   live … --relay wss://HOST/relay --token-file F [--ca-file F]
 *
 * --env FILE is the progress app's own: WEB_SERVICE_IP and WEB_SERVICE_PORT in it stand for deadline_url,
 * OPENAI_API_KEY for the key of llm_url.
 *
 * run/live.sock serves
 *   /events      our own pages: JSON events with ids, resumable (?after=ID&project=ID)
 *   /live/work   farmgate-worker: a GET that is answered when there may be something to do
 *   /relay       another farm, which dials in with an API token of the scope relay
 *   /relay/NAME  the progress app's five messages to the farm that came with a token of the account NAME
 *   any other    the progress app's five messages to this farm (or to that of live_relay)
 * With --relay nothing listens: it dials out to another portal's /relay, beside the farm's own live, and serves who comes there.
 * It holds nothing that matters: killed at any moment, its viewers come back and are told everything. So that is what it does itself when a setting
 * deadline_* or llm_* is another: it becomes the program again, and they come back.
 *   Protocol: doc/protocol.md#live    Test: tests/integration/live.py */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "farm/program.h"
#include "base/fs.h"
#include "base/log.h"
#include "live_deadline.h"
#include "live_dial.h"
#include "live_door.h"
#include "live_llm.h"

enum { ENV_MOST = 1 << 16 };

static volatile int    ending;
static struct fg_door *door;
static struct fg_dial *dial;

/** What the command line asked for. */
struct wishes {
	const char *config, *env, *relay, *token_file, *ca_file;
};
static char            env_key[512];
static bool            anew;
static struct fg_settings begun; /* as they were when it began */

static void
on_term(int number)
{
	(void)number;
	ending = 1;
	if (door != NULL)
		fg_door_wake(door);
	if (dial != NULL)
		fg_dial_wake(dial);
}

/* The value of NAME=VALUE in a file of such lines; quotes around it don't count. */
static void
value_of(char *out, size_t size, const char *text, const char *name)
{
	const size_t len = strlen(name);

	*out = '\0';
	for (const char *at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *value = at + len + 1;
		const bool  quoted = strncmp(at, name, len) == 0 && at[len] == '=' && strchr("\"'", *value) != NULL && *value != '\0';

		if (strncmp(at, name, len) == 0 && at[len] == '=')
			snprintf(out, size, "%.*s", (int)strcspn(value + quoted, quoted ? "\"'\r\n" : " \t\r\n"), value + quoted);
	}
}

static enum fg_err
read_env(struct fg_settings *settings, const char *path)
{
	char          host[256], port[16];
	struct fg_buf text = { 0 };
	enum fg_err   err = fg_fs_read(&text, path, ENV_MOST);

	if (err != FG_OK)
		return fg_fail(err, "could not read %s", path);
	value_of(host, sizeof(host), fg_buf_text(&text), "WEB_SERVICE_IP");
	value_of(port, sizeof(port), fg_buf_text(&text), "WEB_SERVICE_PORT");
	value_of(env_key, sizeof(env_key), fg_buf_text(&text), "OPENAI_API_KEY");
	if (host[0] != '\0' && settings->deadline_url[0] == '\0')
		snprintf(settings->deadline_url, sizeof(settings->deadline_url), "http://%s:%s", host, port[0] != '\0' ? port : "8082");
	fg_buf_free(&text);
	return FG_OK;
}

/* The model's key: from the app's own file, else from llm_key_file; "" for one that wants none. */
static enum fg_err
start_llm(struct fg_llm **out, struct fg_hub *hub)
{
	const struct fg_settings *settings = &hub->farm->settings;
	struct fg_buf             key = { 0 };
	enum fg_err               err = FG_OK;

	if (env_key[0] != '\0')
		fg_buf_str(&key, env_key);
	else if (settings->llm_key_file[0] != '\0' && (err = fg_fs_read(&key, settings->llm_key_file, ENV_MOST)) != FG_OK)
		fg_log(FG_LOG_ERROR, "llm.key", "file=%s why=%s", fg_log_quote(settings->llm_key_file).text, fg_log_quote(fg_err_text(err)).text);
	if (err == FG_OK && (settings->llm_url[0] != '\0' || env_key[0] != '\0'))
		err = fg_llm_start(out, hub, settings->llm_url[0] != '\0' ? settings->llm_url : "https://api.openai.com/v1", fg_buf_text(&key));
	else
		err = FG_OK; /* the rules' words are there without it */
	fg_buf_free(&key);
	return err;
}

static bool
is_outdated(const struct fg_hub *hub)
{
	const struct fg_settings *now = &hub->farm->settings;

	return strcmp(now->deadline_url, begun.deadline_url) != 0 || strcmp(now->deadline_paths, begun.deadline_paths) != 0 ||
	       strcmp(now->deadline_map, begun.deadline_map) != 0 || strcmp(now->llm_url, begun.llm_url) != 0 || strcmp(now->llm_model, begun.llm_model) != 0 ||
	       strcmp(now->llm_key_file, begun.llm_key_file) != 0 || now->llm_seconds != begun.llm_seconds;
}

/* Viewers come here, or by way of the portal that we dial. */
static enum fg_err
meet(struct fg_hub *hub, const struct wishes *wishes)
{
	enum fg_err err;

	if (wishes->relay != NULL) {
		if ((err = fg_dial_open(&dial, hub, wishes->relay, wishes->token_file, wishes->ca_file)) != FG_OK)
			return err;
		fg_program_note(hub->farm->db, "relay", fg_now_ms());
		fg_dial_serve(dial, &ending);
		return FG_OK;
	}
	if ((err = fg_door_open(&door, hub)) != FG_OK)
		return err;
	fg_program_note(hub->farm->db, "live", fg_now_ms());
	fg_log(FG_LOG_INFO, "live.ready", "socket=live.sock");
	fg_door_serve(door, &ending);
	return FG_OK;
}

static int
serve(struct fg_farm *farm, const struct wishes *wishes)
{
	struct fg_deadline *deadline = NULL;
	struct fg_llm      *llm = NULL;
	struct fg_hub       hub;
	enum fg_err         err;

	begun = farm->settings;
	err = wishes->env != NULL ? read_env(&farm->settings, wishes->env) : FG_OK;
	if (err == FG_OK)
		err = fg_hub_open(&hub, farm);
	else
		return fprintf(stderr, "live: %s\n", fg_err_text(err)), 1;
	hub.outdated = is_outdated;
	if (err == FG_OK && farm->settings.deadline_url[0] != '\0')
		err = fg_deadline_start(&deadline, &hub, farm->settings.deadline_url);
	if (err == FG_OK)
		err = start_llm(&llm, &hub);
	if (err == FG_OK)
		err = meet(&hub, wishes);
	if (err != FG_OK)
		fprintf(stderr, "live: %s\n", fg_err_text(err));
	fg_door_close(door);
	fg_dial_close(dial);
	fg_deadline_stop(deadline);
	fg_llm_stop(llm);
	anew = hub.anew && !ending;
	fg_hub_close(&hub);
	return err == FG_OK ? 0 : 1;
}

static int
usage(void)
{
	fputs("usage: live [--config FILE | --dir DIR] [--env FILE] [--relay wss://HOST/relay --token-file FILE [--ca-file FILE]]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "dir", required_argument, NULL, 'd' },
		                                 { "env", required_argument, NULL, 'e' }, { "relay", required_argument, NULL, 'r' },
		                                 { "token-file", required_argument, NULL, 't' }, { "ca-file", required_argument, NULL, 'a' }, { NULL, 0, NULL, 0 } };
	struct wishes              wishes = { 0 };
	struct fg_farm             farm = { 0 };
	char                       path[PATH_MAX];
	int                        option, status = 1;
	enum fg_err                err;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'd')
			wishes.config = snprintf(path, sizeof(path), "%s/farmgate.conf", optarg) < (int)sizeof(path) ? path : "";
		else if (option == 'c')
			wishes.config = optarg;
		else if (option == 'e')
			wishes.env = optarg;
		else if (option == 'r')
			wishes.relay = optarg;
		else if (option == 't')
			wishes.token_file = optarg;
		else if (option == 'a')
			wishes.ca_file = optarg;
		else
			return usage();
	if (optind != argc || (wishes.relay == NULL) != (wishes.token_file == NULL) || (wishes.ca_file != NULL && wishes.relay == NULL))
		return usage();
	fg_log_program(wishes.relay != NULL ? "relay" : "live");
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_term }, NULL);
	if ((err = fg_farm_open(&farm, wishes.config, FG_DB_SHARED)) == FG_OK)
		status = serve(&farm, &wishes);
	else
		fprintf(stderr, "live: %s\n", fg_err_text(err));
	fg_farm_close(&farm);
	if (status == 0 && anew) {
		fg_log(FG_LOG_INFO, "live.anew", "why=settings");
		execv("/proc/self/exe", argv);
	}
	return status;
}
