/* show: JSON for scripts; tables and lines for people. Text from strangers can't move the terminal's cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/admin.h"
#include "base/buf.h"

enum { COLUMNS_MAX = 32, CELL_MAX = 60 };

static void
add_plain(struct fg_buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		fg_buf_char(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void
add_time(struct fg_buf *out, int64_t ms)
{
	const time_t seconds = (time_t)(ms / 1000);
	struct tm    tm;
	char         text[32];

	if (ms <= 0 || localtime_r(&seconds, &tm) == NULL)
		fg_buf_str(out, "-");
	else
		fg_buf_add(out, text, strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm));
}

/* A value as people read it; keys that end in _ms are times. */
static void
add_cell(struct fg_buf *out, const char *key, json_object *value)
{
	const size_t len = strlen(key);

	switch (json_object_get_type(value)) {
	case json_type_null:
		fg_buf_str(out, "-");
		break;
	case json_type_boolean:
		fg_buf_str(out, json_object_get_boolean(value) ? "yes" : "no");
		break;
	case json_type_int:
		if (len > 3 && strcmp(key + len - 3, "_ms") == 0)
			add_time(out, json_object_get_int64(value));
		else
			add_plain(out, json_object_get_string(value));
		break;
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			fg_buf_str(out, i > 0 ? ", " : "");
			add_cell(out, "", json_object_array_get_idx(value, i));
		}
		break;
	default:
		add_plain(out, json_object_get_string(value));
	}
}

/* Characters that take a place, not bytes. */
static int
width_of(const char *text)
{
	int width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void
show_lines(json_object *object)
{
	json_object_object_foreach(object, key, value) {
		struct fg_buf cell = { 0 };

		add_cell(&cell, key, value);
		printf("%-16s %s\n", key, fg_buf_text(&cell));
		fg_buf_free(&cell);
	}
}

/* One row: the header when `row` is NULL. Widths grow in the first of two passes. */
static void
table_row(json_object *first, json_object *row, int widths[COLUMNS_MAX], bool print)
{
	int column = 0, padding = 0; /* of the column before: the last one has none */

	json_object_object_foreach(first, key, unused) {
		struct fg_buf cell = { 0 };
		int           width;

		(void)unused;
		if (row == NULL)
			fg_buf_str(&cell, key);
		else
			add_cell(&cell, key, json_object_object_get(row, key));
		width = width_of(fg_buf_text(&cell));
		if (print)
			printf("%*s%s", column > 0 ? padding + 2 : 0, "", fg_buf_text(&cell));
		else if (width > widths[column])
			widths[column] = width < CELL_MAX ? width : CELL_MAX;
		padding = widths[column] > width ? widths[column] - width : 0;
		fg_buf_free(&cell);
		if (++column == COLUMNS_MAX)
			break;
	}
	if (print)
		putchar('\n');
}

static void
show_table(json_object *rows)
{
	const size_t count = json_object_array_length(rows);
	json_object *first = count > 0 ? json_object_array_get_idx(rows, 0) : NULL;
	int          widths[COLUMNS_MAX] = { 0 };

	if (first == NULL)
		return;
	if (json_object_get_type(first) != json_type_object) {
		for (size_t i = 0; i < count; i++)
			puts(json_object_get_string(json_object_array_get_idx(rows, i)));
		return;
	}
	for (int print = 0; print < 2; print++) {
		table_row(first, NULL, widths, print);
		for (size_t i = 0; i < count; i++)
			table_row(first, json_object_array_get_idx(rows, i), widths, print);
	}
}

void
admin_show(struct admin *admin, json_object *value)
{
	if (admin->json)
		puts(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (json_object_get_type(value) == json_type_array)
		show_table(value);
	else
		show_lines(value);
	json_object_put(value);
}

void
admin_show_as(struct admin *admin, json_object *value, const char *key)
{
	if (admin->json) {
		admin_show(admin, value);
		return;
	}
	puts(json_object_get_string(json_object_object_get(value, key)));
	json_object_put(value);
}
