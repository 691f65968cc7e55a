/* access: who may look at a project, who may change it, and whose workers may render it. Its owner and admins may do both; others what project.access
 * says. */
#ifndef FG_FARM_ACCESS_H
#define FG_FARM_ACCESS_H

#include "farm/project.h"
#include "farm/user.h"

enum fg_access { FG_ACCESS_NONE, FG_ACCESS_LOOK, FG_ACCESS_CHANGE };

/** What somebody may do with a project.
 *
 * @param user  NULL: nobody that we know
 * @param link  the secret that they came with, "" none; it counts while the project's access is 'link' */
enum fg_err fg_access_of(enum fg_access *out, struct fg_db *db, const struct fg_project *project, const struct fg_user *user, const char *link);

/** Who may look from now on. `viewers` are names of users, separated by blanks, for 'users'; a link gets a new secret each time it is opened.
 * FG_EINVAL names what is wrong. */
enum fg_err fg_access_set(struct fg_db *db, int64_t project, const char *access, const char *viewers, int64_t now_ms);

/** Whose workers may take its tasks from now on: "all", "mine", or names of users separated by blanks. What is lent stays lent. FG_EINVAL */
enum fg_err fg_access_set_workers(struct fg_db *db, int64_t project, const char *workers, int64_t now_ms);

/** Their names; none for everybody's. `mine`: the owner's alone. */
enum fg_err fg_access_workers(bool *mine, struct fg_db *db, const struct fg_project *project, void (*each)(void *ctx, const char *name), void *ctx);

/** The names of those that a project was opened to. */
enum fg_err fg_access_viewers(struct fg_db *db, int64_t project, void (*each)(void *ctx, const char *name), void *ctx);

#endif
