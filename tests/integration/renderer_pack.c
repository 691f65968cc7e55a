/* renderer_pack: a command for the tests around farm/renderer_pack:
 *   wrap OUT.zip /path/of/blender     repack OUT.zip ARCHIVE OS     probe BLENDER     probe_zip ZIP */
#include <stdio.h>
#include <string.h>

#include "farm/renderer_pack.h"

static void
show(const struct fg_renderer_caps *caps)
{
	printf("version=%s cycles=%d denoise=%d eevee=%d workbench=%d\n", caps->version, caps->cycles, caps->denoise, caps->eevee, caps->workbench);
}

/* How far it is, as it is told: never back, each step once. */
static void
count(void *ctx, int permille)
{
	int *steps = ctx; /* how many; the last */

	steps[0] += permille > steps[1];
	steps[1] = permille < steps[1] ? -1000000 : permille;
}

int
main(int argc, char **argv)
{
	struct fg_renderer_packed packed;
	struct fg_renderer_caps   caps;
	enum fg_err               err;
	int                       steps[2] = { 0, 0 };
	const struct fg_tick      tick = { count, steps, 0, 1000 };

	if (argc == 4 && strcmp(argv[1], "wrap") == 0) {
		err = fg_renderer_wrap(argv[2], argv[3]);
	} else if (argc == 5 && strcmp(argv[1], "repack") == 0) {
		if ((err = fg_renderer_repack(&packed, argv[2], argv[3], argv[4], &tick)) == FG_OK)
			printf("version=%s files=%lld bytes=%lld steps=%d last=%d\n", packed.version, (long long)packed.files, (long long)packed.inflated_bytes, steps[0], steps[1]);
	} else if (argc == 3 && strncmp(argv[1], "probe", 5) == 0) {
		if ((err = argv[1][5] == '\0' ? fg_renderer_probe(&caps, argv[2], false) : fg_renderer_probe_zip(&caps, argv[2])) == FG_OK)
			show(&caps);
	} else {
		fprintf(stderr, "usage: renderer_pack wrap OUT.zip BLENDER | repack OUT.zip ARCHIVE OS | probe BLENDER | probe_zip ZIP\n");
		return 2;
	}
	if (err != FG_OK)
		fprintf(stderr, "%s: %s\n", fg_err_name(err), fg_err_text(err));
	return err != FG_OK;
}
