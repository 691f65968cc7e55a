#include "live_hub.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "farm/access.h"
#include "farm/summary.h"
#include "live_llm.h"
#include "live_parts.h"

enum { ROUND_MS = 20, AGE_MS = 1000, LENT_MS = 250, SHARE = 4, PAUSE_MOST_MS = 1000, SILENT_MS = 1500, FRESH_MS = 20 };

/* --- messages */

struct fg_message *
fg_message_new(const char *bytes, size_t len)
{
	struct fg_message *out = fg_alloc(sizeof(*out) + FG_HUB_HEAD + len);

	out->refs = 1;
	out->len = len;
	memcpy(out->bytes + FG_HUB_HEAD, bytes, len);
	return out;
}

struct fg_message *
fg_message_of(struct fg_buf *text)
{
	struct fg_message *out = fg_message_new(fg_buf_text(text), text->len);

	fg_buf_free(text);
	return out;
}

struct fg_message *
fg_message_keep(struct fg_message *message)
{
	if (message != NULL)
		message->refs++;
	return message;
}

void
fg_message_release(struct fg_message *message)
{
	if (message != NULL && --message->refs == 0)
		free(message);
}

/* --- eyes */

static struct fg_eyes *
take_eyes(struct fg_hub *hub, int64_t user)
{
	struct fg_eyes *eyes = hub->eyes;

	while (eyes != NULL && eyes->user != user)
		eyes = eyes->next;
	if (eyes == NULL) {
		eyes = fg_alloc(sizeof(*eyes));
		eyes->user = user;
		eyes->next = hub->eyes;
		hub->eyes = eyes;
	}
	eyes->refs++;
	return eyes;
}

static void
drop_eyes(struct fg_hub *hub, struct fg_eyes *eyes)
{
	struct fg_eyes **at = &hub->eyes;

	if (--eyes->refs > 0)
		return;
	while (*at != eyes)
		at = &(*at)->next;
	*at = eyes->next;
	for (int i = 0; i < FG_LISTS; i++) {
		fg_message_release(eyes->whole[i]);
		fg_message_release(eyes->diff[i]);
	}
	for (int i = 0; i < FG_FEEDS; i++)
		fg_message_release(eyes->feeds[i].message);
	free(eyes);
}

struct fg_message *
fg_eyes_list(struct fg_hub *hub, struct fg_eyes *eyes, enum fg_list list)
{
	if (eyes->whole[list] == NULL) {
		struct fg_buf text = { 0 };

		fg_board_list(&text, &hub->board, list, eyes->user);
		eyes->whole[list] = fg_message_of(&text);
	}
	return fg_message_keep(eyes->whole[list]);
}

struct fg_message *
fg_eyes_diff(struct fg_hub *hub, struct fg_eyes *eyes, enum fg_list list)
{
	if (eyes->diff_round[list] != hub->round) {
		struct fg_buf text = { 0 };

		fg_message_release(eyes->diff[list]);
		eyes->diff[list] = fg_board_diff(&text, &hub->board, list, eyes->user) ? fg_message_of(&text) : NULL;
		eyes->diff_round[list] = hub->round;
		if (eyes->diff[list] != NULL) {
			fg_message_release(eyes->whole[list]);
			eyes->whole[list] = NULL;
		}
	}
	return fg_message_keep(eyes->diff[list]);
}

/* --- viewers come and go */

struct fg_viewer *
fg_viewer_join(struct fg_hub *hub, enum fg_viewer_kind kind, int64_t user, void (*kick)(struct fg_viewer *), void *link)
{
	struct fg_viewer *v = fg_alloc(sizeof(*v));

	*v = (struct fg_viewer){ .hub = hub, .kind = kind, .kick = kick, .link = link, .next = hub->viewers, .born_ms = fg_steady_ms() };
	v->id = ++hub->ids;
	fg_bucket_fill(&v->bucket, hub->farm->settings.live_message_rate, v->born_ms);
	v->eyes = take_eyes(hub, user);
	if (hub->viewers != NULL)
		hub->viewers->prev = v;
	hub->viewers = v;
	hub->nviewers++;
	return v;
}

