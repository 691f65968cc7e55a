#include "farm/job.h"

#include "farm/script.h"

enum fg_err
fg_job_build(struct fg_job *out, struct fg_farm *farm, const struct fg_lease *lease)
{
	enum fg_err err;

	*out = (struct fg_job){ .lease = *lease };
	if ((err = fg_project_get(&out->project, farm->db, lease->project)) == FG_OK)
		fg_script_write(&out->script, &out->project, lease);
	return err;
}

void
fg_job_free(struct fg_job *job)
{
	fg_buf_free(&job->script);
}
