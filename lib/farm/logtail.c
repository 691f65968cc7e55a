#include "farm/logtail.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum { TAIL = 65536, FILES = 128, LINE = 2048 };

struct line {
	int64_t at_ms;
	size_t  order; /**< as found: lines of the same millisecond stay in their file's order */
	char   *text;
};

struct lines {
	struct line *line;
	size_t       count, room;
};

/* `time=2026-01-02T03:04:05.678Z …`; 0 for a line that doesn't begin so. */
static int64_t
time_of(const char *line)
{
	struct tm tm = { 0 };
	int       ms = 0;

	if (sscanf(line, "time=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) != 7)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000 + ms;
}

static void
keep(struct lines *lines, int64_t at_ms, const char *text, size_t len)
{
	if (lines->count == lines->room) {
		lines->room = lines->room > 0 ? lines->room * 2 : 1024;
		lines->line = realloc(lines->line, lines->room * sizeof(*lines->line));
		if (lines->line == NULL)
			abort();
	}
	lines->line[lines->count] = (struct line){ .at_ms = at_ms, .order = lines->count, .text = strndup(text, len < LINE ? len : LINE) };
	if (lines->line[lines->count++].text == NULL)
		abort();
}

/* The end of a file, whole lines of ours alone. */
static void
take_file(struct lines *lines, const char *path, int64_t after_ms)
{
	static char text[TAIL + 1];
	const int   fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t     len = -1;
	char       *at = text, *end;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		len = pread(fd, text, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return;
	text[len] = '\0';
	if (st.st_size > TAIL)
		at += strcspn(at, "\n"); /* the first one is broken */
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		const int64_t at_ms = time_of(at);

		if (at_ms > after_ms)
			keep(lines, at_ms, at, (size_t)(end - at));
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->at_ms != y->at_ms ? (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms) : (x->order > y->order) - (x->order < y->order);
}

static void
take_all(struct lines *lines, const char *folder, int64_t after_ms)
{
	char           path[PATH_MAX];
	struct dirent *entry;
	int            files = 0;
	DIR           *dir = opendir(folder);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL && files < FILES) {
		const size_t len = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || len < 5 || strcmp(entry->d_name + len - 4, ".log") != 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < (int)sizeof(path))
			take_file(lines, path, after_ms);
		files++;
	}
	closedir(dir);
}

enum fg_err
fg_logtail(int64_t *last_ms, const char *folder, const char *file, int64_t after_ms, void (*each)(void *ctx, const char *line), void *ctx)
{
	char         path[PATH_MAX];
	struct lines lines = { 0 };
	size_t       from;

	*last_ms = after_ms;
	if (strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(file) || snprintf(path, sizeof(path), "%s/%s.log", folder, file) >= (int)sizeof(path))
		return fg_fail(FG_EINVAL, "a log is called as its program is");
	if (*file != '\0')
		take_file(&lines, path, after_ms);
	else
		take_all(&lines, folder, after_ms);
	qsort(lines.line, lines.count, sizeof(*lines.line), by_time);
	from = lines.count > FG_LOGTAIL_LINES ? lines.count - FG_LOGTAIL_LINES : 0;
	for (size_t i = 0; i < lines.count; i++) {
		if (i >= from)
			each(ctx, lines.line[i].text);
		*last_ms = lines.line[i].at_ms;
		free(lines.line[i].text);
	}
	free(lines.line);
	return FG_OK;
}
