#include "live_dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libwebsockets.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "live/relay.h"
#include "live_door.h"

enum { ROUND_US = 20000, IDLE_US = 250000, FIRST_MS = 500, MOST_MS = 60000, STEADY_MS = 10000, PING_S = 20, HANGUP_S = 50, TOKEN = 64, TOKEN_FILE_MOST = 4096,
	CONNECT_S = 20 };

/** A viewer at the portal. */
struct seat {
	struct fg_dial    *dial;
	uint32_t           number; /* 0: free */
	struct fg_viewer  *viewer; /* NULL: is to be sent away */
	struct fg_message *message; /* on its way */
	size_t             at;
	int                credit; /* pieces that may be sent */
};

struct fg_dial {
	struct lws_context    *context;
	struct lws            *wsi; /* NULL: no connection, and none being made */
	struct fg_hub         *hub;
	lws_sorted_usec_list_t rounds, redial;
	char                   host[256], path[256], token_file[PATH_MAX], token[TOKEN + 1];
	int                    port, count, turn;
	bool                   tls, up, ending;
	int64_t                wait_ms, up_ms;
	struct fg_buf          heard;
	struct seat            seats[FG_RELAY_SEATS];
};

/* --- viewers */

static void
kick(struct fg_viewer *viewer)
{
	const struct seat *seat = viewer->link;

	if (seat->dial->wsi != NULL)
		lws_callback_on_writable(seat->dial->wsi);
}

static void
free_seat(struct seat *seat)
{
	if (seat->viewer != NULL)
		fg_viewer_leave(seat->viewer);
	fg_message_release(seat->message);
	seat->dial->count -= seat->number != 0;
	*seat = (struct seat){ .dial = seat->dial };
}

static struct seat *
seat_of(struct fg_dial *dial, uint32_t number)
{
	for (int i = 0; i < FG_RELAY_SEATS; i++)
		if (dial->seats[i].number == number)
			return &dial->seats[i];
	return NULL;
}

/* The portal has no more seats than we. */
static bool
open_seat(struct fg_dial *dial, uint32_t number)
{
	struct seat *seat = seat_of(dial, 0);

	if (seat == NULL || seat_of(dial, number) != NULL)
		return false;
	seat->number = number;
	seat->credit = FG_RELAY_WINDOW;
	seat->viewer = fg_viewer_join(dial->hub, FG_VIEWER_APP, 0, kick, seat);
	dial->count++;
	return true;
}

static bool
obey(struct fg_dial *dial, const struct fg_relay_frame *frame)
{
	struct seat *seat = seat_of(dial, frame->viewer);

	if (frame->kind == FG_RELAY_OPEN)
		return open_seat(dial, frame->viewer);
	if (seat == NULL)
		return true; /* was sent away */
	if (frame->kind == FG_RELAY_CLOSE) {
		free_seat(seat);
	} else if (frame->kind == FG_RELAY_NEXT) {
		if (++seat->credit > FG_RELAY_WINDOW)
			return false;
		lws_callback_on_writable(dial->wsi);
	} else if (seat->viewer != NULL && !fg_viewer_hear(seat->viewer, frame->bytes, frame->len)) {
		fg_viewer_leave(seat->viewer);
		seat->viewer = NULL;
		lws_callback_on_writable(dial->wsi);
	}
	return true;
}

static int
hear(struct fg_dial *dial, const char *bytes, size_t len)
{
	struct fg_relay_frame frame;
	bool                  fine;

	if (dial->heard.len + len > FG_RELAY_HEAD + FG_WISH_MAX)
		return -1;
	fg_buf_add(&dial->heard, bytes, len);
	if (!lws_is_final_fragment(dial->wsi) || lws_remaining_packet_payload(dial->wsi) > 0)
		return 0;
	fine = fg_relay_read(&frame, fg_buf_text(&dial->heard), dial->heard.len, false) && obey(dial, &frame);
	fg_buf_clear(&dial->heard);
	return fine ? 0 : -1;
}

/* --- out: one message a time, everybody in turn */

static int
send_frame(struct fg_dial *dial, enum fg_relay_kind kind, uint32_t viewer, const char *bytes, size_t len)
{
	unsigned char out[LWS_PRE + FG_RELAY_HEAD + FG_RELAY_PIECE];

	fg_relay_head(out + LWS_PRE, kind, viewer);
	memcpy(out + LWS_PRE + FG_RELAY_HEAD, bytes, len);
	return lws_write(dial->wsi, out + LWS_PRE, FG_RELAY_HEAD + len, LWS_WRITE_BINARY) < 0 ? -1 : 0;
}

