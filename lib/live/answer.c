#include "live/answer.h"

#include <string.h>

#include <json-c/json.h>

#include "text/escape.h"
#include "text/json.h"

enum { DEPTH = 16 };

static bool
add_words(struct fg_buf *words, const char *text)
{
	if (!fg_utf8_valid(text, strlen(text)))
		return false;
	for (; *text != '\0'; text++) {
		if (words->len >= FG_ANSWER_WORDS && ((unsigned char)*text & 0xc0) != 0x80)
			break;
		fg_buf_char(words, (unsigned char)*text < ' ' ? ' ' : *text);
	}
	return true;
}

static json_object *
member(json_object *object, const char *name, json_type type)
{
	json_object *out;

	return json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, name, &out) && json_object_is_type(out, type) ? out : NULL;
}

static bool
read_object(struct fg_answer *answer, struct fg_buf *words, const char *json, size_t len)
{
	json_object *whole, *choices, *choice, *said, *content;
	bool         fine = fg_json_parse(&whole, json, len, DEPTH, NULL) == FG_OK;

	choices = member(whole, "choices", json_type_array);
	choice = choices != NULL ? json_object_array_get_idx(choices, 0) : NULL;
	if ((said = member(choice, "delta", json_type_object)) == NULL)
		said = member(choice, "message", json_type_object);
	if ((content = member(said, "content", json_type_string)) != NULL)
		fine = add_words(words, json_object_get_string(content));
	answer->over |= member(choice, "finish_reason", json_type_string) != NULL;
	json_object_put(whole);
	return fine;
}

/* A line of an event stream, or a whole answer at once; what is neither (a comment, an event's name) says nothing. */
static bool
read_line(struct fg_answer *answer, struct fg_buf *words)
{
	const char  *text = fg_buf_text(&answer->line);
	const size_t prefix = strncmp(text, "data:", 5) == 0 ? 5 + strspn(text + 5, " ") : 0;
	bool         fine = true;

	if (prefix > 0 && strncmp(text + prefix, "[DONE]", 6) == 0)
		answer->over = true;
	else if (text[prefix] == '{')
		fine = read_object(answer, words, text + prefix, answer->line.len - prefix);
	fg_buf_clear(&answer->line);
	return fine;
}

bool
fg_answer_take(struct fg_answer *answer, struct fg_buf *words, const char *bytes, size_t len)
{
	if (len > FG_ANSWER_BYTES - answer->bytes)
		return false;
	answer->bytes += len;
	for (size_t i = 0; i < len; i++) {
		const bool ends = bytes[i] == '\n' && (answer->line.len == 0 || answer->line.data[0] != '{'); /* one answer may have many lines */

		if (!ends)
			fg_buf_char(&answer->line, bytes[i]);
		if (answer->line.len > FG_ANSWER_LINE || (ends && !read_line(answer, words)))
			return false;
	}
	return true;
}

bool
fg_answer_end(struct fg_answer *answer, struct fg_buf *words)
{
	const bool fine = answer->line.len == 0 || read_line(answer, words);

	fg_buf_free(&answer->line);
	return fine && answer->over && words->len > 0;
}
