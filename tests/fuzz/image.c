/* Any bytes as a picture: header, check, preview (as it is, and a layer of it, brighter), and as those that are only handed on. Pictures that say they are large are left at the header: time, not memory, would be the limit. */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/rare.h"
#include "image/thumb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const rare[] = { "tif", "hdr", "dpx", "cin", "rgb" };
	struct fg_image_info     info;
	struct fg_image_verdict  verdict;
	int                      in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);

	if (write(in, data, size) == (ssize_t)size && fg_image_probe(&info, in) == FG_OK && (int64_t)info.width * info.height * info.channels <= 1 << 20) {
		fg_image_check(&verdict, in, &(const struct fg_image_expect){ 0 });
		fg_thumb(out, in, &(const struct fg_thumb){ .width = 16, .threads = 1 });
		(void)!ftruncate(out, 0);
		fg_thumb(out, in, &(const struct fg_thumb){ .width = 40, .threads = 1, .layer = "diffuse", .display.exposure_stops = 2 });
	}
	fg_exr_elsewhere(in);
	for (size_t i = 0; i < sizeof(rare) / sizeof(*rare); i++)
		fg_rare_check(in, rare[i], 8, 8);
	close(in);
	close(out);
	return 0;
}
