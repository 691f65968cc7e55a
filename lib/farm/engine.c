#include "farm/engine.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WORD = 24 };

static const char *const types[] = { "CYCLES", "BLENDER_EEVEE", "BLENDER_RENDER", "NON_COMPATIBLE" };
static const char *const names[] = { "frame", "mem", "peak", "elapsed", "remaining", "samples_done", "samples_todo", "tiles_done", "tiles_todo", "part_done", "part_todo" };

static bool
one_of(const char *const *list, size_t count, const char *at, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == len && strncmp(list[i], at, len) == 0)
			return true;
	return false;
}

void
fg_engine_json(char out[FG_ENGINE_JSON], const char *told)
{
	size_t type = strcspn(told, " "), used;
	int    count = 0;

	out[0] = '\0';
	if (!one_of(types, sizeof(types) / sizeof(*types), told, type))
		return;
	used = (size_t)snprintf(out, FG_ENGINE_JSON, "{\"type\":\"%.*s\",\"data\":{", (int)type, told);
	for (const char *at = told + type + strspn(told + type, " "); *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
		const size_t name = strcspn(at, "= "), value = at[name] == '=' ? strspn(at + name + 1, "0123456789.:KMG") : 0;

		if (value == 0 || value >= WORD || (at[name + 1 + value] != ' ' && at[name + 1 + value] != '\0') ||
		    !one_of(names, sizeof(names) / sizeof(*names), at, name) || used > FG_ENGINE_JSON - 100) {
			out[0] = '\0';
			return;
		}
		used += (size_t)snprintf(out + used, FG_ENGINE_JSON - used, "%s\"%.*s\":\"%.*s\"", count++ > 0 ? "," : "", (int)name, at, (int)value, at + name + 1);
	}
	if (count > 0)
		snprintf(out + used, FG_ENGINE_JSON - used, "}}");
	else
		snprintf(out, FG_ENGINE_JSON, "{\"type\":\"%.*s\",\"data\":null}", (int)type, told);
}
