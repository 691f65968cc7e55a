/* live_hall: the pages of jobs that somebody looks at. Each is read once for all who look, when the feed names it, and twice a second while
 * something is being rendered; never more than a twentieth of the time. What the rules say of it is told again when it is something else, every
 * five seconds at most; a model's words stand until its state is another. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "farm/summary.h"
#include "live_llm.h"
#include "live_parts.h"

enum { MOVE_MS = 500, SHARE = 20, SAY_MS = 5000 };

static void
forget(struct fg_hall *hall)
{
	fg_message_release(hall->whole);
	hall->whole = NULL;
}

struct fg_hall *
fg_hall_enter(struct fg_hub *hub, const char *key, int64_t project)
{
	struct fg_hall *hall = hub->halls;

	while (hall != NULL && strcmp(hall->room.key, key) != 0)
		hall = hall->next;
	if (hall == NULL) {
		hall = fg_alloc(sizeof(*hall));
		memcpy(hall->room.key, key, strlen(key) + 1);
		hall->project = project;
		hall->next = hub->halls;
		hub->halls = hall;
	}
	hall->viewers++;
	return hall;
}

void
fg_hall_leave(struct fg_hub *hub, struct fg_hall *hall)
{
	struct fg_hall **at = &hub->halls;

	if (--hall->viewers > 0)
		return;
	while (*at != hall)
		at = &(*at)->next;
	*at = hall->next;
	forget(hall);
	fg_words_release(hall->words);
	fg_buf_free(&hall->said);
	fg_room_free(&hall->room);
	free(hall);
}

struct fg_message *
fg_hall_whole(struct fg_hall *hall)
{
	if (hall->whole == NULL) {
		struct fg_buf text = { 0 };

		if (hall->gone)
			fg_room_error(&text);
		else
			fg_room_whole(&text, &hall->room);
		hall->whole = fg_message_of(&text);
	}
	return fg_message_keep(hall->whole);
}

static void
say(struct fg_hall *hall, const char *words)
{
	fg_words_release(hall->words);
	hall->words = fg_words_new(hall->room.key, words);
	fg_buf_clear(&hall->said);
	fg_buf_str(&hall->said, words);
	hall->said_ms = fg_steady_ms();
}

static bool
may_say_again(const struct fg_hub *hub, const struct fg_hall *hall)
{
	return hub->llm == NULL && fg_steady_ms() - hall->said_ms >= SAY_MS;
}

/* True: there are words to tell. */
static bool
write_words(struct fg_hub *hub, struct fg_hall *hall, bool anyway)
{
	struct fg_project project;
	struct fg_buf     text = { 0 };
	bool              tell;

	if ((!anyway && !may_say_again(hub, hall)) || fg_project_get(&project, hub->farm->db, hall->project) != FG_OK)
		return false;
	hall->unsaid = false;
	fg_summary(&text, &project, hub->farm->db);
	if (anyway && hub->llm != NULL)
		fg_llm_want(hub->llm, &project, fg_buf_text(&text));
	tell = anyway || strcmp(fg_buf_text(&text), fg_buf_text(&hall->said)) != 0;
	if (tell)
		say(hall, fg_buf_text(&text));
	fg_buf_free(&text);
	return tell;
}

static void
give_words(struct fg_viewer *v, struct fg_hall *hall)
{
	fg_words_release(v->words);
	v->words = hall->words;
	v->told = 0;
	if (v->words != NULL)
		v->words->refs++;
}

static void
give_page(struct fg_viewer *v, struct fg_message *diff)
{
	if (v->owes_page || v->page_diff != NULL) {
		fg_message_release(v->page_diff);
		v->page_diff = NULL;
		v->owes_page = true;
	} else if (diff != NULL) {
		v->page_diff = fg_message_keep(diff);
	}
}

/* Those who may not look any more get what strangers get. */
static void
turn_out(struct fg_hub *hub, struct fg_hall *hall)
{
	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next)
		if (v->hall == hall && !fg_hub_may_look(hub, hall->project, v->eyes->user)) {
			fg_hall_leave(hub, hall);
			v->hall = fg_hall_enter(hub, " nowhere", 0);
			v->hall->gone = true;
			v->owes_page = true;
			v->kick(v);
		}
}

