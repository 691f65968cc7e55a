/* blend: scenes are read from made files of each kind of header and packing; damage of any kind is an error, never a crash. With real scenes beside
 * the project, those are read too. */
#include <dirent.h>
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

#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "blend/scene.h"

/** How a file is written. */
struct kind {
	const char *name;
	int         pointer_size;
	bool        swap, large;
	const char *header, *version;
};

static const struct kind kinds[] = {
	{ "32 bit, little", 4, false, false, "BLENDER_v278", "2.78" },
	{ "64 bit, little", 8, false, false, "BLENDER-v304", "3.4" },
	{ "64 bit, big", 8, true, false, "BLENDER-V293", "2.93" },
	{ "Blender 5", 8, false, true, "BLENDER17-01v0500", "5.0" },
};

static void
put(struct fg_buf *buf, const struct kind *kind, uint64_t value, int size)
{
	for (int i = 0; i < size; i++)
		fg_buf_char(buf, (char)(value >> (8 * (kind->swap ? size - 1 - i : i))));
}

static void
text(struct fg_buf *buf, const char *value, size_t size)
{
	char room[256] = "";

	snprintf(room, sizeof(room), "%s", value);
	fg_buf_add(buf, room, size);
}

static void
block(struct fg_buf *out, const struct kind *kind, const char *code, uint32_t sdna, uint64_t old, const struct fg_buf *bytes)
{
	text(out, code, 4);
	if (kind->large) {
		put(out, kind, sdna, 4), put(out, kind, old, 8), put(out, kind, bytes->len, 8), put(out, kind, 1, 8);
	} else {
		put(out, kind, bytes->len, 4), put(out, kind, old, kind->pointer_size), put(out, kind, sdna, 4), put(out, kind, 1, 4);
	}
	if (bytes->len > 0)
		fg_buf_add(out, bytes->data, bytes->len);
}

static void
pad(struct fg_buf *buf)
{
	while (buf->len % 4 != 0)
		fg_buf_char(buf, '\0');
}

/* A catalogue of eight structures: ID, RenderData, Scene, Object, FileGlobal, FluidDomainSettings, PointCache, Volume. */
static void
catalogue(struct fg_buf *out, const struct kind *k)
{
	static const char *const names[] = { "name[66]", "sfra", "efra", "frame_step", "xsch", "ysch", "size", "frs_sec", "frs_sec_base", "engine[32]", "id", "*camera", "r", "type", "*curscene",
		"cache_directory[40]", "flag", "path[40]", "filepath[40]" };
	static const char *const types[] = { "char", "short", "int", "float", "ID", "RenderData", "Scene", "Object", "FileGlobal", "FluidDomainSettings", "PointCache", "Volume" };
	const int lengths[] = { 1, 2, 4, 4, 66, 4 * 5 + 2 * 2 + 4 + 32, 66 + k->pointer_size + 60, 68, k->pointer_size, 40, 44, 106 };
	static const struct {
		int type, count, members[9][2];
	} structs[] = {
		{ 4, 1, { { 0, 0 } } },
		{ 5, 9, { { 2, 1 }, { 2, 2 }, { 2, 3 }, { 2, 4 }, { 2, 5 }, { 1, 6 }, { 1, 7 }, { 3, 8 }, { 0, 9 } } },
		{ 6, 3, { { 4, 10 }, { 7, 11 }, { 5, 12 } } },
		{ 7, 2, { { 4, 10 }, { 1, 13 } } },
		{ 8, 1, { { 6, 14 } } },
		{ 9, 1, { { 0, 15 } } },
		{ 10, 2, { { 2, 16 }, { 0, 17 } } },
		{ 11, 2, { { 4, 10 }, { 0, 18 } } },
	};

	text(out, "SDNA", 4), text(out, "NAME", 4), put(out, k, 19, 4);
	for (int i = 0; i < 19; i++)
		text(out, names[i], strlen(names[i]) + 1);
	pad(out), text(out, "TYPE", 4), put(out, k, 12, 4);
	for (int i = 0; i < 12; i++)
		text(out, types[i], strlen(types[i]) + 1);
	pad(out), text(out, "TLEN", 4);
	for (int i = 0; i < 12; i++)
		put(out, k, (uint64_t)lengths[i], 2);
	pad(out), text(out, "STRC", 4), put(out, k, 8, 4);
	for (int i = 0; i < 8; i++) {
		put(out, k, (uint64_t)structs[i].type, 2), put(out, k, (uint64_t)structs[i].count, 2);
		for (int m = 0; m < structs[i].count; m++)
			put(out, k, (uint64_t)structs[i].members[m][0], 2), put(out, k, (uint64_t)structs[i].members[m][1], 2);
	}
}

