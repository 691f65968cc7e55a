/* batch: paths and values of overrides, hooks as words, names of outputs, what an engine says, recipes that are wrong in one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "batch/command.h"
#include "batch/output.h"
#include "batch/override.h"
#include "batch/recipe.h"
#include "farm/engine.h"

static void
override_paths(void **state)
{
	static const struct {
		const char *path, *steps; /**< NULL: refused */
	} table[] = {
		{ "render.engine", "[\"render\",\"engine\"]" }, { "gravity[2]", "[\"gravity\",{\"at\":2}]" },
		{ "view_layers[\"A 'b'\"].use", "[\"view_layers\",{\"at\":\"A 'b'\"},\"use\"]" }, { "view_layers['x']['y']", "[\"view_layers\",{\"at\":\"x\"},{\"at\":\"y\"}]" },
		{ "", NULL }, { ".render", NULL }, { "render.", NULL }, { "render..x", NULL }, { "render x", NULL }, { "render.__init__", NULL }, { "render.filepath", NULL },
		{ "world.animation_data.drivers[0].driver.expression", NULL }, { "bpy.ops.wm.quit_blender", NULL }, { "render[", NULL }, { "render[1", NULL },
		{ "render[x]", NULL }, { "render['x]", NULL }, { "render[1.5]", NULL }, { "render;import os", NULL }, { "a.b.c", NULL },
		{ "render.a.a.a.a.a.a.a.a.a.a.a.a.a", NULL }, { "\xff", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		json_object      *steps = NULL;
		const enum fg_err err = fg_override_path(&steps, table[i].path);

		if ((err == FG_OK) != (table[i].steps != NULL))
			fail_msg("%s", table[i].path);
		if (err == FG_OK)
			assert_string_equal(json_object_to_json_string_ext(steps, JSON_C_TO_STRING_PLAIN), table[i].steps);
		json_object_put(steps);
	}
}

static void
override_values(void **state)
{
	static const struct {
		const char *text, *json; /**< NULL: refused */
	} table[] = {
		{ "1", "1" }, { " -7 ", "-7" }, { "0.5", "0.5" }, { "1e3", "1000.0" }, { "'Filmic'", "\"Filmic\"" }, { "\"a\\\"b\\n\"", "\"a\\\"b\\n\"" }, { "True", "true" },
		{ "False", "false" }, { "None", "null" }, { "(1, 2.5, 'x')", "[1,2.5,\"x\"]" }, { "[]", "[]" }, { "(1,)", "[1]" }, { "[[1],[2]]", "[[1],[2]]" },
		{ "", NULL }, { "x", NULL }, { "1+1", NULL }, { "'a' 'b'", NULL }, { "'a", NULL }, { "(1", NULL }, { "1)", NULL }, { "[1 2]", NULL }, { "Truex", NULL },
		{ "inf", NULL }, { "1e999", NULL }, { "nan", NULL }, { "f'x'", NULL }, { "'\\x41'", NULL }, { "[[[[[1]]]]]", NULL }, { "__import__('os')", NULL }, { "{1}", NULL },
		{ "(,)", NULL }, { "1_000", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		json_object      *value = NULL;
		const enum fg_err err = fg_override_value(&value, table[i].text);
		const char       *json = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);

		if ((err == FG_OK) != (table[i].json != NULL) || (err == FG_OK && strcmp(json, table[i].json) != 0))
			fail_msg("%s → %s", table[i].text, json);
		json_object_put(value);
	}
}

