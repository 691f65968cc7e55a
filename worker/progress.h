/* progress: how far a frame is, read off Blender's output line by line (2.7x to 5.x; spec of the lines: doc/protocol.md#progress). */
#ifndef FG_WORKER_PROGRESS_H
#define FG_WORKER_PROGRESS_H

#include <stdbool.h>

struct fg_progress {
	int  permille;        /**< of the frame; never runs backwards */
	int  remaining_s;     /**< as Blender guesses, -1 unknown */
	bool saved;           /**< a line `Saved: '…'` was seen */
	char error[256];      /**< the last line that begins with "Error", "" none */
	bool out_of_memory;   /**< it said so */
	bool python_error;    /**< a script ended with a traceback */
	char engine[720];     /**< what the engine said last: its name and NAME=VALUE words, names of the scene's with %XX for blank, % and =; "NON_COMPATIBLE" when we can't read its lines; "" nothing yet */
};

void fg_progress_init(struct fg_progress *progress);
void fg_progress_line(struct fg_progress *progress, const char *line); /**< without its line end */

#endif