static void
scene(struct fg_buf *out, const struct kind *k, const char *name, uint64_t camera, int width)
{
	float    base = 1.001f;
	uint32_t bits;

	memcpy(&bits, &base, 4);
	text(out, name, 66), put(out, k, camera, k->pointer_size);
	put(out, k, 3, 4), put(out, k, 90, 4), put(out, k, 2, 4), put(out, k, (uint64_t)width, 4), put(out, k, 360, 4), put(out, k, 50, 2), put(out, k, 24, 2);
	put(out, k, bits, 4), text(out, "CYCLES", 32);
}

/* An object with what a simulation leaves: a cache with these flags and this path. */
static void
point_cache(struct fg_buf *out, const struct kind *k, uint64_t old, int flag, const char *path)
{
	struct fg_buf object = { 0 }, cache = { 0 };

	text(&object, "OBCloth", 66), put(&object, k, 1, 2);
	put(&cache, k, (uint64_t)flag, 4), text(&cache, path, 40);
	block(out, k, "OB", 3, old, &object);
	block(out, k, "DATA", 6, old + 1, &cache);
	fg_buf_free(&object), fg_buf_free(&cache);
}

/* A fluid's folder, with the old cache that each domain still has; cloth in memory, on disk (twice), and in a folder of its own; a volume. */
static void
simulations(struct fg_buf *out, const struct kind *k)
{
	struct fg_buf object = { 0 }, fluid = { 0 }, old = { 0 }, volume = { 0 };

	text(&object, "OBTank", 66), put(&object, k, 1, 2);
	text(&fluid, "//cache_fluid_1", 40);
	put(&old, k, 1 << 6, 4), text(&old, "", 40);
	text(&volume, "VOsmoke", 66), text(&volume, "//vdb/smoke_0001.vdb", 40);
	block(out, k, "OB", 3, 0x500, &object);
	block(out, k, "DATA", 5, 0x501, &fluid);
	block(out, k, "DATA", 6, 0x502, &old);
	point_cache(out, k, 0x510, 1, "");
	point_cache(out, k, 0x520, 1 << 6 | 1 << 2, "");
	point_cache(out, k, 0x530, 1 << 6, "");
	point_cache(out, k, 0x540, 1 << 6 | 1 << 9, "//sims/");
	block(out, k, "VO", 7, 0x600, &volume);
	fg_buf_free(&object), fg_buf_free(&fluid), fg_buf_free(&old), fg_buf_free(&volume);
}

static void
make(struct fg_buf *out, const struct kind *k)
{
	struct fg_buf one = { 0 }, two = { 0 }, object = { 0 }, global = { 0 }, dna = { 0 }, none = { 0 };

	scene(&one, k, "SCFirst", 0, 100);
	scene(&two, k, "SCSe\"cond \xc3\xa9", 0x300, 640);
	text(&object, "OBCam", 66), put(&object, k, 11, 2);
	put(&global, k, 0x200, k->pointer_size);
	catalogue(&dna, k);
	fg_buf_str(out, k->header);
	block(out, k, "GLOB", 4, 0x10, &global);
	block(out, k, "SC", 2, 0x100, &one);
	block(out, k, "SC", 2, 0x200, &two);
	block(out, k, "OB", 3, 0x300, &object);
	simulations(out, k);
	block(out, k, "DNA1", 0, 0x400, &dna);
	block(out, k, "ENDB", 0, 0, &none);
	fg_buf_free(&one), fg_buf_free(&two), fg_buf_free(&object), fg_buf_free(&global), fg_buf_free(&dna);
}

static enum fg_err
read_bytes(struct fg_blend **out, const void *bytes, size_t len, int64_t max)
{
	char        path[] = "/tmp/farmgate-blend-XXXXXX";
	const int   fd = mkstemp(path);
	enum fg_err err;

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(fg_fs_write(fd, bytes, len), FG_OK);
	err = fg_blend_read(out, fd, max);
	close(fd);
	return err;
}

