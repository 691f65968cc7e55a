/* program: the portal's processes that are up. Each notes itself when it starts; a row is true while the process with that pid began when the row says so. */
#ifndef FG_FARM_PROGRAM_H
#define FG_FARM_PROGRAM_H

#include <stdint.h>

#include "store/db.h"

struct fg_program {
	int64_t pid, started_ms;
	char    name[64];
};

/** This process is up. What a failure costs is a line in a list. */
void fg_program_note(struct fg_db *db, const char *name, int64_t now_ms);

/** Those that are up, by name. The callback returns false to stop. */
enum fg_err fg_program_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_program *program), void *ctx);

/** Forget those that are no more. */
enum fg_err fg_program_sweep(struct fg_db *db);

/** What program `path` answers to `word` (-version and the like): the first version number in it, "" where it can't be asked. Asked once for each
 * state of its file, in a cage, without a shell. Belongs to this function until the next call. */
const char *fg_program_version(const char *path, const char *word);

#endif
