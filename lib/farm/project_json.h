/* project_json: a project as `project show --json` gives it; people script these keys. */
#ifndef FG_FARM_PROJECT_JSON_H
#define FG_FARM_PROJECT_JSON_H

#include <json-c/json.h>

#include "farm/project.h"

/** `spool`: result and raw are paths of this host; NULL: addresses of the portal. */
json_object *fg_project_json(const struct fg_project *project, const struct fg_spool *spool);

#endif
