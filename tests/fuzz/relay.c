/* Fuzz entry: a message of a relay, as either side reads it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "live/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_relay_frame frame;
	unsigned char         head[FG_RELAY_HEAD];

	for (int home = 0; home < 2; home++)
		if (fg_relay_read(&frame, (const char *)data, size, home == 1)) {
			fg_relay_head(head, (enum fg_relay_kind)frame.kind, frame.viewer);
			if (memcmp(head, data, sizeof(head)) != 0 || frame.len != size - FG_RELAY_HEAD || frame.len > FG_RELAY_PIECE)
				abort();
		}
	return 0;
}
