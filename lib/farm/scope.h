/* scope: what an API token is good for. Words separated by blanks in secret.scope; none at all is what tokens were before there were words: read submit. */
#ifndef FG_FARM_SCOPE_H
#define FG_FARM_SCOPE_H

#include "base/err.h"

enum fg_scope {
	FG_SCOPE_READ = 1,   /**< look at projects, results, events, workers */
	FG_SCOPE_SUBMIT = 2, /**< upload, create projects, change one's own */
	FG_SCOPE_BATCH = 4,  /**< the batch API */
	FG_SCOPE_ADMIN = 8,  /**< all that its user may do; only an admin has such a token */
	FG_SCOPE_RELAY = 16, /**< show the farm that dials in with it; the scope admin doesn't do */
};

/** The bits of a text; unknown words are none. */
int fg_scope_bits(const char *text);

/** FG_EINVAL for a word that is no scope. */
enum fg_err fg_scope_check(const char *text);

#endif
