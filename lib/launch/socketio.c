#include "launch/socketio.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "launch/jsontext.h"
#include "launch/rpc.h"
#include "text/json.h"

static void
parse_event(struct fg_sio_packet *out, const char *bytes, size_t len)
{
	struct json_object *root, *name, *argument;

	if (fg_json_parse(&root, bytes, len, FG_RPC_DEPTH, NULL) == FG_OK && json_object_is_type(root, json_type_array) && (name = json_object_array_get_idx(root, 0)) != NULL &&
	    json_object_is_type(name, json_type_string) && json_object_get_string_len(name) < (int)sizeof(out->event)) {
		out->kind = FG_SIO_EVENT;
		snprintf(out->event, sizeof(out->event), "%s", json_object_get_string(name));
		argument = json_object_array_get_idx(root, 1);
		if (argument != NULL && json_object_is_type(argument, json_type_string))
			fg_buf_add(&out->text, json_object_get_string(argument), (size_t)json_object_get_string_len(argument));
	}
	json_object_put(root);
}

static void
parse_socket(struct fg_sio_packet *out, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	if (bytes[0] == '0')
		out->kind = len > 1 && bytes[1] == '/' && (len < 3 || bytes[2] != ',') ? FG_SIO_OTHER : FG_SIO_CONNECT;
	else if (bytes[0] == '1')
		out->kind = FG_SIO_DISCONNECT;
	else if (bytes[0] == '2')
		parse_event(out, bytes + 1, len - 1);
}

void
fg_sio_parse(struct fg_sio_packet *out, const char *bytes, size_t len)
{
	static const enum fg_sio_kind kinds[] = { ['1'] = FG_SIO_CLOSE, ['2'] = FG_SIO_PING, ['3'] = FG_SIO_PONG, ['5'] = FG_SIO_UPGRADE, ['6'] = FG_SIO_NOOP };
	const unsigned char           first = len > 0 ? (unsigned char)bytes[0] : 0;

	memset(out, 0, sizeof(*out));
	if (len > FG_RPC_TEXT_MAX || first >= sizeof(kinds) / sizeof(*kinds))
		return;
	out->kind = kinds[first];
	if (first == '4')
		parse_socket(out, bytes + 1, len - 1);
	else if (out->kind == FG_SIO_PING && len < 64)
		fg_buf_add(&out->text, bytes + 1, len - 1);
}

void
fg_sio_free(struct fg_sio_packet *packet)
{
	fg_buf_free(&packet->text);
}

void
fg_sio_message(struct fg_buf *out, const char *text, size_t len)
{
	fg_buf_str(out, "42[\"message\",");
	fg_json_quote(out, text, len);
	fg_buf_char(out, ']');
}
