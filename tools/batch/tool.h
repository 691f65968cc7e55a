/* tool: what the parts of farmgate-batch share. */
#ifndef FG_BATCH_TOOL_H
#define FG_BATCH_TOOL_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct fg_recipe;
struct json_object;

extern volatile sig_atomic_t tool_stopping; /**< Ctrl+C or SIGTERM came */

/* --- http.c: the batch API of a portal, or of an embedded farm */

struct tool_api {
	char        url[600];      /**< without a slash at its end */
	char        token[128];    /**< "" none */
	const char *ca_file;       /**< NULL: the system's */
};

/** One request. `body` may be NULL; `type` is its content type.
 * @return the HTTP status, 0 when nobody answered (fg_err_text(FG_EIO) says why) */
int tool_ask(struct fg_buf *answer, const struct tool_api *api, const char *method, const char *path, const char *type, const void *body, size_t len);

/** Send a file as /batch/file wants it. The status, 0 as above. */
int tool_send_file(struct fg_buf *answer, const struct tool_api *api, const char *path);

/** What an answer says: its `status`, or the bare text. */
const char *tool_said(const struct fg_buf *answer);

/* --- embed.c: a farm for this batch alone: own temporary state, one local worker */

struct tool_farm {
	char        dir[PATH_MAX];   /**< "" none */
	char        bin[PATH_MAX];   /**< where our programs are */
	const char *tree;            /**< source tree, when they were not installed; NULL */
	pid_t       keeper, worker;
	int         port, portal_port; /**< of the batch API, chosen by the caller; of the rest */
	bool        no_cleanup, allow_hooks, debug;
};

/** Start it. `blender` is the program that renders. FG_EIO with a text. End with tool_farm_stop, also after a failure. */
enum fg_err tool_farm_start(struct tool_farm *farm, const char *blender);
bool        tool_farm_lives(struct tool_farm *farm); /**< nobody asked it to stop and it did not die */
void        tool_farm_stop(struct tool_farm *farm);  /**< at most some seconds; nothing stays */
int         tool_free_port(void);

/* --- check.c */

/** Print what a recipe would do: jobs, frames and Blender's command lines. */
void tool_dry(const struct fg_recipe *recipe);

/** Verify program, files, scenes, cameras, formats and output folders; prints what is wrong. How many things are. */
int tool_check(const struct fg_recipe *recipe);

/** The program that a recipe names, or the one in PATH. FG_ENOTFOUND */
enum fg_err tool_find_blender(char out[PATH_MAX], const char *wanted);

/** Run Blender to list its GPUs on our stdout. Its exit status. */
int tool_list_gpus(const char *blender);

#endif
