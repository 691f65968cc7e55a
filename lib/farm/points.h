/* points: what accepted rendering is worth. One point is one minute of one core; a graphics card counts as ten cores.
 * Kept and told in thousandths of a point; the worker protocol's `stats` tells whole ones. */
#ifndef FG_FARM_POINTS_H
#define FG_FARM_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "farm/settings.h"

/** A rendering that was accepted. */
struct fg_effort {
	int64_t render_s;  /**< as the client says */
	int64_t lent_ms;   /**< for how long it had the task: no more is believed */
	int     cores;
	bool    gpu;
};

/** Its worth in thousandths: seconds × cores × 1000 ÷ point_core_seconds, point_gpu_factor in place of the cores for a graphics card. */
int64_t fg_points(const struct fg_settings *settings, const struct fg_effort *effort);

#endif
