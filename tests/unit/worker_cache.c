/* worker_cache: archives are unpacked below their folder or not at all; the limit takes the oldest zip that nobody holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "base/fs.h"
#include "worker/cache.h"

#define MD5_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MD5_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int
setup(void **state)
{
	struct fg_cache *cache = calloc(1, sizeof(*cache));
	char             hwid[33], again[33];

	snprintf(cache->dir, sizeof(cache->dir), "/tmp/fg-worker-cache-XXXXXX");
	assert_non_null(mkdtemp(cache->dir));
	cache->limit_bytes = 1 << 20;
	assert_int_equal(fg_cache_open(cache, hwid), FG_OK);
	assert_int_equal(strlen(hwid), 32);
	assert_int_equal(fg_cache_open(cache, again), FG_OK);
	assert_string_equal(hwid, again);
	*state = cache;
	return 0;
}

static int
teardown(void **state)
{
	struct fg_cache *cache = *state;

	fg_fs_remove_tree(cache->dir);
	free(cache);
	return 0;
}

/* A zip of one entry under the cache's name for it; mode 0 leaves the attributes out. */
static void
put_zip(const struct fg_cache *cache, const char *md5, const char *name, mode_t mode)
{
	char          path[4096];
	int           why;
	zip_t        *zip;
	zip_int64_t   index;

	snprintf(path, sizeof(path), "%s/zips/%s.zip", cache->dir, md5);
	assert_non_null(zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &why));
	index = zip_file_add(zip, name, zip_source_buffer(zip, "text", 4, 0), ZIP_FL_ENC_RAW);
	assert_true(index >= 0);
	if (mode != 0)
		zip_file_set_external_attributes(zip, (zip_uint64_t)index, 0, ZIP_OPSYS_UNIX, (zip_uint32_t)mode << 16);
	assert_int_equal(zip_close(zip), 0);
}

static void
names(void **state)
{
	static const struct {
		const char *name;
		mode_t      mode;
		enum fg_err expected;
		mode_t      made; /**< permissions afterwards */
	} table[] = {
		{ "a.blend", 0, FG_OK, 0600 },
		{ "deep/er/a.blend", S_IFREG | 0644, FG_OK, 0600 },
		{ "rend.exe", 0, FG_OK, 0700 },
		{ "lib/tool", S_IFREG | 04755, FG_OK, 0700 },
		{ "/etc/a", 0, FG_EFORMAT, 0 },
		{ "../a", 0, FG_EFORMAT, 0 },
		{ "b/../../a", 0, FG_EFORMAT, 0 },
		{ "b//a", 0, FG_EFORMAT, 0 },
		{ "./a", 0, FG_EFORMAT, 0 },
		{ "b\\..\\a", 0, FG_EFORMAT, 0 },
		{ "a\nb", 0, FG_EFORMAT, 0 },
		{ "link", S_IFLNK | 0777, FG_EFORMAT, 0 },
		{ "device", S_IFCHR | 0600, FG_EFORMAT, 0 },
	};
	struct fg_cache *cache = *state;
	char             folder[4096], path[8200];
	struct stat      st;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		put_zip(cache, MD5_A, table[i].name, table[i].mode);
		snprintf(folder, sizeof(folder), "%s/jobs/x%zu", cache->dir, i);
		assert_int_equal(fg_cache_unpack(cache, MD5_A, folder), table[i].expected);
		snprintf(path, sizeof(path), "%s/%s", folder, table[i].name);
		if (table[i].expected == FG_OK) {
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_size, 4);
			assert_int_equal(st.st_mode & 07777, table[i].made);
		}
	}
	snprintf(path, sizeof(path), "%s/jobs/a", cache->dir);
	assert_int_equal(access(path, F_OK), -1);
}

static void
not_a_zip(void **state)
{
	struct fg_cache *cache = *state;
	char             path[4096];

	snprintf(path, sizeof(path), "%s/zips/%s.zip", cache->dir, MD5_A);
	assert_int_equal(fg_fs_replace(path, "no zip", 6, 0600), FG_OK);
	snprintf(path, sizeof(path), "%s/jobs/none", cache->dir);
	assert_int_equal(fg_cache_unpack(cache, MD5_A, path), FG_EFORMAT);
}

static void
held_ones_stay(void **state)
{
	struct fg_cache  *cache = *state, other = *cache;
	struct fg_client  nobody = { 0 };
	char              md5s[FG_CACHED_MAX][33];

	put_zip(cache, MD5_A, "a", 0);
	put_zip(cache, MD5_B, "b", 0);
	assert_int_equal(fg_cache_fetch(cache, &nobody, NULL, "job", MD5_A), FG_OK); /* is there: nothing is asked for */
	fg_cache_evict(&other, MD5_A);
	fg_cache_evict(&other, MD5_B);
	assert_int_equal(fg_cache_list(cache, md5s, FG_CACHED_MAX), 1);
	assert_string_equal(md5s[0], MD5_A);
	fg_cache_release(cache);
	fg_cache_evict(&other, MD5_A);
	assert_int_equal(fg_cache_list(cache, md5s, FG_CACHED_MAX), 0);
}

/* What a killed worker left goes at the next start; what a living one has stays. */
static void
leftovers(void **state)
{
	struct fg_cache *cache = *state;
	char             dead[4096], living[4096], partial[4200], hwid[33];
	const pid_t      child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	snprintf(dead, sizeof(dead), "%s/jobs/%d/scene", cache->dir, (int)child);
	snprintf(living, sizeof(living), "%s/jobs/%d", cache->dir, (int)getpid());
	snprintf(partial, sizeof(partial), "%s/zips/" MD5_A ".zip.%d.partial", cache->dir, (int)child);
	assert_int_equal(fg_fs_mkdirs(dead, 0700), FG_OK);
	assert_int_equal(fg_fs_mkdirs(living, 0700), FG_OK);
	assert_int_equal(fg_fs_replace(partial, "x", 1, 0600), FG_OK);
	put_zip(cache, MD5_B, "b", 0);
	assert_int_equal(fg_cache_open(cache, hwid), FG_OK);
	assert_int_equal(access(dead, F_OK), -1);
	assert_int_equal(access(partial, F_OK), -1);
	assert_int_equal(access(living, F_OK), 0);
	assert_int_equal(fg_cache_list(cache, (char[FG_CACHED_MAX][33]){ "" }, FG_CACHED_MAX), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(not_a_zip, setup, teardown),
		cmocka_unit_test_setup_teardown(held_ones_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(leftovers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
