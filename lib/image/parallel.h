/* parallel: work shared out to a few threads, done when all of it is: items that stand alone, or the steps of a belt. */
#ifndef FG_IMAGE_PARALLEL_H
#define FG_IMAGE_PARALLEL_H

#include "base/err.h"

typedef enum fg_err fg_work(void *with, int item);

/** Call work(with, 0 … items-1), each once, in this thread and threads-1 others; the low items begin first.
 * @return FG_OK or the first failure that was met, with its text; items not begun by then are left out */
enum fg_err fg_parallel(int threads, int items, fg_work *work, void *with);

enum { FG_THREADS_MAX = 8, FG_BELT_SLOTS = 2 * FG_THREADS_MAX };

/** Steps that are made side by side and taken in order: what decodes, and what puts together and writes, keep each other waiting little.
 * A slot is a step's own from its make() to the end of its take(), so a place for each slot holds all that is under way. */
struct fg_belt {
	int    steps;
	enum fg_err (*make)(void *with, int thread, int slot, int step); /**< in several threads at once; thread: 0 … threads-1 */
	enum fg_err (*take)(void *with, int slot, int step);             /**< one at a time, by number, in any of the threads */
	void  *with;
};

/** Run the belt in this thread and threads-1 others.
 * @return FG_OK or the first failure that was met, with its text; steps not begun by then are left out */
enum fg_err fg_belt_run(const struct fg_belt *belt, int threads);
int         fg_belt_slots(int threads); /**< that fg_belt_run() uses: 0 … this-1 */

int fg_parallel_threads(int wanted); /**< 0 = processors, at most 8; else 1 to 8 */

#endif
