/* json_stream, base64: bytes in pieces of the size that the first byte says give what they give at once. */
#include <stdlib.h>
#include <string.h>

#include "../unit/fields.h"
#include "text/base64.h"
#include "text/json_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fg_err
read_in(struct fg_buf *notes, const uint8_t *data, size_t size, size_t step)
{
	struct fg_json_stream json;
	enum fg_err           err = FG_OK;

	fg_json_stream_init(&json, note_fields(notes));
	for (size_t at = 0; err == FG_OK && at < size; at += step)
		err = fg_json_stream_feed(&json, (const char *)data + at, size - at < step ? size - at : step);
	return err == FG_OK ? fg_json_stream_end(&json) : err;
}

static void
decode(const uint8_t *data, size_t size)
{
	struct fg_base64 base64 = { .count = 0 };
	uint8_t         *out = malloc(size / 4 * 3 + 3);
	size_t           made;

	if (fg_base64_feed(&base64, out, &made, (const char *)data, size) == FG_OK)
		fg_base64_end(&base64);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_buf whole = { 0 }, pieces = { 0 };

	if (size < 1)
		return 0;
	if (read_in(&whole, data + 1, size - 1, size) != read_in(&pieces, data + 1, size - 1, data[0] + 1u) || strcmp(fg_buf_text(&whole), fg_buf_text(&pieces)) != 0)
		abort();
	fg_buf_free(&whole);
	fg_buf_free(&pieces);
	decode(data, size);
	return 0;
}
