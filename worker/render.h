/* render: one run of Blender on one task, confined by bubblewrap, in a process group of its own that is killed whole. */
#ifndef FG_WORKER_RENDER_H
#define FG_WORKER_RENDER_H

#include "base/buf.h"
#include "worker/client.h"
#include "worker/progress.h"

/** Where things lie and how to start. */
struct fg_render {
	const struct fg_task *task;
	const char           *renderer;   /**< unpacked renderer, or NULL with `blender` */
	const char           *blender;    /**< a program of this machine instead */
	const char           *folder;     /**< the job's own: scene/ unpacked, out/ for pictures */
	bool                  confined, gpu;
	/** Called about five times a second; false ends the render. */
	bool                (*tick)(void *ctx, const struct fg_progress *progress, int64_t seconds);
	void                 *ctx;
};

struct fg_rendered {
	struct fg_progress progress;
	struct fg_buf      log;          /**< Blender's output, at most 256 KiB of it; free it */
	char               file[4096];   /**< the picture, "" when there is none */
	int                exit_status;  /**< 128 + signal when it was killed */
	int64_t            seconds, memory_kib;
	bool               stopped;      /**< by `tick` */
};

enum fg_err fg_render_run(struct fg_rendered *out, const struct fg_render *render);

/** Can bubblewrap make a confined process here? FG_EUNSUPPORTED says what to do. */
enum fg_err fg_render_probe(void);

#endif
