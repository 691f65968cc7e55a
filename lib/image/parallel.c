/* parallel: see parallel.h. Threads are started for each call: it costs some 30 µs, and no state is left behind. */
#include "image/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct crew {
	fg_work        *work;
	void           *with;
	int             items;
	atomic_int      next;
	pthread_mutex_t lock; /* of the two below */
	enum fg_err     err;
	char            why[512];
};

/* The detail text of an error belongs to its thread: carry it over. */
static void
failed(struct crew *crew, enum fg_err err)
{
	pthread_mutex_lock(&crew->lock);
	if (crew->err == FG_OK) {
		crew->err = err;
		snprintf(crew->why, sizeof(crew->why), "%s", fg_err_text(err));
	}
	pthread_mutex_unlock(&crew->lock);
	atomic_store(&crew->next, crew->items);
}

static void *
member(void *arg)
{
	struct crew *crew = arg;
	int          item;

	while ((item = atomic_fetch_add(&crew->next, 1)) < crew->items) {
		enum fg_err err = crew->work(crew->with, item);

		if (err != FG_OK) {
			failed(crew, err);
			break;
		}
	}
	return NULL;
}

enum fg_err
fg_parallel(int threads, int items, fg_work *work, void *with)
{
	struct crew crew = { .work = work, .with = with, .items = items, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t   others[FG_THREADS_MAX];
	int         nothers = 0;

	while (nothers < threads - 1 && nothers < items - 1 && nothers < FG_THREADS_MAX - 1 &&
	       pthread_create(&others[nothers], NULL, member, &crew) == 0)
		nothers++;
	member(&crew);
	for (int i = 0; i < nothers; i++)
		pthread_join(others[i], NULL);
	return crew.err == FG_OK ? FG_OK : fg_fail(crew.err, "%s", crew.why);
}

int
fg_parallel_threads(int wanted)
{
	long n = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > FG_THREADS_MAX ? FG_THREADS_MAX : (int)n;
}
