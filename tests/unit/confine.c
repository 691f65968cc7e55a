/* confine: what the two cages let through, asked by processes inside; and fg_picture on what is no picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "farm/confine.h"
#include "farm/confined.h"
#include "farm/picture.h"

static bool
refused(long result)
{
	return result < 0 && errno == EPERM;
}

/* Bits of what went wrong. */
static int
inside_decode(int fd)
{
	char byte;

	return (refused(socket(AF_INET, SOCK_STREAM, 0)) ? 0 : 1) | (refused(open("/dev/null", O_RDONLY)) ? 0 : 2) | (refused(kill(getpid(), 0)) ? 0 : 4) |
	       (refused(execl("/bin/true", "true", (char *)NULL)) ? 0 : 8) | (refused(fork()) ? 0 : 16) | (pread(fd, &byte, 1, 0) == 1 ? 0 : 32) |
	       (pwrite(fd, "x", 1, 0) == 1 ? 0 : 64);
}

static int
inside_program(int fd)
{
	char byte;

	return (refused(socket(AF_UNIX, SOCK_DGRAM, 0)) ? 0 : 1) | (refused(open("/dev/null", O_WRONLY)) ? 0 : 2) | (open("/dev/null", O_RDONLY) >= 0 ? 0 : 4) |
	       (refused(unlink("/nonexistent")) ? 0 : 8) | (refused(open("/tmp/farmgate-no", O_CREAT | O_RDONLY, 0600)) ? 0 : 16) |
	       (pread(fd, &byte, 1, 0) == 1 ? 0 : 32) | (refused(kill(getppid(), 0)) ? 0 : 64);
}

static int
inside_service(int fd)
{
	char byte;

	return (refused(socket(AF_UNIX, SOCK_STREAM, 0)) ? 0 : 1) | (refused(socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 })) ? 0 : 2) |
	       (refused(unshare(CLONE_NEWUSER)) ? 0 : 4) | (refused(execl("/bin/true", "true", (char *)NULL)) ? 0 : 8) | (open("/dev/null", O_RDWR) >= 0 ? 0 : 16) |
	       (pread(fd, &byte, 1, 0) == 1 ? 0 : 32) | (refused(setgid(getgid())) ? 0 : 64);
}

/* It may start programs, which stay where it is. */
static int
inside_maker(int fd)
{
	char byte;

	if (!refused(socket(AF_INET, SOCK_STREAM, 0)) || !refused(unshare(CLONE_NEWUSER)) || pread(fd, &byte, 1, 0) != 1)
		return 1;
	return execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
}

static int
ask(enum fg_cage cage, int (*inside)(int fd))
{
	const int fd = memfd_create("asked", MFD_CLOEXEC);
	int       status;
	pid_t     pid;

	assert_int_equal(write(fd, "a", 1), 1);
	if ((pid = fork()) == 0)
		_exit(fg_confine(cage) ? inside(fd) : 255);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
cages_hold(void **state)
{
	(void)state;
	assert_int_equal(ask(FG_CAGE_DECODE, inside_decode), 0);
	assert_int_equal(ask(FG_CAGE_PROGRAM, inside_program), 0);
	assert_int_equal(ask(FG_CAGE_SERVE, inside_service), 0);
	assert_int_equal(ask(FG_CAGE_MAKE, inside_maker), 0);
}

static void
what_is_no_picture_says_so(void **state)
{
	static const struct {
		const char *bytes;
		size_t      len;
	} rows[] = { { "", 0 }, { "hello", 5 }, { "\x89PNG\r\n\x1a\n", 8 }, { "\x76\x2f\x31\x01\x02\0\0\0", 8 }, { "II*\0\xff\xff\xff\xff", 8 }, { "\xff\xd8\xff", 3 } };
	struct fg_settings settings = { .ffmpeg = "/usr/bin/ffmpeg" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const int   in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
		enum fg_err err;

		assert_int_equal(write(in, rows[i].bytes, rows[i].len), rows[i].len);
		err = fg_picture(out, in, &(struct fg_thumb){ .width = 64 }, &settings);
		assert_true(err == FG_EFORMAT || err == FG_EINVAL || err == FG_EUNSUPPORTED);
		assert_true(fg_err_text(err)[0] != '\0');
		assert_int_equal(lseek(out, 0, SEEK_END), 0);
		close(in);
		close(out);
	}
}

static enum fg_err
opens(void *ctx)
{
	(void)ctx;
	return fg_fail(FG_EUNSUPPORTED, "open says %s", open("/dev/null", O_RDONLY) < 0 && errno == EPERM ? "no" : "yes");
}

static enum fg_err
breaks(void *ctx)
{
	(void)ctx;
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return FG_OK; /* not even to itself may it send a signal */
}

static enum fg_err
eats(void *ctx)
{
	for (volatile char *p; (p = malloc(64 << 20)) != NULL;)
		for (size_t i = 0; i < 64 << 20; i += 4096)
			p[i] = *(char *)ctx;
	return FG_ENOSPACE;
}

static void
a_child_is_caged(void **state)
{
	char a = 'a';

	(void)state;
	assert_int_equal(fg_confined(opens, NULL), FG_EUNSUPPORTED);
	assert_string_equal(fg_err_text(FG_EUNSUPPORTED), "open says no");
	assert_int_equal(fg_confined(breaks, NULL), FG_OK);
	assert_int_equal(fg_confined(eats, &a), FG_ENOSPACE);
}

static void
widths(void **state)
{
	static const int rows[][2] = { { 1, 64 }, { 64, 64 }, { 65, 128 }, { 960, 960 }, { 1000, 1920 }, { 65536, 7680 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(fg_picture_width(rows[i][0]), rows[i][1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cages_hold), cmocka_unit_test(a_child_is_caged), cmocka_unit_test(what_is_no_picture_says_so), cmocka_unit_test(widths) };

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
