/* archive: scene archives are refused for what could hurt a client, and taken for what could not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "base/buf.h"
#include "base/fs.h"
#include "farm/archive.h"
#include "farm/md5.h"
#include "farm/renderer_pack.h"

static char dir[64];

static const char *
in_dir(const char *name)
{
	static char path[4][256];
	static int  turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static int
set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s", "/tmp/farmgate-archive-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	return fg_fs_remove_tree(dir) != FG_OK;
}

/* ---- zips made byte by byte, so that they may lie */

struct item {
	const char *name;
	size_t      name_len; /* 0: its strlen */
	const char *data;
	uint16_t    flags, method;
	uint32_t    mode; /* Unix mode, made by Unix; 0 none */
	uint32_t    claims; /* bytes that the headers claim; 0 the truth */
	const char *local_name; /* another name in the local header */
	bool        streamed;   /* as libarchive streams: CRC and packed size only behind the data */
};

static uint32_t
crc32_of(const char *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void
put(struct fg_buf *out, uint32_t value, int bytes)
{
	for (; bytes-- > 0; value >>= 8)
		fg_buf_char(out, (char)(value & 0xff));
}

static void
put_common(struct fg_buf *out, const struct item *item, size_t name_len, bool later)
{
	const uint32_t size = (uint32_t)strlen(item->data);

	put(out, 20, 2);
	put(out, item->flags, 2);
	put(out, item->method, 2);
	put(out, 0x00210000, 4);
	put(out, later ? 0 : crc32_of(item->data, size), 4);
	put(out, later ? 0 : size, 4);
	put(out, item->claims ? item->claims : size, 4);
	put(out, (uint32_t)name_len, 2);
	put(out, 0, 2);
}

static void
write_zip(const char *path, const struct item *items, size_t count)
{
	struct fg_buf out = { 0 }, directory = { 0 };
	uint32_t      at;

	for (size_t i = 0; i < count; i++) {
		const size_t len = items[i].name_len ? items[i].name_len : strlen(items[i].name);

		at = (uint32_t)out.len;
		fg_buf_str(&out, "PK\3\4");
		put_common(&out, &items[i], items[i].local_name ? strlen(items[i].local_name) : len, items[i].streamed);
		fg_buf_add(&out, items[i].local_name ? items[i].local_name : items[i].name, items[i].local_name ? strlen(items[i].local_name) : len);
		fg_buf_str(&out, items[i].data);
		if (items[i].streamed) {
			fg_buf_str(&out, "PK\7\10");
			put(&out, crc32_of(items[i].data, strlen(items[i].data)), 4);
			put(&out, (uint32_t)strlen(items[i].data), 4);
			put(&out, (uint32_t)strlen(items[i].data), 4);
		}
		fg_buf_str(&directory, "PK\1\2");
		put(&directory, items[i].mode ? 3 << 8 | 20 : 20, 2);
		put_common(&directory, &items[i], len, false);
		put(&directory, 0, 2 + 2 + 2);
		put(&directory, items[i].mode << 16, 4);
		put(&directory, at, 4);
		fg_buf_add(&directory, items[i].name, len);
	}
	at = (uint32_t)out.len;
	fg_buf_add(&out, directory.data, directory.len);
	fg_buf_str(&out, "PK\5\6");
	put(&out, 0, 4);
	put(&out, (uint32_t)count, 2);
	put(&out, (uint32_t)count, 2);
	put(&out, (uint32_t)directory.len, 4);
	put(&out, at, 4);
	put(&out, 0, 2);
	assert_int_equal(fg_fs_replace(path, out.data, out.len, 0600), FG_OK);
	fg_buf_free(&directory);
	fg_buf_free(&out);
}

static const struct {
	struct item item;
	const char *says; /* part of the message; NULL: taken */
} entries[] = {
	{ { .name = "scene.blend", .data = "x" }, NULL },
	{ { .name = "folder/", .data = "", .mode = 040755 }, NULL },
	{ { .name = "f/\303\244.png", .data = "x", .mode = 0100644 }, NULL },
	{ { .name = "a b (1).png", .data = "" }, NULL },
	{ { .name = "..png", .data = "" }, NULL },
	{ { .name = "/etc/passwd", .data = "x" }, "absolute" },
	{ { .name = "C:/x", .data = "x" }, "drive" },
	{ { .name = "c:x", .data = "x" }, "drive" },
	{ { .name = "..\\x", .data = "x" }, "backslash" },
	{ { .name = "a\\..\\..\\x", .data = "x" }, "backslash" },
	{ { .name = "../x", .data = "x" }, "\"..\"" },
	{ { .name = "a/../../x", .data = "x" }, "\"..\"" },
	{ { .name = "a/..", .data = "x" }, "\"..\"" },
	{ { .name = "a/../", .data = "" }, "\"..\"" },
	{ { .name = "./x", .data = "x" }, "\".\"" },
	{ { .name = "a//x", .data = "x" }, "empty part" },
	{ { .name = "a\0b", .name_len = 3, .data = "x" }, "control" },
	{ { .name = "a\nb", .data = "x" }, "control" },
	{ { .name = "a\177b", .data = "x" }, "control" },
	{ { .name = "a\302\205b", .data = "x" }, "UTF-8" },
	{ { .name = "\344.png", .data = "x" }, "UTF-8" },
	{ { .name = "\300\257etc", .data = "x" }, "UTF-8" },
	{ { .name = "\355\240\200", .data = "x" }, "UTF-8" },
	{ { .name = "cut\342\202", .data = "x" }, "UTF-8" },
	{ { .name = "link", .data = "/etc/passwd", .mode = 0120777 }, "link" },
	{ { .name = "device", .data = "", .mode = 0060666 }, "device" },
	{ { .name = "pipe", .data = "", .mode = 0010666 }, "device" },
	{ { .name = "folder", .data = "", .mode = 040755 }, "a folder by one mark" },
	{ { .name = "secret", .data = "x", .flags = 1 }, "encrypted" },
	{ { .name = "secret", .data = "x", .flags = 1 << 6 }, "encrypted" },
	{ { .name = "odd", .data = "x", .method = 9 }, "can't be read" },
	{ { .name = "broken", .data = "no deflate", .method = 8 }, "can't be read" },
	{ { .name = "liar", .data = "x", .claims = 1000 }, "" },
	{ { .name = "good", .data = "x", .local_name = "/bad" }, "" },
	{ { .name = "fine", .data = "x", .local_name = "../x" }, "" },
};

static void
entries_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		struct fg_archive *archive = NULL;
		enum fg_err        err;

		write_zip(in_dir("one.zip"), &entries[i].item, 1);
		err = fg_archive_check(&archive, in_dir("one.zip"), NULL);
		if (entries[i].says == NULL) {
			if (err != FG_OK)
				fail_msg("%s: %s", entries[i].item.name, fg_err_text(err));
			assert_string_equal(fg_archive_name(archive, 0), entries[i].item.name);
		} else if (err != FG_EFORMAT || strstr(fg_err_text(err), entries[i].says) == NULL) {
			fail_msg("%zu %s: %s %s", i, entries[i].item.name, fg_err_name(err), fg_err_text(err));
		}
		fg_archive_close(archive);
	}
}

