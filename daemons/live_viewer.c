/* live_viewer: what one viewer says, and what it hears next. The connection is modal: a job's page hears of that job alone, lists of lists alone;
 * asking for one leaves the other. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/time.h"
#include "live_deadline.h"
#include "live_parts.h"
#include "text/escape.h"

#include <json-c/json.h>
#include <sodium.h>

enum { OWED_MOST = 64, EVENTS_MOST = 500, PICTURE_MOST = 16 << 20 };

/* --- in */

static void
leave_lists(struct fg_viewer *v)
{
	for (int i = 0; i < FG_LISTS; i++) {
		v->subscribed[i] = false;
		v->owed[i] = 0;
		fg_message_release(v->diff[i]);
		v->diff[i] = NULL;
	}
}

static void
leave_page(struct fg_viewer *v)
{
	fg_message_release(v->page_diff);
	fg_words_release(v->words);
	v->page_diff = NULL;
	v->words = NULL;
	v->owes_page = false;
	v->nasks = 0;
	v->awaits = false;
	fg_message_release(v->answer);
	v->answer = NULL;
	if (v->hall != NULL)
		fg_hall_leave(v->hub, v->hall);
	v->hall = NULL;
}

static void
ask_list(struct fg_viewer *v, enum fg_list list)
{
	leave_page(v);
	v->subscribed[list] = true;
	fg_message_release(v->diff[list]);
	v->diff[list] = NULL;
	if (v->owed[list] < OWED_MOST)
		v->owed[list]++;
}

/* The project that a job's id names, if these eyes may look; 0 none. */
static int64_t
project_of(struct fg_viewer *v, const char *key)
{
	const size_t  len = strlen(key);
	const int64_t id = len > 0 && len <= 18 && strspn(key, "0123456789") == len && key[0] != '0' ? strtoll(key, NULL, 10) : 0;

	return id > 0 && fg_hub_may_look(v->hub, id, v->eyes->user) ? id : 0;
}

/* Another manager's: one that is known, or could be; the first viewer may ask before the lists have come. */
static bool
is_foreign(const struct fg_viewer *v, const char *key)
{
	const struct fg_live_job *job = fg_board_find(&v->hub->board, key);

	if (job == NULL)
		return v->hub->deadline != NULL && strlen(key) == 24 && strspn(key, "0123456789abcdefABCDEF") == 24;
	return job->id == 0;
}

static void
ask_page(struct fg_viewer *v, const char *key)
{
	const int64_t project = project_of(v, key);
	const bool    foreign = project == 0 && is_foreign(v, key);

	leave_lists(v);
	leave_page(v);
	v->hall = fg_hall_enter(v->hub, project > 0 || foreign ? key : " nowhere", project);
	v->hall->foreign = foreign;
	v->hall->gone |= project == 0 && !foreign;
	v->owes_page = true;
	if (v->hall->words != NULL) {
		v->words = v->hall->words;
		v->words->refs++;
	}
	v->told = 0;
}

static void
ask_preview(struct fg_viewer *v, const struct fg_wish *ask)
{
	if (v->nasks == FG_HUB_ASKS)
		return; /* who asks so fast is let go before */
	if (v->nasks == v->asks_room) {
		v->asks_room = v->asks_room == 0 ? 8 : v->asks_room * 2;
		v->asks = fg_realloc(v->asks, (size_t)v->asks_room * sizeof(*v->asks));
	}
	v->asks[v->nasks++] = *ask;
}

bool
fg_viewer_hear(struct fg_viewer *v, const char *bytes, size_t len)
{
	struct fg_wish ask;

	if (!fg_bucket_take(&v->bucket, v->hub->farm->settings.live_message_rate, fg_steady_ms()))
		return false;
	if (v->kind != FG_VIEWER_APP || !fg_wish_read(&ask, bytes, len))
		return true;
	v->spoke = true;
	fg_hub_fresh(v->hub);
	if (ask.kind == FG_WISH_DETAILS)
		ask_page(v, ask.job);
	else if (ask.kind == FG_WISH_PREVIEW)
		ask_preview(v, &ask);
	else
		ask_list(v, (enum fg_list)(ask.kind - FG_WISH_ACTIVE));
	v->kick(v);
	return true;
}

