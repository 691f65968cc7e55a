#include "launch/rpc.h"

#include <stdbool.h>
#include <string.h>

#include <json-c/json.h>

#include "text/json.h"

static const char *
usual(int code)
{
	switch (code) {
	case FG_RPC_PARSE: return "Parse error";
	case FG_RPC_INVALID: return "Invalid request";
	case FG_RPC_NO_METHOD: return "Method not found";
	case FG_RPC_PARAMS: return "Invalid params";
	}
	return "Internal error";
}

static void
separate(struct fg_buf *out)
{
	if (out->len > 0)
		fg_buf_char(out, ',');
}

static void
add_json(struct fg_buf *out, struct json_object *value)
{
	fg_buf_str(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void
add_error(struct fg_buf *out, const struct fg_rpc_error *error, struct json_object *id)
{
	struct json_object *body = json_object_new_object();

	json_object_object_add(body, "code", json_object_new_int(error->code));
	json_object_object_add(body, "message", json_object_new_string(error->message != NULL ? error->message : usual(error->code)));
	if (error->data[0] != '\0')
		json_object_object_add(body, "data", json_object_new_string(error->data));
	fg_buf_str(out, "{\"jsonrpc\":\"2.0\",\"error\":");
	add_json(out, body);
	fg_buf_str(out, ",\"id\":");
	add_json(out, id);
	fg_buf_char(out, '}');
	json_object_put(body);
}

static void
refuse(struct fg_buf *out, int code, const char *data)
{
	struct fg_rpc_error error = { .code = code };

	strncat(error.data, data, sizeof(error.data) - 1);
	separate(out);
	add_error(out, &error, NULL);
}

static bool
is_request(struct json_object *request, struct json_object **method, struct json_object **params, struct json_object **id)
{
	struct json_object *version;

	*params = *id = NULL;
	return json_object_is_type(request, json_type_object) && json_object_object_get_ex(request, "jsonrpc", &version) &&
	       json_object_is_type(version, json_type_string) && strcmp(json_object_get_string(version), "2.0") == 0 &&
	       json_object_object_get_ex(request, "method", method) && json_object_is_type(*method, json_type_string) &&
	       (!json_object_object_get_ex(request, "params", params) || json_object_is_type(*params, json_type_object) ||
	        json_object_is_type(*params, json_type_array)) &&
	       (!json_object_object_get_ex(request, "id", id) || *id == NULL || json_object_is_type(*id, json_type_string) ||
	        json_object_is_type(*id, json_type_int) || json_object_is_type(*id, json_type_double));
}

static void
add_result(struct fg_buf *out, struct json_object *id, struct json_object *result)
{
	separate(out);
	fg_buf_str(out, "{\"jsonrpc\":\"2.0\",\"result\":");
	add_json(out, result);
	fg_buf_str(out, ",\"id\":");
	add_json(out, id);
	fg_buf_char(out, '}');
}

static void
one(struct fg_rpc_answer *out, struct json_object *request, fg_rpc_dispatch *dispatch, void *ctx)
{
	struct json_object *method, *result;
	struct fg_rpc_call  call;
	struct fg_rpc_error error = { 0 };

	if (!is_request(request, &method, &call.params, &call.id)) {
		refuse(&out->text, FG_RPC_INVALID, "not a JSON-RPC 2.0 request");
		return;
	}
	call.method = json_object_get_string(method);
	call.answered = json_object_object_get_ex(request, "id", NULL);
	if (out->text.len >= FG_RPC_ANSWER_MAX)
		error = (struct fg_rpc_error){ FG_RPC_INTERNAL, NULL, "the answers before this one are too long for one batch" };
	result = error.code == 0 ? dispatch(ctx, &call, &error) : NULL;
	if (call.answered && error.code == FG_RPC_LATER)
		out->waiting++;
	else if (call.answered && error.code != 0) {
		separate(&out->text);
		add_error(&out->text, &error, call.id);
	} else if (call.answered)
		add_result(&out->text, call.id, result);
	json_object_put(result);
}

/* The brackets of a batch, once all of it is there. */
static void
finish(struct fg_rpc_answer *out)
{
	struct fg_buf whole = { 0 };

	if (!out->batch || out->waiting > 0 || out->text.len == 0)
		return;
	fg_buf_char(&whole, '[');
	fg_buf_add(&whole, out->text.data, out->text.len);
	fg_buf_char(&whole, ']');
	fg_buf_free(&out->text);
	out->text = whole;
}

void
fg_rpc_late(struct fg_rpc_answer *out, struct json_object *id, struct json_object *result)
{
	out->waiting--;
	add_result(&out->text, id, result);
	finish(out);
}

static void
batch(struct fg_rpc_answer *out, struct json_object *requests, fg_rpc_dispatch *dispatch, void *ctx)
{
	const size_t count = json_object_array_length(requests);

	if (count == 0 || count > FG_RPC_BATCH_MAX) {
		refuse(&out->text, FG_RPC_INVALID, "a batch has 1 to 100 requests");
		return;
	}
	out->batch = true;
	for (size_t i = 0; i < count; i++)
		one(out, json_object_array_get_idx(requests, i), dispatch, ctx);
	finish(out);
}

void
fg_rpc_answer(struct fg_rpc_answer *out, const char *text, size_t len, fg_rpc_dispatch *dispatch, void *ctx)
{
	struct fg_json_fault fault;
	struct json_object  *root;

	if (len > FG_RPC_TEXT_MAX) {
		refuse(&out->text, FG_RPC_PARSE, "too long");
		return;
	}
	if (fg_json_parse(&root, text, len, FG_RPC_DEPTH, &fault) != FG_OK)
		refuse(&out->text, FG_RPC_PARSE, fault.why);
	else if (json_object_is_type(root, json_type_array))
		batch(out, root, dispatch, ctx);
	else
		one(out, root, dispatch, ctx);
	json_object_put(root);
}