static void
entries_together(void **state)
{
	static const struct item twice[] = { { .name = "a/x.png", .data = "1" }, { .name = "b", .data = "" }, { .name = "A/X.png", .data = "2" } };
	static const struct item both[] = { { .name = "a", .data = "1" }, { .name = "a-b", .data = "" }, { .name = "A/x.png", .data = "2" } };
	struct fg_archive       *archive = NULL;

	(void)state;
	write_zip(in_dir("two.zip"), twice, 3);
	assert_int_equal(fg_archive_check(&archive, in_dir("two.zip"), NULL), FG_EFORMAT);
	assert_non_null(strstr(fg_err_text(FG_EFORMAT), "twice"));
	write_zip(in_dir("two.zip"), both, 3);
	assert_int_equal(fg_archive_check(&archive, in_dir("two.zip"), NULL), FG_EFORMAT);
	assert_non_null(strstr(fg_err_text(FG_EFORMAT), "a file and a folder"));
	assert_int_equal(fg_archive_check(&archive, in_dir("two.zip"), &(struct fg_archive_limits){ .entries = 2 }), FG_ETOOBIG);
	assert_null(archive);
}

/* ---- zips as people make them */

static void
make_zip(const char *path, int method)
{
	static char zeros[3 << 20];
	zip_t      *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);

	assert_non_null(zip);
	assert_true(zip_dir_add(zip, "film", 0) >= 0);
	assert_true(zip_file_add(zip, "film/Main.blend", zip_source_buffer(zip, "BLENDER-v304", 12, 0), 0) >= 0);
	assert_true(zip_file_add(zip, "film/tex/Wood.PNG", zip_source_buffer(zip, zeros, sizeof(zeros), 0), 0) >= 0);
	assert_true(zip_file_add(zip, "lib/props.blend", zip_source_buffer(zip, "BLENDER-v304", 12, 0), 0) >= 0);
	assert_true(zip_file_add(zip, "__MACOSX/film/._Main.blend", zip_source_buffer(zip, "mac", 3, 0), 0) >= 0);
	for (int i = 1; i < 5; i++)
		assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)i, method, 0), 0);
	assert_int_equal(zip_close(zip), 0);
}

