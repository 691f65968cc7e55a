/* project_add: the longest of the commands on projects. */
#ifndef FG_ADMIN_PROJECT_ADD_H
#define FG_ADMIN_PROJECT_ADD_H

#include "admin/admin.h"

extern const char admin_project_add_usage[];

enum fg_err admin_project_add(struct admin *admin);

#endif
