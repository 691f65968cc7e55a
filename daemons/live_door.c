#include "live_door.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/log.h"
#include "base/time.h"
#include "farm/user.h"
#include "live_deadline.h"
#include "live_guest.h"
#include "live_llm.h"
#include "live_relay.h"

_Static_assert(FG_HUB_HEAD >= LWS_PRE, "a frame's header has its room before the text");

enum { ROUND_US = 20000, IDLE_US = 250000, CHECK_MS = 30000, RELAY_CHECK_MS = 3000, WAIT_MOST_S = 300, PING_S = 20, HANGUP_S = 50, HEADERS = 16384, SHARED_LEAST = 64 };

/** One connection. */
struct fg_link {
	struct fg_link   *next, *prev;
	struct fg_door   *door;
	struct lws       *wsi;
	struct fg_guest   guest;
	struct fg_viewer *viewer; /**< this one, or */
	struct fg_seat   *seat;   /**< this one; neither: a farm that has dialled in */
	char              home[128]; /**< of which account, for a seat and a farm */
	char              address[64]; /**< from where; as far as it tells people apart */
	struct fg_buf     heard; /**< frames of a message so far */
	bool              web, deaf; /**< web: a WebSocket; deaf: it is to be closed */
	int64_t           checked_ms, until_ms; /**< until: a worker's wait ends */
};

struct fg_door {
	struct lws_context    *context;
	struct fg_hub         *hub;
	struct fg_link        *links;
	struct fg_relays       relays;
	struct fg_buf          frame; /**< the last one that went to a farm that dialled in */
	int                    count;
	lws_sorted_usec_list_t timer;
	char                   path[512];
};

/* --- who knocks */

static void
header(char *out, size_t size, struct lws *wsi, enum lws_token_indexes token)
{
	if (lws_hdr_copy(wsi, out, (int)size, token) < 0)
		out[0] = '\0';
}

