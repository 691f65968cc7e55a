#include "launch/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
parse_first(struct fg_head *out, char *line)
{
	char *target = strchr(line, ' '), *version;

	if (target == NULL || (version = strchr(target + 1, ' ')) == NULL)
		return false;
	*target++ = '\0';
	*version++ = '\0';
	if (*target != '/' || (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
		return false;
	out->keep = version[7] == '1';
	out->method = line;
	out->path = target;
	out->query = target + strcspn(target, "?");
	if (*out->query == '?')
		*out->query++ = '\0';
	return true;
}

static bool
parse_field(struct fg_head *out, char *line)
{
	char  *colon = strchr(line, ':');
	size_t len;

	if (colon == NULL || colon == line || colon[-1] == ' ' || *line == ' ' || *line == '\t' || out->count == FG_HEAD_FIELDS)
		return false;
	*colon++ = '\0';
	colon += strspn(colon, " \t");
	for (len = strlen(colon); len > 0 && (colon[len - 1] == ' ' || colon[len - 1] == '\t'); len--)
		colon[len - 1] = '\0';
	for (int i = 0; i < out->count; i++) /* what decides must not come twice */
		if (strcasecmp(out->name[i], line) == 0 &&
		    (strcasecmp(line, "Host") == 0 || strcasecmp(line, "Origin") == 0 || strcasecmp(line, "Content-Length") == 0 || strcasecmp(line, "X-Forwarded-For") == 0))
			return false;
	out->name[out->count] = line;
	out->value[out->count++] = colon;
	return true;
}

static bool
parse_body(struct fg_head *out)
{
	const char *length = fg_head_get(out, "Content-Length");

	if (*fg_head_get(out, "Transfer-Encoding") != '\0' || strspn(length, "0123456789") != strlen(length) || strlen(length) > 12)
		return false;
	out->body = *length != '\0' ? strtoul(length, NULL, 10) : 0;
	if (strcasestr(fg_head_get(out, "Connection"), "close") != NULL)
		out->keep = false;
	return true;
}

bool
fg_head_parse(struct fg_head *out, const char *bytes, size_t len)
{
	char *line, *next;
	bool  first = true;

	out->count = 0;
	if (len > FG_HEAD_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)bytes[i] < 32 && bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\t') || bytes[i] == 127)
			return false;
	memcpy(out->text, bytes, len);
	out->text[len] = '\0';
	for (line = out->text; line != NULL; line = next, first = false) {
		if ((next = strstr(line, "\r\n")) != NULL) {
			*next = '\0';
			next += 2;
		}
		if (strpbrk(line, "\r\n") != NULL || !(first ? parse_first(out, line) : parse_field(out, line)))
			return false;
	}
	return parse_body(out);
}

const char *
fg_head_get(const struct fg_head *head, const char *name)
{
	for (int i = 0; i < head->count; i++)
		if (strcasecmp(head->name[i], name) == 0)
			return head->value[i];
	return "";
}

static void
find(char *out, size_t size, const char *text, const char *key, const char *separators)
{
	const size_t len = strlen(key);

	*out = '\0';
	for (const char *at = text + strspn(text, separators); *at != '\0'; at += strspn(at, separators)) {
		const size_t part = strcspn(at, separators);

		if (part > len && strncmp(at, key, len) == 0 && at[len] == '=') {
			if (part - len - 1 < size)
				snprintf(out, size, "%.*s", (int)(part - len - 1), at + len + 1);
			return;
		}
		at += part;
	}
}

void
fg_head_query(char *out, size_t size, const struct fg_head *head, const char *key)
{
	find(out, size, head->query, key, "&");
}

void
fg_head_cookie(char *out, size_t size, const struct fg_head *head, const char *name)
{
	find(out, size, fg_head_get(head, "Cookie"), name, "; ");
}
