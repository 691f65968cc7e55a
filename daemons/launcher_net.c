/* launcher_net: HTTP/1.1, WebSocket and Engine.IO connections. What is told to all is written once and shared by all who listen. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "farm/login.h"
#include "farm/scope.h"
#include "launch/head.h"
#include "launch/jsontext.h"
#include "launch/socketio.h"
#include "launch/websocket.h"
#include "launcher.h"

enum {
	CONNS_MAX = 1024, SESSIONS_MAX = 1024, BACKLOG_BYTES = 32 << 20, READ_STEP = 65536, PING_INTERVAL_MS = 25000, PING_TIMEOUT_MS = 20000,
	CONNS_OF_ONE = 256, SESSIONS_OF_ONE = 256, KEPT_BYTES = 256 << 20, IDLE_MS = 60000, PAYLOAD_MAX = 1000000, SEPARATOR = 0x1e, GONE_MAX = 32, CONTROL_BYTES = 65536, REPAIR_MS = 1000, BLOB_BYTES = 128, KEY_SIZE = 160, KNOWN_MS = 10000
};

/* What goes to many: Engine.IO packets between separators, or one JSON text; framed for WebSockets when somebody wants it so. */
struct blob {
	int           users;
	struct fg_buf plain, framed;
};

struct conn;

/* Somebody who listens: an Engine.IO session, or a plain WebSocket. */
struct session {
	struct client client;
	char          sid[33];
	bool          rpc, single, websocket, closed; /* single: a message for each notification, no batches */
	struct conn  *conn, *probe;  /* conn: its WebSocket or the GET that waits; probe: a WebSocket that wants to take over */
	struct blob **queue;
	int           queued, room;
	size_t        bytes, sent; /* bytes in the queue; sent of the first */
	int64_t       pinged_ms, heard_ms, known_ms;
	char          key[KEY_SIZE]; /* what let them in; asked again now and then */
};

struct conn {
	struct source   source;
	struct session *session;
	bool            local, websocket, closing, writing, keep, asked; /* asked: who comes was asked before the body of its request is kept */
	char            address[64], origin[256], key[KEY_SIZE];
	struct fg_buf   in, out;
	size_t          out_at;
	int64_t         used_ms;
	struct fg_ws    ws;
	struct fg_head *head; /* of the request whose body is awaited */
};

struct listener {
	struct source source;
	bool          local;
	char          address[64];
};

struct net {
	struct listener  listeners[FG_LISTEN_MAX + 1];
	int              count, conns, sessions, singles;
	struct conn     *conn[CONNS_MAX];
	struct session  *session[SESSIONS_MAX];
	struct fg_buf    batch, pages, singly; /* told since the last flush: as JSON-RPC, for terminals that show HTML, and as a packet each when somebody wants that */
	int              told;
	uint64_t         serial; /* of the newest client */
	uint64_t         notes;  /* ever told */
	int64_t          began_ms;
	struct { char address[64]; int64_t ms; } gone[GONE_MAX];
	int              gone_next;
};

/* --- blobs */

static size_t kept_bytes; /* of all that waits for readers; what goes to many counts once */

/* What a blob takes in a queue, with all that is around it: many small ones are large, too. */
static size_t
blob_bytes(const struct blob *blob)
{
	return blob->plain.len + BLOB_BYTES;
}

static struct blob *
blob_new(const char *bytes, size_t len)
{
	struct blob *blob = fg_alloc(sizeof(*blob));

	memset(blob, 0, sizeof(*blob));
	fg_buf_add(&blob->plain, bytes, len);
	kept_bytes += blob_bytes(blob);
	return blob;
}

static void
blob_release(struct blob *blob)
{
	if (--blob->users > 0)
		return;
	kept_bytes -= blob_bytes(blob) + blob->framed.len;
	fg_buf_free(&blob->plain);
	fg_buf_free(&blob->framed);
	free(blob);
}

/* The same as WebSocket frames; made when the first one wants it. */
static const struct fg_buf *
blob_framed(struct blob *blob)
{
	const char *at = blob->plain.data, *end = at + blob->plain.len, *next;

	if (blob->framed.len > 0)
		return &blob->framed;
	for (; at < end; at = next + 1) {
		next = memchr(at, SEPARATOR, (size_t)(end - at));
		next = next != NULL ? next : end;
		fg_ws_frame(&blob->framed, FG_WS_TEXT, at, (size_t)(next - at));
	}
	kept_bytes += blob->framed.len;
	return &blob->framed;
}

/* --- closing */

static void
session_end(struct launcher *l, struct session *session)
{
	struct net *net = l->net;

	if (session->closed)
		return;
	session->closed = true;
	if (session->client.monitors)
		l->monitors--;
	net->singles -= session->single;
	snprintf(net->gone[net->gone_next].address, sizeof(net->gone[0].address), "%s", session->client.address);
	net->gone[net->gone_next].ms = fg_now_ms();
	net->gone_next = (net->gone_next + 1) % GONE_MAX;
	if (session->conn != NULL)
		session->conn->closing = true;
	if (session->probe != NULL)
		session->probe->closing = true;
}

static void
session_free(struct session *session)
{
	for (int i = 0; i < session->queued; i++)
		blob_release(session->queue[i]);
	free(session->queue);
	if (session->conn != NULL)
		session->conn->session = NULL;
	if (session->probe != NULL)
		session->probe->session = NULL;
	free(session);
}

