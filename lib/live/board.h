/* board: the jobs that viewers see, kept true by the change feed: one look at the state for all viewers, however many there are.
 *
 * A round (fg_board_begin, then any number of updates) leaves what changed in it; messages for any pair of eyes are made from that until
 * the next round. Nothing here knows connections. */
#ifndef FG_LIVE_BOARD_H
#define FG_LIVE_BOARD_H

#include "farm/event.h"
#include "live/job.h"

struct lh_table;

struct fg_board {
	struct lh_table     *jobs;    /**< key → struct fg_live_job */
	int64_t              last;    /**< newest event that was looked at */
	struct fg_live_job **changes; /**< of this round */
	int                  nchanges, room;
	bool                 left[FG_LISTS]; /**< a job left this list in this round, or may be seen by others now */
	bool                 counted;        /**< counts moved without an event (something was lent) */
	bool                 reset;          /**< everything was read anew */
};

/** Called for each event of a round; the texts are valid during the call. */
typedef void fg_board_event(void *ctx, const struct fg_event *event);

/** Read the farm's jobs. fg_board_free also after a failure. */
enum fg_err fg_board_open(struct fg_board *out, struct fg_db *db, int64_t now_ms);
void        fg_board_free(struct fg_board *board);

void fg_board_begin(struct fg_board *board); /**< forget the last round's changes */

/** Follow the feed and the counts of what is going. `each` may be NULL. */
enum fg_err fg_board_follow(struct fg_board *board, struct fg_db *db, int64_t now_ms, fg_board_event *each, void *ctx);

/** Time alone moves jobs from list to list. */
void fg_board_age(struct fg_board *board, int64_t now_ms);

/** Another manager's job; takes copies. Between fg_board_foreign_begin and _end all of its jobs are put; those that were not are gone. */
void fg_board_foreign_begin(struct fg_board *board);
void fg_board_foreign_put(struct fg_board *board, const struct fg_live_job *job, int64_t now_ms);
void fg_board_foreign_end(struct fg_board *board);

const struct fg_live_job *fg_board_find(const struct fg_board *board, const char *key); /**< NULL: none */

/** The whole list as these eyes see it: {"type":…,"update":false,"data":{…}}. */
void fg_board_list(struct fg_buf *out, const struct fg_board *board, enum fg_list list, int64_t user);

/** What changed in it: update true, or the whole list when a job left it. False, and nothing written, when nothing did for them. */
bool fg_board_diff(struct fg_buf *out, const struct fg_board *board, enum fg_list list, int64_t user);

#endif
