/* recipe: a batch's recipe, its overrides and hooks. */
#include <stdint.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "batch/command.h"
#include "batch/override.h"
#include "batch/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_recipe *recipe;
	struct fg_command command;
	json_object      *value;
	struct fg_buf     text = { 0 };

	if (fg_recipe_read(&recipe, (const char *)data, size, 100) == FG_OK)
		fg_recipe_text(&text, recipe);
	fg_recipe_free(recipe);
	fg_buf_clear(&text);
	fg_buf_add(&text, data, size);
	fg_buf_char(&text, '\0');
	fg_command_split(&command, text.data);
	if (fg_override_path(&value, text.data) == FG_OK)
		json_object_put(value);
	if (fg_override_value(&value, text.data) == FG_OK)
		json_object_put(value);
	fg_buf_free(&text);
	return 0;
}