static void
conn_free(struct launcher *l, struct conn *conn)
{
	struct session *session = conn->session;

	if (session != NULL && session->probe == conn)
		session->probe = NULL;
	if (session != NULL && session->conn == conn) {
		session->conn = NULL;
		if (session->websocket)
			session_end(l, session);
	}
	loop_remove(l, &conn->source);
	close(conn->source.fd);
	fg_buf_free(&conn->in);
	fg_buf_free(&conn->out);
	fg_buf_free(&conn->ws.message);
	free(conn->head);
	free(conn);
}

/* --- writing */

static bool
write_some(struct conn *conn, const char *bytes, size_t len, size_t *done)
{
	while (*done < len) {
		const ssize_t n = send(conn->source.fd, bytes + *done, len - *done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			conn->closing |= errno != EAGAIN && errno != EINTR;
			return false;
		}
		*done += (size_t)n;
	}
	return true;
}

static void
want_write(struct launcher *l, struct conn *conn, bool want)
{
	if (conn->writing == want)
		return;
	conn->writing = want;
	loop_change(l, &conn->source, want ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void
conn_write(struct launcher *l, struct conn *conn)
{
	struct session *session = conn->session;

	if (conn->out.len > 0) {
		if (!write_some(conn, conn->out.data, conn->out.len, &conn->out_at)) {
			want_write(l, conn, true);
			return;
		}
		fg_buf_clear(&conn->out);
		conn->out_at = 0;
	}
	while (conn->websocket && session != NULL && session->conn == conn && session->queued > 0) {
		struct blob         *blob = session->queue[0];
		const struct fg_buf *bytes = blob_framed(blob);

		if (!write_some(conn, bytes->data, bytes->len, &session->sent)) {
			want_write(l, conn, true);
			return;
		}
		session->sent = 0;
		session->bytes -= blob_bytes(blob);
		blob_release(blob);
		memmove(session->queue, session->queue + 1, (size_t)--session->queued * sizeof(*session->queue));
	}
	want_write(l, conn, false);
}

static void
answer(struct launcher *l, struct conn *conn, int status, const char *type, const char *body, size_t len)
{
	static const struct {
		int         status;
		const char *text;
	} texts[] = { { 200, "OK" }, { 204, "No Content" }, { 400, "Bad Request" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 413, "Content Too Large" }, { 503, "Service Unavailable" } };
	const char *text = "";

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].status == status)
			text = texts[i].text;
	fg_buf_printf(&conn->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n", status, text, type);
	if (status != 204)
		fg_buf_printf(&conn->out, "Content-Length: %zu\r\n", len);
	if (conn->origin[0] != '\0' && status != 403)
		fg_buf_printf(&conn->out,
		              "Access-Control-Allow-Origin: %s\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
		              "Access-Control-Allow-Headers: Content-Type\r\nAccess-Control-Allow-Methods: GET, POST\r\n",
		              conn->origin);
	conn->used_ms = fg_steady_ms();
	if (!conn->keep || status >= 400) {
		fg_buf_str(&conn->out, "Connection: close\r\n");
		conn->keep = false;
	}
	fg_buf_str(&conn->out, "\r\n");
	fg_buf_add(&conn->out, body, len);
	conn_write(l, conn);
	if (!conn->keep && conn->out.len == 0)
		conn->closing = true;
}

static void
refuse(struct launcher *l, struct conn *conn, int status, const char *why)
{
	struct fg_buf body = { 0 };

	fg_log(FG_LOG_INFO, "client.refused", "address=%s status=%d why=%s", conn->address, status, fg_log_quote(why).text);
	fg_buf_str(&body, "{\"code\":3,\"message\":");
	fg_json_quote(&body, why, strlen(why));
	fg_buf_char(&body, '}');
	answer(l, conn, status, "application/json", body.data, body.len);
	fg_buf_free(&body);
}

/* A GET that waits is answered with all there is. */
static void
answer_poll(struct launcher *l, struct session *session)
{
	struct fg_buf body = { 0 };
	struct conn  *conn = session->conn;

	if (conn == NULL || session->websocket || session->queued == 0)
		return;
	for (int i = 0; i < session->queued; i++) {
		if (body.len > 0)
			fg_buf_char(&body, SEPARATOR);
		fg_buf_add(&body, session->queue[i]->plain.data, session->queue[i]->plain.len);
		blob_release(session->queue[i]);
	}
	session->queued = 0;
	session->bytes = 0;
	session->conn = NULL;
	conn->session = NULL;
	answer(l, conn, 200, "text/plain; charset=UTF-8", body.data, body.len);
	fg_buf_free(&body);
}

/* Too much waits in all: whoever reads slowest goes. */
static void
drop_slowest(struct launcher *l)
{
	struct session *slowest = NULL;

	for (int i = 0; i < l->net->sessions; i++)
		if (!l->net->session[i]->closed && (slowest == NULL || l->net->session[i]->bytes > slowest->bytes))
			slowest = l->net->session[i];
	if (slowest == NULL)
		return;
	fg_log(FG_LOG_WARN, "client.slowest", "address=%s bytes=%zu", slowest->client.address, slowest->bytes);
	session_end(l, slowest);
	for (int i = 0; i < slowest->queued; i++)
		blob_release(slowest->queue[i]);
	slowest->queued = 0;
	slowest->bytes = 0;
}

static void
push(struct launcher *l, struct session *session, struct blob *blob)
{
	blob->users++;
	if (kept_bytes > KEPT_BYTES)
		drop_slowest(l);
	if (session->closed || session->bytes + blob_bytes(blob) > BACKLOG_BYTES) {
		if (!session->closed)
			fg_log(FG_LOG_WARN, "client.slow", "address=%s", session->client.address);
		session_end(l, session);
		blob_release(blob);
		return;
	}
	if (session->queued == session->room)
		session->queue = fg_realloc(session->queue, (size_t)(session->room = session->room * 2 + 8) * sizeof(*session->queue));
	session->queue[session->queued++] = blob;
	session->bytes += blob_bytes(blob);
	if (!session->websocket)
		answer_poll(l, session);
	else if (session->conn != NULL && !session->conn->writing)
		conn_write(l, session->conn);
}

static void
push_text(struct launcher *l, struct session *session, const char *text, size_t len)
{
	struct blob *blob = blob_new(text, len);

	blob->users = 1;
	push(l, session, blob);
	blob_release(blob);
}

static void
push_answer(struct launcher *l, struct session *session, const struct fg_buf *text)
{
	struct fg_buf packet = { 0 };

	if (session->rpc)
		fg_buf_add(&packet, text->data, text->len);
	else
		fg_sio_message(&packet, text->data, text->len);
	push_text(l, session, packet.data, packet.len);
	fg_buf_free(&packet);
}

void
net_answer(struct launcher *l, uint64_t client, const struct fg_buf *text)
{
	for (int i = 0; l->net != NULL && i < l->net->sessions; i++)
		if (l->net->session[i]->client.serial == client && !l->net->session[i]->closed)
			push_answer(l, l->net->session[i], text);
}

/* --- told to all */

static void
collect(struct launcher *l, const char *text, size_t len, bool printed)
{
	struct net *net = l->net;

	if (net == NULL || net->sessions == 0)
		return;
	if (net->singles > 0) {
		if (net->singly.len > 0)
			fg_buf_char(&net->singly, SEPARATOR);
		fg_sio_message(&net->singly, text, len);
	}
	net->notes++;
	fg_buf_char(&net->batch, net->told == 0 ? '[' : ',');
	fg_buf_add(&net->batch, text, len);
	fg_buf_char(&net->pages, net->told++ == 0 ? '[' : ',');
	if (printed)
		fg_html_text(&net->pages, text, len);
	else
		fg_buf_add(&net->pages, text, len);
}

void
net_notify(struct launcher *l, const char *text, size_t len)
{
	collect(l, text, len, false);
}

void
net_output(struct launcher *l, const char *text, size_t len)
{
	collect(l, text, len, true);
}

/* What was collected: a JSON-RPC batch, or what was told alone. */
static void
close_batch(struct fg_buf *batch, int told)
{
	if (told == 1)
		memmove(batch->data, batch->data + 1, --batch->len);
	else
		fg_buf_char(batch, ']');
}

static struct blob *
blob_message(const char *text, size_t len)
{
	struct fg_buf packet = { 0 };
	struct blob  *blob;

	fg_sio_message(&packet, text, len);
	blob = blob_new(packet.data, packet.len);
	fg_buf_free(&packet);
	return blob;
}

/* One message to each. The stock front-end (json-rpc-2.0 of npm) takes batches, too. */
void
net_flush(struct launcher *l)
{
	struct net  *net = l->net;
	struct blob *blobs[3];

	if (net != NULL && l->queue_news)
		queue_news(l);
	if (net == NULL || net->told == 0)
		return;
	close_batch(&net->batch, net->told);
	close_batch(&net->pages, net->told);
	blobs[0] = blob_new(net->batch.data, net->batch.len);
	blobs[1] = blob_message(net->pages.data, net->pages.len);
	blobs[2] = blob_new(fg_buf_text(&net->singly), net->singly.len);
	net->told = 0;
	fg_buf_clear(&net->batch);
	fg_buf_clear(&net->pages);
	fg_buf_clear(&net->singly);
	for (int i = 0; i < 3; i++)
		blobs[i]->users = 1;
	for (int i = 0; i < net->sessions; i++) {
		struct session *session = net->session[i];
		struct blob    *blob = blobs[session->rpc ? 0 : session->single ? 2 : 1];

		if (session->client.joined && blob->plain.len > 0)
			push(l, session, blob);
	}
	for (int i = 0; i < 3; i++)
		blob_release(blobs[i]);
}

void
net_event(struct launcher *l, const char *json)
{
	struct fg_buf text = { 0 };
	struct blob  *blob;

	net_flush(l);
	fg_buf_printf(&text, "42%s", json);
	blob = blob_new(text.data, text.len);
	blob->users = 1;
	for (int i = 0; i < l->net->sessions; i++)
		if (l->net->session[i]->client.joined && !l->net->session[i]->rpc)
			push(l, l->net->session[i], blob);
	blob_release(blob);
	fg_buf_free(&text);
}

int
net_clients(const struct launcher *l)
{
	return l->net->sessions;
}

/* --- packets of a client */

static void
take_text(struct launcher *l, struct session *session, const char *text, size_t len)
{
	struct fg_buf  out = { 0 };
	const uint64_t notes = l->net->notes;

	rpc_text(l, &session->client, &out, text, len);
	if (l->net->notes > notes || l->queue_news)
		net_flush(l); /* what it changed is told before it is answered; what else there is waits for the beat */
	if (out.len > 0)
		push_answer(l, session, &out);
	fg_buf_free(&out);
	if (l->look) {
		l->look = false;
		queue_look(l);
		net_flush(l);
	}
}

static void
take_event(struct launcher *l, struct session *session, const struct fg_sio_packet *packet)
{
	const bool on = strcmp(packet->event, "start_cpu_monitoring") == 0, off = strcmp(packet->event, "stop_cpu_monitoring") == 0;
	static const char started[] = "42[\"cpu_monitoring_started\",{\"status\":\"started\"}]", stopped[] = "42[\"cpu_monitoring_stopped\",{\"status\":\"stopped\"}]";

	if (strcmp(packet->event, "message") == 0)
		take_text(l, session, fg_buf_text(&packet->text), packet->text.len);
	if (!on && !off)
		return;
	l->monitors += on - session->client.monitors;
	session->client.monitors = on;
	push_text(l, session, on ? started : stopped, strlen(on ? started : stopped));
}

static void
join(struct launcher *l, struct session *session)
{
	char text[80], sid[33];

	fg_random_hex(sid, 16);
	snprintf(text, sizeof(text), "40{\"sid\":\"%s\"}", sid);
	session->client.joined = true;
	session->client.joined_ms = fg_steady_ms();
	push_text(l, session, text, strlen(text));
}

static bool
take_packet(struct launcher *l, struct session *session, const char *bytes, size_t len)
{
	struct fg_sio_packet packet;
	static const char    elsewhere[] = "44{\"message\":\"Invalid namespace\"}";

	fg_sio_parse(&packet, bytes, len);
	session->heard_ms = fg_steady_ms();
	switch (packet.kind) {
	case FG_SIO_CONNECT: join(l, session); break;
	case FG_SIO_OTHER: push_text(l, session, elsewhere, strlen(elsewhere)); break;
	case FG_SIO_EVENT:
		if (session->client.joined)
			take_event(l, session, &packet);
		break;
	case FG_SIO_CLOSE:
	case FG_SIO_DISCONNECT: session_end(l, session); break;
	case FG_SIO_BAD: session_end(l, session); break;
	default: break;
	}
	len = packet.kind == FG_SIO_BAD;
	fg_sio_free(&packet);
	return len == 0;
}

/* A WebSocket that wants to take a polling session over: 2probe, 3probe, 5. */
static void
take_probe(struct launcher *l, struct conn *conn, const char *bytes, size_t len)
{
	struct session *session = conn->session;

	if (len == 6 && memcmp(bytes, "2probe", 6) == 0) {
		fg_ws_frame(&conn->out, FG_WS_TEXT, "3probe", 6);
		if (session->conn != NULL && session->queued == 0)
			push_text(l, session, "6", 1); /* lets the waiting GET go */
		conn_write(l, conn);
	} else if (len == 1 && *bytes == '5') {
		if (session->conn != NULL) {
			push_text(l, session, "6", 1);
			if (session->conn != NULL)
				session->conn->session = NULL;
		}
		session->probe = NULL;
		session->conn = conn;
		session->websocket = true;
		conn_write(l, conn);
	} else
		conn->closing = true;
}

static void
take_message(struct launcher *l, struct conn *conn)
{
	struct session *session = conn->session;

	if (session == NULL || session->closed)
		conn->closing = true;
	else if (session->probe == conn)
		take_probe(l, conn, conn->ws.message.data, conn->ws.message.len);
	else if (session->rpc) {
		session->heard_ms = fg_steady_ms();
		take_text(l, session, fg_buf_text(&conn->ws.message), conn->ws.message.len);
	} else
		take_packet(l, session, fg_buf_text(&conn->ws.message), conn->ws.message.len);
}

/* Control frames go between messages: only when none is half sent. */
static void
send_control(struct launcher *l, struct conn *conn, int opcode, const void *bytes, size_t len)
{
	if (conn->session != NULL && conn->session->sent > 0)
		return; /* a ping that finds us in the middle of a message is answered by it */
	fg_ws_frame(&conn->out, opcode, bytes, len);
	conn_write(l, conn);
	if (conn->out.len > CONTROL_BYTES) {
		fg_log(FG_LOG_WARN, "client.slow", "address=%s", conn->address);
		conn->closing = true; /* it asks and doesn't listen */
	}
}

static void
take_frames(struct launcher *l, struct conn *conn)
{
	size_t at = 0, used;

	while (!conn->closing) {
		switch (fg_ws_take(&conn->ws, &used, (unsigned char *)conn->in.data + at, conn->in.len - at, PAYLOAD_MAX)) {
		case FG_WS_BROKEN: conn->closing = true; break;
		case FG_WS_CONTROL:
			if (conn->session != NULL)
				conn->session->heard_ms = fg_steady_ms();
			if (conn->ws.opcode == FG_WS_PING)
				send_control(l, conn, FG_WS_PONG, conn->ws.control, conn->ws.control_len);
			else if (conn->ws.opcode == FG_WS_CLOSE) {
				send_control(l, conn, FG_WS_CLOSE, conn->ws.control, conn->ws.control_len > 2 ? 2 : conn->ws.control_len);
				conn->closing = true;
			}
			break;
		case FG_WS_MESSAGE: take_message(l, conn); break;
		case FG_WS_MORE: break;
		}
		at += used;
		if (used == 0)
			break;
	}
	memmove(conn->in.data, conn->in.data + at, conn->in.len - at);
	conn->in.len -= at;
}

/* --- who may come */

static bool
host_known(const struct launcher *l, const struct conn *conn, const char *host)
{
	const char *own = l->portal ? strstr(l->farm.settings.public_url, "://") : NULL;

	if (*host == '\0')
		return false;
	if (fg_word_in(l->config.hosts, host))
		return true;
	if (conn->local)
		return l->portal && ((own != NULL && strcmp(own + 3, host) == 0) || fg_word_in(l->farm.settings.public_hosts, host));
	for (int i = 0; i < l->net->count; i++)
		if (strcmp(l->net->listeners[i].address, host) == 0)
			return true;
	return false;
}

static bool
origin_known(const struct launcher *l, const struct conn *conn, const struct fg_head *head, const char *origin)
{
	const char *name = strstr(origin, "://");

	if (*origin == '\0')
		return strcmp(fg_head_get(head, "Sec-Fetch-Site"), "cross-site") != 0;
	if (fg_word_in(l->config.origins, origin))
		return true;
	return conn->local && name != NULL && strcmp(name + 3, fg_head_get(head, "Host")) == 0; /* the portal's own pages */
}

static bool
is_cookie(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/* What a client showed: a token, or behind the web server a cookie; "" for neither. Browsers bring cookies to each port of a host, ours do not ask for them. */
static void
shown_key(char out[KEY_SIZE], const struct fg_head *head, bool cookies)
{
	const char *bearer = fg_head_get(head, "Authorization");
	char        cookie[80];

	fg_head_cookie(cookie, sizeof(cookie), head, "FGSESSION");
	*out = '\0';
	if (strncmp(bearer, "Bearer ", 7) == 0 && strlen(bearer) < KEY_SIZE)
		snprintf(out, KEY_SIZE, "%s", bearer);
	else if (cookies && is_cookie(cookie))
		snprintf(out, KEY_SIZE, "%s", cookie);
}

/* Whom the portal knows by it: the name, when the settings let them in, and whether they steer all runs. */
static bool
known_user(struct launcher *l, const char *key, struct person *person)
{
	const bool     bearer = strncmp(key, "Bearer ", 7) == 0;
	struct fg_user user;
	enum fg_err    err;

	if (!l->portal || *key == '\0')
		return false;
	err = bearer ? fg_token_find(&user, l->db, key + 7, FG_SCOPE_SUBMIT, fg_now_ms()) : fg_login_find(&user, l->db, &l->farm.settings, key, fg_now_ms());
	if (err != FG_OK || user.disabled || !fg_welcome_user(&l->config.welcome, user.name, (user.roles & FG_ROLE_ADMIN) != 0))
		return false;
	snprintf(person->name, sizeof(person->name), "%s", user.name);
	person->steers = fg_welcome_operator(&l->config.welcome, user.name, (user.roles & FG_ROLE_ADMIN) != 0);
	return true;
}

static bool
let_in(struct launcher *l, struct conn *conn, const struct fg_head *head, struct person *person)
{
	const char *origin = fg_head_get(head, "Origin");

	*person = (struct person){ .steers = true }; /* of a network: nobody knows who it is */
	conn->origin[0] = '\0';
	if (conn->local) { /* the web server's word; its own is the last */
		const char *list = fg_head_get(head, "X-Forwarded-For"), *last = strrchr(list, ',');

		last = last != NULL ? last + 1 : list;
		snprintf(conn->address, sizeof(conn->address), "%.63s", last + strspn(last, " "));
	}
	if (!host_known(l, conn, fg_head_get(head, "Host"))) {
		refuse(l, conn, 403, "this host name is not served; see `hosts` of launcher.conf");
		return false;
	}
	if (!origin_known(l, conn, head, origin)) {
		refuse(l, conn, 403, "pages of this origin may not come in; see `origins` of launcher.conf");
		return false;
	}
	shown_key(conn->key, head, conn->local);
	if (!known_user(l, conn->key, person) && !fg_welcome_address(&l->config.welcome, conn->address)) {
		refuse(l, conn, 403, "neither this user nor this address may come in; see `users` and `networks` of launcher.conf");
		return false;
	}
	snprintf(conn->origin, sizeof(conn->origin), "%.255s", origin);
	return true;
}

/* --- requests */

static int
sessions_of(const struct net *net, const char *address)
{
	int count = 0;

	for (int i = 0; i < net->sessions; i++)
		count += strcmp(net->session[i]->client.address, address) == 0;
	return count;
}

static struct session *
session_new(struct launcher *l, struct conn *conn, const struct fg_head *head, const struct person *person, bool rpc)
{
	struct net     *net = l->net;
	struct session *session;
	char            batch[4];

	if (net->sessions == SESSIONS_MAX || sessions_of(net, conn->address) >= SESSIONS_OF_ONE)
		return NULL;
	session = fg_alloc(sizeof(*session));
	memset(session, 0, sizeof(*session));
	session->rpc = session->client.joined = rpc;
	fg_head_query(batch, sizeof(batch), head, "batch");
	session->single = !rpc && strcmp(batch, "0") == 0;
	session->client.html = !rpc && !session->single;
	net->singles += session->single;
	session->pinged_ms = session->heard_ms = fg_steady_ms();
	session->client.serial = ++net->serial;
	session->client.person = *person;
	snprintf(session->client.address, sizeof(session->client.address), "%s", conn->address);
	snprintf(session->key, sizeof(session->key), "%s", conn->key);
	session->known_ms = session->heard_ms;
	fg_random_hex(session->sid, 16);
	return net->session[net->sessions++] = session;
}

static struct session *
session_find(const struct launcher *l, const char *sid, const struct person *person)
{
	for (int i = 0; i < l->net->sessions; i++)
		if (*sid != '\0' && strcmp(l->net->session[i]->sid, sid) == 0 && !l->net->session[i]->closed && strcmp(l->net->session[i]->client.person.name, person->name) == 0)
			return l->net->session[i];
	return NULL;
}

static void
hello(struct fg_buf *out, const struct session *session, bool upgrades)
{
	fg_buf_printf(out, "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingTimeout\":%d,\"pingInterval\":%d,\"maxPayload\":%d}", session->sid,
	              upgrades ? "\"websocket\"" : "", PING_TIMEOUT_MS, PING_INTERVAL_MS, PAYLOAD_MAX);
}

static void
become_websocket(struct launcher *l, struct conn *conn, const struct fg_head *head, const struct person *person)
{
	char            accept[32], sid[40];
	const bool      rpc = strcmp(head->path, "/rpc") == 0;
	struct session *session;

	fg_head_query(sid, sizeof(sid), head, "sid");
	if (!fg_ws_accept(accept, fg_head_get(head, "Sec-WebSocket-Key")) || strcmp(fg_head_get(head, "Sec-WebSocket-Version"), "13") != 0) {
		refuse(l, conn, 400, "no WebSocket of version 13");
		return;
	}
	session = *sid != '\0' ? session_find(l, sid, person) : session_new(l, conn, head, person, rpc);
	if (session == NULL || (*sid != '\0' && (session->websocket || session->probe != NULL))) {
		refuse(l, conn, *sid != '\0' ? 400 : 503, *sid != '\0' ? "Session ID unknown" : "too many clients");
		return;
	}
	fg_buf_printf(&conn->out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
	conn->websocket = true;
	conn->session = session;
	if (*sid != '\0')
		session->probe = conn;
	else {
		session->conn = conn;
		session->websocket = true;
		if (!rpc) {
			struct fg_buf text = { 0 };

			hello(&text, session, false);
			push_text(l, session, text.data, text.len);
			fg_buf_free(&text);
		}
	}
	conn_write(l, conn);
}

static void
poll_get(struct launcher *l, struct conn *conn, const struct fg_head *head, const struct person *person)
{
	char            sid[40];
	struct session *session;
	struct fg_buf   text = { 0 };

	fg_head_query(sid, sizeof(sid), head, "sid");
	if (*sid == '\0') {
		if ((session = session_new(l, conn, head, person, false)) == NULL) {
			refuse(l, conn, 503, "too many clients");
			return;
		}
		hello(&text, session, true);
		answer(l, conn, 200, "text/plain; charset=UTF-8", text.data, text.len);
		fg_buf_free(&text);
	} else if ((session = session_find(l, sid, person)) == NULL || session->websocket || session->conn != NULL) {
		if (session != NULL)
			session_end(l, session); /* two that wait: the protocol allows one */
		refuse(l, conn, 400, "Session ID unknown");
	} else {
		session->conn = conn;
		conn->session = session;
		session->heard_ms = fg_steady_ms();
		answer_poll(l, session);
	}
}

static void
poll_post(struct launcher *l, struct conn *conn, const struct fg_head *head, const struct person *person, const char *body, size_t len)
{
	char            sid[40];
	struct session *session;
	bool            good = true;

	fg_head_query(sid, sizeof(sid), head, "sid");
	if ((session = session_find(l, sid, person)) == NULL || session->websocket) {
		refuse(l, conn, 400, "Session ID unknown");
		return;
	}
	for (size_t at = 0; at < len && good && !session->closed;) {
		const char  *end = memchr(body + at, SEPARATOR, len - at);
		const size_t size = end != NULL ? (size_t)(end - body) - at : len - at;

		good = take_packet(l, session, body + at, size);
		at += size + 1;
	}
	if (good)
		answer(l, conn, 200, "text/html", "ok", 2);
	else
		refuse(l, conn, 400, "Bad request");
}

static void
take_request(struct launcher *l, struct conn *conn, const struct fg_head *head, const char *body)
{
	const bool    upgrade = strcasecmp(fg_head_get(head, "Upgrade"), "websocket") == 0;
	struct person person;
	char          transport[16], version[4];

	conn->keep = head->keep;
	if (!let_in(l, conn, head, &person))
		return;
	if (strcmp(head->path, "/rpc") == 0) {
		if (upgrade && strcmp(head->method, "GET") == 0)
			become_websocket(l, conn, head, &person);
		else
			refuse(l, conn, 400, "JSON-RPC is spoken on a WebSocket here");
		return;
	}
	if (strcmp(head->path, "/socket.io/") != 0 && strcmp(head->path, "/socket.io") != 0) {
		refuse(l, conn, 404, "there is /socket.io/ and /rpc");
		return;
	}
	fg_head_query(transport, sizeof(transport), head, "transport");
	fg_head_query(version, sizeof(version), head, "EIO");
	if (strcmp(head->method, "OPTIONS") == 0)
		answer(l, conn, 204, "text/plain", "", 0);
	else if (strcmp(version, "4") != 0)
		refuse(l, conn, 400, "Unsupported protocol version");
	else if (upgrade && strcmp(head->method, "GET") == 0 && strcmp(transport, "websocket") == 0)
		become_websocket(l, conn, head, &person);
	else if (strcmp(transport, "polling") != 0)
		refuse(l, conn, 400, "Transport unknown");
	else if (strcmp(head->method, "GET") == 0)
		poll_get(l, conn, head, &person);
	else if (strcmp(head->method, "POST") == 0)
		poll_post(l, conn, head, &person, body, head->body);
	else
		refuse(l, conn, 400, "Bad handshake method");
}

/* Whole requests at the front of conn->in, one after the other; a GET that waits holds up those behind it, and so does an answer that isn't taken. */
static void
take_requests(struct launcher *l, struct conn *conn)
{
	while (!conn->closing && !conn->websocket && conn->session == NULL && conn->out.len == 0 && conn->in.len > 0) {
		const char *end = memmem(conn->in.data, conn->in.len, "\r\n\r\n", 4);
		size_t      size;

		if (end == NULL && conn->in.len <= FG_HEAD_BYTES)
			return;
		if (conn->head == NULL)
			conn->head = fg_alloc(sizeof(*conn->head));
		conn->keep = false;
		if (end == NULL || !fg_head_parse(conn->head, conn->in.data, (size_t)(end - conn->in.data))) {
			refuse(l, conn, 400, "no HTTP request that we understand");
			conn->in.len = 0;
			return;
		}
		if (conn->head->body > PAYLOAD_MAX) {
			refuse(l, conn, 413, "too long");
			conn->in.len = 0;
			return;
		}
		size = (size_t)(end - conn->in.data) + 4 + conn->head->body;
		if (conn->in.len < size) {
			struct person person;

			if (!conn->asked && !let_in(l, conn, conn->head, &person))
				conn->in.len = 0;
			conn->asked = true;
			return;
		}
		conn->asked = false;
		take_request(l, conn, conn->head, end + 4);
		memmove(conn->in.data, conn->in.data + size, conn->in.len - size);
		conn->in.len -= size;
	}
	if (conn->websocket && conn->in.len > 0)
		take_frames(l, conn);
}

static void
conn_ready(struct launcher *l, struct source *source, uint32_t events)
{
	struct conn *conn = (struct conn *)source;
	ssize_t      n;

	if (conn->websocket || conn->in.len == 0) /* a request comes whole within IDLE_MS of its first byte */
		conn->used_ms = fg_steady_ms();
	if (events & EPOLLOUT) {
		conn_write(l, conn);
		if (!conn->websocket && !conn->keep && conn->session == NULL && conn->out.len == 0)
			conn->closing = true;
		else if (!conn->websocket && conn->out.len == 0)
			take_requests(l, conn);
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || conn->closing)
		return;
	n = recv(source->fd, fg_buf_room(&conn->in, READ_STEP), READ_STEP, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		conn->closing = true;
		return;
	}
	if (n < 0)
		return;
	conn->in.len += (size_t)n;
	if (conn->in.len > PAYLOAD_MAX + FG_HEAD_BYTES + READ_STEP)
		conn->closing = true;
	else if (conn->websocket)
		take_frames(l, conn);
	else
		take_requests(l, conn);
}

/* --- listening */

static bool
too_many(const struct net *net, const struct conn *conn)
{
	int count = 0;

	if (conn->local)
		return false; /* the web server counts */
	for (int i = 0; i < net->conns; i++)
		count += strcmp(net->conn[i]->address, conn->address) == 0;
	return count >= CONNS_OF_ONE;
}

static void
listener_ready(struct launcher *l, struct source *source, uint32_t events)
{
	const struct listener  *listener = (struct listener *)source;
	struct sockaddr_storage peer;
	socklen_t               size = sizeof(peer);
	const int               fd = accept4(source->fd, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn            *conn;

	(void)events;
	if (fd < 0)
		return;
	if (l->net->conns == CONNS_MAX) {
		close(fd);
		return;
	}
	conn = fg_alloc(sizeof(*conn));
	memset(conn, 0, sizeof(*conn));
	conn->source = (struct source){ conn_ready, fd };
	conn->local = listener->local;
	conn->used_ms = fg_steady_ms();
	if (!conn->local) {
		getnameinfo((struct sockaddr *)&peer, size, conn->address, sizeof(conn->address), NULL, 0, NI_NUMERICHOST);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	}
	if (too_many(l->net, conn) || (!conn->local && !l->portal && !fg_welcome_address(&l->config.welcome, conn->address))) { /* without a portal nobody has a login */
		close(fd);
		free(conn);
		return;
	}
	l->net->conn[l->net->conns++] = conn;
	loop_add(l, &conn->source, EPOLLIN);
}

static enum fg_err
listen_tcp(struct launcher *l, const char *address)
{
	struct addrinfo  hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV }, *found = NULL;
	struct listener *listener = &l->net->listeners[l->net->count];
	const char      *colon = strrchr(address, ':');
	char             host[64];
	int              fd = -1;

	if (colon == NULL || colon == address || colon - address > 63)
		return fg_fail(FG_EINVAL, "listen takes ADDRESS:PORT, not %s", address);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - 2 * (*address == '['), address + (*address == '['));
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return fg_fail(FG_EINVAL, "listen takes ADDRESS:PORT, not %s", address);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 256) != 0) {
		freeaddrinfo(found);
		if (fd >= 0)
			close(fd);
		return fg_fail(FG_EIO, "can't listen at %s: %s", address, strerror(errno));
	}
	freeaddrinfo(found);
	listener->source = (struct source){ listener_ready, fd };
	snprintf(listener->address, sizeof(listener->address), "%s", address);
	l->net->count++;
	loop_add(l, &listener->source, EPOLLIN);
	return FG_OK;
}