static void
questions(void **state)
{
	struct fg_archive *archive = NULL;
	const int          fd = open(in_dir("out"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)state;
	make_zip(in_dir("film.zip"), ZIP_CM_DEFLATE);
	assert_int_equal(fg_archive_check(&archive, in_dir("film.zip"), NULL), FG_OK);
	assert_int_equal(fg_archive_count(archive), 5);
	assert_int_equal(fg_archive_inflated(archive), 12 + (3 << 20) + 12 + 3);
	assert_false(fg_archive_needs_repack(archive));
	assert_string_equal(fg_archive_blend(archive, 0), "film/Main.blend");
	assert_string_equal(fg_archive_blend(archive, 1), "lib/props.blend");
	assert_null(fg_archive_blend(archive, 2));
	assert_string_equal(fg_archive_has(archive, "FILM/tex/wood.png"), "film/tex/Wood.PNG");
	assert_null(fg_archive_has(archive, "film/"));
	assert_null(fg_archive_has(archive, "film"));
	assert_null(fg_archive_has(archive, ""));
	assert_string_equal(fg_archive_has_beside(archive, "film/Main.blend", "//tex/Wood.PNG"), "film/tex/Wood.PNG");
	assert_string_equal(fg_archive_has_beside(archive, "film/Main.blend", "//..\\lib\\props.blend"), "lib/props.blend");
	assert_string_equal(fg_archive_has_beside(archive, "film/Main.blend", "//./tex/../../lib/props.blend"), "lib/props.blend");
	assert_string_equal(fg_archive_has_beside(archive, "film/Main.blend", "//TEX/"), "film/tex/Wood.PNG");
	assert_string_equal(fg_archive_has_beside(archive, "film/Main.blend", "//*.blend"), "film/Main.blend");
	assert_null(fg_archive_has_beside(archive, "film/Main.blend", "//te/"));
	assert_null(fg_archive_has_beside(archive, "film/Main.blend", "//tex/Wood.PNG/"));
	assert_null(fg_archive_has_beside(archive, "film/Main.blend", "//../../lib/props.blend"));
	assert_null(fg_archive_has_beside(archive, "film/Main.blend", "/lib/props.blend"));
	assert_null(fg_archive_has_beside(archive, "film/Main.blend", "lib/props.blend"));
	assert_int_equal(fg_archive_extract_one(archive, "film/tex/Wood.PNG", fd, 100), FG_ETOOBIG);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fg_archive_extract_one(archive, "film/Main.blend", fd, 100), FG_OK);
	assert_int_equal(fg_fs_size(in_dir("out")), 12);
	assert_int_equal(fg_archive_extract_one(archive, "film/main.blend", fd, 100), FG_ENOTFOUND);
	fg_archive_close(archive);
	close(fd);
}

