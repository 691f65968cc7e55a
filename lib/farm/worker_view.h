/* worker_view: a machine as one person sees it in the portal. */
#ifndef FG_FARM_WORKER_VIEW_H
#define FG_FARM_WORKER_VIEW_H

#include <json-c/json.h>

#include "farm/worker.h"

/** What it is, what it did, what it renders now (`jobs`, titles only of projects that `viewer` may see) and when it comes again. */
json_object *fg_worker_view(const struct fg_worker *worker, struct fg_db *db, const struct fg_user *viewer, int64_t now_ms);

/** Its newest 500 requests, answers and reports: `log`. */
json_object *fg_worker_log(struct fg_db *db, int64_t worker);

#endif
