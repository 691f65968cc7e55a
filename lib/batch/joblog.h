/* joblog: what Blender said while a job was rendered, and who rendered what. Our own workers send it where the recipe says write_log; stock clients send
 * theirs only when something went wrong. */
#ifndef FG_BATCH_JOBLOG_H
#define FG_BATCH_JOBLOG_H

#include "batch/batch.h"

/** A file without a name that holds the log of a job, at most 64 MiB of it; close it. FG_ENOTFOUND: the job has not begun. FG_EIO */
enum fg_err fg_joblog_make(int *fd, struct fg_farm *farm, const struct fg_batch *batch, const struct fg_batch_job *job);

#endif