static void
read_knock(struct fg_knock *out, struct lws *wsi)
{
	char        forwarded[512];
	const char *last;

	header(out->cookie, sizeof(out->cookie), wsi, WSI_TOKEN_HTTP_COOKIE);
	header(out->authorization, sizeof(out->authorization), wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
	header(out->origin, sizeof(out->origin), wsi, WSI_TOKEN_ORIGIN);
	header(out->host, sizeof(out->host), wsi, WSI_TOKEN_HOST);
	header(forwarded, sizeof(forwarded), wsi, WSI_TOKEN_X_FORWARDED_FOR);
	last = strrchr(forwarded, ',');
	last = last != NULL ? last + 1 : forwarded;
	snprintf(out->address, sizeof(out->address), "%.63s", last + strspn(last, " "));
}

static int64_t
number_of(struct lws *wsi, const char *name, int64_t fallback)
{
	char        text[32];
	const char *value = lws_get_urlarg_by_name(wsi, name, text, sizeof(text));
	char       *end;
	int64_t     number;

	if (value == NULL || *value < '0' || *value > '9')
		return fallback;
	number = strtoll(value, &end, 10);
	return *end == '\0' && number < INT64_MAX / 2 ? number : fallback;
}

/* --- connections */

static void
kick(struct fg_viewer *viewer)
{
	lws_callback_on_writable(((struct fg_link *)viewer->link)->wsi);
}

static void
kick_link(void *link)
{
	lws_callback_on_writable(((struct fg_link *)link)->wsi);
}

/* One IPv6 network has one address. */
static void
note_address(char out[64], const char *address)
{
	unsigned char bytes[16];

	snprintf(out, 64, "%s", address);
	if (inet_pton(AF_INET6, address, bytes) == 1)
		snprintf(out, 64, "%02x%02x:%02x%02x:%02x%02x:%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
}

static struct fg_link *
add_bare_link(struct fg_door *door, struct lws *wsi, const struct fg_guest *guest, const char *address)
{
	struct fg_link *link = fg_alloc(sizeof(*link));

	*link = (struct fg_link){ .door = door, .wsi = wsi, .guest = *guest, .next = door->links, .web = true, .checked_ms = fg_steady_ms() };
	note_address(link->address, address);
	if (door->links != NULL)
		door->links->prev = link;
	door->links = link;
	door->count++;
	lws_set_opaque_user_data(wsi, link);
	return link;
}

static struct fg_link *
add_link(struct fg_door *door, struct lws *wsi, const struct fg_guest *guest, enum fg_viewer_kind kind, const char *address)
{
	struct fg_link *link = add_bare_link(door, wsi, guest, address);

	link->web = kind != FG_VIEWER_WORK;
	link->viewer = fg_viewer_join(door->hub, kind, guest->user, kick, link);
	return link;
}

static void
drop_link(struct lws *wsi)
{
	struct fg_link *link = lws_get_opaque_user_data(wsi);

	if (link == NULL)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	if (link->viewer != NULL)
		fg_viewer_leave(link->viewer);
	else if (link->seat != NULL)
		fg_seat_leave(&link->door->relays, link->seat);
	else if (fg_relay_of(&link->door->relays, link) != NULL)
		fg_relay_close(&link->door->relays, fg_relay_of(&link->door->relays, link));
	fg_buf_free(&link->heard);
	if (link->prev != NULL)
		link->prev->next = link->next;
	else
		link->door->links = link->next;
	if (link->next != NULL)
		link->next->prev = link->prev;
	link->door->count--;
	free(link);
}

static int
refuse(struct lws *wsi, int status)
{
	fg_log(FG_LOG_INFO, "live.refused", "status=%d", status);
	lws_return_http_status(wsi, (unsigned)status, NULL);
	return 1;
}

/* All of them are there, or a quarter from this address. A machine of the farm that waits for work is not counted so: many of them share one. */
static bool
is_full(const struct fg_door *door, const char *address)
{
	const int64_t most = door->hub->farm->settings.live_connections;
	int64_t       same = 0;
	char          own[64];

	if (address == NULL || door->count < most / 4 || most < SHARED_LEAST)
		return door->count >= most;
	note_address(own, address);
	for (const struct fg_link *link = door->links; link != NULL; link = link->next)
		same += link->web && strcmp(link->address, own) == 0;
	return door->count >= most || same >= most / 4;
}

/* A farm at home dials in. */
static int
open_relay(struct fg_door *door, struct lws *wsi, const struct fg_knock *knock)
{
	struct fg_guest guest;
	struct fg_link *link;
	char            name[128];
	enum fg_err     err = fg_guest_relay(&guest, name, door->hub->farm, knock, fg_now_ms());

	if (err != FG_OK)
		return refuse(wsi, fg_err_http(err));
	link = add_bare_link(door, wsi, &guest, knock->address);
	memcpy(link->home, name, sizeof(name));
	if (fg_relay_open(&door->relays, name, guest.user, link) != NULL)
		return 0;
	drop_link(wsi);
	return refuse(wsi, 503);
}

/* A viewer of one. Who may not look doesn't learn whether there is such a farm. */
static int
take_seat(struct fg_door *door, struct lws *wsi, const struct fg_guest *guest, const char *home, const char *address)
{
	struct fg_relay *relay = fg_relay_find(&door->relays, home);
	struct fg_user   owner;
	struct fg_link  *link;

	if (fg_user_find(&owner, door->hub->farm->db, home) != FG_OK || !fg_guest_may_relay(guest, door->hub->farm, owner.id))
		return refuse(wsi, 403);
	if (relay == NULL)
		return refuse(wsi, 503);
	link = add_bare_link(door, wsi, guest, address);
	snprintf(link->home, sizeof(link->home), "%.127s", home);
	if ((link->seat = fg_seat_take(relay, door->hub->farm->settings.live_message_rate, link)) == NULL) {
		drop_link(wsi);
		return refuse(wsi, 503);
	}
	kick_link(relay->link);
	return 0;
}

/* Whose farm is asked for; "" ours. */
static const char *
home_of(const struct fg_door *door, const char *path)
{
	if (strncmp(path, "/relay/", 7) == 0)
		return path + 7;
	return strcmp(path, "/events") == 0 ? "" : door->hub->farm->settings.live_relay;
}

/* An upgrade is asked for: 0 makes it. */
static int
upgrade(struct fg_door *door, struct lws *wsi)
{
	struct fg_knock knock;
	struct fg_guest guest;
	struct fg_link *link;
	char            path[256];
	enum fg_err     err;
	bool            feed;

	header(path, sizeof(path), wsi, WSI_TOKEN_GET_URI);
	read_knock(&knock, wsi);
	if (is_full(door, knock.address))
		return refuse(wsi, 503);
	if (strcmp(path, "/relay") == 0)
		return open_relay(door, wsi, &knock);
	if ((err = fg_guest_find(&guest, door->hub->farm, &knock, fg_now_ms())) != FG_OK)
		return refuse(wsi, fg_err_http(err));
	if (home_of(door, path)[0] != '\0')
		return take_seat(door, wsi, &guest, home_of(door, path), knock.address);
	feed = strcmp(path, "/events") == 0;
	link = add_link(door, wsi, &guest, feed ? FG_VIEWER_FEED : FG_VIEWER_APP, knock.address);
	link->viewer->after = number_of(wsi, "after=", -1);
	link->viewer->project = number_of(wsi, "project=", 0);
	link->viewer->owes_feed = feed;
	link->viewer->wonders = feed && link->viewer->project > 0;
	return 0;
}

/* A whole message. */
static bool
take_message(struct fg_link *link)
{
	struct fg_door  *door = link->door;
	struct fg_relay *relay = fg_relay_of(&door->relays, link);
	const char      *text = fg_buf_text(&link->heard);

	if (link->viewer != NULL)
		return fg_viewer_hear(link->viewer, text, link->heard.len);
	if (link->seat != NULL)
		return fg_seat_hear(&door->relays, link->seat, text, link->heard.len, door->hub->farm->settings.live_message_rate);
	return relay != NULL && fg_relay_hear(&door->relays, relay, text, link->heard.len);
}

static int
hear(struct fg_link *link, const char *bytes, size_t len)
{
	const bool  home = link->viewer == NULL && link->seat == NULL;
	struct lws *wsi = link->wsi;
	bool        fine;

	if ((bool)lws_frame_is_binary(wsi) != home || link->heard.len + len > (home ? FG_RELAY_HEAD + FG_RELAY_PIECE : FG_WISH_MAX)) {
		lws_close_reason(wsi, (bool)lws_frame_is_binary(wsi) != home ? LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE : LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
		return -1;
	}
	fg_buf_add(&link->heard, bytes, len);
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0)
		return 0;
	fine = take_message(link);
	fg_buf_clear(&link->heard);
	if (fine)
		return 0;
	lws_close_reason(wsi, LWS_CLOSE_STATUS_POLICY_VIOLATION, NULL, 0);
	return -1;
}

/* To a farm that dialled in. */
static int
speak_home(struct fg_link *link)
{
	struct fg_relay *relay = fg_relay_of(&link->door->relays, link);
	struct fg_buf   *frame = &link->door->frame;
	unsigned char    out[LWS_PRE + FG_RELAY_HEAD + FG_WISH_MAX];

	if (relay == NULL)
		return -1;
	if (!fg_relay_next(frame, relay))
		return 0;
	memcpy(out + LWS_PRE, frame->data, frame->len);
	if (lws_write(link->wsi, out + LWS_PRE, frame->len, LWS_WRITE_BINARY) < 0)
		return -1;
	lws_callback_on_writable(link->wsi);
	return 0;
}

static int
say_goodbye(struct fg_link *link, enum lws_close_status why)
{
	lws_close_reason(link->wsi, why, NULL, 0);
	return -1;
}

static int
speak(struct fg_link *link)
{
	bool               first = true, last = true;
	struct fg_message *message;
	int                sent;

	if (link->deaf)
		return say_goodbye(link, LWS_CLOSE_STATUS_POLICY_VIOLATION);
	if (link->viewer == NULL && link->seat == NULL)
		return speak_home(link);
	message = link->viewer != NULL ? fg_viewer_next(link->viewer) : fg_seat_next(&link->door->relays, link->seat, &first, &last);
	if (message == NULL && link->seat != NULL && (link->seat->relay == NULL || link->seat->over))
		return say_goodbye(link, link->seat->over ? LWS_CLOSE_STATUS_POLICY_VIOLATION : LWS_CLOSE_STATUS_GOINGAWAY);
	if (message == NULL)
		return 0;
	sent = lws_write(link->wsi, (unsigned char *)message->bytes + FG_HUB_HEAD, message->len,
	                 (enum lws_write_protocol)((first ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION) | (last ? 0 : LWS_WRITE_NO_FIN)));
	fg_message_release(message);
	if (sent < 0)
		return -1;
	lws_callback_on_writable(link->wsi);
	return 0;
}

/* --- a worker waits: a plain GET whose answer comes when there may be work, or its time is over */

static int
begin_wait(struct fg_door *door, struct lws *wsi, const char *path)
{
	struct fg_knock knock;
	struct fg_guest guest;
	struct fg_link *link;
	int64_t         seconds;

	read_knock(&knock, wsi);
	if (strcmp(path, "/live/work") != 0)
		return refuse(wsi, 404);
	if (is_full(door, NULL))
		return refuse(wsi, 503);
	if (fg_guest_worker(&guest, door->hub->farm, &knock, fg_now_ms()) != FG_OK)
		return refuse(wsi, 401);
	seconds = number_of(wsi, "seconds=", 30);
	seconds = seconds > WAIT_MOST_S ? WAIT_MOST_S : seconds;
	link = add_link(door, wsi, &guest, FG_VIEWER_WORK, knock.address);
	link->until_ms = fg_steady_ms() + seconds * 1000;
	fg_hub_fresh(door->hub);
	link->viewer->work = number_of(wsi, "seen=", INT64_MAX) < door->hub->work;
	if (link->viewer->work || seconds == 0)
		lws_callback_on_writable(wsi);
	lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, (int)seconds + 10);
	return 0;
}

static int
end_wait(struct fg_link *link)
{
	unsigned char  head[LWS_PRE + 512], *at = head + LWS_PRE, *end = head + sizeof(head) - 1;
	struct lws    *wsi = link->wsi;
	char           body[40];
	unsigned char  text[LWS_PRE + sizeof(body)];

	snprintf(body, sizeof(body), "%s %" PRId64 "\n", link->viewer->work ? "work" : "none", link->door->hub->work);

	if (lws_add_http_common_headers(wsi, HTTP_STATUS_OK, "text/plain", strlen(body), &at, end) != 0 ||
	    lws_finalize_write_http_header(wsi, head + LWS_PRE, &at, end) != 0)
		return -1;
	memcpy(text + LWS_PRE, body, strlen(body));
	lws_write(wsi, text + LWS_PRE, strlen(body), LWS_WRITE_HTTP_FINAL);
	drop_link(wsi);
	return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
}

/* --- the loop */

/* May this one still be here? */
static bool
is_welcome(const struct fg_link *link)
{
	struct fg_farm *farm = link->door->hub->farm;
	struct fg_user  owner;

	if (!fg_guest_welcome(&link->guest, farm, fg_now_ms()))
		return false;
	return link->seat == NULL || (fg_user_find(&owner, farm->db, link->home) == FG_OK && fg_guest_may_relay(&link->guest, farm, owner.id));
}

static void
check_links(struct fg_door *door)
{
	const int64_t now_ms = fg_steady_ms();

	for (struct fg_link *link = door->links; link != NULL; link = link->next) {
		if (!link->web && now_ms >= link->until_ms) {
			lws_callback_on_writable(link->wsi);
		} else if (link->web && !link->deaf && now_ms - link->checked_ms >= (link->viewer == NULL && link->seat == NULL ? RELAY_CHECK_MS : CHECK_MS)) {
			link->checked_ms = now_ms;
			link->deaf = !is_welcome(link);
			if (link->deaf)
				lws_callback_on_writable(link->wsi);
		}
	}
}

void
fg_door_turn(struct fg_hub *hub)
{
	fg_farm_refresh(hub->farm, fg_now_ms());
	hub->anew = hub->anew || (hub->outdated != NULL && hub->outdated(hub));
	fg_hub_round(hub);
	if (hub->deadline != NULL)
		fg_deadline_round(hub->deadline);
	if (hub->llm != NULL)
		fg_llm_round(hub->llm);
}

static void
tick(lws_sorted_usec_list_t *timer)
{
	struct fg_door *door = lws_container_of(timer, struct fg_door, timer);

	fg_door_turn(door->hub);
	check_links(door);
	lws_sul_schedule(door->context, 0, &door->timer, tick, door->count > 0 ? ROUND_US : IDLE_US);
}

static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct fg_door *door = lws_context_user(lws_get_context(wsi));
	struct fg_link *link;

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return strcmp(in, "websocket") == 0 ? upgrade(door, wsi) : refuse(wsi, 400);
	case LWS_CALLBACK_HTTP:
		return begin_wait(door, wsi, in);
	case LWS_CALLBACK_ESTABLISHED:
		lws_callback_on_writable(wsi);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		link = lws_get_opaque_user_data(wsi);
		return link != NULL ? hear(link, in, len) : -1;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		link = lws_get_opaque_user_data(wsi);
		return link != NULL ? speak(link) : -1;
	case LWS_CALLBACK_HTTP_WRITEABLE:
		link = lws_get_opaque_user_data(wsi);
		return link != NULL && (link->viewer->work || fg_steady_ms() >= link->until_ms) ? end_wait(link) : 0;
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		drop_link(wsi);
		return 0;
	default:
		return 0;
	}
}