/* --- previews */

struct fg_message *
fg_picture_message(const char *task, const struct fg_buf *jpeg)
{
	const size_t  room = sodium_base64_encoded_len(jpeg->len, sodium_base64_VARIANT_ORIGINAL);
	struct fg_buf text = { 0 };

	fg_buf_printf(&text, "{\"type\":\"image_preview\",\"task_id\":\"%s\",\"error\":false,\"image\":\"", task);
	sodium_bin2base64(fg_buf_room(&text, room), room, (const unsigned char *)jpeg->data, jpeg->len, sodium_base64_VARIANT_ORIGINAL);
	text.len += room - 1;
	fg_buf_str(&text, "\"}");
	return fg_message_of(&text);
}

struct fg_message *
fg_no_picture_message(const char *task, const char *why)
{
	struct fg_buf text = { 0 }, message = { 0 };

	fg_buf_printf(&message, "Error: %s", why);
	fg_buf_printf(&text, "{\"type\":\"image_preview\",\"task_id\":\"%s\",\"error\":true,\"message\":", task);
	fg_escape_json(&text, fg_buf_text(&message));
	fg_buf_char(&text, '}');
	fg_buf_free(&message);
	return fg_message_of(&text);
}

struct fg_message *
fg_preview_answer(struct fg_hub *hub, const struct fg_wish *ask, int64_t user)
{
	const int64_t      id = strspn(ask->job, "0123456789") == strlen(ask->job) ? strtoll(ask->job, NULL, 10) : 0;
	const int64_t      index = strlen(ask->task) < 10 && ask->task[0] != '\0' ? strtoll(ask->task, NULL, 10) : -1;
	struct fg_project  project;
	struct fg_buf      jpeg = { 0 };
	struct fg_message *out;
	char               name[FG_SPOOL_NAME], path[PATH_MAX];

	if (id == 0 || !fg_hub_may_look(hub, id, user) || fg_project_get(&project, hub->farm->db, id) != FG_OK)
		return fg_no_picture_message(ask->task, "There is no such job.");
	if (index < 0 || index >= project.frames_total)
		return fg_no_picture_message(ask->task, "There is no such task.");
	fg_spool_preview(name, id, (int)(project.frame_start + index * project.frame_step));
	fg_spool_path(path, &hub->farm->spool, name);
	if (fg_fs_size(path) <= 0 || fg_fs_read(&jpeg, path, PICTURE_MOST) != FG_OK)
		return fg_no_picture_message(ask->task, "Could not find image file.");
	out = fg_picture_message(ask->task, &jpeg);
	fg_buf_free(&jpeg);
	return out;
}

/* --- the feed */

static void
add_event(void *ctx, const struct fg_event *event)
{
	json_object *one = json_object_new_object();

	json_object_object_add(one, "id", json_object_new_int64(event->id));
	json_object_object_add(one, "at_ms", json_object_new_int64(event->at_ms));
	json_object_object_add(one, "project", json_object_new_int64(event->project));
	json_object_object_add(one, "kind", json_object_new_string(event->kind));
	json_object_object_add(one, "task", json_object_new_int64(event->task));
	json_object_object_add(one, "lease", json_object_new_int64(event->lease));
	json_object_object_add(one, "detail", json_object_new_string(event->detail));
	json_object_array_add(ctx, one);
}

