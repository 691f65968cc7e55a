#include "live_deadline.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/beneath.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/time.h"
#include "farm/cause.h"
#include "farm/picture.h"
#include "live/deadline.h"
#include "live_llm.h"
#include "live_parts.h"

enum { ACTIVE_MS = 3000, REST_MS = 60000, PAGE_MS = 1000, BACK_FIRST_MS = 3000, BACK_MOST_MS = 60000, ANSWER_MOST = 64 << 20, ANSWER_S = 10, PAGES = 64,
	WISHES = 64, WIDTH = 512, PICTURE_MOST = 16 << 20, REPORT_MOST = 16000 };

static const char unreachable_key[] = "deadline-not-reachable";

/** A page that is looked at, as its thread brings it. */
struct page {
	char                 key[FG_LIVE_KEY];
	bool                 wanted, fresh, gone;
	bool                 again; /* its words have to be said again: the service couldn't be reached */
	char                 fields[FG_ROOM_FIELDS][304];
	struct fg_room_task *tasks;
	int                  count;
	int64_t              asked_ms;
	char                 words[2000];
	const char          *cause;         /* what the reports said when there were so many errors; NULL: nothing yet */
	char                 cause_of[304];
	char                 report[REPORT_MOST + 1]; /* the end of that one */
};

struct jobs {
	struct fg_live_job *list;
	size_t              count, room;
};

struct wish {
	uint64_t           viewer;
	struct fg_wish     wish;
	struct fg_message *answer; /* NULL: not yet */
	bool               taken;  /* a thread works on it */
};

struct fg_deadline {
	struct fg_hub  *hub;
	pthread_t       poller, painter;
	pthread_mutex_t lock; /* over everything below */
	pthread_cond_t  wake;
	bool            ending, watched, fresh, reachable, told_lost;
	char            url[FG_SETTING_SIZE], why[300];
	int64_t         lost_ms; /* Unix time when it was last heard, while it can't be reached */
	struct jobs     active, rest;
	struct page     pages[PAGES];
	struct wish     wishes[WISHES];
	struct fg_settings settings; /* copies for the threads */
	struct fg_spool    spool;
};

/* --- asking */

static size_t
take(char *bytes, size_t size, size_t count, void *ctx)
{
	struct fg_buf *answer = ctx;

	if (answer->len + size * count > ANSWER_MOST)
		return 0;
	fg_buf_add(answer, bytes, size * count);
	return size * count;
}

/* The program ends, and waits for nobody. */
static int
go_on(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t e)
{
	struct fg_deadline *d = ctx;
	bool                ending;

	(void)a, (void)b, (void)c, (void)e;
	pthread_mutex_lock(&d->lock);
	ending = d->ending;
	pthread_mutex_unlock(&d->lock);
	return ending;
}

static enum fg_err
get(struct fg_buf *out, CURL *curl, struct fg_deadline *d, const char *url)
{
	CURLcode code;
	long     status = 0;

	fg_buf_clear(out);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_S);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)ANSWER_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, go_on);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, d);
	if ((code = curl_easy_perform(curl)) != CURLE_OK)
		return fg_fail(FG_EIO, "%s", curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return fg_fail(status >= 400 && status <= 500 ? FG_ENOTFOUND : FG_EIO, "it answers with HTTP status %ld", status);
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r')
			out->data[i] = ' '; /* it breaks lines within texts */
	return FG_OK;
}

static enum fg_err
get_part(struct fg_buf *out, CURL *curl, struct fg_deadline *d, const char *format, const char *key, int64_t task)
{
	char url[FG_SETTING_SIZE + 256], part[200];

	snprintf(part, sizeof(part), format, key, task);
	snprintf(url, sizeof(url), "%s%s", d->url, part);
	return get(out, curl, d, url);
}

/* --- lists */

static void
add_job(void *ctx, const struct fg_live_job *job)
{
	struct jobs *jobs = ctx;

	if (jobs->count == jobs->room) {
		jobs->room = jobs->room == 0 ? 64 : jobs->room * 2;
		jobs->list = fg_realloc(jobs->list, jobs->room * sizeof(*jobs->list));
	}
	jobs->list[jobs->count++] = *job;
}

