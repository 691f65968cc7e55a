/* Fuzz entry: what a language model answers, in pieces of each size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "live/answer.h"
#include "text/escape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t     piece = size > 0 ? 1 + data[0] : 1;
	struct fg_answer answer = { 0 };
	struct fg_buf    words = { 0 };
	bool             fine = true;

	for (size_t at = 1; fine && at < size; at += piece)
		fine = fg_answer_take(&answer, &words, (const char *)data + at, size - at < piece ? size - at : piece);
	fg_answer_end(&answer, &words);
	if (words.len > FG_ANSWER_WORDS + 3 || !fg_utf8_valid(fg_buf_text(&words), words.len))
		abort();
	fg_buf_free(&words);
	return 0;
}
