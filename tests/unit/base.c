/* base: buffers, arenas, errors and files do what their headers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/beneath.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/random.h"

static void
err_texts(void **state)
{
	(void)state;
	for (int code = 0; code < FG_ERR_COUNT; code++) {
		assert_non_null(fg_err_name((enum fg_err)code));
		assert_true(strlen(fg_err_text((enum fg_err)code)) > 5);
		assert_in_range(fg_err_http((enum fg_err)code), 200, 507);
	}
	assert_int_equal(fg_fail(FG_EINVAL, "frame %d", 7), FG_EINVAL);
	assert_string_equal(fg_err_text(FG_EINVAL), "frame 7");
	assert_string_not_equal(fg_err_text(FG_EIO), "frame 7");
	fg_err_clear();
	assert_string_not_equal(fg_err_text(FG_EINVAL), "frame 7");
}

static void
buf_grows(void **state)
{
	struct fg_buf buf = { 0 };

	(void)state;
	assert_string_equal(fg_buf_text(&buf), "");
	for (int i = 0; i < 1000; i++)
		fg_buf_printf(&buf, "%03d,", i);
	assert_int_equal(buf.len, 4000);
	assert_memory_equal(buf.data + 3996, "999,", 5);
	fg_buf_clear(&buf);
	fg_buf_add(&buf, "a\0b", 3);
	assert_int_equal(buf.len, 3);
	fg_buf_free(&buf);
	assert_null(buf.data);
}

static void
arena_keeps(void **state)
{
	struct fg_arena arena = { 0 };
	char           *small = fg_arena_printf(&arena, "%d-%s", 12, "x"), *big = fg_arena_alloc(&arena, 100000);

	(void)state;
	memset(big, 1, 100000);
	assert_string_equal(small, "12-x");
	assert_string_equal(fg_arena_dup(&arena, "hello", 4), "hell");
	assert_int_equal((uintptr_t)fg_arena_alloc(&arena, 3) % 16, 0);
	fg_arena_reset(&arena);
	fg_arena_reset(&arena);
	fg_arena_free(&arena);
	assert_null(arena.first);
}

static void
files_whole(void **state)
{
	char          dir[] = "/tmp/farmgate-base-XXXXXX", path[256], again[256];
	struct fg_buf buf = { 0 };
	struct stat   st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/c", dir);
	assert_int_equal(fg_fs_mkdirs(path, 0755), FG_OK);
	assert_int_equal(fg_fs_mkdirs(path, 0755), FG_OK);
	snprintf(path, sizeof(path), "%s/a/file", dir);
	assert_int_equal(fg_fs_read(&buf, path, 10), FG_ENOTFOUND);
	assert_int_equal(fg_fs_replace(path, "hello", 5, 0600), FG_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fg_fs_read(&buf, path, 5), FG_OK);
	assert_string_equal(fg_buf_text(&buf), "hello");
	fg_buf_clear(&buf);
	assert_int_equal(fg_fs_read(&buf, path, 4), FG_ETOOBIG);
	assert_int_equal(fg_fs_size(path), 5);
	snprintf(again, sizeof(again), "%s/a/link", dir);
	assert_int_equal(symlink("/etc", again), 0);
	assert_int_equal(fg_fs_remove_tree(dir), FG_OK);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	assert_int_equal(fg_fs_size(dir), -1);
	fg_buf_free(&buf);
}

static void
random_is(void **state)
{
	char one[65], two[65];

	(void)state;
	fg_random_hex(one, 32);
	fg_random_hex(two, 32);
	assert_int_equal(strlen(one), 64);
	assert_string_not_equal(one, two);
	for (int i = 0; i < 1000; i++)
		assert_in_range(fg_random_below(7), 0, 6);
}

/* Neither `..` nor a link leads out of an allowed folder; what lies beside it, whatever its name begins with, is outside. */
static void
beneath_stays(void **state)
{
	char       top[] = "/tmp/farmgate-beneath-XXXXXX", path[128], folders[128];
	static const struct {
		const char *path;
		enum fg_err read, write;
	} table[] = {
		{ "in/a", FG_OK, FG_OK }, { "in/deep/er/b", FG_ENOTFOUND, FG_OK }, { "in/inside/a", FG_OK, FG_OK }, { "in/../out/a", FG_EFORBIDDEN, FG_EFORBIDDEN },
		{ "out/a", FG_EFORBIDDEN, FG_EFORBIDDEN }, { "inner/a", FG_EFORBIDDEN, FG_EFORBIDDEN }, { "in/leak/a", FG_EFORBIDDEN, FG_EFORBIDDEN },
		{ "in/leak2", FG_EFORBIDDEN, FG_EFORBIDDEN }, { "in", FG_EFORBIDDEN, FG_EFORBIDDEN }, { "in/", FG_EFORBIDDEN, FG_EFORBIDDEN }, { "in/.", FG_ENOTFOUND, FG_EFORBIDDEN },
		{ "in/..", FG_EFORBIDDEN, FG_EFORBIDDEN },
	};
	int from, fd;

	(void)state;
	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	assert_int_equal(mkdir("in", 0755) | mkdir("out", 0755) | mkdir("inner", 0755) | mkdir("in/folder", 0755), 0);
	assert_int_equal(symlink("folder", "in/inside") | symlink("../out", "in/leak") | symlink("../out/a", "in/leak2"), 0);
	for (const char *const *name = (const char *const[]){ "in/a", "out/a", "inner/a", "in/folder/a", NULL }; *name != NULL; name++)
		assert_int_equal(fg_fs_replace(*name, "x", 1, 0644), FG_OK);
	snprintf(folders, sizeof(folders), "/nowhere:%s/in/:relative", top);
	assert_true((from = open("in/a", O_RDONLY)) >= 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, table[i].path);
		assert_int_equal(fg_beneath_read(&fd, folders, path), table[i].read);
		if (fd >= 0)
			close(fd);
		assert_int_equal(fg_beneath_write(folders, path, from), table[i].write);
		assert_int_equal(fg_beneath_read(&fd, "", path), FG_EFORBIDDEN);
	}
	assert_int_equal(fg_fs_size("out/a"), 1);
	close(from);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(fg_fs_remove_tree(top), FG_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_texts), cmocka_unit_test(buf_grows), cmocka_unit_test(arena_keeps),
		cmocka_unit_test(files_whole), cmocka_unit_test(random_is), cmocka_unit_test(beneath_stays),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
