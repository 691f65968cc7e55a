/* rpc: JSON-RPC 2.0: requests, batches and notifications in, one text out. Knows nothing of methods. doc/protocol.md#the-launcher */
#ifndef FG_LAUNCH_RPC_H
#define FG_LAUNCH_RPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_object;

enum {
	FG_RPC_PARSE = -32700, FG_RPC_INVALID = -32600, FG_RPC_NO_METHOD = -32601, FG_RPC_PARAMS = -32602, FG_RPC_INTERNAL = -32603,
	FG_RPC_BATCH_MAX = 100, FG_RPC_TEXT_MAX = 1000000, FG_RPC_DEPTH = 16
};

/** A failure as the caller will read it. */
struct fg_rpc_error {
	int         code; /**< 0: none */
	const char *message; /**< NULL: the usual one of this code */
	char        data[512];
};

/** Runs one method. `params` is an object, an array or NULL, and stays the caller's. Returns the result (its reference goes to the caller; NULL is null),
 * or fills `error`. */
typedef struct json_object *fg_rpc_dispatch(void *ctx, const char *method, struct json_object *params, struct fg_rpc_error *error);

/** Answer one text. Nothing is appended to `out` when nothing is to be answered (notifications). */
void fg_rpc_answer(struct fg_buf *out, const char *text, size_t len, fg_rpc_dispatch *dispatch, void *ctx);

#endif