static enum fg_err
read_list(struct jobs *out, struct fg_buf *answer, CURL *curl, struct fg_deadline *d, bool active)
{
	enum fg_err err = get_part(answer, curl, d, active ? "/api/jobs?States=Active%s" : "/api/jobs?States=Suspended,Completed,Failed,Pending%s", "", 0);

	*out = (struct jobs){ 0 };
	return err == FG_OK ? fg_deadline_jobs(answer->data, answer->len, active, add_job, out) : err;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Is there one in `before` that `now` hasn't? Both may be in any order. */
static bool
one_left(const struct jobs *before, const struct jobs *now)
{
	const char **keys = fg_alloc((now->count + 1) * sizeof(*keys)), *key;
	bool         left = false;

	for (size_t i = 0; i < now->count; i++)
		keys[i] = now->list[i].key;
	qsort(keys, now->count, sizeof(*keys), by_key);
	for (size_t i = 0; i < before->count && !left; i++) {
		key = before->list[i].key;
		left = bsearch(&key, keys, now->count, sizeof(*keys), by_key) == NULL;
	}
	free(keys);
	return left;
}

static void
keep(struct fg_deadline *d, struct jobs *place, struct jobs *fresh)
{
	pthread_mutex_lock(&d->lock);
	free(place->list);
	*place = *fresh;
	d->fresh = d->reachable = true;
	pthread_mutex_unlock(&d->lock);
}

static enum fg_err
poll_lists(struct fg_deadline *d, CURL *curl, struct fg_buf *answer, int64_t *active_ms, int64_t *rest_ms)
{
	const int64_t now_ms = fg_steady_ms();
	struct jobs   fresh = { 0 };
	enum fg_err   err = FG_OK;

	if (now_ms >= *active_ms) {
		if ((err = read_list(&fresh, answer, curl, d, true)) == FG_OK) {
			if (one_left(&d->active, &fresh)) /* this thread alone writes it */
				*rest_ms = 0;
			keep(d, &d->active, &fresh);
			*active_ms = fg_steady_ms() + ACTIVE_MS;
		}
	}
	if (err == FG_OK && now_ms >= *rest_ms) {
		if ((err = read_list(&fresh, answer, curl, d, false)) == FG_OK) {
			keep(d, &d->rest, &fresh);
			*rest_ms = fg_steady_ms() + REST_MS;
		}
	}
	return err;
}

static void
lost(struct fg_deadline *d, const char *why)
{
	pthread_mutex_lock(&d->lock);
	if (d->reachable || d->lost_ms == 0) {
		d->lost_ms = fg_now_ms();
		fg_log(FG_LOG_WARN, "deadline.unreachable", "why=%s", fg_log_quote(why).text);
	}
	d->reachable = false;
	d->fresh = true;
	snprintf(d->why, sizeof(d->why), "%s", why);
	pthread_mutex_unlock(&d->lock);
}

/* --- pages */

/* Why its tasks fail, by the first report of one; asked for again when there are more errors. */
static void
find_cause(struct page *page, struct fg_deadline *d, CURL *curl, struct fg_buf *answer)
{
	struct fg_buf report = { 0 };
	int           task = 0;

	if (strcmp(page->cause_of, page->fields[FG_ROOM_ERRORS]) == 0)
		return;
	while (task < page->count && page->tasks[task].errors == 0)
		task++;
	if (task == page->count || get_part(answer, curl, d, "/api/taskreports?JobID=%s&TaskID=%" PRId64 "&Data=allerrorcontents", page->key, page->tasks[task].id) != FG_OK)
		return;
	fg_deadline_report(&report, answer->data, answer->len);
	page->cause = fg_cause_of(fg_buf_text(&report))->sentence;
	snprintf(page->report, sizeof(page->report), "%s", fg_buf_text(&report) + (report.len > REPORT_MOST ? report.len - REPORT_MOST : 0));
	fg_buf_free(&report);
	snprintf(page->cause_of, sizeof(page->cause_of), "%s", page->fields[FG_ROOM_ERRORS]);
}

static void
write_words(struct page *page)
{
	struct fg_buf words = { 0 };

	fg_buf_printf(&words, "%s of %d tasks are done, %s are being rendered, %s have failed.", page->fields[FG_ROOM_COMPLETED], page->count, page->fields[FG_ROOM_RENDERING],
	              page->fields[FG_ROOM_FAILED]);
	if (strcmp(page->fields[FG_ROOM_ERRORS], "0") == 0)
		fg_buf_str(&words, " There are no errors.");
	else
		fg_buf_printf(&words, " Errors so far: %s.", page->fields[FG_ROOM_ERRORS]);
	if (page->cause != NULL && strcmp(page->fields[FG_ROOM_ERRORS], "0") != 0)
		fg_buf_printf(&words, " %s", page->cause);
	snprintf(page->words, sizeof(page->words), "%s", fg_buf_text(&words));
	fg_buf_free(&words);
}

static enum fg_err
read_page(struct page *page, struct fg_deadline *d, CURL *curl, struct fg_buf *answer)
{
	struct fg_deadline_output output;
	enum fg_err               err;

	if ((err = get_part(answer, curl, d, "/api/jobs?JobID=%s&Details=true", page->key, 0)) != FG_OK ||
	    (err = fg_deadline_details(page->fields, &output, answer->data, answer->len, page->key)) != FG_OK ||
	    (err = get_part(answer, curl, d, "/api/tasks?JobID=%s", page->key, 0)) != FG_OK ||
	    (err = fg_deadline_tasks(&page->tasks, &page->count, answer->data, answer->len)) != FG_OK)
		return err;
	find_cause(page, d, curl, answer);
	write_words(page);
	return FG_OK;
}

static void
poll_page(struct fg_deadline *d, struct page *place, CURL *curl, struct fg_buf *answer)
{
	struct page *page = fg_alloc(sizeof(*page));
	enum fg_err  err;

	pthread_mutex_lock(&d->lock);
	memcpy(page->key, place->key, sizeof(page->key));
	memcpy(page->cause_of, place->cause_of, sizeof(page->cause_of));
	memcpy(page->report, place->report, sizeof(page->report));
	page->cause = place->cause;
	pthread_mutex_unlock(&d->lock);
	err = read_page(page, d, curl, answer);
	pthread_mutex_lock(&d->lock);
	place->asked_ms = fg_steady_ms();
	if (place->wanted && strcmp(place->key, page->key) == 0) {
		place->gone = err == FG_ENOTFOUND;
		if (err == FG_OK) {
			free(place->tasks);
			page->again = place->again;
			*place = *page;
			place->wanted = place->fresh = true;
			place->asked_ms = fg_steady_ms();
			page->tasks = NULL;
		}
	}
	pthread_mutex_unlock(&d->lock);
	free(page->tasks);
	free(page);
}

static void
poll_pages(struct fg_deadline *d, CURL *curl, struct fg_buf *answer)
{
	for (int i = 0; i < PAGES; i++) {
		bool due;

		pthread_mutex_lock(&d->lock);
		due = d->pages[i].wanted && fg_steady_ms() - d->pages[i].asked_ms >= PAGE_MS;
		pthread_mutex_unlock(&d->lock);
		if (due)
			poll_page(d, &d->pages[i], curl, answer);
	}
}

/* Until something is wanted or so long. False: it ends. */
static bool
rest(struct fg_deadline *d, int64_t ms)
{
	struct timespec until;
	bool            go_on;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&d->lock);
	if (!d->ending)
		pthread_cond_timedwait(&d->wake, &d->lock, &until);
	go_on = !d->ending;
	pthread_mutex_unlock(&d->lock);
	return go_on;
}

