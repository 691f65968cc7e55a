/* lease: one lending of a task to a session. A row that stays as history; the protocol's job id is its id.
 * Every function is one transaction; any number of processes may call at once. */
#ifndef FG_FARM_LEASE_H
#define FG_FARM_LEASE_H

#include <stdint.h>

#include "farm/session.h"

struct fg_project;

enum { FG_LEASE_ID_MIN = 1000, FG_NO_LEASE = 0 };

/** One task on loan. Plain values: nothing to free. */
struct fg_lease {
	int64_t id, task, project; /**< lease.id (1000 ≤ id < 2³¹), task.id, project.id */
	int     frame;             /**< 0 to 1048574 (Blender counts negative ones from the end) */
	int     row, column;       /**< tile in the grid; row 0 on top, column 0 on the left */
	int64_t until_ms;          /**< Unix milliseconds; afterwards the queue takes the task back */
	bool    gpu;               /**< to be rendered on the GPU */
	bool    live, open;        /**< live: not ended; open: a picture for its task is still wanted */
	char    renderer_md5[33];
};

/** What a session offers. */
struct fg_offer {
	const struct fg_session *session;
	int64_t                  ram_kib; /**< free memory, as far as it told; else that of the machine */
	int                      method;  /**< 0 CPU or GPU, 1 CPU, 2 GPU */
	bool (*accepts)(const struct fg_project *project); /**< which projects it can do at all; NULL: every one. Costs a look at each that it can't */
};

/** Lend the next waiting task that fits what the worker offers. A session holds two at most: a third ends its oldest.
 *
 * @param out     the lease; left alone unless FG_OK
 * @param project the project that it is of, as the same transaction saw it; may be NULL
 * @param now_ms  Unix milliseconds; a parameter, so that tests choose the time
 * @return FG_OK, FG_ENOTFOUND (nothing fits), FG_EUNSUPPORTED (no renderer for its OS and architecture), FG_EBUSY (store locked longer than 5 s), FG_EIO
 * Statements: lease_* in sql/lease.sql. Order: doc/architecture.md#fairness.
 */
enum fg_err fg_lease_grant(struct fg_lease *out, struct fg_project *project, struct fg_db *db, const struct fg_settings *settings,
                           const struct fg_offer *offer, int64_t now_ms);

/** A lease by its id, if it was lent to this worker key. FG_ENOTFOUND. `row`, `column`, `frame`, `live`, `open` are filled in. */
enum fg_err fg_lease_find(struct fg_lease *out, struct fg_db *db, int64_t lease, int64_t key);

/** A heartbeat. */
struct fg_beat {
	int64_t key, lease;               /**< key 0: from nobody we know, which changes nothing; lease FG_NO_LEASE: idle */
	int64_t rendertime_s, remaining_s;
	int     progress;                 /**< per mille, -1 unknown */
	const char *engine;               /**< what the renderer says, see engine.h; "" nothing new */
};

/** May the client go on? It may not when the lease ended, its project was cancelled, or it runs for longer than task_max_seconds. */
enum fg_err fg_lease_beat(bool *go_on, struct fg_db *db, const struct fg_beat *beat, int64_t now_ms);

/** A picture that lies in the spool under a name with its lease id. */
struct fg_delivery {
	int64_t     lease, key;
	const char *ext;                  /**< "png", "exr", … */
	int64_t     size, render_s, memory_kib;
	bool        black;
};

/** What became of a picture. */
enum fg_taken {
	FG_DROPPED,      /**< somebody was first, or nobody wants it any more: answer 0 and drop the file */
	FG_TAKEN,
	FG_TAKEN_BEFORE, /**< this lease had delivered already: answer 0, and leave the file, whose name the row holds */
};

/** The first good file of a task wins, late or not; FULL: acknowledged is durable.
 * @return FG_OK, FG_ENOTFOUND (no such lease of this key), FG_EBUSY, FG_EIO, FG_ENOSPACE */
enum fg_err fg_lease_deliver(enum fg_taken *taken, struct fg_db *db, const struct fg_settings *settings, const struct fg_delivery *delivery, int64_t now_ms);

/** How a lease failed, and whom it counts against. */
enum fg_blame {
	FG_BLAME_NOBODY, /**< could not be stored, killed by its user or by us: only the task comes back */
	FG_BLAME_BOTH,   /**< rendering failed: a try of the task, an error of the project and of the worker */
	FG_BLAME_PICTURE,/**< a broken picture: the same, and one more in the worker's row of them */
	FG_BLAME_MEMORY, /**< out of memory: the task goes only to a session with more */
};

struct fg_failure {
	int64_t       lease, key;
	enum fg_blame blame;
	const char   *why;        /**< one line for people */
	int64_t       memory_kib; /**< used, 0 unknown */
	bool          has_log;
};

enum fg_err fg_lease_keep_log(struct fg_db *db, int64_t lease); /**< its log is in the spool; nothing else changes */

/** The task waits again at once; budgets are kept: a project over its budget stops, a worker over its is set aside. */
enum fg_err fg_lease_fail(struct fg_db *db, const struct fg_settings *settings, const struct fg_failure *failure, int64_t now_ms);

/** An answer that could not be built or sent: as if it had never been lent. */
enum fg_err fg_lease_return(struct fg_db *db, int64_t lease, int64_t now_ms);

/* Inside a transaction of the caller: */
enum fg_err fg_lease_release(struct fg_db *db, int64_t lease, const char *state, const char *why, int64_t now_ms); /**< end it; its task waits again */
enum fg_err fg_lease_end_of_session(struct fg_db *db, int64_t session, int64_t now_ms);
enum fg_err fg_lease_end_of_project(struct fg_db *db, int64_t project, int64_t now_ms);
enum fg_err fg_lease_expire(struct fg_db *db, int64_t now_ms); /**< at most 20 */

#endif
