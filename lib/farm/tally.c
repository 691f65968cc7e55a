#include "farm/tally.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NORMAL = 300 };

static bool
is_path_letter(char c)
{
	return c != '\0' && !isspace((unsigned char)c) && strchr("'\"(),;:<>|", c) == NULL;
}

/* The last part of a path that begins at `at` (/…, C:\…, \\…), whose end goes to *end; NULL when it is none. */
static const char *
path_end(const char **end, const char *at)
{
	const char *last = NULL, *p = at;

	if (isalpha((unsigned char)p[0]) && p[1] == ':' && (p[2] == '\\' || p[2] == '/'))
		p += 2;
	else if (p[0] != '/' && !(p[0] == '\\' && p[1] == '\\'))
		return NULL;
	for (; is_path_letter(*p); p++)
		if (*p == '/' || *p == '\\')
			last = p + 1;
	*end = p;
	return last != NULL && last < p ? last : NULL;
}

static size_t
number_len(const char *at)
{
	size_t len = strspn(at, "0123456789");

	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		return 2 + strspn(at + 2, "0123456789abcdefABCDEF");
	while (at[len] == '.' && isdigit((unsigned char)at[len + 1]))
		len += 1 + strspn(at + len + 1, "0123456789");
	return len;
}

/* Copies `len` bytes with numbers as #. */
static size_t
plain(char *out, size_t at, size_t size, const char *text, size_t len)
{
	for (size_t i = 0; i < len && at < size - 1;) {
		if (isdigit((unsigned char)text[i])) {
			const size_t digits = number_len(text + i);

			out[at++] = '#';
			i += digits < len - i ? digits : len - i;
		} else {
			out[at++] = text[i++];
		}
	}
	return at;
}

void
fg_tally_normalise(char *out, size_t size, const char *line)
{
	size_t at = 0;
	char   before = ' ';

	while (*line != '\0' && at < size - 1) {
		const char *end = line + 1, *last = isalnum((unsigned char)before) ? NULL : path_end(&end, line);

		if (last != NULL) {
			at = plain(out, at, size, last, (size_t)(end - last));
		} else {
			end = line + (isdigit((unsigned char)*line) ? number_len(line) : 1);
			at = plain(out, at, size, line, (size_t)(end - line));
		}
		before = end[-1];
		line = end;
	}
	out[at] = '\0';
}

uint64_t
fg_tally_print(const char *line)
{
	char     normal[NORMAL];
	uint64_t print = 14695981039346656037u;

	fg_tally_normalise(normal, sizeof(normal), line);
	for (const char *p = normal; *p != '\0'; p++)
		print = (print ^ (unsigned char)*p) * 1099511628211u;
	return print != 0 ? print : 1;
}

static struct fg_tally_row *
row_of(struct fg_tally *tally, const char *outcome)
{
	const struct fg_cause *cause = fg_cause_of(outcome);
	const uint64_t         print = strcmp(cause->name, "other") == 0 ? fg_tally_print(outcome) : 0;

	for (int i = 0; i < tally->count; i++)
		if (tally->rows[i].cause == cause && tally->rows[i].print == print)
			return &tally->rows[i];
	if (tally->count == FG_TALLY_ROWS)
		return NULL;
	tally->rows[tally->count] = (struct fg_tally_row){ .cause = cause, .print = print };
	return &tally->rows[tally->count++];
}

void
fg_tally_add(struct fg_tally *tally, const char *outcome, int64_t worker, int64_t frame)
{
	struct fg_tally_row *row = row_of(tally, outcome);
	int                  i = 0;

	tally->total++;
	if (row == NULL) {
		tally->other++;
		return;
	}
	if (row->count++ == 0) {
		snprintf(row->line, sizeof(row->line), "%s", outcome);
		row->frame_first = row->frame_last = frame;
	}
	row->frame_first = frame < row->frame_first ? frame : row->frame_first;
	row->frame_last = frame > row->frame_last ? frame : row->frame_last;
	while (i < row->nworkers && row->workers[i] != worker)
		i++;
	if (i == row->nworkers && i < FG_TALLY_WORKERS)
		row->workers[row->nworkers++] = worker;
}

const struct fg_tally_row *
fg_tally_worst(const struct fg_tally *tally)
{
	const struct fg_tally_row *worst = NULL;

	for (int i = 0; i < tally->count; i++)
		if (worst == NULL || tally->rows[i].count > worst->count)
			worst = &tally->rows[i];
	return worst;
}