static bool
is_watched(struct fg_deadline *d)
{
	bool watched;

	pthread_mutex_lock(&d->lock);
	watched = d->watched;
	pthread_mutex_unlock(&d->lock);
	return watched;
}

static void *
poller(void *ctx)
{
	struct fg_deadline *d = ctx;
	CURL               *curl = curl_easy_init();
	struct fg_buf       answer = { 0 };
	int64_t             active_ms = 0, rest_ms = 0, back_ms = BACK_FIRST_MS, again_ms = 0;

	while (curl != NULL && rest(d, 100)) {
		if (!is_watched(d) || fg_steady_ms() < again_ms)
			continue;
		if (poll_lists(d, curl, &answer, &active_ms, &rest_ms) == FG_OK) {
			back_ms = BACK_FIRST_MS;
			poll_pages(d, curl, &answer);
			continue;
		}
		lost(d, fg_err_text(FG_EIO));
		again_ms = fg_steady_ms() + back_ms;
		back_ms = back_ms * 2 < BACK_MOST_MS ? back_ms * 2 : BACK_MOST_MS;
	}
	fg_buf_free(&answer);
	curl_easy_cleanup(curl);
	return NULL;
}

/* --- pictures */

static enum fg_err
find_path(char path[2048], struct fg_deadline *d, CURL *curl, struct fg_buf *answer, const struct fg_wish *wish)
{
	char                      fields[FG_ROOM_FIELDS][304];
	struct fg_deadline_output output;
	struct fg_room_task      *tasks = NULL;
	const int64_t             index = wish->task[0] != '\0' && strlen(wish->task) < 9 ? strtoll(wish->task, NULL, 10) : -1;
	int64_t                   frame = -1;
	int                       count = 0;
	enum fg_err               err;

	if ((err = get_part(answer, curl, d, "/api/jobs?JobID=%s&Details=true", wish->job, 0)) != FG_OK ||
	    (err = fg_deadline_details(fields, &output, answer->data, answer->len, wish->job)) != FG_OK ||
	    (err = get_part(answer, curl, d, "/api/tasks?JobID=%s", wish->job, 0)) != FG_OK ||
	    (err = fg_deadline_tasks(&tasks, &count, answer->data, answer->len)) != FG_OK)
		return err;
	if (index < 0 || index >= count || !fg_deadline_frame(&frame, tasks[index].frames))
		err = fg_fail(FG_ENOTFOUND, "There is no such task.");
	free(tasks);
	return err == FG_OK ? fg_deadline_path(path, &output, frame, d->settings.deadline_map) : err;
}

