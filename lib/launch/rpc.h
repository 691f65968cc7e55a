/* rpc: JSON-RPC 2.0: requests, batches and notifications in, one text out. Knows nothing of methods. doc/protocol.md#the-launcher */
#ifndef FG_LAUNCH_RPC_H
#define FG_LAUNCH_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_object;

enum {
	FG_RPC_PARSE = -32700, FG_RPC_INVALID = -32600, FG_RPC_NO_METHOD = -32601, FG_RPC_PARAMS = -32602, FG_RPC_INTERNAL = -32603,
	FG_RPC_LATER = 1, FG_RPC_BATCH_MAX = 100, FG_RPC_TEXT_MAX = 1000000, FG_RPC_DEPTH = 16, FG_RPC_ANSWER_MAX = 16 << 20
};

/** A failure as the caller will read it. */
struct fg_rpc_error {
	int         code; /**< 0: none; FG_RPC_LATER: neither a result nor a failure yet */
	const char *message; /**< NULL: the usual one of this code */
	char        data[512];
};

/** One call. `params` is an object, an array or NULL; both stay the caller's. */
struct fg_rpc_call {
	const char         *method;
	struct json_object *params, *id;
	bool                answered; /**< false: a notification, nobody waits for its result */
};

/** Runs one method. Returns the result (its reference goes to the caller; NULL is null), or fills `error`. */
typedef struct json_object *fg_rpc_dispatch(void *ctx, const struct fg_rpc_call *call, struct fg_rpc_error *error);

/** The answer to one text: `text` is it as soon as `waiting` is 0; "" when nothing is to be answered (notifications). A zeroed one is empty. */
struct fg_rpc_answer {
	struct fg_buf text;
	int           waiting; /**< calls whose results come later; more of the text than `text` is not known before */
	bool          batch;
};

/** Answer one text. Once the answers of a batch have FG_RPC_ANSWER_MAX bytes, its other calls are not run: each is an internal error that says so. */
void fg_rpc_answer(struct fg_rpc_answer *out, const char *text, size_t len, fg_rpc_dispatch *dispatch, void *ctx);

/** The result of an answered call that had FG_RPC_LATER, with the id it had. `result` stays the caller's. */
void fg_rpc_late(struct fg_rpc_answer *out, struct json_object *id, struct json_object *result);

#endif
