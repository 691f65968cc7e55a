/* launcher: what its parts share. launcher.c has main and the loop, launcher_net.c connections, launcher_rpc.c methods, launcher_queue.c who is next,
 * launcher_run.c runs, launcher_licence.c licence servers, launcher_notify.c mail and webhooks. One thread; nothing waits. */
#ifndef FG_LAUNCHER_H
#define FG_LAUNCHER_H

#include "farm/farm.h"
#include "launch/config.h"
#include "launch/rpc.h"
#include "launch/run.h"
#include "launch/track.h"

struct json_object;
struct client;
struct launcher;

enum { TICK_MS = 250, FLUSH_BYTES = 65536 };

/* --- the loop */

/** Something with a descriptor. `ready` may free it. */
struct source {
	void (*ready)(struct launcher *l, struct source *source, uint32_t events);
	int  fd;
};

void loop_add(struct launcher *l, struct source *source, uint32_t events);
void loop_change(struct launcher *l, struct source *source, uint32_t events);
void loop_remove(struct launcher *l, struct source *source);

/* --- runs */

struct job {
	struct fg_run           run;
	const struct fg_solver *solver; /**< NULL: no longer in the settings */
	struct fg_reading      *reading;
	struct source           life;    /**< readable when its farmgate-run is gone; fd -1: none */
	int                     folder, head, lock; /**< descriptors, -1 none: its folder, its stdout, and the lock that says that it lives */
	int64_t                 read_at, sent_at;   /**< of the whole output: parsed so far, sent to viewers so far */
	int64_t                 read_ms;            /**< steady time of the last new output */
	struct fg_buf           pending;            /**< output that viewers have not got yet */
	int64_t                 skipped;            /**< bytes before `pending` that they won't get */
	int64_t                 solver_start, run_start, run_pid;
	int64_t                 suspended_ms;       /**< when it was suspended, 0: it is not */
	bool                    told_mass, stopped; /**< stopped: by a person */
	bool                    ask_cores;
	char                    why[96];            /**< in the queue: what it waits for */
	struct fg_track         track;              /**< since this launcher began */
	struct json_object     *charts;             /**< of its glstat, as they were at charts_ms; NULL: not asked for yet */
	int64_t                 charts_ms;
};

struct licence_state {
	struct source source;
	pid_t         pid;
	struct fg_buf out;
	bool          silent;      /**< it did not say the last time either */
	bool          listing;     /**< the list is being asked for, not the count */
	int64_t       asked_ms, known_ms; /**< steady times */
	int64_t       used, total; /**< -1: unknown */
	struct fg_buf list;
};

struct launcher {
	struct fg_farm          farm;     /**< its settings only where there is a portal */
	struct fg_db           *db;
	bool                    portal, ending, look, queue_changed, queue_news; /**< queue_news: net_flush tells the queue */
	struct fg_launch_config config;
	char                    control[600], boot[40], unix_path[512];
	int                     epoll;
	struct job            **jobs; /**< all that are in memory: the queue, live runs, ended ones that are shown */
	int                     count, room;
	unsigned char          *cores;  /**< taken */
	struct licence_state    licence[FG_LICENCES_MAX];
	struct net             *net;
	int64_t                 timer_ms, cpu_ms, look_ms, swept_ms;
	int                     monitors; /**< who wants to see the cores */
};

/** All of the state that concerns this host; takes up again what runs. */
enum fg_err runs_load(struct launcher *l);
void        runs_tick(struct launcher *l);
bool        runs_live(const struct launcher *l);

struct job *job_find(const struct launcher *l, int64_t id);
struct job *job_of_input(const struct launcher *l, const char *input, bool queued);
struct job *job_of_folder(const struct launcher *l, int folder); /**< the one that runs there, whatever its input is called */

