/* project_json: a project as `project show --json` gives it; people script these keys. */
#ifndef FG_ADMIN_PROJECT_JSON_H
#define FG_ADMIN_PROJECT_JSON_H

#include <json-c/json.h>

#include "farm/project.h"

json_object *project_json(const struct fg_project *project, const struct fg_spool *spool);

#endif