/* The JPEG of a file, made once for the same bytes. */
static enum fg_err
show(struct fg_buf *out, struct fg_deadline *d, int in)
{
	const struct fg_thumb how = { .width = WIDTH };
	char                  hash[33], name[FG_SPOOL_NAME], path[PATH_MAX];
	enum fg_err           err = fg_picture_name(hash, in, &how);

	if (err != FG_OK)
		return err;
	fg_spool_shown(name, hash);
	fg_spool_path(path, &d->spool, name);
	fg_buf_clear(out);
	err = fg_picture_keep(name, &d->spool, in, &how, &d->settings);
	return err == FG_OK ? fg_fs_read(out, path, PICTURE_MOST) : err;
}

static struct fg_message *
paint(struct fg_deadline *d, CURL *curl, struct fg_buf *answer, const struct fg_wish *wish)
{
	char        path[2048];
	int         in = -1;
	enum fg_err err = find_path(path, d, curl, answer, wish);

	if (err == FG_OK && (err = fg_beneath_read(&in, d->settings.deadline_paths, path)) != FG_OK)
		err = fg_fail(err, "%s", err == FG_EFORBIDDEN ? "The picture lies in no folder that may be shown (deadline_paths)." : "Could not find image file.");
	if (err == FG_OK)
		err = show(answer, d, in);
	if (in >= 0)
		close(in);
	return err == FG_OK ? fg_picture_message(wish->task, answer) : fg_no_picture_message(wish->task, fg_err_text(err));
}

static void *
painter(void *ctx)
{
	struct fg_deadline *d = ctx;
	CURL               *curl = curl_easy_init();
	struct fg_buf       answer = { 0 };

	while (curl != NULL && rest(d, 1000))
		for (int i = 0; i < WISHES; i++) {
			struct wish *wish = &d->wishes[i];
			bool         mine;

			pthread_mutex_lock(&d->lock);
			mine = wish->viewer != 0 && !wish->taken;
			wish->taken |= mine;
			pthread_mutex_unlock(&d->lock);
			if (mine) {
				struct fg_message *message = paint(d, curl, &answer, &wish->wish);

				pthread_mutex_lock(&d->lock);
				wish->answer = message;
				pthread_mutex_unlock(&d->lock);
			}
		}
	fg_buf_free(&answer);
	curl_easy_cleanup(curl);
	return NULL;
}

