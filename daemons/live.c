/* live: tells people and workers what happens on the farm while it happens, over WebSockets behind the web server.
 *
 *   live [--config FILE | --dir DIR] [--env FILE]     FARMGATE_CONFIG names the settings file otherwise
 *
 * --env FILE is the progress app's own: WEB_SERVICE_IP and WEB_SERVICE_PORT in it stand for deadline_url.
 *
 * run/live.sock serves
 *   /events      our own pages: JSON events with ids, resumable (?after=ID&project=ID)
 *   /live/work   farmgate-worker: a GET that is answered when there may be something to do
 *   any other    the progress app's five messages
 * It holds nothing that matters: killed at any moment, its viewers come back and are told everything.
 *   Protocol: doc/protocol.md#live    Test: tests/integration/live.py */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "farm/program.h"
#include "base/fs.h"
#include "base/log.h"
#include "live_deadline.h"
#include "live_door.h"

enum { ENV_MOST = 1 << 16 };

static volatile int    ending;
static struct fg_door *door;

static void
on_term(int number)
{
	(void)number;
	ending = 1;
	if (door != NULL)
		fg_door_wake(door);
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
	if (host[0] != '\0' && settings->deadline_url[0] == '\0')
		snprintf(settings->deadline_url, sizeof(settings->deadline_url), "http://%s:%s", host, port[0] != '\0' ? port : "8082");
	fg_buf_free(&text);
	return FG_OK;
}

static int
serve(struct fg_farm *farm, const char *env)
{
	struct fg_deadline *deadline = NULL;
	struct fg_hub       hub;
	enum fg_err         err = env != NULL ? read_env(&farm->settings, env) : FG_OK;

	if (err == FG_OK)
		err = fg_hub_open(&hub, farm);
	else
		return fprintf(stderr, "live: %s\n", fg_err_text(err)), 1;
	if (err == FG_OK && farm->settings.deadline_url[0] != '\0')
		err = fg_deadline_start(&deadline, &hub, farm->settings.deadline_url);

	if (err == FG_OK && (err = fg_door_open(&door, &hub)) == FG_OK) {
		fg_program_note(farm->db, "live", fg_now_ms());
		fg_log(FG_LOG_INFO, "live.ready", "socket=live.sock");
		fg_door_serve(door, &ending);
	}
	if (err != FG_OK)
		fprintf(stderr, "live: %s\n", fg_err_text(err));
	fg_door_close(door);
	fg_deadline_stop(deadline);
	fg_hub_close(&hub);
	return err == FG_OK ? 0 : 1;
}

static int
usage(void)
{
	fputs("usage: live [--config FILE | --dir DIR] [--env FILE]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "dir", required_argument, NULL, 'd' }, { "env", required_argument, NULL, 'e' }, { NULL, 0, NULL, 0 } };
	struct fg_farm             farm = { 0 };
	char                       path[PATH_MAX];
	const char                *config = NULL, *env = NULL;
	int                        option, status = 1;
	enum fg_err                err;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'd')
			config = snprintf(path, sizeof(path), "%s/farmgate.conf", optarg) < (int)sizeof(path) ? path : "";
		else if (option == 'c')
			config = optarg;
		else if (option == 'e')
			env = optarg;
		else
			return usage();
	if (optind != argc)
		return usage();
	fg_log_program("live");
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_term }, NULL);
	if ((err = fg_farm_open(&farm, config, FG_DB_SHARED)) == FG_OK)
		status = serve(&farm, env);
	else
		fprintf(stderr, "live: %s\n", fg_err_text(err));
	fg_farm_close(&farm);
	return status;
}
