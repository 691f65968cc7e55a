/* rawzip: what it writes, libzip reads: names, order, sizes, bytes; also where the fields of an old zip are too small. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "base/fs.h"
#include "farm/rawzip.h"

struct place {
	char             dir[64], path[96];
	int              fd, directory, file;
	struct fg_rawzip zip;
};

static int
open_in(const struct place *p, const char *name)
{
	char path[96];
	int  fd;

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	assert_true((fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) >= 0);
	return fd;
}

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->dir, sizeof(p->dir), "/tmp/farmgate-rawzip-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/raw.zip", p->dir);
	p->fd = open_in(p, "raw.zip");
	p->directory = open_in(p, "directory");
	p->file = open_in(p, "file");
	fg_rawzip_begin(&p->zip, p->fd, p->directory);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	fg_rawzip_free(&p->zip);
	close(p->fd);
	close(p->directory);
	close(p->file);
	fg_fs_remove_tree(p->dir);
	free(p);
	return 0;
}

/* The file says `text`; add it. */
static void
add(struct place *p, const char *name, const char *text)
{
	assert_int_equal(ftruncate(p->file, 0), 0);
	assert_int_equal(pwrite(p->file, text, strlen(text), 0), (ssize_t)strlen(text));
	lseek(p->file, 0, SEEK_SET);
	assert_int_equal(fg_rawzip_add(&p->zip, name, p->file), FG_OK);
}

/* Entry `i` has this name and says `text`; libzip compares its CRC. */
static void
expect(zip_t *zip, zip_uint64_t i, const char *name, const char *text)
{
	char        bytes[64] = "";
	zip_file_t *file = zip_fopen_index(zip, i, 0);

	assert_non_null(file);
	assert_string_equal(zip_get_name(zip, i, 0), name);
	assert_int_equal(zip_fread(file, bytes, sizeof(bytes)), strlen(text));
	assert_string_equal(bytes, text);
	assert_int_equal(zip_fclose(file), 0);
}

static zip_t *
read_back(struct place *p)
{
	int    code = 0;
	zip_t *zip;

	assert_int_equal(fg_rawzip_finish(&p->zip), FG_OK);
	zip = zip_open(p->path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
	assert_non_null(zip);
	return zip;
}

static void
few(void **state)
{
	struct place *p = *state;
	zip_t        *zip;

	add(p, "7-1-0-0.png", "one");
	add(p, "7-1-0-1.png", "");
	add(p, "7-2-0-0.png", "three");
	zip = read_back(p);
	assert_int_equal(zip_get_num_entries(zip, 0), 3);
	expect(zip, 0, "7-1-0-0.png", "one");
	expect(zip, 1, "7-1-0-1.png", "");
	expect(zip, 2, "7-2-0-0.png", "three");
	zip_discard(zip);
}

static void
none(void **state)
{
	zip_t *zip = read_back(*state);

	assert_int_equal(zip_get_num_entries(zip, 0), 0);
	zip_discard(zip);
}

/* More than 16 bits can count; the directory is longer than what waits in memory. */
static void
many(void **state)
{
	struct place *p = *state;
	const int     count = 70000;
	zip_t        *zip;
	char          name[32];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "7-%d-0-0.png", i);
		add(p, name, "x");
	}
	assert_true(p->zip.waiting.room < 4 << 20);
	zip = read_back(p);
	assert_int_equal(zip_get_num_entries(zip, 0), count);
	expect(zip, 0, "7-0-0-0.png", "x");
	expect(zip, 69999, "7-69999-0-0.png", "x");
	zip_discard(zip);
}

/* What lies beyond 4 GiB: a hole stands for the bytes before it. */
static void
far(void **state)
{
	struct place *p = *state;
	int64_t       at = INT64_C(5) << 30;
	zip_t        *zip;

	add(p, "7-1-0-0.png", "near");
	assert_int_equal(lseek(p->fd, at, SEEK_SET), at);
	p->zip.at = at;
	add(p, "7-2-0-0.png", "far");
	assert_int_equal(fg_rawzip_finish(&p->zip), FG_OK);
	assert_non_null(zip = zip_open(p->path, ZIP_RDONLY, NULL));
	expect(zip, 0, "7-1-0-0.png", "near");
	expect(zip, 1, "7-2-0-0.png", "far");
	zip_discard(zip);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(few, set_up, tear_down),
		cmocka_unit_test_setup_teardown(none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(far, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("rawzip", tests, NULL, NULL);
}
