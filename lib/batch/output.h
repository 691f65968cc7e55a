/* output: where a job's pictures go on the host, and what they are called there: as Blender's -o would call them. */
#ifndef FG_BATCH_OUTPUT_H
#define FG_BATCH_OUTPUT_H

#include <limits.h>

#include "batch/recipe.h"
#include "farm/farm.h"
#include "farm/project.h"

/** The file of one frame. `output` blank or relative: beside the .blend, as `//` is. The last run of # becomes the frame's number, else four digits are
 * added; the extension of another picture is replaced, a missing one added. FG_EINVAL: longer than a path may be */
enum fg_err fg_output_name(char out[PATH_MAX], const char *output, const char *blend, int frame, const char *ext);

/** The file of a film: FIRST-LAST in place of the number. */
enum fg_err fg_output_film(char out[PATH_MAX], const char *output, const char *blend, int first, int last, const char *ext);

/** The log of a job: beside its pictures, OUTPUT_job_N.log. */
enum fg_err fg_output_log(char out[PATH_MAX], const char *output, const char *blend, int job);

/** Put a finished project's pictures, or its film, there. Safe to do again. FG_EFORBIDDEN: no allowed folder holds `output` */
enum fg_err fg_output_deliver(struct fg_farm *farm, const struct fg_recipe_job *job, const char *blend, const struct fg_project *project);

#endif
