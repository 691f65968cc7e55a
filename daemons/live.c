/* live: tells people and workers what happens on the farm while it happens, over WebSockets behind the web server.
 *
 *   live [--config FILE | --dir DIR]     FARMGATE_CONFIG names the settings file otherwise
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

#include "base/log.h"
#include "base/time.h"
#include "farm/program.h"
#include "live_door.h"

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

static int
serve(struct fg_farm *farm)
{
	struct fg_hub hub;
	enum fg_err   err = fg_hub_open(&hub, farm);

	if (err == FG_OK && (err = fg_door_open(&door, &hub)) == FG_OK) {
		fg_program_note(farm->db, "live", fg_now_ms());
		fg_log(FG_LOG_INFO, "live.ready", "socket=live.sock");
		fg_door_serve(door, &ending);
	}
	if (err != FG_OK)
		fprintf(stderr, "live: %s\n", fg_err_text(err));
	fg_door_close(door);
	fg_hub_close(&hub);
	return err == FG_OK ? 0 : 1;
}

static int
usage(void)
{
	fputs("usage: live [--config FILE | --dir DIR]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "dir", required_argument, NULL, 'd' }, { NULL, 0, NULL, 0 } };
	struct fg_farm             farm = { 0 };
	char                       path[PATH_MAX];
	const char                *config = NULL;
	int                        option, status = 1;
	enum fg_err                err;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'd')
			config = snprintf(path, sizeof(path), "%s/farmgate.conf", optarg) < (int)sizeof(path) ? path : "";
		else if (option == 'c')
			config = optarg;
		else
			return usage();
	if (optind != argc)
		return usage();
	fg_log_program("live");
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_term }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_term }, NULL);
	if ((err = fg_farm_open(&farm, config, FG_DB_SHARED)) == FG_OK)
		status = serve(&farm);
	else
		fprintf(stderr, "live: %s\n", fg_err_text(err));
	fg_farm_close(&farm);
	return status;
}
