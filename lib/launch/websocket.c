#include "launch/websocket.h"

#include <stdio.h>
#include <string.h>

#include <sha1.h>
#include <sodium.h>

#include "text/escape.h"

struct head {
	bool          last;
	unsigned char opcode, mask[4];
	uint64_t      len;
	size_t        size; /* of the head itself */
};

/* FG_WS_MESSAGE: the head is there. */
static enum fg_ws_got
read_head(struct head *out, const unsigned char *b, size_t len)
{
	size_t extra;

	if (len < 2)
		return FG_WS_MORE;
	if ((b[0] & 0x70) != 0 || (b[1] & 0x80) == 0)
		return FG_WS_BROKEN;
	out->last = (b[0] & 0x80) != 0;
	out->opcode = b[0] & 15;
	out->len = b[1] & 127;
	extra = out->len == 126 ? 2 : out->len == 127 ? 8 : 0;
	out->size = 2 + extra + 4;
	if (len < out->size)
		return FG_WS_MORE;
	if (extra > 0) {
		out->len = 0;
		for (size_t i = 0; i < extra; i++)
			out->len = out->len << 8 | b[2 + i];
	}
	memcpy(out->mask, b + 2 + extra, 4);
	return FG_WS_MESSAGE;
}

static bool
allowed(const struct fg_ws *ws, const struct head *head, size_t max)
{
	if (head->opcode >= FG_WS_CLOSE)
		return head->opcode <= FG_WS_PONG && head->last && head->len <= sizeof(ws->control);
	if (head->opcode != (ws->fragments ? FG_WS_CONTINUE : FG_WS_TEXT))
		return false;
	return head->len <= max && (ws->done ? 0 : ws->message.len) + head->len <= max;
}

enum fg_ws_got
fg_ws_take(struct fg_ws *ws, size_t *used, const unsigned char *bytes, size_t len, size_t max)
{
	struct head    head;
	enum fg_ws_got got = read_head(&head, bytes, len);
	char          *to;

	*used = 0;
	if (got != FG_WS_MESSAGE)
		return got;
	if (!allowed(ws, &head, max))
		return FG_WS_BROKEN;
	if (len - head.size < head.len)
		return FG_WS_MORE;
	*used = head.size + (size_t)head.len;
	if (head.opcode >= FG_WS_CLOSE) {
		ws->opcode = head.opcode;
		ws->control_len = (unsigned char)head.len;
		for (size_t i = 0; i < head.len; i++)
			ws->control[i] = bytes[head.size + i] ^ head.mask[i % 4];
		return FG_WS_CONTROL;
	}
	if (ws->done)
		fg_buf_clear(&ws->message);
	ws->done = false;
	to = fg_buf_room(&ws->message, (size_t)head.len + 1);
	for (size_t i = 0; i < head.len; i++)
		to[i] = (char)(bytes[head.size + i] ^ head.mask[i % 4]);
	ws->message.len += (size_t)head.len;
	ws->message.data[ws->message.len] = '\0';
	ws->fragments = !head.last;
	ws->done = head.last;
	if (!head.last)
		return FG_WS_MORE; /* *used says that it was taken */
	return fg_utf8_valid(ws->message.data, ws->message.len) ? FG_WS_MESSAGE : FG_WS_BROKEN;
}

void
fg_ws_frame(struct fg_buf *out, int opcode, const char *bytes, size_t len)
{
	fg_buf_char(out, (char)(0x80 | opcode));
	if (len < 126)
		fg_buf_char(out, (char)len);
	else {
		const int size = len < 65536 ? 2 : 8;

		fg_buf_char(out, size == 2 ? 126 : 127);
		for (int i = size - 1; i >= 0; i--)
			fg_buf_char(out, (char)(len >> (8 * i) & 255));
	}
	fg_buf_add(out, bytes, len);
}

bool
fg_ws_accept(char out[32], const char *key)
{
	unsigned char digest[SHA1_DIGEST_LENGTH];
	char          text[128];
	SHA1_CTX      sha;

	if (strlen(key) != 24 || strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != 22 || strcmp(key + 22, "==") != 0)
		return false;
	SHA1Init(&sha);
	SHA1Update(&sha, (const uint8_t *)text, (size_t)snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key));
	SHA1Final(digest, &sha);
	sodium_bin2base64(out, 32, digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
	return true;
}
