/* worker_progress: Blender's lines become per mille that never run backwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/progress.h"

static void
lines(void **state)
{
	static const struct {
		const char *line;
		int         permille, remaining_s;
	} table[] = {
		{ "Blender 3.4.1", 0, -1 },
		{ "Fra:1 Mem:9.92M (Peak 10.83M) | Time:00:00.08 | Mem:0.76M, Peak:0.76M | Scene, ViewLayer | Sample 0/4", 0, -1 },
		{ "Fra:1 Mem:10.15M (Peak 10.83M) | Time:00:00.09 | Remaining:01:02.01 | Mem:0.98M, Peak:0.98M | Scene, ViewLayer | Sample 1/4", 250, 62 },
		{ "Fra:1 Mem:10.15M (Peak 10.83M) | Time:00:00.09 | Remaining:01:00:05.01 | Scene, ViewLayer | Sample 1/4", 250, 3605 },
		{ "Fra:1 Mem:1M (Peak 1M) | Time:00:00.09 | Scene, ViewLayer | Rendered 3/6 Tiles, Sample 2/4", 583, 3605 },
		{ "Fra:1 Mem:1M (Peak 1M) | Time:00:00.09 | Scene, ViewLayer | Sample 0/64", 583, 3605 },
		{ "Fra:1 Mem:1M (Peak 1M) | Time:00:00.09 | Scene, ViewLayer | Rendered 6/6 Tiles, Sample 4/4", 1000, 3605 },
	};
	struct fg_progress p;

	(void)state;
	fg_progress_init(&p);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		fg_progress_line(&p, table[i].line);
		assert_int_equal(p.permille, table[i].permille);
		assert_int_equal(p.remaining_s, table[i].remaining_s);
		assert_false(p.saved);
	}
	fg_progress_line(&p, "Saved: '/job/out/21_0001.png'");
	assert_true(p.saved);
}

static void
eevee_and_old_tiles(void **state)
{
	struct fg_progress p;

	(void)state;
	fg_progress_init(&p);
	fg_progress_line(&p, "Fra:1 Mem:11.00M (Peak 12.11M) | Time:00:04.25 | Rendering 26 / 64 samples");
	assert_int_equal(p.permille, 406);
	fg_progress_init(&p);
	fg_progress_line(&p, "Fra:7 Mem:11.00M (0.00M, Peak 12.11M) | Time:00:04.25 | Scene, RenderLayer | Rendered 1/4 Tiles");
	assert_int_equal(p.permille, 250);
}

static void
words(void **state)
{
	static const struct {
		const char *line, *engine;
	} table[] = {
		{ "Fra:1 Mem:9.92M (Peak 10.83M) | Time:00:00.08 | Remaining:00:00.01 | Mem:0.76M, Peak:0.76M | My scene=1, View Layer | Sample 1/4",
		  "CYCLES frame=1 mem=9.92M peak=10.83M elapsed=00:00.08 remaining=00:00.01 scene=My%20scene%3D1 layer=View%20Layer samples_done=1 samples_todo=4" },
		{ "Fra:7 Mem:11.00M (0.00M, Peak 12.11M) | Time:00:04.25 | Scene, RenderLayer | Rendered 1/4 Tiles",
		  "CYCLES frame=7 mem=11.00M peak=12.11M elapsed=00:04.25 scene=Scene layer=RenderLayer tiles_done=1 tiles_todo=4" },
		{ "Fra:1 Mem:1M (Peak 1M) | Time:00:04.25 | Rendering 26 / 64 samples", "BLENDER_EEVEE frame=1 mem=1M peak=1M elapsed=00:04.25 samples_done=26 samples_todo=64" },
		{ "Fra:1 Mem:1M | Scene, Part 3-64", "BLENDER_RENDER frame=1 mem=1M part_done=3 part_todo=64" },
		{ "Fra:1 Mem:1M | Time:00:01.00 | nothing here | Sample 1/4", "CYCLES frame=1 mem=1M elapsed=00:01.00 samples_done=1 samples_todo=4" },
	};
	struct fg_progress p;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		fg_progress_init(&p);
		fg_progress_line(&p, table[i].line);
		assert_string_equal(p.engine, table[i].engine);
	}
}

/* What no Blender says, but a scene's own Python may. */
static void
nonsense(void **state)
{
	static const char *const lines_of[] = {
		"Fra:1 | Sample 5/0", "Fra:1 | Sample -5/-1", "Fra:1 | Rendered 9/0 Tiles", "Fra:1 | Rendering 3 / 0 samples", "Fra:1 | Remaining:xx", "Fra:", "",
		"Fra:1 | Sample 1/99999999999999999999", "Saved: ", "Fra:1 | Rendering -9 / 3 samples",
	};
	struct fg_progress p;

	(void)state;
	fg_progress_init(&p);
	for (size_t i = 0; i < sizeof(lines_of) / sizeof(*lines_of); i++) {
		fg_progress_line(&p, lines_of[i]);
		assert_in_range(p.permille, 0, 1000);
	}
	assert_false(p.saved);
	assert_int_equal(p.remaining_s, -1);
}

static void
troubles(void **state)
{
	struct fg_progress p;

	(void)state;
	fg_progress_init(&p);
	fg_progress_line(&p, "Error: Cannot read file '/job/scene/a.blend'");
	assert_string_equal(p.error, "Error: Cannot read file '/job/scene/a.blend'");
	assert_false(p.out_of_memory);
	fg_progress_line(&p, "CUDA error: Out of memory in cuMemAlloc");
	assert_true(p.out_of_memory);
	assert_false(p.python_error);
	fg_progress_line(&p, "Traceback (most recent call last):");
	assert_true(p.python_error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines), cmocka_unit_test(eevee_and_old_tiles), cmocka_unit_test(words), cmocka_unit_test(nonsense), cmocka_unit_test(troubles) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
