/* project: a scene archive plus settings; its tasks are its frames, or their tiles. */
#ifndef FG_FARM_PROJECT_H
#define FG_FARM_PROJECT_H

#include <stdint.h>

#include "farm/settings.h"
#include "store/spool.h"

enum { FG_FRAME_MAX = 1048574, FG_TILES_MAX = 64, FG_OVERSCAN_MAX = 256, FG_PROJECT_EXTRA = 8192 };
enum fg_device { FG_DEVICE_ANY, FG_DEVICE_CPU, FG_DEVICE_GPU };

struct fg_project {
	int64_t id, owner;
	char    owner_name[128], state[16], message[1024];
	char    shown[16];                                                        /**< state for people: waiting, rendering, composing, finished, failed, cancelled, paused */
	char    access[16], link[65];                                             /**< who may look: private, link, users, everyone; the link's secret, "" none */
	char    title[256], archive_md5[33], blend[1024], scene[128], camera[128]; /**< scene, camera "": the file's own */
	char    format[16], engine[64], renderer[64];                             /**< format: one of fg_project_formats; engine, renderer "": own, any */
	char    result[16];                                                       /**< extension of the result file, "" while there is none */
	int     priority, animation, frame_start, frame_end, frame_step, rows, columns, overscan;
	char    extra[FG_PROJECT_EXTRA];                                          /**< what a recipe asks beyond these settings, JSON (share/task.py), "" nothing */
	int     width, height;                                                    /**< of a rendered frame: resolution × percent / 100, truncated */
	int     percent, samples, device, fps_num, fps_den, no_denoise, raw;
	int64_t batch_job;                                                        /**< of fg_project_add: the job of a batch that it is for, 0 nobody's */
	int64_t audience;                                                         /**< whose workers may take its tasks; 0 everybody's (access.h) */
	int64_t archive_size, task_max_s, frames_total, frames_done, tasks_total, waiting, running, done, errors;
	int64_t memory_kib, render_s, tile_bytes, made_bytes, points, created_ms, started_ms, finished_ms;
};

/** A format that a project may have; the table ends with a row without name. */
struct fg_project_format {
	const char *name, *tile, *frame; /**< extensions: of a tile's file, of a whole frame */
	const char *blender;             /**< Blender's name for what a worker writes */
	const char *film;                /**< extension of the result when the frames become a film, stills too; NULL: stills stay stills */
	bool        rare;                /**< whole frames only, handed on without being looked into: no tiles, no previews */
};
extern const struct fg_project_format fg_project_formats[];

const struct fg_project_format *fg_project_format(const char *name); /**< NULL when there is none */
const char *fg_project_tile_ext(const char *format);  /**< "" for an unknown one; tiles of jpeg projects are PNG */
const char *fg_project_frame_ext(const char *format);

/** Check all settings against each other; FG_EINVAL says what is wrong and what would be right. Fills in frames_total and tasks_total. */
enum fg_err fg_project_check(struct fg_project *project, const struct fg_settings *settings);

/** Keep it, in state 'splitting'. Then move its archive to fg_spool_source and call fg_project_split. */
enum fg_err fg_project_add(int64_t *id, struct fg_db *db, const struct fg_project *project, int64_t now_ms);

/** Make its tasks, some thousands a transaction, and let it be lent from. Goes on where it was interrupted. */
enum fg_err fg_project_split(struct fg_db *db, int64_t project, int64_t now_ms);

bool        fg_project_wants_logs(const struct fg_project *p); /**< of what its workers' Blender says, also when all goes well */
enum fg_err fg_project_get(struct fg_project *out, struct fg_db *db, int64_t id); /**< FG_ENOTFOUND, also when deleted */

/** Which projects, newest first. Texts "": any. */
struct fg_project_query {
	int64_t     user;   /**< those that this user may look at; 0: all of them */
	int64_t     before; /**< ids below; 0: from the newest */
	int         limit;
	const char *state;  /**< as people see it */
	const char *owner;  /**< a user's name */
	const char *words;  /**< part of the title, or the id */
};
enum { FG_PROJECT_WORDS = 200 }; /**< most bytes of words */
#define FG_PROJECT_ALL { .limit = INT32_MAX, .state = "", .owner = "", .words = "" }

/** The callback returns false to stop. */
enum fg_err fg_project_list(struct fg_db *db, const struct fg_project_query *query, bool (*each)(void *ctx, const struct fg_project *project), void *ctx);

/** How many there are in each state as people see it, of those that a user may look at (0: all). */
enum fg_err fg_project_counts(struct fg_db *db, int64_t user, void (*each)(void *ctx, const char *state, int64_t count), void *ctx);

/* What people do. FG_ECONFLICT when the state doesn't allow it. */
enum fg_err fg_project_cancel(struct fg_db *db, int64_t project, int64_t now_ms);
enum fg_err fg_project_pause(struct fg_db *db, int64_t project, int64_t now_ms);
enum fg_err fg_project_resume(struct fg_db *db, int64_t project, int64_t now_ms);
enum fg_err fg_project_retry(struct fg_db *db, int64_t project, int64_t now_ms); /**< a failed or cancelled one goes on, its budgets whole again */
enum fg_err fg_project_priority(struct fg_db *db, int64_t project, int priority, int64_t now_ms);
enum fg_err fg_project_delete(struct fg_db *db, const struct fg_spool *spool, int64_t project, int64_t now_ms); /**< files go to the trash */
/** The same if it is finished, and was before before_ms; FG_ECONFLICT when it isn't: somebody renders it again. */
enum fg_err fg_project_delete_over(struct fg_db *db, const struct fg_spool *spool, int64_t project, int64_t before_ms, int64_t now_ms);

/** Inside a transaction: out of the queue, leases end, state and message set ('failed', 'cancelled', 'deleted'). */
enum fg_err fg_project_stop(struct fg_db *db, int64_t project, const char *state, const char *message, int64_t now_ms);

#endif
