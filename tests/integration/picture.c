/* picture FILE WIDTH EV [LAYER]: the JPEG of a file on the standard output, or why not on the error output; for tests and measurements. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "farm/picture.h"

int
main(int argc, char **argv)
{
	struct fg_settings settings = { .ffmpeg = "/usr/bin/ffmpeg" };
	const int          in = argc > 3 ? open(argv[1], O_RDONLY) : -1, out = memfd_create("out", 0);
	struct fg_thumb    how = { .width = argc > 3 ? (int)strtol(argv[2], NULL, 10) : 0, .layer = argc > 4 ? argv[4] : NULL };
	enum fg_err        err;
	int64_t            bytes;

	if (in < 0 || out < 0)
		return 2;
	how.display.exposure_stops = strtof(argv[3], NULL);
	if ((err = fg_picture(out, in, &how, &settings)) != FG_OK) {
		fprintf(stderr, "%s: %s\n", fg_err_name(err), fg_err_text(err));
		return 1;
	}
	lseek(out, 0, SEEK_SET);
	return fg_fs_copy(STDOUT_FILENO, out, &bytes) == FG_OK ? 0 : 1;
}
