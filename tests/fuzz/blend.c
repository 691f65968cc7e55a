/* blend: scenes from strangers, in any packing. */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "blend/scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int        fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct fg_blend *blend = NULL;

	if (fg_fs_write(fd, data, size) == FG_OK && fg_blend_read(&blend, fd, 1 << 24) == FG_OK)
		fg_blend_scene(blend, "");
	fg_blend_free(blend);
	close(fd);
	return 0;
}
