/* answer: what a language model says, byte by byte as it comes: an event stream of chat.completion.chunk objects, or one chat.completion. */
#ifndef FG_LIVE_ANSWER_H
#define FG_LIVE_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"

enum { FG_ANSWER_BYTES = 1 << 18, FG_ANSWER_LINE = 1 << 16, FG_ANSWER_WORDS = 2000 };

/** Zeroed before the first byte. */
struct fg_answer {
	struct fg_buf line; /**< what no line's end has followed yet */
	size_t        bytes;
	bool          over; /**< it said itself that it is whole */
};

/** More of it.
 * @param words its text so far: UTF-8 of whole characters without control characters, at most FG_ANSWER_WORDS bytes and the rest of a character
 * @return false: nobody's answer (no JSON where it should be, no UTF-8, more than FG_ANSWER_BYTES, a line of more than FG_ANSWER_LINE) */
bool fg_answer_take(struct fg_answer *answer, struct fg_buf *words, const char *bytes, size_t len);

/** No more comes. @return whether it is whole and says something. Frees what the answer holds; not the words. */
bool fg_answer_end(struct fg_answer *answer, struct fg_buf *words);

#endif
