/* admin: what the nouns of farmgate-admin share: the farm, the arguments, and one way of showing things. */
#ifndef FG_ADMIN_H
#define FG_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "farm/farm.h"

struct admin {
	struct fg_farm farm;
	bool           json;
	int64_t        now_ms;
	char         **args; /**< what is left of the command line: options are taken out, positions stay */
	int            count;
};

enum admin_needs {
	NEEDS_NOTHING, /**< no farm at all */
	NEEDS_FILE,    /**< farm.settings from the file, state not open */
	NEEDS_FARM,    /**< everything open */
};

/** One command. A verb of NULL is a noun alone ("migrate"). */
struct admin_command {
	const char      *noun, *verb, *usage, *what;
	enum admin_needs needs;
	enum fg_err (*run)(struct admin *admin);
};

/* The tables of all nouns; each ends with a row without noun. */
extern const struct admin_command admin_user_commands[], admin_key_commands[], admin_renderer_commands[], admin_project_commands[],
	admin_worker_commands[], admin_state_commands[], admin_inspect_commands[];

/* Arguments. Take options first; then say how many positions there may be. */
const char *admin_option(struct admin *admin, const char *name);  /**< the value of `--name VALUE` or `--name=VALUE`, taken out; NULL when there is none (left) */
bool        admin_flag(struct admin *admin, const char *name);    /**< was `--name` there? Taken out. */
enum fg_err admin_positions(struct admin *admin, int least, int most, const char *usage); /**< FG_EINVAL with the usage; also when an option is left */
enum fg_err admin_id(int64_t *out, const char *text);             /**< a whole number from 1 on */
enum fg_err admin_number(int64_t *out, const char *what, const char *text, int64_t min, int64_t max);

/* Showing: one value of JSON in either dress, on stdout. Taken over. */
void admin_show(struct admin *admin, json_object *value);                  /**< --json: a line of JSON; else a table of an array, lines of an object */
void admin_show_as(struct admin *admin, json_object *value, const char *key); /**< the same, but without --json only the value of this key */

/** Read one line from stdin, without echo when it is a terminal. FG_EINVAL at the end of the input. */
enum fg_err admin_password(char out[1026], const char *prompt);

#endif
