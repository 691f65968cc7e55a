#include "base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char       *program = "farmgate", *request;
static enum fg_log_level lowest = FG_LOG_INFO;
static int               beside = -1; /* a file that gets each line, too */

static const char *const names[] = { "debug", "info", "warn", "error" };

const char *
fg_log_folder(void)
{
	const char *folder = getenv("LOGS_DIRECTORY");

	return folder != NULL && folder[0] == '/' ? folder : NULL;
}

void
fg_log_program(const char *name)
{
	char path[PATH_MAX];

	program = name;
	if (fg_log_folder() != NULL && beside < 0 && snprintf(path, sizeof(path), "%s/%s.log", fg_log_folder(), name) < (int)sizeof(path))
		beside = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

void
fg_log_request(const char *id)
{
	request = id;
}

void
fg_log_level(enum fg_log_level level)
{
	lowest = level;
}

static size_t
head(char *line, size_t size, enum fg_log_level level, const char *event)
{
	struct timespec now;
	struct tm       utc;
	size_t          len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(line, size, "time=%Y-%m-%dT%H:%M:%S", &utc);
	len += (size_t)snprintf(line + len, size - len, ".%03dZ level=%s program=%s pid=%d event=%s ", (int)(now.tv_nsec / 1000000),
	                        names[level], program, (int)getpid(), event);
	return len;
}

void
fg_log(enum fg_log_level level, const char *event, const char *format, ...)
{
	char    line[2048];
	size_t  len;
	va_list args;

	if (level < lowest)
		return;
	len = head(line, 512, level, event);
	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len - 80, format, args);
	va_end(args);
	len += strlen(line + len);
	if (request != NULL)
		len += (size_t)snprintf(line + len, 72, " req=%.64s", request);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0 || (beside >= 0 && write(beside, line, len) < 0))
		return; /* nobody to tell */
}

struct fg_log_quoted
fg_log_quote(const char *text)
{
	struct fg_log_quoted out = { .text = "\"" };
	size_t               len = 1;

	for (; text != NULL && *text != '\0' && len < 256; text++)
		out.text[len++] = *text == '"' ? '\'' : (unsigned char)*text < 0x20 ? ' ' : *text;
	out.text[len++] = '"';
	out.text[len] = '\0';
	return out;
}
