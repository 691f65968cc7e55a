/* parallel: see parallel.h. Threads are started for each call: it costs some 30 µs, and no state is left behind. */
#include "image/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

struct crew;

struct member {
	struct crew *crew;
	int          number;
	pthread_t    thread;
};

struct crew {
	void           (*job)(struct member *member);
	const void      *order; /* what the job is to do */
	struct member    members[FG_THREADS_MAX];
	pthread_mutex_t  lock;  /* of all below; a job runs with it, and lets go of it for the work itself */
	pthread_cond_t   moved; /* a slot is free, or all is over */
	int              next;  /* item or step to begin */
	int              taken; /* steps of a belt before this one are taken */
	bool             taking, made[FG_BELT_SLOTS];
	enum fg_err      err;
	char             why[512];
};

static void *
begin(void *arg)
{
	struct member *member = arg;

	pthread_mutex_lock(&member->crew->lock);
	member->crew->job(member);
	pthread_mutex_unlock(&member->crew->lock);
	return NULL;
}

static enum fg_err
run(struct crew *crew, int threads)
{
	int others = 0;

	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->moved, NULL);
	for (int i = 0; i < FG_THREADS_MAX; i++)
		crew->members[i] = (struct member){ .crew = crew, .number = i };
	while (others < threads - 1 && others < FG_THREADS_MAX - 1 &&
	       pthread_create(&crew->members[others + 1].thread, NULL, begin, &crew->members[others + 1]) == 0)
		others++;
	begin(&crew->members[0]);
	for (int i = 1; i <= others; i++)
		pthread_join(crew->members[i].thread, NULL);
	pthread_cond_destroy(&crew->moved);
	pthread_mutex_destroy(&crew->lock);
	return crew->err == FG_OK ? FG_OK : fg_fail(crew->err, "%s", crew->why);
}

/* The detail text of an error belongs to its thread: carry it over. */
static void
note(struct crew *crew, enum fg_err err)
{
	if (err == FG_OK || crew->err != FG_OK)
		return;
	crew->err = err;
	snprintf(crew->why, sizeof(crew->why), "%s", fg_err_text(err));
	pthread_cond_broadcast(&crew->moved);
}

/* --- items */

struct items {
	fg_work *work;
	void    *with;
	int      count;
};

static void
work_off(struct member *member)
{
	struct crew        *crew = member->crew;
	const struct items *items = crew->order;

	while (crew->err == FG_OK && crew->next < items->count) {
		const int   item = crew->next++;
		enum fg_err err;

		pthread_mutex_unlock(&crew->lock);
		err = items->work(items->with, item);
		pthread_mutex_lock(&crew->lock);
		note(crew, err);
	}
}

enum fg_err
fg_parallel(int threads, int items, fg_work *work, void *with)
{
	const struct items all = { work, with, items };
	struct crew        crew = { .job = work_off, .order = &all };

	return run(&crew, threads < items ? threads : items);
}

/* --- belts */

/* Take what is made and next, unless another thread does so just now: that one will come upon it. */
static void
take_made(struct crew *crew, const struct fg_belt *belt, int slots)
{
	while (!crew->taking && crew->err == FG_OK && crew->made[crew->taken % slots]) {
		const int   step = crew->taken, slot = step % slots;
		enum fg_err err;

		crew->taking = true;
		pthread_mutex_unlock(&crew->lock);
		err = belt->take(belt->with, slot, step);
		pthread_mutex_lock(&crew->lock);
		crew->taking = crew->made[slot] = false;
		crew->taken++;
		pthread_cond_broadcast(&crew->moved);
		note(crew, err);
	}
}

struct run {
	const struct fg_belt *belt;
	int                   slots;
};

static void
stand_at_belt(struct member *member)
{
	struct crew          *crew = member->crew;
	const struct run     *run = crew->order;
	const struct fg_belt *belt = run->belt;

	while (crew->err == FG_OK && crew->next < belt->steps) {
		const int   step = crew->next, slot = step % run->slots;
		enum fg_err err;

		if (step >= crew->taken + run->slots) {
			pthread_cond_wait(&crew->moved, &crew->lock);
			continue;
		}
		crew->next++;
		pthread_mutex_unlock(&crew->lock);
		err = belt->make(belt->with, member->number, slot, step);
		pthread_mutex_lock(&crew->lock);
		crew->made[slot] = err == FG_OK;
		note(crew, err);
		take_made(crew, belt, run->slots);
	}
}

int
fg_belt_slots(int threads)
{
	return 2 * (threads < 1 ? 1 : threads < FG_THREADS_MAX ? threads : FG_THREADS_MAX);
}

enum fg_err
fg_belt_run(const struct fg_belt *belt, int threads)
{
	const struct run how = { belt, fg_belt_slots(threads) };
	struct crew      crew = { .job = stand_at_belt, .order = &how };

	return run(&crew, threads < belt->steps ? threads : belt->steps);
}

int
fg_parallel_threads(int wanted)
{
	long n = wanted > 0 ? wanted : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > FG_THREADS_MAX ? FG_THREADS_MAX : (int)n;
}
