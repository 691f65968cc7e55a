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

/** Lend and describe. The answers of fg_lease_grant. Free with fg_job_free, whatever it returned. */
enum fg_err fg_job_take(struct fg_job *out, struct fg_farm *farm, const struct fg_offer *offer, int64_t now_ms);
void        fg_job_free(struct fg_job *job);

#endif
