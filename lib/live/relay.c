#include "live/relay.h"

#include <string.h>

#include "live/wish.h"

bool
fg_relay_read(struct fg_relay_frame *out, const char *bytes, size_t len, bool home)
{
	const unsigned char *head = (const unsigned char *)bytes;

	if (len < FG_RELAY_HEAD)
		return false;
	*out = (struct fg_relay_frame){ .kind = bytes[0], .bytes = bytes + FG_RELAY_HEAD, .len = len - FG_RELAY_HEAD };
	out->viewer = (uint32_t)head[1] << 24 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 8 | head[4];
	if (out->viewer == 0)
		return false;
	if (out->kind == FG_RELAY_CLOSE || (!home && (out->kind == FG_RELAY_OPEN || out->kind == FG_RELAY_NEXT)))
		return out->len == 0;
	if (home)
		return (out->kind == FG_RELAY_PART || out->kind == FG_RELAY_LAST) && out->len > 0 && out->len <= FG_RELAY_PIECE;
	return out->kind == FG_RELAY_SAY && out->len <= FG_WISH_MAX;
}

void
fg_relay_head(unsigned char out[FG_RELAY_HEAD], enum fg_relay_kind kind, uint32_t viewer)
{
	out[0] = (unsigned char)kind;
	for (int i = 0; i < 4; i++)
		out[1 + i] = (unsigned char)(viewer >> (24 - 8 * i));
}

bool
fg_relay_names(const char *words, const char *name)
{
	const size_t len = strlen(name);

	for (words += strspn(words, " ,"); *words != '\0'; words += strspn(words, " ,")) {
		const size_t one = strcspn(words, " ,");

		if (one == len && strncmp(words, name, len) == 0)
			return true;
		words += one;
	}
	return false;
}