void
fg_viewer_leave(struct fg_viewer *v)
{
	struct fg_hub *hub = v->hub;

	for (int i = 0; i < FG_LISTS; i++)
		fg_message_release(v->diff[i]);
	fg_message_release(v->page_diff);
	fg_message_release(v->answer);
	fg_words_release(v->words);
	free(v->asks);
	if (v->hall != NULL)
		fg_hall_leave(hub, v->hall);
	drop_eyes(hub, v->eyes);
	if (v->prev != NULL)
		v->prev->next = v->next;
	else
		hub->viewers = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	hub->nviewers--;
	free(v);
}

bool
fg_hub_may_look(struct fg_hub *hub, int64_t id, int64_t user)
{
	struct fg_project project;
	struct fg_user    who = { .id = user };
	enum fg_access    may = FG_ACCESS_NONE;

	if (fg_project_get(&project, hub->farm->db, id) != FG_OK)
		return false;
	return user == 0 || (fg_access_of(&may, hub->farm->db, &project, &who, "") == FG_OK && may != FG_ACCESS_NONE);
}

/* --- rounds */

static const char *const work_kinds[] = { "project.waiting", "project.active", "project.retried", "project.access", "project.priority", "project.splitting",
	                                  "task.returned", "task.failed", "task.black" };

static bool
says_state(const char *kind)
{
	return strncmp(kind, "project.", 8) == 0 && strcmp(kind, "project.words") != 0;
}

static void
on_event(void *ctx, const struct fg_event *event)
{
	struct fg_hub *hub = ctx;

	for (size_t i = 0; i < sizeof(work_kinds) / sizeof(*work_kinds); i++)
		if (strcmp(event->kind, work_kinds[i]) == 0) {
			hub->work = event->id;
			hub->told = false;
		}
	for (struct fg_hall *hall = hub->halls; hall != NULL; hall = hall->next)
		if (hall->project == event->project) {
			hall->dirty = true;
			hall->judged |= says_state(event->kind);
		}
	for (struct fg_viewer *v = hub->viewers; hub->llm != NULL && v != NULL; v = v->next)
		v->wonders |= v->kind == FG_VIEWER_FEED && v->project == event->project && (says_state(event->kind) || strcmp(event->kind, "task.failed") == 0);
}

/* What the model says goes to the project's page, too: it is asked for who has one open, once when it comes and as often as the state is another. */
static void
ask_words(struct fg_hub *hub)
{
	struct fg_project project;
	struct fg_buf     rules = { 0 };
	int64_t           asked = 0;

	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next) {
		const bool wonders = v->kind == FG_VIEWER_FEED && v->wonders;

		v->wonders = false;
		if (!wonders || v->project == asked || !fg_hub_may_look(hub, v->project, v->eyes->user) || fg_project_get(&project, hub->farm->db, v->project) != FG_OK)
			continue;
		asked = v->project;
		if (strcmp(project.state, "active") == 0 && project.errors > 1)
			continue; /* each failure is another state: the first one is told */
		fg_buf_clear(&rules);
		fg_summary(&rules, &project, hub->farm->db);
		fg_llm_want(hub->llm, &project, fg_buf_text(&rules));
	}
	fg_buf_free(&rules);
}

/* Halls of projects whose counts moved. */
static void
touch_halls(struct fg_hub *hub)
{
	for (struct fg_hall *hall = hub->halls; hall != NULL; hall = hall->next)
		for (int i = 0; i < hub->board.nchanges && !hall->dirty; i++)
			hall->dirty = hall->project != 0 && hub->board.changes[i]->id == hall->project;
}

static void
give_lists(struct fg_hub *hub, struct fg_viewer *v)
{
	for (int list = 0; list < FG_LISTS; list++) {
		struct fg_message *diff;

		if (!v->subscribed[list] || (diff = fg_eyes_diff(hub, v->eyes, (enum fg_list)list)) == NULL)
			continue;
		if (v->owed[list] > 0 || v->diff[list] != NULL) { /* it has not read the last one: all of it, then */
			v->owed[list] += v->owed[list] == 0;
			fg_message_release(diff);
			fg_message_release(v->diff[list]);
			v->diff[list] = NULL;
		} else {
			v->diff[list] = diff;
		}
		v->kick(v);
	}
}

