/* parallel: each item once; a belt takes in order whatever the order of making, reuses no slot that is under way, and stops at the first failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/parallel.h"

enum { STEPS = 200 };

struct log {
	atomic_int made[STEPS];
	atomic_int busy[FG_THREADS_MAX]; /* that many are in make() as this thread */
	atomic_int taking, faults;       /* cmocka's assertions belong to its own thread */
	int        slots[FG_BELT_SLOTS]; /* what make() left there */
	int        taken, fails_at, takes_badly_at;
};

static void
expect(struct log *log, bool true_here)
{
	atomic_fetch_add(&log->faults, !true_here);
}

static enum fg_err
work(void *with, int item)
{
	struct log *log = with;

	atomic_fetch_add(&log->made[item], 1);
	return item == log->fails_at ? fg_fail(FG_EINVAL, "item %d", item) : FG_OK;
}

static enum fg_err
make(void *with, int thread, int slot, int step)
{
	struct log *log = with;

	expect(log, atomic_fetch_add(&log->busy[thread], 1) == 0);
	usleep((unsigned)(step * 37 % 11 * 40)); /* some are slow: the order of making isn't that of taking */
	log->slots[slot] = step;
	atomic_fetch_add(&log->made[step], 1);
	atomic_fetch_sub(&log->busy[thread], 1);
	return step == log->fails_at ? fg_fail(FG_EINVAL, "step %d", step) : FG_OK;
}

static enum fg_err
take(void *with, int slot, int step)
{
	struct log *log = with;

	expect(log, atomic_fetch_add(&log->taking, 1) == 0);
	expect(log, step == log->taken++);
	expect(log, log->slots[slot] == step);
	usleep((unsigned)(step % 7 * 20));
	expect(log, log->slots[slot] == step);
	atomic_fetch_sub(&log->taking, 1);
	return step == log->takes_badly_at ? fg_fail(FG_ENOSPACE, "full at %d", step) : FG_OK;
}

static enum fg_err
run(struct log *log, int steps, int threads)
{
	const enum fg_err err = fg_belt_run(&(const struct fg_belt){ .steps = steps, .make = make, .take = take, .with = log }, threads);

	assert_int_equal(atomic_load(&log->faults), 0);
	return err;
}

static void
items_are_done_once(void **state)
{
	(void)state;
	for (int threads = 1; threads <= FG_THREADS_MAX; threads++) {
		struct log log = { .fails_at = -1 };

		assert_int_equal(fg_parallel(threads, STEPS, work, &log), FG_OK);
		for (int i = 0; i < STEPS; i++)
			assert_int_equal(atomic_load(&log.made[i]), 1);
		log.fails_at = 5;
		assert_int_equal(fg_parallel(threads, STEPS, work, &log), FG_EINVAL);
		assert_string_equal(fg_err_text(FG_EINVAL), "item 5");
	}
}

static void
belt_keeps_order(void **state)
{
	(void)state;
	for (int threads = 1; threads <= FG_THREADS_MAX; threads++)
		for (int steps = 0; steps <= STEPS; steps = steps == 0 ? 1 : steps == 1 ? STEPS : STEPS + 1) {
			struct log log = { .fails_at = -1, .takes_badly_at = -1 };

			assert_int_equal(run(&log, steps, threads), FG_OK);
			assert_int_equal(log.taken, steps);
		}
}

static void
belt_stops(void **state)
{
	(void)state;
	for (int threads = 1; threads <= FG_THREADS_MAX; threads++) {
		struct log made = { .fails_at = 50, .takes_badly_at = -1 }, taken = { .fails_at = -1, .takes_badly_at = 20 };

		assert_int_equal(run(&made, STEPS, threads), FG_EINVAL);
		assert_string_equal(fg_err_text(FG_EINVAL), "step 50");
		assert_true(made.taken <= 50);
		assert_int_equal(run(&taken, STEPS, threads), FG_ENOSPACE);
		assert_string_equal(fg_err_text(FG_ENOSPACE), "full at 20");
		assert_int_equal(taken.taken, 21);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(items_are_done_once), cmocka_unit_test(belt_keeps_order), cmocka_unit_test(belt_stops) };

	return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
