/* parallel: items of work shared out to a few threads, done when all are. */
#ifndef FG_IMAGE_PARALLEL_H
#define FG_IMAGE_PARALLEL_H

#include "base/err.h"

typedef enum fg_err fg_work(void *with, int item);

/** Call work(with, 0 … items-1), each once, in this thread and threads-1 others; the low items begin first.
 * @return FG_OK or the first failure that was met, with its text; items not begun by then are left out */
enum fg_err fg_parallel(int threads, int items, fg_work *work, void *with);

enum { FG_THREADS_MAX = 8 };
int fg_parallel_threads(int wanted); /**< 0 = processors, at most 8; else 1 to 8 */

#endif
