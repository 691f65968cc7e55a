/* rules: what a solver's output means, told by a file and not by C. A rule is a text that a line contains and where its number stands:
 *
 *   [solver]                           [line]
 *   stop_file = d3kil                  started = "Livermore  Software"
 *   stop_text = sw1                    end     = "termination time" last first
 *   codes     = sw1 sw2 stop           current = "write d3plot file" token 3
 *   outputs   = d3plot* d3dump*        error   = "E r r o r"
 *   word_bytes = 8                     normal  = "N o r m a l"
 *
 * Kinds with a number: end current percent mass mass_pct step elapsed remaining. Without: started normal error.
 * Where it stands: `last` token, `token N` (negative: from the end), `after` the text, `before` it; `first` keeps the first one found. */
#ifndef FG_LAUNCH_RULES_H
#define FG_LAUNCH_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum fg_rule_kind {
	FG_RULE_STARTED, FG_RULE_NORMAL, FG_RULE_ERROR, FG_RULE_END, FG_RULE_CURRENT, FG_RULE_PERCENT, FG_RULE_MASS, FG_RULE_MASS_PCT,
	FG_RULE_STEP, FG_RULE_ELAPSED, FG_RULE_REMAINING, FG_RULE_KINDS
};
enum fg_rule_where { FG_WHERE_NONE, FG_WHERE_TOKEN, FG_WHERE_AFTER, FG_WHERE_BEFORE };
enum { FG_RULES_MAX = 64, FG_RULE_TEXT = 96, FG_READ_LINE = 4096 };

struct fg_rule {
	enum fg_rule_kind  kind;
	enum fg_rule_where where;
	int                token; /**< 1 is the first, -1 the last */
	bool               first;
	char               text[FG_RULE_TEXT];
};

struct fg_rules {
	char           name[64], stop_file[64], stop_text[32], codes[256], outputs[1024];
	int            word_bytes; /**< bytes of a unit of $MEMORY */
	int            count;
	struct fg_rule rule[FG_RULES_MAX];
};

/** Parse one rule, as after the `=`. FG_EINVAL says what is wrong. */
enum fg_err fg_rule_parse(struct fg_rule *out, enum fg_rule_kind kind, const char *text);

/** A whole rule file. FG_EFORMAT, FG_EINVAL with file and line. */
enum fg_err fg_rules_read(struct fg_rules *out, const char *bytes, size_t len);
enum fg_err fg_rules_file(struct fg_rules *out, const char *path);

/** The number that a rule finds in a line that contains its text. Fortran's D exponents count; infinities and hexadecimals don't. */
bool fg_rule_number(double *out, const struct fg_rule *rule, const char *line);

/** What has been read of a run's output. `{0}` at its start. */
struct fg_reading {
	bool   have[FG_RULE_KINDS];
	double value[FG_RULE_KINDS];
	bool   started, normal, error;
	bool   cut;                /**< the rest of a line that is too long is passed over */
	size_t held;               /**< of the unfinished line */
	char   line[FG_READ_LINE];
};

/** More output, in any pieces. Lines longer than FG_READ_LINE count by their beginning. Returns true when anything changed. */
bool fg_reading_feed(struct fg_reading *reading, const struct fg_rules *rules, const char *bytes, size_t len);

/** The last line, when it came without its end. */
bool fg_reading_end(struct fg_reading *reading, const struct fg_rules *rules);

/** Per cent done, 0 to 100; -1 while nobody knows. */
double fg_reading_percent(const struct fg_reading *reading);

/** Seconds to go after `elapsed_s` of running; -1 while nobody knows. */
double fg_reading_eta(const struct fg_reading *reading, double elapsed_s);

#endif
