/* intake_option: what people choose for a project, each by its name and as text: the flags of `farmgate-admin project add` and the fields of
 * POST /api/projects are the same. */
#ifndef FG_FARM_INTAKE_OPTION_H
#define FG_FARM_INTAKE_OPTION_H

#include "farm/intake.h"

enum { FG_INTAKE_OPTIONS = 16 };

/** title blend scene camera frames tiles overscan format percent samples engine device fps priority renderer no-denoise */
extern const char *const fg_intake_options[FG_INTAKE_OPTIONS];

/** Take one. `text` must live as long as `in`. FG_EINVAL says what would be right. */
enum fg_err fg_intake_set(struct fg_intake *in, const char *option, const char *text);

#endif
