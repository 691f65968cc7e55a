/* config: the launcher's settings file (launcher.conf). Nothing is allowed until it says so. doc/operations.md#the-launcher */
#ifndef FG_LAUNCH_CONFIG_H
#define FG_LAUNCH_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "launch/rules.h"
#include "launch/welcome.h"

enum { FG_FOLDERS_MAX = 16, FG_LISTEN_MAX = 8, FG_SOLVERS_MAX = 32, FG_TEMPLATES_MAX = 32, FG_LICENCES_MAX = 8, FG_COMMAND_SIZE = 1024 };

struct fg_launch_folder {
	char path[512]; /**< as clients write it, without a slash at its end */
	int  fd;        /**< O_PATH; -1 until fg_launch_config_open */
};

struct fg_solver {
	char            name[64], program[512];
	char            licence[64];  /**< name of a [licence], "" for none */
	bool            per_core;     /**< one licence a core, else one a run */
	struct fg_rules rules;
};

struct fg_template {
	char name[64], command[FG_COMMAND_SIZE];
	char solvers[256]; /**< names, "" for all */
};

/** A licence server's tools. Programs and arguments, no shell. */
struct fg_licence {
	char           name[64], count_command[512], list_command[512], kill_command[512], killed_text[64];
	struct fg_rule used, total; /**< where the numbers stand in the whole output of count_command */
	int            seconds;     /**< how old an answer may be */
};

struct fg_launch_config {
	char                    host[128], state_dir[512], rules_dir[512], run_program[512], cgroup_root[512], trash[64];
	char                    hosts[1024], origins[1024], keep[512];
	struct fg_welcome       welcome;
	char                    environment[4096]; /**< NAME=value of the solvers, each with a newline */
	char                    listen[FG_LISTEN_MAX][64];
	char                    webhook[512], mail_to[256], mail_from[128], mail_server[256];
	struct fg_launch_folder folder[FG_FOLDERS_MAX];
	struct fg_solver        solver[FG_SOLVERS_MAX];
	struct fg_template      template[FG_TEMPLATES_MAX];
	struct fg_licence       licence[FG_LICENCES_MAX];
	int                     folders, listens, solvers, templates, licences;
	int64_t                 cores, memory_bytes, head_bytes, tail_bytes, polite_seconds, term_seconds, queue_max, requeue, mass_warning_pct, memory_slack_bytes, history_days;
};

/** Read and check. Values left out are the machine's (cores, memory, host) or the table's. FG_EINVAL, FG_EFORMAT, FG_ENOTFOUND with the line. */
enum fg_err fg_launch_config_read(struct fg_launch_config *out, const char *path, const char *rules_dir);

/** Open the allowed folders. FG_ENOTFOUND names one that is not there. */
enum fg_err fg_launch_config_open(struct fg_launch_config *config);
void        fg_launch_config_close(struct fg_launch_config *config);

const struct fg_solver   *fg_solver_find(const struct fg_launch_config *config, const char *name_or_program);
const struct fg_licence  *fg_licence_find(const struct fg_launch_config *config, const char *name);

/** Is `word` one of the blank-separated words of `list`? */
bool fg_word_in(const char *list, const char *word);

#endif