static void
limits(void **state)
{
	struct fg_archive *archive = NULL;

	(void)state;
	make_zip(in_dir("film.zip"), ZIP_CM_DEFLATE);
	assert_int_equal(fg_archive_check(&archive, in_dir("film.zip"), &(struct fg_archive_limits){ .inflated_bytes = 1 << 20 }), FG_ETOOBIG);
	assert_non_null(strstr(fg_err_text(FG_ETOOBIG), "1048576"));
	assert_int_equal(fg_archive_check(&archive, in_dir("film.zip"), &(struct fg_archive_limits){ .entries = 4 }), FG_ETOOBIG);
	assert_int_equal(fg_archive_check(&archive, in_dir("film.zip"), &(struct fg_archive_limits){ .entries = 5, .inflated_bytes = 4 << 20 }), FG_OK);
	fg_archive_close(archive);
	assert_int_equal(fg_archive_check(&archive, in_dir("none.zip"), NULL), FG_EIO);
	assert_int_equal(fg_archive_check(&archive, dir, NULL), FG_EIO);
}

/* A zip of much nothing: over the free 256 MiB its size counts. */
static void
bomb(void **state)
{
	static char         zeros[30 << 20];
	struct fg_archive *archive = NULL;
	zip_t             *zip = zip_open(in_dir("bomb.zip"), ZIP_CREATE | ZIP_TRUNCATE, NULL);

	(void)state;
	assert_non_null(zip);
	for (int i = 0; i < 9; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.bin", i);
		assert_true(zip_file_add(zip, name, zip_source_buffer(zip, zeros, sizeof(zeros), 0), 0) == i);
		assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_DEFLATE, 1), 0);
	}
	assert_int_equal(zip_close(zip), 0);
	assert_int_equal(fg_archive_check(&archive, in_dir("bomb.zip"), &(struct fg_archive_limits){ .ratio = 2 }), FG_ETOOBIG);
	assert_non_null(strstr(fg_err_text(FG_ETOOBIG), "2 times its size"));
	assert_int_equal(fg_archive_check(&archive, in_dir("bomb.zip"), NULL), FG_OK);
	fg_archive_close(archive);
}

/* Each piece of a zip that was cut off, and each with one byte changed, is refused or taken, never more. */
static void
damage(void **state)
{
	struct fg_archive *archive = NULL;
	struct fg_buf      whole = { 0 };

	(void)state;
	write_zip(in_dir("x.zip"), (const struct item[]){ { .name = "a.blend", .data = "abc" }, { .name = "b", .data = "d" } }, 2);
	assert_int_equal(fg_fs_read(&whole, in_dir("x.zip"), 4096), FG_OK);
	for (size_t len = 0; len < whole.len; len++) {
		assert_int_equal(fg_fs_replace(in_dir("y.zip"), whole.data, len, 0600), FG_OK);
		assert_int_equal(fg_archive_check(&archive, in_dir("y.zip"), NULL), FG_EFORMAT);
	}
	for (size_t at = 0; at < whole.len; at++) {
		whole.data[at] ^= 0x55;
		assert_int_equal(fg_fs_replace(in_dir("y.zip"), whole.data, whole.len, 0600), FG_OK);
		if (fg_archive_check(&archive, in_dir("y.zip"), NULL) == FG_OK)
			fg_archive_close(archive);
		whole.data[at] ^= 0x55;
	}
	fg_buf_char(&whole, 'x');
	assert_int_equal(fg_fs_replace(in_dir("y.zip"), whole.data, whole.len, 0600), FG_OK);
	assert_int_equal(fg_archive_check(&archive, in_dir("y.zip"), NULL), FG_EFORMAT);
	fg_buf_free(&whole);
}

static void
streamed(void **state)
{
	struct fg_archive *archive = NULL;

	(void)state;
	write_zip(in_dir("s.zip"), (const struct item[]){ { .name = "s.blend", .data = "BLENDER", .flags = 8, .streamed = true }, { .name = "b", .data = "d" } }, 2);
	assert_int_equal(fg_archive_check(&archive, in_dir("s.zip"), NULL), FG_OK);
	assert_true(fg_archive_needs_repack(archive)); /* java.util.zip can't read a stored entry without its size */
	assert_int_equal(fg_archive_repack(in_dir("plain.zip"), archive, NULL), FG_OK);
	fg_archive_close(archive);
	assert_int_equal(fg_archive_check(&archive, in_dir("plain.zip"), NULL), FG_OK);
	assert_false(fg_archive_needs_repack(archive));
	assert_int_equal(fg_archive_inflated(archive), 8);
	fg_archive_close(archive);
}

