/* rules: a solver's rule file from anywhere, and its own text as the solver's output. */
#include "launch/rules.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_rules rules;
	struct fg_reading      reading = { 0 };

	fg_rules_read(&rules, (const char *)data, size); /* what it got until it failed counts */
	fg_reading_feed(&reading, &rules, (const char *)data, size);
	fg_reading_end(&reading, &rules);
	if (fg_reading_percent(&reading) > 100)
		__builtin_trap();
	return 0;
}
