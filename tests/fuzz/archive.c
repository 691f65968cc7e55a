/* archive: zips from strangers. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "farm/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int          fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct fg_archive *archive = NULL;
	char               path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fg_fs_write(fd, data, size) == FG_OK && fg_archive_check(&archive, path, &(struct fg_archive_limits){ .inflated_bytes = 1 << 22 }) == FG_OK) {
		fg_archive_blend(archive, 0);
		fg_archive_has_beside(archive, "a/b.blend", "//../x/y");
	}
	fg_archive_close(archive);
	close(fd);
	return 0;
}
