/* project_view: a project as one person sees it in the portal: what it is, what they may do, how long it takes, and one sentence how it goes. */
#ifndef FG_FARM_PROJECT_VIEW_H
#define FG_FARM_PROJECT_VIEW_H

#include <json-c/json.h>

#include "farm/access.h"
#include "farm/settings.h"

/** As lists show it: fg_project_json and size, thumbnail, left_ms, composing, mine, may_change, access. `user` may be NULL. */
json_object *fg_project_view(const struct fg_project *project, struct fg_db *db, const struct fg_user *user, enum fg_access may);

/** As its own page shows it: also viewers, link, products, summary, next_ask_ms (when the next worker that may take its tasks is expected). */
json_object *fg_project_view_whole(const struct fg_project *project, struct fg_db *db, const struct fg_settings *settings, const struct fg_user *user,
                                   enum fg_access may, int64_t now_ms);

#endif
