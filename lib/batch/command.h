/* command: a hook of a recipe: split into words as a shell would quote them, checked against what the admin allows, run without a shell. */
#ifndef FG_BATCH_COMMAND_H
#define FG_BATCH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { FG_COMMAND_WORDS = 64, FG_COMMAND_TEXT = 1024 };

struct fg_command {
	char        text[FG_COMMAND_TEXT];
	const char *words[FG_COMMAND_WORDS + 1]; /**< into `text`, closed with NULL */
	int         count;
};

/** 'single', "double" quotes and \ as in a shell. FG_EINVAL: a quote without end, too long, or signs that only a shell could act on (| & ; < > $ ` * ?). */
enum fg_err fg_command_split(struct fg_command *out, const char *text);

/** Does the list allow it? Templates are separated by `;`; a word `*` stands for one word without a leading `-`, a template `*` alone for any command. */
bool fg_command_allowed(const struct fg_command *command, const char *templates);

/** Run it, nothing on its input, its output to our log, at most `seconds`; then its whole group is killed.
 * FG_OK: exit status 0; FG_EIO with a text otherwise */
enum fg_err fg_command_run(const struct fg_command *command, int seconds);

#endif
