/* multipart: the first byte says the size of the pieces, the first line is a Content-Type, the rest the body. Pieces must not change the outcome. */
#include <stdlib.h>
#include <string.h>

#include "../unit/fields.h"
#include "text/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fg_err
run(struct fg_buf *notes, const char *boundary, const char *body, size_t len, size_t step)
{
	struct fg_multipart multipart;
	enum fg_err         err = FG_OK;

	fg_multipart_init(&multipart, boundary, note_fields(notes));
	for (size_t at = 0; err == FG_OK && at < len; at += step)
		err = fg_multipart_feed(&multipart, body + at, len - at < step ? len - at : step);
	if (err == FG_OK)
		err = fg_multipart_end(&multipart);
	fg_multipart_free(&multipart);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char   *line = (const char *)data + 1, *end = size > 1 ? memchr(line, '\n', size - 1) : NULL;
	char          type[128] = "", boundary[71];
	struct fg_buf whole = { 0 }, pieces = { 0 };

	if (end == NULL || end - line >= (long)sizeof(type))
		return 0;
	memcpy(type, line, (size_t)(end - line));
	if (fg_multipart_boundary(boundary, type) == FG_OK) {
		const size_t len = size - 1 - (size_t)(end + 1 - line);

		if (run(&whole, boundary, end + 1, len, len + 1) == FG_OK &&
		    (run(&pieces, boundary, end + 1, len, data[0] + 1u) != FG_OK || whole.len != pieces.len || (whole.len > 0 && memcmp(whole.data, pieces.data, whole.len) != 0)))
			abort();
	}
	fg_buf_free(&whole);
	fg_buf_free(&pieces);
	return 0;
}
