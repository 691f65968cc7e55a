#include "farm/points.h"

int64_t
fg_points(const struct fg_settings *settings, const struct fg_effort *effort)
{
	const int64_t most_ms = effort->lent_ms > 0 ? effort->lent_ms : 0;
	const int64_t render_ms = effort->render_s > most_ms / 1000 ? most_ms : effort->render_s > 0 ? effort->render_s * 1000 : 0;
	const int64_t cores = effort->gpu ? settings->point_gpu_factor : effort->cores > 0 ? effort->cores : 1;

	return render_ms * cores / settings->point_core_seconds;
}