static void
tell(struct fg_hub *hub, struct fg_hall *hall, bool changed, bool words)
{
	struct fg_message *diff = changed ? fg_message_new(fg_buf_text(&hall->room.diff), hall->room.diff.len) : NULL;

	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next) {
		if (v->hall != hall)
			continue;
		if (changed)
			give_page(v, diff);
		if (words)
			give_words(v, hall);
		v->kick(v);
	}
	fg_message_release(diff);
}

void
fg_hall_lose(struct fg_hub *hub, struct fg_hall *hall)
{
	if (hall->gone)
		return;
	hall->gone = true;
	forget(hall);
	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next)
		if (v->hall == hall) {
			v->owes_page = true;
			v->kick(v);
		}
}

static void
read_hall(struct fg_hub *hub, struct fg_hall *hall, int64_t now_ms)
{
	const bool   first = hall->room.generation == 0, judged = hall->judged;
	bool         changed = false;
	enum fg_err  err = fg_room_read(&changed, &hall->room, hub->farm->db, hall->project);

	hall->dirty = hall->judged = false;
	if (err == FG_ENOTFOUND)
		fg_hall_lose(hub, hall);
	hall->read_ms = fg_steady_ms();
	hall->cost_ms = hall->read_ms - now_ms;
	if (err != FG_OK)
		return;
	if (changed)
		forget(hall);
	hall->unsaid |= changed;
	tell(hub, hall, changed && !first, write_words(hub, hall, first || (changed && hall->room.troubled) || judged));
}

static struct fg_hall *
hall_of(struct fg_hub *hub, const char *job)
{
	struct fg_hall *hall = hub->halls;

	while (hall != NULL && strcmp(hall->room.key, job) != 0)
		hall = hall->next;
	return hall;
}

struct fg_words *
fg_hall_speak(struct fg_hub *hub, const char *job, const char *text)
{
	struct fg_hall *hall = hall_of(hub, job);

	if (hall == NULL)
		return NULL;
	fg_words_release(hall->words);
	hall->words = fg_words_new(job, text);
	tell(hub, hall, false, true);
	hall->words->refs++;
	return hall->words;
}

bool
fg_hall_go_on(struct fg_hub *hub, struct fg_words *words, const char *job, const char *text)
{
	struct fg_hall *hall = hall_of(hub, job);

	if (hall == NULL || hall->words != words)
		return false;
	fg_words_grow(words, job, text);
	tell(hub, hall, false, false);
	return true;
}

bool
fg_hall_bring(struct fg_hub *hub, struct fg_hall *hall, char fields[FG_ROOM_FIELDS][304], struct fg_room_task *tasks, int ntasks, const char *words)
{
	const bool first = hall->room.generation == 0, changed = fg_room_set(&hall->room, fields, tasks, ntasks);
	const bool speak = first || (changed && hall->room.troubled) || (may_say_again(hub, hall) && strcmp(words, fg_buf_text(&hall->said)) != 0);

	if (changed)
		forget(hall);
	if (speak)
		say(hall, words);
	if (changed || speak)
		tell(hub, hall, changed && !first, speak);
	return speak;
}

void
fg_hall_round(struct fg_hub *hub, int64_t now_ms)
{
	for (struct fg_hall *hall = hub->halls, *next; hall != NULL; hall = next) {
		const int64_t rested_ms = now_ms - hall->read_ms;

		hall->viewers++; /* it stays until we are through, whoever is turned out */
		if (hall->project != 0 && !hall->gone && hall->judged)
			turn_out(hub, hall);
		if (hall->project != 0 && !hall->gone &&
		    (hall->room.generation == 0 || (rested_ms >= hall->cost_ms * SHARE && (hall->dirty || (hall->room.moves && rested_ms >= MOVE_MS)))))
			read_hall(hub, hall, now_ms);
		else if (hall->unsaid && !hall->gone && may_say_again(hub, hall))
			tell(hub, hall, false, write_words(hub, hall, false));
		next = hall->next;
		fg_hall_leave(hub, hall);
	}
}