static int
send_piece(struct fg_dial *dial, struct seat *seat)
{
	struct fg_message *message = seat->message;
	const size_t       left = message->len - seat->at, len = left < FG_RELAY_PIECE ? left : FG_RELAY_PIECE;
	const int          err = send_frame(dial, len == left ? FG_RELAY_LAST : FG_RELAY_PART, seat->number, message->bytes + FG_HUB_HEAD + seat->at, len);

	seat->at += len;
	seat->credit--;
	if (len == left) {
		fg_message_release(message);
		seat->message = NULL;
	}
	return err;
}

static int
speak(struct fg_dial *dial)
{
	for (int i = 0; i < FG_RELAY_SEATS; i++) {
		struct seat *seat = &dial->seats[(dial->turn + i) % FG_RELAY_SEATS];
		int          err;

		if (seat->number == 0)
			continue;
		if (seat->viewer != NULL && seat->message == NULL && seat->credit > 0 && (seat->message = fg_viewer_next(seat->viewer)) != NULL)
			seat->at = 0;
		if (seat->viewer == NULL) {
			err = send_frame(dial, FG_RELAY_CLOSE, seat->number, "", 0);
			free_seat(seat);
		} else if (seat->message != NULL && seat->credit > 0) {
			err = send_piece(dial, seat);
		} else {
			continue;
		}
		dial->turn = (dial->turn + i + 1) % FG_RELAY_SEATS;
		lws_callback_on_writable(dial->wsi);
		return err;
	}
	return 0;
}

/* --- the connection */

static void dial_out(lws_sorted_usec_list_t *timer);

static void
dial_later(struct fg_dial *dial)
{
	const int64_t wait_ms = dial->wait_ms / 2 + fg_random_below((uint32_t)dial->wait_ms);

	dial->wait_ms = dial->wait_ms * 2 < MOST_MS ? dial->wait_ms * 2 : MOST_MS;
	lws_sul_schedule(dial->context, 0, &dial->redial, dial_out, wait_ms * LWS_US_PER_MS);
}

static void
lost(struct fg_dial *dial, const char *why)
{
	fg_log(FG_LOG_WARN, "relay.lost", "host=%s why=%s", dial->host, fg_log_quote(why).text);
	for (int i = 0; i < FG_RELAY_SEATS; i++)
		free_seat(&dial->seats[i]);
	fg_buf_clear(&dial->heard);
	if (dial->up && fg_steady_ms() - dial->up_ms >= STEADY_MS)
		dial->wait_ms = FIRST_MS;
	dial->wsi = NULL;
	dial->up = false;
	if (!dial->ending)
		dial_later(dial);
}

static enum fg_err
read_token(struct fg_dial *dial)
{
	struct fg_buf text = { 0 };
	enum fg_err   err = fg_fs_read(&text, dial->token_file, TOKEN_FILE_MOST);
	const char   *at = fg_buf_text(&text) + strspn(fg_buf_text(&text), " \t\r\n");

	if (err == FG_OK && strspn(at, "0123456789abcdef") != TOKEN)
		err = fg_fail(FG_EINVAL, "there is no API token");
	else if (err == FG_OK)
		memcpy(dial->token, at, TOKEN);
	if (text.len > 0)
		memset(text.data, 0, text.len);
	fg_buf_free(&text);
	return err;
}

static void
dial_out(lws_sorted_usec_list_t *timer)
{
	static const lws_retry_bo_t alive = { .secs_since_valid_ping = PING_S, .secs_since_valid_hangup = HANGUP_S };
	struct fg_dial             *dial = lws_container_of(timer, struct fg_dial, redial);
	struct lws_client_connect_info info = { .context = dial->context, .address = dial->host, .host = dial->host, .port = dial->port, .path = dial->path,
		                                .ssl_connection = dial->tls ? LCCSCF_USE_SSL : 0, .protocol = NULL, .local_protocol_name = "farmgate-relay",
		                                .alpn = "http/1.1", .retry_and_idle_policy = &alive };
	enum fg_err err = read_token(dial);

	if (err != FG_OK) {
		lost(dial, fg_err_text(err));
		return;
	}
	info.pwsi = &dial->wsi;
	if (lws_client_connect_via_info(&info) == NULL && dial->wsi == NULL && lws_dll2_is_detached(&dial->redial.list))
		lost(dial, "could not be dialled");
}

