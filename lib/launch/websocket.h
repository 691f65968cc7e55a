/* websocket: RFC 6455 of a server, without extensions. Our frames carry no mask, so that one frame serves all who listen. */
#ifndef FG_LAUNCH_WEBSOCKET_H
#define FG_LAUNCH_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { FG_WS_CONTINUE = 0, FG_WS_TEXT = 1, FG_WS_BINARY = 2, FG_WS_CLOSE = 8, FG_WS_PING = 9, FG_WS_PONG = 10 };
enum fg_ws_got { FG_WS_MORE, FG_WS_MESSAGE, FG_WS_CONTROL, FG_WS_BROKEN };

/** A reader of frames. `{0}` at the start; free message. */
struct fg_ws {
	struct fg_buf message;   /**< FG_WS_MESSAGE: the text, put together from its fragments; yours until the next call */
	bool          fragments, done;
	unsigned char opcode;    /**< FG_WS_CONTROL: FG_WS_CLOSE, _PING, _PONG … */
	unsigned char control[125], control_len; /**< … and what came with it */
};

/** Take one frame from the front of `bytes`. *used: how many bytes it took; FG_WS_MORE with 0: bytes are missing, else: the message's next
 * fragment is. FG_WS_BROKEN: no mask, reserved bits or opcodes, a
 * control frame in pieces, binary, broken UTF-8, or longer than `max`: close the connection. */
enum fg_ws_got fg_ws_take(struct fg_ws *ws, size_t *used, const unsigned char *bytes, size_t len, size_t max);

/** Append a whole frame. */
void fg_ws_frame(struct fg_buf *out, int opcode, const char *bytes, size_t len);

/** Sec-WebSocket-Accept for a key; false when it is no key. */
bool fg_ws_accept(char out[32], const char *key);

#endif