static void
repack(void **state)
{
	struct fg_archive *archive = NULL;

	(void)state;
	if (!zip_compression_method_supported(ZIP_CM_BZIP2, 1))
		skip();
	make_zip(in_dir("bz.zip"), ZIP_CM_BZIP2);
	assert_int_equal(fg_archive_check(&archive, in_dir("bz.zip"), NULL), FG_OK);
	assert_true(fg_archive_needs_repack(archive));
	assert_int_equal(fg_archive_repack(in_dir("plain.zip"), archive, NULL), FG_OK);
	fg_archive_close(archive);
	assert_int_equal(fg_archive_check(&archive, in_dir("plain.zip"), NULL), FG_OK);
	assert_false(fg_archive_needs_repack(archive));
	assert_int_equal(fg_archive_count(archive), 4);
	assert_int_equal(fg_archive_inflated(archive), 12 + (3 << 20) + 12 + 3);
	fg_archive_close(archive);
}

static const struct {
	const char *name, *inside;
} blend_names[] = {
	{ "my_scene-2.blend", "my_scene-2.blend" }, { "my scene.blend", "scene.blend" }, { "../x.blend", "scene.blend" }, { "-x.blend", "scene.blend" },
	{ ".blend", "scene.blend" }, { "x.blend1", "scene.blend" }, { "\303\244.blend", "scene.blend" }, { NULL, "scene.blend" },
};

static void
from_blend(void **state)
{
	char               entry[FG_ARCHIVE_NAME], first[FG_MD5_HEX], again[FG_MD5_HEX];
	struct fg_archive *archive = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(blend_names) / sizeof(*blend_names); i++) {
		int fd;

		assert_int_equal(fg_fs_replace(in_dir("in"), i % 2 ? "\x28\xb5\x2f\xfd..." : "BLENDER-v304", i % 2 ? 7 : 12, 0600), FG_OK);
		assert_true((fd = open(in_dir("in"), O_RDONLY | O_CLOEXEC)) >= 0);
		assert_int_equal(fg_archive_from_blend(entry, in_dir("source.zip"), fd, blend_names[i].name, NULL), FG_OK);
		assert_string_equal(entry, blend_names[i].inside);
		assert_int_equal(fg_archive_check(&archive, in_dir("source.zip"), NULL), FG_OK);
		assert_string_equal(fg_archive_blend(archive, 0), entry);
		assert_int_equal(fg_archive_inflated(archive), i % 2 ? 7 : 12);
		fg_archive_close(archive);
		close(fd);
		assert_true((fd = open(in_dir("source.zip"), O_RDONLY | O_CLOEXEC)) >= 0);
		assert_int_equal(fg_md5_file(i < 2 ? first : again, fd, NULL), FG_OK);
		if (i == 3) /* the same bytes under the same name */
			memcpy(first, again, sizeof(first));
		if (i > 3 && i % 2)
			assert_string_equal(first, again);
		close(fd);
	}
}

static void
md5(void **state)
{
	char hex[FG_MD5_HEX], sha256[FG_SHA256_HEX];
	int  fd;

	(void)state;
	assert_int_equal(fg_fs_replace(in_dir("m"), "message digest", 14, 0600), FG_OK);
	assert_true((fd = open(in_dir("m"), O_RDONLY | O_CLOEXEC)) >= 0);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(fg_md5_file(hex, fd, NULL), FG_OK);
	assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
	assert_int_equal(fg_sha256_file(sha256, fd), FG_OK);
	assert_string_equal(sha256, "f7846f55cf23e14eebeab5b4e1550cad5b509e3348fbc4efa3a1413d393cb650");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_one_by_one), cmocka_unit_test(entries_together), cmocka_unit_test(questions), cmocka_unit_test(limits), cmocka_unit_test(bomb),
		cmocka_unit_test(damage), cmocka_unit_test(streamed), cmocka_unit_test(repack), cmocka_unit_test(from_blend), cmocka_unit_test(md5),
	};

	return cmocka_run_group_tests_name("archive", tests, set_up, tear_down);
}