bool
fg_deadline_want(struct fg_deadline *d, uint64_t viewer, const struct fg_wish *wish)
{
	bool room = false;

	pthread_mutex_lock(&d->lock);
	for (int i = 0; i < WISHES && !room; i++)
		if (d->wishes[i].viewer == 0) {
			d->wishes[i] = (struct wish){ .viewer = viewer, .wish = *wish };
			room = true;
		}
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	return room;
}

/* --- the hub's side; the lock is held */

static void
put_unreachable(struct fg_deadline *d, int64_t now_ms)
{
	struct fg_live_job job = { .user = "Farmgate", .going = true, .started_ms = d->lost_ms, .placed_ms = d->lost_ms, .counts = { [FG_FAILED] = 1, [FG_ERRS] = 1 } };

	snprintf(job.key, sizeof(job.key), "%s", unreachable_key);
	snprintf(job.name, sizeof(job.name), "Deadline is not reachable: %.200s", d->why);
	fg_board_foreign_put(&d->hub->board, &job, now_ms);
}

/* Pages that are open stay as they are and say so; when it is back, their own words stand there again. */
static void
tell_pages(struct fg_deadline *d)
{
	char words[500];

	if (d->told_lost != d->reachable)
		return;
	d->told_lost = !d->reachable;
	snprintf(words, sizeof(words), "Deadline is not reachable (%s); what stands here is what it said before. It is asked again all the time.", d->why);
	for (struct fg_hall *hall = d->hub->halls; d->told_lost && hall != NULL; hall = hall->next)
		if (hall->foreign && hall->room.generation > 0)
			fg_words_release(fg_hall_speak(d->hub, hall->room.key, words));
	for (int i = 0; !d->told_lost && i < PAGES; i++)
		d->pages[i].again = d->pages[i].wanted;
}

/* The page of the line that says that the service can't be reached. */
static bool
give_unreachable(struct fg_deadline *d, struct fg_hall *hall)
{
	char fields[FG_ROOM_FIELDS][304] = { { 0 } }, words[500];

	if (strcmp(hall->room.key, unreachable_key) != 0)
		return false;
	if (d->reachable) {
		fg_hall_lose(d->hub, hall);
		return true;
	}
	for (int i = FG_ROOM_COMPLETED; i <= FG_ROOM_ERRORS; i++)
		snprintf(fields[i], sizeof(fields[i]), "%d", i == FG_ROOM_FAILED || i == FG_ROOM_ERRORS);
	snprintf(fields[FG_ROOM_NAME], sizeof(fields[0]), "Deadline is not reachable");
	snprintf(fields[FG_ROOM_USER], sizeof(fields[0]), "Farmgate");
	snprintf(words, sizeof(words), "The Deadline Web Service does not answer: %s. Look whether it runs, and whether deadline_url is its address. It is asked again all the time.", d->why);
	fg_hall_bring(d->hub, hall, fields, NULL, 0, words);
	return true;
}

static void
give_lists(struct fg_deadline *d)
{
	const int64_t now_ms = fg_now_ms();

	fg_board_begin(&d->hub->board);
	fg_board_foreign_begin(&d->hub->board);
	for (size_t i = 0; i < d->rest.count; i++)
		fg_board_foreign_put(&d->hub->board, &d->rest.list[i], now_ms);
	for (size_t i = 0; i < d->active.count; i++)
		fg_board_foreign_put(&d->hub->board, &d->active.list[i], now_ms);
	if (!d->reachable)
		put_unreachable(d, now_ms);
	fg_board_foreign_end(&d->hub->board);
	fg_hub_share(d->hub);
	tell_pages(d);
}

static struct page *
page_of(struct fg_deadline *d, const char *key)
{
	for (int i = 0; i < PAGES; i++)
		if (d->pages[i].key[0] != '\0' && strcmp(d->pages[i].key, key) == 0)
			return &d->pages[i];
	for (int i = 0; i < PAGES; i++)
		if (d->pages[i].key[0] == '\0') {
			snprintf(d->pages[i].key, sizeof(d->pages[i].key), "%s", key);
			return &d->pages[i];
		}
	return NULL;
}