/* As GET /api/events answers. */
static struct fg_message *
read_feed(struct fg_viewer *v, int64_t *last)
{
	struct fg_db      *db = v->hub->farm->db;
	json_object       *out = json_object_new_object(), *events = json_object_new_array();
	bool               reset = false;
	int64_t            lent = 0;
	size_t             len;
	const char        *text;
	struct fg_message *message;

	*last = v->after < 0 ? v->hub->board.last : v->after;
	if (v->after >= 0)
		fg_event_list(last, &reset, db, v->after, v->eyes->user, v->project, EVENTS_MOST, add_event, events);
	fg_event_lent(&lent, db);
	json_object_object_add(out, "events", events);
	json_object_object_add(out, "last", json_object_new_int64(*last));
	json_object_object_add(out, "lent", json_object_new_int64(lent));
	if (reset)
		json_object_object_add(out, "reset", json_object_new_boolean(true));
	text = json_object_to_json_string_length(out, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	message = fg_message_new(text, len);
	json_object_put(out);
	return message;
}

struct fg_message *
fg_eyes_feed(struct fg_viewer *v)
{
	struct fg_eyes *eyes = v->eyes;
	struct fg_feed *feed = NULL;

	for (int i = 0; i < FG_FEEDS && feed == NULL; i++)
		if (eyes->feeds[i].message != NULL && eyes->feeds[i].round == v->hub->round && eyes->feeds[i].after == v->after &&
		    eyes->feeds[i].project == v->project)
			feed = &eyes->feeds[i];
	if (feed == NULL) {
		feed = &eyes->feeds[eyes->next_feed++ % FG_FEEDS];
		fg_message_release(feed->message);
		*feed = (struct fg_feed){ .after = v->after, .project = v->project, .round = v->hub->round };
		feed->message = read_feed(v, &feed->last);
	}
	v->after = feed->last;
	return fg_message_keep(feed->message);
}

/* --- out */

static struct fg_message *
next_of_lists(struct fg_viewer *v)
{
	for (int list = 0; list < FG_LISTS; list++) {
		struct fg_message *diff = v->diff[list];

		if (v->owed[list] > 0) {
			v->owed[list]--;
			return fg_eyes_list(v->hub, v->eyes, (enum fg_list)list);
		}
		v->diff[list] = NULL;
		if (diff != NULL)
			return diff;
	}
	return NULL;
}

static struct fg_message *
next_of_page(struct fg_viewer *v)
{
	struct fg_message *diff = v->page_diff;

	if (v->owes_page && (v->hall->gone || v->hall->room.generation > 0)) {
		v->owes_page = false;
		return fg_hall_whole(v->hall);
	}
	if (v->owes_page)
		return NULL;
	v->page_diff = NULL;
	if (diff != NULL)
		return diff;
	return v->words != NULL && v->told < v->words->count ? fg_message_keep(v->words->pieces[v->told++]) : NULL;
}

void
fg_viewer_answer(struct fg_hub *hub, uint64_t id, struct fg_message *answer)
{
	struct fg_viewer *v = hub->viewers;

	while (v != NULL && v->id != id)
		v = v->next;
	if (v == NULL || !v->awaits || v->answer != NULL) {
		fg_message_release(answer);
		return;
	}
	v->answer = answer;
	v->kick(v);
}

/* The first one that was asked for; NULL while somebody else makes it. */
static struct fg_message *
next_picture(struct fg_viewer *v)
{
	struct fg_message *out = v->answer;

	if (!v->awaits && !is_foreign(v, v->asks[0].job))
		return fg_preview_answer(v->hub, &v->asks[0], v->eyes->user);
	if (!v->awaits)
		v->awaits = v->hub->deadline != NULL && fg_deadline_want(v->hub->deadline, v->id, &v->asks[0]);
	if (!v->awaits)
		return fg_no_picture_message(v->asks[0].task, "Too many pictures are being made; try again.");
	if (out != NULL) {
		v->answer = NULL;
		v->awaits = false;
	}
	return out;
}

struct fg_message *
fg_viewer_next(struct fg_viewer *v)
{
	struct fg_message *out;

	if (v->kind == FG_VIEWER_FEED) {
		if (!v->owes_feed)
			return NULL;
		out = fg_eyes_feed(v);
		v->owes_feed = v->after < v->hub->board.last;
		return out;
	}
	if (v->kind == FG_VIEWER_WORK)
		return NULL;
	out = v->hall != NULL ? next_of_page(v) : next_of_lists(v);
	if (out == NULL && v->nasks > 0 && (out = next_picture(v)) != NULL)
		memmove(v->asks, v->asks + 1, (size_t)--v->nasks * sizeof(*v->asks));
	return out;
}
