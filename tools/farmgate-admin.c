/* farmgate-admin: everything that an admin types.
 *
 *   farmgate-admin --dir DIR | --config FILE [--json] NOUN [VERB] …
 *
 * Started by root it becomes the owner of the farm before it opens anything; started by another user it refuses: a database first opened by root
 * would be read-only for all programs. Exit status 0, or 1 after one line on stderr that says what is wrong and what to do. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "base/time.h"

static const struct admin_command *const nouns[] = {
	admin_state_commands, admin_user_commands, admin_key_commands, admin_renderer_commands, admin_project_commands, admin_inspect_commands,
	admin_worker_commands,
};

static enum fg_err
usage(void)
{
	puts("usage: farmgate-admin --dir DIR | --config FILE [--json] COMMAND\n");
	for (size_t i = 0; i < sizeof(nouns) / sizeof(*nouns); i++)
		for (const struct admin_command *c = nouns[i]; c->noun != NULL; c++)
			printf("  %s\n        %s\n", c->usage, c->what);
	return FG_OK;
}

static enum fg_err
find_command(const struct admin_command **out, const struct admin *admin)
{
	const char *noun = admin->count > 0 ? admin->args[0] : "", *verb = admin->count > 1 ? admin->args[1] : "";
	char        verbs[256] = "";

	for (size_t i = 0; i < sizeof(nouns) / sizeof(*nouns); i++)
		for (const struct admin_command *c = nouns[i]; c->noun != NULL; c++) {
			if (strcmp(c->noun, noun) != 0)
				continue;
			if (c->verb == NULL || strcmp(c->verb, verb) == 0) {
				*out = c;
				return FG_OK;
			}
			snprintf(verbs + strlen(verbs), sizeof(verbs) - strlen(verbs), "%s%s", verbs[0] != '\0' ? "|" : "", c->verb);
		}
	if (verbs[0] != '\0')
		return fg_fail(FG_EINVAL, "usage: farmgate-admin %s %s", noun, verbs);
	return fg_fail(FG_EINVAL, "there is no command \"%s\"; `farmgate-admin --help` lists all", noun);
}

/* ---- who we are */

static enum fg_err
become(uid_t uid, gid_t gid)
{
	const struct passwd *owner = getpwuid(uid);

	if (owner != NULL)
		gid = owner->pw_gid;
	if ((owner != NULL ? initgroups(owner->pw_name, gid) : setgroups(0, NULL)) != 0 || setgid(gid) != 0 || setuid(uid) != 0 || setuid(0) == 0)
		return fg_fail(FG_EIO, "could not become the farm's owner, user %d: %s", (int)uid, strerror(errno));
	if (owner != NULL)
		setenv("HOME", owner->pw_dir, 1);
	return FG_OK;
}

/* The nearest folder of `path` that is there. */
static enum fg_err
nearest(struct stat *st, const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	while (stat(folder, st) != 0) {
		char *slash = strrchr(folder, '/');

		if (errno != ENOENT || slash == NULL || slash == folder)
			return fg_fail(FG_EIO, "can't look at %s: %s", folder, strerror(errno));
		*slash = '\0';
	}
	return FG_OK;
}

static enum fg_err
become_owner(const char *state_dir)
{
	const struct passwd *owner;
	struct stat          st;
	enum fg_err          err;

	if ((err = nearest(&st, state_dir)) != FG_OK || st.st_uid == geteuid())
		return err;
	if (geteuid() == 0)
		return become(st.st_uid, st.st_gid);
	owner = getpwuid(st.st_uid);
	return fg_fail(FG_EFORBIDDEN, "this farm belongs to user %s; run farmgate-admin as that user or as root", owner != NULL ? owner->pw_name : "(unknown)");
}

/* ---- the farm */

/* DIR/farmgate.conf, FILE, or what $FARMGATE_CONFIG names. */
static enum fg_err
find_config(char out[PATH_MAX], struct admin *admin)
{
	const char *dir = admin_option(admin, "dir"), *config = admin_option(admin, "config");
	int         len;

	if (config == NULL && dir == NULL)
		config = getenv("FARMGATE_CONFIG");
	if (config == NULL && dir == NULL) {
		out[0] = '\0';
		return FG_OK;
	}
	len = dir != NULL && config == NULL ? snprintf(out, PATH_MAX, "%s/farmgate.conf", dir) : snprintf(out, PATH_MAX, "%s", config);
	return len < PATH_MAX ? FG_OK : fg_fail(FG_EINVAL, "that path is too long");
}

static enum fg_err
open_farm(struct admin *admin, enum admin_needs needs, const char *config)
{
	enum fg_err err;

	if (needs == NEEDS_NOTHING)
		return FG_OK;
	if (config[0] == '\0')
		return fg_fail(FG_EINVAL, "name the farm: --dir DIR or --config FILE");
	if ((err = fg_settings_read(&admin->farm.settings, config)) != FG_OK || (err = become_owner(admin->farm.settings.state_dir)) != FG_OK)
		return err;
	snprintf(admin->farm.config, sizeof(admin->farm.config), "%s", config);
	return needs == NEEDS_FARM ? fg_farm_open(&admin->farm, config, FG_DB_SHARED) : FG_OK;
}

static enum fg_err
run(struct admin *admin)
{
	const struct admin_command *command = NULL;
	char                        config[PATH_MAX];
	enum fg_err                 err;

	admin->json = admin_flag(admin, "json");
	if (admin_flag(admin, "help") || (admin->count == 1 && strcmp(admin->args[0], "help") == 0))
		return usage();
	if ((err = find_config(config, admin)) != FG_OK || (err = find_command(&command, admin)) != FG_OK)
		return err;
	admin->args += command->verb != NULL ? 2 : 1;
	admin->count -= command->verb != NULL ? 2 : 1;
	if ((err = open_farm(admin, command->needs, config)) == FG_OK)
		err = command->run(admin);
	if (fflush(stdout) != 0 && err == FG_OK)
		err = fg_fail(FG_EIO, "could not write the answer: %s", strerror(errno));
	return err;
}

int
main(int argc, char **argv)
{
	struct admin admin = { .args = argv + 1, .count = argc - 1, .now_ms = fg_now_ms() };
	enum fg_err  err;

	fg_log_program("farmgate-admin");
	fg_log_level(FG_LOG_ERROR + 1);
	umask(027);
	err = run(&admin);
	fg_farm_close(&admin.farm);
	if (err != FG_OK)
		fprintf(stderr, "farmgate-admin: %s\n", fg_err_text(err));
	return err != FG_OK;
}