void
fg_hub_share(struct fg_hub *hub)
{
	hub->round++;
	/* Who has nobody subscribed keeps no old list either. */
	for (struct fg_eyes *eyes = hub->eyes; eyes != NULL; eyes = eyes->next)
		for (int list = 0; list < FG_LISTS; list++)
			if (eyes->whole[list] != NULL)
				fg_message_release(fg_eyes_diff(hub, eyes, (enum fg_list)list));
	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next)
		if (v->kind == FG_VIEWER_APP)
			give_lists(hub, v);
}

static void
give_feed(struct fg_hub *hub, bool events, int64_t now_ms)
{
	const bool lent = hub->lent && now_ms - hub->lent_ms >= LENT_MS;

	if (!events && !lent)
		return;
	if (lent) {
		hub->lent = false;
		hub->lent_ms = now_ms;
	}
	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next)
		if (v->kind == FG_VIEWER_FEED) {
			v->owes_feed = true;
			v->kick(v);
		}
}

static void
give_work(struct fg_hub *hub)
{
	if (hub->told)
		return;
	hub->told = true;
	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next)
		if (v->kind == FG_VIEWER_WORK) {
			v->work = true;
			v->kick(v);
		}
}

/* An app that connects and says nothing was there before we were: its lists are old. */
static void
repair_silent(struct fg_hub *hub, int64_t now_ms)
{
	for (struct fg_viewer *v = hub->viewers; v != NULL; v = v->next) {
		if (v->kind != FG_VIEWER_APP || v->spoke || now_ms - v->born_ms < SILENT_MS)
			continue;
		v->spoke = true;
		for (int list = 0; list < FG_LISTS; list++) {
			v->subscribed[list] = true;
			v->owed[list] = 1;
		}
		v->kick(v);
	}
}

static void
look(struct fg_hub *hub, bool changed, int64_t now_ms)
{
	const int64_t began_ms = now_ms, last = hub->board.last;
	enum fg_err   err = FG_OK;

	fg_board_begin(&hub->board);
	if (changed && (err = fg_board_follow(&hub->board, hub->farm->db, fg_now_ms(), on_event, hub)) != FG_OK)
		fg_log(FG_LOG_WARN, "live.look", "why=%s", fg_log_quote(fg_err_text(err)).text);
	if (now_ms - hub->aged_ms >= AGE_MS) {
		hub->aged_ms = now_ms;
		fg_board_age(&hub->board, fg_now_ms());
	}
	hub->lent |= hub->board.counted;
	touch_halls(hub);
	fg_hub_share(hub);
	give_work(hub);
	give_feed(hub, hub->board.last != last || hub->board.reset, now_ms);
	now_ms = fg_steady_ms();
	hub->next_ms = now_ms + (now_ms - began_ms) * SHARE;
	if (hub->next_ms > now_ms + PAUSE_MOST_MS)
		hub->next_ms = now_ms + PAUSE_MOST_MS;
}

void
fg_hub_round(struct fg_hub *hub)
{
	const int64_t now_ms = fg_steady_ms(), version = fg_db_changes(hub->farm->db);
	const bool    changed = version != hub->version;

	repair_silent(hub, now_ms);
	if ((changed || hub->lent || now_ms - hub->aged_ms >= AGE_MS) && now_ms >= hub->next_ms) {
		hub->version = version;
		look(hub, changed, now_ms);
	}
	fg_hall_round(hub, fg_steady_ms());
	if (hub->llm != NULL)
		ask_words(hub);
}

void
fg_hub_fresh(struct fg_hub *hub)
{
	const int64_t now_ms = fg_steady_ms(), version = fg_db_changes(hub->farm->db);

	if (version == hub->version || hub->next_ms - now_ms > FRESH_MS)
		return;
	hub->version = version;
	look(hub, true, now_ms);
}

enum fg_err
fg_hub_open(struct fg_hub *out, struct fg_farm *farm)
{
	enum fg_err err;

	*out = (struct fg_hub){ .farm = farm, .told = true, .aged_ms = fg_steady_ms(), .version = fg_db_changes(farm->db) };
	err = fg_board_open(&out->board, farm->db, fg_now_ms());
	out->work = out->board.last;
	return err;
}

void
fg_hub_close(struct fg_hub *hub)
{
	while (hub->viewers != NULL)
		fg_viewer_leave(hub->viewers);
	fg_board_free(&hub->board);
}
