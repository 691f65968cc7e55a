/* turnstile: one at a time, the next one is let in when it is left or its holder is killed, and nobody waits longer than it wanted to. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/time.h"
#include "store/turnstile.h"

enum { CHILDREN = 4, ROUNDS = 2000 };

static char dir[] = "/tmp/farmgate-turnstile-XXXXXX";

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	return fg_fs_remove_tree(dir) != FG_OK;
}

/* A child that holds it until it is killed. */
static pid_t
holder(void)
{
	int         ready[2];
	char        byte;
	const pid_t pid = (assert_int_equal(pipe(ready), 0), fork());

	if (pid == 0) {
		struct fg_turnstile *turnstile = fg_turnstile_open(dir);

		if (turnstile == NULL || !fg_turnstile_enter(turnstile, fg_steady_ms() + 5000) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void
outlives_its_holder(void **state)
{
	struct fg_turnstile *turnstile = fg_turnstile_open(dir);
	const pid_t          pid = holder();

	(void)state;
	assert_non_null(turnstile);
	assert_false(fg_turnstile_enter(turnstile, fg_steady_ms() + 20));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 3; i++) {
		assert_true(fg_turnstile_enter(turnstile, fg_steady_ms() + 60000));
		fg_turnstile_leave(turnstile);
	}
	fg_turnstile_close(turnstile);
}

/* Children that open it all at once, so that some of them make it, and count one number up in turns. */
static void
lets_in_one_at_a_time(void **state)
{
	int *count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), status;

	(void)state;
	assert_true(count != MAP_FAILED);
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0) {
			struct fg_turnstile *turnstile = fg_turnstile_open(dir);

			for (int n = 0; n < ROUNDS; n++) {
				if (turnstile == NULL || !fg_turnstile_enter(turnstile, fg_steady_ms() + 60000))
					_exit(1);
				*(volatile int *)count = *(volatile int *)count + 1;
				fg_turnstile_leave(turnstile);
			}
			_exit(0);
		}
	for (int i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(*count, CHILDREN * ROUNDS);
	munmap(count, sizeof(*count));
}

static void
sweeps_those_of_other_boots(void **state)
{
	struct fg_turnstile *turnstile;
	char                 path[128];

	(void)state;
	assert_int_equal(fg_fs_remove_tree(dir), FG_OK);
	assert_int_equal(fg_fs_mkdirs(dir, 0700), FG_OK);
	snprintf(path, sizeof(path), "%s/turnstile-00000000-0000-0000-0000-000000000000", dir);
	assert_int_equal(fg_fs_replace(path, "x", 1, 0600), FG_OK);
	turnstile = fg_turnstile_open(dir);
	assert_non_null(turnstile);
	assert_int_equal(access(path, F_OK), -1);
	fg_turnstile_close(turnstile);
	assert_null(fg_turnstile_open("/nowhere"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_in_one_at_a_time),
		cmocka_unit_test(outlives_its_holder),
		cmocka_unit_test(sweeps_those_of_other_boots),
	};

	return cmocka_run_group_tests_name("turnstile", tests, set_up, tear_down);
}
