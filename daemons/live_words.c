/* live_words: a text in the pieces that the progress app puts together again: first a reset, then some words each. */
#include <stdlib.h>
#include <string.h>

#include "live_parts.h"
#include "text/escape.h"

static void
add(struct fg_words *words, struct fg_buf *text)
{
	if ((words->count & (words->count - 1)) == 0)
		words->pieces = fg_realloc(words->pieces, (size_t)(words->count == 0 ? 1 : words->count * 2) * sizeof(struct fg_message *));
	words->pieces[words->count++] = fg_message_of(text);
}

static void
begin(struct fg_buf *out, const char *job, bool reset)
{
	fg_buf_str(out, "{\"type\":\"ai_text\",\"job_id\":");
	fg_escape_json(out, job);
	fg_buf_printf(out, ",\"reset\":%s", reset ? "true" : "false");
}

static void
add_piece(struct fg_words *words, const char *job, const char *text, size_t len)
{
	struct fg_buf out = { 0 }, piece = { 0 };

	fg_buf_add(&piece, text, len);
	begin(&out, job, false);
	fg_buf_str(&out, ",\"chunk\":");
	fg_escape_json(&out, fg_buf_text(&piece));
	fg_buf_char(&out, '}');
	fg_buf_free(&piece);
	add(words, &out);
}

struct fg_words *
fg_words_new(const char *job, const char *text)
{
	struct fg_words *words = fg_alloc(sizeof(*words));
	struct fg_buf    reset = { 0 };

	*words = (struct fg_words){ .refs = 1 };
	begin(&reset, job, true);
	fg_buf_char(&reset, '}');
	add(words, &reset);
	fg_words_grow(words, job, text);
	return words;
}

void
fg_words_grow(struct fg_words *words, const char *job, const char *text)
{
	enum { PIECE = 24 };

	while (*text != '\0') {
		size_t len = strlen(text) < PIECE ? strlen(text) : PIECE + strcspn(text + PIECE, " ");

		add_piece(words, job, text, len);
		text += len;
	}
}

void
fg_words_release(struct fg_words *words)
{
	if (words == NULL || --words->refs > 0)
		return;
	for (int i = 0; i < words->count; i++)
		fg_message_release(words->pieces[i]);
	free(words->pieces);
	free(words);
}