/* The rules' words stand there; the model's follow. */
static void
ask_model(struct fg_llm *llm, const struct page *page)
{
	int64_t             numbers[FG_ROOM_FIELDS] = { 0 };
	struct fg_llm_state state;

	for (int i = FG_ROOM_COMPLETED; i <= FG_ROOM_ERRORS; i++)
		numbers[i] = strtoll(page->fields[i], NULL, 10);
	state.over = numbers[FG_ROOM_COMPLETED] >= page->count;
	state.going = numbers[FG_ROOM_COMPLETED] + numbers[FG_ROOM_FAILED] + numbers[FG_ROOM_SUSPENDED] < page->count;
	state.errors = numbers[FG_ROOM_ERRORS] + numbers[FG_ROOM_FAILED] > 0;
	state.any_done = numbers[FG_ROOM_COMPLETED] > 0;
	fg_llm_want_other(llm, page->key, &state, page->words, page->fields[FG_ROOM_USER], state.errors ? page->report : "");
}

/* Which pages are looked at now; what came for them goes there. */
static void
give_pages(struct fg_deadline *d)
{
	for (int i = 0; i < PAGES; i++)
		d->pages[i].wanted = false;
	for (struct fg_hall *hall = d->hub->halls; hall != NULL; hall = hall->next) {
		struct page *page;
		bool         spoke;

		if (!hall->foreign || hall->gone || give_unreachable(d, hall) || (page = page_of(d, hall->room.key)) == NULL)
			continue;
		page->wanted = true;
		if (page->gone && fg_board_find(&d->hub->board, page->key) == NULL)
			fg_hall_lose(d->hub, hall);
		if (!page->fresh && (hall->room.generation > 0 || page->count == 0))
			continue;
		page->fresh = false;
		spoke = fg_hall_bring(d->hub, hall, page->fields, page->tasks, page->count, page->words);
		page->tasks = NULL;
		if (page->again)
			fg_words_release(fg_hall_speak(d->hub, page->key, page->words));
		if ((spoke || page->again) && d->hub->llm != NULL)
			ask_model(d->hub->llm, page);
		page->again = false;
		page->count = 0;
	}
	for (int i = 0; i < PAGES; i++)
		if (!d->pages[i].wanted) {
			free(d->pages[i].tasks);
			d->pages[i] = (struct page){ .wanted = false };
		}
}

static void
give_pictures(struct fg_deadline *d)
{
	for (int i = 0; i < WISHES; i++)
		if (d->wishes[i].answer != NULL) {
			fg_viewer_answer(d->hub, d->wishes[i].viewer, d->wishes[i].answer);
			d->wishes[i] = (struct wish){ .viewer = 0 };
		}
}

void
fg_deadline_round(struct fg_deadline *d)
{
	pthread_mutex_lock(&d->lock);
	if (!d->watched && d->hub->nviewers > 0)
		pthread_cond_broadcast(&d->wake);
	d->watched = d->hub->nviewers > 0;
	if (d->fresh) {
		d->fresh = false;
		give_lists(d);
	}
	give_pages(d);
	give_pictures(d);
	pthread_mutex_unlock(&d->lock);
}

enum fg_err
fg_deadline_start(struct fg_deadline **out, struct fg_hub *hub, const char *url)
{
	struct fg_deadline *d = fg_alloc(sizeof(*d));

	d->hub = hub;
	d->settings = hub->farm->settings;
	d->spool = hub->farm->spool;
	d->reachable = true;
	snprintf(d->url, sizeof(d->url), "%s", url);
	while (d->url[0] != '\0' && d->url[strlen(d->url) - 1] == '/')
		d->url[strlen(d->url) - 1] = '\0';
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	curl_global_init(CURL_GLOBAL_ALL);
	if (pthread_create(&d->poller, NULL, poller, d) != 0 || pthread_create(&d->painter, NULL, painter, d) != 0)
		return fg_fail(FG_EIO, "could not start a thread"); /* the program ends */
	*out = hub->deadline = d;
	fg_log(FG_LOG_INFO, "deadline.asked", "url=%s", fg_log_quote(d->url).text);
	return FG_OK;
}

void
fg_deadline_stop(struct fg_deadline *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->ending = true;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->poller, NULL);
	pthread_join(d->painter, NULL);
	free(d->active.list);
	free(d->rest.list);
	for (int i = 0; i < PAGES; i++)
		free(d->pages[i].tasks);
	for (int i = 0; i < WISHES; i++)
		fg_message_release(d->wishes[i].answer);
	free(d);
}