static enum fg_err
listen_unix(struct launcher *l, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct listener   *listener = &l->net->listeners[l->net->count];
	const int          fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(name.sun_path))
		return fg_fail(FG_EINVAL, "the path %s is too long for a socket", path);
	memcpy(name.sun_path, path, strlen(path) + 1);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 || chmod(path, 0660) != 0 || listen(fd, 256) != 0)
		return fg_fail(FG_EIO, "can't listen at %s: %s", path, strerror(errno));
	*listener = (struct listener){ .source = { listener_ready, fd }, .local = true };
	l->net->count++;
	loop_add(l, &listener->source, EPOLLIN);
	return FG_OK;
}

enum fg_err
net_open(struct launcher *l)
{
	enum fg_err err = FG_OK;

	l->net = fg_alloc(sizeof(*l->net));
	memset(l->net, 0, sizeof(*l->net));
	l->net->began_ms = fg_now_ms();
	if (l->unix_path[0] != '\0')
		err = listen_unix(l, l->unix_path);
	for (int i = 0; i < l->config.listens && err == FG_OK; i++)
		err = listen_tcp(l, l->config.listen[i]);
	return err;
}

void
net_close(struct launcher *l)
{
	if (l->net == NULL)
		return;
	for (int i = 0; i < l->net->conns; i++)
		conn_free(l, l->net->conn[i]);
	for (int i = 0; i < l->net->sessions; i++)
		session_free(l->net->session[i]);
	for (int i = 0; i < l->net->count; i++)
		close(l->net->listeners[i].source.fd);
	if (l->unix_path[0] != '\0')
		unlink(l->unix_path);
	fg_buf_free(&l->net->batch);
	fg_buf_free(&l->net->pages);
	fg_buf_free(&l->net->singly);
	free(l->net);
	l->net = NULL;
}

