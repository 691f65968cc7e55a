/* template: a job as a client describes it becomes an argument list, or is refused with the reason. No shell ever sees it.
 *
 * A template's command is words; a word may hold placeholders:
 *   $SOLVER  program of one of the solvers     $INPUT   a file below an allowed folder
 *   $NCPU    1 to the host's cores             $MEMORY  a size: digits, then k, m or g if wanted
 *   $FILE    a name in the run's folder        $NUMBER  a whole number
 * The client's expression must be the same words, with these placeholders or with values of their types. */
#ifndef FG_LAUNCH_TEMPLATE_H
#define FG_LAUNCH_TEMPLATE_H

#include "base/arena.h"
#include "launch/config.h"

/** What a client asks for; texts may be "". */
struct fg_order {
	const char *input, *solver, *memory, *expr, *command;
	int64_t     ncpu;
};

/** What will be run. Belongs to the arena. */
struct fg_command {
	const struct fg_solver   *solver;
	const struct fg_template *template;
	const char               *const *argv; /**< NULL-terminated */
	const char               *text;        /**< the words with blanks, for people */
	int64_t                   memory_bytes; /**< 0: not said */
};

/** FG_OK, FG_EINVAL (a value of the wrong type), FG_EFORBIDDEN (no template, solver or folder allows it), FG_ENOTFOUND (no such input) */
enum fg_err fg_template_apply(struct fg_command *out, struct fg_arena *arena, const struct fg_launch_config *config, const struct fg_order *order);

/** "200m" as bytes of words of `word_bytes`; -1 for what is no size. */
int64_t fg_memory_bytes(const char *text, int word_bytes);

#endif
