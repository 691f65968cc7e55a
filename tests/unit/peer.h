/* peer: a request without a web server: the streams of libfcgi over plain memory. */
#ifndef FG_TESTS_PEER_H
#define FG_TESTS_PEER_H

#include <stdio.h>
#include <string.h>

#include <fcgiapp.h>

#include "http/request.h"

struct peer {
	FCGX_Request  fcgi;
	FCGX_Stream   in, out;
	char          text[12][1024], *env[13];
	const char   *body;
	size_t        len, at, step; /**< the body comes in pieces of `step` bytes */
	struct fg_buf sent;
	unsigned char room[512];
};

static void
peer_fill(FCGX_Stream *stream)
{
	struct peer *peer = stream->data;
	const size_t n = peer->len - peer->at < peer->step ? peer->len - peer->at : peer->step;

	stream->isClosed = n == 0;
	stream->rdNext = stream->stopUnget = (unsigned char *)(uintptr_t)peer->body + peer->at;
	stream->stop = stream->wrNext = stream->rdNext + n;
	peer->at += n;
}

static void
peer_empty(FCGX_Stream *stream, int close)
{
	struct peer *peer = stream->data;

	fg_buf_add(&peer->sent, peer->room, (size_t)(stream->wrNext - peer->room));
	stream->wrNext = peer->room;
	stream->isClosed = close;
}

static void
peer_env(struct peer *peer, const char *name, const char *value)
{
	int i = 0;

	while (peer->env[i] != NULL)
		i++;
	snprintf(peer->text[i], sizeof(peer->text[i]), "%s=%s", name, value);
	peer->env[i] = peer->text[i];
}

static inline void
peer_start(struct peer *peer, const char *method, const char *uri, const char *type, const char *body, size_t len, size_t step)
{
	char number[32];

	memset(peer, 0, sizeof(*peer));
	peer->in = (FCGX_Stream){ .isReader = 1, .fillBuffProc = peer_fill, .data = peer };
	peer->out = (FCGX_Stream){ .emptyBuffProc = peer_empty, .data = peer, .rdNext = peer->room + sizeof(peer->room),
		                   .wrNext = peer->room, .stop = peer->room + sizeof(peer->room) };
	peer->fcgi = (FCGX_Request){ .in = &peer->in, .out = &peer->out, .envp = peer->env };
	peer->body = body;
	peer->len = len;
	peer->step = step;
	peer_env(peer, "REQUEST_METHOD", method);
	peer_env(peer, "REQUEST_URI", uri);
	peer_env(peer, "QUERY_STRING", strchr(uri, '?') != NULL ? strchr(uri, '?') + 1 : "");
	peer_env(peer, "CONTENT_TYPE", type);
	snprintf(number, sizeof(number), "%zu", len);
	peer_env(peer, "CONTENT_LENGTH", len > 0 ? number : "");
}

#endif