/** A new run at the end of the queue. Its order was checked. */
enum fg_err job_new(struct job **out, struct launcher *l, const struct fg_run *run);
enum fg_err job_start(struct launcher *l, struct job *job, const int *cores, int count); /**< a run of the queue begins; refused ones end with an Error */
void        job_drop(struct launcher *l, struct job *job);                               /**< out of memory; its row stays as it is */
void        job_hide(struct launcher *l, struct job *job);                               /**< an ended run leaves the terminals; everybody is told */
void        job_save(struct launcher *l, const struct job *job);
enum fg_err job_signal(struct launcher *l, struct job *job, int signal_number);
enum fg_err job_code(struct launcher *l, struct job *job, const char *code); /**< the solver's stop file */

/* --- queue */

/** Start what fits. Called whenever something changed. */
void queue_look(struct launcher *l);
int  queue_list(const struct launcher *l, struct job ***out); /**< in order; the list is yours to free */
void queue_renumber(struct launcher *l, struct job **list, int count); /**< 0 … n-1 as in the list; kept and told */
void queue_tell(struct launcher *l); /**< with the next net_flush: once, however often it changed */
void queue_news(struct launcher *l);

/* --- licences */

void    licences_tick(struct launcher *l);
void    licences_refresh(struct launcher *l);               /**< ask now */
bool    licence_free(int64_t *free, const struct launcher *l, int index); /**< false: unknown */
int64_t licence_need(const struct launcher *l, const struct job *job, int *index); /**< *index -1: none */

/** A call that is answered later: rpc_killed finishes it. */
struct late {
	struct fg_rpc_answer *answer; /**< NULL: nobody waits for it */
	struct json_object   *id;
	uint64_t              client; /**< its serial */
};

/** Start the tool that ends a program at its licence server. FG_OK: `late` is kept; else FG_ENOTFOUND, FG_EBUSY. */
enum fg_err licence_kill(struct launcher *l, const char *host, const struct late *late);
void        licences_close(struct launcher *l);

/* --- what is told */

struct json_object *job_row(const struct fg_run *run);                     /**< as getFullJobList shows it */
struct json_object *job_order(const struct fg_run *run);                   /**< job_data, as the client sent it */
void                tell(struct launcher *l, const char *method, struct json_object *params); /**< to all; takes params */
void                tell_update(struct launcher *l, const struct job *job, struct json_object *payload); /**< update_data; takes payload */
void                tell_status(struct launcher *l, struct job *job);
void                tell_added(struct launcher *l, const struct job *job);
void                notify_end(struct launcher *l, const struct job *job); /**< mail and webhook */

/** A text of a client: the answer is appended, unless it comes later (net_answer). */
void rpc_text(struct launcher *l, struct client *client, struct fg_buf *out, const char *text, size_t len);
void rpc_killed(struct launcher *l, struct late *late, bool killed, const struct fg_buf *said); /**< takes late */
void cpu_tick(struct launcher *l);

/* --- connections */

/** Whom the portal says it is. */
struct person {
	char name[128]; /**< "": nobody is known, an allowed network */
	bool steers;    /**< all runs; else only their own */
};

struct client {
	uint64_t      serial; /**< of this connection, never used again */
	struct person person;
	char          address[64];
	bool          joined, asked, repaired, monitors;
	bool          html; /**< it shows output as HTML: the stock front-end */
	int64_t       joined_ms;
};

enum fg_err net_open(struct launcher *l);
void        net_close(struct launcher *l);
void        net_tick(struct launcher *l);
void        net_notify(struct launcher *l, const char *text, size_t len); /**< collected; goes out with net_flush, in order */
void        net_output(struct launcher *l, const char *text, size_t len); /**< the same for what a solver printed */
void        net_flush(struct launcher *l);
void        net_answer(struct launcher *l, uint64_t client, const struct fg_buf *text); /**< nothing when it has gone */
void        net_event(struct launcher *l, const char *json); /**< a bare Socket.IO event, as JSON array */
int         net_clients(const struct launcher *l);
void        net_repair(struct launcher *l, struct client *client, struct fg_buf *packets); /**< what a client that came back should hear */

#endif
