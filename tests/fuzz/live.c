/* Fuzz entry: a message of the progress app. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "live/wish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_wish wish;

	if (fg_wish_read(&wish, (const char *)data, size) != (wish.kind != FG_WISH_NONE))
		abort();
	return 0;
}
