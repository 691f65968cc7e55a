/* script: the Python that a worker's Blender runs before it renders a task: share/task.py with the task as data in it. */
#ifndef FG_FARM_SCRIPT_H
#define FG_FARM_SCRIPT_H

#include "base/buf.h"
#include "farm/lease.h"
#include "farm/project.h"

/** Write the script of one task. Values travel as base64 of JSON: nothing that people typed is ever Python. */
void fg_script_write(struct fg_buf *out, const struct fg_project *project, const struct fg_lease *lease);

#endif
