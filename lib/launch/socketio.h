/* socketio: packets of Engine.IO v4 with Socket.IO v5 inside. Text only: no acks, no binary, one namespace. doc/protocol.md#the-launcher */
#ifndef FG_LAUNCH_SOCKETIO_H
#define FG_LAUNCH_SOCKETIO_H

#include <stddef.h>

#include "base/buf.h"

enum fg_sio_kind {
	FG_SIO_BAD,        /**< not one of these */
	FG_SIO_CLOSE,      /**< 1: the client leaves */
	FG_SIO_PING,       /**< 2, 2probe: `text` is what to give back */
	FG_SIO_PONG,       /**< 3 */
	FG_SIO_UPGRADE,    /**< 5: from now on by the new transport */
	FG_SIO_NOOP,       /**< 6 */
	FG_SIO_CONNECT,    /**< 40 */
	FG_SIO_OTHER,      /**< 40/elsewhere: a namespace that is not there */
	FG_SIO_DISCONNECT, /**< 41 */
	FG_SIO_EVENT,      /**< 42["name","argument"]: `event`, and `text` when the argument is a text */
};

struct fg_sio_packet {
	enum fg_sio_kind kind;
	char             event[64];
	struct fg_buf    text;
};

/** Parse one packet. Free with fg_sio_free, also a bad one. */
void fg_sio_parse(struct fg_sio_packet *out, const char *bytes, size_t len);
void fg_sio_free(struct fg_sio_packet *packet);

/** Append `42["message","TEXT"]`. */
void fg_sio_message(struct fg_buf *out, const char *text, size_t len);

#endif
