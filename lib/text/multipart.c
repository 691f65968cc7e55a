#include "text/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PARTS_MAX = 256, HEADERS_MAX = 8192, NAME_MAX_BYTES = 256 };

enum fg_err
fg_multipart_boundary(char out[71], const char *content_type)
{
	const char *at = strcasestr(content_type, "boundary=");
	size_t      len;

	if (at == NULL)
		return fg_fail(FG_EFORMAT, "the multipart body names no boundary");
	at += strlen("boundary=");
	if (*at == '"')
		len = strcspn(++at, "\"");
	else
		len = strcspn(at, "; \t");
	if (len == 0 || len > 70)
		return fg_fail(FG_EFORMAT, "a boundary has 1 to 70 bytes");
	memcpy(out, at, len);
	out[len] = '\0';
	return FG_OK;
}

void
fg_multipart_init(struct fg_multipart *m, const char *boundary, struct fg_field_sink sink)
{
	*m = (struct fg_multipart){ .sink = sink };
	m->delimiter_len = (size_t)snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%.70s", boundary);
	fg_buf_str(&m->pending, "\r\n"); /* the first boundary stands at the very start */
}

void
fg_multipart_free(struct fg_multipart *m)
{
	fg_buf_free(&m->pending);
}

static void
consume(struct fg_multipart *m, size_t len)
{
	memmove(m->pending.data, m->pending.data + len, m->pending.len - len + 1);
	m->pending.len -= len;
}

/* What follows Content-Disposition: in a part's headers; NULL when no line begins so. */
static const char *
disposition(const char *headers)
{
	static const char name[] = "content-disposition:";

	while (headers != NULL && strncasecmp(headers, name, strlen(name)) != 0)
		if ((headers = strstr(headers, "\r\n")) != NULL)
			headers += 2;
	return headers != NULL ? headers + strlen(name) : NULL;
}

/* One value up to its end; as much as fits goes to `out`. \" and \\ are taken back, as browsers write them. Returns where it ends, or NULL: too long, or
 * a quote that is never closed. */
