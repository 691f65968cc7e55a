/* live_parts: what the hub's own files share. */
#ifndef FG_LIVE_PARTS_H
#define FG_LIVE_PARTS_H

#include "live_hub.h"

enum { FG_FEEDS = 8 };

struct fg_feed {
	int64_t            after, project, last; /**< events after `after`, up to `last` */
	uint64_t           round;
	struct fg_message *message;
};

struct fg_eyes {
	struct fg_eyes    *next;
	int64_t            user;
	int                refs;
	struct fg_message *whole[FG_LISTS]; /**< NULL: not made since it changed */
	struct fg_message *diff[FG_LISTS];  /**< of round `diff_round`; NULL there: nothing for these eyes */
	uint64_t           diff_round[FG_LISTS];
	struct fg_feed     feeds[FG_FEEDS];
	int                next_feed;
};

struct fg_hall {
	struct fg_hall    *next;
	struct fg_room     room;
	int64_t            project; /**< 0: of another manager */
	int                viewers;
	bool               dirty, gone, judged; /**< judged: who may look has changed; its state was said anew */
	bool               unsaid;  /**< it has changed since its words were written */
	bool               foreign; /**< somebody else brings what stands in it */
	int64_t            read_ms, cost_ms, said_ms;
	struct fg_message *whole;
	struct fg_words   *words;
	struct fg_buf      said; /**< the rules' words that were told last */
};

struct fg_hall *fg_hall_enter(struct fg_hub *hub, const char *key, int64_t project);
void            fg_hall_leave(struct fg_hub *hub, struct fg_hall *hall);
void            fg_hall_round(struct fg_hub *hub, int64_t now_ms); /**< read what changed, tell its viewers */
/** What stands in a foreign one now; takes the tasks over. True: its words were told: first of all, when errors begin, and when the rules say something else. */
bool fg_hall_bring(struct fg_hub *hub, struct fg_hall *hall, char fields[FG_ROOM_FIELDS][304], struct fg_room_task *tasks, int ntasks, const char *words);
/** What it was about is no more; its viewers are told. */
void fg_hall_lose(struct fg_hub *hub, struct fg_hall *hall);
/** Other words about a job, for those who look at it now. A new reference; NULL when nobody does. */
struct fg_words *fg_hall_speak(struct fg_hub *hub, const char *job, const char *text);
/** More of them, as long as they are what is said there. */
bool fg_hall_go_on(struct fg_hub *hub, struct fg_words *words, const char *job, const char *text);
struct fg_message *fg_hall_whole(struct fg_hall *hall);             /**< a new reference */

struct fg_message *fg_eyes_list(struct fg_hub *hub, struct fg_eyes *eyes, enum fg_list list); /**< a new reference */
struct fg_message *fg_eyes_diff(struct fg_hub *hub, struct fg_eyes *eyes, enum fg_list list); /**< a new reference or NULL */

/** Events after viewer->after; moves it on. A new reference. */
struct fg_message *fg_eyes_feed(struct fg_viewer *viewer);

struct fg_message *fg_message_of(struct fg_buf *text); /**< frees the text */
struct fg_message *fg_message_keep(struct fg_message *message);

struct fg_words *fg_words_new(const char *job, const char *text);
void             fg_words_grow(struct fg_words *words, const char *job, const char *text); /**< whole characters */
void             fg_words_release(struct fg_words *words);

struct fg_message *fg_picture_message(const char *task, const struct fg_buf *jpeg);
struct fg_message *fg_no_picture_message(const char *task, const char *why);

/** The answer to one asked preview. */
struct fg_message *fg_preview_answer(struct fg_hub *hub, const struct fg_wish *ask, int64_t user);

/** May these eyes look at the project? */
bool fg_hub_may_look(struct fg_hub *hub, int64_t project, int64_t user);

#endif