static void
commands(void **state)
{
	static const struct {
		const char *text, *allowed;
		int         words; /**< 0: refused; negative: not allowed */
	} table[] = {
		{ "touch /a", "touch *", 2 }, { "touch '/a b' \"c d\" e\\ f", "touch * * *", 4 }, { "touch", "touch", 1 }, { "touch -r", "touch *", -2 },
		{ "touch a b", "touch *", -3 }, { "rm a", "touch *;rm *", 2 }, { "rm a", "", -2 }, { "anything at all", "*", 3 }, { "a", "* b", -1 },
		{ "touch a; rm b", "*", 0 }, { "echo $HOME", "*", 0 }, { "echo `id`", "*", 0 }, { "echo \"$(id)\"", "*", 0 }, { "a | b", "*", 0 }, { "a > b", "*", 0 }, { "a &", "*", 0 },
		{ "a 'b", "*", 0 }, { "", "*", 0 }, { "  ", "*", 0 }, { "ls *", "*", 0 }, { "echo '$HOME'", "echo *", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct fg_command command;
		const bool        split = fg_command_split(&command, table[i].text) == FG_OK;
		const int         words = !split ? 0 : fg_command_allowed(&command, table[i].allowed) ? command.count : -command.count;

		if (words != table[i].words)
			fail_msg("%s: %d", table[i].text, words);
	}
}

static void
commands_end(void **state)
{
	struct fg_command command;

	(void)state;
	assert_int_equal(fg_command_split(&command, "false"), FG_OK);
	assert_int_equal(fg_command_run(&command, 10), FG_EIO);
	assert_int_equal(fg_command_split(&command, "true"), FG_OK);
	assert_int_equal(fg_command_run(&command, 10), FG_OK);
	assert_int_equal(fg_command_split(&command, "sleep 600"), FG_OK);
	assert_int_equal(fg_command_run(&command, 0), FG_EIO);
	assert_non_null(strstr(fg_err_text(FG_EIO), "longer than"));
	assert_int_equal(fg_command_split(&command, "/no/such/program"), FG_OK);
	assert_int_equal(fg_command_run(&command, 10), FG_EIO);
}

static void
output_names(void **state)
{
	static const struct {
		const char *output, *ext, *name;
	} table[] = {
		{ "/r/a", "png", "/r/a0007.png" }, { "/r/a_###", "png", "/r/a_007.png" }, { "/r/#a##.png", "png", "/r/#a07.png" }, { "/r/a.jpg", "png", "/r/a.jpg0007.png" },
		{ "/r/a##.jpg", "png", "/r/a07.png" }, { "/r/", "exr", "/r/0007.exr" }, { "//b/c", "png", "/home/u/b/c0007.png" }, { "d", "png", "/home/u/d0007.png" },
		{ "/r#/a", "png", "/r#/a0007.png" }, { "/r/a.b", "tif", "/r/a.b0007.tif" }, { "/r/##########", "png", "/r/000000007.png" },
	};
	char name[PATH_MAX], longest[PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		assert_int_equal(fg_output_name(name, table[i].output, "/home/u/x.blend", 7, table[i].ext), FG_OK);
		assert_string_equal(name, table[i].name);
	}
	assert_int_equal(fg_output_film(name, "/r/film-", "/x.blend", 1, 250, "avi"), FG_OK);
	assert_string_equal(name, "/r/film-0001-0250.avi");
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[PATH_MAX - 1] = '\0';
	assert_int_equal(fg_output_name(name, longest, "/x.blend", 1, "png"), FG_EINVAL);
}

static void
engines(void **state)
{
	static const struct {
		const char *told, *json;
	} table[] = {
		{ "CYCLES frame=1 mem=9.92M samples_done=1 samples_todo=4",
		  "{\"type\":\"CYCLES\",\"data\":{\"frame\":\"1\",\"mem\":\"9.92M\",\"samples_done\":\"1\",\"samples_todo\":\"4\"}}" },
		{ "NON_COMPATIBLE", "{\"type\":\"NON_COMPATIBLE\",\"data\":null}" }, { "", "" }, { "SOMETHING frame=1", "" }, { "CYCLES frame=<b>", "" }, { "CYCLES frame=", "" },
		{ "CYCLES other=1", "" }, { "CYCLES frame=1\"", "" }, { "CYCLES frame=1111111111111111111111111", "" }, { "CYCLES frame", "" },
		{ "CYCLES scene=My%20scene%3D\xc3\xa9 layer=\"L\"", "{\"type\":\"CYCLES\",\"data\":{\"scene\":\"My scene=\xc3\xa9\",\"layer\":\"\\\"L\\\"\"}}" },
		{ "CYCLES scene=a%0Ab", "" }, { "CYCLES scene=%ff", "" }, { "CYCLES scene=%00", "" },
	};
	char json[FG_ENGINE_JSON];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		fg_engine_json(json, table[i].told);
		assert_string_equal(json, table[i].json);
	}
}

/* The password goes neither into the state nor to anybody who reads. */
static void
recipes(void **state)
{
	static const char text[] = "{\"name\":\"/a.blend\",\"notifications\":{\"mail\":{\"pass\":\"hunter2\",\"enabled\":false}},\"jobs\":[{\"animated\":true,\"frame_end\":5,"
	                           "\"format\":\"MULTILAYER\",\"custom_overrides\":[{\"path\":\"cycles.samples\",\"data\":\"3\"},{\"path\":\"x\",\"data\":1,\"enabled\":false}]}]}";
	struct fg_recipe *recipe;
	struct fg_buf     out = { 0 };

	(void)state;
	assert_int_equal(fg_recipe_read(&recipe, text, strlen(text), 1), FG_OK);
	assert_int_equal(recipe->count, 1);
	assert_string_equal(recipe->mail.pass, "hunter2");
	assert_string_equal(recipe->jobs[0].blend_file, "/a.blend");
	assert_string_equal(fg_recipe_format(recipe->jobs[0].format), "exr-multilayer");
	assert_int_equal(json_object_array_length(recipe->jobs[0].overrides), 1);
	fg_recipe_text(&out, recipe);
	assert_null(strstr(out.data, "hunter2"));
	assert_string_equal(recipe->mail.pass, "hunter2");
	fg_buf_free(&out);
	fg_recipe_free(recipe);
	assert_int_equal(fg_recipe_read(&recipe, text, strlen(text), 0), FG_EINVAL);
	fg_recipe_free(recipe);
	for (size_t len = 0; len < strlen(text); len++) { /* cut anywhere: said, not crashed */
		assert_int_equal(fg_recipe_read(&recipe, text, len, 9), FG_EFORMAT);
		fg_recipe_free(recipe);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(override_paths), cmocka_unit_test(override_values), cmocka_unit_test(commands), cmocka_unit_test(commands_end),
		cmocka_unit_test(output_names),   cmocka_unit_test(engines),         cmocka_unit_test(recipes),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