void
fg_door_log(int level, const char *line)
{
	fg_log((level & LLL_ERR) != 0 ? FG_LOG_ERROR : FG_LOG_WARN, "live.websocket", "what=%s", fg_log_quote(line).text);
}

enum fg_err
fg_door_open(struct fg_door **out, struct fg_hub *hub)
{
	static const struct lws_protocols protocols[] = { { .name = "farmgate", .callback = on_event, .rx_buffer_size = FG_WISH_MAX }, { .name = NULL } };
	static const lws_retry_bo_t       alive = { .secs_since_valid_ping = PING_S, .secs_since_valid_hangup = HANGUP_S };
	struct fg_door                   *door = fg_alloc(sizeof(*door));
	struct lws_context_creation_info  info = { .port = 0, .protocols = protocols, .retry_and_idle_policy = &alive, .max_http_header_data = HEADERS,
		                                   .gid = (gid_t)-1, .uid = (uid_t)-1, .user = door };

	door->hub = hub;
	door->relays.kick = kick_link;
	if (snprintf(door->path, sizeof(door->path), "%s/live.sock", hub->farm->settings.run_dir) >= 108)
		return free(door), fg_fail(FG_EINVAL, "the path of run_dir is too long for a socket");
	unlink(door->path);
	info.iface = door->path;
	info.options = LWS_SERVER_OPTION_UNIX_SOCK;
	lws_set_log_level(LLL_ERR | LLL_WARN, fg_door_log);
	if ((door->context = lws_create_context(&info)) == NULL)
		return free(door), fg_fail(FG_EIO, "could not listen on %s/live.sock", hub->farm->settings.run_dir);
	chmod(door->path, 0660);
	*out = door;
	return FG_OK;
}

void
fg_door_serve(struct fg_door *door, volatile const int *ending)
{
	tick(&door->timer);
	while (!*ending && !door->hub->anew && lws_service(door->context, 0) >= 0)
		continue;
}

void
fg_door_wake(struct fg_door *door)
{
	lws_cancel_service(door->context);
}

void
fg_door_close(struct fg_door *door)
{
	if (door == NULL)
		return;
	lws_sul_cancel(&door->timer);
	lws_context_destroy(door->context);
	unlink(door->path);
	fg_buf_free(&door->frame);
	free(door);
}