static void
expect(const struct kind *k, const void *bytes, size_t len)
{
	const struct fg_blend_scene *s;
	struct fg_blend             *blend;
	static const char *const     caches[] = { "//cache_fluid_1/", "//blendcache_*/", "//sims/", "//vdb/smoke_0001.vdb" };

	if (read_bytes(&blend, bytes, len, 1 << 20) != FG_OK)
		fail_msg("%s: %s", k->name, fg_err_text(FG_EFORMAT));
	assert_string_equal(blend->blender, k->version);
	assert_int_equal(blend->nscenes, 2);
	assert_string_equal(blend->active, "Se\"cond \xc3\xa9");
	s = fg_blend_scene(blend, "");
	assert_non_null(s);
	assert_int_equal(s->frame_start, 3);
	assert_int_equal(s->frame_end, 90);
	assert_int_equal(s->frame_step, 2);
	assert_int_equal(s->width, 640);
	assert_int_equal(s->percent, 50);
	assert_true(s->fps_base > 1.0009 && s->fps_base < 1.0011);
	assert_string_equal(s->camera, "Cam");
	assert_string_equal(s->engine, "CYCLES");
	assert_int_equal(blend->ncameras, 1);
	assert_null(fg_blend_scene(blend, "Third"));
	assert_int_equal(blend->nfiles, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(blend->files[i].path, caches[i]), assert_string_equal(blend->files[i].kind, "cache");
	fg_blend_free(blend);
}

static void
reads_each_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct fg_buf raw = { 0 };
		unsigned char packed[16384];
		z_stream      gz = { 0 };
		size_t        len;

		make(&raw, &kinds[i]);
		expect(&kinds[i], raw.data, raw.len);
		assert_int_equal(deflateInit2(&gz, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
		gz.next_in = (Bytef *)raw.data, gz.avail_in = (uInt)raw.len, gz.next_out = packed, gz.avail_out = sizeof(packed);
		assert_int_equal(deflate(&gz, Z_FINISH), Z_STREAM_END);
		expect(&kinds[i], packed, gz.total_out);
		deflateEnd(&gz);
		len = ZSTD_compress(packed, sizeof(packed), raw.data, raw.len / 2, 3); /* two frames, as Blender writes many */
		len += ZSTD_compress(packed + len, sizeof(packed) - len, raw.data + raw.len / 2, raw.len - raw.len / 2, 3);
		expect(&kinds[i], packed, len);
		fg_buf_free(&raw);
	}
}

static void
survives_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct fg_buf    raw = { 0 };
		struct fg_blend *blend;

		make(&raw, &kinds[i]);
		assert_int_equal(read_bytes(&blend, raw.data, raw.len, 200), FG_ETOOBIG);
		for (size_t len = 0; len < raw.len; len += 7) {
			assert_int_not_equal(read_bytes(&blend, raw.data, len, 1 << 20), FG_OK);
			assert_null(blend);
		}
		srand(1);
		for (int round = 0; round < 3000; round++) {
			const size_t at = (size_t)rand() % raw.len;
			const char   was = raw.data[at];

			raw.data[at] = (char)rand();
			if (read_bytes(&blend, raw.data, raw.len, 1 << 20) == FG_OK)
				fg_blend_free(blend);
			raw.data[at] = was;
		}
		fg_buf_free(&raw);
	}
}

static void
reads_real_scenes(void **state)
{
	const char    *top = getenv("top_srcdir");
	char           folder[4096], path[4400];
	DIR           *dir;
	struct dirent *entry;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/../shared/data/blend", top != NULL ? top : ".");
	if ((dir = opendir(folder)) == NULL) {
		print_message("# no real scenes beside the project\n");
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct fg_blend *blend;
		int              fd, major;

		if (sscanf(entry->d_name, "blender-%d", &major) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		assert_true((fd = open(path, O_RDONLY)) >= 0);
		if (fg_blend_read(&blend, fd, INT64_C(1) << 32) != FG_OK)
			fail_msg("%s: %s", path, fg_err_text(FG_EFORMAT));
		close(fd);
		assert_int_equal(strtol(blend->blender, NULL, 10), major);
		assert_true(blend->nscenes >= 1);
		assert_non_null(fg_blend_scene(blend, ""));
		assert_true(fg_blend_scene(blend, "")->width >= 64 && fg_blend_scene(blend, "")->height >= 64);
		assert_true(strlen(fg_blend_scene(blend, "")->engine) > 3);
		fg_blend_free(blend);
	}
	closedir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(reads_each_kind), cmocka_unit_test(survives_damage), cmocka_unit_test(reads_real_scenes) };

	return cmocka_run_group_tests_name("blend", tests, NULL, NULL);
}
