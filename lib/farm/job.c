#include "farm/job.h"

#include "farm/script.h"

enum fg_err
fg_job_take(struct fg_job *out, struct fg_farm *farm, const struct fg_offer *offer, int64_t now_ms)
{
	enum fg_err err;

	out->script = (struct fg_buf){ 0 };
	if ((err = fg_lease_grant(&out->lease, &out->project, farm->db, &farm->settings, offer, now_ms)) == FG_OK)
		fg_script_write(&out->script, &out->project, &out->lease);
	return err;
}

void
fg_job_free(struct fg_job *job)
{
	fg_buf_free(&job->script);
}