/* --- time passes */

static void
repair(struct launcher *l, struct session *session)
{
	struct fg_buf packets = { 0 };

	session->client.repaired = true;
	if (session->client.asked || session->rpc || session->single)
		return;
	session->client.joined_ms = l->net->began_ms;
	for (int i = 0; i < GONE_MAX; i++)
		if (strcmp(l->net->gone[i].address, session->client.address) == 0 && l->net->gone[i].ms > session->client.joined_ms)
			session->client.joined_ms = l->net->gone[i].ms;
	net_repair(l, &session->client, &packets);
	push_answer(l, session, &packets);
	fg_buf_free(&packets);
}

static void
session_tick(struct launcher *l, struct session *session, int64_t now_ms)
{
	if (now_ms - session->pinged_ms >= PING_INTERVAL_MS) {
		session->pinged_ms = now_ms;
		if (!session->rpc)
			push_text(l, session, "2", 1);
		else if (session->conn != NULL)
			send_control(l, session->conn, FG_WS_PING, "", 0);
	}
	if (now_ms - session->heard_ms >= PING_INTERVAL_MS + PING_TIMEOUT_MS)
		session_end(l, session);
	if (session->client.person.name[0] != '\0' && now_ms - session->known_ms >= KNOWN_MS) { /* logged out, disabled, revoked? */
		session->known_ms = now_ms;
		if (!known_user(l, session->key, &session->client.person))
			session_end(l, session);
	}
	if (session->client.joined && !session->client.repaired && now_ms - session->client.joined_ms >= REPAIR_MS)
		repair(l, session);
}

void
net_tick(struct launcher *l)
{
	struct net   *net = l->net;
	const int64_t now_ms = fg_steady_ms();

	for (int i = 0; i < net->sessions; i++)
		session_tick(l, net->session[i], now_ms);
	for (int i = 0; i < net->conns; i++) {
		struct conn *conn = net->conn[i];

		if (!conn->websocket && conn->session == NULL && now_ms - conn->used_ms > IDLE_MS)
			conn->closing = true;
		if (conn->closing) {
			net->conn[i--] = net->conn[--net->conns];
			conn_free(l, conn);
		} else if (!conn->websocket && conn->session == NULL && conn->in.len > 0 && conn->out.len == 0)
			take_requests(l, conn); /* the GET before it has been answered */
	}
	for (int i = 0; i < net->sessions; i++)
		if (net->session[i]->closed) {
			session_free(net->session[i]);
			net->session[i--] = net->session[--net->sessions];
		}
}
