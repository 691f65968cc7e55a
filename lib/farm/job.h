/* job: all that a worker must be told to render a lease. */
#ifndef FG_FARM_JOB_H
#define FG_FARM_JOB_H

#include "farm/farm.h"
#include "farm/lease.h"
#include "farm/project.h"

struct fg_job {
	struct fg_lease   lease;
	struct fg_project project;
	struct fg_buf     script; /**< Python for Blender */
};

enum fg_err fg_job_build(struct fg_job *out, struct fg_farm *farm, const struct fg_lease *lease); /**< free with fg_job_free, also after a failure */
void        fg_job_free(struct fg_job *job);

#endif