static int
add_token(struct fg_dial *dial, struct lws *wsi, unsigned char **at, size_t room)
{
	char text[TOKEN + 16];

	snprintf(text, sizeof(text), "Bearer %s", dial->token);
	return lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, (unsigned char *)text, (int)strlen(text), at, *at + room);
}

static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct fg_dial *dial = lws_context_user(lws_get_context(wsi));

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return add_token(dial, wsi, in, len) != 0 ? -1 : 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		dial->wsi = wsi;
		dial->up = true;
		dial->up_ms = fg_steady_ms();
		fg_log(FG_LOG_INFO, "relay.up", "host=%s", dial->host);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return hear(dial, in, len);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return speak(dial);
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		lost(dial, in != NULL ? in : "no connection");
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		lost(dial, "closed");
		return 0;
	default:
		return 0;
	}
}

static void
turn(lws_sorted_usec_list_t *timer)
{
	struct fg_dial *dial = lws_container_of(timer, struct fg_dial, rounds);

	fg_door_turn(dial->hub);
	lws_sul_schedule(dial->context, 0, &dial->rounds, turn, dial->count > 0 ? ROUND_US : IDLE_US);
}

/* --- begin and end */

static bool
is_here(const char *host)
{
	return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

static enum fg_err
read_url(struct fg_dial *dial, const char *url)
{
	char        text[512];
	const char *scheme, *host, *path;

	if (snprintf(text, sizeof(text), "%s", url) >= (int)sizeof(text) || lws_parse_uri(text, &scheme, &host, &dial->port, &path) != 0)
		return fg_fail(FG_EINVAL, "--relay wants wss://HOST/relay");
	dial->tls = strcmp(scheme, "wss") == 0;
	if (!dial->tls && (strcmp(scheme, "ws") != 0 || !is_here(host)))
		return fg_fail(FG_EINVAL, "--relay wants wss://HOST/relay: the token must not go in the open");
	if (dial->port == 0)
		dial->port = dial->tls ? 443 : 80;
	snprintf(dial->host, sizeof(dial->host), "%s", host);
	snprintf(dial->path, sizeof(dial->path), "/%s", path[0] == '/' ? path + 1 : path);
	return FG_OK;
}

enum fg_err
fg_dial_open(struct fg_dial **out, struct fg_hub *hub, const char *url, const char *token_file, const char *ca_file)
{
	static const struct lws_protocols protocols[] = { { .name = "farmgate-relay", .callback = on_event, .rx_buffer_size = FG_WISH_MAX }, { .name = NULL } };
	struct fg_dial                   *dial = fg_alloc(sizeof(*dial));
	struct lws_context_creation_info  info = { .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .gid = (gid_t)-1, .uid = (uid_t)-1, .user = dial,
		                                   .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT, .client_ssl_ca_filepath = ca_file, .connect_timeout_secs = CONNECT_S };
	enum fg_err                       err;

	*dial = (struct fg_dial){ .hub = hub, .wait_ms = FIRST_MS };
	for (int i = 0; i < FG_RELAY_SEATS; i++)
		dial->seats[i].dial = dial;
	snprintf(dial->token_file, sizeof(dial->token_file), "%s", token_file);
	lws_set_log_level(LLL_ERR | LLL_WARN, fg_door_log);
	if ((err = read_url(dial, url)) == FG_OK && (err = read_token(dial)) != FG_OK)
		err = fg_fail(err, "could not read an API token from %s", token_file);
	if (err == FG_OK && ca_file != NULL && fg_fs_size(ca_file) <= 0)
		err = fg_fail(FG_EINVAL, "could not read %s", ca_file);
	if (err == FG_OK && (dial->context = lws_create_context(&info)) == NULL)
		err = fg_fail(FG_EIO, "could not begin to dial out");
	if (err != FG_OK)
		free(dial);
	else
		*out = dial;
	return err;
}

void
fg_dial_serve(struct fg_dial *dial, volatile const int *ending)
{
	turn(&dial->rounds);
	dial_out(&dial->redial);
	while (!*ending && !dial->hub->anew && lws_service(dial->context, 0) >= 0)
		continue;
}

void
fg_dial_wake(struct fg_dial *dial)
{
	lws_cancel_service(dial->context);
}

void
fg_dial_close(struct fg_dial *dial)
{
	if (dial == NULL)
		return;
	dial->ending = true;
	lws_context_destroy(dial->context);
	for (int i = 0; i < FG_RELAY_SEATS; i++)
		free_seat(&dial->seats[i]);
	fg_buf_free(&dial->heard);
	free(dial);
}
