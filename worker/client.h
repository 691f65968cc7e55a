/* client: the worker protocol as a client speaks it: config, request-job, downloads, upload, heartbeat, errors, logout. One session each. */
#ifndef FG_WORKER_CLIENT_H
#define FG_WORKER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { FG_CLIENT_PATHS = 6, FG_REPORT_LOG_ALONE = -1 };
enum fg_client_path { FG_PATH_REQUEST, FG_PATH_DOWNLOAD, FG_PATH_ERROR, FG_PATH_KEEPMEALIVE, FG_PATH_LOGOUT };

struct fg_client {
	void       *curl, *beat, *share;      /**< heartbeats go out while a transfer runs: a connection of their own, the same cookies */
	const char *server, *login, *ca_file; /**< the caller's */
	const char *name;                     /**< what this machine is called; NULL: its host name */
	int         slots;                    /**< that share this machine's memory; 0 is 1 */
	bool      (*go_on)(void *ctx);        /**< asked about once a second while a transfer runs; false ends it. NULL: go on */
	void       *go_on_ctx;
	char        key[256];
	char        hwid[33];
	int         method;                   /**< 0 CPU or GPU, 1 CPU, 2 GPU */
	char        paths[FG_CLIENT_PATHS][512];
	bool        logged_in;
};

/** A task as the portal gives it. */
struct fg_task {
	int64_t id;
	bool    gpu, log;                     /**< log: the portal asks for what Blender says, also when all went well */
	char    frame[16], archive_md5[33], renderer_md5[33], path[1024], name[256], url[1024], command[512];
	struct fg_buf script;
};

enum fg_err fg_client_open(struct fg_client *client); /**< after server, login, key, ca_file are set */
void        fg_client_close(struct fg_client *client);

/** Protocol statuses: 0 is good. -1: no understandable answer; fg_err_text(FG_EIO) says why.
 * An upload is -1 where another try may help, and the HTTP status where it won't. */
int  fg_client_login(struct fg_client *client);
int  fg_client_request(struct fg_client *client, struct fg_task *task, const char (*cached)[33], int ncached, void (*evict)(void *ctx, const char *md5), void *ctx);
/** Be told of new work: returns as soon as there may be some, or after `seconds`. `seen` is how much this worker has heard of; -1 at first.
 * False: nothing came, or the portal can't tell (at once). */
bool fg_client_wait(struct fg_client *client, int64_t *seen, int seconds);
int  fg_client_beat(struct fg_client *client, const struct fg_task *task, int64_t render_s, int64_t remaining_s, int permille, const char *engine);
int  fg_client_upload(struct fg_client *client, const struct fg_task *task, const char *file, int64_t render_s, int64_t memory_kib);
/** FG_REPORT_LOG_ALONE: nothing went wrong, the log alone is sent; before the picture, whose lease it belongs to. */
void fg_client_report(struct fg_client *client, const struct fg_task *task, int type, const struct fg_buf *log, int64_t render_s, int64_t memory_kib);
void fg_client_logout(struct fg_client *client);
enum fg_err fg_client_download(struct fg_client *client, const struct fg_task *task, const char *type, int fd); /**< FG_ENOTFOUND on 404 */

void fg_task_free(struct fg_task *task);

#endif
