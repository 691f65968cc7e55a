/* head: the head of an HTTP/1.1 request. */
#ifndef FG_LAUNCH_HEAD_H
#define FG_LAUNCH_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum { FG_HEAD_BYTES = 16384, FG_HEAD_FIELDS = 64 };

/** Texts point into `text`. */
struct fg_head {
	char  text[FG_HEAD_BYTES + 1];
	char *method, *path, *query;
	int   count;
	char *name[FG_HEAD_FIELDS], *value[FG_HEAD_FIELDS];
	bool  keep;            /**< the connection stays open after the answer */
	size_t body;           /**< Content-Length */
};

/** Parse what stands before the empty line (without it). False: not HTTP/1.0 or 1.1, too many fields, control characters, a body without a plain length. */
bool fg_head_parse(struct fg_head *out, const char *bytes, size_t len);

const char *fg_head_get(const struct fg_head *head, const char *name); /**< the first field of that name, "" when absent */

/** A value of the query, "" when absent. Not unescaped: what we look for needs no escapes. */
void fg_head_query(char *out, size_t size, const struct fg_head *head, const char *key);

/** A cookie's first value, "" when absent or longer than `size`. */
void fg_head_cookie(char *out, size_t size, const struct fg_head *head, const char *name);

#endif
