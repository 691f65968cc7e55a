/* live_hub: who looks at what, and what each still has to be told. One look at the state a round, one message for all with the same eyes.
 *
 * A viewer never holds more than it asked for: of a list, one difference that was not sent yet; the next one turns both into "the whole list,
 * when you can read". The same for a job's page and for the feed. So a slow reader skips states, and costs no memory.
 * Nothing here knows sockets: `kick` says that hub_next has something. One thread. */
#ifndef FG_LIVE_HUB_H
#define FG_LIVE_HUB_H

#include "farm/farm.h"
#include "live/board.h"
#include "live/bucket.h"
#include "live/room.h"

enum { FG_HUB_HEAD = 32, FG_HUB_ASKS = 1000 }; /**< room before a message's bytes for the transport; previews that may be waiting */

/** Text that goes to any number of viewers. */
struct fg_message {
	int    refs;
	size_t len;
	char   bytes[]; /**< FG_HUB_HEAD unused bytes, then the text */
};

/** Words about a job, told piece by piece; they may still be growing. */
struct fg_words {
	int                 refs, count;
	struct fg_message **pieces;
};

enum fg_viewer_kind {
	FG_VIEWER_APP,  /**< the progress app: five messages, lists and pages */
	FG_VIEWER_FEED, /**< our own pages: events with ids */
	FG_VIEWER_WORK, /**< a worker that wants to know when there may be something to do */
};

struct fg_eyes; /**< what all viewers with the same rights see */
struct fg_hall; /**< a room, and what its viewers are told */

struct fg_viewer {
	struct fg_viewer   *next, *prev;
	uint64_t            id; /**< never given twice */
	struct fg_hub      *hub;
	enum fg_viewer_kind kind;
	struct fg_eyes     *eyes;
	void (*kick)(struct fg_viewer *viewer); /**< hub_next has something now */
	void               *link;               /**< the transport's own */
	int64_t             born_ms;
	struct fg_bucket    bucket;
	bool                spoke, asked_job;
	/* lists */
	bool                subscribed[FG_LISTS];
	int                 owed[FG_LISTS]; /**< whole lists */
	struct fg_message  *diff[FG_LISTS];
	/* a job's page */
	struct fg_hall     *hall;
	bool                owes_page;
	struct fg_message  *page_diff;
	struct fg_words    *words;
	int                 told; /**< pieces of the words */
	struct fg_wish     *asks;
	int                 nasks, asks_room;
	bool                awaits; /**< the first of them is being made by somebody else */
	struct fg_message  *answer; /**< and has come */
	/* the feed */
	bool                owes_feed, wonders; /**< wonders: its project's state is new, and wants words */
	int64_t             after, project;
	/* a worker */
	bool                work; /**< there may be something */
};

struct fg_hub {
	struct fg_farm   *farm;
	struct fg_board   board;
	struct fg_viewer *viewers;
	struct fg_eyes   *eyes;
	struct fg_hall   *halls;
	struct fg_deadline *deadline; /**< NULL: none */
	struct fg_llm    *llm;        /**< likewise */
	uint64_t          ids;
	int               nviewers;
	uint64_t          round;
	int64_t           version, next_ms, aged_ms, lent_ms; /**< version: fg_db_changes when we looked last */
	int64_t           work; /**< newest event after which there may be something to do */
	bool (*outdated)(const struct fg_hub *hub); /**< settings that count at the start are others now; NULL never */
	bool              anew;       /**< they are: stop serving, and begin again */
	bool              told, lent; /**< told: those who wait know of it */
};

enum fg_err fg_hub_open(struct fg_hub *out, struct fg_farm *farm);
void        fg_hub_close(struct fg_hub *hub);

/** Look at the state if anything changed, and tell whoever wants to know. Call it every few milliseconds. */
void fg_hub_round(struct fg_hub *hub);

/** Somebody asks: what they are told is no older than their question, unless a look takes long. */
void fg_hub_fresh(struct fg_hub *hub);

/** What the board's round left goes to the viewers; for those who put jobs on it. */
void fg_hub_share(struct fg_hub *hub);

/** Somebody comes. @param user whose eyes, 0: sees everything. */
struct fg_viewer *fg_viewer_join(struct fg_hub *hub, enum fg_viewer_kind kind, int64_t user, void (*kick)(struct fg_viewer *), void *link);
void              fg_viewer_leave(struct fg_viewer *viewer);

/** They said something. False: too much of it, close. */
bool fg_viewer_hear(struct fg_viewer *viewer, const char *bytes, size_t len);

/** The picture that a viewer awaits; if it is still there. Takes the reference over. */
void fg_viewer_answer(struct fg_hub *hub, uint64_t viewer, struct fg_message *answer);

/** What to send next, NULL nothing now. Release it after sending. */
struct fg_message *fg_viewer_next(struct fg_viewer *viewer);

struct fg_message *fg_message_new(const char *bytes, size_t len);
void               fg_message_release(struct fg_message *message);

#endif