static const char *
value(char *out, size_t size, const char *at)
{
	const bool quoted = *at == '"';
	size_t     len = 0;

	for (at += quoted; *at != '\0' && *at != '\r' && *at != (quoted ? '"' : ';'); at++) {
		if (quoted && at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		if (len + 1 == size)
			return NULL;
		out[len++] = *at;
	}
	while (!quoted && len > 0 && (out[len - 1] == ' ' || out[len - 1] == '\t'))
		len--;
	out[len] = '\0';
	return quoted && *at != '"' ? NULL : at + quoted;
}

/* `; key="value"` or `; key=value` of a Content-Disposition line. What stands in quotes is never taken for a key. */
static bool
parameter(char *out, size_t size, const char *line, const char *key)
{
	char        other[HEADERS_MAX + 1];
	const char *at = line + strcspn(line, ";\r");

	while (*at == ';') {
		const size_t len = strlen(key);
		bool         wanted;

		at += 1 + strspn(at + 1, " \t");
		wanted = strncasecmp(at, key, len) == 0 && at[len] == '=';
		at += strcspn(at, "=;\r");
		if (*at != '=')
			continue;
		at = value(wanted ? out : other, wanted ? size : sizeof(other), at + 1);
		if (at == NULL || wanted)
			return at != NULL;
		at += strcspn(at, ";\r");
	}
	return false;
}

static enum fg_err
begin_part(struct fg_multipart *m, const char *headers)
{
	char        name[NAME_MAX_BYTES], filename[NAME_MAX_BYTES];
	const char *line = disposition(headers);
	bool        is_file;

	if (++m->parts > PARTS_MAX)
		return fg_fail(FG_ETOOBIG, "a form has at most %d parts", PARTS_MAX);
	m->skip = line == NULL || !parameter(name, sizeof(name), line, "name");
	if (m->skip)
		return FG_OK;
	is_file = parameter(filename, sizeof(filename), line, "filename");
	return m->sink.begin(m->sink.ctx, name, is_file ? filename : NULL);
}

static enum fg_err
take_headers(struct fg_multipart *m, bool *more)
{
	char       *end = memmem(m->pending.data, m->pending.len, "\r\n\r\n", 4);
	size_t      len;
	enum fg_err err;

	if (m->pending.len >= 2 && memcmp(m->pending.data, "\r\n", 2) == 0) { /* no headers at all: nobody's part */
		consume(m, 2);
		m->state = FG_MULTIPART_DATA;
		m->skip = true;
		return ++m->parts > PARTS_MAX ? fg_fail(FG_ETOOBIG, "a form has at most %d parts", PARTS_MAX) : FG_OK;
	}
	if (end == NULL) {
		*more = false;
		return m->pending.len > HEADERS_MAX ? fg_fail(FG_ETOOBIG, "the headers of a part are too long") : FG_OK;
	}
	len = (size_t)(end - m->pending.data);
	if (len > HEADERS_MAX || memchr(m->pending.data, '\0', len) != NULL)
		return fg_fail(FG_EFORMAT, "the headers of a part are broken");
	*end = '\0';
	err = begin_part(m, m->pending.data);
	consume(m, len + 4);
	m->state = FG_MULTIPART_DATA;
	return err;
}

static enum fg_err
give(struct fg_multipart *m, size_t len)
{
	const enum fg_err err = len > 0 && !m->skip ? m->sink.data(m->sink.ctx, m->pending.data, len) : FG_OK;

	consume(m, len);
	return err;
}

/* Up to the next delimiter; what could be the start of one is kept back. */
static enum fg_err
take_data(struct fg_multipart *m, bool *more)
{
	const bool  preamble = m->state == FG_MULTIPART_PREAMBLE;
	const char *at = memmem(m->pending.data, m->pending.len, m->delimiter, m->delimiter_len);
	enum fg_err err;

	m->skip = m->skip || preamble;
	if (at == NULL) {
		*more = false;
		return m->pending.len > m->delimiter_len ? give(m, m->pending.len - m->delimiter_len) : FG_OK;
	}
	if ((err = give(m, (size_t)(at - m->pending.data))) != FG_OK)
		return err;
	consume(m, m->delimiter_len);
	m->state = FG_MULTIPART_DELIMITER;
	return preamble || m->skip ? FG_OK : m->sink.end(m->sink.ctx);
}

static enum fg_err
take_delimiter(struct fg_multipart *m, bool *more)
{
	size_t blank = 0;

	while (blank < m->pending.len && (m->pending.data[blank] == ' ' || m->pending.data[blank] == '\t'))
		blank++;
	if (m->pending.len < blank + 2) {
		*more = false;
		return blank > HEADERS_MAX ? fg_fail(FG_EFORMAT, "a boundary is followed by too many blanks") : FG_OK;
	}
	m->skip = false;
	if (memcmp(m->pending.data + blank, "--", 2) == 0)
		m->state = FG_MULTIPART_DONE;
	else if (memcmp(m->pending.data + blank, "\r\n", 2) == 0)
		m->state = FG_MULTIPART_HEADERS;
	else
		return fg_fail(FG_EFORMAT, "a boundary is not followed by a line's end");
	consume(m, blank + (m->state == FG_MULTIPART_DONE ? 2 : 0));
	if (m->state == FG_MULTIPART_HEADERS)
		consume(m, 2);
	return FG_OK;
}

enum fg_err
fg_multipart_feed(struct fg_multipart *m, const char *bytes, size_t len)
{
	enum fg_err err = FG_OK;
	bool        more = true;

	if (m->state == FG_MULTIPART_DONE)
		return FG_OK; /* the epilogue is nobody's */
	fg_buf_add(&m->pending, bytes, len);
	while (err == FG_OK && more)
		switch (m->state) {
		case FG_MULTIPART_PREAMBLE:
		case FG_MULTIPART_DATA:
			err = take_data(m, &more);
			break;
		case FG_MULTIPART_DELIMITER:
			err = take_delimiter(m, &more);
			break;
		case FG_MULTIPART_HEADERS:
			err = take_headers(m, &more);
			break;
		case FG_MULTIPART_DONE:
			more = false;
			break;
		}
	return err;
}

enum fg_err
fg_multipart_end(struct fg_multipart *m)
{
	return m->state == FG_MULTIPART_DONE ? FG_OK : fg_fail(FG_EFORMAT, "the multipart body ends before its closing boundary");
}
