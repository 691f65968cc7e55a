/* Fuzz entry: a log that is redacted. The owner's name never comes through as a word of its own, and what goes out is not much more than came in. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "live/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "annika", "" };
	struct fg_buf            text = { 0 }, out = { 0 };

	if (size > 1 << 16)
		return 0;
	fg_buf_add(&text, data, size);
	fg_redact(&out, fg_buf_text(&text), names, 2);
	if (strlen(fg_buf_text(&out)) != out.len || out.len > 16 * size + 64)
		abort();
	for (const char *at = fg_buf_text(&out); (at = strstr(at, " annika ")) != NULL; at++)
		abort();
	fg_buf_free(&text);
	fg_buf_free(&out);
	return 0;
}
