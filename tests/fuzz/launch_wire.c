/* launch_wire: what a client of the launcher may send: a request's head, frames, packets in them, JSON-RPC in those. */
#include "launch/head.h"
#include "launch/rpc.h"
#include "launch/socketio.h"
#include "launch/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json_object *
nobody(void *ctx, const struct fg_rpc_call *call, struct fg_rpc_error *error)
{
	(void)ctx;
	error->code = *call->method == 'l' ? FG_RPC_LATER : FG_RPC_NO_METHOD;
	return NULL;
}

static void
packet(const char *bytes, size_t len)
{
	struct fg_sio_packet got;
	struct fg_rpc_answer out = { 0 };

	fg_sio_parse(&got, bytes, len);
	fg_rpc_answer(&out, fg_buf_text(&got.text), got.text.len, nobody, NULL);
	fg_rpc_answer(&out, bytes, len, nobody, NULL);
	while (out.waiting > 0)
		fg_rpc_late(&out, NULL, NULL);
	fg_sio_free(&got);
	fg_buf_free(&out.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_head head;
	struct fg_ws          ws = { 0 };
	char                  value[40];
	size_t                used = 1;

	if (fg_head_parse(&head, (const char *)data, size)) {
		fg_head_query(value, sizeof(value), &head, "sid");
		fg_head_cookie(value, sizeof(value), &head, "FGSESSION");
	}
	for (size_t at = 0; used > 0; at += used) {
		const enum fg_ws_got got = fg_ws_take(&ws, &used, data + at, size - at, 1000);

		if (got == FG_WS_BROKEN)
			break;
		if (got == FG_WS_MESSAGE)
			packet(fg_buf_text(&ws.message), ws.message.len);
	}
	packet((const char *)data, size);
	fg_buf_free(&ws.message);
	return 0;
}
